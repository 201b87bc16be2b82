# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Latency histogram in log-linear buckets (the layout of HdrHistogram): exact below 2,048 us, relative width at most 1/1024 above, up to an hour."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

MAX_US = 3_600_000_000
_SUB_BITS = 10


def index(us: int) -> int:
    """Bucket of a latency in microseconds, 1 to ``MAX_US``."""
    if us < 2048:
        return us
    shift = us.bit_length() - _SUB_BITS - 1
    return (shift << _SUB_BITS) + (us >> shift)


SIZE = index(MAX_US) + 1


class Histogram:
    """Counts per bucket in a plain list. ``min_us``, ``max_us`` and ``sum_us`` are exact."""

    __slots__ = ("counts", "max_us", "min_us", "sum_us")

    def __init__(self) -> None:
        self.counts = [0] * SIZE
        self.max_us = 0
        self.min_us = 0
        self.sum_us = 0

    index = staticmethod(index)

    def record(self, us: int) -> None:
        """Count a latency."""
        us = min(max(us, 1), MAX_US)
        self.counts[index(us)] += 1
        self.sum_us += us
        if us > self.max_us:
            self.max_us = us
        if us < self.min_us or not self.min_us:
            self.min_us = us

    def extend(self, min_us: int, max_us: int, sum_us: int) -> None:
        """Account for latencies whose buckets somebody else counted."""
        self.sum_us += sum_us
        self.max_us = max(self.max_us, max_us)
        self.min_us = min(self.min_us or min_us, min_us)

    @staticmethod
    def value_at(place: int) -> int:
        """The highest latency that falls into a bucket."""
        if place < 2048:
            return place
        shift = (place >> _SUB_BITS) - 1
        return ((place - (shift << _SUB_BITS) + 1) << shift) - 1

    def percentile(self, quantile: float) -> int:
        """Highest latency of the bucket that holds the quantile; 0 of an empty histogram."""
        wanted = max(1, math.ceil(quantile * sum(self.counts)))
        passed = 0
        for place, count in enumerate(self.counts):
            passed += count
            if passed >= wanted:
                return min(self.value_at(place), self.max_us)
        return 0

    def to_document(self) -> dict[str, Any]:
        """Sparse."""
        return {
            "unit": "us",
            "significant": 1024,
            "min_us": self.min_us,
            "max_us": self.max_us,
            "sum_us": self.sum_us,
            "buckets": [[place, count] for place, count in enumerate(self.counts) if count],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Histogram:
        """The reverse."""
        made = cls()
        for place, count in document["buckets"]:
            made.counts[place] = count
        made.min_us, made.max_us, made.sum_us = document["min_us"], document["max_us"], document["sum_us"]
        return made
