# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people set in a chart's values is what is rendered, field by field and in the same unit."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling import values_agreement
from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.values_agreement import settings
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.autoscaling.lagging import (
    SCALER,
    SETTINGS,
    TRIGGER,
    WORKLOAD,
    Setting,
    asked,
    release,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.autoscaling.scaled import rules_of, told
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit

OURS = rules_of(values_agreement)
WINDOW = ("spec", "advanced", "horizontalPodAutoscalerConfig", "behavior", "scaleDown", "stabilizationWindowSeconds")
THRESHOLD = (*TRIGGER, "metadata", "threshold")
SECOND: dict[str, Any] = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject"}
HPA = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "shop-explainer"},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop-explainer"}, "maxReplicas": 5},
}


def setting(name: str, value: Any) -> Setting:
    return ((*SETTINGS, name), value)


VIOLATIONS: list[tuple[str, list[Edit], list[Setting], str]] = [
    ("scaled-object-missing", [(SCALER, (), GONE)], [], "values explainer.autoscaling"),
    ("scaled-object-missing", [], [setting("enabled", False)], "none, since explainer.autoscaling.enabled is false"),
    ("scaled-object-missing", [], [(("gateway", "hpa"), {"minReplicas": 1, "maxReplicas": 3})], "values gateway.hpa"),
    (
        "scaled-object-missing",
        [],
        [(("explainer", "hpa"), {"minReplicas": 2, "maxReplicas": 12})],
        "values explainer.hpa",
    ),
    (
        "values-disagree",
        [(SCALER, ("spec", "minReplicaCount"), 3)],
        [],
        "expected 2, as explainer.autoscaling.minReplicas says, observed 3",
    ),
    ("values-disagree", [(SCALER, ("spec", "minReplicaCount"), GONE)], [], "minReplicas says, observed 0"),
    ("values-disagree", [(SCALER, ("spec", "maxReplicaCount"), GONE)], [], "maxReplicas says, observed 100"),
    ("values-disagree", [(SCALER, ("spec", "fallback", "replicas"), 5)], [], "fallbackReplicas says, observed 5"),
    ("values-disagree", [(SCALER, ("spec", "pollingInterval"), 30)], [], "pollingInterval says, observed 30"),
    ("values-disagree", [(SCALER, WINDOW, 18000)], [], "cooldownPeriod says, observed 18000"),
    ("values-disagree", [(SCALER, ("spec", "cooldownPeriod"), 600)], [], "cooldownPeriod says, observed 600"),
    ("values-disagree", [], [setting("maxReplicas", "many")], "expected many"),
    ("backlog-target-disagrees", [(SCALER, THRESHOLD, "15")], [], "expected threshold 1.5"),
    ("backlog-target-disagrees", [(SCALER, THRESHOLD, "1500m")], [], "observed 1500m"),
    ("backlog-target-disagrees", [(SCALER, THRESHOLD, GONE)], [], "observed none"),
    ("backlog-target-disagrees", [(SCALER, (*TRIGGER, "metricType"), "AverageValue")], [], "divided by the replicas"),
    ("backlog-target-disagrees", [(SCALER, (*TRIGGER, "metricType"), GONE)], [], "none, which is AverageValue"),
    ("backlog-target-disagrees", [asked("sum(queue_depth)")], [], "a trigger in seconds"),
    ("backlog-target-disagrees", [asked("max(lag_milliseconds)")], [], "a trigger in seconds"),
    ("backlog-target-disagrees", [asked("max(lag_seconds) * 1000")], [], "a trigger in seconds"),
    ("backlog-target-disagrees", [asked("sum(rate(busy_seconds[5m]))")], [], "a trigger in seconds"),
    ("backlog-target-disagrees", [asked("max(lag_seconds) / sum(workers)")], [], "a trigger in seconds"),
    ("backlog-target-disagrees", [asked("max(lag_seconds")], [], "a trigger in seconds"),
]

NEAR_MISSES: list[tuple[str, list[Edit], list[Setting]]] = [
    ("scaled-object-missing", [(SCALER, (), GONE)], [setting("enabled", False)]),
    (
        "scaled-object-missing",
        [],
        [setting("enabled", False), (("explainer", "keda"), {"enabled": True, "minReplicas": 2, "maxReplicas": 12})],
    ),
    ("scaled-object-missing", [], [(("gateway", "limits"), {"minReplicas": 1})]),
    (
        "scaled-object-missing",
        [(WORKLOAD, ("metadata", "name"), "shop-worker"), (SCALER, ("spec", "scaleTargetRef", "name"), "shop-worker")],
        [],
    ),
    ("values-disagree", [(SCALER, ("spec", "minReplicaCount"), GONE)], [setting("minReplicas", 0)]),
    ("values-disagree", [(SCALER, ("spec", "pollingInterval"), GONE)], []),
    ("values-disagree", [(SCALER, WINDOW, 30), (SCALER, ("spec", "cooldownPeriod"), 300)], []),
    ("values-disagree", [(SCALER, WINDOW, GONE)], []),
    ("values-disagree", [], [setting("maxReplicas", "12")]),
    ("values-disagree", [(SCALER, ("spec", "minReplicaCount"), 3)], [setting("enabled", False)]),
    ("backlog-target-disagrees", [(SCALER, THRESHOLD, "1.50")], []),
    ("backlog-target-disagrees", [asked("max(max_over_time(lag_seconds[1m])) or vector(0)")], []),
    ("backlog-target-disagrees", [asked("sum(queue_depth)")], [setting("backlogSecondsTarget", GONE)]),
]


@pytest.mark.parametrize(("rule", "edits", "values", "said"), VIOLATIONS)
def test_a_violation_is_found_and_told(rule: str, edits: list[Edit], values: list[Setting], said: str) -> None:
    found = told(rule, release(*edits, values=values))
    assert any(said in one for one in found), found


@pytest.mark.parametrize(("rule", "edits", "values"), NEAR_MISSES)
def test_what_only_looks_like_a_violation_is_none(rule: str, edits: list[Edit], values: list[Setting]) -> None:
    assert told(rule, release(*edits, values=values)) == []


def test_every_rule_has_a_violation_and_a_near_miss_and_looks_at_the_reference() -> None:
    assert len(OURS) == 3
    assert {rule.id for rule in OURS} == {case[0] for case in VIOLATIONS} == {case[0] for case in NEAR_MISSES}
    looks = {rule.id: len(list(rule.judge(release()))) for rule in OURS}
    assert looks == {"scaled-object-missing": 1, "values-disagree": 5, "backlog-target-disagrees": 2}
    assert all(told(rule.id, release()) == [] for rule in OURS)


@pytest.mark.parametrize(
    ("path", "workload"),
    [
        (("explainer", "autoscaling"), "shop-explainer"),
        (("autoscaling",), "shop-explainer"),
        (("explainer", "keda"), "shop-explainer"),
        (("shop", "explainer", "scaling"), "shop-explainer"),
        (("shopExplainer",), "shop-explainer"),
        (("plainer",), None),
        (("explainer", "cpu", "autoscaling"), None),
    ],
)
def test_settings_are_for_the_workload_on_their_way(path: tuple[str, ...], workload: str | None) -> None:
    values = [(SETTINGS, {}), (path, {"minReplicas": 1, "maxReplicas": 2})]
    (found,) = settings(release(values=values))
    assert (found.scaler.target.name if found.scaler else None) == workload


def test_a_label_tells_better_than_a_name() -> None:
    other = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "b"}, "spec": {}}
    labelled = {**other, "metadata": {"name": "long-named", "labels": {"app.kubernetes.io/component": "b"}}}
    scalers = [{**SECOND, "metadata": {"name": name}, "spec": {"scaleTargetRef": {"name": name}}} for name in ("b", "long-named")]
    bundle = release(
        ("Deployment/b", (), other),
        ("Deployment/long-named", (), labelled),
        ("ScaledObject/b", (), scalers[0]),
        ("ScaledObject/long-named", (), scalers[1]),
        values=[(SETTINGS, {}), (("b", "autoscaling"), {"minReplicas": 1, "maxReplicas": 2})],
    )
    (found,) = settings(bundle)
    assert found.scaler is not None
    assert found.scaler.target.name == "long-named"


def test_settings_of_an_hpa_are_for_the_hpa() -> None:
    bundle = release(
        (SCALER, (), GONE), ("HorizontalPodAutoscaler/shop-explainer", (), HPA), values=[(SETTINGS, {"minReplicas": 1, "maxReplicas": 6})]
    )
    assert [str(one) for one in told("values-disagree", bundle)] == [
        "HorizontalPodAutoscaler/shop-explainer spec.maxReplicas: expected 6, as explainer.autoscaling.maxReplicas says, "
        "observed 5 (reference.yaml)"
    ]


@pytest.mark.parametrize("rubbish", [None, 7, "text", [], [7, None], {"a": 7}, True])
@pytest.mark.parametrize(
    "place", [("explainer",), SETTINGS, (*SETTINGS, "minReplicas"), (*SETTINGS, "backlogSecondsTarget"), (*SETTINGS, "enabled")]
)
def test_rubbish_in_values_crashes_no_rule(place: tuple[str, ...], rubbish: Any) -> None:
    judged = release(values=[(place, rubbish)])
    for rule in OURS:
        assert all(isinstance(str(outcome), str) for outcome in rule.judge(judged))
