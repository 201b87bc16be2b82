# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a trace: what its owner sees of it from the chat to its end, and whether that is a life the contract allows."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from ..connection import Token
from ..http_client import Client
from ..rfc3339 import parse_utc
from ..traces import POLL_INTERVAL, TERMINAL_STATES, Submission, graph_path, read_status
from ..verdict import Verdict

# What may follow on what; polling may miss a state in between.
SUCCESSORS: Mapping[str, frozenset[str]] = {
    "queued": frozenset({"running"}) | TERMINAL_STATES,
    "running": TERMINAL_STATES,
    **{state: frozenset() for state in TERMINAL_STATES},
}
TIMESTAMPS = ("created_at", "queued_at", "started_at", "finished_at")
REQUIRED = ("trace_id", "tenant_id", "granularity", "created_at", "queued_at")
REQUIRED_WHEN_COMPLETE = (*REQUIRED, "started_at", "finished_at")


@dataclass(frozen=True)
class Reading:
    """One look at a trace's status. ``date`` is the gateway's clock at that moment, to the second, if it told; ``taken`` is ours."""

    status: Mapping[str, Any]
    body: bytes
    date: datetime | None
    taken: datetime

    @property
    def state(self) -> str:
        """The state it was in."""
        return str(self.status["state"])

    @property
    def ended(self) -> bool:
        """Whether that is a terminal state."""
        return self.state in TERMINAL_STATES

    @property
    def clock_offset(self) -> float:
        """Seconds by which the gateway's clock is ahead of ours, as far as is known."""
        return (self.date - self.taken).total_seconds() if self.date else 0.0


@dataclass
class Trace:
    """A trace the probe submitted, followed until it ends or ``give_up``, both on the monotonic clock in seconds.

    ``early_graph`` is the status that its graph was answered with at a moment when the trace was certainly unfinished.
    """

    label: str
    granularity: str
    submission: Submission
    sent_at: float
    give_up: float
    readings: list[Reading] = field(default_factory=list)
    early_graph: int | None = None

    @property
    def id(self) -> str:
        """The trace id the chat was answered with."""
        return self.submission.trace_id

    @property
    def last(self) -> Reading:
        """The latest reading."""
        return self.readings[-1]

    @property
    def ended(self) -> bool:
        """Whether the trace was seen in a terminal state."""
        return bool(self.readings) and self.last.ended

    @property
    def complete(self) -> bool:
        """Whether the trace was seen complete."""
        return bool(self.readings) and self.last.state == "complete"

    @property
    def seconds(self) -> float | None:
        """From creation to end by the service's own timestamps, which polling does not blur; None where they cannot be read."""
        try:
            return (parse_utc(self.last.status.get("finished_at")) - parse_utc(self.last.status.get("created_at"))).total_seconds()
        except ValueError:
            return None

    @property
    def watched(self) -> float:
        """Seconds from its first reading to its last by our own clock, one poll at the least."""
        return (self.last.taken - self.readings[0].taken).total_seconds() + POLL_INTERVAL


def look(client: Client, token: Token | None, trace: Trace, max_body: int) -> None:
    """Read the status once more; before that, until it was answered once for an unfinished trace, ask for the graph."""
    early = None
    if trace.early_graph is None:
        early = client.get(graph_path(trace.id), token, max_body=max_body).status
    answer, status = read_status(client, token, trace.id)
    trace.readings.append(Reading(status, answer.body, answer.date, datetime.now(timezone.utc)))
    if early is not None and not trace.ended:
        # Traces only move forward: unfinished now, it was unfinished when the graph was asked for.
        trace.early_graph = early


def follow(client: Client, token: Token | None, traces: Iterable[Trace], max_body: int) -> None:
    """Poll the traces in turn until each has ended or its time is up."""
    pending = [trace for trace in traces if not trace.ended]
    while pending:
        time.sleep(POLL_INTERVAL)
        for trace in pending:
            look(client, token, trace, max_body)
        pending = [trace for trace in pending if not trace.ended and time.monotonic() < trace.give_up]


def judge_life(verdict: Verdict, trace: Trace, tenant_id: str | None, clock_skew: float) -> None:
    """Everything about a trace that its status tells. ``tenant_id`` is None where no token says whose the trace is."""
    label, readings = trace.label, trace.readings
    verdict.examine("status readings", len(readings))
    states = [reading.state for reading in readings]
    steps = list(dict.fromkeys(illegal_steps(states)))
    verdict.expect(
        f"{label}: states are known and only move forward",
        not steps,
        expected="queued → running → complete, failed, expired or canceled",
        observed=steps or list(dict.fromkeys(states)),
        reason_code="illegal-transition",
        action="Let the StatusStore accept only forward transitions (compare and set on the state).",
    )
    missing = sorted({f"{name} while {r.state}" for r in readings for name in _required(r.state) if not r.status.get(name)})
    verdict.expect(
        f"{label}: the status has its required fields",
        not missing,
        expected=", ".join(REQUIRED_WHEN_COMPLETE),
        observed=f"missing {', '.join(missing)}" if missing else "present",
        reason_code="status-field-missing",
        action="Serve every field of the trace record that the API documents.",
    )
    _judge_identity(verdict, trace, tenant_id)
    _judge_times(verdict, trace, clock_skew)


def judge_completion(verdict: Verdict, trace: Trace) -> bool:
    """Whether the trace came to its good end; one that did not end at all is a matter of patience, and inconclusive."""
    if not trace.ended:
        verdict.inconclusive(
            "deadline-exceeded",
            f"{trace.label}: the trace was still {trace.last.state!r} after {trace.give_up - trace.sent_at:g} s",
            "Check that an explainer is running and its queue is moving, or raise trace_deadline.",
        )
        return False
    said = trace.last.status.get("error")
    return verdict.expect(
        f"{trace.label}: the trace completes",
        trace.complete,
        expected="complete",
        observed=f"{trace.last.state}: {said}" if said else trace.last.state,
        reason_code="trace-not-complete",
        action="Read the trace's error and the explainer's log.",
    )


def illegal_steps(states: Iterable[str]) -> Iterator[str]:
    """The steps that the contract does not know; staying in a state is none."""
    before = ""
    for state in states:
        if state not in SUCCESSORS:
            yield f"unknown state {state!r}"
        elif before in SUCCESSORS and state != before and state not in SUCCESSORS[before]:
            yield f"{before} → {state}"
        before = state


def _required(state: str) -> tuple[str, ...]:
    return REQUIRED_WHEN_COMPLETE if state == "complete" else REQUIRED


def _judge_identity(verdict: Verdict, trace: Trace, tenant_id: str | None) -> None:
    expected = {"trace_id": trace.id, **({"tenant_id": tenant_id} if tenant_id is not None else {})}
    wrong = {
        name: reading.status[name]
        for reading in trace.readings
        for name, value in expected.items()
        if reading.status.get(name) and reading.status[name] != value
    }
    verdict.expect(
        f"{trace.label}: the status is that of the trace and of the token's tenant",
        not wrong,
        expected=expected,
        observed=wrong or expected,
        reason_code="status-mismatch",
        action="Look up traces by id and by the tenant that the token stands for.",
    )


def _judge_times(verdict: Verdict, trace: Trace, clock_skew: float) -> None:
    label = trace.label
    unreadable: dict[str, str] = {}
    moments: list[dict[str, datetime]] = []
    for reading in trace.readings:
        moments.append({})
        for name in (*TIMESTAMPS, "updated_at"):
            if reading.status.get(name):
                try:
                    moments[-1][name] = parse_utc(reading.status[name])
                except ValueError:
                    unreadable[name] = repr(reading.status[name])
    verdict.expect(
        f"{label}: timestamps are RFC 3339 in UTC",
        not unreadable,
        expected="such as 2026-01-31T12:00:00.000000Z",
        observed=unreadable or "readable",
        reason_code="timestamp-unreadable",
        action="Write timestamps in UTC with a Z.",
    )
    disorder = list(dict.fromkeys(_disorder(moments)))
    ordered = verdict.expect(
        f"{label}: timestamps are monotone",
        not disorder,
        expected=" ≤ ".join(TIMESTAMPS) + ", each set once",
        observed=disorder or "monotone",
        reason_code="timestamps-not-monotone",
        action="Set each timestamp once, at its transition, from one clock.",
    )
    if not ordered:
        return
    if all(reading.date is None for reading in trace.readings):
        verdict.skip(
            "not_applicable",
            f"{label}: timestamps against the gateway's clock, since its answers carry no Date header",
            "Let the gateway send Date (RFC 9110 section 6.6.1).",
        )
        return
    implausible = _implausible(trace, moments, clock_skew)
    verdict.expect(
        f"{label}: timestamps agree with the gateway's clock",
        not implausible,
        expected=f"between the chat and its reading by the gateway's Date, ± {clock_skew:g} s",
        observed=implausible or "they agree",
        reason_code="timestamp-implausible",
        action="Synchronise the clocks of gateway and explainer, or raise clock_skew.",
    )


def _disorder(moments: list[dict[str, datetime]]) -> Iterator[str]:
    """Pairs of timestamps in the wrong order, and timestamps that changed between two readings."""
    seen: dict[str, datetime] = {}
    for reading in moments:
        present = [(name, reading[name]) for name in TIMESTAMPS if name in reading]
        for (earlier, one), (later, other) in zip(present, present[1:]):
            if one > other:
                yield f"{earlier} {one.isoformat()} is after {later} {other.isoformat()}"
        for name, moment in reading.items():
            before = seen.setdefault(name, moment)
            if moment < before or (moment > before and name != "updated_at"):
                yield f"{name} changed from {before.isoformat()} to {moment.isoformat()}"
            seen[name] = moment


def _implausible(trace: Trace, moments: list[dict[str, datetime]], clock_skew: float) -> dict[str, str]:
    """Timestamps after the reading that shows them, or from before the chat was sent, by the gateway's own clock."""
    tolerance = timedelta(seconds=clock_skew)
    chat = trace.submission.answer
    answered = chat.date
    # Date is cut to the second and may have been taken at either end of answering the chat.
    earliest = answered - timedelta(seconds=chat.elapsed) - tolerance if answered else None
    found: dict[str, str] = {}
    for reading, times in zip(trace.readings, moments):
        for name, moment in times.items():
            if reading.date and moment > reading.date + timedelta(seconds=1) + tolerance:
                found[name] = f"{moment.isoformat()} when the gateway's clock showed {reading.date.isoformat()}"
            elif earliest and moment < earliest:
                found[name] = f"{moment.isoformat()}, before the chat was sent"
    return found
