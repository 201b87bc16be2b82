# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on who scales what, how far, and what with where metrics fail: each finds what it is for, and nothing that only looks like it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling import bounds, fallback, ownership
from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.targets import PAUSED, PAUSED_REPLICAS, PAUSED_SCALE_OUT
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Path
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.autoscaling.scaled import (
    CACHE,
    JOB,
    MIXER,
    NIGHTS,
    WEB,
    WORKER,
    broken,
    bundle,
    rules_of,
    told,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit

OURS = rules_of(ownership, bounds, fallback)
DEPLOYMENT = "Deployment/web"
CONTAINERS = ("spec", "template", "spec", "containers")
BEHAVIOR = ("spec", "advanced", "horizontalPodAutoscalerConfig", "behavior", "scaleDown")
QUERY = ("spec", "triggers", 1, "metadata")
ANNOTATIONS = ("metadata", "annotations")

HPA = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web"},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "minReplicas": 2, "maxReplicas": 10},
}
SECOND = {
    "apiVersion": "keda.sh/v1alpha1",
    "kind": "ScaledObject",
    "metadata": {"name": "second"},
    "spec": {"scaleTargetRef": {"name": "web"}, "minReplicaCount": 1, "triggers": [{"type": "kafka", "metadata": {}}]},
}
LIMITS = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "defaults"},
    "spec": {"limits": [{"type": "Pod", "max": {"cpu": "4"}}, {"type": "Container", "defaultRequest": {"cpu": "100m"}}]},
}
UNBOUNDED: list[Edit] = [(DEPLOYMENT, (*CONTAINERS, 1, "resources"), GONE)]

VIOLATIONS: list[tuple[str, list[Edit], str]] = [
    ("scale-target-missing", [(WEB, ("spec", "scaleTargetRef", "name"), "webs")], "there is Deployment/mixer"),
    ("scale-target-missing", [(WEB, ("spec", "scaleTargetRef", "kind"), "StatefulSet")], "StatefulSet/web"),
    ("scale-target-missing", [(WEB, ("metadata", "namespace"), "other")], "in namespace other"),
    ("scale-target-missing", [(CACHE, ("spec", "scaleTargetRef", "apiVersion"), "apps/v1beta1/x")], "StatefulSet/cache"),
    ("scale-target-missing", [(WEB, ("spec", "scaleTargetRef"), GONE)], "Deployment/ in namespace lab"),
    ("scaled-by-keda-and-hpa", [("HorizontalPodAutoscaler/web", (), HPA)], "HorizontalPodAutoscaler/web too"),
    (
        "scaled-by-keda-and-hpa",
        [
            ("HorizontalPodAutoscaler/web", (), HPA),
            (WEB, (*ANNOTATIONS, "scaledobject.keda.sh/transfer-hpa-ownership"), "true"),
        ],
        "HorizontalPodAutoscaler/web too",
    ),
    ("scaled-twice", [("ScaledObject/second", (), SECOND)], "ScaledObject/second scales it too"),
    (
        "scaled-twice",
        [("HorizontalPodAutoscaler/web", (), HPA), (CACHE, ("spec", "scaleTargetRef"), HPA["spec"]["scaleTargetRef"])],
        "HorizontalPodAutoscaler/cache scales it too",
    ),
    (
        "scaled-twice",
        [(WORKER, ("spec", "advanced", "horizontalPodAutoscalerConfig", "name"), "keda-hpa-web")],
        "ScaledObject/worker makes keda-hpa-web too",
    ),
    ("replicas-owned-twice", [(DEPLOYMENT, ("spec", "replicas"), 2)], "replicas 2 beside ScaledObject/web"),
    ("replicas-owned-twice", [("StatefulSet/cache", ("spec", "replicas"), 1)], "beside HorizontalPodAutoscaler/cache"),
    ("autoscaler-name-too-long", [(WEB, ("metadata", "name"), "w" * 55)], "keda-hpa-www"),
    (
        "autoscaler-name-too-long",
        [(WEB, ("metadata", "name"), "w" * 64), (WEB, ("spec", "advanced", "horizontalPodAutoscalerConfig", "name"), "web")],
        "with 64",
    ),
    ("replica-bounds-inverted", [(WEB, ("spec", "minReplicaCount"), 11)], "at least the minReplicaCount of 11, observed 10"),
    ("replica-bounds-inverted", [(WEB, ("spec", "maxReplicaCount"), GONE), (WEB, ("spec", "minReplicaCount"), 101)], "observed 100"),
    ("replica-bounds-inverted", [(WEB, ("spec", "idleReplicaCount"), 2)], "fewer idle"),
    ("replica-bounds-inverted", [(WEB, ("spec", "minReplicaCount"), GONE), (WEB, ("spec", "idleReplicaCount"), 0)], "fewer idle"),
    ("replica-bounds-inverted", [(CACHE, ("spec", "minReplicas"), 7)], "observed 6"),
    ("replica-bounds-inverted", [(CACHE, ("spec", "minReplicas"), 0)], "at least 1"),
    ("autoscaler-paused", [(WEB, (*ANNOTATIONS, PAUSED), "true")], f"observed {PAUSED}: true"),
    ("autoscaler-paused", [(WEB, (*ANNOTATIONS, PAUSED), "yes")], f"observed {PAUSED}: yes"),
    ("autoscaler-paused", [(JOB, (*ANNOTATIONS, PAUSED), "1")], f"observed {PAUSED}: 1"),
    ("autoscaler-paused", [(WEB, (*ANNOTATIONS, PAUSED_REPLICAS), "0")], f"observed {PAUSED_REPLICAS}: 0"),
    # Which replicas are meant by it nobody knows, yet it pauses.
    ("autoscaler-paused", [(WEB, (*ANNOTATIONS, PAUSED_REPLICAS), "false")], f"observed {PAUSED_REPLICAS}: false"),
    ("autoscaler-paused", [(WEB, (*ANNOTATIONS, PAUSED_SCALE_OUT), "True")], f"observed {PAUSED_SCALE_OUT}: True"),
    ("zero-without-external-trigger", [(NIGHTS, ("spec", "minReplicaCount"), 0)], "minReplicaCount 0"),
    ("zero-without-external-trigger", [(NIGHTS, ("spec", "minReplicaCount"), GONE)], "minReplicaCount 0"),
    ("resource-request-missing", UNBOUNDED, "none in container proxy of Deployment/web"),
    (
        "resource-request-missing",
        [(WEB, ("spec", "triggers", 0, "metadata", "containerName"), "web"), (DEPLOYMENT, (*CONTAINERS, 0, "resources"), {})],
        "none in container web",
    ),
    ("resource-request-missing", [("StatefulSet/cache", (*CONTAINERS, 0, "resources", "limits"), {"cpu": 1})], "requests of memory"),
    (
        "resource-request-missing",
        [*UNBOUNDED, ("LimitRange/defaults", (), {**LIMITS, "metadata": {"namespace": "x", "name": "l"}})],
        "proxy",
    ),
    ("scaling-behavior-refused", [(WEB, (*BEHAVIOR, "stabilizationWindowSeconds"), 3601)], "from 0 to 3600 s, observed 3601"),
    ("scaling-behavior-refused", [(WEB, (*BEHAVIOR, "selectPolicy"), "Least")], "Least"),
    ("scaling-behavior-refused", [(WEB, (*BEHAVIOR, "policies"), [])], "an empty list"),
    ("scaling-behavior-refused", [(WEB, (*BEHAVIOR, "policies", 0, "periodSeconds"), 1801)], "1801"),
    ("scaling-behavior-refused", [(WEB, (*BEHAVIOR, "policies", 0, "periodSeconds"), 0)], "from 1 to 1800 s"),
    ("scaling-behavior-refused", [(WEB, (*BEHAVIOR, "stabilizationWindowSeconds"), -1)], "-1"),
    ("scaling-behavior-refused", [(WEB, (*BEHAVIOR, "policies", 0, "value"), 0)], "more than 0"),
    ("scaling-behavior-refused", [(CACHE, ("spec", "behavior", "scaleUp", "policies", 0, "type"), "Pod")], "Pods or Percent"),
    ("scaling-setting-inert", [(WEB, ("spec", "triggers", 1, "useCachedMetrics"), False)], "pollingInterval 15 with minReplicaCount 2"),
    ("scaling-setting-inert", [(WEB, ("spec", "cooldownPeriod"), 60)], "cooldownPeriod 60"),
    (
        "fallback-without-trigger",
        [(NIGHTS, ("spec", "fallback"), {"failureThreshold": 3, "replicas": 2})],
        "a trigger other than cpu and memory, and counts from 0, observed cpu",
    ),
    ("fallback-without-trigger", [(WEB, ("spec", "fallback", "failureThreshold"), -1)], "failureThreshold below 0"),
    ("fallback-hidden-by-nulls", [(WEB, (*QUERY, "ignoreNullValues"), GONE)], "none, which is true"),
    ("fallback-hidden-by-nulls", [(WEB, (*QUERY, "ignoreNullValues"), "true")], "observed true"),
    ("fallback-outside-bounds", [(WEB, ("spec", "fallback", "replicas"), 11)], "from 2 to 10, observed 11"),
    ("fallback-outside-bounds", [(WEB, ("spec", "fallback", "replicas"), 1)], "from 2 to 10, observed 1"),
    ("fallback-outside-bounds", [(WEB, ("spec", "fallback", "replicas"), 0), (WEB, ("spec", "minReplicaCount"), 0)], "observed 0"),
]

NEAR_MISSES: list[tuple[str, list[Edit]]] = [
    ("scale-target-missing", [(WORKER, ("spec", "scaleTargetRef", "kind"), GONE), (WEB, ("metadata", "namespace"), "lab")]),
    ("scale-target-missing", [(WEB, ("spec", "scaleTargetRef"), {"name": "cache", "kind": "StatefulSet"})]),
    ("autoscaler-paused", [(WEB, (*ANNOTATIONS, PAUSED), "False"), (WEB, (*ANNOTATIONS, PAUSED_SCALE_OUT), "0")]),
    ("autoscaler-paused", [(WEB, (*ANNOTATIONS, "autoscaling.keda.sh/paused-scale-in"), "true")]),
    ("autoscaler-paused", [(CACHE, (*ANNOTATIONS, PAUSED), "true")]),
    ("autoscaler-paused", [(JOB, (*ANNOTATIONS, PAUSED_REPLICAS), "0")]),
    ("scaled-by-keda-and-hpa", [(CACHE, ("spec", "scaleTargetRef", "name"), "web")]),
    ("scaled-by-keda-and-hpa", [("HorizontalPodAutoscaler/web", (), HPA), ("HorizontalPodAutoscaler/web", ("metadata", "namespace"), "b")]),
    (
        "scaled-by-keda-and-hpa",
        [
            ("HorizontalPodAutoscaler/web", (), HPA),
            ("HorizontalPodAutoscaler/web", (*ANNOTATIONS, "validations.keda.sh/hpa-ownership"), "false"),
        ],
    ),
    (
        "scaled-by-keda-and-hpa",
        [
            ("HorizontalPodAutoscaler/web", (), HPA),
            (WEB, (*ANNOTATIONS, "scaledobject.keda.sh/transfer-hpa-ownership"), "true"),
            (WEB, ("spec", "advanced", "horizontalPodAutoscalerConfig", "name"), "web"),
        ],
    ),
    ("scaled-twice", [("ScaledObject/second", (), SECOND), ("ScaledObject/second", ("metadata", "namespace"), "other")]),
    ("scaled-twice", [("HorizontalPodAutoscaler/web", (), HPA)]),
    ("replicas-owned-twice", [(DEPLOYMENT, ("spec", "replicas"), 2), (WEB, ("spec", "scaleTargetRef", "name"), "other")]),
    ("autoscaler-name-too-long", [(WEB, ("metadata", "name"), "w" * 54)]),
    (
        "autoscaler-name-too-long",
        [(WEB, ("metadata", "name"), "w" * 63), (WEB, ("spec", "advanced", "horizontalPodAutoscalerConfig", "name"), "web")],
    ),
    ("replica-bounds-inverted", [(WEB, ("spec", "minReplicaCount"), 10)]),
    ("replica-bounds-inverted", [(WEB, ("spec", "idleReplicaCount"), 1)]),
    # KEDA's own quirk: the 0 that is written is lifted to 1 before it is compared.
    ("replica-bounds-inverted", [(WORKER, ("spec", "idleReplicaCount"), 0)]),
    ("replica-bounds-inverted", [(WEB, ("spec", "maxReplicaCount"), GONE), (WEB, ("spec", "minReplicaCount"), 100)]),
    ("zero-without-external-trigger", [(NIGHTS, ("spec", "minReplicaCount"), 0), (NIGHTS, ("spec", "triggers", 1), {"type": "cron"})]),
    ("resource-request-missing", [*UNBOUNDED, ("LimitRange/defaults", (), LIMITS)]),
    ("resource-request-missing", [*UNBOUNDED, (WEB, ("spec", "triggers", 0, "metadata", "containerName"), "web")]),
    ("resource-request-missing", [(DEPLOYMENT, (*CONTAINERS, 1, "resources"), {"limits": {"cpu": 1}})]),
    (
        "resource-request-missing",
        [
            ("StatefulSet/cache", (*CONTAINERS, 0, "resources"), {}),
            (CACHE, ("spec", "metrics", 0, "resource", "target"), {"type": "AverageValue", "averageValue": "1Gi"}),
        ],
    ),
    ("scaling-behavior-refused", [(WEB, (*BEHAVIOR, "stabilizationWindowSeconds"), 3600)]),
    ("scaling-behavior-refused", [(WEB, (*BEHAVIOR, "stabilizationWindowSeconds"), 0), (WEB, (*BEHAVIOR, "policies"), GONE)]),
    ("scaling-behavior-refused", [(WEB, (*BEHAVIOR, "policies", 0, "periodSeconds"), 1800)]),
    ("scaling-behavior-refused", [(WEB, (*BEHAVIOR, "policies", 0), {"type": "Pods", "value": 1, "periodSeconds": 1})]),
    ("scaling-setting-inert", [(WEB, ("spec", "triggers", 1, "useCachedMetrics"), False), (WEB, ("spec", "idleReplicaCount"), 0)]),
    ("scaling-setting-inert", [(WORKER, ("spec", "pollingInterval"), 5)]),
    ("fallback-without-trigger", [(WEB, ("spec", "fallback", "failureThreshold"), 0)]),
    ("fallback-hidden-by-nulls", [(WEB, (*QUERY, "ignoreNullValues"), "F")]),
    ("fallback-hidden-by-nulls", [(WEB, (*QUERY, "ignoreNullValues"), GONE), (WEB, ("spec", "fallback"), GONE)]),
    ("fallback-outside-bounds", [(WEB, ("spec", "fallback", "replicas"), 10)]),
    ("fallback-outside-bounds", [(WEB, ("spec", "fallback", "replicas"), 2)]),
]


def test_the_reference_keeps_to_every_rule_and_every_rule_looks_at_it() -> None:
    judged = bundle()
    for rule in OURS:
        assert told(rule.id, judged) == [], rule.id
        assert list(rule.judge(judged)), rule.id


@pytest.mark.parametrize(("rule", "edits", "said"), VIOLATIONS)
def test_a_violation_is_found_and_told(rule: str, edits: list[Edit], said: str) -> None:
    found = told(rule, bundle(*edits))
    assert any(said in line for line in found), found


@pytest.mark.parametrize(("rule", "edits"), NEAR_MISSES)
def test_what_only_looks_like_a_violation_is_none(rule: str, edits: list[Edit]) -> None:
    assert told(rule, bundle(*edits)) == []


def test_every_rule_has_a_violation_and_a_near_miss() -> None:
    versioned = {"keda-too-old"}
    assert len(OURS) == 15
    assert {rule.id for rule in OURS} == {case[0] for case in VIOLATIONS} | versioned == {case[0] for case in NEAR_MISSES} | versioned


@pytest.mark.parametrize(
    ("edits", "setting", "since"),
    [
        ([(WEB, ("spec", "initialCooldownPeriod"), 60)], "initialCooldownPeriod", (2, 14)),
        ([], "scalingModifiers", (2, 12)),
        ([], "fallback.behavior with", (2, 17)),
        ([(MIXER, ("spec", "fallback", "behavior"), "scalingModifiers")], "fallback.behavior scalingModifiers", (2, 20)),
        ([(WEB, ("spec", "triggers", 1, "metricType"), "Value")], "a fallback for metricType Value", (2, 18)),
        ([(MIXER, ("spec", "advanced", "scalingModifiers", "metricType"), "Value")], "a fallback for metricType Value", (2, 18)),
        ([(WORKER, ("spec", "fallback"), {"failureThreshold": 3, "replicas": 2})], "a fallback from zero", (2, 19)),
    ],
)
def test_what_a_version_of_keda_lacks_is_told(edits: list[Edit], setting: str, since: tuple[int, int]) -> None:
    before = (since[0], since[1] - 1, 9)
    assert any(setting in line for line in told("keda-too-old", bundle(*edits, keda=before)))
    assert not any(setting in line for line in told("keda-too-old", bundle(*edits, keda=since)))


def test_a_fallback_without_a_behavior_needs_no_newer_keda() -> None:
    lines = told("keda-too-old", bundle((WEB, ("spec", "fallback", "behavior"), GONE), keda=(2, 12)))
    assert lines == []


def test_zero_replicas_may_be_kubernetes_own_from_the_version_on_that_can() -> None:
    zero: Edit = (CACHE, ("spec", "minReplicas"), 0)
    assert told("replica-bounds-inverted", bundle(zero, kubernetes=(1, 35)))
    assert told("replica-bounds-inverted", bundle(zero, kubernetes=(1, 36))) == []


APPLICATION = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web}
spec:
  syncPolicy: {syncOptions: [RespectIgnoreDifferences=true]}
  ignoreDifferences: [{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}]
"""


@pytest.mark.parametrize(
    ("given", "instead", "left"),
    [
        ("", "", True),
        ("kind: Application", "kind: ApplicationSet", False),
        ("RespectIgnoreDifferences=true", "CreateNamespace=true", False),
        ("[/spec/replicas]", "[/spec/paused]", False),
        ("jsonPointers: [/spec/replicas]", "jqPathExpressions: [.spec.replicas]", True),
        ("kind: Deployment", "kind: StatefulSet", False),
        ("kind: Deployment", "kind: Deployment, name: web", True),
        ("kind: Deployment", "kind: Deployment, name: worker", False),
        ("group: apps", 'group: "*"', True),
        ("group: apps, kind: Deployment", "kind: Deployment", False),
        ("kind: Deployment", "kind: Deploy*", True),
    ],
)
def test_replicas_are_left_to_the_autoscaler_where_argo_cd_ignores_them(given: str, instead: str, left: bool) -> None:
    judged = bundle((DEPLOYMENT, ("spec", "replicas"), 2), argocd=APPLICATION.replace(given, instead))
    assert (told("replicas-owned-twice", judged) == []) is left


def test_an_application_set_is_looked_into() -> None:
    body = "\n".join("      " + line for line in APPLICATION.splitlines()[5:])
    text = f"kind: ApplicationSet\napiVersion: argoproj.io/v1alpha1\nmetadata: {{name: web}}\nspec:\n  template:\n    spec:\n{body}\n"
    assert told("replicas-owned-twice", bundle((DEPLOYMENT, ("spec", "replicas"), 2), argocd=text)) == []


def test_a_finding_leads_to_its_place() -> None:
    (found,) = broken("scaling-behavior-refused", bundle((WEB, (*BEHAVIOR, "policies", 0, "value"), 0)))
    assert found.path == (*BEHAVIOR, "policies", 0, "value")


@pytest.mark.parametrize("rubbish", [None, 7, "text", [], [7, None], {"a": 7}, True, [[]], {"metadata": 7}])
@pytest.mark.parametrize(
    "place",
    [
        (WEB, ("spec",)),
        (WEB, ("metadata",)),
        (WEB, ("spec", "scaleTargetRef")),
        (WEB, ("spec", "scaleTargetRef", "name")),
        (WEB, ("spec", "minReplicaCount")),
        (WEB, ("spec", "idleReplicaCount")),
        (WEB, ("spec", "pollingInterval")),
        (WEB, ("spec", "fallback")),
        (WEB, ("spec", "fallback", "replicas")),
        (WEB, ("spec", "advanced")),
        (WEB, BEHAVIOR),
        (WEB, (*BEHAVIOR, "policies")),
        (WEB, ("spec", "triggers")),
        (WEB, ("spec", "triggers", 0)),
        (WEB, ("spec", "triggers", 1, "type")),
        (CACHE, ("spec", "metrics")),
        (CACHE, ("spec", "metrics", 0, "resource")),
        (DEPLOYMENT, ("spec",)),
        (DEPLOYMENT, CONTAINERS),
        (DEPLOYMENT, (*CONTAINERS, 0, "resources")),
    ],
)
def test_rubbish_crashes_no_rule(place: tuple[str, Path], rubbish: Any) -> None:
    name, path = place
    judged = bundle((name, path, rubbish))
    for rule in OURS:
        assert all(isinstance(str(outcome), str) for outcome in rule.judge(judged))
