# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Percentiles of a histogram with their confidence, all from one pass over its buckets."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from .histogram import Histogram, rank_of, value_at
from .intervals import ranks

CONFIDENCE = 0.95


class Percentiles:
    """Percentiles in milliseconds of a histogram that is not empty."""

    def __init__(self, histogram: Histogram) -> None:
        self._below = list(accumulate(histogram.counts))
        self._count = self._below[-1]
        self._max_us = histogram.max_us

    def at(self, fraction: float) -> float:
        """The latency that the fraction of all do not exceed."""
        return self._of_rank(rank_of(fraction, self._count))

    def interval(self, fraction: float) -> list[float | None]:
        """Bounds of its 95 % confidence interval, from order statistics; None for a side on which there are too few to bound it."""
        return [None if rank is None else self._of_rank(rank) for rank in ranks(fraction, self._count, CONFIDENCE)]

    def _of_rank(self, rank: int) -> float:
        return min(value_at(bisect_left(self._below, rank)), self._max_us) / 1000
