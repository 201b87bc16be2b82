# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pods request by Kubernetes' own rule, and which labels a selector selects."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Object, Place
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.workloads import Workload, matches, workloads


def container(cpu: Any = None, *, limit: Any = None, always: bool = False) -> dict[str, Any]:
    resources = {"requests": {"cpu": cpu} if cpu is not None else {}, "limits": {"cpu": limit} if limit is not None else {}}
    return {"name": "c", "resources": resources, **({"restartPolicy": "Always"} if always else {})}


def workload(kind: str = "Deployment", **pod_spec: Any) -> Workload:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec}
    spec = {"jobTemplate": {"spec": {"template": template}}} if kind == "CronJob" else {"template": template}
    (found,) = workloads(Bundle(rendered=(Object({"kind": kind, "metadata": {"name": "w"}, "spec": spec}, Place("f")),)))
    return found


@pytest.mark.parametrize(
    ("pod_spec", "cpu"),
    [
        ({"containers": [container("500m"), container(1)]}, "1.5"),
        ({"containers": [container(limit="2")]}, "2"),
        ({"containers": [container("1", limit="2")]}, "1"),
        ({"containers": [container()]}, "0"),
        ({"containers": [container("nonsense")]}, "0"),
        ({"containers": [container("1")], "initContainers": [container("3")]}, "3"),
        ({"containers": [container("1")], "initContainers": [container("500m")]}, "1"),
        ({"containers": [container("1")], "initContainers": [container("1", always=True)]}, "2"),
        ({"containers": [container("1")], "initContainers": [container("2", always=True), container("3")]}, "5"),
        ({"containers": [container("1")], "initContainers": [container("3"), container("2", always=True)]}, "3"),
        ({"containers": [container("1")], "overhead": {"cpu": "250m"}}, "1.25"),
        ({"containers": "nonsense"}, "0"),
    ],
)
def test_requests_of_a_pod(pod_spec: dict[str, Any], cpu: str) -> None:
    assert workload(**pod_spec).requests("cpu") == Decimal(cpu)


@pytest.mark.parametrize("kind", ["Deployment", "CronJob"])
def test_pods_are_found_where_the_kind_describes_them(kind: str) -> None:
    found = workload(kind, containers=[container("1")], initContainers=[container("1")])
    assert found.pod_labels == {"app": "web"}
    assert [found.object.at(*path) for path, _container in found.containers] == [one for _path, one in found.containers]
    assert found.resources == ("cpu",)


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "web", "tier": "x"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["db"]}]}, False),
        ({"matchExpressions": [{"key": "none", "operator": "In", "values": ["db"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "none", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "none", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Nonsense"}]}, False),
    ],
)
def test_a_selector_selects_labels(selector: dict[str, Any], selected: bool) -> None:
    assert matches(selector, {"app": "web"}) is selected
