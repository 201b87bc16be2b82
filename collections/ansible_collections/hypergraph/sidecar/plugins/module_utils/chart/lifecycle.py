# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on probes, and on how pods end and begin: what is called ready, and how long it may take to stop and to start."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from ..manifests.objects import Path, mapping, mappings, sequence, text
from ..manifests.rules import WARNING, Outcome, Registry
from ..manifests.workloads import Workload
from .containers import HANDLERS, containers, runs_on
from .ports import behind, resolved, scraped, selecting_services, service_ports
from .release import LASTING, Release

RULES = Registry()
_PROBE_SOURCE = "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/"
# What Kubernetes takes where nothing is said.
_GRACE, _PROGRESS, _PERIOD, _FAILURES = 30, 600, 10, 3
# What a command or a script begins with that waits before it does anything else.
_SLEEP = re.compile(r"\s*(?:\S*/)?sleep\s+(\d+)s?(?=$|[\s;&|])")


@RULES.rule(
    "readiness-missing",
    "Every container that a Service leads to says when it is ready",
    examines="containers behind Services",
    source=f"{_PROBE_SOURCE}: without one, requests go to containers that cannot answer yet, at every rollout",
    fix="Add a readinessProbe that asks what tells that it can serve.",
)
def _readiness(release: Release) -> Iterator[Outcome]:
    for workload, path, container in _serving(release):
        observed = f"container {container.get('name')} has none"
        yield Outcome(workload.object, bool(container.get("readinessProbe")), "a readinessProbe", observed, path)


@RULES.rule(
    "liveness-missing",
    "Every container that a Service leads to is restarted when it hangs",
    examines="containers behind Services",
    source=_PROBE_SOURCE,
    fix="Add a livenessProbe that is slower to act than the readinessProbe.",
    severity=WARNING,
)
def _liveness(release: Release) -> Iterator[Outcome]:
    for workload, path, container in _serving(release):
        observed = f"container {container.get('name')} has none"
        yield Outcome(workload.object, bool(container.get("livenessProbe")), "a livenessProbe", observed, path)


@RULES.rule(
    "probe-port-missing",
    "Every port that a probe or a hook names is one of its container",
    examines="probes and hooks that name a port",
    source="https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#use-a-named-port",
    fix="Write the name of a port of the same container, or its number without quotes.",
)
def _probe_port(release: Release) -> Iterator[Outcome]:
    for workload, path, container in containers(release):
        names = [port.get("name") for _position, port in mappings(container.get("ports"))]
        for handler in HANDLERS:
            for action in ("httpGet", "tcpSocket"):
                port = workload.object.at(*path, *handler, action, "port")
                if isinstance(port, str):
                    # A number in quotes is a name to Kubernetes, and none that a port can have.
                    ok = port in names and not port.isdigit()
                    observed = f'container {container.get("name")} has no port "{port}"'
                    yield Outcome(workload.object, ok, "a port of the container", observed, (*path, *handler, action, "port"))


@RULES.rule(
    "liveness-before-readiness",
    "No container is restarted before it is taken out of service",
    examines="containers that are probed for both alike",
    source=f"{_PROBE_SOURCE}: a busy container is restarted, its load falls on the others, and they follow",
    fix="Give the livenessProbe a longer periodSeconds or a higher failureThreshold than the readinessProbe.",
    severity=WARNING,
)
def _liveness_hasty(release: Release) -> Iterator[Outcome]:
    for workload, path, container in containers(release):
        live, ready = mapping(container.get("livenessProbe")), mapping(container.get("readinessProbe"))
        alike = any(live.get(action) and live.get(action) == ready.get(action) for action in ("httpGet", "tcpSocket", "grpc", "exec"))
        restarted, out = _patience(live), _patience(ready)
        if alike and restarted and out:
            observed = f"restarted after {restarted} s, taken out after {out} s"
            yield Outcome(workload.object, restarted > out, "restarted later than taken out", observed, (*path, "livenessProbe"))


@RULES.rule(
    "pre-stop-outlasts-grace",
    "Every container is done waiting before it is killed",
    examines="preStop hooks that sleep",
    source="https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/: the grace period begins before the hook does",
    fix="Raise terminationGracePeriodSeconds above the sleep and the longest request.",
)
def _pre_stop(release: Release) -> Iterator[Outcome]:
    for workload, path, container in containers(release):
        seconds = _sleep(container)
        if seconds:
            grace = _number(workload.pod_spec, "terminationGracePeriodSeconds", _GRACE)
            observed = f"it sleeps {seconds} s of {grace} s"
            yield Outcome(workload.object, seconds < grace, "a sleep within the grace period", observed, (*path, "lifecycle", "preStop"))


@RULES.rule(
    "grace-period-too-short",
    "Every pod may finish the work it has before it is killed",
    examines="workloads whose longest work is known",
    source="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination; argument stage_p99_seconds",
    fix="Raise terminationGracePeriodSeconds to at least the p99 of a stage and the preStop hook.",
    severity=WARNING,
)
def _grace(release: Release) -> Iterator[Outcome]:
    for workload in release.workloads:
        longest = release.stage_p99(workload)
        if longest is not None:
            grace = _number(workload.pod_spec, "terminationGracePeriodSeconds", _GRACE)
            path: Path = (*workload.template_path, "spec", "terminationGracePeriodSeconds")
            needed = longest + _slept(workload)
            yield Outcome(workload.object, grace >= needed, f"at least {needed:g} s", f"{grace} s", path)


@RULES.rule(
    "progress-deadline-too-short",
    "Every Deployment may take as long to progress as its pods may take to start",
    examines="Deployments with startup probes",
    source="https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progress-deadline-seconds; Argo CD: Degraded",
    fix="Raise progressDeadlineSeconds above what the startupProbe allows.",
    severity=WARNING,
)
def _progress(release: Release) -> Iterator[Outcome]:
    for workload in release.workloads:
        allowed = [
            _number(probe, "initialDelaySeconds", 0) + _patience(probe)
            for _path, container in workload.containers
            for probe in [mapping(container.get("startupProbe"))]
            if probe
        ]
        if workload.object.kind == "Deployment" and allowed:
            starting = max(allowed) + _number(workload.object.spec, "minReadySeconds", 0)
            deadline = _number(workload.object.spec, "progressDeadlineSeconds", _PROGRESS)
            observed = f"{deadline} s"
            yield Outcome(workload.object, deadline > starting, f"more than {starting} s", observed, ("spec", "progressDeadlineSeconds"))


def _serving(release: Release) -> Iterator[tuple[Workload, Path, Mapping[str, Any]]]:
    """Containers of lasting workloads that a Service leads to when they are ready.

    A container that only Prometheus asks is one where it is the pod's only one: beside others, it says nothing of whether the pod serves.
    """
    served: dict[int, set[int]] = defaultdict(set)
    for service in selecting_services(release):
        if service.spec.get("publishNotReadyAddresses") is not True:
            for workload in behind(service, release):
                targets = (resolved(port.target, workload) for port in service_ports(service))
                served[id(workload)].update(number for number in targets if number is not None)
    asked = {(id(one.workload), one.number) for one in scraped(release)}
    for workload in release.workloads:
        lasting = [(path, one) for path, one in workload.containers if runs_on(path, one)] if workload.object.kind in LASTING else []
        for path, container in lasting:
            numbers = [port.get("containerPort") for _position, port in mappings(container.get("ports"))]
            # What names no port may listen on any; the only container there is does.
            there = [one for one in served[id(workload)] if one in numbers or (len(lasting) == 1 and not numbers)]
            if any(len(lasting) == 1 or (id(workload), one) not in asked for one in there):
                yield workload, path, container


def _patience(probe: Mapping[str, Any]) -> int:
    """Seconds for which a probe may fail before it acts; 0 where its numbers are none that Kubernetes takes."""
    return max(0, _number(probe, "periodSeconds", _PERIOD)) * max(0, _number(probe, "failureThreshold", _FAILURES))


def _slept(workload: Workload) -> int:
    return max((_sleep(container) for _path, container in workload.containers), default=0)


def _sleep(container: Mapping[str, Any]) -> int:
    """Seconds that a container waits before it is told to stop: of a sleep, or of a command or a shell's script that begins with one."""
    hook = mapping(mapping(container.get("lifecycle")).get("preStop"))
    words = [text(word) for word in sequence(mapping(hook.get("exec")).get("command"))]
    script = words[2] if len(words) == 3 and words[1].startswith("-") and words[1].endswith("c") else " ".join(words)
    found = _SLEEP.match(script)
    return int(found[1]) if found else _number(mapping(hook.get("sleep")), "seconds", 0)


def _number(of: Mapping[str, Any], name: str, default: int) -> int:
    found = of.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else default
