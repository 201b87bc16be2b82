# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a percentile changed from one run to another, with a confidence interval.

Each run's percentile has an interval by order statistics; the interval of their ratio follows from both by the method of variance estimates
recovery (G. Y. Zou, A. Donner, *Construction of confidence limits about effect measures: a general approach*, Statistics in Medicine 27,
2008). Requests that failed count as slower than any that did not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .dependence import Batches, design_effect, looks, uncertainty
from .histogram import Histogram, rank_of
from .intervals import ranks

# So few exceedances show how they depend on each other; with fewer, the seconds' own percentiles have to.
_MIN_EVENTS = 20


@dataclass(frozen=True)
class Sample:
    """Requests of a class in a phase: latencies of the good ones, the number of those that failed, and the slots of time they ended in.

    ``levels`` are the slots' own percentiles, in order; None for a slot in which nothing ended.
    """

    histogram: Histogram
    failed: int
    batches: Batches
    levels: tuple[float | None, ...] = ()

    @property
    def count(self) -> int:
        """All that ended."""
        return self.histogram.count + self.failed

    def value_ms(self, rank: int | None) -> float:
        """The latency of a rank; infinite where that one failed, or there is none."""
        if rank is None or rank > self.histogram.count:
            return math.inf
        return self.histogram.value_of_rank(rank) / 1000


@dataclass(frozen=True)
class Change:
    """A percentile before and after, in milliseconds, and the relative change (0.31 is 31 % more) with its interval.

    ``after_ms`` is infinite where so many fail that the percentile is of one that did; None is a bound that too few samples left open.
    """

    before_ms: float
    after_ms: float
    change: float
    low: float | None
    high: float | None

    def told(self, percentile: str) -> str:
        """In words, such as: p95 rose by 31 % ± 6 %."""
        if math.isinf(self.after_ms):
            return f"{percentile} is now of requests that fail, from {self.before_ms:g} ms"
        direction = "rose" if self.change >= 0 else "fell"
        said = f"{percentile} {direction} by {abs(self.change):.0%}"
        if self.low is None or self.high is None:
            return f"{said}, with too few samples for an interval"
        return f"{said} ± {max(self.high - self.change, self.change - self.low):.0%}"


def compare(before: Sample, after: Sample, fraction: float, confidence: float) -> Change | None:
    """The change of a percentile; None where either run has no requests, or so many failed before that it has no such percentile."""
    if not before.count or not after.count:
        return None
    was, low_was, high_was = _bounded(before, fraction, confidence)
    now, low_now, high_now = _bounded(after, fraction, confidence)
    if math.isinf(was) or not was:
        return None
    if math.isinf(now):
        return Change(was, now, math.inf, None, None)
    change = math.log(now / was)
    low = high = None
    if low_now and not math.isinf(high_was):
        low = math.expm1(change - math.hypot(math.log(now / low_now), math.log(high_was / was)))
    if low_was and not math.isinf(high_now):
        high = math.expm1(change + math.hypot(math.log(high_now / now), math.log(was / low_was)))
    return Change(was, now, math.expm1(change), low, high)


def worth(sample: Sample, confidence: float) -> float:
    """How many independent requests, at most 1, each is worth: by the exceedances of the objective where there are enough, and by the slots
    whose percentile is above the median one, which stay together the longer the dependence lasts."""
    alpha = (1 - confidence) / 2
    found = [1.0]
    if sample.batches.events >= _MIN_EVENTS:
        found += [uncertainty(wide.filled, alpha) / design_effect(wide) for wide in looks(sample.batches)]
    levels = [level for level in sample.levels if level is not None]
    above = _above_median(levels)
    found += [uncertainty(wide.filled, alpha) / design_effect(wide) for wide in looks(Batches(1.0, (1,) * len(levels), above))]
    return min(found)


def _bounded(sample: Sample, fraction: float, confidence: float) -> tuple[float, float, float]:
    """The percentile and its bounds; the lower is 0 and the upper infinite where there are too few."""
    low, high = ranks(fraction, sample.count, confidence, worth(sample, confidence))
    value = sample.value_ms(rank_of(fraction, sample.count))
    return value, 0.0 if low is None else sample.value_ms(low), sample.value_ms(high)


def _above_median(levels: Sequence[float]) -> tuple[int, ...]:
    median = sorted(levels)[len(levels) // 2] if levels else 0.0
    return tuple(int(level > median) for level in levels)
