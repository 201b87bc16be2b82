# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads as NodePools see them: pods with what they request, how many there are at full scale, and what DaemonSets take of each node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from ..manifests.bundle import Bundle
from ..manifests.objects import Object, Path, mapping
from ..manifests.workloads import Workload, workloads
from .karpenter_feasibility import Demand, Supply
from .karpenter_pools import Pod, Pool, pools
from .targets import autoscaled

# Labels of nodes that Karpenter did not make: managed node groups of EKS and eksctl, and control planes.
_ELSEWHERE = frozenset(
    {
        "alpha.eksctl.io/nodegroup-name",
        "eks.amazonaws.com/nodegroup",
        "eks.amazonaws.com/capacityType",
        "node-role.kubernetes.io/control-plane",
        "node-role.kubernetes.io/master",
    }
)
_LASTING = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")


@dataclass(frozen=True)
class Placed:
    """A workload whose pods run until they are ended, with ``replicas`` of them at full scale."""

    workload: Workload
    replicas: int

    @property
    def object(self) -> Object:
        """The workload itself."""
        return self.workload.object

    @cached_property
    def pod(self) -> Pod:
        """Its pods."""
        return _pod(self.workload)

    @property
    def path(self) -> Path:
        """Where its pods are described."""
        return (*self.workload.template_path, "spec")

    @property
    def annotations(self) -> Mapping[str, Any]:
        """Annotations of its pods."""
        return mapping(mapping(self.workload.pod_template.get("metadata")).get("annotations"))

    @property
    def grace_seconds(self) -> int:
        """How long its pods may take to end; Kubernetes' default is 30 s."""
        seconds = self.pod.spec.get("terminationGracePeriodSeconds")
        return seconds if isinstance(seconds, int) else 30


def placed(bundle: Bundle) -> Iterator[Placed]:
    """The lasting workloads that may run on nodes of Karpenter. DaemonSets run on every node, Jobs end: neither has a full scale."""
    # Where two autoscalers fight over a workload, either may have its way.
    ceilings: dict[int, int] = {}
    for target in autoscaled(bundle):
        found = id(target.workload.object)
        ceilings[found] = max(target.max_replicas, ceilings.get(found, 0))
    for workload in workloads(bundle):
        if workload.object.kind in _LASTING:
            replicas = workload.object.spec.get("replicas")
            own = replicas if isinstance(replicas, int) else 1
            one = Placed(workload, ceilings.get(id(workload.object), own))
            if not any(key in _ELSEWHERE for wanted in one.pod.alternatives for key in wanted):
                yield one


def demands(bundle: Bundle) -> list[Demand]:
    """What the workloads that some NodePool takes need at full scale."""
    offered = pools(bundle)
    found = []
    for one in placed(bundle):
        admitting = frozenset(pool.name for pool in offered if pool.admits(one.pod))
        if admitting:
            found.append(Demand(str(one.object), one.replicas, {**one.pod.requests, "pods": Decimal(1)}, admitting, one.pod.alone))
    return found


def supplies(bundle: Bundle) -> list[Supply]:
    """What the NodePools may grow to, and what the DaemonSets of the bundle take of each of their nodes."""
    daemons = [_pod(workload) for workload in workloads(bundle) if workload.object.kind == "DaemonSet"]
    return [Supply(pool.name, pool.limits, _taken(pool, daemons), pool.largest_node) for pool in pools(bundle)]


def _taken(pool: Pool, daemons: list[Pod]) -> dict[str, Decimal]:
    taken: dict[str, Decimal] = {}
    for pod in daemons:
        if pool.admits(pod):
            for resource, amount in {**pod.requests, "pods": Decimal(1)}.items():
                taken[resource] = taken.get(resource, Decimal(0)) + amount
    return taken


def _pod(workload: Workload) -> Pod:
    requests = {name: workload.requests(name) for name in workload.resources}
    return Pod(workload.pod_spec, requests, workload.pod_labels)
