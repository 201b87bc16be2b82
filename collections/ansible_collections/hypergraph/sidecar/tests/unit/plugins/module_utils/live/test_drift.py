# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a live object differs from what is rendered: each kind of difference, and what is none."""

from __future__ import annotations

import base64
import copy
from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.live.digests import digested
from ansible_collections.hypergraph.sidecar.plugins.module_utils.live.drift import Difference, differences
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Object, Path, Place

POD: Path = ("spec", "template", "spec")
SERVER: Path = (*POD, "containers", 0)
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"app": "web"}, "annotations": {}},
    "spec": {
        "replicas": 3,
        "minReadySeconds": 0,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "automountServiceAccountToken": False,
                "hostNetwork": False,
                "nodeSelector": {"pool": "cpu"},
                "tolerations": [{"key": "pool", "operator": "Exists"}],
                "containers": [
                    {
                        "name": "server",
                        "image": "web:1",
                        "args": ["--fast"],
                        "command": [],
                        "env": [{"name": "LEVEL", "value": "1"}, {"name": "EMPTY", "value": ""}],
                        "ports": [{"name": "http", "containerPort": 8080}],
                        "resources": {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"cpu": "1.5"}},
                        "securityContext": None,
                    }
                ],
                "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}],
            },
        },
    },
}
# As the API server tells it: defaults, what is empty left out, quantities in its own way of writing them.
LIVE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "uid": "5",
        "resourceVersion": "9",
        "generation": 4,
        "labels": {"app": "web", "added-by": "a-controller"},
        "annotations": {"deployment.kubernetes.io/revision": "7"},
    },
    "spec": {
        "replicas": 3,
        "progressDeadlineSeconds": 600,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}, "annotations": {"kubectl.kubernetes.io/restartedAt": "yesterday"}},
            "spec": {
                "automountServiceAccountToken": False,
                "dnsPolicy": "ClusterFirst",
                "nodeSelector": {"pool": "cpu"},
                "tolerations": [{"key": "pool", "operator": "Exists", "effect": "NoSchedule"}],
                "containers": [
                    {
                        "name": "server",
                        "image": "web:1",
                        "imagePullPolicy": "IfNotPresent",
                        "args": ["--fast"],
                        "env": [{"name": "EMPTY"}, {"name": "LEVEL", "value": "1"}],
                        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                        "resources": {"requests": {"cpu": "1", "memory": "1024Mi"}, "limits": {"cpu": "1500m"}},
                    }
                ],
                "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "1024Mi"}}],
            },
        },
    },
    "status": {"readyReplicas": 1},
}
GONE = object()


def compared(rendered: Mapping[str, Any], live: Mapping[str, Any], *alone: Path) -> list[Difference]:
    return list(differences(Object(rendered, Place("web.yaml")), digested(live), frozenset(alone)))


def edited(body: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A copy with one part changed, taken away or, at the end of a list, added."""
    found = copy.deepcopy(dict(body))
    part: Any = found
    for key in path[:-1]:
        part = part[key]
    if value is GONE:
        del part[path[-1]]
    elif isinstance(part, list) and path[-1] == len(part):
        part.append(value)
    else:
        part[path[-1]] = value
    return found


def test_what_the_api_server_adds_is_no_drift() -> None:
    assert compared(DEPLOYMENT, LIVE) == []


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("metadata", "labels", "app"), "other", ("metadata", "labels", "app")),
        (("metadata", "labels", "app"), GONE, ("metadata", "labels", "app")),
        (("spec", "replicas"), 2, ("spec", "replicas")),
        (("spec", "selector", "matchLabels", "tier"), "x", ("spec", "selector", "matchLabels", "tier")),
        ((*POD, "nodeSelector", "zone"), "a", (*POD, "nodeSelector", "zone")),
        ((*POD, "automountServiceAccountToken"), GONE, (*POD, "automountServiceAccountToken")),
        ((*POD, "automountServiceAccountToken"), True, (*POD, "automountServiceAccountToken")),
        ((*POD, "hostNetwork"), True, (*POD, "hostNetwork")),
        ((*POD, "tolerations", 1), {"operator": "Exists"}, (*POD, "tolerations")),
        ((*POD, "tolerations", 0, "operator"), "Equal", (*POD, "tolerations", 0, "operator")),
        ((*SERVER, "image"), "web:2", (*SERVER, "image")),
        ((*SERVER, "args"), ["--slow"], (*SERVER, "args", 0)),
        ((*SERVER, "args", 1), "--loud", (*SERVER, "args")),
        ((*SERVER, "command"), ["sh"], (*SERVER, "command")),
        ((*SERVER, "env", 1, "value"), "2", (*SERVER, "env", 0, "value")),
        ((*SERVER, "env", 1, "value"), "1000m", (*SERVER, "env", 0, "value")),
        ((*SERVER, "env", 1, "value"), 1, (*SERVER, "env", 0, "value")),
        ((*SERVER, "env", 1), GONE, (*SERVER, "env", 0)),
        ((*SERVER, "env", 0, "value"), "not empty", (*SERVER, "env", 1, "value")),
        ((*SERVER, "ports", 0, "protocol"), "UDP", (*SERVER, "ports", 0)),
        ((*SERVER, "ports", 0, "containerPort"), 8081, (*SERVER, "ports", 0)),
        ((*SERVER, "resources", "requests", "cpu"), "1001m", (*SERVER, "resources", "requests", "cpu")),
        ((*SERVER, "resources", "limits"), GONE, (*SERVER, "resources", "limits")),
        ((*SERVER, "name"), "renamed", SERVER),
        ((*POD, "volumes", 0, "emptyDir", "sizeLimit"), "2Gi", (*POD, "volumes", 0, "emptyDir", "sizeLimit")),
        ((*POD, "containers"), "junk", (*POD, "containers")),
    ],
)
def test_what_is_otherwise_is_drift_at_its_rendered_place(path: Path, value: Any, told: Path) -> None:
    found = [one for one in compared(DEPLOYMENT, edited(LIVE, path, value)) if not one.added]
    assert [one.path for one in found] == [told]
    assert found[0].expected != found[0].observed


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ((*POD, "containers", 1), {"name": "istio-proxy", "image": "proxy:1"}, "also istio-proxy"),
        ((*SERVER, "env", 2), {"name": "DEBUG", "value": "1"}, "also DEBUG"),
        ((*SERVER, "ports", 1), {"containerPort": 5005}, "also 5005 TCP"),
        ((*POD, "volumes", 1), {"name": "certs"}, "also certs"),
    ],
)
def test_an_item_that_was_added_is_told_apart(path: Path, value: Any, said: str) -> None:
    found = compared(DEPLOYMENT, edited(LIVE, path, value))
    assert [(one.path, one.added, one.observed) for one in found] == [(path[:-1], True, said)]


def test_the_order_of_items_with_names_is_free_and_that_of_others_is_not() -> None:
    two = [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]
    rendered = edited(DEPLOYMENT, (*POD, "containers"), two)
    assert compared(rendered, edited(LIVE, (*POD, "containers"), two[::-1])) == []
    rendered = edited(DEPLOYMENT, (*SERVER, "args"), ["a", "b"])
    assert len(compared(rendered, edited(LIVE, (*SERVER, "args"), ["b", "a"]))) == 2


def test_what_is_left_to_an_autoscaler_is_not_compared() -> None:
    live = edited(LIVE, ("spec", "replicas"), 9)
    assert compared(DEPLOYMENT, live, ("spec", "replicas")) == []
    assert len(compared(DEPLOYMENT, live)) == 1


@pytest.mark.parametrize("secret", [(*SERVER, "env", 1, "value"), (*SERVER, "args", 0)])
def test_what_may_be_secret_is_not_quoted(secret: Path) -> None:
    (found,) = compared(DEPLOYMENT, edited(LIVE, secret, "hunter2-hunter2"))
    assert "hunter2" not in str(found)
    assert (found.expected, found.observed) == ("the value rendered", "another value")


def test_a_service_is_given_an_address_and_keeps_its_ports() -> None:
    spec = {"clusterIP": "", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "8080"}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}
    live = edited(service, ("spec", "clusterIP"), "10.0.0.7")
    live["spec"]["ports"] = [{"port": 80, "targetPort": "8080", "protocol": "TCP", "nodePort": 31000}]
    assert compared(service, live) == []
    # The text names a port, the number is one.
    (found,) = compared(service, edited(live, ("spec", "ports", 0, "targetPort"), 8080))
    assert (found.expected, found.observed) == ("'8080'", "8080")
    (added,) = compared(service, edited(live, ("spec", "ports", 1), {"port": 22}))
    assert added.added


def test_a_policy_that_selects_everything_differs_from_one_that_does_not() -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    assert compared(policy, copy.deepcopy(policy)) == []
    (found,) = compared(policy, edited(policy, ("spec", "podSelector"), {"matchLabels": {"app": "web"}}))
    assert found.path == ("spec", "podSelector", "matchLabels")
    (opened,) = compared(policy, edited(policy, ("spec", "ingress"), [{}])) or (None,)
    assert opened is None, "what the render does not set may be anything"


@pytest.mark.parametrize(("live", "drifts"), [({"suspended": False}, False), ({}, True), ({"suspended": True}, True)])
def test_a_custom_resource_is_kept_as_it_is_written(live: dict[str, Any], drifts: bool) -> None:
    head = {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "t"}}
    assert bool(compared({**head, "spec": {"suspended": False}}, {**head, "spec": live})) is drifts
    # The zero of a field that Kubernetes' own kinds leave out.
    assert bool(compared({**head, "spec": {"paused": False}}, {**head, "spec": {}})) is True


def entries(kind: str, **values: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()} if kind == "Secret" else values
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "e"}, "data": encoded}


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_entries_are_compared_without_being_shown(kind: str) -> None:
    rendered = entries(kind, user="admin", password="correct-horse")
    assert compared(rendered, entries(kind, user="admin", password="correct-horse")) == []
    (changed,) = compared(rendered, entries(kind, user="admin", password="battery-staple"))
    assert (changed.path, changed.observed, changed.added) == (("data", "password"), "another value", False)
    (gone,) = compared(rendered, entries(kind, user="admin"))
    assert (gone.path, gone.observed) == (("data", "password"), "no such entry")
    (added,) = compared(rendered, entries(kind, user="admin", password="correct-horse", extra="swordfish"))
    assert (added.path, added.added) == (("data", "extra"), True)
    assert not any(value in str((changed, gone, added)) for value in ("correct-horse", "battery-staple", "swordfish"))


def test_stringdata_is_what_the_secret_holds() -> None:
    rendered = {**entries("Secret", user="old"), "stringData": {"user": "admin"}}
    assert compared(rendered, entries("Secret", user="admin")) == []
    assert len(compared(rendered, entries("Secret", user="old"))) == 1


def test_no_value_is_in_what_is_handed_on() -> None:
    live = entries("Secret", password="correct-horse")
    encoded = live["data"]["password"]
    live["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": str(live["data"]), "kept": "yes"}
    live["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    first, second = digested(live), digested(live)
    for shown in (str(first), str(second)):
        assert "correct-horse" not in shown and encoded not in shown and "managedFields" not in shown
    assert first["metadata"]["annotations"] == {"kept": "yes"}
    # Salted anew each time: two digests do not tell that two secrets are the same.
    assert first["data"] != second["data"]


@pytest.mark.parametrize("told", ["", "correct-horse", "digest:x:00:00", "digest:1:zz:00", None, 7, {"a": 1}])
def test_what_is_no_digest_is_never_the_same(told: Any) -> None:
    live = {**entries("Secret"), "data": {"password": told}}
    assert [one.observed for one in differences(Object(entries("Secret", password="correct-horse"), Place("s")), live)] == ["another value"]


@pytest.mark.parametrize("junk", [None, 7, "text", [], [7, None], {"a": []}, True, [[{}]], {"name": {}}])
@pytest.mark.parametrize(
    "path", [("metadata",), ("metadata", "labels"), ("spec",), POD, (*POD, "containers"), SERVER, (*SERVER, "env"), (*SERVER, "ports")]
)
def test_junk_on_either_side_crashes_nothing(path: Path, junk: Any) -> None:
    for rendered, live in ((edited(DEPLOYMENT, path, junk), LIVE), (DEPLOYMENT, edited(LIVE, path, junk))):
        assert all(one.expected and one.observed for one in compared(rendered, live))
