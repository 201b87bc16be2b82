# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module slo_check as Ansible runs it, on summaries of services whose truth is known."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.modules import slo_check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.summaries import phase, steady, summary, written
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main


@pytest.fixture
def check(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    def run(*documents: Any, baseline: Any = (), **arguments: Any) -> dict[str, Any]:
        handed = {"summaries": written(tmp_path / "now", *documents), "baseline": written(tmp_path / "before", *baseline), **arguments}
        result = run_main(slo_check.main, handed, monkeypatch, capsys)
        assert result["changed"] is False
        verdict: dict[str, Any] = result["verdict"]
        assert verdict["check"] == "slo_adherence"
        return verdict

    return run


def said(verdict: dict[str, Any]) -> tuple[str, str]:
    return verdict["status"], verdict["reason_code"]


def chats(seconds: Any, **changes: Any) -> dict[str, Any]:
    return summary({"chat": {"steady": seconds}}, **changes)


EXPLAINED = {
    "chat": {"steady": steady(1, 240)},
    "sentence": {"steady": steady(2, 240, rate=10, slo_ms=2000)},
    "token": {"steady": steady(3, 240, rate=10, slo_ms=8000)},
}


def test_a_service_that_keeps_its_objectives_passes(check: Any) -> None:
    verdict = check(summary(EXPLAINED), slo_ms={"chat": 500, "sentence": 2000, "token": 8000}, generators=1)
    assert said(verdict) == ("pass", "")
    assert verdict["examined"] == {"generators": 1, "requests": 9600, "phases": 1, "segments": 24}
    assert {row["class"]: row["verdict"] for row in verdict["evidence"]["judged"][0]} == {
        "chat": "pass",
        "sentence": "pass",
        "token": "pass",
    }
    assert verdict["evidence"]["judged"][0][0]["bound_high"] <= 0.05
    assert verdict["metrics"]["chat_steady_p95_ms"] < 500


@pytest.mark.parametrize(("slow", "seconds"), [(0.06, 1500), (0.08, 300), (0.15, 60)])
def test_a_slow_tail_fails(check: Any, slow: float, seconds: int) -> None:
    verdict = check(chats(steady(4, seconds, rate=40, slow=slow)))
    assert said(verdict) == ("fail", "slo-broken")
    assert "chat in steady: at most 5% take longer than 500 ms or fail" in verdict["reason"]


@pytest.mark.parametrize("slow", [0.06, 0.08])
def test_a_slow_tail_does_not_pass_with_few_samples(check: Any, slow: float) -> None:
    verdict = check(chats(steady(55, 60, rate=1, slow=slow)))
    assert said(verdict) == ("inconclusive", "too-few-samples")
    (shortfall,) = verdict["shortfalls"]
    assert shortfall["samples_needed"] > shortfall["samples_have"] == 60


def test_errors_and_timeouts_exceed_however_fast_the_rest_is(check: Any) -> None:
    verdict = check(chats(steady(6, 240, slow=0.0, failed=0.1)))
    assert said(verdict) == ("fail", "slo-broken")
    assert "timeout" in verdict["reason"]
    assert verdict["metrics"]["chat_steady_p95_ms"] < 500, "the percentile of good answers does not show it"


def test_one_slow_class_fails_whatever_the_others_do(check: Any) -> None:
    verdict = check(summary({**EXPLAINED, "token": {"steady": steady(7, 240, rate=10, slow=0.15, slo_ms=8000)}}))
    assert said(verdict) == ("fail", "slo-broken")
    assert [row["verdict"] for row in verdict["evidence"]["judged"][0]] == ["pass", "pass", "fail"]


def test_a_late_failure_is_not_diluted_by_a_long_run(check: Any) -> None:
    verdict = check(chats([*steady(8, 570, slow=0.01), *steady(9, 30, slow=0.8)]))
    assert said(verdict) == ("fail", "slo-broken-in-segment")
    assert "from second 540 to 600" in verdict["reason"]
    assert verdict["evidence"]["judged"][0][0]["failing_segments"][0]["from_s"] == 540


def test_what_fails_in_one_phase_is_not_made_good_by_another(check: Any) -> None:
    phases = [phase("early", starts_s=0.0), phase("burst", "burst", 120.0)]
    verdict = check(summary({"chat": {"early": steady(10, 600), "burst": steady(11, 60, slow=0.2)}}, phases=phases))
    assert said(verdict) == ("fail", "slo-broken")
    assert "chat in burst" in verdict["reason"]


def test_the_more_is_judged_the_surer_a_fail_has_to_be(check: Any) -> None:
    seconds = steady(32, 59, slow=0.06)
    alone = check(chats(seconds))["evidence"]["judged"][0][0]
    names = [f"part-{number}" for number in range(20)]
    phases = [phase(name, starts_s=59.0 * number) for number, name in enumerate(names)]
    among_many = check(summary({"chat": dict.fromkeys(names, seconds)}, phases=phases))["evidence"]["judged"][0][0]
    assert among_many["bound_low"] < alone["bound_low"]
    assert among_many["bound_high"] == alone["bound_high"], "a pass of all needs each of them to pass anyway"


def test_warm_up_is_not_judged(check: Any) -> None:
    verdict = check(summary({"chat": {"warmup": steady(12, 10, slow=0.9), "steady": steady(13, 240)}}))
    assert said(verdict) == ("pass", "")


def test_a_planned_phase_without_a_request_is_no_pass(check: Any) -> None:
    phases = [phase(starts_s=0.0), phase("after", starts_s=240.0)]
    verdict = check(summary({"chat": {"steady": steady(14, 240)}}, phases=phases))
    assert said(verdict) == ("inconclusive", "too-few-samples")
    assert "chat in after" in verdict["reason"]


def test_an_overloaded_generator_says_nothing_about_the_service(check: Any) -> None:
    sick = {"healthy": False, "problems": ["its process used 99% of a processor"]}
    for seconds in (steady(15, 240), steady(16, 240, slow=0.5)):
        verdict = check(chats(seconds, **sick))
        assert said(verdict) == ("inconclusive", "generator-unhealthy")
        assert "99% of a processor" in verdict["reason"]


def test_a_generator_without_summary_or_end_is_not_healthy(check: Any) -> None:
    whole = chats(steady(17, 240))
    assert said(check(whole, generators=3)) == ("inconclusive", "generator-unhealthy")
    died = chats(steady(18, 100), host="generator-2", interrupted="not ended yet")
    assert said(check(whole, died, generators=2)) == ("inconclusive", "generator-unhealthy")
    missing = check(whole, generators=3, absent=["generator-2", "generator-3"])
    assert said(missing) == ("inconclusive", "generator-unhealthy")
    assert "generator-2: it left no summary; generator-3: it left no summary" in missing["reason"]


@pytest.mark.parametrize("interrupted", ["SIGINT", "SIGTERM", "time limit", "rebuilt from records"])
def test_an_interrupted_run_is_inconclusive(check: Any, interrupted: str) -> None:
    verdict = check(chats(steady(19, 240), interrupted=interrupted))
    assert said(verdict) == ("inconclusive", "run-interrupted")
    assert interrupted in verdict["reason"]


@pytest.mark.parametrize(
    ("seconds", "told"), [([["unfinished"] * 3] * 60, "180 ended, all of them badly (unfinished 180)"), ([[]] * 60, "none was accepted")]
)
def test_no_explanation_completed_is_inconclusive_and_says_so(check: Any, seconds: Any, told: str) -> None:
    verdict = check(summary({"chat": {"steady": steady(20, 240)}, "sentence": {"steady": seconds}}))
    assert said(verdict) == ("inconclusive", "no-explanations")
    assert "no sentence explanation completed, though the load asked for them" in verdict["reason"]
    assert told in verdict["reason"]


def test_a_class_with_an_objective_has_to_be_measured(check: Any) -> None:
    verdict = check(chats(steady(21, 240)), slo_ms={"chat": 500, "token": 8000})
    assert said(verdict) == ("inconclusive", "class-not-measured")
    assert "token" in verdict["reason"]


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        (steady(2, 240, rate=10, slo_ms=2000), ("pass", "")),
        (steady(2, 240, rate=10, slow=0.15, slo_ms=2000), ("fail", "slo-broken")),
        ([["trace_failed"] * 10] * 240, ("inconclusive", "no-explanations")),
    ],
)
def test_to_set_one_objective_leaves_the_others_judged_by_what_the_run_counted(check: Any, sentences: Any, expected: Any) -> None:
    verdict = check(summary({**EXPLAINED, "sentence": {"steady": sentences}}), slo_ms={"chat": 500})
    assert said(verdict) == expected
    assert {row["class"] for row in verdict["evidence"]["judged"][0]} >= {"chat", "token"}


def test_no_summary_is_no_pass(check: Any) -> None:
    assert said(check()) == ("inconclusive", "no-load-run")


def test_a_run_that_is_too_old_is_not_judged(check: Any) -> None:
    old = chats(steady(21, 240))
    verdict = check(old, max_age=3600)
    assert verdict["status"] == "skip"
    assert "hours ago, more than the 1.0 it is good for" in verdict["reason"]
    assert check(old, max_age=1e9)["status"] == check(old)["status"] == "pass"


def test_a_run_that_ended_when_it_was_decided_is_judged_by_the_bounds_it_looked_by(check: Any) -> None:
    usual = chats(steady(24, 70, slow=0.0))
    early = {**usual, "plan": {**usual["plan"], "stop_early": {"quantile": 0.95, "confidence": 0.95, "correlation_seconds": 1.0}}}
    assert check(usual)["status"] == "pass"
    assert said(check(early)) == ("inconclusive", "too-few-samples")
    assert check(usual, sequential=True)["reason"] == check(early)["reason"]
    assert said(check(early, quantile=0.9)) == ("error", "objective-differs")


def test_an_objective_the_run_did_not_count_by_is_an_error(check: Any) -> None:
    verdict = check(chats(steady(22, 240)), slo_ms={"chat": 400})
    assert said(verdict) == ("error", "objective-differs")
    assert "slo_ms.chat is 400 ms, but the run counted what was slower than 500.0 ms" in verdict["reason"]


@pytest.mark.parametrize(("expected", "status"), [(True, "pass"), (False, "fail")])
def test_refusals_count_unless_they_were_asked_for(check: Any, expected: bool, status: str) -> None:
    chance = random.Random(23)
    seconds = [[("status_429" if chance.random() < 0.3 else 100.0) for _request in range(20)] for _second in range(240)]
    assert check(chats(seconds), refusals_expected=expected)["status"] == status


def test_errors_beside_expected_refusals_still_count(check: Any) -> None:
    seconds = [["status_429"] * 4 + ["status_5xx"] * 2 + [100.0] * 14] * 240
    assert said(check(chats(seconds), refusals_expected=True)) == ("fail", "slo-broken")


def test_a_healthy_service_passes_sooner_or_later_when_looked_at_again_and_again(check: Any) -> None:
    assert said(check(chats(steady(24, 400, slow=0.01)), sequential=True)) == ("pass", "")


def test_a_rise_since_the_baseline_fails_and_tells_how_much(check: Any) -> None:
    before = chats(steady(25, 240, slow=0.0))
    after = chats([[latency * 1.31 for latency in second] for second in steady(26, 240, slow=0.0)])
    verdict = check(after, baseline=[before], max_regression=0.2)
    assert said(verdict) == ("fail", "slo-regression")
    assert "p95 rose by 31% ±" in verdict["reason"]
    row = verdict["evidence"]["comparison"][0][0]
    assert row["low"] < 0.31 < row["high"]
    assert said(check(after, baseline=[before], max_regression=0.5)) == ("pass", "")


def test_a_rise_that_few_samples_show_is_undecided(check: Any) -> None:
    before, after = (chats(steady(seed, 60, rate=2, slow=0.0)) for seed in (27, 28))
    verdict = check(after, baseline=[before], max_regression=0.0)
    assert said(verdict) == ("inconclusive", "regression-undecided")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"environment": "production"}, "baseline-not-comparable"),
        ({"rate_per_s": 80.0}, "baseline-not-comparable"),
        ({"arrivals": "poisson"}, "baseline-not-comparable"),
        ({"phases": [phase("warmup", "warmup", 0.0, 10.0), {**phase(), "attach_rate": 0.9}]}, "baseline-not-comparable"),
        ({"phases": [phase("warmup", "warmup", 0.0, 10.0), {**phase(), "granularity": "token"}]}, "baseline-not-comparable"),
        ({"interrupted": "SIGINT"}, "baseline-not-sound"),
        ({"healthy": False}, "baseline-not-sound"),
    ],
)
def test_a_baseline_of_something_else_is_not_compared_with(check: Any, changes: dict[str, Any], code: str) -> None:
    verdict = check(chats(steady(29, 240)), baseline=[chats(steady(30, 240), **changes)])
    assert said(verdict) == ("inconclusive", code)
    assert "comparison" not in verdict["evidence"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"chat_model": "gpt-4o"}, "chat_model: gpt-4o before, gpt-4o-mini now"),
        ({"prompts": "sha256:0000000000000000"}, "prompts: sha256:0000000000000000 before, sha256:5d1f0a1c2b3e4f56 now"),
        ({"stream": True}, "stream: True before, False now"),
        ({"featureset": "sae-x"}, "featureset: sae-x before, sae-gpt4-2m now"),
    ],
)
def test_a_baseline_that_was_asked_for_something_else_is_told_by_what_differs(check: Any, changes: dict[str, Any], told: str) -> None:
    verdict = check(chats(steady(29, 240)), baseline=[chats(steady(30, 240), **changes)])
    assert said(verdict) == ("inconclusive", "baseline-not-comparable")
    assert [one["observed"] for one in verdict["controls"] if not one["ok"]] == [told]


def test_a_baseline_whose_plan_does_not_tell_what_was_asked_is_not_compared_with(check: Any) -> None:
    before = chats(steady(30, 240))
    for name in ("chat_model", "prompts", "stream"):
        del before["plan"][name]
    verdict = check(chats(steady(29, 240)), baseline=[before])
    assert said(verdict) == ("inconclusive", "baseline-not-comparable")
    assert "stream: not told before, False now" in verdict["reason"]


def test_a_baseline_under_another_load_is_told_by_what_differs(check: Any) -> None:
    names = [f"part-{number}" for number in range(3)]
    phases = [phase(name, starts_s=120.0 * number) for number, name in enumerate(names)]
    other = [*phases[:2], {**phases[2], "concurrency": 64}]
    before, after = (summary({"chat": dict.fromkeys(names, steady(30, 120))}, phases=planned) for planned in (other, phases))
    reason = check(after, baseline=[before])["reason"]
    assert "concurrency by phase: [8, 8, 64] before, [8, 8, 8] now" in reason
    assert "duration_s" not in reason


@pytest.mark.parametrize("lacks", ["baseline", "run"])
def test_what_one_of_both_runs_lacks_leaves_the_comparison_undecided(check: Any, lacks: str) -> None:
    phases = [phase(starts_s=0.0), phase("after", starts_s=240.0)]
    whole = summary({kind: {"steady": seconds["steady"], "after": seconds["steady"]} for kind, seconds in EXPLAINED.items()}, phases=phases)
    part = copy.deepcopy(whole)
    if lacks == "baseline":
        del part["classes"]["sentence"]
        verdict = check(whole, baseline=[part])
        told = ["sentence in steady: the baseline has none", "sentence in after: the baseline has none"]
    else:
        del part["classes"]["sentence"]["after"]
        verdict = check(part, baseline=[whole])
        told = ["sentence in after: this run has none"]
    undecided = [one["reason"] for one in verdict["shortfalls"] if one["reason_code"] == "regression-undecided"]
    assert verdict["status"] == "inconclusive"
    assert undecided == told
    compared = {(row["class"], row["phase"]) for row in verdict["evidence"]["comparison"][0]}
    assert ("chat", "after") in compared and len(compared) == 6 - len(told)


@pytest.mark.parametrize("arguments", [{"quantile": 95}, {"confidence": "nan"}, {"correlation_seconds": 0}, {"max_regression": -1}])
def test_a_bad_argument_is_an_error_that_names_it(check: Any, arguments: dict[str, Any]) -> None:
    verdict = check(chats(steady(31, 60)), **arguments)
    assert said(verdict) == ("error", "bad-argument")
    assert next(iter(arguments)) in verdict["reason"]
