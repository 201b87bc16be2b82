# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a soak: every objective over the whole of it, and whether anything grew that should not.

Objectives are judged as those of one load run are (``load.slo``): a class passes on all segments together, and may fail in one of them.
A trend fails where the rise is surely more than the most it may be, passes where it surely is not, and is undecided between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..load.dependence import Batches
from ..load.exceedance import FAIL, PASS, Judgement, Rule, judge
from ..load.merge import merged
from ..load.reading import CLASSES
from ..load.slo import asked, batches_of
from ..load.trend import MIN_POINTS, Trend, trend
from ..rfc3339 import parse_utc
from ..verdict import Verdict
from .profiles import STEADY
from .record import Segment

P95, ERRORS, MEMORY, LAG = "p95_ms", "errors", "memory_bytes", "queue_lag_s"
_CODES = {P95: "soak-p95-rises", ERRORS: "soak-errors-rise", MEMORY: "soak-memory-rises", LAG: "soak-queue-rises"}
_ACTIONS = {
    P95: "See what fills up: caches without bound, tables without index, connections that are not given back.",
    ERRORS: "See the errors by class and time; what fails more and more often is running out of something.",
    MEMORY: "Find the leak before it is found by the OOM killer: compare heaps an hour apart under the same load.",
    LAG: "Explanations are asked for faster than they are made; see autoscaling and capacity_attach_rate.",
}


@dataclass(frozen=True)
class Curve:
    """Something over the time of the soak: values at seconds since its start, and the most it may rise, as a share of its mean or, for a
    share or a time, by itself."""

    kind: str
    name: str
    seconds: tuple[float, ...]
    values: tuple[float, ...]
    most: float
    relative: bool

    def found(self, confidence: float) -> Trend | None:
        """Its trend; None where there are too few points for one."""
        return trend(self.seconds, self.values, confidence)

    def rise(self, found: Trend) -> tuple[float, float]:
        """By how much it rises over the soak, at least and at most, in what ``most`` is in."""
        if self.relative:
            return found.change_low or 0.0, found.change_high or 0.0
        hours = (max(self.seconds) - min(self.seconds)) / 3600
        return found.low_per_hour * hours, found.high_per_hour * hours


def together(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """One summary a segment, of all its generators."""
    return [merged(list(segment.summaries.values())) for segment in segments]


def judge_objectives(verdict: Verdict, summaries: Sequence[Mapping[str, Any]], rule: Rule) -> None:
    """Each class over all segments, and each segment for itself."""
    parts = {kind: [one for summary in summaries if (one := _batches(summary, kind)).tries] for kind in CLASSES}
    tests = sum(1 + len(batches) for batches in parts.values() if batches)
    each = replace(rule, fail_alpha=rule.fail_alpha / max(tests, 1))
    for kind, batches in parts.items():
        if batches:
            _judge_class(verdict, kind, summaries[0]["plan"]["slo_ms"][kind], batches, each)
    verdict.examine("requests", sum(one.tries for batches in parts.values() for one in batches))


def _judge_class(verdict: Verdict, kind: str, slo_ms: float, batches: Sequence[Batches], rule: Rule) -> None:
    width = max(one.width_s for one in batches)
    whole = judge(Batches(width, tuple(c for one in batches for c in one.count), tuple(e for one in batches for e in one.exceeding)), rule)
    failing = [(place + 1, found) for place, found in enumerate(judge(one, rule) for one in batches) if found.verdict == FAIL]
    share = f"{rule.limit * 100:.3g}%"
    name = f"{kind} over the whole soak: at most {share} take longer than {slo_ms:g} ms or fail"
    if failing and whole.verdict != FAIL:
        number, worst = max(failing, key=lambda item: item[1].rate)
        verdict.expect(
            f"{name}, in every segment",
            False,
            expected=f"at most {share}",
            observed=f"{_told(worst)} in segment {number}; {len(failing)} of {len(batches)} segments fail",
            reason_code="slo-broken-in-segment",
            action="See what happened in that segment: the whole soak hides it.",
        )
    elif whole.verdict in (PASS, FAIL):
        verdict.expect(
            name,
            whole.verdict == PASS,
            expected=f"at most {share}",
            observed=_told(whole),
            reason_code="slo-broken",
            action="Find what is slow or failing in that class: the summaries have its latencies and errors over time.",
        )
    else:
        verdict.inconclusive("too-few-samples", f"{name}: {_told(whole)}", "Soak for longer, or at a higher rate.")


def _told(found: Judgement) -> str:
    return f"{found.rate:.2%} of {found.tries}, surely between {found.low:.2%} and {found.high:.2%}"


def curves(segments: Sequence[Segment], summaries: Sequence[Mapping[str, Any]], most: Mapping[str, float]) -> list[Curve]:
    """What is looked at over time: percentiles of steady phases and the share that failed, by segment; memory and queue lag, by sample."""
    begins = [parse_utc(summary["run"]["started_at"]).timestamp() for summary in summaries]
    since = [begin - begins[0] for begin in begins]
    found = []
    for kind in CLASSES:
        points = [(at, p95) for at, summary in zip(since, summaries) if (p95 := _steady_p95(summary, kind)) is not None]
        if points:
            found.append(_curve(P95, f"p95 of {kind}", points, most[P95], relative=True))
    failed = [(at, _failed(summary)) for at, summary in zip(since, summaries)]
    found.append(_curve(ERRORS, "share of requests that fail", failed, most[ERRORS], relative=False))
    samples = [sample for segment in segments for sample in segment.samples]
    for endpoint in dict.fromkeys(sample.endpoint for sample in samples):
        own = [(sample.at - begins[0], sample) for sample in samples if sample.endpoint == endpoint]
        memory = [(at, sample.memory_bytes) for at, sample in own if sample.memory_bytes is not None]
        lag = [(at, sample.queue_lag_s) for at, sample in own if sample.queue_lag_s is not None]
        if memory:
            found.append(_curve(MEMORY, f"resident memory of {endpoint}", memory, most[MEMORY], relative=True))
        if lag:
            found.append(_curve(LAG, f"queue lag seen by {endpoint}", lag, most[LAG], relative=False))
    return found


def judge_trends(verdict: Verdict, found: Sequence[Curve], confidence: float) -> None:
    """Whether anything rises by more than it may."""
    short = [curve.name for curve in found if curve.found(confidence) is None]
    if short:
        verdict.need(
            f"points of {', '.join(short)}", MIN_POINTS, min(len(curve.values) for curve in found), action="Soak for more segments."
        )
    for curve in found:
        known = curve.found(confidence)
        if known:
            _judge_trend(verdict, curve, *curve.rise(known))
    verdict.examine("curves", len(found) - len(short))


def _judge_trend(verdict: Verdict, curve: Curve, low: float, high: float) -> None:
    def shown(value: float) -> str:
        return f"{value:+.3g} s" if curve.kind == LAG else f"{value:+.1%}"

    name = f"{curve.name} does not rise by more than {shown(curve.most).lstrip('+')} over the soak"
    observed = f"between {shown(low)} and {shown(high)}, from {len(curve.values)} points"
    if low <= curve.most < high:
        verdict.inconclusive("trend-undecided", f"{name}: {observed}", "Soak for longer: the interval narrows with time.")
        return
    verdict.expect(
        name,
        high <= curve.most,
        expected=f"at most {shown(curve.most)}",
        observed=observed,
        reason_code=_CODES[curve.kind],
        action=_ACTIONS[curve.kind],
    )


def restarts(segments: Sequence[Segment]) -> list[str]:
    """Endpoints whose process was started anew during the soak; their memory is no curve."""
    starts: dict[str, set[float]] = {}
    for segment in segments:
        for sample in segment.samples:
            if sample.process_start is not None:
                starts.setdefault(sample.endpoint, set()).add(sample.process_start)
    return sorted(endpoint for endpoint, moments in starts.items() if len(moments) > 1)


def document(
    plan: Mapping[str, Any], segments: Sequence[Segment], summaries: Sequence[Mapping[str, Any]], found: Sequence[Curve], confidence: float
) -> dict[str, Any]:
    """The soak as ``soak_summary.json`` has it (schema soak-summary-1)."""
    rows = iter(summaries)
    return {
        "schema": "soak-summary-1",
        "soak": {name: plan[name] for name in ("id", "environment", "profile", "rate_per_s", "segment_seconds", "generators")},
        "segments": [
            {
                "name": segment.plan["name"],
                "attach_rate": segment.plan["attach_rate"],
                "problem": segment.problem or None,
                **(_row(segment, next(rows)) if segment.whole else {}),
            }
            for segment in segments
        ],
        "trends": [
            {
                "kind": curve.kind,
                "name": curve.name,
                "most": curve.most,
                "points": len(curve.values),
                "trend": asdict(known) if (known := curve.found(confidence)) else None,
            }
            for curve in found
        ],
    }


def _row(segment: Segment, summary: Mapping[str, Any]) -> dict[str, Any]:
    memory = {sample.endpoint: sample.memory_bytes for sample in segment.samples if sample.memory_bytes is not None}
    return {
        "summaries": [f"{segment.plan['name']}/{host}.json" for host in segment.summaries],
        "started_at": summary["run"]["started_at"],
        "requests": sum(one["count"] for phases in summary["classes"].values() for one in phases.values()),
        "failed_share": _failed(summary),
        "steady_p95_ms": {kind: p95 for kind in CLASSES if (p95 := _steady_p95(summary, kind)) is not None},
        "memory_bytes": memory,
        "queue_lag_s": max((sample.queue_lag_s for sample in segment.samples if sample.queue_lag_s is not None), default=None),
        "queue_depth": max((sample.queue_depth for sample in segment.samples if sample.queue_depth is not None), default=None),
        "samples": len(segment.samples),
    }


def _curve(kind: str, name: str, points: Sequence[tuple[float, float]], most: float, *, relative: bool) -> Curve:
    return Curve(kind, name, tuple(at for at, _value in points), tuple(float(value) for _at, value in points), most, relative)


def _batches(summary: Mapping[str, Any], kind: str) -> Batches:
    phases = [name for name in asked(summary["plan"]).get(kind, []) if name in summary["classes"].get(kind, {})]
    slots = [batches_of(summary["classes"][kind][name]) for name in phases]
    return Batches(
        max((one.width_s for one in slots), default=1.0),
        tuple(count for one in slots for count in one.count),
        tuple(count for one in slots for count in one.exceeding),
    )


def _steady_p95(summary: Mapping[str, Any], kind: str) -> float | None:
    """The p95 of the segment's first steady phase: spikes and bursts are not alike in all segments."""
    for name, measured in summary["classes"].get(kind, {}).items():
        if name.startswith(STEADY):
            p95: float | None = measured["latency_ms"]["p95"]
            return p95
    return None


def _failed(summary: Mapping[str, Any]) -> float:
    counted = [one for phases in summary["classes"].values() for one in phases.values()]
    requests = sum(one["count"] for one in counted)
    return sum(one["count"] - one["ok"] for one in counted) / requests if requests else 0.0
