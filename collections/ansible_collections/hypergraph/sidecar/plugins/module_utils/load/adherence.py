# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""slo_adherence: whether what a load run measured keeps the environment's objectives, or is not enough to say."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..examination import Inspection
from ..faults import CheckError, CheckInconclusive
from ..ranges import hold_within
from ..rfc3339 import parse_utc
from ..verdict import Verdict
from . import regression, slo
from .exceedance import FAIL, PASS, STATISTICS, Rule
from .merge import merged
from .reading import CLASSES, read
from .telling import packed, told

# More phases than this would be more numbers than a trend is read from.
MAX_MEASURED_PHASES = 12


def examine(run: Inspection) -> None:
    """Judge the summaries of one load run."""
    params, verdict = run.params, run.verdict
    rule = _rule(params)
    if not params["summaries"]:
        raise CheckInconclusive("no-load-run", "no summary of a load run was given", "Run playbooks/load.yml, and give its summaries.")
    parts = [read(path) for path in params["summaries"]]
    summary = merged(parts)
    verdict.record(load=told(summary, params["quantile"]))
    verdict.examine("generators", len(summary["generators"]))
    if _is_stale(verdict, summary, params["max_age"]):
        return
    kinds = _kinds(params["slo_ms"], summary)
    rule = _as_stopped(rule, params, summary)
    if _sound(verdict, parts, summary, params):
        present = [kind for kind in kinds if _was_measured(verdict, kind, summary)]
        judged = slo.judged(summary, present, rule, refusals_expected=params["refusals_expected"])
        _tell(verdict, judged, rule)
        if params["baseline"]:
            regression.hold(
                verdict,
                merged([read(path) for path in params["baseline"]]),
                summary,
                present,
                quantile=params["quantile"],
                confidence=params["confidence"],
                max_regression=params["max_regression"],
            )


def _is_stale(verdict: Verdict, summary: Mapping[str, Any], max_age: float | None) -> bool:
    """Whether the run ended longer ago than it may have; the verdict says so."""
    if max_age is None:
        return False
    run = summary["run"]
    age = time.time() - parse_utc(run["started_at"]).timestamp() - run["duration_s"]
    if age <= max_age:
        return False
    verdict.skip(
        "dependency_missing",
        f"a load of today's service: the last ended {age / 3600:.1f} hours ago, more than the {max_age / 3600:.1f} it is good for",
        "Run playbooks/load.yml.",
    )
    return True


def _rule(params: Mapping[str, Any]) -> Rule:
    hold_within(params, {**STATISTICS, "max_regression": (0.0, 100.0)})
    return Rule.told(params, anytime=params["sequential"])


def _as_stopped(rule: Rule, params: Mapping[str, Any], summary: Mapping[str, Any]) -> Rule:
    """The rule for a run that was to end as soon as it was decided: that by which it looked. Raises CheckError for another."""
    bounds = summary["plan"].get("stop_early")
    if bounds is None:
        return rule
    for name, value in bounds.items():
        if params[name] != value:
            raise CheckError(
                "objective-differs",
                f"{name} is {params[name]:g}, but the run was to end as soon as it was decided by {value:g}",
                f"Judge it with {name} {value:g}, or run the load again.",
            )
    return replace(rule, anytime=True)


def _kinds(objectives: Mapping[str, float | None] | None, summary: Mapping[str, Any]) -> list[str]:
    """Classes to judge: those with an objective and those the plan asked for. Raises CheckError for another objective than measured."""
    given = {kind: limit for kind, limit in (objectives or {}).items() if limit is not None}
    for kind, limit in given.items():
        counted = summary["plan"]["slo_ms"].get(kind)
        if counted != limit:
            raise CheckError(
                "objective-differs",
                f"slo_ms.{kind} is {limit:g} ms, but the run counted what was slower than {counted} ms",
                f"Run the load with slo_ms.{kind} set to {limit:g}, or judge it by what it counted.",
            )
    asked = slo.asked(summary["plan"])
    return [kind for kind in CLASSES if kind in given or kind in asked]


def _sound(verdict: Verdict, parts: Sequence[Mapping[str, Any]], summary: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    """Whether the measurement may be believed: it went to its end, and its generators kept up with what they were to send."""
    cut_short = [part["run"]["interrupted"] for part in parts if part["run"]["interrupted"] is not None]
    generators = summary["generators"]
    problems = [
        f"{one['host']}: {problem}" for one in generators if not one["healthy"] for problem in one["problems"] or ["it was not healthy"]
    ]
    expected, absent = params["generators"], params["absent"]
    if absent:
        problems = [*(f"{name}: it left no summary" for name in absent), *problems]
    elif expected is not None and len(generators) != expected:
        problems.insert(0, f"{len(generators)} of {expected} generators left a summary")
    if len(cut_short) == len(parts):
        verdict.inconclusive(
            "run-interrupted",
            f"the load did not run to its end: {cut_short[0]}",
            "Run the load again; the report has what was measured until then.",
        )
    if problems:
        verdict.inconclusive(
            "generator-unhealthy",
            f"the load generators did not keep up, so this says nothing about the service: {'; '.join(problems)}",
            "Mend what stopped a generator; where it was too slow, use more or larger ones, or a lower rate. Then run the load again.",
        )
    if cut_short or problems:
        return False
    verdict.control("the load ran to its end", True, reason_code="run-interrupted")
    verdict.control("the load generators kept up", True, reason_code="generator-unhealthy")
    return True


def _was_measured(verdict: Verdict, kind: str, summary: Mapping[str, Any]) -> bool:
    """Whether there is anything to judge of a class; where not, the verdict says why."""
    phases = slo.asked(summary["plan"]).get(kind)
    if not phases:
        verdict.inconclusive(
            "class-not-measured",
            f"{kind} has an objective, but the load never asked for it",
            "Run the load with a plan that does: attach_rate above 0, and a granularity that has it.",
        )
        return False
    ended = [measured for phase, measured in summary["classes"].get(kind, {}).items() if phase in phases]
    if kind in slo.EXPLANATIONS and not any(measured["ok"] for measured in ended):
        count = sum(measured["count"] for measured in ended)
        errors: dict[str, int] = {}
        for measured in ended:
            for name, number in measured["errors"].items():
                errors[name] = errors.get(name, 0) + number
        how = f"{count} ended, all of them badly ({_counted(errors)})" if count else "none was accepted"
        verdict.inconclusive(
            "no-explanations",
            f"no {kind} explanation completed, though the load asked for them: {how}",
            "See whether the explainer runs and its queue moves; trace_workflow examines one trace closely.",
        )
        return False
    return True


def _tell(verdict: Verdict, judged: Sequence[slo.Judged], rule: Rule) -> None:
    for one in judged:
        _tell_one(verdict, one, rule)
    verdict.examine("requests", sum(one.judgement.tries for one in judged))
    verdict.examine("phases", len({one.phase for one in judged}))
    if any(one.segments for one in judged):
        verdict.examine("segments", sum(one.segments for one in judged))
    verdict.record(judged=packed([row(one) for one in judged]))
    if len({one.phase for one in judged}) <= MAX_MEASURED_PHASES:
        for one in judged:
            name = re.sub(r"\W+", "_", f"{one.kind}_{one.phase}").lower()
            if one.p95_ms is not None:
                verdict.measure(f"{name}_p95_ms", one.p95_ms)
            if one.judgement.tries:
                verdict.measure(f"{name}_exceeding_ratio", round(one.judgement.rate, 6))


def _tell_one(verdict: Verdict, one: slo.Judged, rule: Rule) -> None:
    found = one.judgement
    share = f"{rule.limit * 100:.3g}%"
    name = f"{one.label}: at most {share} take longer than {one.slo_ms:g} ms or fail"
    failed = sum(one.errors.values())
    made_of = f", {failed} of all failed ({_counted(one.errors)})" if failed else ""
    observed = (
        f"{found.rate:.2%} of {found.tries} ({found.events}{made_of}); worth {found.effective_tries:.0f} independent ones, "
        f"the share is between {found.low:.2%} and {found.high:.2%}"
    )
    if one.failing_segments and found.verdict != FAIL:
        begin, end, worst = max(one.failing_segments, key=lambda segment: segment[2].rate)
        verdict.expect(
            f"{name}, in every part of the phase",
            False,
            expected=f"at most {share}",
            observed=f"{worst.rate:.2%} of {worst.tries} from second {begin:g} to {end:g}, {found.rate:.2%} of the whole phase",
            reason_code="slo-broken-in-segment",
            action="See what happened in that time: the whole phase hides it.",
        )
    elif found.verdict in (PASS, FAIL):
        verdict.expect(
            name,
            found.verdict == PASS,
            expected=f"at most {share}",
            observed=observed,
            reason_code="slo-broken",
            action="Find what is slow or failing in that class: the report has its latencies and errors over time.",
        )
    else:
        _undecided(verdict, one, f"{name}: {observed}")


def _undecided(verdict: Verdict, one: slo.Judged, told: str) -> None:
    found = one.judgement
    if found.samples_needed is not None and found.samples_needed > found.tries:
        more = found.samples_needed - found.tries
        lasting = f" and last {found.seconds_needed:g} s at least" if found.seconds_needed else ""
        verdict.need(
            told, found.samples_needed, found.tries, action=f"Run for longer: {more} more would decide if they are as these{lasting}."
        )
    elif found.seconds_needed:
        verdict.inconclusive(
            "too-few-samples",
            f"{told}; the phase is too short to have seen what comes and goes",
            f"Let the phase last {found.seconds_needed:g} s at least.",
        )
    else:
        verdict.inconclusive(
            "too-near-the-objective", f"{told}: no feasible number of samples tells that apart", "Make it faster, or change the objective."
        )


def row(one: slo.Judged) -> dict[str, Any]:
    """What is evidence of a judgement."""
    found = one.judgement
    return {
        "class": one.kind,
        "phase": one.phase,
        "n": found.tries,
        "effective_n": round(found.effective_tries, 1),
        "exceeding": found.events,
        "bound_low": round(found.low, 6),
        "bound_high": round(found.high, 6),
        "verdict": FAIL if one.failing_segments else found.verdict,
        "samples_needed": found.samples_needed,
        "segments": one.segments,
        "failing_segments": [{"from_s": begin, "to_s": end, "rate": round(part.rate, 4)} for begin, end, part in one.failing_segments],
    }


def _counted(errors: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(errors.items(), key=lambda item: -item[1]))
