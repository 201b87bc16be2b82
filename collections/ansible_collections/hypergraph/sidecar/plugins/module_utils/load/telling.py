# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report needs of a ``load-summary-1`` document, small enough to be evidence of a verdict.

A verdict's redaction cuts lists and mappings at ``MAX_ITEMS``; what is told here it leaves whole: long series become wider slots, and all
series stand in rows of so many.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from ..redaction import MAX_ITEMS
from .histogram import rank_of, value_at

MAX_POINTS = 240
# From the median on by eighths of a decade of what is beyond: 50 %, 58 %, ..., 90 %, ..., 99 %, ..., 99.999 %; and the p95.
_QUANTILES = sorted({0.5, 0.95, *(1 - 10 ** (-eighth / 8) for eighth in range(3, 41))})
_SUMS, _WORSTS = ("count", "exceeding", "errors"), ("p50_ms", "p95_ms")
_TOLD_OF_GENERATOR = ("host", "python", "loop", "parser", "cpu_share", "clock_offset_ms", "clock_uncertainty_ms", "healthy", "problems")

Numbers = Sequence[Optional[float]]


def told(summary: Mapping[str, Any], quantile: float = 0.95) -> dict[str, Any]:
    """The summary with a latency curve for each histogram, and each series as at most ``MAX_POINTS`` slots.

    ``quantile`` is the one that ``slo_ms`` limits. Of a point of a merged slot, counts are sums and latencies those of the worst neighbour.
    A curve has (quantile, milliseconds) as far as there are answers beyond the quantile; the slowest of n ends it at 1 - 1/2n. Of more than
    ``MAX_ITEMS`` phases those with the largest share of exceeding requests are kept, of more generators those with problems first.
    """
    run, plan = summary["run"], summary["plan"]
    phases = _worst_phases(summary)
    generators = sorted(summary["generators"], key=lambda generator: bool(generator["healthy"]))[:MAX_ITEMS]
    return {
        "run": {name: run[name] for name in ("id", "started_at", "duration_s", "interrupted")},
        "plan": {name: plan[name] for name in ("model", "concurrency", "rate_per_s", "attach_rate", "granularity")},
        "quantile": quantile,
        "slo_ms": dict(plan["slo_ms"]),
        "phases": [
            {name: phase[name] for name in ("name", "kind", "starts_s", "duration_s", "rate_per_s", "windows") if name in phase}
            for phase in plan["phases"]
            if phase["name"] in phases
        ],
        "phases_left_out": len(plan["phases"]) - len(phases),
        "classes": {
            name: {phase: _measured(measured) for phase, measured in by_phase.items() if phase in phases}
            for name, by_phase in summary["classes"].items()
        },
        "series": {name: _series(series) for name, series in summary["series"].items()},
        "traces": dict(summary["traces"]),
        "offered": {name: _plain(value) for name, value in summary["offered"].items()},
        "generators": [_generator(generator) for generator in generators],
        "generators_left_out": len(summary["generators"]) - len(generators),
    }


def packed(items: Sequence[Any]) -> list[Sequence[Any]]:
    """The items in lists of ``MAX_ITEMS``, for evidence such as ``judged`` that may be longer than redaction leaves a list."""
    return [items[place : place + MAX_ITEMS] for place in range(0, len(items), MAX_ITEMS)]


def _worst_phases(summary: Mapping[str, Any]) -> set[str]:
    """Names of the phases to tell of."""
    names = [phase["name"] for phase in summary["plan"]["phases"]]

    def share(name: str) -> float:
        seen = [by_phase[name] for by_phase in summary["classes"].values() if name in by_phase]
        return max((measured["exceeding"] / measured["count"] for measured in seen if measured["count"]), default=0.0)

    return set(sorted(names, key=share, reverse=True)[:MAX_ITEMS])


def _measured(measured: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: measured[name] for name in ("count", "ok", "exceeding", "censored")}
    return {
        **counts,
        "errors": dict(measured["errors"]),
        "latency_ms": _plain(measured["latency_ms"]),
        "intervals_ms": _plain(measured["intervals_ms"]),
        "curve": _curve(measured["histogram"]),
    }


def _curve(histogram: Mapping[str, Any]) -> list[list[float]]:
    """Points (quantile, milliseconds) of a histogram's document, which is sparse: to fill it in would cost more than all the rest."""
    count, slowest = histogram["count"], histogram["max_us"]
    if not count:
        return []
    wanted = [quantile for quantile in _QUANTILES if quantile <= 1 - 1 / count][: MAX_ITEMS - 1]
    points, buckets = [], iter(histogram["buckets"])
    index, passed = next(buckets)
    for quantile in wanted:
        rank = rank_of(quantile, count)
        while passed < rank:
            index, more = next(buckets)
            passed += more
        points.append([round(quantile, 7), min(value_at(index), slowest) / 1000])
    return [*points, [round(1 - 1 / (2 * count), 7), slowest / 1000]]


def _series(series: Mapping[str, Any]) -> dict[str, Any]:
    slots = max(len(series[name]) for name in (*_SUMS, *_WORSTS))
    merged = max(1, math.ceil(slots / MAX_POINTS))
    columns: dict[str, list[Any]] = {name: [sum(filter(None, group)) for group in _groups(series[name], merged)] for name in _SUMS}
    columns.update({name: [_worst(group) for group in _groups(series[name], merged)] for name in _WORSTS})
    rows = {name: packed(column) for name, column in columns.items()}
    return {"width_s": series["width_s"] * merged, "merged": merged, "starts_s": series["starts_s"], **rows}


def _groups(column: Numbers, size: int) -> Iterable[Numbers]:
    return (column[place : place + size] for place in range(0, len(column), size))


def _worst(group: Numbers) -> float | None:
    return max((value for value in group if value is not None and math.isfinite(value)), default=None)


def _generator(generator: Mapping[str, Any]) -> dict[str, Any]:
    lag = generator["loop_lag_ms"]
    return {**{name: generator.get(name) for name in _TOLD_OF_GENERATOR}, "loop_lag_ms": _plain(lag)}


def _plain(value: Any) -> Any:
    """The value with None for numbers that are none: JSON has no word for them."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
