# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching the service from outside, with traces and chats of the watch's own, while nobody, a fault, or its aftermath is at work."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..connection import Token
from ..faults import CheckError
from ..http_client import Client
from ..rfc3339 import parse_utc
from ..traces import POLL_INTERVAL, TERMINAL_STATES, attach_headers, chat_body, read_status
from .counters import reading, rose
from .symptoms import COMPLETE, LOST, REFUSED, UNFINISHED, ChatSeen, Steadiness, Symptom, TraceSeen, documents, summary, usual

PHASES = ("before", "during", "after")
_PAUSE = 0.1
# So many healthy traces in a row make a service steady again.
STREAK = 3


@dataclass(frozen=True)
class Plan:
    """How to watch: ``traces`` and ``chats`` a round, the seconds a trace may take to end, and for how long to look.

    ``within`` is how long a fault may take to show (phase during), or a service to recover (phase after); ``patience`` is how much
    longer to look whether it recovers at all. ``usual_seconds`` is how long traces took before. A watch lasts at least ``hold``, with
    nothing sent once it knows, for a load beside it to measure what it looked at. ``endpoints`` are where metrics are exposed.
    """

    traces: int
    chats: int
    trace_deadline: float
    steadiness: Steadiness
    symptom: Symptom
    within: float
    patience: float
    usual_seconds: float = 0.0
    hold: float = 0.0
    endpoints: tuple[str, ...] = ()


@dataclass
class Watch:
    """One look at the service, from its first request on."""

    client: Client
    token: Token | None
    model: str
    granularity: str
    began: float = field(default_factory=time.monotonic)

    def before(self, plan: Plan) -> dict[str, Any]:
        """One round while nothing is wrong."""
        traces, chats = self._round(plan)
        steady = all(map(plan.steadiness.holds_for, traces))
        self._hold(plan)
        return self._told("before", traces, chats, steady=steady, usual_seconds=usual(traces))

    def during(self, plan: Plan) -> dict[str, Any]:
        """Rounds until the fault shows in one of them, or its time is up; what is told is the last one, in which it shows if it does.

        Where the symptom has a counter, it shows only when that has risen too since the watch began, which ``counted`` tells.
        """
        counter = plan.symptom.counter
        first = reading(self.client, counter, plan.endpoints) if counter else {}
        counted: bool | None = None
        traces: list[TraceSeen] = []
        chats: list[ChatSeen] = []
        seen = False
        while not seen and (not traces or self._elapsed() < plan.within):
            traces, chats = self._round(plan)
            counted = rose(counter, first, reading(self.client, counter, plan.endpoints)) if counter else None
            seen = plan.symptom.seen_in(traces, plan.usual_seconds) and counted is not False
        self._hold(plan)
        return self._told("during", traces, chats, seen=seen, counted=counted)

    def after(self, plan: Plan) -> dict[str, Any]:
        """Trace after trace until so many in a row are healthy, or patience ends.

        ``recovered`` is when the first of them ended, in seconds since the watch began; None where there was no such row.
        """
        traces: list[TraceSeen] = []
        streak = 0
        while streak < STREAK and self._elapsed() < plan.within + plan.patience:
            (trace,) = self._followed([self._submitted()], plan.trace_deadline)
            traces.append(trace)
            healthy = plan.steadiness.holds_for(trace) and not plan.symptom.shown_by(trace, plan.usual_seconds)
            streak = streak + 1 if healthy else 0
            if not healthy:
                time.sleep(_PAUSE)
        recovered = traces[-STREAK].ended if streak == STREAK else None
        lasting = plan.symptom.seen_in(traces[-STREAK:], plan.usual_seconds)
        if recovered is not None:
            self._hold(plan)
        return self._told("after", traces, [], recovered=recovered, lasting=lasting)

    def _told(self, phase: str, traces: Sequence[TraceSeen], chats: Sequence[ChatSeen], **said: Any) -> dict[str, Any]:
        return {
            "phase": phase,
            "traces": documents(traces),
            "chats": documents(chats),
            "summary": summary(traces, chats),
            "duration": self._elapsed(),
            **said,
        }

    def _hold(self, plan: Plan) -> None:
        time.sleep(max(0.0, plan.hold - self._elapsed()))

    def _elapsed(self) -> float:
        return time.monotonic() - self.began

    def _round(self, plan: Plan) -> tuple[list[TraceSeen], list[ChatSeen]]:
        submitted = [self._submitted() for _number in range(plan.traces)]
        chats = [self._chat() for _number in range(plan.chats)]
        return self._followed(submitted, plan.trace_deadline), chats

    def _submitted(self) -> tuple[TraceSeen, str]:
        """A trace as it begins, and its id; empty where it ended with its chat."""
        at = self._elapsed()
        try:
            answer = self.client.post(
                "/v1/chat/completions",
                self.token,
                json=chat_body("How is the weather?", self.model),
                headers=attach_headers(self.granularity),
            )
        except CheckError as fault:
            return TraceSeen(LOST, at, self._elapsed(), said=fault.reason), ""
        trace_id = answer.headers.get("x-trace-id", "")
        if answer.status == 200 and trace_id:
            return TraceSeen(UNFINISHED, at, self._elapsed()), trace_id
        outcome = REFUSED if answer.status == 429 else LOST
        return TraceSeen(outcome, at, self._elapsed(), said=f"the chat was answered {answer.status}"), ""

    def _chat(self) -> ChatSeen:
        started = time.monotonic()
        try:
            answer = self.client.post("/v1/chat/completions", self.token, json=chat_body("How is the weather?", self.model))
        except CheckError:
            return ChatSeen(0, time.monotonic() - started)
        return ChatSeen(answer.status, answer.elapsed)

    def _followed(self, submitted: Sequence[tuple[TraceSeen, str]], deadline: float) -> list[TraceSeen]:
        """The traces when they have ended, or their time is up, in the order given."""
        traces = [trace for trace, _trace_id in submitted]
        pending = {position: trace_id for position, (_trace, trace_id) in enumerate(submitted) if trace_id}
        while pending:
            time.sleep(POLL_INTERVAL)
            for position, trace_id in list(pending.items()):
                traces[position] = self._looked_at(traces[position], trace_id)
                if traces[position].outcome != UNFINISHED or self._elapsed() > traces[position].submitted + deadline:
                    del pending[position]
        return traces

    def _looked_at(self, trace: TraceSeen, trace_id: str) -> TraceSeen:
        try:
            _answer, status = read_status(self.client, self.token, trace_id)
        except CheckError as fault:
            return replace(trace, outcome=LOST, ended=self._elapsed(), said=fault.reason)
        state = str(status["state"])
        if state not in TERMINAL_STATES:
            return replace(trace, ended=self._elapsed())
        degraded = status.get("degraded")
        return replace(
            trace,
            outcome=state,
            ended=self._elapsed(),
            seconds=_seconds(status) if state == COMPLETE else None,
            degraded=tuple(map(str, degraded)) if isinstance(degraded, list) else (),
            said=str(status.get("error") or ""),
        )


def _seconds(status: Mapping[str, Any]) -> float | None:
    try:
        return (parse_utc(status.get("finished_at")) - parse_utc(status.get("created_at"))).total_seconds()
    except ValueError:
        return None
