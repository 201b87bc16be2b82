# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The open loop: requests are due by a schedule, whether or not earlier ones are answered.

Latency counts from the moment a request was due, also where it had to wait for a connection to be free: a service that stalls is charged
for everything that would have been asked meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import takewhile
from time import monotonic_ns

from .channel import Channel
from .histogram import Histogram
from .pacing import Timer
from .plan import Plan
from .pool import Pool
from .schedule import Arrival, arrivals

_NS = 1_000_000_000


class OpenLoop:
    """Decides when to send. ``launch(channel, started_ns, delay_us, phase)`` sends; ``unsent(started_ns, now, error, phase)`` counts what
    could not be sent: no connection could be opened, or none became free before its time was over."""

    # An answered channel waits for the next that is due.
    free = False

    def __init__(
        self, plan: Plan, pool: Pool, launch: Callable[[Channel, int, int, int], None], unsent: Callable[[int, int, str, int], None]
    ) -> None:
        self._plan = plan
        self._pool = pool
        self._launch = launch
        self._unsent = unsent
        self._timeout_ns = int(plan.chat_timeout * _NS)
        self._timer: Timer | None = None
        self._began_ns = 0
        self._arrivals: Iterator[Arrival] = iter(())
        self._next: Arrival | None = None
        self._refusal: str | None = None
        # Whether the next one was due when no connection was free: then its lateness is the service's doing.
        self._late = False
        self._errors_us: list[int] = []
        self.planned = 0
        self.dropped = 0
        self.send_error = Histogram()

    @property
    def arriving(self) -> bool:
        """Whether there are requests that are not sent yet."""
        return self._next is not None

    @property
    def timer_kind(self) -> str:
        """How precisely requests are sent when due."""
        return self._timer.kind if self._timer else "not paced"

    def prepare(self) -> None:
        """Open the connections."""
        self._pool.resize(self._plan.concurrency)

    def start(self, began_ns: int) -> None:
        """Begin to send. The run begins at this moment of the monotonic clock."""
        self._began_ns = began_ns
        self._arrivals = arrivals(self._plan)
        self._next = next(self._arrivals, None)
        self._timer = Timer(asyncio.get_running_loop(), self.due)
        self.due()

    def enter(self, _phase: int) -> None:
        """Go over to a phase; arrivals have theirs from the schedule."""
        self.due()

    def adjust(self, _now: int) -> None:
        """Open the connections that are missing."""
        self._pool.fill()

    def stop(self) -> None:
        """Send no more."""
        self._next = None
        if self._timer:
            self._timer.close()

    def cut(self, now: int) -> None:
        """Send what was due until now, and nothing that is due later."""
        last = now - self._began_ns
        self._arrivals = takewhile(lambda arrival: arrival.due_ns <= last, self._arrivals)
        if self._next and self._next.due_ns > last:
            self._next = None

    def refused(self, error: str) -> None:
        """A connection could not be opened: where there is no other, that fails those that are due."""
        self._refusal = error
        self.due()

    def opened(self) -> None:
        """A connection is there."""
        self._refusal = None
        self.due()

    def released(self) -> None:
        """A channel is idle again. Where none waits for it, the timer calls for the next."""
        if self._late:
            self.due()

    def sweep(self, now: int) -> None:
        """Give up those that wait for a connection for longer than an answer may take."""
        while self._next and self._began_ns + self._next.due_ns + self._timeout_ns < now and not self._pool.idle:
            self._give_up(self._next, "timeout", now)

    def digest(self) -> None:
        """Count how late requests were sent since the last time."""
        self.send_error.record_all(self._errors_us)
        self._errors_us.clear()

    def due(self) -> None:
        """Send what is due, as far as connections are free."""
        idle = self._pool.idle
        while self._next:
            due_ns, phase = self._next
            due = self._began_ns + due_ns
            now = monotonic_ns()
            if due > now:
                self._late = False
                if self._timer:
                    self._timer.at(due)
                return
            if not idle:
                if not self._pool.channels and self._refusal:
                    self._give_up(self._next, self._refusal, now)
                    continue
                self._late = True
                return
            if now - due > self._timeout_ns:
                if self._late:
                    # Its time was over while a connection for it was being opened, in place of one that was not answered on.
                    self._give_up(self._next, "timeout", now)
                else:
                    # With a connection free nobody but the generator is to blame.
                    self.dropped += 1
                    self._advance()
                continue
            self._advance()
            delay_us = (now - due) // 1000
            if not self._late:
                self._errors_us.append(delay_us)
            self._launch(idle.popleft(), due, delay_us, phase)

    def _advance(self) -> None:
        self.planned += 1
        self._next = next(self._arrivals, None)

    def _give_up(self, arrival: Arrival, error: str, now: int) -> None:
        self._advance()
        self._unsent(self._began_ns + arrival.due_ns, now, error, arrival.phase)
