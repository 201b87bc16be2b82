# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at over the time of a soak.

Time is time under load: segments count in the order in which they were driven, one after the other, so that a soak that was interrupted
for a night, or a segment that was driven again at the end, bends no curve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..load import histogram as histograms
from ..load.histogram import Histogram
from ..load.merge import merged
from ..load.reading import CLASSES
from ..load.trend import Trend, trend
from ..rfc3339 import parse_utc
from .profiles import STEADY
from .record import Segment

P95, ERRORS, MEMORY, LAG = "p95_ms", "errors", "memory_bytes", "queue_lag_s"
HOLDS, RISES, UNDECIDED, TOO_SHORT = "pass", "fail", "inconclusive", "too short"
# Memory is judged from here on: caches, pools and arenas fill first, and what fills once is no leak.
SETTLING_SHARE = 0.2
# Samples that follow each other closely say much the same; so many means of them depend on each other less.
_MEANS, _MOST_POINTS = 24, 48


@dataclass(frozen=True)
class Curve:
    """Something over the time of the soak: values at seconds under load, and the most it may rise over ``span_s``, as a share of its mean
    where ``relative``, or by itself. Values before ``settles_s`` are not judged."""

    kind: str
    name: str
    seconds: tuple[float, ...]
    values: tuple[float, ...]
    most: float
    relative: bool
    span_s: float
    settles_s: float = 0.0

    @property
    def judged(self) -> list[tuple[float, float]]:
        """The points from when it has settled."""
        return [(at, value) for at, value in zip(self.seconds, self.values) if at >= self.settles_s]

    @property
    def mean(self) -> float:
        """Of the values that are judged."""
        values = [value for _at, value in self.judged]
        return sum(values) / len(values) if values else 0.0

    def found(self, confidence: float) -> Trend | None:
        """Its trend; None where there are too few points for one."""
        points = thinned(self.judged, _MOST_POINTS)
        return trend([at for at, _value in points], [value for _at, value in points], confidence)

    def rise(self, found: Trend) -> tuple[float, float]:
        """By how much it rises over the soak, at least and at most, in what ``most`` is in; a share by no more than all of it."""
        hours = self.span_s / 3600
        unit = abs(self.mean) if self.relative else 1.0
        low, high = (found.low_per_hour * hours / unit, found.high_per_hour * hours / unit) if unit else (0.0, 0.0)
        if self.kind == ERRORS:
            low, high = (min(max(side, -1.0), 1.0) for side in (low, high))
        return low, high

    def verdict(self, confidence: float) -> str:
        """Whether it surely rises by more than it may, surely does not, or neither can be said."""
        found = self.found(confidence)
        if not found:
            return TOO_SHORT
        low, high = self.rise(found)
        return RISES if low > self.most else HOLDS if high <= self.most else UNDECIDED


def together(segments: Sequence[Segment]) -> list[tuple[Segment, dict[str, Any]]]:
    """The segments in the order in which they were driven, each with one summary of all its generators."""
    whole = [(segment, merged(list(segment.summaries.values()))) for segment in segments]
    return sorted(whole, key=lambda item: parse_utc(item[1]["run"]["started_at"]))


def curves(driven: Sequence[tuple[Segment, Mapping[str, Any]]], segment_s: float, most: Mapping[str, float]) -> list[Curve]:
    """Percentiles of steady phases and the share that failed, by segment; memory and queue lag of each endpoint, by means of samples."""
    span_s = segment_s * len(driven)
    middles = [segment_s * (place + 0.5) for place in range(len(driven))]
    found = []
    for kind in CLASSES:
        points = [(at, p95) for at, (_segment, summary) in zip(middles, driven) if (p95 := steady_p95(summary, kind)) is not None]
        if points:
            found.append(Curve(P95, f"p95 of {kind}", *_columns(points), most[P95], True, span_s))
    failed = [(at, failed_share(summary)) for at, (_segment, summary) in zip(middles, driven)]
    found.append(Curve(ERRORS, "share of requests that fail", *_columns(failed), most[ERRORS], False, span_s))
    for endpoint in dict.fromkeys(sample.endpoint for segment, _summary in driven for sample in segment.samples):
        memory, lag = (_sampled(driven, segment_s, endpoint, name) for name in (MEMORY, LAG))
        if memory:
            settles_s = SETTLING_SHARE * span_s
            points = _means([point for point in memory if point[0] < settles_s]) + _means([one for one in memory if one[0] >= settles_s])
            found.append(Curve(MEMORY, f"resident memory of {endpoint}", *_columns(points), most[MEMORY], True, span_s, settles_s))
        if lag:
            found.append(Curve(LAG, f"queue lag seen by {endpoint}", *_columns(_means(lag)), most[LAG], False, span_s))
    return found


def restarts(segments: Sequence[Segment]) -> list[str]:
    """Endpoints whose process was started anew during the soak; their memory is no curve."""
    starts: dict[str, set[float]] = {}
    for segment in segments:
        for sample in segment.samples:
            if sample.process_start is not None:
                starts.setdefault(sample.endpoint, set()).add(sample.process_start)
    return sorted(endpoint for endpoint, moments in starts.items() if len(moments) > 1)


def unseen(segments: Sequence[Segment]) -> dict[str, list[str]]:
    """Of each endpoint that was to be watched the segments in which it did not answer once."""
    watched = dict.fromkeys(endpoint for segment in segments for endpoint in segment.watched)
    missing = {
        endpoint: [one.plan["name"] for one in segments if all(sample.endpoint != endpoint for sample in one.samples)]
        for endpoint in watched
    }
    return {endpoint: names for endpoint, names in missing.items() if names}


def steady_p95(summary: Mapping[str, Any], kind: str) -> float | None:
    """The p95 of a segment's steady phases together, with what spikes leave behind; bursts are not alike in all segments."""
    phases = summary["classes"].get(kind, {})
    steady = histograms.merged(
        Histogram.from_document(measured["histogram"]) for name, measured in phases.items() if name.startswith(STEADY)
    )
    return steady.percentile(0.95) / 1000 if steady.count else None


def failed_share(summary: Mapping[str, Any]) -> float:
    """The share of a segment's requests that failed."""
    counted = [one for phases in summary["classes"].values() for one in phases.values()]
    requests = sum(one["count"] for one in counted)
    return sum(one["count"] - one["ok"] for one in counted) / requests if requests else 0.0


def thinned(points: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """At most so many points, each the mean of as many that follow each other."""
    size = max(1, -(-len(points) // most))
    groups = [points[place : place + size] for place in range(0, len(points), size)]
    return [(sum(at for at, _value in group) / len(group), sum(value for _at, value in group) / len(group)) for group in groups]


def _means(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return thinned(points, _MEANS)


def _sampled(driven: Sequence[tuple[Segment, Mapping[str, Any]]], segment_s: float, endpoint: str, name: str) -> list[tuple[float, float]]:
    """What was sampled of an endpoint, at seconds under load; by the clock of the host that sampled, which may be no generator."""
    points = []
    for place, (segment, _summary) in enumerate(driven):
        begins = min((sample.at for sample in segment.samples), default=0.0)
        values = [(sample.at - begins, getattr(sample, name)) for sample in segment.samples if sample.endpoint == endpoint]
        points += [(place * segment_s + min(at, segment_s), float(value)) for at, value in values if value is not None]
    return points


def _columns(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(at for at, _value in points), tuple(float(value) for _at, value in points)
