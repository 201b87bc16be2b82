# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what containers ask for and are made of: resources and images."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..manifests.objects import Path, mapping, mappings
from ..manifests.quantity import quantity
from ..manifests.rules import Outcome, Registry
from ..manifests.workloads import Workload
from .release import Release

RULES = Registry()
# Where a container has what asks how it is, and what it does when it begins and ends.
HANDLERS: tuple[Path, ...] = (
    ("startupProbe",),
    ("readinessProbe",),
    ("livenessProbe",),
    ("lifecycle", "postStart"),
    ("lifecycle", "preStop"),
)
_NEEDED = ("cpu", "memory")
# Since when the resources of a pod count for its containers (https://kubernetes.io/docs/tasks/configure-pod-container/assign-pod-level-resources/).
_POD_LEVEL = (1, 34)
# The grammar of https://pkg.go.dev/github.com/distribution/reference, without its bounds.
_IMAGE = re.compile(
    r"(?P<repository>(?:[A-Za-z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[a-z0-9]+:[0-9a-fA-F]{32,}))?"
)


@RULES.rule(
    "requests-missing",
    "Every container requests CPU and memory",
    examines="containers that run as long as their pod",
    source="https://karpenter.sh/docs/troubleshooting/: nodes are chosen by requests, and pods without are crammed onto too few",
    fix="Set resources.requests.cpu and resources.requests.memory.",
)
def _requests(release: Release) -> Iterator[Outcome]:
    for workload, path, container in containers(release):
        if runs_on(path, container):
            absent = [name for name in _NEEDED if not _has(release, workload, container, name, ("requests", "limits"))]
            observed = f"container {container.get('name')} requests no {' and no '.join(absent)}"
            yield Outcome(workload.object, not absent, "requests of CPU and memory", observed, (*path, "resources"))


@RULES.rule(
    "memory-limit-missing",
    "Every container has a limit of memory",
    examines="containers",
    source="https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/: without one it takes the node's memory",
    fix="Set resources.limits.memory, to the request where it must never be evicted for it.",
)
def _memory_limit(release: Release) -> Iterator[Outcome]:
    for workload, path, container in containers(release):
        ok = _has(release, workload, container, "memory", ("limits",))
        observed = f"container {container.get('name')} has no limit of memory"
        yield Outcome(workload.object, ok, "a limit of memory", observed, (*path, "resources"))


@RULES.rule(
    "request-exceeds-limit",
    "No container requests more than its limit",
    examines="limits of resources, and requests of devices and huge pages",
    source="https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/: the API server refuses it",
    fix="Raise the limit to the request, or lower the request.",
)
def _within(release: Release) -> Iterator[Outcome]:
    for workload, path, container in containers(release):
        named = [str(name) for part in ("limits", "requests") for name in mapping(mapping(container.get("resources")).get(part))]
        for name in dict.fromkeys(named):
            limit, request = quantity(_asked(container, "limits", name)), quantity(_asked(container, "requests", name))
            whole = _is_whole(name)
            if limit is not None or (whole and request is not None):
                fits = request is None or (request == limit if whole else request <= (limit or 0))
                observed = f"{name}: request {_asked(container, 'requests', name)}, limit {_asked(container, 'limits', name) or 'none'}"
                expected = "a limit of the request" if whole else "a request within the limit"
                yield Outcome(workload.object, fits, expected, observed, (*path, "resources", "limits", name))


@RULES.rule(
    "image-not-pinned",
    "Every image is pinned to a tag other than latest, or to a digest",
    examines="images",
    source="https://kubernetes.io/docs/concepts/containers/images/: with latest nobody knows what runs, nor what to go back to",
    fix="Set the tag to a version, or name the digest.",
)
def _pinned(release: Release) -> Iterator[Outcome]:
    for workload, path, container in containers(release):
        image = container.get("image")
        found = _IMAGE.fullmatch(image) if isinstance(image, str) else None
        pinned = found is not None and (found["digest"] is not None or found["tag"] not in (None, "latest"))
        observed = f"image {image}" if image else "no image"
        yield Outcome(workload.object, pinned, "name:version or name@sha256:...", observed, (*path, "image"))


@RULES.rule(
    "image-without-digest",
    "Every image of production is pinned to a digest",
    examines="images of production",
    source="https://kubernetes.io/docs/concepts/containers/images/#image-pinning: a tag can be pushed anew",
    fix="Set the digest (image.digest) that the release's build printed.",
)
def _digest(release: Release) -> Iterator[Outcome]:
    if release.bundle.production:
        for workload, path, container in containers(release):
            image = container.get("image")
            ok = isinstance(image, str) and "@" in image
            yield Outcome(workload.object, ok, "name@sha256:...", f"image {image}", (*path, "image"))


def containers(release: Release) -> Iterator[tuple[Workload, Path, Mapping[str, Any]]]:
    """All containers of all workloads."""
    for workload in release.workloads:
        for path, container in workload.containers:
            yield workload, path, container


def runs_on(path: Path, container: Mapping[str, Any]) -> bool:
    """Whether the container at the path runs as long as its pod: no init container, or one that is a sidecar."""
    return path[-2] != "initContainers" or container.get("restartPolicy") == "Always"


def _asked(of: Mapping[str, Any], part: str, name: str) -> Any:
    return mapping(mapping(of.get("resources")).get(part)).get(name)


def _has(release: Release, workload: Workload, container: Mapping[str, Any], name: str, parts: tuple[str, ...]) -> bool:
    """Whether the container has an amount of the resource in one of the parts: its own, its pod's, or what a LimitRange gives to it."""
    owners = [container, workload.pod_spec] if release.bundle.versions.kubernetes >= _POD_LEVEL else [container]
    if any(_asked(owner, part, name) is not None for owner in owners for part in parts):
        return True
    given = ("default", "defaultRequest") if "requests" in parts else ("default",)
    namespace = release.namespace_of(workload.object)
    ranges = (one for one in release.of_kind("LimitRange") if release.namespace_of(one) == namespace)
    defaults = (item for one in ranges for _position, item in mappings(one.spec.get("limits")) if item.get("type") == "Container")
    return any(mapping(item.get(part)).get(name) is not None for item in defaults for part in given)


def _is_whole(name: str) -> bool:
    """Whether the resource cannot be overcommitted, as devices and huge pages (pkg/apis/core/v1/helper, IsOvercommitAllowed)."""
    return name.startswith("hugepages-") or ("/" in name and "kubernetes.io/" not in name)
