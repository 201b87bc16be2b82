# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds a run to an earlier one of the same environment: how much each class's percentile changed in each phase."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..verdict import Verdict
from .comparison import Change, Sample, compare
from .histogram import Histogram
from .slo import asked, batches_of
from .telling import packed

# What has to be alike in both runs, or the percentiles differ for reasons of the load.
_ALIKE = ("model", "arrivals", "concurrency", "rate_per_s", "attach_rate", "granularity", "featureset", "chat_model", "prompts", "stream")
_PHASE_ALIKE = ("name", "kind", "duration_s", "rate_per_s", "concurrency", "attach_rate", "granularity")


def hold(
    verdict: Verdict,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    kinds: Iterable[str],
    *,
    quantile: float,
    confidence: float,
    max_regression: float,
) -> None:
    """Assert, per class and phase, that the percentile did not rise by more than ``max_regression`` (0.2 is 20 %)."""
    if not _comparable(verdict, before, after):
        return
    phases = asked(after["plan"])
    runs = {"the baseline": before, "this run": after}
    pairs = []
    for kind in kinds:
        for phase in phases.get(kind, []):
            lacking = [name for name, summary in runs.items() if phase not in summary["classes"].get(kind, {})]
            if lacking:
                _undecided(verdict, f"{kind} in {phase}: {' and '.join(lacking)} has none")
            else:
                pairs.append((kind, phase))
    strict = 1 - (1 - confidence) / max(len(pairs), 1)
    rows = []
    for kind, phase in pairs:
        samples = [sample_of(summary, kind, phase) for summary in (before, after)]
        change = compare(samples[0], samples[1], quantile, confidence)
        if change is None:
            _undecided(verdict, f"{kind} in {phase}: the baseline has no {_name(quantile)}")
            continue
        rows.append(_row(kind, phase, quantile, change))
        held = compare(samples[0], samples[1], quantile, strict)
        _judge(verdict, f"{kind} in {phase}", quantile, change, held.low if held else None, max_regression)
    verdict.examine("comparisons", len(pairs))
    verdict.record(comparison=packed(rows))


def _judge(verdict: Verdict, label: str, quantile: float, change: Change, surely: float | None, allowed: float) -> None:
    name = _name(quantile)
    told = f"{label}: {change.told(name)}, from {change.before_ms:g} ms to {change.after_ms:g} ms"
    failed = math.isinf(change.after_ms) or (surely is not None and surely > allowed)
    if failed or (change.high is not None and change.high <= allowed):
        verdict.expect(
            f"{label}: {name} rose by no more than {allowed:.0%} since the baseline",
            not failed,
            expected=f"at most {allowed:.0%} more",
            observed=change.told(name),
            reason_code="slo-regression",
            reason=told,
            action="Find what changed between the two runs, such as the deploy; or take a new baseline if this is meant.",
        )
    else:
        _undecided(verdict, f"{told}: too few samples to say whether that is more than {allowed:.0%}")


def _undecided(verdict: Verdict, reason: str) -> None:
    verdict.inconclusive("regression-undecided", reason, "Run both loads for longer.")


def _comparable(verdict: Verdict, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    one, other = _conditions(before), _conditions(after)
    different = [f"{name}: {str(one[name])[:80]} before, {str(other[name])[:80]} now" for name in one if one[name] != other[name]]
    alike = verdict.control(
        "the baseline is of the same environment under the same load",
        not different,
        expected="the same environment and plan",
        observed="; ".join(different),
        reason_code="baseline-not-comparable",
        action="Give the summary of a run of this environment with the same plan as baseline.",
    )
    problems = [problem for generator in before["generators"] for problem in generator["problems"]]
    ended = before["run"]["interrupted"]
    sound = verdict.control(
        "the baseline went to its end, with generators that kept up",
        ended is None and all(generator["healthy"] for generator in before["generators"]),
        expected="a whole run by healthy generators",
        observed="; ".join([*([f"ended by {ended}"] if ended else []), *problems]),
        reason_code="baseline-not-sound",
        action="Take a new baseline.",
    )
    return alike and sound


def _conditions(summary: Mapping[str, Any]) -> dict[str, Any]:
    plan = summary["plan"]
    return {
        "environment": summary["run"]["environment"],
        **{name: plan.get(name, "not told") for name in _ALIKE},
        **{f"{name} by phase": [phase.get(name) for phase in plan["phases"]] for name in _PHASE_ALIKE},
    }


def sample_of(summary: Mapping[str, Any], kind: str, phase: str) -> Sample:
    """What a summary has of a class in a phase. Raises KeyError where it has nothing."""
    measured = summary["classes"][kind][phase]
    return Sample(
        Histogram.from_document(measured["histogram"]),
        sum(measured["errors"].values()),
        batches_of(measured),
        _levels(summary, kind, phase),
    )


def _levels(summary: Mapping[str, Any], kind: str, phase: str) -> tuple[float | None, ...]:
    """The slots' own p95 in the time of the phase."""
    series = summary["series"].get(kind)
    window = next(one for one in summary["plan"]["phases"] if one["name"] == phase)
    if series is None:
        return ()
    parts = window.get("windows", [[window["starts_s"], window["starts_s"] + window["duration_s"]]])
    times = [series["starts_s"] + place * series["width_s"] for place in range(len(series["p95_ms"]))]
    return tuple(level for time, level in zip(times, series["p95_ms"]) if any(begin <= time < end for begin, end in parts))


def _row(kind: str, phase: str, quantile: float, change: Change) -> dict[str, Any]:
    return {
        "class": kind,
        "phase": phase,
        "quantile": quantile,
        "before_ms": change.before_ms,
        "after_ms": None if math.isinf(change.after_ms) else change.after_ms,
        "change": None if math.isinf(change.change) else round(change.change, 4),
        "low": None if change.low is None else round(change.low, 4),
        "high": None if change.high is None else round(change.high, 4),
    }


def _name(quantile: float) -> str:
    return f"p{quantile * 100:g}"
