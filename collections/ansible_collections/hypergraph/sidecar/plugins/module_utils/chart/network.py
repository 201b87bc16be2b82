# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on NetworkPolicies: they are there, they select pods, and what has to get through does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..manifests.objects import Object, mapping, mappings
from ..manifests.rules import WARNING, Outcome, Registry
from ..manifests.variables import variables
from ..manifests.workloads import Workload
from .isolation import EGRESS, INGRESS, Isolation, is_isolable
from .ports import behind, resolved, scraped, selecting_services, service_ports
from .release import Release

RULES = Registry()
_SOURCE = "https://kubernetes.io/docs/concepts/services-networking/network-policies/"
_HOST = re.compile(r"://(?:[^/@]*@)?([a-z0-9.-]+)(?::(\d+))?")
# Where pods of the cluster's DNS listen; the second is OpenShift's.
_DNS_PORTS = (53, 5353)
_DNS_NAMESPACES = ("kube-system", "openshift-dns")
_DNS_FIX = "Permit port 53, UDP and TCP, to the pods of kube-dns in kube-system."
_PROXY_VARIABLES = frozenset({"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"})


@RULES.rule(
    "network-policy-missing",
    "Every workload of production is isolated by a NetworkPolicy",
    examines="workloads of production",
    source=_SOURCE,
    fix="Render a NetworkPolicy that selects its pods and permits what it needs.",
)
def _there(release: Release) -> Iterator[Outcome]:
    if not release.bundle.production or "NetworkPolicy" not in release.demands.expected_kinds:
        return
    isolation = Isolation(release)
    for workload in release.workloads:
        if is_isolable(workload) and not isolation.is_open:
            ok = bool(isolation.policies(workload, INGRESS))
            yield Outcome(workload.object, ok, "a policy for what comes in", "none selects its pods")


@RULES.rule(
    "policy-selects-nothing",
    "Every NetworkPolicy selects pods",
    examines="NetworkPolicies that do not select all pods",
    source=_SOURCE,
    fix="Render its podSelector from the named template that labels the pods.",
)
def _selects(release: Release) -> Iterator[Outcome]:
    for policy in release.of_kind("NetworkPolicy"):
        selector = policy.spec.get("podSelector")
        if mapping(selector):
            found = bool(release.selected(selector, release.namespace_of(policy)))
            yield from release.selection(Outcome(policy, found, "pods of a workload", "no pod has these labels", ("spec", "podSelector")))


@RULES.rule(
    "metrics-blocked",
    "Prometheus reaches every port that it is told to scrape",
    examines="scraped ports of workloads",
    source=f"{_SOURCE}; a target that cannot be reached is down, and what scales by its metrics stands still",
    fix="Permit the metrics port from the namespace of Prometheus, which prometheus_namespace (sidecar_prometheus_namespace) names.",
)
def _metrics(release: Release) -> Iterator[Outcome]:
    isolation = Isolation(release)
    namespace = release.demands.prometheus_namespace
    for one in scraped(release):
        if one.number is not None and not isolation.is_open:
            peers = isolation.permitted(one.workload, INGRESS, one.number)
            permitted = any(peer.may_be_in(namespace) if namespace else peer.may_be_foreign(release) for peer in peers)
            ok = permitted or not isolation.policies(one.workload, INGRESS)
            whom = f"from namespace {namespace}" if namespace else "from another namespace"
            observed = f"no policy permits port {one.number} {whom}, which {one.monitor} scrapes"
            yield Outcome(one.workload.object, ok, f"port {one.number} {whom}", observed)


@RULES.rule(
    "service-blocked",
    "Somebody may reach every port of a Service",
    examines="Service ports of workloads",
    source=_SOURCE,
    fix="Permit the container's port (not the Service's) in an ingress rule.",
)
def _service(release: Release) -> Iterator[Outcome]:
    isolation = Isolation(release)
    # That Prometheus is kept out is told by the rule on it.
    told = {(id(one.workload), one.number) for one in scraped(release)}
    for service in selecting_services(release):
        for port in service_ports(service):
            for workload in behind(service, release):
                number = resolved(port.target, workload)
                if number is not None and not isolation.is_open:
                    free = not isolation.policies(workload, INGRESS) or (id(workload), number) in told
                    ok = free or bool(isolation.permitted(workload, INGRESS, number, port.protocol))
                    observed = f"{workload.object} takes nothing on port {number}"
                    yield Outcome(service, ok, "a policy that permits the port", observed, port.path)


@RULES.rule(
    "scaler-source-blocked",
    "KEDA reaches the Services of the release that it is told to ask",
    examines="triggers that ask the release's own Services",
    source=f"{_SOURCE}; KEDA's operator runs in a namespace of its own",
    fix="Permit the port in an ingress rule from KEDA's namespace.",
)
def _scaler(release: Release) -> Iterator[Outcome]:
    isolation = Isolation(release)
    for scaler, service, port in _asked(release):
        offered = [one for one in service_ports(service) if port is None or one.number == port]
        for workload in behind(service, release):
            numbers = [number for one in offered if (number := resolved(one.target, workload)) is not None]
            if numbers and not isolation.is_open:
                peers = [peer for number in numbers for peer in isolation.permitted(workload, INGRESS, number)]
                ok = any(peer.may_be_elsewhere() for peer in peers) or not isolation.policies(workload, INGRESS)
                observed = f"{workload.object} takes nothing of another namespace on port {', '.join(map(str, numbers))}"
                yield Outcome(scaler, ok, f"a way from KEDA to {service}", observed, ("spec", "triggers"))


@RULES.rule(
    "dns-blocked",
    "Every pod whose egress is isolated can resolve names",
    examines="workloads with isolated egress",
    source=f"{_SOURCE}; without DNS every call by name fails, those inside the cluster too",
    fix=_DNS_FIX,
)
def _dns(release: Release) -> Iterator[Outcome]:
    return _resolving(release, "UDP")


@RULES.rule(
    "dns-truncated",
    "Every pod whose egress is isolated can resolve names with long answers",
    examines="workloads with isolated egress",
    source="https://www.rfc-editor.org/rfc/rfc7766: an answer too long for UDP is cut off, and asked for again by TCP",
    fix=_DNS_FIX,
    severity=WARNING,
)
def _dns_long(release: Release) -> Iterator[Outcome]:
    return _resolving(release, "TCP")


@RULES.rule(
    "webhooks-blocked",
    "What delivers webhooks reaches the internet",
    examines="workloads that deliver webhooks without a proxy, with isolated egress",
    source=f"{_SOURCE}; argument webhook_senders",
    fix="Permit the port of webhooks to 0.0.0.0/0 without the private networks.",
)
def _webhooks(release: Release) -> Iterator[Outcome]:
    isolation = Isolation(release)
    port = release.demands.webhook_port
    for workload in _senders(release, isolation):
        if _PROXY_VARIABLES.isdisjoint(_variables(workload, release)):
            ok = any(peer.covers_internet() for peer in isolation.permitted(workload, EGRESS, port))
            yield Outcome(workload.object, ok, f"port {port} to the internet", "no policy permits it")


@RULES.rule(
    "metadata-service-reachable",
    "What delivers webhooks does not reach the cloud's metadata service",
    examines="workloads that deliver webhooks, with isolated egress",
    source="https://owasp.org/www-community/attacks/Server_Side_Request_Forgery; that service tells a node's credentials",
    fix="Name 169.254.0.0/16 in the except of every ipBlock that holds it.",
    severity=WARNING,
)
def _metadata_service(release: Release) -> Iterator[Outcome]:
    isolation = Isolation(release)
    for workload in _senders(release, isolation):
        for port in sorted({80, release.demands.webhook_port}):
            reached = any(peer.covers_metadata_service() for peer in isolation.permitted(workload, EGRESS, port))
            yield Outcome(workload.object, not reached, "169.254.169.254 out of reach", f"policies permit it on port {port}")


@RULES.rule(
    "policy-peer-unknown",
    "Every pod that a NetworkPolicy names in its own namespace is one of the release",
    examines="pod selectors of rules for their own namespace",
    source=_SOURCE,
    fix="Correct the labels; where the pods are another release's, name their namespace too.",
    severity=WARNING,
)
def _peers(release: Release) -> Iterator[Outcome]:
    for policy in release.of_kind("NetworkPolicy"):
        for rules, side in (("ingress", "from"), ("egress", "to")):
            for position, rule in mappings(policy.spec.get(rules)):
                for at, peer in mappings(rule.get(side)):
                    selector = peer.get("podSelector")
                    if mapping(selector) and "namespaceSelector" not in peer:
                        found = bool(release.selected(selector, release.namespace_of(policy)))
                        path = ("spec", rules, position, side, at, "podSelector")
                        yield from release.selection(Outcome(policy, found, "pods of a workload", "no pod has these labels", path))


def _resolving(release: Release, protocol: str) -> Iterator[Outcome]:
    """Whether pods with isolated egress reach the cluster's DNS, in the namespaces that it may be in."""
    isolation = Isolation(release)
    for workload in release.workloads:
        if isolation.policies(workload, EGRESS) and not isolation.is_open:
            peers = [peer for port in _DNS_PORTS for peer in isolation.permitted(workload, EGRESS, port, protocol)]
            ok = any(peer.may_be_in(namespace) for peer in peers for namespace in _DNS_NAMESPACES)
            yield Outcome(workload.object, ok, f"{protocol} to port 53", "no policy permits it")


def _senders(release: Release, isolation: Isolation) -> Iterator[Workload]:
    if not isolation.is_open:
        yield from (one for one in release.workloads if release.sends_webhooks(one) and isolation.policies(one, EGRESS))


def _variables(workload: Workload, release: Release) -> Iterator[str]:
    """Names of the variables that containers have, as far as they are rendered."""
    namespace = release.namespace_of(workload.object)
    for path, container in workload.containers:
        found = variables(workload.object, path, container, lambda name: release.named("ConfigMap", name, namespace))
        yield from (variable.name for variable in found)


def _asked(release: Release) -> Iterator[tuple[Object, Object, int | None]]:
    """ScaledObjects and ScaledJobs with the rendered Services that their triggers name in an address, and the port there."""
    for scaler in release.of_kind("ScaledObject", "ScaledJob"):
        for _position, trigger in mappings(scaler.spec.get("triggers")):
            for value in mapping(trigger.get("metadata")).values():
                found = _HOST.search(value) if isinstance(value, str) else None
                if found:
                    name, _dot, rest = found[1].partition(".")
                    namespace = rest.partition(".")[0] or release.namespace_of(scaler)
                    service = release.named("Service", name, namespace)
                    if service is not None:
                        yield scaler, service, int(found[2]) if found[2] else None
