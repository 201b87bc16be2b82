# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports: which a Service offers, which containers have, and which of them Prometheus scrapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from ..manifests.objects import Object, Path, mapping, mappings, sequence, text
from ..manifests.workloads import Workload
from .containers import runs_on
from .release import Release

MONITORS = ("ServiceMonitor", "PodMonitor")
_POD_NAME = "statefulset.kubernetes.io/pod-name"
_POD_INDEX = "apps.kubernetes.io/pod-index"


@dataclass(frozen=True)
class ContainerPort:
    """A port that a container says it listens on."""

    name: str
    number: int
    protocol: str


@dataclass(frozen=True)
class ServicePort:
    """A port of a Service; ``target`` is a container port's name or number."""

    name: str
    number: Any
    target: Any
    protocol: str
    path: Path


@dataclass(frozen=True)
class Scraped:
    """A port of a workload that a monitor has Prometheus scrape. The number is None where a name leads to none."""

    monitor: Object
    workload: Workload
    number: int | None


def container_ports(workload: Workload, *, lasting: bool = False) -> tuple[ContainerPort, ...]:
    """All ports that the workload's containers name, or those that run as long as their pod, in the order that Kubernetes looks at them."""
    return tuple(
        ContainerPort(str(port.get("name") or ""), port["containerPort"], str(port.get("protocol") or "TCP"))
        for path, container in workload.containers
        if not lasting or runs_on(path, container)
        for _position, port in mappings(container.get("ports"))
        if isinstance(port.get("containerPort"), int)
    )


def service_ports(service: Object) -> Iterator[ServicePort]:
    """The ports of a Service."""
    for position, port in mappings(service.spec.get("ports")):
        number = port.get("port")
        target = port.get("targetPort")
        yield ServicePort(
            str(port.get("name") or ""),
            number,
            number if target is None else target,
            str(port.get("protocol") or "TCP"),
            ("spec", "ports", position),
        )


def resolved(target: Any, workload: Workload) -> int | None:
    """The number of a port given by name or number; None for a name that no container has."""
    if isinstance(target, str):
        return next((port.number for port in container_ports(workload) if port.name == target), None)
    return target if isinstance(target, int) else None


def selecting_services(release: Release) -> Iterator[Object]:
    """Services that select pods; others have their endpoints made by someone, or name another host."""
    for service in release.of_kind("Service"):
        if service.spec.get("type") != "ExternalName" and mapping(service.spec.get("selector")):
            yield service


def behind(service: Object, release: Release) -> list[Workload]:
    """The workloads whose pods a Service selects."""
    labels = dict(mapping(service.spec.get("selector")))
    # Each pod of a StatefulSet is given its own name and number as labels.
    pod, index = labels.pop(_POD_NAME, None), labels.pop(_POD_INDEX, None)
    found = release.selected({"matchLabels": labels}, release.namespace_of(service))
    if pod is not None:
        found = [one for one in found if one.object.kind == "StatefulSet" and one.object.name == text(pod).rpartition("-")[0]]
    return [one for one in found if index is None or one.object.kind == "StatefulSet"]


def monitors(release: Release) -> Iterator[Object]:
    """ServiceMonitors and PodMonitors that look into namespaces of the release."""
    for one in release.of_kind(*MONITORS):
        if _watched(one, release, release.workload_namespaces):
            yield one


def endpoints(monitor: Object) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """What a monitor scrapes of everything it selects."""
    name = "endpoints" if monitor.kind == "ServiceMonitor" else "podMetricsEndpoints"
    return ((("spec", name, position), endpoint) for position, endpoint in mappings(monitor.spec.get(name)))


def monitored_services(monitor: Object, release: Release) -> list[Object]:
    """The Services that a ServiceMonitor selects by their own labels."""
    watched = sorted(_watched(monitor, release, release.services.namespaces))
    return [service for namespace in watched for service in release.services.selected(monitor.spec.get("selector"), namespace)]


def monitored_workloads(monitor: Object, release: Release) -> list[Workload]:
    """The workloads whose pods a PodMonitor selects."""
    watched = sorted(_watched(monitor, release, release.workload_namespaces))
    return [workload for namespace in watched for workload in release.selected(monitor.spec.get("selector"), namespace)]


def scraped(release: Release) -> Iterator[Scraped]:
    """Everything that Prometheus is told to scrape, as far as names lead to it."""
    for monitor in monitors(release):
        for _path, endpoint in endpoints(monitor):
            if monitor.kind == "PodMonitor":
                target = endpoint.get("port") or endpoint.get("portNumber") or endpoint.get("targetPort")
                for workload in monitored_workloads(monitor, release):
                    yield Scraped(monitor, workload, resolved(target, workload))
                continue
            for service in monitored_services(monitor, release):
                named = next((port.target for port in service_ports(service) if port.name == endpoint.get("port")), None)
                for workload in behind(service, release):
                    yield Scraped(monitor, workload, resolved(endpoint.get("targetPort") if named is None else named, workload))


def _watched(monitor: Object, release: Release, here: Set[str]) -> Set[str]:
    """Which of the namespaces a monitor looks into."""
    selector = mapping(monitor.spec.get("namespaceSelector"))
    if selector.get("any") is True:
        return here
    named = {name for name in sequence(selector.get("matchNames")) if isinstance(name, str)}
    return here & (named or {release.namespace_of(monitor)})
