# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rules of this check look at: the objects of one release, who selects whom among them, and what the environment adds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from ..autoscaling.targets import autoscaled, whole
from ..faults import CheckError
from ..manifests.bundle import Bundle
from ..manifests.labels import Labelled
from ..manifests.objects import Object, mappings, sequence
from ..manifests.rules import Outcome
from ..manifests.schema import CUSTOM, built_in
from ..manifests.workloads import Workload, workloads
from ..verdict import Shortfall
from .operated import operated_kinds
from .source import Source

# Groups of custom resources that are read. A kind of another group may only have the name of one that we know, as Knative's Service has.
_KNOWN_GROUPS = frozenset(version.rpartition("/")[0] for version, _kind in CUSTOM)
# Kinds that run pods until they are told to stop.
LASTING = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")
# Kinds whose pods are as many as their replicas.
REPLICATED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")
_OPERATED_ACTION = "Correct its selector; where it means what an operator makes, name it in sidecar_selects_operator_pods."


@dataclass(frozen=True)
class Demands:
    """What the environment asks of a release.

    ``webhook_senders`` and the keys of ``stage_p99_seconds`` are patterns of workloads' names. ``prometheus_namespace`` is where Prometheus
    runs; where it is empty, any other namespace may be. ``existing_objects`` are objects that the cluster has already, as ``Kind/name``;
    where there are none, Secrets and claims that are not rendered count as such. ``selects_operator_pods`` are objects of the release, told
    alike, that select what an operator makes.
    """

    expected_kinds: tuple[str, ...] = ()
    kinds_without_schema: tuple[str, ...] = ()
    existing_objects: tuple[str, ...] = ()
    selects_operator_pods: tuple[str, ...] = ()
    pod_security: str = "restricted"
    prometheus_namespace: str = ""
    webhook_senders: tuple[str, ...] = ()
    webhook_port: int = 443
    stage_p99_seconds: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Demands:
        """From the module's arguments. Raises CheckError for what is not as it is documented."""
        lists = ("expected_kinds", "kinds_without_schema", "existing_objects", "selects_operator_pods", "webhook_senders")
        for argument in ("existing_objects", "selects_operator_pods"):
            for one in params[argument]:
                if not re.fullmatch(r"[A-Z][A-Za-z]*/[^/\s]+", one):
                    reason = f"{argument}: {one!r} is no object, expected Kind/name such as Secret/hypergraph-secrets"
                    raise CheckError("bad-argument", reason, f"Correct {argument} (sidecar_{argument}).")
        if not 0 < params["webhook_port"] < 65536:
            reason = f"webhook_port is {params['webhook_port']}, expected 1 to 65535"
            raise CheckError("bad-argument", reason, "Correct webhook_port (sidecar_webhook_port).")
        return cls(
            **{name: tuple(params[name]) for name in lists},
            pod_security=params["pod_security"],
            prometheus_namespace=params["prometheus_namespace"],
            webhook_port=params["webhook_port"],
            stage_p99_seconds={name: _seconds(name, told) for name, told in params["stage_p99_seconds"].items()},
        )


@dataclass(frozen=True)
class Release:
    """The objects of one chart, rendered (``bundle.rendered``), with the source they come from."""

    bundle: Bundle
    demands: Demands = field(default_factory=Demands)
    source: Source = field(default_factory=Source)

    @property
    def objects(self) -> tuple[Object, ...]:
        """All of them."""
        return self.bundle.rendered

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """What makes pods."""
        return tuple(workloads(Bundle(rendered=self._known)))

    def of_kind(self, *kinds: str) -> Iterator[Object]:
        """Objects of these kinds, of groups that are read."""
        return (one for one in self._known if one.kind in kinds)

    def namespace_of(self, one: Object) -> str:
        """Where the object will be."""
        return self.bundle.namespace_of(one)

    def named(self, kind: str, name: str, namespace: str) -> Object | None:
        """The object of a kind and name in a namespace, if it is rendered."""
        return self._by_name.get((kind, name, namespace))

    def selected(self, selector: Any, namespace: str) -> list[Workload]:
        """The workloads in a namespace whose pods a selector selects."""
        return self._pods.selected(selector, namespace)

    @cached_property
    def workload_namespaces(self) -> frozenset[str]:
        """Where the release has workloads."""
        return frozenset(self._pods.namespaces)

    @cached_property
    def services(self) -> Labelled[Object]:
        """The Services, by their own labels."""
        return Labelled((self.namespace_of(service), service.labels, service) for service in self.of_kind("Service"))

    def selection(self, found: Outcome) -> Iterator[Outcome]:
        """What came of a selector. It is open where nothing that is rendered is selected and something may be that an operator makes.

        Of objects that the environment names for that there is nothing to say.
        """
        if found.ok or not self._operated:
            yield found
        elif str(found.subject) not in self.demands.selects_operator_pods:
            kinds = ", ".join(self._operated)
            reason = f"{found.subject} selects nothing that is rendered: it may mean what an operator makes of {kinds}, or be misspelt"
            yield replace(found, ok=True, open=Shortfall("selector-not-judged", reason, _OPERATED_ACTION))

    @cached_property
    def may_label_pods(self) -> bool:
        """Whether a role of the release lets pods change pods, and so give themselves labels that are not rendered."""
        rules = [rule for role in self.of_kind("Role", "ClusterRole") for _position, rule in mappings(role.body.get("rules"))]
        return any(
            any(name in sequence(rule.get("resources")) for name in ("pods", "*"))
            and any(verb in sequence(rule.get("verbs")) for verb in ("patch", "update", "*"))
            for rule in rules
        )

    def min_replicas(self, workload: Workload) -> int:
        """The fewest replicas that the workload has in operation."""
        scaled = self._scaled.get((workload.object.kind, workload.object.name, self.namespace_of(workload.object)))
        if scaled is not None:
            return scaled
        stated = whole(workload.object.spec.get("replicas"))
        return 1 if stated is None else stated

    def stage_p99(self, workload: Workload) -> float | None:
        """Seconds that the longest piece of work of the workload takes, where the environment says."""
        told = [seconds for name, seconds in self.demands.stage_p99_seconds.items() if fnmatchcase(workload.object.name, name)]
        return max(told, default=None)

    def sends_webhooks(self, workload: Workload) -> bool:
        """Whether the workload calls addresses outside the cluster that callers registered."""
        return any(fnmatchcase(workload.object.name, name) for name in self.demands.webhook_senders)

    @cached_property
    def _operated(self) -> tuple[str, ...]:
        return operated_kinds(self.objects)

    @cached_property
    def _known(self) -> tuple[Object, ...]:
        return tuple(one for one in self.objects if built_in(one.group) or one.group in _KNOWN_GROUPS)

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, str], Object]:
        return {(one.kind, one.name, self.namespace_of(one)): one for one in self._known}

    @cached_property
    def _pods(self) -> Labelled[Workload]:
        return Labelled((self.namespace_of(workload.object), workload.pod_labels, workload) for workload in self.workloads)

    @cached_property
    def _scaled(self) -> dict[tuple[str, str, str], int]:
        return {
            (target.workload.object.kind, target.workload.object.name, self.namespace_of(target.workload.object)): target.min_replicas
            for target in autoscaled(self.bundle)
        }


def _seconds(name: str, told: Any) -> float:
    try:
        seconds = math.nan if isinstance(told, bool) else float(told)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 < seconds < math.inf:
        reason = f"stage_p99_seconds: {name} is {told!r}, expected seconds, more than 0"
        raise CheckError("bad-argument", reason, "Correct stage_p99_seconds (sidecar_stage_p99_seconds).")
    return seconds
