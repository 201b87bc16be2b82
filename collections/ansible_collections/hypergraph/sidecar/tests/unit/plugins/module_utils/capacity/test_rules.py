# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule of capacity, by a deployment that breaks it and one that only just does not."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.capacity.rules import REGISTRY
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.capacity.plans import arguments, inspected

# By rule: what breaks it, what does not yet, and what the finding is about.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "capacity-utilisation-unsafe": ({"target_utilisation": 0.86}, {"target_utilisation": 0.85}, "explainer-cpu"),
    # 8 s less a p95 of 3 s.
    "capacity-cold-start-breaks-slo": (
        {"workload": {"base_attach_rate": 0.0}, "gpu": {"min_replicas": 0, "cold_start_seconds": 5.1}},
        {"workload": {"base_attach_rate": 0.0}, "gpu": {"min_replicas": 0, "cold_start_seconds": 5.0}},
        "explainer-gpu",
    ),
    # 2 s less a p95 of 0.8 s.
    "capacity-backlog-target-breaks-slo": (
        {"cpu": {"backlog_seconds_target": 1.21}},
        {"cpu": {"backlog_seconds_target": 1.2}},
        "explainer-cpu",
    ),
    # 12 / 2.8 = 4.3, so 5 and 20 % slack.
    "capacity-max-too-small": ({"cpu": {"max_replicas": 5}}, {"cpu": {"max_replicas": 6}}, "explainer-cpu"),
    # 15 busy workers, (3.4 x 20 + 4) / 24 = 3 times as many in a burst: 45 / 4 = 11.25.
    "capacity-burst-not-drained": (
        {"workload": {"burst_factor": 3.4, "burst_seconds": 20.0}, "gpu": {"max_replicas": 11}, "cpu": {"max_replicas": 11}},
        {"workload": {"burst_factor": 3.4, "burst_seconds": 20.0}, "gpu": {"max_replicas": 12}, "cpu": {"max_replicas": 11}},
        "explainer-gpu",
    ),
    # Tokens: 12 x 0.5 x 0.25 x 2 s keep 3 workers busy, more than the 2.8 of a replica; 11 chats/s keep 2.75.
    "capacity-min-too-small": (
        {"workload": {"base_attach_rate": 0.5, "base_chat_rate": 12.0}},
        {"workload": {"base_attach_rate": 0.5, "base_chat_rate": 11.0}},
        "explainer-gpu",
    ),
    # 8 x 2.8 / (40 x 0.25 x 3) = 0.747 for tokens, 6 x 2.8 / (40 x 0.75 x 0.8) = 0.7 for sentences.
    "capacity-saturates-below-peak": (
        {"workload": {"peak_attach_rate": 0.701}, "slack": 0.0},
        {"workload": {"peak_attach_rate": 0.7, "burst_factor": 1.0}, "slack": 0.0},
        "explainer-cpu",
    ),
    # The burst needs 6 of the CPU's and 6 of the GPU's.
    "capacity-overcommitted": ({"cpu": {"max_replicas": 19}}, {"cpu": {"max_replicas": 18}}, "explainer-cpu"),
    "capacity-utilisation-wasteful": (
        {"target_utilisation": 0.29, "cpu": {"max_replicas": 20, "min_replicas": 2}, "gpu": {"max_replicas": 20, "min_replicas": 2}},
        {"target_utilisation": 0.3, "cpu": {"max_replicas": 20, "min_replicas": 2}, "gpu": {"max_replicas": 20, "min_replicas": 2}},
        "explainer-cpu",
    ),
}


def test_every_rule_has_its_cases() -> None:
    assert list(CASES) == [rule.id for rule in REGISTRY]


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_finds_what_breaks_it(rule: str) -> None:
    breaking, _holding, subject = CASES[rule]
    verdict, findings = inspected(arguments(**breaking, fail_on="warning"))
    assert verdict["status"] == "fail"
    assert (subject, rule) in {(finding["object"], finding["rule"]) for finding in findings}
    assert rule in {assertion["reason_code"] for assertion in verdict["assertions"] if not assertion["ok"]}


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_leaves_what_only_just_holds(rule: str) -> None:
    _breaking, holding, _subject = CASES[rule]
    verdict, findings = inspected(arguments(**holding, fail_on="warning"))
    assert rule not in {finding["rule"] for finding in findings}
    assert verdict["evidence"]["rules_examined"][rule] > 0


@pytest.mark.parametrize("rule", [rule for rule in CASES if rule not in ("capacity-saturates-below-peak", "capacity-burst-not-drained")])
def test_the_headline_names_the_rule_that_was_broken(rule: str) -> None:
    verdict, _findings = inspected(arguments(**CASES[rule][0], fail_on="warning"))
    assert verdict["reason_code"] == rule


def test_what_is_too_small_for_the_peak_is_told_as_that_and_saturation_after_it() -> None:
    verdict, findings = inspected(arguments(cpu={"max_replicas": 3}))
    assert verdict["reason_code"] == "capacity-max-too-small"
    assert verdict["reason"] == (
        "The most replicas are enough for the peak by the p95, with slack: explainer-cpu: "
        "expected at least 6 replicas (5 for the peak and 20% slack), observed a maximum of 3 (+2 more)"
    )
    assert [finding["rule"] for finding in findings] == [
        "capacity-max-too-small",
        "capacity-burst-not-drained",
        "capacity-saturates-below-peak",
    ]


def test_warnings_are_told_and_do_not_fail() -> None:
    verdict, findings = inspected(arguments(cpu={"max_replicas": 19}))
    assert verdict["status"] == "pass"
    assert [(finding["rule"], finding["severity"]) for finding in findings] == [("capacity-overcommitted", "warning")]
    assert list(verdict["evidence"]["warnings"]) == ["capacity-overcommitted"]


def test_ten_per_cent_more_capacity_is_no_finding() -> None:
    verdict, findings = inspected(arguments(cpu={"max_replicas": 7}, gpu={"max_replicas": 9}, fail_on="warning"))
    assert (verdict["status"], findings) == ("pass", [])
