# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is counted of a class of requests in a phase, and of a class over the whole run. Constant memory, however long it lasts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from .histogram import LINEAR_BITS, SIGNIFICANT_BITS, SIZE, Histogram, value_at
from .percentiles import Percentiles

# An hour in steps of a second; longer runs have wider steps.
MAX_POINTS = 3600
QUANTILES = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999))
# Of the histogram's buckets, so many in a row are one for the series: relative width 1/32.
SERIES_SHIFT = 5


class Folded:
    """Counts per time slot, in columns of at most ``MAX_POINTS``: then neighbours merge, and slots are twice as wide."""

    def __init__(self, columns: int) -> None:
        self.columns: list[list[int]] = [[] for _column in range(columns)]
        self.width_s = 1
        self._filled = 0

    @property
    def slot_is_whole(self) -> bool:
        """Whether the next second begins a slot."""
        return self._filled == 0

    def add(self, *counts: int) -> bool:
        """Add a second's counts, one a column. Whether neighbours were merged by that."""
        fresh = self.slot_is_whole
        for column, count in zip(self.columns, counts):
            if fresh:
                column.append(count)
            else:
                column[-1] += count
        self._filled = (self._filled + 1) % self.width_s
        if self._filled or len(self.columns[0]) < MAX_POINTS:
            return False
        self.columns = [[sum(column[place : place + 2]) for place in range(0, len(column), 2)] for column in self.columns]
        self.width_s *= 2
        return True

    def emptied(self) -> Folded:
        """One of the same slots without counts."""
        made = Folded(len(self.columns))
        made.columns = [[0] * len(column) for column in self.columns]
        made.width_s, made._filled = self.width_s, self._filled
        return made

    def add_to_last(self, *counts: int) -> None:
        """Add counts to the slot there is."""
        for column, count in zip(self.columns, counts):
            column[-1] += count


class Measured:
    """A class of requests in one phase. ``slo_us`` is what an answer may take.

    ``good`` takes the latency of a good answer in microseconds, at the price of a list's append: it is called for every one of them. What
    it took is counted when ``digest`` is called, as it must be before anything is read, and ten times a second anyway.
    """

    __slots__ = (
        "_batched",
        "_document",
        "_documented",
        "_fresh",
        "batches",
        "censored",
        "errors",
        "exceeding",
        "good",
        "histogram",
        "ok",
        "phase",
        "series",
        "slo_us",
    )

    def __init__(self, phase: str, slo_us: int, series: Series) -> None:
        self.phase = phase
        self.slo_us = slo_us
        self.series = series
        self.histogram = Histogram()
        self._fresh: list[int] = []
        self.good = self._fresh.append
        self.ok = 0
        # Good ones that were too slow; errors come on top.
        self.exceeding = 0
        self.censored = 0
        self.errors: defaultdict[str, int] = defaultdict(int)
        self.batches = Folded(2)
        self._batched = (0, 0)
        self._document: dict[str, Any] | None = None
        self._documented = (0, 0, 0, False)

    def digest(self) -> None:
        """Count what was taken since the last time."""
        fresh = self._fresh
        if not fresh:
            return
        slo_us, counts, window = self.slo_us, self.histogram.counts, self.series.window
        exceeding = 0
        for latency in fresh:
            # histogram.index, without the call: that takes half of the time.
            shift = latency.bit_length() - LINEAR_BITS
            place = (shift << SIGNIFICANT_BITS) + (latency >> shift) if shift > 0 else latency
            counts[place] += 1
            window[place >> SERIES_SHIFT] += 1
            if latency > slo_us:
                exceeding += 1
        self.exceeding += exceeding
        self.ok += len(fresh)
        self.histogram.extend(min(fresh), max(fresh), sum(fresh))
        fresh.clear()

    def bad(self, error: str) -> None:
        """Add a failed one. Of a timeout no more is known than that it would have taken longer."""
        self.errors[error] += 1
        if error in ("timeout", "unfinished"):
            self.censored += 1

    def seen(self) -> tuple[int, int, int]:
        """How many were counted: all, exceeding, failed."""
        failed = self.failed
        return self.ok + failed, self.exceeding + failed, failed

    @property
    def failed(self) -> int:
        """How many failed."""
        return sum(self.errors.values())

    def second_over(self, current: bool) -> None:
        """Close a second: it is a batch of its own, unless the phase is over and these are its stragglers."""
        self.digest()
        seen = self.seen()[:2]
        new = (seen[0] - self._batched[0], seen[1] - self._batched[1])
        self._batched = seen
        if current or not self.batches.columns[0]:
            self.batches.add(*new)
        elif any(new):
            self.batches.add_to_last(*new)

    def document(self, final: bool = True) -> dict[str, Any]:
        """As in the summary: latencies in milliseconds, of good ones. Nothing is computed anew where nothing was counted since.

        One that is not final has no intervals, which take too long to be computed while requests wait.
        """
        self.digest()
        seen = self.seen()
        if self._document is None or self._documented != (*seen, final):
            self._document, self._documented = self._make_document(seen, final), (*seen, final)
        return self._document

    def _make_document(self, seen: tuple[int, int, int], final: bool) -> dict[str, Any]:
        counted = self.batches.columns
        rest = (seen[0] - self._batched[0], seen[1] - self._batched[1])
        if not counted[0]:
            counted = [[value] for value in rest]
        elif any(rest):
            counted = [[*column[:-1], column[-1] + value] for column, value in zip(counted, rest)]
        percentiles = Percentiles(self.histogram) if self.ok else None
        latencies = {name: percentiles.at(quantile) if percentiles else None for name, quantile in QUANTILES}
        return {
            "count": seen[0],
            "ok": self.ok,
            "errors": dict(self.errors),
            "exceeding": seen[1],
            "batches": {"width_s": float(self.batches.width_s), "count": list(counted[0]), "exceeding": list(counted[1])},
            "latency_ms": {
                **latencies,
                "mean": round(self.histogram.sum_us / self.ok / 1000, 6) if percentiles else None,
                "max": self.histogram.max_us / 1000 if percentiles else None,
            },
            "intervals_ms": {name: percentiles.interval(quantile) if percentiles and final else None for name, quantile in QUANTILES[:3]},
            "histogram": self.histogram.to_document(),
            "censored": self.censored,
        }


class Series:
    """A class over the whole run, second by second, with the distribution of each second in coarse buckets."""

    def __init__(self) -> None:
        self.window = [0] * ((SIZE >> SERIES_SHIFT) + 1)
        self.counts = Folded(3)
        self._distributions: list[dict[int, int]] = []
        self._before = (0, 0, 0)

    @classmethod
    def beside(cls, other: Series) -> Series:
        """An empty one, of as many slots as another, and as wide."""
        made = cls()
        made.counts = other.counts.emptied()
        made._distributions = [{} for _slot in made.counts.columns[0]]
        return made

    def second_over(self, seen: tuple[int, int, int]) -> None:
        """Close a second, by the end of which so many were counted since the beginning: all, exceeding, failed."""
        fresh = self.counts.slot_is_whole
        merged = self.counts.add(*(now - before for now, before in zip(seen, self._before)))
        self._before = seen
        distribution = {place: count for place, count in enumerate(self.window) if count}
        if distribution:
            self.window = [0] * len(self.window)
        if fresh:
            self._distributions.append(distribution)
        else:
            _add(self._distributions[-1], distribution)
        if merged:
            halves = self._distributions
            for place in range(0, len(halves) - 1, 2):
                _add(halves[place], halves[place + 1])
            self._distributions = halves[::2]

    def last_p95_ms(self) -> float | None:
        """The 95th percentile of the last slot in milliseconds; None where nothing good ended in it."""
        return _percentile_ms(self._distributions[-1], 0.95) if self._distributions else None

    def document(self) -> dict[str, Any]:
        """As in the summary."""
        counts, exceeding, errors = self.counts.columns
        return {
            "width_s": float(self.counts.width_s),
            "starts_s": 0.0,
            "count": list(counts),
            "exceeding": list(exceeding),
            "errors": list(errors),
            "p50_ms": [_percentile_ms(distribution, 0.5) for distribution in self._distributions],
            "p95_ms": [_percentile_ms(distribution, 0.95) for distribution in self._distributions],
        }


def _add(into: dict[int, int], counts: Mapping[int, int]) -> None:
    for place, count in counts.items():
        into[place] = into.get(place, 0) + count


def _percentile_ms(distribution: Mapping[int, int], quantile: float) -> float | None:
    wanted = quantile * sum(distribution.values())
    passed = 0
    for place in sorted(distribution):
        passed += distribution[place]
        if passed >= wanted:
            return _upper_ms(place)
    return None


def _upper_ms(place: int) -> float:
    """The highest latency that falls into a coarse bucket, in milliseconds."""
    return value_at((place << SERIES_SHIFT) + (1 << SERIES_SHIFT) - 1) / 1000
