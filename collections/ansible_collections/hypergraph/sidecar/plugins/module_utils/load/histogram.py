# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A histogram of latencies in constant memory, of which any number merge without loss.

Buckets are log-linear in whole microseconds, as in HdrHistogram (Gil Tene, https://hdrhistogram.github.io/HdrHistogram/): below 2048 us a
bucket is one microsecond wide, above that no bucket is wider than 1/1024 of the values in it. A reported percentile is the highest value
of its bucket, hence never below the exact one and less than 0.1 % above it; merging adds counts, so that holds for merged ones too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SIGNIFICANT_BITS = 10
SIGNIFICANT = 1 << SIGNIFICANT_BITS
MAX_US = 3_600_000_000
LINEAR_BITS = SIGNIFICANT_BITS + 1


def index(us: int) -> int:
    """Bucket of a latency of 0 to MAX_US microseconds.

    A hot path that cannot afford the call may inline its two lines: ``shift`` is 0 below 2048 us.
    """
    shift = max(us.bit_length() - LINEAR_BITS, 0)
    return (shift << SIGNIFICANT_BITS) + (us >> shift)


def value_at(place: int) -> int:
    """The highest value, in microseconds, that falls into a bucket."""
    shift = max((place >> SIGNIFICANT_BITS) - 1, 0)
    return ((place - (shift << SIGNIFICANT_BITS) + 1) << shift) - 1


SIZE = index(MAX_US) + 1
_MEMBERS = {"unit", "significant", "count", "min_us", "max_us", "sum_us", "buckets"}


class Histogram:
    """Counts by bucket, and exactly beside them the least, the greatest and the sum (all in microseconds; 0 while empty).

    ``counts`` is a plain list so that a hot path may count for itself; who does so keeps the other three up to date, too.
    """

    __slots__ = ("counts", "max_us", "min_us", "sum_us")

    def __init__(self) -> None:
        self.counts = [0] * SIZE
        self.min_us = 0
        self.max_us = 0
        self.sum_us = 0

    def record(self, us: int) -> None:
        """Count one latency; one above an hour counts in the last bucket. Raises ValueError for a negative one."""
        if us < 0:
            raise ValueError(f"a latency of {us} us: expected 0 or more")
        self.min_us = min(self.min_us, us) if self.max_us or self.counts[0] else us
        self.max_us = max(self.max_us, us)
        self.sum_us += us
        self.counts[index(min(us, MAX_US))] += 1

    def record_all(self, latencies: Sequence[int]) -> None:
        """Count many at once, at a fraction of the price. Raises ValueError where one is negative, and counts none then."""
        if not latencies:
            return
        least = min(latencies)
        if least < 0:
            raise ValueError(f"a latency of {least} us: expected 0 or more")
        counts = self.counts
        for us in latencies:
            counts[index(us if us < MAX_US else MAX_US)] += 1
        self.extend(least, max(latencies), sum(latencies))

    def extend(self, min_us: int, max_us: int, sum_us: int) -> None:
        """Account for latencies that somebody else has counted in ``counts``: the least, the greatest and the sum of them."""
        self.min_us = 0 if self.counts[0] else min(self.min_us or min_us, min_us)
        self.max_us = max(self.max_us, max_us)
        self.sum_us += sum_us

    @property
    def count(self) -> int:
        """How many were counted."""
        return sum(self.counts)

    @property
    def mean_us(self) -> float:
        """The exact mean in microseconds; 0 while empty."""
        count = self.count
        return self.sum_us / count if count else 0.0

    def value_of_rank(self, rank: int) -> int:
        """The rank-th smallest latency in microseconds (from 1 up), as the highest value of its bucket. Raises ValueError out of range."""
        if rank < 1:
            raise ValueError(f"rank {rank}: expected 1 to the number of latencies")
        below = 0
        for place, count in enumerate(self.counts):
            below += count
            if below >= rank:
                return min(value_at(place), self.max_us)
        raise ValueError(f"rank {rank} of {below} latencies")

    def percentile(self, fraction: float) -> int:
        """The latency in microseconds that the fraction (0.95 for the p95) of all do not exceed: the smallest of rank ceil(fraction x n).

        Raises ValueError for a fraction outside ]0, 1] and while empty.
        """
        if not 0 < fraction <= 1:
            raise ValueError(f"fraction {fraction}: expected one above 0 and at most 1, such as 0.95")
        return self.value_of_rank(rank_of(fraction, self.count))

    def count_above(self, us: int) -> int:
        """How many are, or may be, above the value: exact where it is the highest of its bucket (any below 2048 us), never too few."""
        edge = index(min(us, MAX_US))
        return sum(self.counts[edge if us < value_at(edge) else edge + 1 :])

    def merge(self, other: Histogram) -> None:
        """Add another's counts to these."""
        if not other.count:
            return
        self.min_us = min(self.min_us, other.min_us) if self.count else other.min_us
        self.max_us = max(self.max_us, other.max_us)
        self.sum_us += other.sum_us
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts)]

    def to_document(self) -> dict[str, Any]:
        """As JSON, with only the buckets that are not empty; a bucket is no wider than a value divided by ``significant``."""
        return {
            "unit": "us",
            "significant": SIGNIFICANT,
            "count": self.count,
            "min_us": self.min_us,
            "max_us": self.max_us,
            "sum_us": self.sum_us,
            "buckets": [[place, count] for place, count in enumerate(self.counts) if count],
        }

    @classmethod
    def from_document(cls, document: Any) -> Histogram:
        """Read what ``to_document`` wrote. Raises ValueError, naming what is wrong, for anything it cannot have written."""
        if not isinstance(document, Mapping) or set(document) != _MEMBERS:
            raise ValueError(f"expected an object with the members {', '.join(sorted(_MEMBERS))}")
        if document["unit"] != "us" or document["significant"] != SIGNIFICANT:
            raise ValueError(f"unit {document['unit']!r}, significant {document['significant']!r}: expected 'us' and {SIGNIFICANT}")
        for member in ("count", "min_us", "max_us", "sum_us"):
            if not _is_count(document[member]):
                raise ValueError(f"{member} is {document[member]!r}, expected a whole number, 0 or more")
        histogram = cls()
        histogram.counts = _dense(document["buckets"])
        histogram.min_us, histogram.max_us, histogram.sum_us = (document[member] for member in ("min_us", "max_us", "sum_us"))
        _consistent(histogram, document["count"])
        return histogram


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """All of them as one."""
    total = Histogram()
    for histogram in histograms:
        total.merge(histogram)
    return total


def rank_of(fraction: float, count: int) -> int:
    """Rank, from 1 up, of the value that the fraction of so many do not exceed: ceil(fraction x count), free of the product's rounding."""
    return max(1, math.ceil(round(fraction * count, 6)))


def _dense(buckets: Any) -> list[int]:
    counts = [0] * SIZE
    if not isinstance(buckets, list):
        raise ValueError("buckets is no list of [index, count]")
    previous = -1
    for bucket in buckets:
        if not (isinstance(bucket, list) and len(bucket) == 2 and all(map(_is_count, bucket)) and bucket[1]):
            raise ValueError(f"bucket {bucket!r}: expected [index, count] of whole numbers, the count above 0")
        place, count = bucket
        if not previous < place < SIZE:
            raise ValueError(f"bucket index {place}: expected ascending ones below {SIZE}")
        counts[place] = count
        previous = place
    return counts


def _consistent(histogram: Histogram, declared: int) -> None:
    count = histogram.count
    if declared != count:
        raise ValueError(f"count is {declared}, but the buckets hold {count}")
    filled = [place for place, held in enumerate(histogram.counts) if held]
    ends = (index(min(histogram.min_us, MAX_US)), index(min(histogram.max_us, MAX_US)))
    if filled and ends != (filled[0], filled[-1]):
        raise ValueError(f"min_us {histogram.min_us} and max_us {histogram.max_us} are not in the first and last bucket")
    if not histogram.min_us * count <= histogram.sum_us <= histogram.max_us * count:
        raise ValueError(f"sum_us {histogram.sum_us} is not between {count} times min_us and max_us")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
