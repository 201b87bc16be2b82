# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rendered objects say of an explainer, and where they say it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.targets import PAUSED_REPLICAS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.capacity.deployed import Deployed, find
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Object, Place

NAME = "explainer-cpu"


def deployment(workers: Any = "4", **spec: Any) -> Object:
    env = [{"name": "LOG_LEVEL", "value": "INFO"}, {"name": "SECRET", "valueFrom": {}}]
    env += [] if workers is None else [{"name": "EXPLAINER_WORKERS", "value": workers}]
    containers = [{"name": "proxy"}, {"name": "explainer", "env": env}]
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME},
        "spec": {**spec, "template": {"spec": {"containers": containers}}},
    }
    return Object(body, Place("deployment.yaml", 1))


def scaled_object(triggers: Any = (), **spec: Any) -> Object:
    body = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "any"},
        "spec": {"scaleTargetRef": {"name": NAME}, "triggers": list(triggers), **spec},
    }
    return Object(body, Place("scaledobject.yaml", 1), {("spec", "maxReplicaCount"): 9})


def lag(metric_type: str = "Value", threshold: Any = "1.5", query: str = "max(explainer_queue_lag_seconds)") -> dict[str, Any]:
    return {"type": "prometheus", "metricType": metric_type, "metadata": {"query": query, "threshold": threshold}}


def found(*objects: Object) -> Deployed:
    return find(Bundle(rendered=objects), NAME, "EXPLAINER_WORKERS")


def numbers(deployed: Deployed) -> tuple[Any, ...]:
    fields = (deployed.concurrency, deployed.min_replicas, deployed.max_replicas, deployed.backlog_seconds_target)
    return tuple(stated.value if stated else None for stated in fields)


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ((deployment(), scaled_object([lag()], minReplicaCount=2, maxReplicaCount=12)), (4, 2, 12, 1.5)),
        ((deployment(None), scaled_object()), (None, 0, 100, None)),
        ((deployment(8), scaled_object([lag("AverageValue"), lag(query="sum(up)"), lag(threshold=3)], maxReplicaCount=3)), (8, 0, 3, 3)),
        ((deployment(replicas=3),), (4, 3, 3, None)),
        ((deployment(),), (4, 1, 1, None)),
    ],
    ids=["all", "left out", "second trigger", "fixed", "fixed and left out"],
)
def test_bounds_workers_and_target_are_read(objects: tuple[Object, ...], expected: tuple[Any, ...]) -> None:
    assert numbers(found(*objects)) == expected


def hpa(**target: str) -> Object:
    spec = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME, **target}, "maxReplicas": 5}
    return Object({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "spec": spec}, Place("hpa.yaml"))


def test_an_autoscaler_of_kubernetes_counts_too() -> None:
    assert numbers(found(deployment(), hpa())) == (4, 1, 5, None)


@pytest.mark.parametrize("target", [{"kind": "StatefulSet"}, {"apiVersion": "example.org/v1"}])
def test_an_autoscaler_of_another_workload_with_the_name_does_not(target: dict[str, str]) -> None:
    assert numbers(found(deployment(replicas=3), hpa(**target))) == (4, 3, 3, None)


def test_an_autoscaler_of_another_namespace_does_not() -> None:
    one = scaled_object(maxReplicaCount=9)
    elsewhere = Object({**one.body, "metadata": {"name": "any", "namespace": "other"}}, one.place)
    assert numbers(found(deployment(), elsewhere)) == (4, 1, 1, None)


def test_a_paused_autoscaler_holds_what_it_is_told() -> None:
    one = scaled_object([lag()], minReplicaCount=2, maxReplicaCount=9)
    paused = Object({**one.body, "metadata": {"name": "any", "annotations": {PAUSED_REPLICAS: "0"}}}, one.place)
    assert numbers(found(deployment(), paused)) == (4, 0, 0, 1.5)


def configured(*sources: dict[str, Any], env: Any = (), namespace: str = "") -> Deployed:
    """Workers that a ConfigMap states, taken over as the sources and variables say."""
    data = {"EXPLAINER_WORKERS": "2", "WORKERS": "6", "OTHER": "x"}
    metadata = {"name": "settings", **({"namespace": namespace} if namespace else {})}
    settings = Object({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}, Place("settings.yaml"))
    one = deployment(None)
    one.body["spec"]["template"]["spec"]["containers"][1].update({"envFrom": list(sources), "env": list(env)})
    return found(one, settings)


SETTINGS = {"configMapRef": {"name": "settings"}}


@pytest.mark.parametrize(
    ("deployed", "workers", "stated_by"),
    [
        (configured(SETTINGS), 2, "ConfigMap/settings data.EXPLAINER_WORKERS"),
        (configured({"prefix": "EXPLAINER_", **SETTINGS}), 6, "ConfigMap/settings data.WORKERS"),
        (configured(SETTINGS, {"prefix": "EXPLAINER_", **SETTINGS}), 6, "ConfigMap/settings data.WORKERS"),
        (
            configured(env=[{"name": "EXPLAINER_WORKERS", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "WORKERS"}}}]),
            6,
            "ConfigMap/settings data.WORKERS",
        ),
        (
            configured(SETTINGS, env=[{"name": "EXPLAINER_WORKERS", "value": "8"}]),
            8,
            "Deployment/explainer-cpu spec.template.spec.containers.1.env.0.value",
        ),
    ],
    ids=["all of it", "with a prefix", "the later", "one key", "overridden"],
)
def test_workers_are_read_from_config_maps(deployed: Deployed, workers: int, stated_by: str) -> None:
    assert deployed.concurrency is not None
    assert (deployed.concurrency.value, str(deployed.concurrency)) == (workers, stated_by)


@pytest.mark.parametrize(
    "deployed",
    [
        configured(SETTINGS, namespace="other"),
        configured({"configMapRef": {"name": "elsewhere"}}),
        configured({"secretRef": {"name": "settings"}}),
        # What a Secret says is in force, and not known.
        configured(SETTINGS, env=[{"name": "EXPLAINER_WORKERS", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]),
        configured(env=[{"name": "EXPLAINER_WORKERS", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "absent"}}}]),
        configured(None, {"configMapRef": []}, {"prefix": 7}, env=[None, {"name": []}]),  # type: ignore[arg-type]
    ],
)
def test_workers_that_are_not_rendered_are_not_stated(deployed: Deployed) -> None:
    assert deployed.concurrency is None


def test_the_place_of_a_bound_is_known() -> None:
    most = found(deployment(), scaled_object(maxReplicaCount=12)).max_replicas
    assert str(most.subject.place_of(most.path)) == "scaledobject.yaml:9"


@pytest.mark.parametrize(
    ("objects", "reason_code", "says"),
    [
        ((), "unknown-explainer", "the chart renders no Deployment explainer-cpu; it renders none"),
        (
            (deployment("many"),),
            "chart-number-invalid",
            "spec.template.spec.containers.1.env.2.value: 'many', expected a whole number from 1",
        ),
        ((deployment("2.5"),), "chart-number-invalid", "'2.5', expected a whole number"),
        ((deployment("0"),), "chart-number-invalid", "'0', expected a whole number from 1"),
        (
            (deployment(), scaled_object(maxReplicaCount="twelve")),
            "chart-number-invalid",
            "'twelve', expected a whole number from 0 (scaledobject",
        ),
        ((deployment(), scaled_object(minReplicaCount=True)), "chart-number-invalid", "minReplicaCount: True"),
        ((deployment(), scaled_object(maxReplicaCount=-1)), "chart-number-invalid", "maxReplicaCount: -1"),
        ((deployment(), scaled_object([lag(threshold="nan")])), "chart-number-invalid", "metadata.threshold: 'nan'"),
        ((deployment(), scaled_object([lag(threshold=None)])), "chart-number-invalid", "metadata.threshold: None"),
    ],
    ids=[
        "no workload",
        "words",
        "half a worker",
        "no worker",
        "max is a word",
        "min is a switch",
        "max is negative",
        "target is no number",
        "no target",
    ],
)
def test_what_is_no_number_is_named(objects: tuple[Object, ...], reason_code: str, says: str) -> None:
    with pytest.raises(CheckError) as fault:
        found(*objects)
    assert fault.value.reason_code == reason_code
    assert says in fault.value.reason


@pytest.mark.parametrize("triggers", ["none", [None, 7, {"metadata": []}, {"metricType": "Value", "metadata": {"query": 5}}]])
def test_triggers_of_any_shape_are_survived(triggers: Any) -> None:
    one = scaled_object()
    body = {**one.body, "spec": {**one.body["spec"], "triggers": triggers}}
    assert found(deployment(), Object(body, one.place)).backlog_seconds_target is None
