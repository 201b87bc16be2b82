# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A soak as a part's evidence has it (``soak.telling.evidence``): for reading, for tables, and for plotting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .evidence import known, number, numbers, rows, signed

EVIDENCE = "soak"
P95, ERRORS, MEMORY, LAG = "p95_ms", "errors", "memory_bytes", "queue_lag_s"
# So many rows are told at once; of more, those that are not whole, the first and the last.
_ROWS = 24


@dataclass(frozen=True)
class Segment:
    """A segment; what was measured is empty or None where it is not whole, which ``problem`` says."""

    name: str
    attach_rate: float
    problem: str
    requests: float | None
    failed_share: float | None
    p95_ms: Mapping[str, float]
    memory_bytes: Mapping[str, float]
    queue_lag_s: float | None
    queue_depth: float | None


@dataclass(frozen=True)
class Slope:
    """The fitted line: its value at ``middle_s``, and its slope per second with its interval."""

    middle_s: float
    mean: float
    slope: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """Values at seconds under load. ``most`` and ``rise`` are shares of the mean where ``relative``, else in what the values are in."""

    kind: str
    name: str
    seconds: tuple[float, ...]
    values: tuple[float, ...]
    span_s: float
    settles_s: float
    most: float
    relative: bool
    fitted: Slope | None
    rise: tuple[float, float] | None
    verdict: str

    @property
    def allowed(self) -> float | None:
        """The slope per second that it may have at most."""
        if self.fitted is None:
            return None
        return self.most * (self.fitted.mean if self.relative else 1.0) / self.span_s


@dataclass(frozen=True)
class SoakRun:
    """All of it."""

    id: str
    profile: str
    rate_per_s: float
    segment_s: float
    generators: tuple[str, ...]
    segments: tuple[Segment, ...]
    segments_left_out: int
    curves: tuple[Curve, ...]

    @property
    def broken(self) -> int:
        """How many of the segments told are not whole."""
        return sum(bool(segment.problem) for segment in self.segments)

    @property
    def highlights(self) -> list[Segment]:
        """What to tell first: all, or where that is too much those that are not whole, the first and the last."""
        if len(self.segments) <= _ROWS:
            return list(self.segments)
        ends = (*self.segments[:6], *self.segments[-6:])
        return [segment for segment in self.segments if segment in ends or segment.problem][:_ROWS]

    @property
    def classes(self) -> list[str]:
        """The classes that any segment measured."""
        return list(dict.fromkeys(name for segment in self.segments for name in segment.p95_ms))

    @property
    def services(self) -> list[str]:
        """The services whose memory any segment sampled."""
        return list(dict.fromkeys(name for segment in self.segments for name in segment.memory_bytes))


def soak_run(part: Mapping[str, Any]) -> SoakRun | None:
    """The soak in a part's evidence; None where there is none, or where it is not of this shape."""
    told = part["evidence"].get(EVIDENCE)
    if not isinstance(told, Mapping):
        return None
    try:
        return _soak_run(told)
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def _soak_run(told: Mapping[str, Any]) -> SoakRun:
    return SoakRun(
        str(told["id"]),
        str(told["profile"]),
        number(told["rate_per_s"]),
        number(told["segment_seconds"]),
        tuple(map(str, _flat(told["generators"]))),
        tuple(map(_segment, rows(told["segments"]))),
        int(number(told["segments_left_out"])),
        tuple(map(_curve, rows(told["curves"]))),
    )


def _segment(row: Mapping[str, Any]) -> Segment:
    return Segment(
        str(row["name"]),
        number(row["attach_rate"]),
        str(row["problem"] or ""),
        known(row.get("requests")),
        known(row.get("failed_share")),
        _numbers_by_name(row.get("steady_p95_ms", {})),
        _numbers_by_name(row.get("memory_bytes", {})),
        known(row.get("queue_lag_s")),
        known(row.get("queue_depth")),
    )


def _curve(row: Mapping[str, Any]) -> Curve:
    seconds, values = numbers(_flat(row["seconds"])), numbers(_flat(row["values"]))
    span_s, settles_s, most = numbers(row[name] for name in ("span_s", "settles_s", "most"))
    if len(seconds) != len(values) or not span_s or row["kind"] not in (P95, ERRORS, MEMORY, LAG):
        raise ValueError("a curve of an unknown kind, of no time, or of columns that differ in length")
    low, high = map(signed, row["rise"])
    rise = None if low is None or high is None else (low, high)
    return Curve(
        str(row["kind"]),
        str(row["name"]),
        seconds,
        values,
        span_s,
        settles_s,
        most,
        row["relative"] is True,
        _slope(row),
        rise,
        str(row["verdict"]),
    )


def _slope(row: Mapping[str, Any]) -> Slope | None:
    if row["slope_per_hour"] is None:
        return None
    per_second = [None if (value := signed(told)) is None else value / 3600 for told in row["slope_per_hour"]]
    slope, low, high = per_second
    if slope is None or low is None or high is None:
        return None
    return Slope(number(row["middle_s"]), number(row["mean"]), slope, low, high)


def _numbers_by_name(told: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): value for name, given in told.items() if (value := known(given)) is not None}


def _flat(packs: Any) -> Iterator[Any]:
    """What is in lists of a list."""
    return (value for pack in packs for value in (pack if isinstance(pack, list) else [pack]))
