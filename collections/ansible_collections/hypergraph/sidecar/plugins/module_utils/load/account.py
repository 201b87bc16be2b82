# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run says of itself: the summary, whole or of a part of it, and a line of progress."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from .chats import Chats
from .files import NOT_ENDED
from .health import Health, send_error
from .plan import Plan
from .polling import Follower
from .tally import Tally

SCHEMA, PROGRESS_SCHEMA = "load-summary-1", "load-progress-1"
_NS = 1_000_000_000


@dataclass
class Course:
    """How far a run is. ``began_ns`` is on the monotonic clock, ``began_at`` and ``ended_at`` are in seconds since the epoch, 0 before.

    Where it was told when to begin, that is ``began_at`` until it does.
    """

    run_id: str
    environment: str
    clock_offset_ms: float | None = None
    state: str = "waiting"
    began_ns: int = 0
    began_at: float = 0.0
    ended_at: float = 0.0
    # When sending ended, in seconds since the run began.
    sent_until_s: float = 0.0
    phase: int = 0
    rate_per_s: float = 0.0
    interrupted: str | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def elapsed_s(self) -> float:
        """Since the run began; 0 before."""
        return (time.monotonic_ns() - self.began_ns) / _NS if self.began_ns else 0.0

    def utc(self, moment: float) -> str:
        """A moment of this host's clock as who started the run would tell it, in the form of RFC 3339."""
        there = datetime.fromtimestamp(moment - (self.clock_offset_ms or 0.0) / 1000, timezone.utc)
        return there.isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Account:
    """What a run's documents are made of."""

    plan: Plan
    course: Course
    tally: Tally
    chats: Chats
    follower: Follower
    health: Health

    def progress(self) -> dict[str, Any]:
        """The document of progress, as ``telling`` reads it."""
        course, follower = self.course, self.follower
        ended, failed = self.tally.ended()
        return {
            "schema": PROGRESS_SCHEMA,
            "pid": os.getpid(),
            "state": course.state,
            "phase": self.plan.phases[min(course.phase, len(self.plan.phases) - 1)].name,
            "elapsed_s": round(course.elapsed_s, 1),
            "planned_s": self.plan.duration_s,
            "requests": ended,
            "rate_per_s": course.rate_per_s,
            "p95_ms": self.tally.last_p95_ms(),
            "errors": failed,
            "attached": follower.accepted,
            "complete": follower.ends["complete"],
            "pending": follower.pending,
        }

    def summary(self) -> dict[str, Any]:
        """The summary; before the end of the run without confidence intervals."""
        course, chats, follower = self.course, self.chats, self.follower
        offered = self._offered()
        ended = course.state == "ended"
        traces = {"accepted": follower.accepted, **follower.ends}
        # Before its end, a run's explanations on their way are not lost, and not complete either.
        traces["unfinished"] += follower.pending
        return {
            "schema": SCHEMA,
            "run": {
                "id": course.run_id,
                "environment": course.environment,
                "started_at": course.utc(course.began_at or time.time()),
                "ended_at": course.utc(course.ended_at or time.time()),
                "duration_s": round(course.sent_until_s or course.elapsed_s, 6),
                "interrupted": course.interrupted if ended or course.interrupted else NOT_ENDED,
            },
            "plan": self.plan.document(),
            "classes": self.tally.classes(final=ended),
            "traces": traces,
            "offered": offered,
            "bytes": {"sent": chats.bytes_sent + follower.bytes_sent, "received": chats.bytes_received + follower.bytes_received},
            "status_codes": self._status_codes(),
            "ladder": chats.ladder.document(),
            "generators": [self.health.document(offered, chats.loop.timer_kind, [*course.problems, *self._polling_problems()])],
            "series": self.tally.series(),
        }

    def _status_codes(self) -> dict[str, int]:
        """Answers by status. Good ones are not counted by it on the way: all have 200."""
        codes = dict(self.chats.codes)
        good = self.tally.good_chats()
        if good:
            codes[200] = codes.get(200, 0) + good
        return {str(code): codes[code] for code in sorted(codes)}

    def _offered(self) -> dict[str, Any]:
        sent, loop = self.chats.sent, self.chats.loop
        seconds = self.course.sent_until_s or self.course.elapsed_s
        planned = sent if loop.planned is None else loop.planned
        loop.digest()
        return {
            "planned": planned,
            "sent": sent,
            "dropped": loop.dropped,
            "rate_per_s": round(planned / seconds, 3) if seconds else 0.0,
            "achieved_per_s": round(sent / seconds, 3) if seconds else 0.0,
            "send_error_us": send_error(loop.send_error),
        }

    def _polling_problems(self) -> list[str]:
        follower = self.follower
        found = []
        if follower.unfollowed:
            found.append(
                f"{follower.unfollowed} explanations were not followed, more than it can hold: lower attach_rate or use more generators"
            )
        if follower.late > follower.polls / 10:
            found.append(f"{follower.late} of {follower.polls} polls were late, their budget is used up: raise poll_rate or poll_interval")
        return found
