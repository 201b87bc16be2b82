# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where on an axis a value lies, and which values are written beside the axis."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# A latency is not below a microsecond, in milliseconds.
LEAST_MS = 0.001
# Room that a tick's text needs.
_TICK_ROOM = 16
# Below so many seconds a run is told in units of so many, by this name.
_UNITS = ((120.0, 1.0, "s"), (7200.0, 60.0, "min"), (float("inf"), 3600.0, "h"))
_STEPS = (1, 2, 5, 10, 15, 20, 30, 60)


@dataclass(frozen=True)
class Scale:
    """From ``low`` at ``start`` to ``high`` at ``end``, evenly, or by logarithm; values beyond lie at its ends."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """The place of a value."""
        inside = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * share


def from_zero(highest: float, start: float, end: float, ticks: int) -> Scale:
    """Even, from 0 to about ``highest``, with about so many ticks at round values."""
    step = nice(max(highest, 1e-9) / ticks)
    count = math.ceil(highest / step - 1e-9) or 1
    return Scale(0.0, count * step, start, end, tuple(step * tick for tick in range(count + 1)))


def around(values: Iterable[float], start: float, end: float, ticks: int) -> Scale:
    """Even, round the values with some room, not below 0 where none is, with about so many ticks at round values."""
    seen = list(values) or [0.0]
    low, high = min(seen), max(seen)
    room = (high - low) * 0.08 or abs(high) * 0.05 or 1.0
    step = nice((high - low + 2 * room) / ticks)
    first, last = math.floor((low - room) / step), math.ceil((high + room) / step)
    first = max(first, 0) if low >= 0 else first
    return Scale(first * step, last * step, start, end, tuple(step * tick for tick in range(first, last + 1)))


def times(end_s: float, start: float, end: float) -> tuple[Scale, tuple[float, str]]:
    """From 0 to ``end_s`` seconds, and the unit that ticks are told in: how many seconds it has, and its name."""
    unit_s, name = next((unit_s, name) for below, unit_s, name in _UNITS if end_s <= below)
    reach = end_s / unit_s
    step = next((step for step in _STEPS if reach / step <= 6), None) or from_zero(reach, 0, 1, 6).ticks[1]
    ticks = tuple(tick * step * unit_s for tick in range(int(reach / step + 1e-9) + 1))
    return Scale(0.0, end_s, start, end, ticks), (unit_s, name)


def latencies(values: Iterable[float], start: float, end: float) -> Scale:
    """By logarithm, round it all, with a tick at powers of ten, and at 2 and 5 times those where there is room. In milliseconds."""
    known = [max(value, LEAST_MS) for value in values] or [1.0]
    low, high = _round_below(min(known)), nice(max(known))
    if high <= low:
        high = nice(low * 1.5)
    powers = range(math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9) + 1)
    every = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    ticks = [value for value in every if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
    room = max(int(abs(end - start) / _TICK_ROOM), 1)
    if len(ticks) > room:
        tens = [10.0**power for power in powers if low * (1 - 1e-9) <= 10.0**power <= high * (1 + 1e-9)]
        ticks = tens[:: math.ceil(len(tens) / room)]
    return Scale(low, high, start, end, tuple(ticks), True)


def nice(step: float) -> float:
    """The step, up to the next 1, 2 or 5 times a power of ten."""
    power: float = 10.0 ** math.floor(math.log10(step))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= step * (1 - 1e-9)), 10 * power)


def _round_below(value: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(value))
    return next((factor * power for factor in (5, 2) if factor * power <= value * (1 + 1e-9)), power)
