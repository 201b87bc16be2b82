# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a load beside the experiments says of each fault, and when it cannot say."""

from __future__ import annotations

import json

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.callers import Terms, judge_callers
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.judgement import Experiment
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.chaos.trials import experiment, trial
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.summaries import phase, steady, summary

PARTS = ("before", "during", "after")
DONE = {"changed": True}


def load(tmp_path, chats, *, name="drop-s3", attach_rate=0.05, **changes):
    """A split run with what each part had of chats."""
    phases = [phase(f"{name}: {part}", starts_s=100.0 * place, duration_s=90.0) for place, part in enumerate(PARTS)]
    seconds = {f"{name}: {part}": chats[part] for part in PARTS if part in chats}
    path = tmp_path / "phases.json"
    path.write_text(json.dumps(summary({"chat": seconds}, phases=phases, attach_rate=attach_rate, **changes)))
    return {"started": DONE, "split": DONE, "summary": str(path)}


def judged(told, *documents, trials=None):
    verdict = Verdict("chaos_recovery")
    verdict.expect("the trials hold", True, reason_code="recovery-over-budget")
    experiments = [Experiment.read(document) for document in documents or [experiment()]]
    judge_callers(verdict, experiments, [trial()] if trials is None else trials, told, Terms(1.0, 0.2))
    return verdict.to_dict()


def chats(**changes):
    usual = {part: steady(seed, 90) for seed, part in enumerate(PARTS)}
    return {**usual, **changes}


def test_callers_that_notice_nothing_are_a_pass(tmp_path):
    verdict = judged(load(tmp_path, chats()))
    assert verdict["status"] == "pass", verdict["reason"]
    assert verdict["examined"] == {"chats of the load": 5400}
    assert verdict["evidence"]["judged"][0]["phase"] == "drop-s3: during"
    assert set(verdict["evidence"]["load"]["classes"]["chat"]) == {f"drop-s3: {part}" for part in PARTS}
    assert verdict["metrics"]["drop_s3_chat_p95_ms"] < 500


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"during": steady(1, 90, slow=0.12)}, "fail", "blast-radius-under-load"),
        ({"during": steady(1, 90, slow=0.0, failed=0.12)}, "fail", "blast-radius-under-load"),
        ({"during": steady(1, 20)}, "inconclusive", "too-few-samples"),
        ({"during": steady(1, 90, slow=0.05)}, "inconclusive", "too-few-samples"),
        (
            {"after": [[latency * 1.9 if latency < 500 else latency for latency in second] for second in steady(2, 90)]},
            "fail",
            "chat-slower-after",
        ),
        ({"after": steady(2, 90, failed=0.3)}, "fail", "chat-slower-after"),
        ({"after": steady(2, 2)}, "inconclusive", "regression-undecided"),
        ({"before": steady(0, 90, failed=0.5)}, "inconclusive", "steady-state-absent"),
    ],
)
def test_what_callers_notice_has_its_reason(tmp_path, changes, status, code):
    verdict = judged(load(tmp_path, chats(**changes)))
    assert (verdict["status"], verdict["reason_code"]) == (status, code), verdict["reason"]


def test_a_rise_far_below_the_objective_is_no_matter(tmp_path):
    quick = {
        part: [[latency / factor for latency in second] for second in steady(3, 90, slow=0)] for part, factor in zip(PARTS, (40, 4, 5))
    }
    verdict = judged(load(tmp_path, quick))
    assert verdict["status"] == "pass", verdict["reason"]


@pytest.mark.parametrize("absent", PARTS)
def test_a_part_without_chats_does_not_pass(tmp_path, absent):
    told = {part: seconds for part, seconds in chats().items() if part != absent}
    verdict = judged(load(tmp_path, told))
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "too-few-samples")


@pytest.mark.parametrize(("share", "status"), [(0.05, "pass"), (0.12, "fail")])
def test_where_explanations_are_to_be_refused_only_they_are(tmp_path, share, status):
    told = load(
        tmp_path,
        chats(
            during=[
                ["status_429" if (place + second) % round(1 / share) == 0 else one for place, one in enumerate(row)]
                for second, row in enumerate(steady(1, 90))
            ]
        ),
        name="rate-limit-spike",
    )
    spike = experiment(fault="rate-limit-spike", parameters={"severity": "hard"}, seen={"symptom": "refused"})
    verdict = judged(told, spike)
    assert verdict["status"] == status, verdict["reason"]
    assert verdict["reason_code"] == ("blast-radius-under-load" if status == "fail" else "")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"interrupted": "nobody watching"}, "run-interrupted"),
        ({"healthy": False, "problems": ["its loop was late"]}, "generator-unhealthy"),
    ],
)
def test_a_load_that_cannot_be_believed_says_nothing(tmp_path, changes, code):
    verdict = judged(load(tmp_path, chats(during=steady(1, 90, slow=0.3)), **changes))
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", code)


@pytest.mark.parametrize(
    ("step", "result", "code"),
    [
        ("started", {"failed": True, "msg": "no token", "reason_code": "token-missing"}, "token-missing"),
        ("started", {"skipped": True}, "load-not-driven"),
        ("split", {"failed": True, "msg": "it died", "reason_code": "load-died"}, "load-died"),
        ("split", {}, "load-not-driven"),
    ],
)
def test_a_load_that_was_not_driven_does_not_pass(tmp_path, step, result, code):
    verdict = judged({**load(tmp_path, chats()), step: result})
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", code)


def test_without_a_whole_trial_there_is_nothing_to_be_judged_by(tmp_path):
    path = tmp_path / "phases.json"
    path.write_text(json.dumps(summary({}, phases=[])))
    told = {"started": DONE, "split": DONE, "summary": str(path)}
    for trials in ((), (trial(injected=[{"reason_code": "lease-too-short"}]),)):
        verdict = judged(told, trials=trials)
        assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "too-few-samples"), verdict["reason"]
    with pytest.raises(CheckError, match="phases"):
        judged(told)


def test_each_fault_is_judged_for_itself(tmp_path):
    other = experiment(name="other")
    verdict = judged(load(tmp_path, chats()), experiment(), other)
    assert verdict["reason_code"] == "too-few-samples" and verdict["reason"].startswith("other:")
