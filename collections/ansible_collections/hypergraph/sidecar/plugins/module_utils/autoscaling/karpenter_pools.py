# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NodePools as a scheduler sees them: which pods they take, and what they may grow to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from ..manifests.bundle import Bundle
from ..manifests.objects import Object, mapping, mappings
from ..manifests.quantity import quantity
from ..manifests.workloads import matches
from .karpenter_labels import ANY, NONE, Constraint, combined, constraint, derived, exactly, said

GROUP = "karpenter.sh"
_BLOCKING = ("NoSchedule", "NoExecute")
_GPU = re.compile(r"(nvidia\.com/(gpu.*|mig-.+)|amd\.com/gpu|gpu\.intel\.com/.+)")
# EC2 families with GPUs, such as g4dn, g6e, gr6, p5: https://docs.aws.amazon.com/ec2/latest/instancetypes/ac.html
_GPU_FAMILY = re.compile(r"(g|gr|p)\d.*")
_GPU_LABELS = ("karpenter.k8s.aws/instance-gpu-count", "karpenter.k8s.aws/instance-gpu-name", "karpenter.k8s.aws/instance-gpu-manufacturer")
# Where a requirement names the size of instances: label, resource, and the resource's amount per unit of the label.
_SIZES = (
    ("karpenter.k8s.aws/instance-cpu", "cpu", Decimal(1)),
    ("karpenter.k8s.aws/instance-memory", "memory", Decimal(2**20)),
    ("karpenter.k8s.aws/instance-gpu-count", "nvidia.com/gpu", Decimal(1)),
    ("karpenter.k8s.aws/instance-pods", "pods", Decimal(1)),
)


@dataclass(frozen=True)
class Pod:
    """Pods of one workload as a scheduler sees them: their spec, what one of them requests, and their labels."""

    spec: Mapping[str, Any]
    requests: Mapping[str, Decimal] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def alternatives(self) -> tuple[dict[str, Constraint], ...]:
        """What is asked of a node's labels; a node has to hold to one of these."""
        chosen = [(key, exactly(value)) for key, value in mapping(self.spec.get("nodeSelector")).items() if isinstance(value, str)]
        affinity = mapping(mapping(self.spec.get("affinity")).get("nodeAffinity"))
        required = mapping(affinity.get("requiredDuringSchedulingIgnoredDuringExecution"))
        terms = [
            [(key, constraint(one)) for _position, one in mappings(term.get("matchExpressions")) if isinstance(key := one.get("key"), str)]
            for _position, term in mappings(required.get("nodeSelectorTerms"))
        ]
        return tuple(combined(chosen + term) for term in terms) or (combined(chosen),)

    @property
    def gpus(self) -> dict[str, Decimal]:
        """The GPUs requested, by resource."""
        return {name: amount for name, amount in self.requests.items() if amount > 0 and is_gpu(name)}

    @property
    def alone(self) -> bool:
        """Whether pods of the workload refuse to share a node: a required anti-affinity by hostname to their own labels."""
        anti = mapping(mapping(self.spec.get("affinity")).get("podAntiAffinity"))
        terms = mappings(anti.get("requiredDuringSchedulingIgnoredDuringExecution"))
        by_host = [term.get("labelSelector") for _position, term in terms if term.get("topologyKey") == "kubernetes.io/hostname"]
        return any(isinstance(selector, Mapping) and matches(selector, self.labels) for selector in by_host)

    def tolerates(self, taint: Mapping[str, Any]) -> bool:
        """Whether a toleration matches the taint, as the scheduler defines it; an operator we do not know is taken to match."""
        return any(_matches(toleration, taint) for _position, toleration in mappings(self.spec.get("tolerations")))


@dataclass(frozen=True)
class Pool:
    """One NodePool."""

    object: Object

    @property
    def name(self) -> str:
        """Its name."""
        return self.object.name

    @property
    def template(self) -> Mapping[str, Any]:
        """The spec of the nodes it makes."""
        return mapping(self.object.at("spec", "template", "spec"))

    @cached_property
    def labels(self) -> dict[str, Constraint]:
        """What it says about the labels of its nodes: requirements, labels of its template, and its own name."""
        pairs = [("karpenter.sh/nodepool", exactly(self.name))]
        pairs += [
            (key, exactly(value))
            for key, value in mapping(self.object.at("spec", "template", "metadata", "labels")).items()
            if isinstance(value, str)
        ]
        pairs += [
            (key, constraint(one))
            for _position, one in mappings(self.template.get("requirements"))
            if isinstance(key := one.get("key"), str)
        ]
        node_class = mapping(self.template.get("nodeClassRef"))
        if isinstance(node_class.get("name"), str):
            pairs.append((f"{node_class.get('group')}/{str(node_class.get('kind')).lower()}", exactly(node_class["name"])))
        return combined(pairs)

    @property
    def own_labels(self) -> frozenset[str]:
        """Labels that nodes have because they are Karpenter's: a pod that asks for one of these asks for a NodePool."""
        return frozenset(key for key in self.labels if not derived(key) or key.startswith(f"{GROUP}/"))

    @cached_property
    def taints(self) -> tuple[Mapping[str, Any], ...]:
        """Taints that keep pods off, in the order written. Startup taints are removed before pods come and do not."""
        return tuple(taint for _position, taint in mappings(self.template.get("taints")) if taint.get("effect") in _BLOCKING)

    @cached_property
    def limits(self) -> dict[str, Decimal]:
        """What all its nodes together may have, by resource; ``nodes`` counts them. A static pool has as many as it has replicas."""
        written = mapping(self.object.spec.get("limits")).items()
        limits = {name: amount for name, value in written if (amount := quantity(value)) is not None}
        nodes = quantity(self.object.spec.get("replicas"))
        if nodes is not None:
            limits.update({name: nodes * size for name, size in self.largest_node.items()}, nodes=nodes)
        return limits

    @cached_property
    def largest_node(self) -> dict[str, Decimal]:
        """The most one node can have of a resource, where the requirements bound it."""
        bounds = ((resource, self.labels.get(label, ANY).greatest(), scale) for label, resource, scale in _SIZES)
        return {resource: most * scale for resource, most, scale in bounds if most is not None}

    @property
    def weight(self) -> int:
        """Karpenter tries pools of greater weight first; none is 0."""
        weight = self.object.spec.get("weight")
        return weight if isinstance(weight, int) else 0

    @property
    def offers_gpus(self) -> bool | None:
        """Whether its nodes have GPUs, as far as its requirements and limits tell; None where they may or may not."""
        if any(amount == 0 for name, amount in self.limits.items() if is_gpu(name)):
            return False
        by_label = [self.labels[label] for label in _GPU_LABELS if label in self.labels]
        if any(not one.has_value or one.greatest() == 0 for one in by_label):
            return False
        if any(not one.absent for one in by_label):
            return True
        families = [_gpu_family(key, self.labels.get(key)) for key in _FAMILY_KEYS]
        if any(answer is not None for answer in families):
            return all(answer for answer in families if answer is not None)
        return None

    def label_refused(self, pod: Pod) -> str:
        """Which label the pod asks for that its nodes do not have, in words; empty where it fits."""
        refusals = [self._conflict(wanted) for wanted in pod.alternatives]
        return "" if "" in refusals else refusals[0]

    def taint_refused(self, pod: Pod) -> str:
        """Which taint the pod does not tolerate, in words; empty where it tolerates all."""
        return next((taint_text(taint) for taint in self.taints if not pod.tolerates(taint)), "")

    def lacks_gpus(self, pod: Pod) -> bool:
        """Whether the pod asks for GPUs that its nodes certainly do not have."""
        return bool(pod.gpus) and self.offers_gpus is False

    def admits(self, pod: Pod) -> bool:
        """Whether Karpenter can use it for the pod."""
        return not (self.label_refused(pod) or self.taint_refused(pod) or self.lacks_gpus(pod))

    def _conflict(self, wanted: Mapping[str, Constraint]) -> str:
        for key, one in wanted.items():
            offered = self.labels.get(key, ANY if derived(key) else NONE)
            if not (one & offered).satisfiable:
                return said(key, one)
        return ""


_FAMILY_KEYS = (
    "karpenter.k8s.aws/instance-category",
    "karpenter.k8s.aws/instance-family",
    "node.kubernetes.io/instance-type",
)


def pools(bundle: Bundle) -> tuple[Pool, ...]:
    """The NodePools of a bundle, of the API that is served."""
    return tuple(Pool(one) for one in bundle.of_kind("NodePool", group=GROUP))


def node_classes(bundle: Bundle) -> Iterator[Object]:
    """Its EC2NodeClasses."""
    return bundle.of_kind("EC2NodeClass", group="karpenter.k8s.aws")


def is_gpu(resource: str) -> bool:
    """Whether a resource is a GPU or a part of one."""
    return bool(_GPU.fullmatch(resource))


def taint_text(taint: Mapping[str, Any]) -> str:
    """A taint as kubectl writes it."""
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint.get('key')}{value}:{taint.get('effect')}"


def names(some: Iterable[Pool]) -> str:
    """Their names in one line."""
    return ", ".join(pool.name for pool in some)


def _gpu_family(key: str, one: Constraint | None) -> bool | None:
    """Whether a requirement on instances leaves only those with GPUs (True), only those without (False), or says nothing of it (None)."""
    if one is None or one.allowed is None:
        return None
    values = [value for value in one.allowed if one.takes(value)]
    with_gpus = [value for value in values if value in ("g", "gr", "p") or (key != _FAMILY_KEYS[0] and _GPU_FAMILY.fullmatch(value))]
    if len(with_gpus) == len(values):
        return True if values else None
    return None if with_gpus else False


def _matches(toleration: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    operator = toleration.get("operator") or "Equal"
    if toleration.get("key") in (None, ""):
        return operator == "Exists"
    if toleration.get("key") != taint.get("key"):
        return False
    return operator != "Equal" or (toleration.get("value") or "") == (taint.get("value") or "")
