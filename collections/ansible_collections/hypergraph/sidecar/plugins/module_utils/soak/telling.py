# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A soak in documents: ``soak_summary.json`` has all of it, the verdict's evidence what a report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..load.reading import CLASSES
from ..load.telling import packed
from .curves import MEMORY, Curve, failed_share, steady_p95, thinned
from .record import Segment

# So many points draw a curve, and so many segments fill a table; of more segments every so manieth is told, and all that are not whole.
MAX_POINTS, MAX_SEGMENTS = 240, 240

Driven = Sequence[tuple[Segment, Mapping[str, Any]]]


def document(
    plan: Mapping[str, Any], segments: Sequence[Segment], driven: Driven, found: Sequence[Curve], confidence: float
) -> dict[str, Any]:
    """The soak as ``soak_summary.json`` has it (schema soak-summary-1)."""
    return {
        "schema": "soak-summary-1",
        "soak": {name: plan[name] for name in ("id", "environment", "profile", "rate_per_s", "segment_seconds", "generators")},
        "segments": _rows(segments, driven),
        "trends": [
            {
                "kind": curve.kind,
                "name": curve.name,
                "most": curve.most,
                "points": len(curve.judged),
                "trend": asdict(known) if (known := curve.found(confidence)) else None,
            }
            for curve in found
        ],
    }


def evidence(
    plan: Mapping[str, Any],
    segments: Sequence[Segment],
    driven: Driven,
    found: Sequence[Curve],
    judged: Sequence[Curve],
    confidence: float,
) -> dict[str, Any]:
    """The soak as a report shows it; lists are ``packed``, so that redaction leaves them whole.

    A curve has its points, those from ``settles_s`` on being judged, and the fitted line as ``mean`` at ``middle_s`` with a slope per hour
    and its interval, which are None where there are too few points. Those that are not among the judged ones say so.
    """
    rows = [{name: value for name, value in row.items() if name != "summaries"} for row in _rows(segments, driven)]
    every = -(-len(rows) // MAX_SEGMENTS)
    told = [row for place, row in enumerate(rows) if place % every == 0 or row["problem"]][: 2 * MAX_SEGMENTS]
    return {
        **{name: plan[name] for name in ("id", "profile", "rate_per_s", "segment_seconds")},
        "generators": packed(plan["generators"]),
        "segments": packed(told),
        "segments_left_out": len(rows) - len(told),
        "curves": packed([_curve(curve, confidence, curve in judged) for curve in found]),
    }


def _curve(curve: Curve, confidence: float, is_judged: bool) -> dict[str, Any]:
    known, points = curve.found(confidence), thinned(list(zip(curve.seconds, curve.values)), MAX_POINTS)
    low, high = curve.rise(known) if known else (None, None)
    settled = curve.judged
    return {
        "kind": curve.kind,
        "name": curve.name,
        "seconds": packed([round(at, 3) for at, _value in points]),
        "values": packed([value for _at, value in points]),
        "span_s": curve.span_s,
        "settles_s": curve.settles_s,
        "most": curve.most,
        "relative": curve.relative,
        "mean": curve.mean,
        "middle_s": sum(at for at, _value in settled) / len(settled) if settled else 0.0,
        "slope_per_hour": [known.slope_per_hour, known.low_per_hour, known.high_per_hour] if known else None,
        "rise": [low, high],
        "verdict": curve.verdict(confidence) if is_judged else "not judged",
    }


def _rows(segments: Sequence[Segment], driven: Driven) -> list[dict[str, Any]]:
    summaries = {segment.plan["name"]: summary for segment, summary in driven}
    return [
        {
            "name": segment.plan["name"],
            "attach_rate": segment.plan["attach_rate"],
            "problem": segment.problem or None,
            **(_measured(segment, summaries[segment.plan["name"]]) if segment.whole else {}),
        }
        for segment in segments
    ]


def _measured(segment: Segment, summary: Mapping[str, Any]) -> dict[str, Any]:
    memory = {sample.endpoint: sample.memory_bytes for sample in segment.samples if sample.memory_bytes is not None}
    return {
        "summaries": [f"{segment.plan['name']}/{host}.json" for host in segment.summaries],
        "started_at": summary["run"]["started_at"],
        "requests": sum(one["count"] for phases in summary["classes"].values() for one in phases.values()),
        "failed_share": failed_share(summary),
        "steady_p95_ms": {kind: p95 for kind in CLASSES if (p95 := steady_p95(summary, kind)) is not None},
        MEMORY: memory,
        "queue_lag_s": max((sample.queue_lag_s for sample in segment.samples if sample.queue_lag_s is not None), default=None),
        "queue_depth": max((sample.queue_depth for sample in segment.samples if sample.queue_depth is not None), default=None),
        "samples": len(segment.samples),
    }
