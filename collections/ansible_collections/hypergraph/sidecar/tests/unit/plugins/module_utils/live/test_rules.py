# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules on a cluster, each with what breaks it and with what nearly does."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.live.cluster import Asked, Cluster, questions
from ansible_collections.hypergraph.sidecar.plugins.module_utils.live.rules import RULES, Deployment
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Object, Place

Bodies = dict[str, dict[str, Any]]


def body(api_version: str, kind: str, name: str, spec: Any = None, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec or {}}


RENDERED: Bodies = {
    "web": body("apps/v1", "Deployment", "web", {"replicas": 2, "template": {"spec": {"containers": [{"name": "web", "image": "web:1"}]}}}),
    "service": body("v1", "Service", "web", {"ports": [{"port": 80}]}),
    "role": body("rbac.authorization.k8s.io/v1", "ClusterRole", "web"),
    "hook": body("batch/v1", "Job", "migrate", annotations={"helm.sh/hook": "pre-upgrade"}),
}
SCALER = body("keda.sh/v1alpha1", "ScaledObject", "web", {"scaleTargetRef": {"name": "web"}})


def as_live(bodies: Bodies) -> Bodies:
    """As a deployment leaves them: in their namespace, owned by the release, hooks gone."""
    found = {name: copy.deepcopy(one) for name, one in bodies.items() if name != "hook"}
    for one in found.values():
        one["metadata"].setdefault("annotations", {})["meta.helm.sh/release-name"] = "shop"
        if one["kind"] != "ClusterRole":
            one["metadata"]["namespace"] = "here"
    return found


def deployment(rendered: Bodies, live: Bodies, *, unread: tuple[str, ...] = (), unserved: tuple[str, ...] = (), **more: Any) -> Deployment:
    bundle = Bundle(tuple(Object(one, Place(f"{name}.yaml")) for name, one in rendered.items()), namespace="here")
    reads: list[dict[str, Any]] = []
    for asked in questions(bundle):
        item = {"api_version": asked.api_version, "kind": asked.kind, "namespace": asked.namespace, "name": asked.name}
        # Lists leave out what their items are.
        found = [
            {key: value for key, value in one.items() if key not in ("apiVersion", "kind")}
            for one in live.values()
            if (one["apiVersion"], one["kind"]) == (asked.api_version, asked.kind)
        ]
        if asked.kind in unread:
            reads.append({"item": item, "msg": "403"})
        else:
            reads.append({"item": item, "resources": found, "api_found": asked.kind not in unserved})
    return Deployment(bundle, Cluster.of(reads), "shop", **more)


def broken(judged: Deployment) -> dict[str, list[str]]:
    """What each rule has against it, by the rules that have something."""
    told = {rule.id: [str(outcome) for outcome in rule.judge(judged) if not outcome.ok] for rule in RULES}
    return {rule: said for rule, said in told.items() if said}


def test_a_release_that_is_deployed_holds() -> None:
    judged = deployment(RENDERED, as_live(RENDERED))
    assert broken(judged) == {}
    assert {rule.id: len(list(rule.judge(judged))) for rule in RULES} == {
        "live-object-missing": 3,
        "live-field-differs": 3,
        "live-item-added": 3,
        "live-object-extra": 3,
    }


def without(name: str) -> Callable[[Bodies], None]:
    def take(live: Bodies) -> None:
        del live[name]

    return take


def elsewhere(live: Bodies) -> None:
    live["service"]["metadata"]["namespace"] = "there"


def other_image(live: Bodies) -> None:
    live["web"]["spec"]["template"]["spec"]["containers"][0]["image"] = "web:0"


def more_containers(live: Bodies) -> None:
    live["web"]["spec"]["template"]["spec"]["containers"].append({"name": "proxy"})


def left_over(live: Bodies) -> None:
    live["old"] = copy.deepcopy(live["service"])
    live["old"]["metadata"]["name"] = "old"


def left_over_by_label(live: Bodies) -> None:
    left_over(live)
    live["old"]["metadata"].update(annotations={}, labels={"app.kubernetes.io/instance": "shop"})


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        (without("service"), "live-object-missing", "Service/web: expected an object in here, observed no such object (service.yaml)"),
        (without("role"), "live-object-missing", "ClusterRole/web: expected"),
        (elsewhere, "live-object-missing", "Service/web: expected"),
        (other_image, "live-field-differs", "containers[0].image: expected 'web:1', observed 'web:0' (web.yaml)"),
        (
            more_containers,
            "live-item-added",
            "Deployment/web spec.template.spec.containers: expected no such item, observed also proxy (web.yaml)",
        ),
        (left_over, "live-object-extra", "Service/old: expected an object that is rendered, observed live in here alone"),
        (left_over_by_label, "live-object-extra", "Service/old: expected"),
    ],
)
def test_what_is_otherwise_in_the_cluster_breaks_its_rule(change: Callable[[Bodies], None], rule: str, said: str) -> None:
    live = as_live(RENDERED)
    change(live)
    told = broken(deployment(RENDERED, live))
    assert said in told[rule][0]
    assert told.keys() - {rule} <= ({"live-object-extra"} if change is elsewhere else set())


def owned(live: Bodies) -> None:
    left_over(live)
    live["old"]["metadata"]["ownerReferences"] = [{"kind": "ScaledObject"}]


def of_another_release(live: Bodies) -> None:
    left_over(live)
    live["old"]["metadata"]["annotations"]["meta.helm.sh/release-name"] = "other"


def a_hook(live: Bodies) -> None:
    left_over(live)
    live["old"]["metadata"]["annotations"]["helm.sh/hook"] = "test"


def more_annotations(live: Bodies) -> None:
    live["web"]["metadata"]["annotations"]["note"] = "by a controller"


@pytest.mark.parametrize("change", [owned, of_another_release, a_hook, more_annotations])
def test_what_is_nobodys_drift_breaks_no_rule(change: Callable[[Bodies], None]) -> None:
    live = as_live(RENDERED)
    change(live)
    assert broken(deployment(RENDERED, live)) == {}


def test_replicas_are_the_autoscalers_where_there_is_one() -> None:
    scaled = {**RENDERED, "scaler": SCALER}
    for rendered, rules in ((scaled, set()), (RENDERED, {"live-field-differs"})):
        live = as_live(rendered)
        live["web"]["spec"]["replicas"] = 7
        assert broken(deployment(rendered, live)).keys() == rules


def test_a_job_that_goes_by_itself_may_be_gone() -> None:
    for spec, rules in (({"ttlSecondsAfterFinished": 60}, set()), ({}, {"live-object-missing"})):
        rendered = {**RENDERED, "job": body("batch/v1", "Job", "once", spec)}
        assert broken(deployment(rendered, as_live(RENDERED))).keys() == rules


def test_what_is_meant_to_be_is_named_by_a_pattern() -> None:
    live = as_live(RENDERED)
    other_image(live)
    assert broken(deployment(RENDERED, live, ignored=("Deployment/* spec.template.spec.containers*.image",))) == {}
    assert broken(deployment(RENDERED, live, ignored=("Service/*", "Deployment/other *"))).keys() == {"live-field-differs"}


def test_what_could_not_be_read_is_not_missing() -> None:
    judged = deployment(RENDERED, {}, unread=("Service",))
    assert [one.name for one in judged.expected] == ["web", "web"]
    assert [str(asked) for asked in judged.cluster.unread] == ["v1 Service in here"]
    assert not any("Service" in said for said in broken(judged)["live-object-missing"])


def test_a_kind_that_the_cluster_does_not_know_is_told() -> None:
    told = broken(deployment({**RENDERED, "scaler": SCALER}, as_live(RENDERED), unserved=("ScaledObject",)))
    assert "observed the cluster knows no keda.sh/v1alpha1 ScaledObject" in told["live-object-missing"][0]


def test_secrets_are_asked_for_by_name_and_other_kinds_as_a_whole() -> None:
    rendered = (
        body("v1", "Secret", "one"),
        body("v1", "Secret", "two", namespace="there"),
        body("v1", "Service", "a"),
        body("v1", "Service", "b"),
    )
    bundle = Bundle(tuple(Object(one, Place("f")) for one in rendered), namespace="here")
    assert questions(bundle) == [
        Asked("v1", "Secret", "here", "one"),
        Asked("v1", "Secret", "there", "two"),
        Asked("v1", "Service", "here"),
    ]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "no answer"),
        (
            '401\nReason: Unauthorized\nHTTP response headers: {...}\nHTTP response body: {"message": "Unauthorized"}',
            "401 Reason: Unauthorized: Unauthorized",
        ),
        ("Connection refused", "Connection refused"),
    ],
)
def test_why_something_was_not_read_is_told_on_one_line(said: str, reason: str) -> None:
    item = {"api_version": "v1", "kind": "Service", "namespace": "here"}
    assert list(Cluster.of([{"item": item, "msg": said}]).unread.values()) == [reason]


@pytest.mark.parametrize("read", [{}, {"item": "junk"}, {"item": {"kind": "Service"}}, {"item": {"api_version": "v1"}}])
def test_what_is_no_read_is_refused(read: dict[str, Any]) -> None:
    with pytest.raises(CheckError, match=r"reads\[0\]"):
        Cluster.of([read])


@pytest.mark.parametrize("junk", [None, 7, "text", [], {}, True])
def test_junk_in_the_cluster_crashes_no_rule(junk: Any) -> None:
    for path in (("metadata",), ("spec",), ("metadata", "annotations"), ("metadata", "labels"), ("metadata", "name")):
        live = as_live(RENDERED)
        part: Any = live["web"]
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = junk
        assert isinstance(broken(deployment(RENDERED, live)), dict)
