# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed loop: each caller asks again as soon as it is answered, or as soon as a limit on the rate of all allows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic_ns

from .channel import Channel
from .histogram import Histogram
from .pacing import Timer
from .plan import Plan
from .pool import Pool
from .schedule import concurrency_at, seconds_for

_NS = 1_000_000_000
# A closed loop under a limit may make up for so much lateness of the generator's own, and no more.
_CATCH_UP_NS = 10_000_000


class ClosedLoop:
    """Decides when to send; ``launch(channel, started_ns, delay_us, phase)`` sends."""

    # How many are offered is known afterwards only; and none is due before it can be sent.
    planned: int | None = None
    dropped = 0
    arriving = False

    def __init__(self, plan: Plan, pool: Pool, launch: Callable[[Channel, int, int, int], None]) -> None:
        self._plan = plan
        self._pool = pool
        self._launch = launch
        self._timer: Timer | None = None
        self._phase = 0
        self._began_ns = 0
        self._sending = False
        self._next_ns = 0
        # Whether no caller was free to ask when the next was due: then its lateness is the service's doing.
        self._late = False
        # Whether an answered channel may be sent on at once.
        self.free = False
        self.send_error = Histogram()

    @property
    def timer_kind(self) -> str:
        """How precisely requests are sent when due."""
        return self._timer.kind if self._timer else "not paced"

    def prepare(self) -> None:
        """Open the connections of the beginning."""
        self._pool.resize(concurrency_at(self._plan.phases[0], 0.0))

    def start(self, began_ns: int) -> None:
        """Begin to send. The run begins at this moment of the monotonic clock."""
        self._began_ns = began_ns
        self._sending = True
        if any(phase.rate_per_s is not None for phase in self._plan.phases):
            self._timer = Timer(asyncio.get_running_loop(), self.due)
        self.enter(0)

    def enter(self, phase: int) -> None:
        """Go over to a phase."""
        self._phase = phase
        # Generators that take turns are at different parts of a step.
        began_ns = self._began_ns + int(self._plan.phases[phase].starts_s * _NS)
        self._next_ns = self._after(began_ns, self._plan.stagger)
        self.adjust(monotonic_ns())

    def adjust(self, now: int) -> None:
        """Follow a ramp of concurrency: open more connections, or let go of some as they become idle."""
        phase = self._plan.phases[self._phase]
        self._pool.resize(concurrency_at(phase, (now - self._began_ns) / _NS))
        self.free = self._sending and phase.rate_per_s is None and len(self._pool.channels) <= self._pool.limit
        self.due()

    def stop(self) -> None:
        """Send no more."""
        self._sending = self.free = False
        if self._timer:
            self._timer.close()

    def cut(self, _now: int) -> None:
        """Nothing waits to be sent."""
        self.stop()

    def refused(self, _error: str) -> None:
        """A connection could not be opened. Whoever waits for it is not due."""

    def opened(self) -> None:
        """A connection is there."""
        self.due()

    def released(self) -> None:
        """A channel is idle again."""
        self.due()

    def sweep(self, _now: int) -> None:
        """Nothing waits that could be overdue."""

    def digest(self) -> None:
        """Nothing is left to be counted."""

    def due(self) -> None:
        """Send what is due, as far as connections are free."""
        if not self._sending:
            return
        pool, phase = self._pool, self._plan.phases[self._phase]
        while pool.idle and pool.below_limit:
            now = monotonic_ns()
            if phase.rate_per_s is not None:
                if self._next_ns > now:
                    self._late = False
                    if self._timer:
                        self._timer.at(self._next_ns)
                    return
                if not self._late:
                    self.send_error.record((now - self._next_ns) // 1000)
                self._next_ns = self._after(max(self._next_ns, now - _CATCH_UP_NS), 1.0)
            self._launch(pool.idle.popleft(), now, 0, self._phase)
        self._late = True

    def _after(self, moment_ns: int, count: float) -> int:
        """When so many more are due after a moment."""
        return moment_ns + int(seconds_for(count, self._plan.phases[self._phase], (moment_ns - self._began_ns) / _NS) * _NS)
