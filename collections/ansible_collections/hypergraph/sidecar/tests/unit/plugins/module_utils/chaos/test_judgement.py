# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What trials say: green where all is well, and each way it is not for its own reason."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.judgement import (
    Experiment,
    Limits,
    judge_drill,
    judge_experiment,
    recovery_seconds,
)
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.chaos.trials import (
    CHAT,
    FAILED,
    HEALTHY,
    OFF,
    experiment,
    trial,
)

LIMITS = Limits(3, 10.0, 0.5)


def after(**changes):
    return {**trial()["after"], **changes}


def during(**changes):
    return {**trial()["during"], **changes}


def judged(*trials):
    verdict = Verdict("chaos_recovery")
    judge_experiment(verdict, Experiment.read(experiment()), list(trials), LIMITS)
    return verdict.to_dict()


def test_three_good_trials_pass_with_an_interval():
    verdict = judged(trial(), trial(after=after(recovered=0.3)), trial(after=after(recovered=0.4)))
    assert verdict["status"] == "pass", verdict["reason"]
    assert verdict["examined"] == {"trials": 3, "traces": 27, "chats": 120}
    assert verdict["metrics"]["drop_s3_recovery_seconds"] == 0.8
    assert verdict["metrics"]["drop_s3_recovery_upper_seconds"] == pytest.approx(0.8 + 4.303 * 0.1 / 3**0.5, abs=1e-3)


def test_recovery_counts_from_the_last_host_that_settled():
    assert recovery_seconds(trial()) == pytest.approx(0.7)
    assert recovery_seconds(trial(reverted=[OFF, {**OFF, "settled_at": 100.4}])) == pytest.approx(0.3)
    assert recovery_seconds(trial(after=after(recovered=None))) is None


REVERT_FAILED = {"reason_code": "revert-failed", "msg": "drop-s3 could not be taken back", "action": "Now.", "host": "one"}
SLOW_CHATS = [CHAT] * 20 + [{"status": 200, "seconds": 0.7}] * 20
LOST_CHATS = [CHAT] * 20 + [{"status": 0, "seconds": 0.0}] * 20


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"reverted": [REVERT_FAILED]}, "fail", "revert-failed"),
        ({"after": after(recovered=None, lasting=True, traces=[FAILED] * 3)}, "fail", "revert-failed"),
        ({"after": after(recovered=None, lasting=False)}, "fail", "recovery-over-budget"),
        ({"after": after(recovered=9.6)}, "fail", "recovery-over-budget"),
        ({"during": during(chats=SLOW_CHATS)}, "fail", "blast-radius-exceeded"),
        ({"during": during(chats=LOST_CHATS)}, "fail", "blast-radius-exceeded"),
        ({"during": during(chats=[CHAT] * 39 + SLOW_CHATS[-2:])}, "inconclusive", "blast-radius-unclear"),
        ({"during": during(seen=False, traces=[HEALTHY] * 6)}, "inconclusive", "fault-not-observed"),
        ({"observed": [{"reason_code": "dead-man-missing", "msg": "gone"}]}, "fail", "dead-man-missing"),
        ({"observed": [{"changed": True, "host": "one"}]}, "error", "lease-lapsed"),
        ({"injected": [{"reason_code": "disk-full", "msg": "no space", "action": "Free some."}]}, "error", "disk-full"),
        ({"injected": [{"unreachable": True, "msg": "gone"}]}, "error", "host-unreachable"),
        ({"during": {"failed": True, "msg": "Traceback"}}, "error", "module-failed"),
        ({"after": None}, "error", "module-failed"),
    ],
)
def test_each_way_to_go_wrong_has_its_reason(changes, status, code):
    verdict = judged(trial(), trial(), trial(**changes))
    assert (verdict["status"], verdict["reason_code"]) == (status, code), verdict["reason"]


def test_a_counter_that_did_not_rise_is_named():
    counted = experiment(seen={"symptom": "failed", "metric": {"name": "faults_total"}})
    verdict = Verdict("chaos_recovery")
    unseen = trial(during=during(seen=False, counted=False))
    judge_experiment(verdict, Experiment.read(counted), [trial(), unseen, trial()], LIMITS)
    assert verdict.to_dict()["reason_code"] == "fault-not-observed"
    assert "in 1 of 3 trials the service did not show it, faults_total did not rise" in verdict.to_dict()["reason"]


def test_without_a_steady_state_nothing_is_said():
    verdict = judged({"experiment": "drop-s3", "before": {**trial()["before"], "steady": False}})
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "steady-state-absent")


def test_a_failed_revert_outranks_all():
    verdict = judged(trial(during=during(chats=SLOW_CHATS)), trial(after=after(recovered=50.0)), trial(reverted=[REVERT_FAILED]))
    assert verdict["reason_code"] == "revert-failed"
    assert verdict["reason"].endswith("(+1 more)")


def test_too_few_trials_and_too_wide_an_interval_do_not_pass():
    chats = during(chats=[CHAT] * 60)
    assert judged(trial(during=chats), trial(during=chats))["reason_code"] == "too-few-samples"
    wide = judged(trial(), trial(), trial(after=after(recovered=9.0)))
    assert (wide["status"], wide["reason_code"]) == ("inconclusive", "recovery-unclear")


def test_no_trial_is_no_pass():
    assert (judged()["status"], judged()["reason_code"]) == ("inconclusive", "experiment-not-run")


@pytest.mark.parametrize(
    ("results", "status", "code"),
    [
        ([{"reverted_by": "dead-man", "host": "a"}], "pass", ""),
        ([{"reverted_by": "dead-man", "host": "a"}, {"reverted_by": "", "host": "b"}], "fail", "dead-man-missing"),
        ([{"reason_code": "chaos-lease-held", "msg": "held"}], "error", "chaos-lease-held"),
        ([], "inconclusive", "experiment-not-run"),
    ],
)
def test_the_drill(results, status, code):
    verdict = Verdict("chaos_recovery")
    assert judge_drill(verdict, results) == (status == "pass")
    assert (verdict.to_dict()["status"], verdict.to_dict()["reason_code"]) == (status, code)


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"fault": "drop-s3"},
        experiment(extra=1),
        experiment(fault="other"),
        experiment(parameters=[1]),
        experiment(parameters={"percent": 101}),
        experiment(seen={}),
        experiment(seen={"symptom": "tired"}),
        experiment(seen={"symptom": "failed", "share": 0}),
        experiment(seen={"symptom": "failed", "share": "most"}),
        experiment(seen={"symptom": "slower", "by_seconds": -1}),
        experiment(seen={"symptom": "slower", "bye": 1}),
        experiment(seen={"symptom": "failed", "metric": "faults_total"}),
        experiment(seen={"symptom": "failed", "metric": {"labels": {}}}),
        experiment(seen={"symptom": "failed", "metric": {"name": "x", "labels": ["fault"]}}),
        experiment(seen={"symptom": "failed", "metric": {"name": "x", "where_exposed": "sometimes"}}),
    ],
)
def test_a_malformed_experiment_is_refused(document):
    with pytest.raises(CheckError) as refused:
        Experiment.read(document)
    assert refused.value.reason_code in ("bad-experiment", "bad-fault")
    assert refused.value.action
