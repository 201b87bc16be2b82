# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load run from its first connection to its summary: phases, drain, interruption, and what is written meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..connection import Connection
from ..faults import CheckError
from .account import Account, Course
from .chats import Chats
from .files import PROGRESS_FILE, SUMMARY_FILE, WATCH_FILE, replace
from .health import Health
from .plan import Plan
from .polling import Follower
from .reaching import reach
from .records import CHAT_FIELDS, CHAT_FILE, EXPLANATION_FIELDS, EXPLANATION_FILE, Records
from .tally import Tally
from .target import Target, target

_NS = 1_000_000_000
_TICK = 0.1
_SUMMARY_EVERY_S = 10
# Connections are opened before the clock of the run starts.
_HEAD_START_S = 0.2
_LATE_START_S = 0.1


@dataclass(frozen=True)
class Run:
    """What a run is called and when it begins. ``watched_within`` ends a run nobody watches.

    ``start_at`` is in seconds since the epoch by this host's clock, which is ``clock_offset_ms`` ahead of that of the host that started it.
    """

    directory: Path
    environment: str = ""
    run_id: str = ""
    start_at: float | None = None
    clock_offset_ms: float | None = None
    clock_uncertainty_ms: float | None = None
    watched_within: float | None = None

    @classmethod
    def told(cls, params: Mapping[str, Any]) -> Run:
        """As a module's arguments say. ``start_at`` is by the clock of who started it, and becomes one by this host's."""
        offset_s = (params["clock_offset_ms"] or 0.0) / 1000
        return cls(
            directory=Path(params["directory"]),
            environment=params["environment"],
            run_id=params["run_id"] or "",
            start_at=None if params["start_at"] is None else params["start_at"] + offset_s,
            clock_offset_ms=params["clock_offset_ms"],
            clock_uncertainty_ms=params["clock_uncertainty_ms"],
            watched_within=params["watched_within"],
        )


def run(plan: Plan, connection: Connection, told: Run) -> dict[str, Any]:
    """Drive the load and return the summary, which is in the directory too.

    Raises CheckError where the service cannot be reached before the run begins, or results cannot be written.
    """
    goal = target(connection)
    make(told.directory)
    loop, loop_name = new_loop()
    try:
        return loop.run_until_complete(_go(plan, goal, told, loop_name))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _go(plan: Plan, goal: Target, told: Run, loop_name: str) -> dict[str, Any]:
    # Made where the loop runs, which events of Python 3.9 belong to.
    return await Engine(plan, goal, told, loop_name).go()


def new_loop() -> tuple[asyncio.AbstractEventLoop, str]:
    """An event loop, the fast one where it is installed, and its name."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop(), "asyncio (slower; install uvloop for speed)"
    return uvloop.new_event_loop(), "uvloop"


def make(directory: Path) -> None:
    """Make a directory for results. Raises CheckError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        reason = f"directory {directory} cannot be made on the load generator: {os.strerror(problem.errno or 0).lower()}"
        raise CheckError("results-unwritable", reason, "Name a directory that the user of the run may write to.") from None


class Engine:
    """One run. ``go`` may be called once."""

    def __init__(self, plan: Plan, goal: Target, told: Run, loop_name: str) -> None:
        self._plan = plan
        self._target = goal
        self._told = told
        run_id = told.run_id or f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(3)}"
        self._course = course = Course(run_id, told.environment, told.clock_offset_ms, began_at=told.start_at or 0.0)
        # Sending is over; and so is the run, whatever is still on its way.
        self._over, self._ended = asyncio.Event(), asyncio.Event()
        self._fault: CheckError | None = None
        self._tally = Tally.of(plan)
        self._chat_records = Records(told.directory / CHAT_FILE, CHAT_FIELDS, self._give_up)
        self._explanation_records = Records(told.directory / EXPLANATION_FILE, EXPLANATION_FIELDS, self._give_up)
        self._follower = Follower(plan, goal, self._explanation_records, lambda: course.began_ns)
        self._chats = Chats(plan, goal, self._tally.measured, self._chat_records, self._follower)
        objective_ms = min(plan.slo_ms.values())
        common_start = told.start_at is not None
        self._health = Health(loop_name, objective_ms, told.clock_offset_ms, told.clock_uncertainty_ms, common_start=common_start)
        self._account = Account(plan, course, self._tally, self._chats, self._follower, self._health)
        self._seconds = 0
        self._writing: asyncio.Task[None] | None = None
        self._last_requests = 0

    async def go(self) -> dict[str, Any]:
        """Run to the end, planned or not. Raises CheckError."""
        with self._signals():
            try:
                await reach(self._target, self._plan.connect_timeout)
                await self._drive()
                summary = self._write_summary()
                # Whoever is told of the end may read the summary.
                self._progress()
                return summary
            finally:
                self._chats.close()
                self._follower.close()
                self._chat_records.close()
                self._explanation_records.close()

    async def _drive(self) -> None:
        loop, course = asyncio.get_running_loop(), self._course
        self._write_summary()
        self._chats.prepare()
        if self._plan.attaches:
            self._follower.open()
        await self._until_start()
        gc.collect()
        gc.freeze()
        course.began_ns, course.began_at = time.monotonic_ns(), time.time()
        self._health.begin()
        course.state = "running"
        self._chats.start(course.began_ns)
        ticking = loop.create_task(self._ticking())
        for position, phase in enumerate(self._plan.phases):
            if position:
                course.phase = position
                self._chats.enter(position)
            await self._wait(course.began_ns + int(phase.ends_s * _NS), self._over)
        # An open loop has arrivals that were due and still wait for a connection.
        if self._plan.model == "closed" or self._ended.is_set():
            self._chats.stop()
        elif self._over.is_set():
            self._chats.cut()
        self._health.end()
        course.sent_until_s = course.elapsed_s
        course.phase = len(self._plan.phases)
        course.state = "draining"
        while not self._ended.is_set() and (self._chats.loop.arriving or self._chats.under_way or self._follower.pending):
            await self._wait(time.monotonic_ns() + _NS // 20, self._ended)
        self._chats.stop()
        for task in filter(None, (ticking, self._writing)):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        gc.unfreeze()
        if self._fault:
            raise self._fault
        self._chats.close()
        self._follower.close()
        course.ended_at = time.time()
        course.state = "ended"

    async def _until_start(self) -> None:
        """Wait for the moment all generators begin, or for the connections to be open."""
        ahead = _HEAD_START_S if self._told.start_at is None else self._told.start_at - time.time()
        if ahead < -_LATE_START_S:
            late = f"it began {-ahead:.1f} s after the moment all generators were to begin"
            self._course.problems.append(f"{late}: let that be further ahead (sidecar_load_lead)")
        await self._wait(time.monotonic_ns() + int(max(ahead, 0.0) * _NS), self._ended)

    async def _wait(self, until_ns: int, event: asyncio.Event) -> None:
        """Wait until a moment, or an event if that comes first."""
        # Loops that round their timers may wake too early.
        while not event.is_set() and (seconds := (until_ns - time.monotonic_ns()) / _NS) > 0:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(event.wait(), seconds)

    async def _ticking(self) -> None:
        """Ten times a second: what is overdue ends, lines are written, seconds are closed. Late ticks tell how late the loop is."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + _TICK, loop.time() - 10 * _TICK)
            await asyncio.sleep(due - loop.time())
            # Loops that round their timers may be early.
            self._health.lag.record(max(int((loop.time() - due) * 1_000_000), 0))
            now = time.monotonic_ns()
            self._chats.sweep(now)
            self._follower.sweep(now)
            self._chats.flush()
            self._explanation_records.flush()
            if self._course.state == "running":
                self._chats.adjust(now)
            while self._seconds < int(self._course.elapsed_s):
                self._second_over()

    def _second_over(self) -> None:
        self._seconds += 1
        self._tally.second_over(self._course.phase)
        ended, _failed = self._tally.ended()
        self._course.rate_per_s, self._last_requests = float(ended - self._last_requests), ended
        self._progress()
        if self._seconds % _SUMMARY_EVERY_S == 0 and (self._writing is None or self._writing.done()):
            self._writing = asyncio.get_running_loop().create_task(self._write_partial())
        within = self._told.watched_within
        if within and time.time() - _modified(self._told.directory / WATCH_FILE, self._course.began_at) > within:
            self.interrupt("nobody watching")

    @property
    def refused(self) -> int:
        """How many chats were answered with 429 so far."""
        return self._chats.ladder.refusals

    def interrupt(self, why: str) -> None:
        """End the run now, without waiting for what is on its way; the summary names why."""
        self._course.interrupted = self._course.interrupted or why
        self._end()

    def _give_up(self, fault: CheckError) -> None:
        self._fault = self._fault or fault
        self._end()

    def _end(self) -> None:
        self._over.set()
        self._ended.set()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM end the run in good order; a run in another thread than the main one is not interrupted by them."""
        loop = asyncio.get_running_loop()
        caught = []
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
                loop.add_signal_handler(number, self.interrupt, number.name)
                caught.append(number)
        try:
            yield
        finally:
            for number in caught:
                loop.remove_signal_handler(number)

    def _progress(self) -> None:
        self._replace(PROGRESS_FILE, self._account.progress())

    async def _write_partial(self) -> None:
        for _piece in self._tally.prepare():
            await asyncio.sleep(0)
        if self._course.state == "ended":
            return
        summary = self._account.summary()
        self._replace(SUMMARY_FILE, summary)
        if self._plan.stop_early:
            # In a thread, where sending does not wait for it.
            decided = await asyncio.to_thread(self._plan.stop_early.decides, summary)
            if decided:
                self._over.set()

    def _write_summary(self) -> dict[str, Any]:
        summary = self._account.summary()
        self._replace(SUMMARY_FILE, summary)
        if self._fault:
            raise self._fault
        return summary

    def _replace(self, name: str, document: Mapping[str, Any]) -> None:
        try:
            replace(self._told.directory / name, document)
        except OSError as problem:
            reason = f"{self._told.directory / name} cannot be written on the load generator: {os.strerror(problem.errno or 0).lower()}"
            self._give_up(CheckError("results-unwritable", reason, "Give directory a place with room that the user may write to."))


def _modified(path: Path, otherwise: float) -> float:
    """When a file was changed last, in seconds since the epoch."""
    try:
        return max(path.stat().st_mtime, otherwise)
    except OSError:
        return otherwise
