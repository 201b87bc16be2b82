# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the service into saturation and beyond, with the load engine, and lets it go again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..connection import Connection
from ..faults import CheckInconclusive
from ..load.engine import Engine, Run, make, new_loop
from ..load.plan import CHAT, Plan
from ..load.records import EXPLANATION_FILE
from ..load.target import target
from . import lanes
from .observation import Offer
from .readings import Watcher

# So many refusals are no accident.
ENOUGH_REFUSALS = 5
_LOOK_EVERY_S = 0.1
_SATURATED = "saturation was found"
_REFUSED = "status_429"


@dataclass(frozen=True)
class Explained:
    """A line of an explanation's record: when it ended, in seconds since the start of its run, how, and which trace it was."""

    ended_s: float
    trace_id: str | None
    error: str | None


@dataclass(frozen=True)
class Driven:
    """What a run left: its summary, and its explanations as recorded."""

    summary: Mapping[str, Any]
    explained: tuple[Explained, ...]


@dataclass(frozen=True)
class Found:
    """What the search found: the steps it took, and what proved saturation, if anything did."""

    driven: Driven
    offers: tuple[Offer, ...]
    proof: str

    @property
    def rate(self) -> float:
        """The rate of the last step."""
        return self.offers[-1].rate


class Driver:
    """Runs the load's plans in a directory, one after another."""

    def __init__(self, params: Mapping[str, Any], connection: Connection, directory: Path, watcher: Watcher) -> None:
        self._params = params
        self._connection = connection
        self._directory = directory
        self._watcher = watcher
        self._target = target(connection)
        self._loop, self._loop_name = new_loop()

    def close(self) -> None:
        """Let go of the event loop."""
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def search(self) -> Found:
        """Offer more and more attached chats until the ladder refuses some, the queue lags beyond its limit, or the steps are over."""
        plan = lanes.search(self._params, self._connection)
        summary, proof = self._loop.run_until_complete(self._search(plan))
        driven = self._driven(summary, "search")
        return Found(driven, offers(plan, driven), proof)

    def hold(self, rate: float) -> tuple[Driven, Mapping[str, Any], Plan]:
        """Keep the pressure up, then raise it, with plain chats beside; returns what became of attached chats, the summary of plain ones
        and the plan of the attached ones."""
        plan = lanes.attached(self._params, self._connection, rate)
        attached, plain = self._loop.run_until_complete(self._hold(plan, lanes.plain(self._params, self._connection)))
        return self._driven(attached, "attached"), plain, plan

    async def _search(self, plan: Plan) -> tuple[dict[str, Any], str]:
        engine = self._engine(plan, "search")
        proof = ""
        running = asyncio.ensure_future(engine.go())
        while not running.done():
            await asyncio.wait({running}, timeout=_LOOK_EVERY_S)
            proof = proof or self._proof(engine)
            if proof and not running.done():
                engine.interrupt(_SATURATED)
        return _ended(running.result()), proof

    def _proof(self, engine: Engine) -> str:
        if engine.refused >= ENOUGH_REFUSALS:
            return f"{engine.refused} attached chats were refused"
        lag = self._watcher.lag_s
        return f"the queue lags by {lag:.1f} s" if lag >= self._params["lag_limit"] else ""

    async def _hold(self, attached: Plan, plain: Plan) -> tuple[dict[str, Any], dict[str, Any]]:
        # The engine made last is the one that signals end; the lane of attached chats, which takes longer, hears them to the end.
        running = [asyncio.ensure_future(self._engine(plan, name).go()) for plan, name in ((plain, "plain"), (attached, "attached"))]
        releasing = asyncio.ensure_future(self._release_after(attached.duration_s))
        try:
            await asyncio.wait(running, return_when=asyncio.FIRST_EXCEPTION)
            results = [_ended(task.result()) for task in running if task.done()]
        finally:
            for task in (*running, releasing):
                task.cancel()
            await asyncio.gather(*running, releasing, return_exceptions=True)
        return results[1], results[0]

    async def _release_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._watcher.release()

    def _engine(self, plan: Plan, name: str) -> Engine:
        make(self._directory / name)
        return Engine(plan, self._target, Run(self._directory / name), self._loop_name)

    def _driven(self, summary: Mapping[str, Any], name: str) -> Driven:
        return Driven(summary, tuple(_explained(self._directory / name / EXPLANATION_FILE)))


def offers(plan: Plan, driven: Driven) -> tuple[Offer, ...]:
    """The steps that were taken, of which the last may have been cut short."""
    measured = driven.summary["classes"].get(CHAT, {})
    ran_s = driven.summary["run"]["duration_s"]
    found = []
    for phase in plan.phases:
        if phase.name not in measured:
            continue
        ends_s = min(phase.ends_s, ran_s)
        completed = sum(phase.starts_s <= one.ended_s < ends_s and not one.error for one in driven.explained)
        chats = measured[phase.name]
        found.append(
            Offer(
                phase.name,
                phase.rate_per_s or 0.0,
                phase.duration_s,
                chats["count"],
                chats["ok"],
                chats["errors"].get(_REFUSED, 0),
                completed,
                max(ends_s - phase.starts_s, 0.0),
            )
        )
    return tuple(found)


def failures(driven: Driven, phases: Sequence[str]) -> dict[str, int]:
    """Attached chats that were neither served nor refused, by class of error."""
    found: dict[str, int] = {}
    for name in phases:
        for error, count in driven.summary["classes"].get(CHAT, {}).get(name, {"errors": {}})["errors"].items():
            if error != _REFUSED:
                found[error] = found.get(error, 0) + count
    return found


def _ended(summary: dict[str, Any]) -> dict[str, Any]:
    interrupted = summary["run"]["interrupted"]
    if interrupted not in (None, _SATURATED):
        raise CheckInconclusive("run-interrupted", f"the load did not run to its end: {interrupted}", "Run the check again.")
    return summary


def _explained(path: Path) -> Iterator[Explained]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            yield Explained(record["t"] + record["l"] / 1_000_000, record["a"], record["e"])
