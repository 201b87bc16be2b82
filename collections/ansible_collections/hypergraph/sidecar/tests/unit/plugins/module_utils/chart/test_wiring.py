# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what the API server takes, who selects whom and who refers to what: each finds what it is for alone."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart import references, selectors, validity
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.release import Release
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.documents import parse_documents
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.rules import Registry
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.chart.wired import (
    CERTIFICATE,
    CONTAINER,
    INGRESS,
    MONITOR,
    NIGHTLY,
    OWN_SECRET,
    POD,
    POD_MONITOR,
    SCALED,
    SETTINGS,
    STORE,
    STORE_SERVICE,
    WEB,
    WEB_SERVICE,
    broken,
    made,
    release,
    unjudged,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit

ROOMS = (validity, selectors, references)
RULES = Registry({rule.id: rule for room in ROOMS for rule in room.RULES})


def service(name: str, selector: dict[str, str], *ports: dict[str, Any], **metadata: Any) -> Edit:
    spec = {"selector": selector, "ports": list(ports or [{"name": "http", "port": 80, "targetPort": 8080}])}
    place, path, body = made("v1", "Service", name, spec=spec)
    return place, path, {**body, "metadata": {"name": name, **metadata}}


def container_port(position: int, name: Any) -> Edit:
    return WEB, (*CONTAINER, "ports", position, "name"), name


def budget(**bounds: Any) -> Edit:
    return made("policy/v1", "PodDisruptionBudget", "web", spec={"selector": {"matchLabels": {"app": "web"}}, **bounds})


def pods_may_label(verb: str = "patch", resource: str = "pods") -> Edit:
    return made("rbac.authorization.k8s.io/v1", "ClusterRole", "labeller", rules=[{"resources": [resource], "verbs": [verb]}])


TWIN = made(
    "apps/v1",
    "Deployment",
    "twin",
    spec={"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}}},
)
EXTERNAL = made("external-secrets.io/v1", "ExternalSecret", "outside", spec={"target": {"name": "certificate"}})
SEALED = made("bitnami.com/v1alpha1", "SealedSecret", "keys", spec={})
DATABASE = made("db.example.org/v1", "Database", "db")
GATEWAY = made("gateway.networking.k8s.io/v1", "Gateway", "door", spec={"gatewayClassName": "cluster"})
LEVEL, LEVELS = ({"key": key, "path": "level"} for key in ("LEVEL", "LEVELS"))
TWO_HTTP: Edit = (WEB, (*POD, "containers", 1), {"name": "other", "ports": [{"name": "http", "containerPort": 8081}]})
SERVICE_PORTS = ("spec", "ports")
OUTSIDE_WEB = (*POD, "volumes", 2, "secret", "secretName")
ROLLOUT = ("spec", "strategy", "rollingUpdate")
BACKEND = ("spec", "rules", 0, "http", "paths", 0, "backend", "service")
HOOK = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web", "annotations": {"helm.sh/hook": "pre-install"}}}

VIOLATIONS: list[tuple[str, list[Edit], str]] = [
    ("expected-kind-missing", [(WEB, (), GONE)], "none is rendered"),
    ("api-version-not-served", [(NIGHTLY, ("apiVersion",), "batch/v1beta1")], "batch/v1beta1"),
    ("api-version-not-served", [(WEB, ("apiVersion",), "v1")], "apiVersion v1"),
    ("api-version-not-served", [(WEB, ("apiVersion",), GONE)], "(none)"),
    ("api-version-not-served", [(WEB, ("kind",), "Deploymnet")], "apiVersion apps/v1"),
    ("api-version-not-served", [(WEB, ("kind",), GONE)], "no kind"),
    ("api-version-not-served", [(SCALED, ("apiVersion",), "keda.sh/v1")], "keda.sh/v1"),
    ("api-version-not-served", [(MONITOR, ("apiVersion",), "monitoring.coreos.com/v1alpha1")], "v1alpha1"),
    ("name-invalid", [(WEB, ("metadata", "name"), "Web")], "Web"),
    ("name-invalid", [(WEB, ("metadata", "name"), "web_1")], "web_1"),
    ("name-invalid", [(WEB, ("metadata", "name"), "web-")], "web-"),
    ("name-invalid", [(WEB, ("metadata", "name"), "w" * 254)], "w" * 254),
    ("name-invalid", [(WEB, ("metadata", "name"), GONE)], "no name"),
    ("name-invalid", [(WEB_SERVICE, ("metadata", "name"), "web.shop")], "web.shop"),
    ("name-invalid", [(WEB_SERVICE, ("metadata", "name"), "1web")], "1web"),
    ("name-invalid", [(WEB_SERVICE, ("metadata", "name"), "w" * 64)], "w" * 64),
    ("name-invalid", [(NIGHTLY, ("metadata", "name"), "n" * 53)], "n" * 53),
    ("name-invalid", [made("batch/v1", "Job", "j" * 64)], "j" * 64),
    ("name-invalid", [("Role/web:reader", ("metadata", "name"), "web/reader")], "web/reader"),
    ("name-invalid", [("Role/web:reader", ("metadata", "name"), "..")], ".."),
    ("name-invalid", [made("v1", "Namespace", "shop.extra")], "shop.extra"),
    ("pod-count-invalid", [budget(minAvailable="1")], '"1"'),
    ("pod-count-invalid", [budget(maxUnavailable="half")], '"half"'),
    ("pod-count-invalid", [budget(maxUnavailable=-1)], "-1"),
    ("pod-count-invalid", [budget(minAvailable="101%")], '"101%"'),
    ("pod-count-invalid", [(WEB, (*ROLLOUT, "maxSurge"), "1")], '"1"'),
    ("pod-count-invalid", [(WEB, (*ROLLOUT, "maxUnavailable"), "200%")], '"200%"'),
    ("pod-count-invalid", [(STORE, ("spec", "updateStrategy", "rollingUpdate", "maxUnavailable"), "2")], '"2"'),
    ("label-invalid", [(WEB, ("metadata", "labels", "version"), "1.0+5")], "version: 1.0+5"),
    ("label-invalid", [(WEB, ("metadata", "labels", "app.kubernetes.io/"), "a")], "app.kubernetes.io/: a"),
    ("label-invalid", [(WEB, ("metadata", "labels", "a..b/c"), "a")], "a..b/c: a"),
    ("label-invalid", [(WEB, ("metadata", "labels", "a" * 64), "a")], "a" * 64),
    ("label-invalid", [(WEB, ("metadata", "labels", f"{'a' * 254}/b"), "a")], "/b: a"),
    ("label-invalid", [(WEB, ("spec", "template", "metadata", "labels", "version"), "v" * 64)], "v" * 64),
    ("label-invalid", [(NIGHTLY, ("spec", "jobTemplate", "spec", "template", "metadata", "labels", "a"), "-b")], "a: -b"),
    ("port-name-invalid", [container_port(0, "http-and-more-of-it")], "http-and-more-of-it"),
    ("port-name-invalid", [container_port(0, "HTTP")], "HTTP"),
    ("port-name-invalid", [container_port(0, "8080")], "8080"),
    ("port-name-invalid", [container_port(0, "grpc--web")], "grpc--web"),
    ("port-name-invalid", [container_port(0, "-http")], "-http"),
    ("port-name-invalid", [container_port(0, "web_http")], "web_http"),
    ("port-name-invalid", [container_port(1, "http")], "http twice"),
    ("port-name-invalid", [(WEB, (*POD, "initContainers", 0, "ports"), [{"name": "Web", "containerPort": 1}])], "Web"),
    ("port-name-invalid", [(WEB_SERVICE, (*SERVICE_PORTS, 0, "name"), "web.http")], "web.http"),
    ("port-name-invalid", [(WEB_SERVICE, (*SERVICE_PORTS, 0, "name"), "w" * 64)], "w" * 64),
    ("port-name-invalid", [(WEB_SERVICE, (*SERVICE_PORTS, 1, "name"), "http")], "http twice"),
    ("port-name-invalid", [(WEB_SERVICE, (*SERVICE_PORTS, 1, "name"), GONE)], "no name"),
    ("schema-broken", [(WEB, ("spec", "replica"), 2)], "'replica' was unexpected"),
    ("schema-broken", [(WEB, (*CONTAINER, "ports", 0, "containerPort"), "8080")], "'8080' is not of type 'integer'"),
    ("schema-broken", [(WEB, ("spec", "selector"), None)], "'selector' is a required property"),
    ("schema-broken", [(MONITOR, ("spec", "endpoints", 0, "intervall"), "15s")], "'intervall' was unexpected"),
    ("schema-broken", [(SCALED, ("spec", "triggers", 0, "type"), GONE)], "'type' is a required property"),
    ("schema-broken", [(WEB, ("metadata", "labels", "version"), 1.0)], "1.0 is not of type 'string'"),
    (
        "object-rendered-twice",
        [("Service/again", (), {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}})],
        "reference.yaml",
    ),
    (
        "object-rendered-twice",
        [("Service/again", (), {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}})],
        "reference.yaml",
    ),
    (
        "api-version-deprecated",
        [made("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicy", "policy")],
        "v1beta1, gone in 1.34",
    ),
    ("selector-mismatch", [(WEB, ("spec", "template", "metadata", "labels", "app"), "webs")], "selector app=web"),
    ("selector-mismatch", [(WEB, ("spec", "selector"), {})], "{}"),
    ("selector-mismatch", [(STORE, ("spec", "template", "metadata"), GONE)], "selector app=store, pods {}"),
    (
        "selector-mismatch",
        [(WEB, ("spec", "selector", "matchExpressions"), [{"key": "app", "operator": "NotIn", "values": ["web"]}])],
        "selector app=web",
    ),
    ("selectors-overlap", [TWIN], "also those of Deployment/twin"),
    ("selectors-overlap", [TWIN], "also those of Deployment/web"),
    ("service-selects-nothing", [(WEB_SERVICE, ("spec", "selector", "app"), "wbe")], "wbe"),
    ("service-selects-nothing", [(WEB_SERVICE, ("spec", "selector", "tier"), "front")], "front"),
    ("service-selects-nothing", [(STORE_SERVICE, ("spec", "selector", "statefulset.kubernetes.io/pod-name"), "stores-0")], "stores-0"),
    ("service-selects-nothing", [(WEB_SERVICE, ("spec", "selector", "apps.kubernetes.io/pod-index"), "0")], "pod-index"),
    # A label that is there, with another value, is none that a pod gives itself.
    ("service-selects-nothing", [pods_may_label(), (WEB_SERVICE, ("spec", "selector", "app"), "wbe")], "wbe"),
    ("service-selects-nothing", [pods_may_label("list"), (WEB_SERVICE, ("spec", "selector", "role"), "leader")], "leader"),
    ("service-selects-nothing", [pods_may_label("patch", "leases"), (WEB_SERVICE, ("spec", "selector", "role"), "leader")], "leader"),
    # Custom resources of these kinds make no pods.
    *(
        ("service-selects-nothing", [made(version, kind, "x"), (WEB_SERVICE, ("spec", "selector", "app"), "wbe")], "wbe")
        for version, kind in (
            ("external-secrets.io/v1", "ExternalSecret"),
            ("kafka.strimzi.io/v1beta2", "KafkaTopic"),
            ("kafka.strimzi.io/v1beta2", "KafkaUser"),
            ("autoscaling.k8s.io/v1", "VerticalPodAutoscaler"),
            ("eks.amazonaws.com/v1", "NodeClass"),
            ("cert-manager.io/v1", "Certificate"),
            ("gateway.networking.k8s.io/v1", "GatewayClass"),
            ("gateway.networking.k8s.io/v1", "HTTPRoute"),
            ("gateway.networking.k8s.io/v1beta1", "ReferenceGrant"),
        )
    ),
    (
        "service-port-not-offered",
        [(WEB_SERVICE, ("spec", "ports", 0, "targetPort"), "web")],
        'targetPort "web"; containers have http, metrics',
    ),
    ("service-port-not-offered", [(WEB_SERVICE, ("spec", "ports", 0, "targetPort"), "8080")], 'targetPort "8080"'),
    ("service-port-not-offered", [(STORE, (*CONTAINER, "ports", 0, "name"), GONE)], "no named port"),
    ("service-port-undeclared", [(WEB_SERVICE, ("spec", "ports", 0, "targetPort"), 8081)], "8081; containers have 8080, 9090"),
    ("service-port-undeclared", [(WEB_SERVICE, ("spec", "ports", 0, "targetPort"), GONE)], "80; containers have"),
    ("service-port-ambiguous", [TWO_HTTP], "http is 8080 and 8081"),
    ("monitor-selects-nothing", [(MONITOR, ("spec", "selector", "matchLabels", "app"), "webs")], "no Service is selected by app=webs"),
    ("monitor-selects-nothing", [(WEB_SERVICE, ("metadata", "labels"), GONE)], "no Service is selected by app=web"),
    ("monitor-selects-nothing", [(POD_MONITOR, ("spec", "selector", "matchExpressions", 0, "values"), ["a"])], "no pod is selected by"),
    ("monitor-port-missing", [(MONITOR, ("spec", "endpoints", 0, "port"), "9090")], "port 9090; Service/web has http, metrics"),
    ("monitor-port-missing", [(WEB_SERVICE, ("spec", "ports"), [{"port": 9090}])], "Service/web has no named port"),
    ("monitor-port-missing", [(POD_MONITOR, ("spec", "podMetricsEndpoints", 0, "port"), "metrics")], "StatefulSet/store has query"),
    ("ingress-port-missing", [(INGRESS, (*BACKEND, "port", "name"), "web")], "port web; it has http (80), metrics (9090)"),
    ("ingress-port-missing", [(INGRESS, ("spec", "defaultBackend", "service", "port", "number"), 8080)], "port 8080; it has"),
    ("ingress-port-missing", [(WEB_SERVICE, ("spec", "ports"), GONE)], "it has none"),
    ("ingress-port-missing", [(INGRESS, (*BACKEND, "port"), {}), (WEB_SERVICE, ("spec", "ports", 0, "name"), GONE)], "port None"),
    ("ingress-service-missing", [(INGRESS, (*BACKEND, "name"), "webs")], "no Service/webs"),
    ("reference-missing", [(WEB, (*POD, "serviceAccountName"), "webs")], "no ServiceAccount/webs"),
    ("reference-missing", [(SETTINGS, ("metadata", "name"), "setting")], "no ConfigMap/settings"),
    ("reference-missing", [(WEB, OUTSIDE_WEB, "certificates")], "no Secret/certificates"),
    ("reference-missing", [(WEB, (*POD, "volumes", 3, "projected", "sources", 0, "configMap", "name"), "roots")], "no ConfigMap/roots"),
    ("reference-missing", [(WEB, (*POD, "volumes", 3, "projected", "sources", 1, "secret"), {"name": "key"})], "no Secret/key"),
    ("reference-missing", [(WEB, (*POD, "volumes", 4, "persistentVolumeClaim", "claimName"), "audits")], "no PersistentVolumeClaim/audits"),
    ("reference-missing", [(WEB, (*POD, "imagePullSecrets"), [{"name": "pull"}])], "no Secret/pull"),
    ("reference-missing", [(WEB, (*CONTAINER, "envFrom", 0, "configMapRef", "name"), "setting")], "no ConfigMap/setting"),
    ("reference-missing", [(SETTINGS, ("metadata", "namespace"), "other")], "no ConfigMap/settings"),
    (
        "reference-missing",
        [EXTERNAL, (EXTERNAL[0], ("metadata", "namespace"), "other"), (WEB, OUTSIDE_WEB, "certificates")],
        "certificates",
    ),
    ("reference-key-missing", [(WEB, (*CONTAINER, "env", 0, "valueFrom", "configMapKeyRef", "key"), "LEVELS")], "settings has no LEVELS"),
    (
        "reference-key-missing",
        [OWN_SECRET, (WEB, (*CONTAINER, "env", 1, "valueFrom", "secretKeyRef"), {"name": "own", "key": "tokens"})],
        "Secret/own has no tokens",
    ),
    ("reference-key-missing", [(WEB, (*POD, "volumes", 1, "configMap", "items"), [LEVEL, LEVELS])], "settings has no LEVELS"),
    ("reference-key-missing", [(WEB, (*POD, "volumes", 1, "configMap"), {"name": "settings", "items": [LEVELS]})], "has no LEVELS"),
    (
        "reference-key-missing",
        [OWN_SECRET, (WEB, (*POD, "volumes", 2, "secret"), {"secretName": "own", "items": [LEVEL]})],
        "Secret/own has no LEVEL",
    ),
    (
        "reference-key-missing",
        [(WEB, (*POD, "volumes", 3, "projected", "sources", 2), {"configMap": {"name": "settings", "items": [LEVELS]}})],
        "ConfigMap/settings has no LEVELS",
    ),
    ("volume-missing", [(WEB, (*CONTAINER, "volumeMounts", 0, "name"), "setting")], "no volume setting"),
    ("volume-missing", [(WEB, (*POD, "initContainers", 0, "volumeMounts", 0, "name"), "scratches")], "no volume scratches"),
    ("volume-missing", [(WEB, (*CONTAINER, "volumeMounts", 0, "name"), GONE)], "names no volume"),
    ("volume-missing", [(STORE, ("spec", "volumeClaimTemplates", 0, "metadata", "name"), "database")], "no volume data"),
    ("volume-missing", [(WEB, (*CONTAINER, "volumeDevices"), [{"name": "disk", "devicePath": "/dev/a"}])], "no volume disk"),
]

NEAR_MISSES: list[tuple[str, list[Edit]]] = [
    ("expected-kind-missing", [(STORE, (), GONE)]),
    # Kinds of groups that we do not know are schema-unknown.
    ("api-version-not-served", [made("example.org/v1", "Deployment", "other")]),
    ("api-version-not-served", [made("karpenter.sh/v1beta1", "NodePool", "other")]),
    ("api-version-not-served", [made("autoscaling/v1", "HorizontalPodAutoscaler", "other")]),
    ("name-invalid", [(STORE, ("metadata", "name"), "1.store-0")]),
    ("name-invalid", [(WEB, ("metadata", "name"), "w" * 253)]),
    ("name-invalid", [(WEB_SERVICE, ("metadata", "name"), "w" * 63)]),
    ("name-invalid", [(NIGHTLY, ("metadata", "name"), "n" * 52)]),
    ("name-invalid", [made("v1", "Namespace", "1shop")]),
    ("name-invalid", [made("serving.knative.dev/v1", "Service", "1web")]),
    ("name-invalid", [("Role/web:reader", ("metadata", "name"), "System:Reader...")]),
    ("name-invalid", [("Job/web", (), {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "web-"}})]),
    ("name-invalid", [made("batch/v1", "Job", f"{'j' * 61}.1")]),
    ("pod-count-invalid", [budget(minAvailable=1)]),
    ("pod-count-invalid", [budget(minAvailable="100%", maxUnavailable=None)]),
    # Of new pods there may be more at once than there are replicas.
    ("pod-count-invalid", [(WEB, (*ROLLOUT, "maxSurge"), "200%")]),
    # No number and no text: the schema says so.
    ("pod-count-invalid", [budget(minAvailable=True)]),
    ("label-invalid", [(WEB, ("metadata", "labels", "a.example.org/B_c.d-E"), "A" * 63)]),
    ("label-invalid", [(WEB, ("metadata", "labels", "empty"), "")]),
    # No text: the schema says so.
    ("label-invalid", [(WEB, ("metadata", "labels", "version"), 1.0)]),
    ("port-name-invalid", [container_port(0, "h-1-of-the-web0")]),
    ("port-name-invalid", [container_port(0, ""), container_port(1, "")]),
    # Nobody tells two containers of a pod apart by the names of their ports, but for a Service.
    ("port-name-invalid", [TWO_HTTP]),
    ("port-name-invalid", [(WEB_SERVICE, (*SERVICE_PORTS, 0, "name"), "1" * 63)]),
    ("port-name-invalid", [(WEB_SERVICE, SERVICE_PORTS, [{"port": 80, "targetPort": "http"}])]),
    # No text: the schema says so.
    ("port-name-invalid", [container_port(0, 8080)]),
    ("schema-broken", [(WEB, (*CONTAINER, "resources"), {"requests": {"cpu": 0.5, "memory": "1e3"}, "limits": None})]),
    ("schema-broken", [(WEB, (*POD, "volumes", 0, "emptyDir", "sizeLimit"), None), (WEB, ("metadata", "creationTimestamp"), None)]),
    ("schema-broken", [(WEB, (*POD, "nodeSelector"), None), (WEB, (*CONTAINER, "env", 2, "value"), None), (WEB, ("status",), {})]),
    ("schema-broken", [(WEB_SERVICE, ("spec", "ports", 0, "targetPort"), None)]),
    ("schema-broken", [(MONITOR, ("spec", "endpoints", 0), {"port": "http", "tlsConfig": {"caFile": "/etc/ca"}, "interval": None})]),
    ("schema-broken", [made("example.org/v1", "Deployment", "other", anything="goes")]),
    (
        "object-rendered-twice",
        [("Service/again", (), {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "b"}})],
    ),
    ("object-rendered-twice", [made("serving.knative.dev/v1", "Service", "web-2"), ("ServiceAccount/hook", (), HOOK)]),
    (
        "object-rendered-twice",
        [("Other/again", (), {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "web"}})],
    ),
    ("api-version-deprecated", [made("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "policy")]),
    # Not served at all is another finding.
    ("api-version-deprecated", [made("policy/v1beta1", "PodDisruptionBudget", "old")]),
    ("selector-mismatch", [(WEB, ("spec", "template", "metadata", "labels", "tier"), "front")]),
    ("selector-mismatch", [(WEB, ("spec", "selector"), {"matchExpressions": [{"key": "app", "operator": "Exists"}]})]),
    ("selector-mismatch", [made("v1", "ReplicationController", "old", spec={"selector": {"app": "old"}})]),
    ("selectors-overlap", [TWIN, ("Deployment/twin", ("metadata", "namespace"), "other")]),
    ("selectors-overlap", [TWIN, ("Deployment/twin", ("kind",), "ReplicaSet")]),
    (
        "selectors-overlap",
        [
            TWIN,
            *(
                (name, ("spec", *place, "track"), name[11:])
                for name in (WEB, "Deployment/twin")
                for place in (("selector", "matchLabels"), ("template", "metadata", "labels"))
            ),
        ],
    ),
    ("service-selects-nothing", [(WEB_SERVICE, ("spec", "selector"), GONE)]),
    ("service-selects-nothing", [(WEB_SERVICE, ("spec", "selector"), {})]),
    ("service-selects-nothing", [service("outside", {"app": "x"}), ("Service/outside", ("spec", "type"), "ExternalName")]),
    ("service-selects-nothing", [(STORE_SERVICE, ("spec", "selector", "statefulset.kubernetes.io/pod-name"), "store-0")]),
    ("service-selects-nothing", [(STORE_SERVICE, ("spec", "selector", "apps.kubernetes.io/pod-index"), "0")]),
    ("service-selects-nothing", [pods_may_label(), (WEB_SERVICE, ("spec", "selector", "role"), "leader")]),
    ("service-selects-nothing", [service("dns", {"k8s-app": "kube-dns"}, namespace="kube-system")]),
    ("service-selects-nothing", [DATABASE, service("db", {"app": "db"})]),
    # Controllers in the cluster make pods and a Service of a Gateway (GEP-1762).
    ("service-selects-nothing", [GATEWAY, service("door", {"gateway.networking.k8s.io/gateway-name": "door"})]),
    (
        "monitor-selects-nothing",
        [GATEWAY, (MONITOR, ("spec", "selector", "matchLabels"), {"gateway.networking.k8s.io/gateway-name": "door"})],
    ),
    ("service-selects-nothing", [made("serving.knative.dev/v1", "Service", "db", spec={"selector": {"app": "x"}})]),
    (
        "service-port-not-offered",
        [
            (WEB, (*POD, "initContainers", 0, "ports"), [{"name": "web", "containerPort": 1}]),
            (WEB_SERVICE, ("spec", "ports", 0, "targetPort"), "web"),
        ],
    ),
    ("service-port-not-offered", [(WEB_SERVICE, ("spec", "ports", 0, "targetPort"), 8081)]),
    ("service-port-undeclared", [(WEB_SERVICE, ("spec", "ports", 0, "targetPort"), 9090)]),
    ("service-port-undeclared", [(WEB, (*CONTAINER, "ports"), GONE)]),
    ("service-port-ambiguous", [TWO_HTTP, (WEB_SERVICE, (*SERVICE_PORTS, 0, "targetPort"), 8080)]),
    ("service-port-ambiguous", [(WEB, (*POD, "containers", 1), {"name": "next", "ports": [{"name": "next", "containerPort": 8081}]})]),
    ("service-port-ambiguous", [TWO_HTTP, (WEB, (*POD, "containers", 1, "ports", 0, "protocol"), "UDP")]),
    # What begins the pod is gone when a Service leads to it.
    ("service-port-ambiguous", [(WEB, (*POD, "initContainers", 0, "ports"), [{"name": "http", "containerPort": 1}])]),
    (
        "monitor-selects-nothing",
        [(MONITOR, ("spec", "namespaceSelector"), {"any": True}), (WEB_SERVICE, ("metadata", "namespace"), "other")],
    ),
    ("monitor-selects-nothing", [(MONITOR, ("spec", "namespaceSelector"), {"matchNames": ["kube-system"]})]),
    ("monitor-selects-nothing", [(MONITOR, ("spec", "selector"), {})]),
    # Of a Service and its headless twin one has the port.
    (
        "monitor-port-missing",
        [service("web-headless", {"app": "web"}, {"name": "http", "port": 8080}, labels={"app": "web"})],
    ),
    ("monitor-port-missing", [(MONITOR, ("spec", "endpoints", 0), {"targetPort": 9090})]),
    ("monitor-port-missing", [(MONITOR, ("spec", "selector", "matchLabels", "app"), "webs")]),
    ("ingress-port-missing", [(INGRESS, (*BACKEND, "port"), {"number": 9090})]),
    ("ingress-port-missing", [(INGRESS, (*BACKEND, "name"), "webs")]),
    ("ingress-port-missing", [(WEB_SERVICE, ("spec", "type"), "ExternalName"), (WEB_SERVICE, ("spec", "ports"), GONE)]),
    ("ingress-service-missing", [(INGRESS, BACKEND, {"name": "ssl-redirect", "port": {"name": "use-annotation"}})]),
    (
        "ingress-service-missing",
        [(INGRESS, ("spec", "rules", 0, "http", "paths", 0, "backend"), {"resource": {"kind": "Bucket", "name": "a"}})],
    ),
    # A kind of the same name, of a group that is not read.
    (
        "ingress-service-missing",
        [made("networking.internal.knative.dev/v1alpha1", "Ingress", "x", spec={"defaultBackend": {"service": {"name": "y"}}})],
    ),
    ("reference-missing", [(WEB, (*POD, "serviceAccountName"), "default")]),
    ("reference-missing", [(WEB, (*CONTAINER, "envFrom", 0, "configMapRef"), {"name": "more", "optional": True})]),
    ("reference-missing", [OWN_SECRET, (WEB, OUTSIDE_WEB, "own")]),
    (
        "reference-missing",
        [made("v1", "PersistentVolumeClaim", "own"), (WEB, (*POD, "volumes", 4, "persistentVolumeClaim", "claimName"), "own")],
    ),
    ("reference-missing", [made("external-secrets.io/v1", "ExternalSecret", "own"), (WEB, OUTSIDE_WEB, "own")]),
    ("reference-key-missing", [(SETTINGS, ("data", "LEVEL"), GONE), (SETTINGS, ("binaryData",), {"LEVEL": "SU5GTw=="})]),
    (
        "reference-key-missing",
        [(SETTINGS, ("data", "LEVEL"), GONE), (WEB, (*CONTAINER, "env", 0, "valueFrom", "configMapKeyRef", "optional"), True)],
    ),
    ("reference-key-missing", [(WEB, (*CONTAINER, "env", 1, "valueFrom", "secretKeyRef"), {"name": "filled-later", "key": "token"})]),
    ("reference-key-missing", [(WEB, (*POD, "volumes", 1, "configMap", "items"), [LEVEL])]),
    ("reference-key-missing", [(WEB, (*POD, "volumes", 1, "configMap"), {"name": "settings", "items": [LEVELS], "optional": True})]),
    ("reference-key-missing", [(WEB, (*POD, "volumes", 2, "secret", "items"), [LEVEL])]),
    ("volume-missing", [(WEB, (*CONTAINER, "volumeMounts", 0, "name"), "scratch")]),
]


def test_the_reference_keeps_to_every_rule_and_nearly_every_rule_looks_at_it() -> None:
    judged = release()
    for rule in RULES:
        assert list(map(str, broken(RULES, rule.id, judged))) == [], rule.id
        assert list(rule.judge(judged)), rule.id


@pytest.mark.parametrize(("rule", "edits", "told"), VIOLATIONS)
def test_a_violation_is_found_and_told(rule: str, edits: list[Edit], told: str) -> None:
    found = broken(RULES, rule, release(*edits))
    assert any(told in outcome.observed for outcome in found), list(map(str, found))


@pytest.mark.parametrize(("rule", "edits"), NEAR_MISSES)
def test_what_only_looks_like_a_violation_is_none(rule: str, edits: list[Edit]) -> None:
    assert list(map(str, broken(RULES, rule, release(*edits)))) == []


def test_every_rule_has_a_violation_and_a_near_miss() -> None:
    assert len(RULES.rules) == 23
    # No edit of an object gives a key twice; what does is text.
    assert set(RULES.rules) - {"key-rendered-twice"} == {case[0] for case in VIOLATIONS} == {case[0] for case in NEAR_MISSES}


def test_a_key_that_is_rendered_twice_is_found_and_told() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{LEVEL: a, {key}: a}}\n"
    rendered = "---\n".join(text.format(name=name, key=key) for name, key in (("sound", "LEVELS"), ("broken", "LEVEL")))
    judged = Release(Bundle(rendered=parse_documents(rendered, "templates/settings.yaml", rendered=True)))
    assert list(map(str, broken(RULES, "key-rendered-twice", judged))) == [
        "ConfigMap/broken data.LEVEL: expected each key once, observed LEVEL is there twice, and the last counts (templates/settings.yaml)"
    ]


def test_a_finding_leads_to_the_part() -> None:
    (found,) = broken(RULES, "service-port-not-offered", release((WEB_SERVICE, ("spec", "ports", 0, "targetPort"), "web")))
    assert str(found).startswith("Service/web spec.ports[0].targetPort: expected the name of a container's port")


@pytest.mark.parametrize(
    ("existing", "edits", "wanted"),
    [
        ((), [], ["PersistentVolumeClaim/audit", "Secret/certificate", "Secret/keys"]),
        ((), [EXTERNAL], ["PersistentVolumeClaim/audit", "Secret/keys"]),
        ((), [SEALED, CERTIFICATE], ["PersistentVolumeClaim/audit"]),
        (("Secret/keys", "Secret/certificate", "PersistentVolumeClaim/audit"), [], []),
    ],
)
def test_what_must_be_in_the_cluster_already_is_named(existing: tuple[str, ...], edits: list[Edit], wanted: list[str]) -> None:
    judged = release(*edits, existing_objects=existing)
    assert references.taken_as_there(judged) == wanted
    assert broken(RULES, "reference-missing", judged) == []


def test_without_a_word_on_what_is_there_a_config_map_still_has_to_be_rendered() -> None:
    judged = release((SETTINGS, (), GONE), existing_objects=())
    assert {outcome.observed for outcome in broken(RULES, "reference-missing", judged)} == {"there is no ConfigMap/settings"}


def test_an_existing_service_may_stand_behind_an_ingress() -> None:
    edit: Edit = (INGRESS, (*BACKEND, "name"), "others")
    assert len(broken(RULES, "ingress-service-missing", release(edit))) == 1
    assert broken(RULES, "ingress-service-missing", release(edit, existing_objects=("Service/others",))) == []


def test_kinds_that_nobody_can_judge_are_named_unless_they_are_waived() -> None:
    edits = [made("example.org/v1", "Widget", "a"), made("karpenter.sh/v1beta1", "NodePool", "b"), EXTERNAL]
    assert validity.kinds_unknown(release(*edits)) == [
        "example.org/v1 Widget",
        "external-secrets.io/v1 ExternalSecret",
        "karpenter.sh/v1beta1 NodePool",
    ]
    assert validity.kinds_unknown(release(*edits, kinds_without_schema=("Widget", "ExternalSecret", "NodePool"))) == []
    assert validity.kinds_unknown(release((SCALED, ("apiVersion",), "keda.sh/v1"))) == []


@pytest.mark.parametrize(
    ("rule", "edit", "name"),
    [
        ("service-selects-nothing", (WEB_SERVICE, ("spec", "selector", "app"), "db"), "Service/web"),
        ("monitor-selects-nothing", (MONITOR, ("spec", "selector", "matchLabels", "app"), "db"), "ServiceMonitor/web"),
        ("monitor-selects-nothing", (POD_MONITOR, ("spec", "selector", "matchExpressions", 0, "values"), ["db"]), "PodMonitor/store"),
    ],
)
def test_what_may_select_pods_of_an_operator_is_told_as_not_judged(rule: str, edit: Edit, name: str) -> None:
    beside = release(edit, DATABASE, made("kafka.strimzi.io/v1beta2", "Kafka", "k"), EXTERNAL)
    (reason,) = unjudged(RULES, rule, beside)
    assert reason.startswith(f"{name} selects nothing that is rendered")
    assert "of db.example.org/v1 Database, kafka.strimzi.io/v1beta2 Kafka," in reason
    assert broken(RULES, rule, beside) == []
    # Where the environment says so, or nobody else makes pods, nothing is open.
    assert unjudged(RULES, rule, release(edit, DATABASE, selects_operator_pods=(name,))) == []
    assert unjudged(RULES, rule, release(edit)) == []
    assert len(broken(RULES, rule, release(edit, selects_operator_pods=(name,)))) == 1
    # What selects pods that are rendered is judged all the same.
    assert unjudged(RULES, rule, release(DATABASE)) == []


@pytest.mark.parametrize(("kubernetes", "count"), [((1, 29), 0), ((1, 30), 1), ((1, 33), 1), ((1, 34), 1)])
def test_an_api_version_is_judged_by_the_version_that_is_deployed_to(kubernetes: tuple[int, ...], count: int) -> None:
    """ValidatingAdmissionPolicy is v1beta1 from 1.28 to 1.33, and v1 from 1.30 on."""
    old, new = (made(f"admissionregistration.k8s.io/{version}", "ValidatingAdmissionPolicy", version) for version in ("v1beta1", "v1"))
    served = {
        version: not broken(RULES, "api-version-not-served", release(edit, kubernetes=kubernetes))
        for version, edit in (("old", old), ("new", new))
    }
    assert served == {"old": kubernetes < (1, 34), "new": bool(count)}
