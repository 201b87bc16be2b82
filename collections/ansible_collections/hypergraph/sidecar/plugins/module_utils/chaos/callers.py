# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What callers met while faults were in force, by a load that ran beside the experiments and was split by their moments."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..load import slo
from ..load.adherence import row
from ..load.comparison import Change, Sample, compare, worth
from ..load.exceedance import FAIL, PASS, Rule
from ..load.plan import CHAT
from ..load.reading import read
from ..load.regression import sample_of
from ..load.telling import told
from ..probability.binomial import surely_above, surely_at_most
from ..verdict import Verdict
from .judgement import Experiment
from .windows import AFTER, BEFORE, DURING, phase_name, windows

_QUANTILE, _CONFIDENCE = 0.95, 0.95
_ALPHA = 1 - _CONFIDENCE


@dataclass(frozen=True)
class Terms:
    """``correlation_s`` is within how many seconds chats may share one fate; ``max_regression`` by how much their p95 may have risen."""

    correlation_s: float
    max_regression: float


def judge_callers(
    verdict: Verdict, experiments: Sequence[Experiment], trials: Sequence[Mapping[str, Any]], load: Mapping[str, Any], terms: Terms
) -> None:
    """Judge each fault. ``load`` has the results ``started`` and ``split`` of module ``load_beside``, and the ``summary`` that was split.

    Of ``trials`` none may have gone through all its steps; then the summary has no phase to be judged by. Raises CheckError where it is no
    summary.
    """
    for step, done in (("started", "did not begin"), ("split", "cannot be told")):
        result = load.get(step) or {}
        if result.get("reason_code") or result.get("failed") or result.get("skipped") or result.get("unreachable") or not result:
            said = result.get("msg") or "it was not asked for, as the experiments ended before"
            code = str(result.get("reason_code") or "load-not-driven")
            verdict.inconclusive(code, f"the load beside the experiments {done}: {said}", "Correct what it names, and run again.")
            return
    if not windows(trials, 0.0):
        said = "the load beside the experiments met no fault to be judged by: no trial went through all its steps"
        verdict.inconclusive("too-few-samples", said, "See what ended the trials.")
        return
    summary = read(str(load.get("summary")))
    verdict.record(load=told(summary, _QUANTILE))
    if not _sound(verdict, summary):
        return
    strict = Rule(round(1 - _QUANTILE, 9), _ALPHA, _ALPHA / len(experiments), terms.correlation_s)
    measured = summary["classes"].get(CHAT, {})
    rows = []
    for experiment in experiments:
        phases = {part: phase_name(experiment.name, part) for part in (BEFORE, DURING, AFTER)}
        if phases[DURING] not in measured:
            verdict.inconclusive(
                "too-few-samples", f"{experiment.name}: the load has no chat while it was in force", "See why it was not tried."
            )
            continue
        verdict.examine("chats of the load", sum(measured[phase]["count"] for phase in phases.values() if phase in measured))
        rows.append(_judge_during(verdict, experiment, phases[DURING], summary, strict))
        if phases[BEFORE] in measured and phases[AFTER] in measured:
            before, after = (sample_of(summary, CHAT, phases[part]) for part in (BEFORE, AFTER))
            confidence = 1 - _ALPHA / len(experiments)
            _judge_after(verdict, experiment.name, before, after, confidence, terms.max_regression, summary["plan"]["slo_ms"][CHAT])
        else:
            lacking = " and ".join(part for part in (BEFORE, AFTER) if phases[part] not in measured)
            verdict.inconclusive(
                "too-few-samples",
                f"{experiment.name}: the load has no chat {lacking} it",
                "Raise sidecar_chaos_hold or sidecar_chaos_load_rate.",
            )
    verdict.record(judged=rows)


def _sound(verdict: Verdict, summary: Mapping[str, Any]) -> bool:
    """Whether the load lasted, and its generator kept up."""
    problems = [problem for generator in summary["generators"] for problem in generator["problems"]]
    ended = summary["run"]["interrupted"]
    if ended is not None:
        verdict.inconclusive(
            "run-interrupted",
            f"the load beside the experiments did not last as long as they: it was ended by {ended}",
            "Find out what ended it; nobody watching it means that a step took longer than was to be expected.",
        )
    healthy = all(generator["healthy"] for generator in summary["generators"])
    if not healthy:
        verdict.inconclusive(
            "generator-unhealthy",
            f"the load generator did not keep up, so this says nothing about the service: {'; '.join(problems) or 'it was not healthy'}",
            "Lower sidecar_chaos_load_rate, or use a larger generator.",
        )
    if ended is not None or not healthy:
        return False
    verdict.control("the load lasted as long as the experiments", True, reason_code="run-interrupted")
    verdict.control("the load generator kept up", True, reason_code="generator-unhealthy")
    return True


def _judge_during(verdict: Verdict, experiment: Experiment, phase: str, summary: Mapping[str, Any], rule: Rule) -> dict[str, Any]:
    """The chat lane's objective while the fault is in force, by the bounds of slo_adherence. Returns the row for the report."""
    plan = summary["plan"]
    alone = {**summary, "plan": {**plan, "phases": [one for one in plan["phases"] if one["name"] == phase]}}
    refusing = experiment.symptom.kind == "refused"
    (one,) = slo.judged(alone, [CHAT], rule, refusals_expected=refusing)
    found = one.judgement
    refused = one.errors.get(slo.REFUSED, 0) if refusing else 0
    share, everything = plan["attach_rate"], found.tries + refused
    if refusing:
        # Who asks for an explanation is to be refused then, but nobody else.
        verdict.expect(
            f"{experiment.name}: only chats that ask for an explanation are refused",
            not surely_above(share, refused, everything, rule.fail_alpha),
            expected=f"at most the {share:.1%} that ask for one",
            observed=f"{refused} of {everything} chats refused",
            reason_code="blast-radius-under-load",
            action="Find why plain chats are refused when explanations are to be.",
        )
    failed = {name: count for name, count in one.errors.items() if not (refusing and name == slo.REFUSED)}
    kinds = (
        f", of which {sum(failed.values())} failed ({', '.join(f'{name} {count}' for name, count in sorted(failed.items()))})"
        if failed
        else ""
    )
    said = f"{found.rate:.2%} of {found.tries} ({found.events}{kinds}), surely between {found.low:.2%} and {found.high:.2%}"
    name = (
        f"{experiment.name}: at most {rule.limit:.0%} of the load's chats take longer than {one.slo_ms:g} ms or fail while it is in force"
    )
    verdict.measure(f"{_key(experiment.name)}_chat_exceeding_ratio", round(found.rate, 6))
    if one.p95_ms is not None:
        verdict.measure(f"{_key(experiment.name)}_chat_p95_ms", one.p95_ms)
    if found.verdict in (PASS, FAIL) or one.failing_segments:
        verdict.expect(
            name,
            found.verdict == PASS and not one.failing_segments,
            expected=f"at most {rule.limit:.0%}",
            observed=said if not one.failing_segments else f"{said}; more in a part of it",
            reason_code="blast-radius-under-load",
            action="Find what the chat shares with the explanation: a queue, a lock, a pool. The report shows it over time.",
        )
    elif found.seconds_needed:
        reason = f"{name}: {said}; {found.seconds_needed:g} s in force would tell, over all trials"
        verdict.inconclusive("too-few-samples", reason, "Raise sidecar_chaos_hold or sidecar_chaos_trials.")
    else:
        verdict.need(
            f"{name}: {said}",
            max(found.samples_needed or 0, found.tries + 1),
            found.tries,
            action="Raise sidecar_chaos_hold, sidecar_chaos_trials or sidecar_chaos_load_rate.",
        )
    return row(replace(one, phase=phase))


def _judge_after(
    verdict: Verdict, name: str, before: Sample, after: Sample, confidence: float, max_regression: float, slo_ms: float
) -> None:
    """After the fault the chat is as before: its p95 rose by no more than ``max_regression``, or is below that share of its objective."""
    change = compare(before, after, _QUANTILE, confidence)
    if change is None:
        reason = f"{name}: so many chats failed before it that there is no p95 to compare with"
        verdict.inconclusive("steady-state-absent", reason, "Get the service steady first.")
        return
    verdict.record(**{f"{name} chat after": _told(change)})
    small = slo_ms * max_regression
    slower = after.failed + after.histogram.count_above(int(small * 1000))
    worthy = worth(after, confidence)
    negligible = surely_at_most(1 - _QUANTILE, slower * worthy, after.count * worthy, 1 - confidence)
    worse = math.isinf(change.after_ms) or (change.low is not None and change.low > max_regression)
    held = negligible or (change.high is not None and change.high <= max_regression)
    if held or worse:
        verdict.expect(
            f"{name}: the load's chats are after it as they were before",
            held,
            expected=f"a p95 of at most {max_regression:.0%} more, or below {small:g} ms",
            observed=_told(change),
            reason_code="chat-slower-after",
            action="Look at what a fault leaves behind in the gateway: a backlog, connections that are gone, a cache that is filled anew.",
        )
    else:
        reason = f"{name}: chats before and after it: {_told(change)}; too few to say whether that is more than {max_regression:.0%}"
        verdict.inconclusive("regression-undecided", reason, "Raise sidecar_chaos_hold or sidecar_chaos_load_rate.")


def _told(change: Change) -> str:
    after = "failing" if math.isinf(change.after_ms) else f"{change.after_ms:.3g} ms"
    return f"{change.told('p95')}, from {change.before_ms:.3g} ms to {after}"


def _key(name: str) -> str:
    return name.replace("-", "_").replace(" ", "_")
