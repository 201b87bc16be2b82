# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a label of a node may be: the algebra by which Karpenter matches pods to NodePools.

A requirement of a NodePool and a selector or an affinity of a pod say the same kind of thing about one label; a pod fits where both can
hold at once (sigs.k8s.io/karpenter ``pkg/scheduling``, and scheduling.md of its documentation).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..manifests.objects import sequence

# Names that Karpenter itself translates to their stable ones.
_RENAMED = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
}
# Labels that Karpenter derives from the instance, whatever the NodePool says. Where a domain is a cloud provider's, all its labels count
# as such: what else is in there is not ours to know. That of Karpenter's own for AWS holds no others than its definitions list.
_DERIVED = frozenset(_RENAMED.values()) | {
    "node.kubernetes.io/windows-build",
    "kubernetes.io/hostname",
    "karpenter.sh/capacity-type",
    "karpenter.sh/registered",
    "karpenter.sh/initialized",
}
_AWS_DOMAIN = "karpenter.k8s.aws"
_OF_AWS = frozenset(
    f"{_AWS_DOMAIN}/{name}"
    for name in (
        "capacity-reservation-id",
        "capacity-reservation-interruptible",
        "capacity-reservation-type",
        "ec2nodeclass",
        "instance-accelerator-count",
        "instance-accelerator-manufacturer",
        "instance-accelerator-name",
        "instance-capability-flex",
        "instance-category",
        "instance-cpu",
        "instance-cpu-manufacturer",
        "instance-cpu-sustained-clock-speed-mhz",
        "instance-ebs-bandwidth",
        "instance-encryption-in-transit-supported",
        "instance-family",
        "instance-generation",
        "instance-gpu-count",
        "instance-gpu-manufacturer",
        "instance-gpu-memory",
        "instance-gpu-name",
        "instance-hypervisor",
        "instance-local-nvme",
        "instance-memory",
        "instance-network-bandwidth",
        "instance-size",
        "instance-tenancy",
        "placement-group-id",
        "placement-group-partition",
    )
)
_PROVIDER_DOMAINS = ("k8s.aws", "eks.amazonaws.com", "karpenter.azure.com", "karpenter.k8s.gcp", "cloud.google.com")


@dataclass(frozen=True)
class Constraint:
    """Values a label may have: those ``allowed`` (None: any) that are not ``excluded``, as numbers from ``least`` to ``most``.

    ``absent`` says that a node without the label will do as well.
    """

    allowed: frozenset[str] | None = None
    excluded: frozenset[str] = frozenset()
    least: int | None = None
    most: int | None = None
    absent: bool = True

    def __and__(self, other: Constraint) -> Constraint:
        either = [one.allowed for one in (self, other) if one.allowed is not None]
        return Constraint(
            frozenset.intersection(*either) if either else None,
            self.excluded | other.excluded,
            max((one.least for one in (self, other) if one.least is not None), default=None),
            min((one.most for one in (self, other) if one.most is not None), default=None),
            self.absent and other.absent,
        )

    @property
    def satisfiable(self) -> bool:
        """Whether there is a value left, or the label may be missing."""
        return self.absent or self.has_value

    @property
    def has_value(self) -> bool:
        """Whether there is a value left."""
        if self.allowed is not None:
            return any(self.takes(value) for value in self.allowed)
        return self.least is None or self.most is None or self.least <= self.most

    def takes(self, value: str) -> bool:
        """Whether the label may have this value."""
        if (self.allowed is not None and value not in self.allowed) or value in self.excluded:
            return False
        if self.least is None and self.most is None:
            return True
        number = int(value) if value.isascii() and value.isdigit() else None
        return number is not None and (self.least is None or number >= self.least) and (self.most is None or number <= self.most)

    def greatest(self) -> int | None:
        """The greatest number the label may have; None where it is not bounded or not a number."""
        if self.allowed is None:
            return self.most
        numbers = [int(value) for value in self.allowed if self.takes(value) and value.isascii() and value.isdigit()]
        return max(numbers) if numbers and len(numbers) == sum(1 for value in self.allowed if self.takes(value)) else None


ANY = Constraint()
NONE = Constraint(allowed=frozenset())


def constraint(requirement: Mapping[str, Any]) -> Constraint:
    """What one requirement or match expression says about its label. An unknown operator says nothing: schemas report it."""
    values = frozenset(value for value in sequence(requirement.get("values")) if isinstance(value, str))
    operator = requirement.get("operator")
    if operator == "In":
        return Constraint(allowed=values, absent=False)
    if operator == "NotIn":
        return Constraint(excluded=values)
    if operator == "Exists":
        return Constraint(absent=False)
    if operator == "DoesNotExist":
        return NONE
    number = next((int(value) for value in values if value.isascii() and value.isdigit()), None)
    if number is None:
        return ANY
    bounds = {
        "Gt": Constraint(least=number + 1, absent=False),
        "Gte": Constraint(least=number, absent=False),
        "Lt": Constraint(most=number - 1, absent=False),
        "Lte": Constraint(most=number, absent=False),
    }
    return bounds.get(str(operator), ANY)


def exactly(value: str) -> Constraint:
    """A label that has this value."""
    return Constraint(allowed=frozenset({value}), absent=False)


def combined(pairs: list[tuple[str, Constraint]]) -> dict[str, Constraint]:
    """All that is said about each label, under its stable name."""
    merged: dict[str, Constraint] = {}
    for key, one in pairs:
        name = _RENAMED.get(key, key)
        merged[name] = merged.get(name, ANY) & one
    return merged


def unknown_to_aws(key: str) -> bool:
    """Whether the label is in the domain of Karpenter for AWS, and none of those that its definitions list (v1.14)."""
    return key.partition("/")[0].endswith(_AWS_DOMAIN) and key not in _OF_AWS


def derived(key: str) -> bool:
    """Whether nodes have the label from their instance, so that a NodePool offers it without saying so."""
    domain = key.partition("/")[0]
    of_provider = any(domain == provider or domain.endswith(f".{provider}") for provider in _PROVIDER_DOMAINS)
    return key in _DERIVED or (of_provider and not unknown_to_aws(key))


def said(key: str, one: Constraint) -> str:
    """The constraint in words."""
    if one.allowed is not None:
        return f"{key} in [{', '.join(sorted(one.allowed))}]" if one.allowed else f"no label {key}"
    bounds = [f">= {one.least}"] if one.least is not None else []
    bounds += [f"<= {one.most}"] if one.most is not None else []
    bounds += [f"not in [{', '.join(sorted(one.excluded))}]"] if one.excluded else []
    return f"{key} {' and '.join(bounds)}" if bounds else f"{key} present"
