# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a soak: every objective over the whole of it, and whether anything grew that should not.

Objectives are judged as those of one load run are (``load.slo``): a class passes on all segments together, and may fail in one of them.
A trend fails where the rise is surely more than the most it may be, passes where it surely is not, and is undecided between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..load.dependence import Batches
from ..load.exceedance import FAIL, PASS, Judgement, Rule, judge
from ..load.reading import CLASSES
from ..load.slo import asked, batches_of
from ..load.trend import MIN_POINTS
from ..verdict import Verdict
from .curves import ERRORS, HOLDS, LAG, MEMORY, P95, TOO_SHORT, UNDECIDED, Curve
from .record import Segment

_CODES = {P95: "soak-p95-rises", ERRORS: "soak-errors-rise", MEMORY: "soak-memory-rises", LAG: "soak-queue-rises"}
_ACTIONS = {
    P95: "See what fills up: caches without bound, tables without index, connections that are not given back.",
    ERRORS: "See the errors by class and time; what fails more and more often is running out of something.",
    MEMORY: "Find the leak before it is found by the OOM killer: compare heaps an hour apart under the same load.",
    LAG: "Explanations are asked for faster than they are made; see autoscaling and capacity_attach_rate.",
}


def judge_objectives(verdict: Verdict, driven: Sequence[tuple[Segment, Mapping[str, Any]]], rule: Rule) -> None:
    """Each class over all segments, and each segment for itself."""
    parts: dict[str, dict[str, Batches]] = {
        kind: {segment.plan["name"]: one for segment, summary in driven if (one := _batches(summary, kind)).tries} for kind in CLASSES
    }
    wanted = {kind for _segment, summary in driven for kind in asked(summary["plan"])}
    tests = sum(1 + len(batches) for batches in parts.values() if batches)
    each = replace(rule, fail_alpha=rule.fail_alpha / max(tests, 1))
    for kind, batches in parts.items():
        if batches:
            _judge_class(verdict, kind, driven[0][1]["plan"]["slo_ms"][kind], batches, each)
        elif kind in wanted:
            reason = f"{kind} was asked for, and no segment has any that was accepted"
            verdict.inconclusive("class-not-measured", reason, "See why the chats that ask for explanations fail.")
    verdict.examine("requests", sum(one.tries for batches in parts.values() for one in batches.values()))


def _judge_class(verdict: Verdict, kind: str, slo_ms: float, segments: Mapping[str, Batches], rule: Rule) -> None:
    batches = segments.values()
    width = max(one.width_s for one in batches)
    whole = judge(Batches(width, tuple(c for one in batches for c in one.count), tuple(e for one in batches for e in one.exceeding)), rule)
    failing = [(name, found) for name, one in segments.items() if (found := judge(one, rule)).verdict == FAIL]
    share = f"{rule.limit * 100:.3g}%"
    name = f"{kind} over the whole soak: at most {share} take longer than {slo_ms:g} ms or fail"
    if failing and whole.verdict != FAIL:
        named, worst = max(failing, key=lambda item: item[1].rate)
        verdict.expect(
            f"{name}, in every segment",
            False,
            expected=f"at most {share}",
            observed=f"{_told(worst)} in segment {named}; {len(failing)} of {len(segments)} segments fail",
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


def judge_trends(verdict: Verdict, found: Sequence[Curve], confidence: float) -> None:
    """Whether anything rises by more than it may."""
    short = [curve for curve in found if curve.verdict(confidence) == TOO_SHORT]
    if short:
        names = ", ".join(curve.name for curve in short)
        verdict.need(f"points of {names}", MIN_POINTS, min(len(curve.judged) for curve in short), action="Soak for more segments.")
    for curve in found:
        _judge_trend(verdict, curve, confidence)
    verdict.examine("curves", len(found) - len(short))


def _judge_trend(verdict: Verdict, curve: Curve, confidence: float) -> None:
    def shown(value: float) -> str:
        return f"{value:+.3g} s" if curve.kind == LAG else f"{value:+.1%}"

    known = curve.found(confidence)
    if not known:
        return
    low, high = curve.rise(known)
    name = f"{curve.name} does not rise by more than {shown(curve.most).lstrip('+')} over the soak"
    observed = f"between {shown(low)} and {shown(high)}, from {known.points} points"
    found = curve.verdict(confidence)
    if found == UNDECIDED:
        verdict.inconclusive("trend-undecided", f"{name}: {observed}", "Soak for longer: the interval narrows with time.")
        return
    verdict.expect(
        name,
        found == HOLDS,
        expected=f"at most {shown(curve.most)}",
        observed=observed,
        reason_code=_CODES[curve.kind],
        action=_ACTIONS[curve.kind],
    )


def _batches(summary: Mapping[str, Any], kind: str) -> Batches:
    phases = [name for name in asked(summary["plan"]).get(kind, []) if name in summary["classes"].get(kind, {})]
    slots = [batches_of(summary["classes"][kind][name]) for name in phases]
    return Batches(
        max((one.width_s for one in slots), default=1.0),
        tuple(count for one in slots for count in one.count),
        tuple(count for one in slots for count in one.exceeding),
    )
