# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Autoscalers as they are declared, and the workloads they scale.

KEDA makes a HorizontalPodAutoscaler of each ScaledObject; what is left out means the same to both as ``Autoscaler`` says here
(kedacore/keda apis/keda/v1alpha1/scaledobject_types.go and pkg/util/gvkr.go; Kubernetes autoscaling/v2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..manifests.bundle import Bundle
from ..manifests.objects import Object, mapping
from ..manifests.workloads import Workload, workloads

KEDA = "keda.sh"
SCALED_OBJECT = "ScaledObject"
HPA = "HorizontalPodAutoscaler"
PAUSED, PAUSED_REPLICAS, PAUSED_SCALE_OUT = (f"autoscaling.keda.sh/{name}" for name in ("paused", "paused-replicas", "paused-scale-out"))
# Bounds where a ScaledObject names none.
_MIN, _MAX = 0, 100


@dataclass(frozen=True)
class Reference:
    """What an autoscaler scales; ``namespace`` is the autoscaler's own, since none reaches into another."""

    group: str
    kind: str
    name: str
    namespace: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True)
class Autoscaler:
    """A ScaledObject of KEDA or a HorizontalPodAutoscaler of its own."""

    object: Object
    namespace: str

    @property
    def by_keda(self) -> bool:
        """Whether it is a ScaledObject."""
        return self.object.kind == SCALED_OBJECT

    @cached_property
    def target(self) -> Reference:
        """What it scales."""
        wanted = mapping(self.object.spec.get("scaleTargetRef"))
        api_version = _text(wanted.get("apiVersion")) or "apps/v1"
        return Reference(
            api_version.rpartition("/")[0],
            _text(wanted.get("kind")) or "Deployment",
            _text(wanted.get("name")),
            self.namespace,
        )

    @property
    def min_path(self) -> str:
        """The field of its spec that bounds replicas from below."""
        return "minReplicaCount" if self.by_keda else "minReplicas"

    @property
    def max_path(self) -> str:
        """The field of its spec that bounds replicas from above."""
        return "maxReplicaCount" if self.by_keda else "maxReplicas"

    @property
    def min_replicas(self) -> int:
        """As declared, or what its absence means: 0 to KEDA, 1 to Kubernetes."""
        found = whole(self.object.spec.get(self.min_path))
        return found if found is not None else (_MIN if self.by_keda else 1)

    @property
    def max_replicas(self) -> int:
        """As declared, or what its absence means: 100 to KEDA. Kubernetes refuses an autoscaler without; it then counts as its minimum."""
        found = whole(self.object.spec.get(self.max_path))
        return found if found is not None else (_MAX if self.by_keda else self.min_replicas)

    @property
    def paused_replicas(self) -> int | None:
        """How many replicas KEDA holds the workload at, in place of scaling it; None where it is told no number."""
        told = str(self.object.annotations.get(PAUSED_REPLICAS, "")) if self.by_keda else ""
        return int(told) if re.fullmatch(r"\d{1,9}", told, re.ASCII) else None

    @property
    def hpa_name(self) -> str:
        """The name of the HorizontalPodAutoscaler that sets the replicas."""
        if not self.by_keda:
            return self.object.name
        own = _text(self.object.at("spec", "advanced", "horizontalPodAutoscalerConfig", "name"))
        return own or f"keda-hpa-{self.object.name}"


@dataclass(frozen=True)
class Target:
    """A workload with the autoscaler that scales it."""

    autoscaler: Autoscaler
    workload: Workload

    @property
    def min_replicas(self) -> int:
        """The fewest replicas it is scaled to, or held at while the autoscaler is paused."""
        held = self.autoscaler.paused_replicas
        return self.autoscaler.min_replicas if held is None else held

    @property
    def max_replicas(self) -> int:
        """The most replicas it is scaled to, or held at while the autoscaler is paused."""
        held = self.autoscaler.paused_replicas
        return self.autoscaler.max_replicas if held is None else held


def autoscalers(bundle: Bundle) -> Iterator[Autoscaler]:
    """All ScaledObjects and HorizontalPodAutoscalers, whatever they scale."""
    for one in bundle.objects:
        if (one.kind, one.group) in ((SCALED_OBJECT, KEDA), (HPA, "autoscaling")):
            yield Autoscaler(one, bundle.namespace_of(one))


def scaled_objects(bundle: Bundle) -> Iterator[Autoscaler]:
    """Those of KEDA."""
    return (one for one in autoscalers(bundle) if one.by_keda)


def autoscaled(bundle: Bundle) -> Iterator[Target]:
    """The workloads of the bundle that are scaled, once for every autoscaler that does."""
    there = {reference(bundle, workload.object): workload for workload in workloads(bundle)}
    for autoscaler in autoscalers(bundle):
        workload = there.get(autoscaler.target)
        if workload is not None:
            yield Target(autoscaler, workload)


def reference(bundle: Bundle, one: Object) -> Reference:
    """How an autoscaler refers to the object."""
    return Reference(one.group, one.kind, one.name, bundle.namespace_of(one))


def whole(value: Any) -> int | None:
    """The value if it is a whole number; schemas report what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
