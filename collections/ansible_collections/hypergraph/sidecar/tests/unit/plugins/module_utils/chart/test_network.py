# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network must let through is missed where it does not, and nothing is where it cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.network import RULES
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.chart.served import (
    COURIER,
    POD,
    STORE,
    WEB,
    release,
    told,
    unjudged,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit

NOBODY, NAMES, METRICS = "NetworkPolicy/nobody", "NetworkPolicy/names", "NetworkPolicy/metrics"
OF_WEB, OF_STORE, OF_COURIER = "NetworkPolicy/web", "NetworkPolicy/store", "NetworkPolicy/courier"
RULE = ("spec", "ingress", 0)
OUT = ("spec", "egress", 0)
LABELS = (*POD[:-1], "metadata", "labels")
NAMESPACE = "kubernetes.io/metadata.name"
DNS_NAMESPACE = (*OUT, "to", 0, "namespaceSelector", "matchLabels", NAMESPACE)
OPERATED = {"apiVersion": "queue.example.org/v1", "kind": "Broker", "metadata": {"name": "broker"}}
CILIUM = {"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "c"}, "spec": {"endpointSelector": {}}}
CALICO = {"apiVersion": "projectcalico.org/v3", "kind": "NetworkPolicy", "metadata": {"name": "c"}, "spec": {"types": ["Ingress"]}}
OTHERS: list[list[Edit]] = [[("CiliumNetworkPolicy/c", (), CILIUM)], [("NetworkPolicy/c", (), CALICO)]]


def open_to(selector: dict[str, Any]) -> dict[str, Any]:
    return {"from": [selector], "ports": [{"port": "metrics"}]}


def namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE: name}}}


VIOLATIONS: list[tuple[str, list[Edit], dict[str, Any], str]] = [
    (
        "network-policy-missing",
        [(NOBODY, (), GONE), (OF_STORE, (), GONE), (METRICS, ("spec", "podSelector", "matchLabels", "tier"), "web")],
        {},
        "StatefulSet/store: expected a policy for what comes in",
    ),
    (
        "network-policy-missing",
        [(NOBODY, ("spec", "policyTypes"), ["Egress"]), (METRICS, (), GONE), (OF_STORE, ("metadata", "namespace"), "other")],
        {},
        "StatefulSet/store",
    ),
    ("policy-selects-nothing", [(OF_WEB, ("spec", "podSelector", "matchLabels", "app"), "webs")], {}, "NetworkPolicy/web spec.podSelector"),
    ("policy-selects-nothing", [(OF_WEB, ("metadata", "namespace"), "other")], {}, "no pod has these labels"),
    (
        "policy-selects-nothing",
        [(NAMES, ("spec", "podSelector", "matchExpressions", 0, "operator"), "DoesNotExist")],
        {},
        "NetworkPolicy/names",
    ),
    ("metrics-blocked", [(METRICS, (), GONE)], {}, "port 9121 from namespace monitoring, observed no policy permits port 9121"),
    ("metrics-blocked", [(METRICS, (*RULE, "ports", 0, "port"), 9090)], {}, "StatefulSet/store: expected port 9121"),
    ("metrics-blocked", [(METRICS, (*RULE, "ports", 0, "protocol"), "UDP")], {}, "which PodMonitor/courier scrapes"),
    ("metrics-blocked", [], {"prometheus_namespace": "observability"}, "port 9090 from namespace observability"),
    ("metrics-blocked", [(METRICS, RULE, open_to({"podSelector": {}}))], {}, "Deployment/web"),
    ("metrics-blocked", [(METRICS, RULE, open_to({"podSelector": {}}))], {"prometheus_namespace": ""}, "from another namespace"),
    ("metrics-blocked", [(METRICS, RULE, open_to(namespace("shop")))], {"prometheus_namespace": ""}, "from another namespace"),
    ("metrics-blocked", [(METRICS, RULE, open_to({"podSelector": {"matchLabels": {"app": "web"}}}))], {"prometheus_namespace": ""}, "9121"),
    (
        "metrics-blocked",
        [(METRICS, (*RULE, "ports", 0), {"port": 9091, "endPort": 9120})],
        {},
        "port 9090",
    ),
    ("service-blocked", [(OF_STORE, (*RULE, "ports", 0, "port"), 80)], {}, "StatefulSet/store takes nothing on port 6379"),
    # The Service's own port is not what policies are about.
    ("service-blocked", [(OF_WEB, (*RULE, "ports", 0, "port"), 80)], {}, "Service/web spec.ports[0]"),
    ("service-blocked", [(OF_STORE, ("spec", "ingress"), [])], {}, "StatefulSet/store"),
    ("scaler-source-blocked", [(OF_STORE, (*RULE, "from", 1), GONE)], {}, "takes nothing of another namespace on port 6379"),
    ("dns-blocked", [(NAMES, (), GONE)], {}, "Deployment/courier: expected UDP to port 53"),
    ("dns-blocked", [(NAMES, (*OUT, "ports", 0, "protocol"), "TCP")], {}, "Deployment/web"),
    ("dns-blocked", [(NAMES, (*OUT, "to", 0, "namespaceSelector"), GONE)], {}, "no policy permits it"),
    ("dns-blocked", [(NAMES, ("spec", "podSelector"), {"matchLabels": {"app": "web"}})], {}, "StatefulSet/store"),
    ("dns-blocked", [(NAMES, DNS_NAMESPACE, "kube-sytem")], {}, "StatefulSet/store: expected UDP to port 53"),
    ("dns-truncated", [(NAMES, DNS_NAMESPACE, "monitoring")], {}, "TCP to port 53"),
    ("dns-truncated", [(NAMES, (*OUT, "ports", 1), GONE)], {}, "TCP to port 53"),
    ("webhooks-blocked", [(OF_COURIER, (*OUT, "ports", 0, "port"), 80)], {}, "port 443 to the internet"),
    ("webhooks-blocked", [(OF_COURIER, (*OUT, "to", 0, "ipBlock"), {"cidr": "10.0.0.0/8"})], {}, "no policy permits it"),
    ("webhooks-blocked", [], {"webhook_port": 8443}, "port 8443"),
    (
        "webhooks-blocked",
        [(OF_COURIER, (), GONE), ("ConfigMap/settings", ("data", "https_proxy"), "http://proxy:3128")],
        {},
        "Deployment/courier",
    ),
    ("webhooks-blocked", [], {"webhook_senders": ("store",)}, "StatefulSet/store"),
    (
        "metadata-service-reachable",
        [(OF_COURIER, (*OUT, "to", 0, "ipBlock", "except"), ["10.0.0.0/8"])],
        {},
        "policies permit it on port 443",
    ),
    ("metadata-service-reachable", [(OF_COURIER, (*OUT, "ports"), GONE), (OF_COURIER, (*OUT, "to"), [])], {}, "port 80"),
    (
        "metadata-service-reachable",
        [(OF_COURIER, (*OUT, "to", 1), {"ipBlock": {"cidr": "169.254.169.254/32"}})],
        {},
        "Deployment/courier",
    ),
    (
        "policy-peer-unknown",
        [(OF_STORE, (*RULE, "from", 0, "podSelector", "matchLabels", "app"), "webs")],
        {},
        "spec.ingress[0].from[0].podSelector",
    ),
    ("policy-peer-unknown", [(OF_WEB, (*OUT, "to", 0, "podSelector", "matchLabels", "app"), "shop")], {}, "spec.egress[0].to[0]"),
]

NEAR_MISSES: list[tuple[str, list[Edit], dict[str, Any]]] = [
    ("network-policy-missing", [(NOBODY, (), GONE)], {}),
    ("network-policy-missing", [(NOBODY, (), GONE), (METRICS, (), GONE)], {"production": False}),
    ("network-policy-missing", [(NOBODY, (), GONE), (METRICS, (), GONE)], {"expected_kinds": ()}),
    (
        "network-policy-missing",
        [(NOBODY, (), GONE), (METRICS, (), GONE), (COURIER, (*POD, "hostNetwork"), True), (OF_COURIER, (), GONE)],
        {},
    ),
    *(("network-policy-missing", [(NOBODY, (), GONE), (METRICS, (), GONE), *other], {}) for other in OTHERS),
    ("policy-selects-nothing", [(OF_WEB, ("spec", "podSelector"), {"matchExpressions": [{"key": "app", "operator": "NotIn"}]})], {}),
    ("policy-selects-nothing", [("Broker/broker", (), OPERATED), (OF_WEB, ("spec", "podSelector", "matchLabels", "app"), "broker")], {}),
    ("policy-selects-nothing", OTHERS[1], {}),
    ("metrics-blocked", [(METRICS, (*RULE, "ports"), GONE)], {}),
    ("metrics-blocked", [(METRICS, (*RULE, "ports", 0), {"port": 9090, "endPort": 9121})], {}),
    ("metrics-blocked", [(METRICS, (*RULE, "from"), [])], {"prometheus_namespace": "anywhere"}),
    ("metrics-blocked", [(METRICS, (*RULE, "from", 0), {"ipBlock": {"cidr": "10.0.0.0/8"}})], {}),
    ("metrics-blocked", [(METRICS, (*RULE, "from", 0, "namespaceSelector"), {"matchLabels": {"team": "platform"}})], {}),
    (
        "metrics-blocked",
        [(METRICS, (*RULE, "from", 0, "namespaceSelector"), {"matchExpressions": [{"key": NAMESPACE, "operator": "Exists"}]})],
        {},
    ),
    ("metrics-blocked", [], {"prometheus_namespace": ""}),
    ("metrics-blocked", [(METRICS, RULE, open_to({"podSelector": {}}))], {"prometheus_namespace": "shop"}),
    ("metrics-blocked", [(METRICS, RULE, open_to({"podSelector": {"matchLabels": {"app": "prometheus"}}}))], {"prometheus_namespace": ""}),
    ("metrics-blocked", [(METRICS, (), GONE), (NOBODY, (), GONE), (OF_STORE, (), GONE), (OF_WEB, ("spec", "policyTypes"), ["Egress"])], {}),
    *(("metrics-blocked", [(METRICS, (), GONE), *other], {}) for other in OTHERS),
    ("metrics-blocked", [("PodMonitor/courier", ("spec", "podMetricsEndpoints", 0, "port"), "typo")], {}),
    ("service-blocked", [(OF_STORE, (*RULE, "ports", 0, "port"), 6379)], {}),
    # Prometheus is told by the rule on it.
    ("service-blocked", [(METRICS, (), GONE)], {}),
    ("service-blocked", [(OF_STORE, (*RULE, "ports", 0, "port"), 80), *OTHERS[0]], {}),
    ("service-blocked", [(STORE, (*POD, "hostNetwork"), True), (OF_STORE, (*RULE, "ports", 0, "port"), 80)], {}),
    ("scaler-source-blocked", [("ScaledObject/web", ("spec", "triggers", 1, "metadata", "url"), "http://store.other.svc:6379")], {}),
    (
        "scaler-source-blocked",
        [("ScaledObject/web", ("spec", "triggers", 1, "metadata", "url"), "http://store/"), (OF_STORE, (*RULE, "from"), GONE)],
        {},
    ),
    ("scaler-source-blocked", [(OF_STORE, (*RULE, "from", 1), GONE), *OTHERS[0]], {}),
    ("dns-blocked", [(NAMES, (*OUT, "ports"), GONE)], {}),
    ("dns-blocked", [(NAMES, DNS_NAMESPACE, "openshift-dns")], {}),
    ("dns-blocked", [(NAMES, (*OUT, "to", 0, "namespaceSelector"), {})], {}),
    # Which labels namespaces have but their name nobody knows here.
    ("dns-blocked", [(NAMES, (*OUT, "to", 0, "namespaceSelector", "matchLabels"), {"example.org/names": "yes"})], {}),
    ("dns-blocked", [(NAMES, (*OUT, "to", 0), {"ipBlock": {"cidr": "169.254.20.10/32"}})], {}),
    ("dns-blocked", [(NAMES, (*OUT, "ports"), [{"port": 5353, "protocol": "UDP"}, {"port": "dns-tcp"}])], {}),
    ("dns-blocked", [(NAMES, (*OUT, "ports", 1), GONE)], {}),
    (
        "dns-blocked",
        [
            (NAMES, (), GONE),
            (COURIER, (*POD, "hostNetwork"), True),
            (NOBODY, (), GONE),
            (OF_WEB, ("spec", "policyTypes"), GONE),
            (OF_WEB, ("spec", "egress"), []),
        ],
        {},
    ),
    ("dns-blocked", [(NAMES, (), GONE), *OTHERS[1]], {}),
    ("dns-truncated", [(NAMES, (*OUT, "ports"), [{"port": "dns", "protocol": "UDP"}, {"port": "dns-tcp", "protocol": "TCP"}])], {}),
    ("webhooks-blocked", [(OF_COURIER, (*OUT, "to", 0, "ipBlock"), {"cidr": "::/0"})], {}),
    ("webhooks-blocked", [(OF_COURIER, (*OUT, "to", 0, "ipBlock"), {"cidr": "128.0.0.0/1"})], {}),
    ("webhooks-blocked", [(OF_COURIER, (*OUT, "ports", 0), {"port": 1, "endPort": 65535})], {}),
    ("webhooks-blocked", [(OF_COURIER, (), GONE), (COURIER, (*POD, "containers", 0, "env", 0, "name"), "HTTPS_PROXY")], {}),
    (
        "webhooks-blocked",
        [
            (OF_COURIER, (), GONE),
            (COURIER, (*POD, "containers", 0, "envFrom", 0, "prefix"), GONE),
            ("ConfigMap/settings", ("data", "https_proxy"), "http://proxy:3128"),
        ],
        {},
    ),
    ("webhooks-blocked", [(OF_COURIER, (), GONE), *OTHERS[0]], {}),
    (
        "metadata-service-reachable",
        [(OF_COURIER, (*OUT, "to", 0, "ipBlock"), {"cidr": "169.254.0.0/16", "except": ["169.254.169.254/32"]})],
        {},
    ),
    ("metadata-service-reachable", [(OF_COURIER, (*OUT, "to", 0, "ipBlock"), {"cidr": "no network"})], {}),
    (
        "policy-peer-unknown",
        [(OF_STORE, (*RULE, "from", 0), {"podSelector": {"matchLabels": {"app": "elsewhere"}}, **namespace("shop")})],
        {},
    ),
    ("policy-peer-unknown", [(OF_STORE, (*RULE, "from", 0, "podSelector"), {"matchLabels": {"app": "x"}}), ("Broker/b", (), OPERATED)], {}),
    ("policy-peer-unknown", [(OF_STORE, (*RULE, "from", 0, "podSelector"), {})], {}),
]


@pytest.mark.parametrize(("rule", "edits", "demands", "said"), VIOLATIONS)
def test_a_violation_is_found_and_told(rule: str, edits: list[Edit], demands: dict[str, Any], said: str) -> None:
    found = told(RULES, rule, release(*edits, **demands))
    assert any(said in line for line in found), found


@pytest.mark.parametrize(("rule", "edits", "demands"), NEAR_MISSES)
def test_what_only_looks_like_a_violation_is_none(rule: str, edits: list[Edit], demands: dict[str, Any]) -> None:
    assert told(RULES, rule, release(*edits, **demands)) == []


@pytest.mark.parametrize(
    ("rule", "edit", "name"),
    [
        ("policy-selects-nothing", (OF_WEB, ("spec", "podSelector", "matchLabels", "app"), "broker"), OF_WEB),
        ("policy-peer-unknown", (OF_STORE, (*RULE, "from", 0, "podSelector"), {"matchLabels": {"app": "broker"}}), OF_STORE),
    ],
)
def test_a_policy_that_may_mean_an_operator_s_pods_is_told_as_not_judged(rule: str, edit: Edit, name: str) -> None:
    (said,) = unjudged(RULES, rule, release(("Broker/broker", (), OPERATED), edit))
    assert said.startswith(f"{name} selects nothing that is rendered")
    assert unjudged(RULES, rule, release(("Broker/broker", (), OPERATED), edit, selects_operator_pods=(name,))) == []


def test_every_rule_has_a_violation_and_a_near_miss() -> None:
    assert {rule.id for rule in RULES} == {case[0] for case in VIOLATIONS} == {case[0] for case in NEAR_MISSES}


def test_a_release_into_kube_system_finds_its_names_there() -> None:
    inside: list[Edit] = [(NAMES, (*OUT, "to", 0, "namespaceSelector"), GONE)]
    inside += [(name, ("metadata", "namespace"), "kube-system") for name in (WEB, STORE, COURIER, NOBODY, NAMES)]
    assert told(RULES, "dns-blocked", release(*inside)) == []


def test_policies_without_pods_hold_up_nothing() -> None:
    bare = release((WEB, LABELS, GONE), (STORE, LABELS, GONE), (COURIER, LABELS, GONE), (NOBODY, (), GONE))
    assert told(RULES, "dns-blocked", bare) == []
