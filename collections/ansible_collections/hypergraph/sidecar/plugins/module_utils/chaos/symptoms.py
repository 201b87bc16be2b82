# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fault looks like from outside: what was seen of single traces and chats, and how much of it makes a symptom."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from ..faults import CheckError
from .counters import Counter

KINDS = ("slower", "failed", "refused", "degraded")
COMPLETE, REFUSED, UNFINISHED, LOST = "complete", "refused", "unfinished", "lost"
_FAILED = ("failed", "expired")


@dataclass(frozen=True)
class TraceSeen:
    """A trace of the watch. ``seconds`` is from creation to end by the service's own clock, None where it did not complete.

    ``outcome`` is the state it ended in, ``refused`` where its chat was answered 429, ``unfinished``, or ``lost`` where the service did
    not answer. ``submitted`` and ``ended`` are seconds since the watch began.
    """

    outcome: str
    submitted: float
    ended: float
    seconds: float | None = None
    degraded: tuple[str, ...] = ()
    said: str = ""

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> TraceSeen:
        """As ``asdict`` wrote it."""
        return cls(**{**document, "degraded": tuple(document["degraded"])})


@dataclass(frozen=True)
class ChatSeen:
    """A chat without explanation: its status, 0 where no answer came, and how long it took in seconds."""

    status: int
    seconds: float

    def within(self, limit: float) -> bool:
        """Whether it was served, and in time."""
        return self.status == 200 and self.seconds <= limit


@dataclass(frozen=True)
class Symptom:
    """At least ``share`` of the traces show it; slower ones by at least ``by_seconds``. A ``counter`` has to rise besides."""

    kind: str
    share: float = 0.5
    by_seconds: float = 0.5
    counter: Counter | None = None

    @classmethod
    def read(cls, document: Any) -> Symptom:
        """From the data of an experiment. Raises CheckError."""
        known = {"symptom", "share", "by_seconds", "metric"}
        if not isinstance(document, Mapping) or not document.keys() <= known or document.get("symptom") not in KINDS:
            raise _bad(f"seen is {document!r}, expected symptom ({', '.join(KINDS)}) and optionally share, by_seconds and metric")
        counter = Counter.read(document["metric"]) if document.get("metric") is not None else None
        share, by_seconds = _number(document, "share", cls.share), _number(document, "by_seconds", cls.by_seconds)
        symptom = cls(str(document["symptom"]), share, by_seconds, counter)
        if not 0 < symptom.share <= 1 or symptom.by_seconds <= 0:
            raise _bad(f"seen is {document!r}, expected a share above 0 and at most 1, and by_seconds above 0")
        return symptom

    def shown_by(self, trace: TraceSeen, usual_seconds: float) -> bool:
        """Whether one trace shows it; ``usual_seconds`` is how long traces take without the fault."""
        if self.kind == "failed":
            return trace.outcome in _FAILED
        if self.kind == "refused":
            return trace.outcome == REFUSED
        if self.kind == "degraded":
            return bool(trace.degraded)
        return trace.outcome == UNFINISHED or (trace.seconds is not None and trace.seconds >= usual_seconds + self.by_seconds)

    def seen_in(self, traces: Sequence[TraceSeen], usual_seconds: float) -> bool:
        """Whether so many of them show it."""
        showing = sum(self.shown_by(trace, usual_seconds) for trace in traces)
        return showing > 0 and showing >= self.share * len(traces)


@dataclass(frozen=True)
class Steadiness:
    """What a healthy trace is: complete, not degraded, within the limit in seconds."""

    trace_seconds: float

    def holds_for(self, trace: TraceSeen) -> bool:
        """Whether the trace is healthy."""
        return trace.outcome == COMPLETE and not trace.degraded and trace.seconds is not None and trace.seconds <= self.trace_seconds


def usual(traces: Iterable[TraceSeen]) -> float:
    """Median of the seconds that completed traces took; 0 where none did."""
    seconds = [trace.seconds for trace in traces if trace.seconds is not None]
    return median(seconds) if seconds else 0.0


def summary(traces: Sequence[TraceSeen], chats: Sequence[ChatSeen]) -> dict[str, Any]:
    """What was seen, in short."""
    outcomes = [trace.outcome for trace in traces]
    return {
        "outcomes": {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)},
        "degraded": sum(bool(trace.degraded) for trace in traces),
        "median_seconds": round(usual(traces), 3),
        "chats": len(chats),
        "slowest_chat_seconds": round(max((chat.seconds for chat in chats), default=0.0), 3),
        "said": next((trace.said for trace in traces if trace.said), ""),
    }


def documents(items: Iterable[TraceSeen] | Iterable[ChatSeen]) -> list[dict[str, Any]]:
    """As plain data."""
    return [asdict(item) for item in items]


def _number(document: Mapping[str, Any], name: str, default: float) -> float:
    value = document.get(name, default)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise _bad(f"{name} of seen is {value!r}, expected a number")
    return number


def _bad(said: str) -> CheckError:
    return CheckError("bad-experiment", said, "Correct the entry of chaos_recovery_experiments.")
