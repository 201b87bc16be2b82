# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What NetworkPolicies let through, as far as can be told without a cluster: where that is open, it counts as let through.

Policies add up: what one of them permits is permitted (https://kubernetes.io/docs/concepts/services-networking/network-policies/).
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..manifests.objects import Object, mapping, mappings, sequence
from ..manifests.workloads import Workload, matches
from .ports import resolved
from .release import Release

INGRESS, EGRESS = "Ingress", "Egress"
# Kubernetes' own NetworkPolicy; Calico has a kind of this name too.
_GROUPS = ("networking.k8s.io", "extensions")
# The label that every namespace has, and the only one that is known of one that is not rendered.
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"
_METADATA_SERVICE = ipaddress.ip_address("169.254.169.254")


@dataclass(frozen=True)
class Peer:
    """One side of a rule: pods, namespaces or addresses. An empty one is everybody."""

    body: Mapping[str, Any]
    namespace: str

    @property
    def anybody(self) -> bool:
        """Whether it is everybody."""
        return not self.body

    @property
    def cidr(self) -> str:
        """The addresses, if it is some."""
        return str(mapping(self.body.get("ipBlock")).get("cidr") or "")

    def may_be_in(self, namespace: str) -> bool:
        """Whether pods of a namespace may be meant. Labels of a namespace are not known but for its name."""
        if self.anybody or self.cidr:
            return True
        selector = self.body.get("namespaceSelector")
        return namespace == self.namespace if selector is None else _may_match(selector, namespace)

    def may_be_elsewhere(self) -> bool:
        """Whether pods of another namespace may be meant."""
        return self.anybody or bool(self.cidr) or not _only(self.body.get("namespaceSelector"), self.namespace)

    def may_be_foreign(self, release: Release) -> bool:
        """Whether pods may be meant that the release does not make: of another namespace, or of its own by labels that none of its has."""
        selector = self.body.get("podSelector")
        return self.may_be_elsewhere() or (bool(mapping(selector)) and not release.selected(selector, self.namespace))

    def covers_internet(self) -> bool:
        """Whether addresses of the internet are meant."""
        return self.anybody or any(network.is_global or network.prefixlen == 0 for network in _networks(self.cidr))

    def covers_metadata_service(self) -> bool:
        """Whether the address is meant at which clouds tell a node's credentials."""
        if self.anybody:
            return True
        excepted = [network for text in sequence(mapping(self.body.get("ipBlock")).get("except")) for network in _networks(str(text))]
        return _holds(_networks(self.cidr)) and not _holds(excepted)


@dataclass(frozen=True)
class Policy:
    """A NetworkPolicy for one direction: its rules, each with its ports."""

    object: Object
    namespace: str
    direction: str

    def permits(self, workload: Workload, port: int, protocol: str) -> Iterator[Peer]:
        """To or from whom a port is let through. The port is of the workload for ingress, and of whom it calls for egress."""
        peers, rules = ("from", "ingress") if self.direction == INGRESS else ("to", "egress")
        for _position, rule in mappings(self.object.spec.get(rules)):
            ports = [one for _at, one in mappings(rule.get("ports"))]
            if ports and not any(self._is(one, workload, port, protocol) for one in ports):
                continue
            told = [Peer(peer, self.namespace) for _at, peer in mappings(rule.get(peers))]
            yield from told or [Peer({}, self.namespace)]

    def _is(self, told: Mapping[str, Any], workload: Workload, port: int, protocol: str) -> bool:
        if str(told.get("protocol") or "TCP") != protocol:
            return False
        first, last = told.get("port"), told.get("endPort")
        if first is None:
            return True
        if isinstance(first, str):
            # Names of other pods' ports are not known.
            return self.direction == EGRESS or resolved(first, workload) == port
        return isinstance(first, int) and first <= port <= (last if isinstance(last, int) else first)


class Isolation:
    """Which policies of a release apply to which of its workloads."""

    def __init__(self, release: Release) -> None:
        # What policies of other kinds permit, such as Cilium's, comes on top of what these do.
        self.is_open = any(one.kind.endswith("NetworkPolicy") and one.group not in _GROUPS for one in release.objects)
        self._applying: dict[tuple[int, str], list[Policy]] = defaultdict(list)
        for policy in release.of_kind("NetworkPolicy"):
            namespace = release.namespace_of(policy)
            for workload in release.selected(policy.spec.get("podSelector"), namespace):
                for direction in _directions(policy) if is_isolable(workload) else ():
                    self._applying[id(workload), direction].append(Policy(policy, namespace, direction))

    def policies(self, workload: Workload, direction: str) -> list[Policy]:
        """Those that apply. Without any, everything is let through."""
        return self._applying.get((id(workload), direction), [])

    def permitted(self, workload: Workload, direction: str, port: int, protocol: str = "TCP") -> list[Peer]:
        """To or from whom a port is let through by the policies that apply."""
        return [peer for policy in self.policies(workload, direction) for peer in policy.permits(workload, port, protocol)]


def is_isolable(workload: Workload) -> bool:
    """Whether policies say anything of its pods: they do not of those in the network of their node."""
    return workload.pod_spec.get("hostNetwork") is not True


def _directions(policy: Object) -> list[str]:
    """Those it names, or as Kubernetes adds them (pkg/apis/networking/v1/defaults.go)."""
    told = [one for one in (INGRESS, EGRESS) if one in sequence(policy.spec.get("policyTypes"))]
    return told or [INGRESS, *([EGRESS] if sequence(policy.spec.get("egress")) else [])]


def _may_match(selector: Any, namespace: str) -> bool:
    """Whether a namespace of that name may be selected: what is said of other labels may hold."""
    labels = {key: value for key, value in mapping(mapping(selector).get("matchLabels")).items() if key == _NAMESPACE_LABEL}
    told = [one for _position, one in mappings(mapping(selector).get("matchExpressions")) if one.get("key") == _NAMESPACE_LABEL]
    return matches({"matchLabels": labels, "matchExpressions": told}, {_NAMESPACE_LABEL: namespace})


def _only(selector: Any, namespace: str) -> bool:
    """Whether the selector can mean no other namespace than this one."""
    if selector is None:
        return True
    return mapping(mapping(selector).get("matchLabels")).get(_NAMESPACE_LABEL) == namespace


def _networks(cidr: str) -> list[Any]:
    try:
        return [ipaddress.ip_network(cidr, strict=False)]
    except ValueError:
        return []


def _holds(networks: list[Any]) -> bool:
    return any(_METADATA_SERVICE in network for network in networks)
