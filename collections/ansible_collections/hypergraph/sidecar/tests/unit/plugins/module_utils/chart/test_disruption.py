# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Budgets that protect nobody, or let nobody go, are found; those that hold at the fewest replicas are not."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.disruption import RULES
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.chart.served import COURIER, STORE, release, told, unjudged
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit

OF_WEB, OF_STORE, OF_COURIER = "PodDisruptionBudget/web", "PodDisruptionBudget/store", "PodDisruptionBudget/courier"
SELECTOR = ("spec", "selector")
MOST, LEAST = ("spec", "maxUnavailable"), ("spec", "minAvailable")
SCALED = ("ScaledObject/web", ("spec", "minReplicaCount"))
OPERATED = {"apiVersion": "queue.example.org/v1", "kind": "Broker", "metadata": {"name": "broker"}}
HPA = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "courier"},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "courier"}, "minReplicas": 1, "maxReplicas": 9},
}


def at_least(name: str, count: Any) -> list[Edit]:
    return [(name, ("spec",), {"minAvailable": count, "selector": {"matchLabels": {"app": name.partition("/")[2]}}})]


VIOLATIONS: list[tuple[str, list[Edit], dict[str, Any], str]] = [
    ("budget-ambiguous", [(OF_WEB, LEAST, 1)], {}, "minAvailable and maxUnavailable"),
    ("budget-ambiguous", [(OF_WEB, MOST, GONE)], {}, "neither"),
    ("budget-selects-nothing", [(OF_WEB, (*SELECTOR, "matchLabels", "app"), "webs")], {}, "no pod has these labels"),
    ("budget-selects-nothing", [(OF_WEB, SELECTOR, GONE)], {}, "PodDisruptionBudget/web"),
    ("budget-selects-nothing", [(OF_WEB, ("metadata", "namespace"), "other")], {}, "PodDisruptionBudget/web"),
    ("budgets-overlap", [(OF_WEB, SELECTOR, {})], {}, "PodDisruptionBudget/web, PodDisruptionBudget/courier"),
    ("budget-spans-workloads", [(OF_WEB, (*SELECTOR, "matchLabels"), {"tier": "shop"})], {}, "Deployment/web, StatefulSet/store"),
    ("budget-blocks-eviction", [(OF_WEB, MOST, 0)], {}, "maxUnavailable 0 with 2 replica(s)"),
    ("budget-blocks-eviction", [(OF_WEB, MOST, "0%")], {}, "maxUnavailable 0%"),
    ("budget-blocks-eviction", at_least(OF_WEB, 2), {}, "minAvailable 2 with 2 replica(s)"),
    ("budget-blocks-eviction", at_least(OF_WEB, "51%"), {}, "minAvailable 51% with 2 replica(s)"),
    ("budget-blocks-eviction", [*at_least(OF_WEB, 1), (*SCALED, 0)], {}, "minAvailable 1 with 1 replica(s)"),
    ("budget-blocks-eviction", [*at_least(OF_WEB, 1), (*SCALED, GONE)], {}, "minAvailable 1 with 1 replica(s)"),
    ("budget-blocks-eviction", [*at_least(OF_COURIER, 1), ("HorizontalPodAutoscaler/courier", (), HPA)], {}, "with 1 replica(s)"),
    ("budget-blocks-eviction", [*at_least(OF_STORE, 3)], {}, "minAvailable 3 with 3 replica(s)"),
    ("budget-protects-nothing", [(OF_WEB, MOST, 2)], {}, "maxUnavailable 2 with 2 replica(s)"),
    ("budget-protects-nothing", [(OF_WEB, MOST, "100%")], {}, "maxUnavailable 100%"),
    ("budget-protects-nothing", at_least(OF_STORE, 0), {}, "minAvailable 0"),
    ("budget-missing", [(OF_STORE, (), GONE)], {}, "StatefulSet/store: expected a PodDisruptionBudget, observed none, with 3 replicas"),
    ("budget-missing", [(OF_WEB, (), GONE)], {}, "none, with 2 replicas"),
]

NEAR_MISSES: list[tuple[str, list[Edit], dict[str, Any]]] = [
    ("budget-ambiguous", [(OF_WEB, LEAST, None)], {}),
    ("budget-ambiguous", [(OF_WEB, MOST, 0)], {}),
    ("budget-selects-nothing", [(OF_COURIER, (), GONE), (OF_STORE, (), GONE), (OF_WEB, SELECTOR, {})], {}),
    ("budget-selects-nothing", [("Broker/broker", (), OPERATED), (OF_WEB, (*SELECTOR, "matchLabels", "app"), "broker")], {}),
    ("budgets-overlap", [(OF_WEB, SELECTOR, {}), (OF_WEB, ("metadata", "namespace"), "other")], {}),
    ("budget-spans-workloads", [(OF_WEB, (*SELECTOR, "matchLabels", "tier"), "shop")], {}),
    (
        "budget-spans-workloads",
        [(OF_WEB, (*SELECTOR, "matchLabels"), {"tier": "shop"}), (STORE, ("kind",), "Job"), (COURIER, (), GONE)],
        {},
    ),
    ("budget-blocks-eviction", at_least(OF_WEB, 1), {}),
    ("budget-blocks-eviction", at_least(OF_WEB, "50%"), {}),
    ("budget-blocks-eviction", [(OF_WEB, MOST, "1%")], {}),
    (
        "budget-blocks-eviction",
        [*at_least(OF_COURIER, 2), ("HorizontalPodAutoscaler/courier", (), {**HPA, "spec": {**HPA["spec"], "minReplicas": 3}})],
        {},
    ),
    ("budget-blocks-eviction", [*at_least(OF_STORE, 3), (STORE, ("kind",), "DaemonSet")], {}),
    ("budget-blocks-eviction", at_least(OF_WEB, "2"), {}),
    ("budget-blocks-eviction", [*at_least(OF_STORE, 1), (STORE, ("spec", "replicas"), 0)], {}),
    ("budget-protects-nothing", [(OF_WEB, MOST, 1)], {}),
    ("budget-protects-nothing", [(OF_WEB, MOST, "100%"), (*SCALED, 1)], {}),
    ("budget-protects-nothing", at_least(OF_STORE, "1%"), {}),
    ("budget-missing", [(OF_WEB, (), GONE), (*SCALED, 1)], {}),
    ("budget-missing", [(OF_STORE, (), GONE), (STORE, ("spec", "replicas"), GONE)], {}),
    ("budget-missing", [(OF_STORE, (), GONE), (STORE, ("kind",), "DaemonSet")], {}),
    ("budget-missing", [(OF_STORE, (), GONE)], {"production": False}),
    ("budget-missing", [(OF_STORE, (), GONE)], {"expected_kinds": ("NetworkPolicy",)}),
    ("budget-missing", [(OF_STORE, (), GONE), (OF_COURIER, (), GONE), (OF_WEB, SELECTOR, {})], {}),
]


@pytest.mark.parametrize(("rule", "edits", "demands", "said"), VIOLATIONS)
def test_a_violation_is_found_and_told(rule: str, edits: list[Edit], demands: dict[str, Any], said: str) -> None:
    found = told(RULES, rule, release(*edits, **demands))
    assert any(said in line for line in found), found


@pytest.mark.parametrize(("rule", "edits", "demands"), NEAR_MISSES)
def test_what_only_looks_like_a_violation_is_none(rule: str, edits: list[Edit], demands: dict[str, Any]) -> None:
    assert told(RULES, rule, release(*edits, **demands)) == []


def test_a_budget_that_may_be_of_an_operator_s_pods_is_told_as_not_judged() -> None:
    drifted: list[Edit] = [("Broker/broker", (), OPERATED), (OF_WEB, (*SELECTOR, "matchLabels", "app"), "broker")]
    (said,) = unjudged(RULES, "budget-selects-nothing", release(*drifted))
    assert said.startswith("PodDisruptionBudget/web selects nothing that is rendered")
    assert "queue.example.org/v1 Broker" in said
    assert unjudged(RULES, "budget-selects-nothing", release(*drifted, selects_operator_pods=(OF_WEB,))) == []


def test_every_rule_has_a_violation_and_a_near_miss() -> None:
    assert {rule.id for rule in RULES} == {case[0] for case in VIOLATIONS} == {case[0] for case in NEAR_MISSES}
