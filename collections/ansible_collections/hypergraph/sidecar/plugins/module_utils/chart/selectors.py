# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on who selects whom: workloads their own pods, Services workloads, monitors Services, Ingresses Services."""

from __future__ import annotations

from collections.abc import Iterator

from ..manifests.objects import Object, Path, mapping, mappings
from ..manifests.rules import WARNING, Outcome, Registry
from ..manifests.workloads import matches
from .ports import (
    behind,
    container_ports,
    endpoints,
    monitored_services,
    monitored_workloads,
    monitors,
    selecting_services,
    service_ports,
)
from .release import LASTING, Release

RULES = Registry()


@RULES.rule(
    "selector-mismatch",
    "Every workload selects the pods that it makes",
    examines="workloads with a selector",
    source="https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector: the API server refuses it otherwise",
    fix="Render selector and labels of the pod template from the same named template.",
)
def _own_pods(release: Release) -> Iterator[Outcome]:
    for workload in release.workloads:
        selector = workload.object.spec.get("selector")
        if workload.object.kind in LASTING and workload.object.kind != "ReplicationController" and selector is not None:
            ok = bool(selector) and matches(selector, workload.pod_labels)
            observed = f"selector {_shown(selector)}, pods {dict(workload.pod_labels)}"
            yield Outcome(workload.object, ok, "a selector that selects its pods", observed, ("spec", "selector"))


@RULES.rule(
    "selectors-overlap",
    "No workload selects another one's pods",
    examines="workloads with a selector",
    source="https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector: overlapping selectors conflict",
    fix="Add a label that tells them apart, such as app.kubernetes.io/component, to selector and pods.",
)
def _overlap(release: Release) -> Iterator[Outcome]:
    for workload in release.workloads:
        selector = workload.object.spec.get("selector")
        if workload.object.kind not in LASTING or not mapping(selector) or workload.object.kind == "ReplicationController":
            continue
        # A Deployment also selects by the hash of its template, which tells pods of other kinds of controllers apart.
        others = [
            str(other.object)
            for other in release.selected(selector, release.namespace_of(workload.object))
            if other.object is not workload.object and other.object.kind == workload.object.kind
        ]
        yield Outcome(workload.object, not others, "its own pods alone", f"also those of {', '.join(others)}", ("spec", "selector"))


@RULES.rule(
    "service-selects-nothing",
    "Every Service selects pods of a workload",
    examines="Services with a selector",
    source="https://kubernetes.io/docs/concepts/services-networking/service/#defining-a-service",
    fix="Render the Service's selector from the named template that labels the pods.",
)
def _service(release: Release) -> Iterator[Outcome]:
    """Judged where the release's own pods are: elsewhere a Service leads to those of others."""
    here = release.workload_namespaces | {release.bundle.namespace}
    for service in selecting_services(release):
        found = bool(behind(service, release))
        if found or not (release.namespace_of(service) not in here or _labelled_later(service, release)):
            observed = f"no pod has {dict(mapping(service.spec.get('selector')))}"
            yield from release.selection(Outcome(service, found, "a workload with these labels", observed, ("spec", "selector")))


@RULES.rule(
    "service-port-not-offered",
    "Every port that a Service names is one of the pods it selects",
    examines="Service ports that name a target",
    source="https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports: a name that no container has leads nowhere",
    fix="Write the name of the container's port in targetPort.",
)
def _named_port(release: Release) -> Iterator[Outcome]:
    for service in selecting_services(release):
        for port in service_ports(service):
            there = behind(service, release)
            if there and isinstance(port.target, str):
                # A number in quotes is a name to Kubernetes, and none that a port can have.
                ok = any(port.target == known.name != "" for workload in there for known in container_ports(workload))
                names = sorted({known.name for workload in there for known in container_ports(workload) if known.name})
                observed = f'targetPort "{port.target}"; containers have {", ".join(names) or "no named port"}'
                yield Outcome(service, ok, "the name of a container's port", observed, (*port.path, "targetPort"))


@RULES.rule(
    "service-port-ambiguous",
    "Every port that a Service names is one of a single container",
    examines="Service ports that name a target",
    source="https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports; FindPort takes the first container's",
    fix="Give the containers' ports different names, or write the number in targetPort.",
    severity=WARNING,
)
def _single_port(release: Release) -> Iterator[Outcome]:
    for service in selecting_services(release):
        for port in service_ports(service):
            for workload in behind(service, release) if isinstance(port.target, str) else ():
                same = (one for one in container_ports(workload, lasting=True) if (one.name, one.protocol) == (port.target, port.protocol))
                numbers = list(dict.fromkeys(one.number for one in same))
                observed = f"{port.target} is {' and '.join(map(str, numbers))}, of which the first is reached"
                yield Outcome(service, len(numbers) < 2, "a port of one container", observed, (*port.path, "targetPort"))


@RULES.rule(
    "service-port-undeclared",
    "Every port number that a Service leads to is one that a container says it has",
    examines="Service ports that lead to a number",
    source="https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports",
    fix="Correct targetPort, or add the port to the container's ports.",
    severity=WARNING,
)
def _numbered_port(release: Release) -> Iterator[Outcome]:
    """Judged where containers say which ports they have at all; to say it is no duty."""
    for service in selecting_services(release):
        for port in service_ports(service):
            numbers = {known.number for workload in behind(service, release) for known in container_ports(workload)}
            if numbers and isinstance(port.target, int):
                observed = f"{port.target}; containers have {', '.join(map(str, sorted(numbers)))}"
                yield Outcome(service, port.target in numbers, "a port of a container", observed, (*port.path, "targetPort"))


@RULES.rule(
    "monitor-selects-nothing",
    "Every ServiceMonitor selects a Service, and every PodMonitor pods",
    examines="monitors of the release's namespaces",
    source="https://prometheus-operator.dev/docs/developer/getting-started/: a ServiceMonitor selects by the labels of the Service itself",
    fix="Select labels that the Service (not its pods) has, and name its namespace in namespaceSelector.",
)
def _monitor(release: Release) -> Iterator[Outcome]:
    for monitor in monitors(release):
        found = monitored_services(monitor, release) if monitor.kind == "ServiceMonitor" else monitored_workloads(monitor, release)
        what = "Service" if monitor.kind == "ServiceMonitor" else "pod"
        observed = f"no {what} is selected by {_shown(monitor.spec.get('selector'))}"
        yield from release.selection(Outcome(monitor, bool(found), f"a {what} of the release", observed, ("spec", "selector")))


@RULES.rule(
    "monitor-port-missing",
    "Every port that a monitor scrapes is a port of what it selects",
    examines="endpoints of monitors",
    source="https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.Endpoint: port names a Service port",
    fix="Write the name of the Service's port, or of the container's for a PodMonitor; a port without a name cannot be scraped by it.",
)
def _monitor_port(release: Release) -> Iterator[Outcome]:
    """Of several that a monitor selects, those without the port are not scraped: one that has it is enough."""
    for monitor in monitors(release):
        offered = list(_offered(monitor, release))
        for path, endpoint in endpoints(monitor):
            name = endpoint.get("port")
            if isinstance(name, str) and offered:
                ok = any(name in names for _one, names in offered)
                has = "; ".join(f"{one} has {', '.join(sorted(names)) or 'no named port'}" for one, names in offered)
                yield Outcome(monitor, ok, "the name of a port", f"port {name}; {has}", (*path, "port"))


@RULES.rule(
    "ingress-port-missing",
    "Every Service that an Ingress leads to has the port",
    examines="paths of Ingresses to rendered Services",
    source="https://kubernetes.io/docs/concepts/services-networking/ingress/#the-ingress-resource",
    fix="Write the name or the number of the Service's port.",
)
def _ingress_port(release: Release) -> Iterator[Outcome]:
    for ingress, path, service in _backends(release):
        port = mapping(ingress.at(*path, "service", "port"))
        name, number = port.get("name"), port.get("number")
        ports = list(service_ports(service))
        # A Service that only names another host need not tell ports.
        if not ports and service.spec.get("type") == "ExternalName":
            continue
        ok = any(name == known.name != "" or (number is not None and number == known.number) for known in ports)
        offered = ", ".join(f"{known.name} ({known.number})" if known.name else str(known.number) for known in ports)
        asked = number if name is None else name
        yield Outcome(ingress, ok, f"a port of {service}", f"port {asked}; it has {offered or 'none'}", (*path, "service", "port"))


@RULES.rule(
    "ingress-service-missing",
    "Every Service that an Ingress leads to is rendered",
    examines="paths of Ingresses",
    source="https://kubernetes.io/docs/concepts/services-networking/ingress/#the-ingress-resource",
    fix="Correct the Service's name; a Service of another release is no error, and existing_objects (sidecar_existing_objects) names it.",
    severity=WARNING,
)
def _ingress_service(release: Release) -> Iterator[Outcome]:
    known = release.demands.existing_objects
    for ingress, path in _ingress_backends(release):
        name = ingress.at(*path, "service", "name")
        # The AWS Load Balancer Controller takes the name for that of an annotation.
        if isinstance(name, str) and ingress.at(*path, "service", "port", "name") != "use-annotation":
            there = release.named("Service", name, release.namespace_of(ingress)) is not None or f"Service/{name}" in known
            yield Outcome(ingress, there, "a Service of the release", f"there is no Service/{name}", (*path, "service", "name"))


def _labelled_later(service: Object, release: Release) -> bool:
    """Whether pods of the release may give themselves what the Service asks for beside their labels, such as which of them leads."""
    asked = mapping(service.spec.get("selector"))
    return release.may_label_pods and any(
        labels.keys() & asked.keys() and all(labels.get(key, value) == value for key, value in asked.items())
        for labels in (workload.pod_labels for workload in release.workloads)
    )


def _offered(monitor: Object, release: Release) -> Iterator[tuple[Object, set[str]]]:
    if monitor.kind == "ServiceMonitor":
        for service in monitored_services(monitor, release):
            yield service, {port.name for port in service_ports(service) if port.name}
    else:
        for workload in monitored_workloads(monitor, release):
            yield workload.object, {port.name for port in container_ports(workload) if port.name}


def _backends(release: Release) -> Iterator[tuple[Object, Path, Object]]:
    for ingress, path in _ingress_backends(release):
        service = release.named("Service", str(ingress.at(*path, "service", "name")), release.namespace_of(ingress))
        if service is not None:
            yield ingress, path, service


def _ingress_backends(release: Release) -> Iterator[tuple[Object, Path]]:
    for ingress in release.of_kind("Ingress"):
        if mapping(ingress.spec.get("defaultBackend")).get("service"):
            yield ingress, ("spec", "defaultBackend")
        for rule, body in mappings(ingress.spec.get("rules")):
            for position, path in mappings(mapping(body.get("http")).get("paths")):
                if mapping(mapping(path.get("backend")).get("service")):
                    yield ingress, ("spec", "rules", rule, "http", "paths", position, "backend")


def _shown(selector: object) -> str:
    labels = mapping(mapping(selector).get("matchLabels"))
    return ", ".join(f"{key}={value}" for key, value in labels.items()) or str(selector)
