# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the load generator itself kept up. One that did not makes a result that says nothing about the service."""

from __future__ import annotations

import platform
import socket
import time
from typing import Any

from . import clock
from .codec import has_msgspec
from .histogram import Histogram

MAX_CPU_SHARE = 0.85
# Of the smallest objective: what the generator is late by itself it counts against the service, whose latency begins when a request is due
# and ends when its answer is read. Below the floor lies what any machine with something else to do is late by.
MAX_LAG_SHARE = 0.1
MAX_SEND_ERROR_SHARE = 0.05
FLOOR_MS = 10.0
MAX_DROPPED_SHARE = 0.001


class Health:
    """What is watched of the generator while it runs: processor time of this process, and how late the loop is with its own timers.

    ``objective_ms`` is the smallest objective; ``common_start`` says that it was to begin with others, so that its clock matters.
    """

    def __init__(
        self,
        loop_name: str,
        objective_ms: float,
        clock_offset_ms: float | None,
        clock_uncertainty_ms: float | None = None,
        *,
        common_start: bool = False,
    ) -> None:
        self._loop_name = loop_name
        self._objective_ms = objective_ms
        self._clock_offset_ms = clock_offset_ms
        self._clock_uncertainty_ms = clock_uncertainty_ms
        self._common_start = common_start
        self._began = (time.monotonic(), time.process_time())
        self._share: float | None = None
        self.lag = Histogram()

    def begin(self) -> None:
        """The run begins."""
        self._began = (time.monotonic(), time.process_time())
        self._share = None

    def end(self) -> None:
        """No more requests are sent; what follows is waiting."""
        self._share = self._current_share()

    def _current_share(self) -> float:
        elapsed = time.monotonic() - self._began[0]
        return (time.process_time() - self._began[1]) / elapsed if elapsed > 0 else 0.0

    def document(self, offered: dict[str, Any], pacing: str, further: list[str]) -> dict[str, Any]:
        """The summary's entry of this generator: ``pacing`` is what kind of timer sends requests, ``further`` are problems others found."""
        share = self._current_share() if self._share is None else self._share
        lag = _spread(self.lag, 1000)
        unknown = clock.problem(self._clock_uncertainty_ms) if self._common_start else None
        problems = [*_too_much(share, lag["p99"] or 0.0, offered, self._objective_ms), *([unknown] if unknown else []), *further]
        return {
            "host": socket.gethostname(),
            "python": platform.python_version(),
            "loop": self._loop_name,
            "parser": "msgspec" if has_msgspec() else "json (slower; install msgspec for speed)",
            "pacing": pacing,
            "cpu_share": round(share, 4),
            "loop_lag_ms": lag,
            "clock_offset_ms": self._clock_offset_ms,
            "clock_uncertainty_ms": self._clock_uncertainty_ms,
            "healthy": not problems,
            "problems": problems,
        }


def _too_much(share: float, lag_p99_ms: float, offered: dict[str, Any], objective_ms: float) -> list[str]:
    late = (offered["send_error_us"]["p99"] or 0.0) / 1000
    max_lag, max_late = (max(part * objective_ms, FLOOR_MS) for part in (MAX_LAG_SHARE, MAX_SEND_ERROR_SHARE))
    dropped, planned = offered["dropped"], offered["planned"]
    found = []
    if share > MAX_CPU_SHARE:
        found.append(
            f"its process used {share:.0%} of a processor, expected at most {MAX_CPU_SHARE:.0%}: use more generators or a lower load"
        )
    if lag_p99_ms > max_lag:
        found.append(f"its event loop was late by {lag_p99_ms:.0f} ms (p99), expected at most {max_lag:g} ms: the machine is too busy")
    if late > max_late:
        found.append(f"it sent requests {late:.0f} ms late (p99), expected at most {max_late:g} ms: the machine is too busy")
    if planned and dropped / planned > MAX_DROPPED_SHARE:
        found.append(f"it dropped {dropped} of {planned} requests, expected at most {MAX_DROPPED_SHARE:.1%}: the machine is too busy")
    return found


def _spread(histogram: Histogram, divisor: int) -> dict[str, float | None]:
    """p50, p99 and max of a histogram of microseconds, divided; None of an empty one."""
    if not histogram.count:
        return {"p50": None, "p99": None, "max": None}
    found = (histogram.percentile(0.5), histogram.percentile(0.99), histogram.max_us)
    return dict(zip(("p50", "p99", "max"), (value / divisor for value in found)))


def send_error(histogram: Histogram) -> dict[str, float | None]:
    """The summary's ``send_error_us``: how late requests were sent for reasons of the generator's own."""
    return _spread(histogram, 1)
