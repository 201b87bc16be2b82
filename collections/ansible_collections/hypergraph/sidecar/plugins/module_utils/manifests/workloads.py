# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads: objects that make pods, and what these pods ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from .bundle import Bundle
from .objects import Object, Path, mapping, mappings, sequence, text
from .quantity import quantity

# Where each kind describes its pods.
_TEMPLATES: Mapping[str, Path] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "ScaledJob": ("spec", "jobTargetRef", "template"),
    "Pod": (),
}
_ZERO = Decimal(0)


@dataclass(frozen=True)
class Workload:
    """An object that makes pods."""

    object: Object

    @property
    def template_path(self) -> Path:
        """Where its pods are described: a mapping with metadata and spec."""
        return _TEMPLATES[self.object.kind]

    @cached_property
    def pod_template(self) -> Mapping[str, Any]:
        """The description of its pods."""
        return mapping(self.object.at(*self.template_path))

    @cached_property
    def pod_spec(self) -> Mapping[str, Any]:
        """The spec of its pods."""
        return mapping(self.pod_template.get("spec"))

    @cached_property
    def pod_labels(self) -> Mapping[str, Any]:
        """The labels of its pods."""
        return mapping(mapping(self.pod_template.get("metadata")).get("labels"))

    @cached_property
    def containers(self) -> tuple[tuple[Path, Mapping[str, Any]], ...]:
        """Its containers with their places, those that begin before the others last."""
        names = ("containers", "initContainers")
        return tuple(
            ((*self.template_path, "spec", name, position), container)
            for name in names
            for position, container in mappings(self.pod_spec.get(name))
        )

    @cached_property
    def resources(self) -> tuple[str, ...]:
        """Names of the resources that its containers request or limit, and of the overhead."""
        asked = [mapping(mapping(container.get("resources")).get(part)) for _path, container in self.containers for part in _PARTS]
        return tuple(sorted({name for part in (*asked, mapping(self.pod_spec.get("overhead"))) for name in part}))

    def requests(self, resource: str) -> Decimal:
        """What one pod requests of a resource, in its base unit.

        The larger of what its containers with its sidecars take and what any starting container takes with the sidecars begun before it,
        plus overhead (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers).
        """
        running = sum((_requested(c, resource) for _position, c in mappings(self.pod_spec.get("containers"))), _ZERO)
        begun = peak = _ZERO
        for _position, container in mappings(self.pod_spec.get("initContainers")):
            asked = _requested(container, resource)
            if container.get("restartPolicy") == "Always":
                begun += asked
                peak = max(peak, begun)
            else:
                peak = max(peak, begun + asked)
        overhead = quantity(mapping(self.pod_spec.get("overhead")).get(resource)) or _ZERO
        return max(running + begun, peak) + overhead


_PARTS = ("requests", "limits")


def workloads(bundle: Bundle) -> Iterator[Workload]:
    """Everything of the bundle that makes pods."""
    return (Workload(one) for one in bundle.objects if one.kind in _TEMPLATES)


def matches(selector: Any, labels: Mapping[str, Any]) -> bool:
    """Whether a label selector (matchLabels and matchExpressions) selects the labels. An empty selector selects everything."""
    wanted = mapping(selector)
    if any(labels.get(key) != value for key, value in mapping(wanted.get("matchLabels")).items()):
        return False
    return all(_holds(expression, labels) for _position, expression in mappings(wanted.get("matchExpressions")))


def _holds(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, values = text(expression.get("key")), sequence(expression.get("values"))
    there = key in labels
    operator = expression.get("operator")
    if operator == "In":
        return there and labels[key] in values
    if operator == "NotIn":
        return not there or labels[key] not in values
    return there if operator == "Exists" else operator == "DoesNotExist" and not there


def _requested(container: Mapping[str, Any], resource: str) -> Decimal:
    """What a container requests; its limit where it names no request, which is how Kubernetes defaults it."""
    stated = mapping(container.get("resources"))
    for part in _PARTS:
        found = quantity(mapping(stated.get(part)).get(resource))
        if found is not None:
            return found
    return _ZERO
