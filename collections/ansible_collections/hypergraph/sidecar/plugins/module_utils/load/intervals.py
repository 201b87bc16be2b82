# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Confidence intervals of percentiles by order statistics: no assumption on the shape of the distribution.

W. J. Conover, *Practical Nonparametric Statistics*, third edition, section 3.2: how many of n independent latencies are below the true
percentile is binomial, so between two ranks it lies with at least the confidence. For dependent ones the ranks are those of as many
independent ones as they are worth (R. S. Woodruff, Journal of the American Statistical Association 47, 1952).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..probability.binomial import at_most
from .histogram import Histogram


def interval(histogram: Histogram, fraction: float, confidence: float = 0.95) -> list[float | None]:
    """Two-sided interval of a percentile in milliseconds; None for a side on which there are too few latencies to bound it."""
    low, high = ranks(fraction, histogram.count, confidence)
    return [None if rank is None else histogram.value_of_rank(rank) / 1000 for rank in (low, high)]


def ranks(fraction: float, count: int, confidence: float, worth: float = 1.0) -> tuple[int | None, int | None]:
    """Ranks, from 1 to count, of the two values that the percentile lies between; None where no rank bounds that side.

    ``worth`` is how many independent values, at most 1, each of them is worth.
    """
    tries = int(count * worth)
    tail = (1 - confidence) / 2
    low = _first(tries, lambda rank: at_most(rank - 1, tries, fraction) > tail) - 1
    high = _first(tries, lambda rank: at_most(rank - 1, tries, fraction) >= 1 - tail)
    return (
        None if low < 1 else max(1, math.floor(low / tries * count)),
        None if high > tries else min(count, math.ceil(high / tries * count)),
    )


def _first(tries: int, holds: Callable[[int], bool]) -> int:
    """The first rank, from 1 up, for which it holds; tries + 1 where it does for none."""
    low, high = 0, tries + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
