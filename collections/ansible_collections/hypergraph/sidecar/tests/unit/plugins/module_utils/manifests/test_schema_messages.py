# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of an object that breaks its schema: where, what, and nothing that may be secret."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Object, Path, Place
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.schema import built_in, gone_in, packaged, problems, served

SECRET = "hunter2-hunter2"
POD = ("spec", "template", "spec")


def found(api_version: str, kind: str, **body: Any) -> list[tuple[Path, str]]:
    one = Object({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, **body}, Place("a.yaml"))
    return list(problems(one, (1, 33)))


def of_pod(container: dict[str, Any], **pod: Any) -> list[tuple[Path, str]]:
    spec = {"containers": [{"name": "a", "image": "a", **container}], **pod}
    return found("apps/v1", "Deployment", spec={"selector": {}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": spec}})


@pytest.mark.parametrize(
    ("said", "path", "message"),
    [
        (of_pod({"portz": []}), (*POD, "containers", 0), "Additional properties are not allowed ('portz' was unexpected)"),
        (
            of_pod({"ports": [{"containerPort": "80"}]}),
            (*POD, "containers", 0, "ports", 0, "containerPort"),
            "'80' is not of type 'integer'",
        ),
        (
            of_pod({"resources": {"limits": {"memory": "512MB"}}}),
            (*POD, "containers", 0, "resources", "limits", "memory"),
            "'512MB' is no quantity, such as 500m or 512Mi",
        ),
        (of_pod({"resources": {"requests": {"cpu": "500m\n"}}}), (*POD, "containers", 0, "resources", "requests", "cpu"), "is no quantity"),
        (
            of_pod({"resources": {"requests": {"cpu": True}}}),
            (*POD, "containers", 0, "resources", "requests", "cpu"),
            "True is not of type",
        ),
        (of_pod({}, overhead={"memory": "1 Gi"}), (*POD, "overhead", "memory"), "'1 Gi' is no quantity"),
        (of_pod({}, volumes=[{"name": "a", "emptyDir": {"sizeLimit": "1gb"}}]), (*POD, "volumes", 0, "emptyDir", "sizeLimit"), "'1gb'"),
        (of_pod({"resources": {"limits": {"memory": "512M", "cpu": 0.5}, "requests": {"memory": "1.5e8", "cpu": 1}}}), (), ""),
        (of_pod({"ports": {"containerPort": 80}}), (*POD, "containers", 0, "ports"), "a mapping is not of type array"),
        (of_pod({}, restartPolicy=["x"]), (*POD, "restartPolicy"), "a list is not of type string"),
        (of_pod({}, terminationGracePeriodSeconds=None, nodeSelector=None), (), ""),
        (found("v1", "Service", spec={"ports": [{"name": "a", "port": None}]}), ("spec", "ports", 0), "'port' is a required property"),
        (found("v1", "ConfigMap", data={"a": None, "b": "c"}), (), ""),
        (
            found("monitoring.coreos.com/v1", "ServiceMonitor", spec={"selector": {}, "endpoints": [{"port": "a", "scheme": "ftp"}]}),
            ("spec", "endpoints", 0, "scheme"),
            "'ftp' is not one of",
        ),
        (
            found("monitoring.coreos.com/v1", "ServiceMonitor", spec={"selector": {}, "endpoints": [{"port": "a", "interval": "15"}]}),
            ("spec", "endpoints", 0, "interval"),
            "'15' does not match",
        ),
        (
            found(
                "monitoring.coreos.com/v1",
                "PodMonitor",
                spec={"selector": {}, "podMetricsEndpoints": [{"tlsConfig": {"caFile": "/etc/ca"}}]},
            ),
            ("spec", "podMetricsEndpoints", 0, "tlsConfig"),
            "'caFile' was unexpected",
        ),
        (
            found("monitoring.coreos.com/v1", "PrometheusRule", spec={"groups": [{"rules": []}]}),
            ("spec", "groups", 0),
            "'name' is a required",
        ),
        (found("monitoring.coreos.com/v1", "ServiceMonitor", spec={"selector": {}}), ("spec",), "'endpoints' is a required property"),
    ],
)
def test_a_problem_is_told_with_its_place(said: list[tuple[Path, str]], path: Path, message: str) -> None:
    if not message:
        assert said == []
    else:
        assert [one for one in said if one[0] == path and message in one[1]], said


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (found("v1", "Secret", stringData={"a": [SECRET]}), "a list is not of type string"),
        (found("v1", "Secret", data=SECRET), "text is not of type object"),
        (found("v1", "Secret", type=[SECRET]), "a list is not of type string"),
        (found("v1", "ConfigMap", data={"a": {"password": SECRET}}), "a mapping is not of type string"),
        (found("v1", "ConfigMap", data=[SECRET]), "a list is not of type object"),
        (of_pod({"env": [{"name": "A", "value": {"a": SECRET}}]}), "a mapping is not of type string"),
        (of_pod({"env": [SECRET]}), "text is not of type object"),
        (of_pod({"env": [{"name": "A", "valeu": SECRET}]}), "'valeu' was unexpected"),
        (of_pod({"args": SECRET}), "text is not of type array"),
        (of_pod({"livenessProbe": {"httpGet": {"port": 1, "httpHeaders": SECRET}}}), "text is not of type array"),
        (
            found(
                "keda.sh/v1alpha1",
                "ScaledObject",
                spec={"scaleTargetRef": {"name": "a"}, "triggers": [{"type": "cpu", "metadata": {"password": [SECRET]}}]},
            ),
            "a list is not of type string",
        ),
        (
            found(
                "keda.sh/v1alpha1",
                "ScaledObject",
                spec={"scaleTargetRef": {"name": "a"}, "triggers": [{"type": "cpu", "metadata": SECRET}]},
            ),
            "text is not of type object",
        ),
        (
            found("monitoring.coreos.com/v1", "ServiceMonitor", spec={"selector": {}, "endpoints": [{"proxyUrl": f"ftp://a:{SECRET}@b"}]}),
            "text that does not keep pattern ^(http|https|socks5)://.+$",
        ),
        (found("apps/v1", "Deployment", spec=[SECRET, SECRET]), "a list is not of type object"),
        # A text as long as a key is none that a message needs.
        (of_pod({}, terminationGracePeriodSeconds=SECRET * 9), "text is not of type integer"),
    ],
)
def test_what_may_be_secret_is_not_quoted(said: list[tuple[Path, str]], wanted: str) -> None:
    assert [message for _path, message in said if wanted in message], said
    assert SECRET not in str([message for _path, message in said])


def test_a_kind_without_a_schema_is_none_to_ask_about() -> None:
    with pytest.raises(KeyError):
        found("example.org/v1", "Widget")
    assert (built_in("apps"), built_in(""), built_in("networking.k8s.io"), built_in("gateway.networking.k8s.io")) == (
        True,
        True,
        True,
        False,
    )


def test_api_versions_come_and_go() -> None:
    assert served("HorizontalPodAutoscaler", (1, 25)) == ("autoscaling/v1", "autoscaling/v2", "autoscaling/v2beta2")
    assert served("HorizontalPodAutoscaler", (1, 33)) == ("autoscaling/v1", "autoscaling/v2")
    assert served("../etc/passwd", (1, 33)) == served("", (1, 33)) == ()
    old = Object({"apiVersion": "autoscaling/v2beta2", "kind": "HorizontalPodAutoscaler"}, Place("a.yaml"))
    assert gone_in(old, (1, 25)) == (1, 26)
    assert gone_in(Object({"apiVersion": "apps/v1", "kind": "Deployment"}, Place("a.yaml")), (1, 25)) is None


def test_the_newest_schemas_that_are_not_newer_are_used() -> None:
    assert packaged((1, 33, 4)) == (1, 33)
    assert packaged((9, 0)) == max(packaged((minor, 99)) for minor in (1, 2, 9))
    with pytest.raises(CheckError, match="there are schemas from 1.25 on"):
        packaged((1, 20))
