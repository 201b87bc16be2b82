# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Autoscalers are read as KEDA and Kubernetes read them, with what is left out."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.targets import (
    PAUSED_REPLICAS,
    autoscaled,
    autoscalers,
    scaled_objects,
)
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.autoscaling.scaled import CACHE, WEB, bundle
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE


def bounds(judged: Bundle, name: str) -> tuple[int, int]:
    (one,) = (one for one in autoscalers(judged) if str(one.object) == name)
    return one.min_replicas, one.max_replicas


def test_workloads_are_found_with_what_scales_them() -> None:
    found = {
        str(target.workload.object): (str(target.autoscaler.object), target.min_replicas, target.max_replicas)
        for target in autoscaled(bundle())
    }
    assert found == {
        "Deployment/web": ("ScaledObject/web", 2, 10),
        "Deployment/worker": ("ScaledObject/worker", 0, 12),
        "StatefulSet/cache": ("HorizontalPodAutoscaler/cache", 1, 6),
        "Deployment/mixer": ("ScaledObject/mixer", 1, 5),
        "Deployment/nights": ("ScaledObject/nights", 1, 5),
    }


@pytest.mark.parametrize(("told", "held"), [("0", (0, 0)), ("3", (3, 3)), (7, (7, 7)), ("false", (2, 10)), ("-1", (2, 10))])
def test_a_paused_workload_has_the_replicas_it_is_held_at(told: Any, held: tuple[int, int]) -> None:
    judged = bundle((WEB, ("metadata", "annotations", PAUSED_REPLICAS), told), (CACHE, ("metadata", "annotations", PAUSED_REPLICAS), "9"))
    found = {target.workload.object.name: (target.min_replicas, target.max_replicas) for target in autoscaled(judged)}
    assert (found["web"], found["cache"]) == (held, (1, 6))
    # What is declared stays what it is.
    assert bounds(judged, WEB) == (2, 10)


def test_a_workload_with_two_autoscalers_is_there_twice() -> None:
    judged = bundle((CACHE, ("spec", "scaleTargetRef"), {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}))
    scalers = [str(target.autoscaler.object) for target in autoscaled(judged) if target.workload.object.name == "web"]
    assert sorted(scalers) == ["HorizontalPodAutoscaler/cache", "ScaledObject/web"]


@pytest.mark.parametrize("nothing", [GONE, None, "3", True, 2.5, []])
def test_a_bound_that_is_none_is_the_default(nothing: Any) -> None:
    given: list[Any] = [(WEB, ("spec", "minReplicaCount"), nothing), (WEB, ("spec", "maxReplicaCount"), nothing)]
    assert bounds(bundle(*given), WEB) == (0, 100)
    least: list[Any] = [] if nothing is GONE else [(CACHE, ("spec", "minReplicas"), nothing)]
    assert bounds(bundle(*least, (CACHE, ("spec", "maxReplicas"), nothing)), CACHE) == (1, 1)


@pytest.mark.parametrize(("advanced", "name"), [({}, "keda-hpa-web"), ({"horizontalPodAutoscalerConfig": {"name": "own"}}, "own")])
def test_the_name_of_the_autoscaler_that_keda_makes(advanced: dict[str, Any], name: str) -> None:
    (one,) = (one for one in scaled_objects(bundle((WEB, ("spec", "advanced"), advanced))) if str(one.object) == WEB)
    assert one.hpa_name == name


@pytest.mark.parametrize(
    ("namespace", "found"),
    [("lab", True), ("other", False)],
)
def test_an_autoscaler_reaches_only_into_its_own_namespace(namespace: str, found: bool) -> None:
    names = {str(target.workload.object) for target in autoscaled(bundle((WEB, ("metadata", "namespace"), namespace)))}
    assert ("Deployment/web" in names) is found


def test_autoscalers_of_other_apis_are_none_of_these() -> None:
    judged = bundle((WEB, ("apiVersion",), "example.org/v1"), (CACHE, ("apiVersion",), "example.org/v1"))
    assert {WEB, CACHE}.isdisjoint(str(one.object) for one in autoscalers(judged))
