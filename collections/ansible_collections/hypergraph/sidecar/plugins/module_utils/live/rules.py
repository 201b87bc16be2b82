# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on a cluster: it has what is rendered, as it is rendered, and nothing that is left over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property

from ..autoscaling.targets import autoscaled
from ..manifests.bundle import Bundle
from ..manifests.objects import Object, Path
from ..manifests.rules import WARNING, Outcome, Registry
from .cluster import Cluster, lasting
from .drift import Difference, differences

RULES = Registry()
_REPLICAS: Path = ("spec", "replicas")


@dataclass(frozen=True)
class Deployment:
    """A rendered bundle and the cluster it was deployed to. ``ignored`` are patterns of findings that are meant to be."""

    bundle: Bundle
    cluster: Cluster
    release: str
    ignored: tuple[str, ...] = field(default_factory=tuple)

    @cached_property
    def expected(self) -> tuple[Object, ...]:
        """Rendered objects that are to be found, where the cluster was asked and answered."""
        return tuple(one for one in lasting(self.bundle.rendered) if one.name and self.cluster.why_unread(self.bundle, one) is None)

    @cached_property
    def twins(self) -> tuple[tuple[Object, Object], ...]:
        """Rendered objects with their live twins."""
        found = ((one, self.cluster.live(self.bundle, one)) for one in self.expected)
        return tuple((one, live) for one, live in found if live is not None)

    @cached_property
    def drift(self) -> Mapping[int, tuple[Difference, ...]]:
        """Differences of each rendered object with a twin, by its id()."""
        return {id(one): tuple(self._differences(one, live)) for one, live in self.twins}

    def _differences(self, one: Object, live: Object) -> Iterator[Difference]:
        alone = frozenset({_REPLICAS}) if id(one) in self._scaled else frozenset()
        for difference in differences(one, live.body, alone):
            subject = str(Outcome(one, False, path=difference.path)).partition(": expected")[0]
            if not any(fnmatchcase(subject, pattern) for pattern in self.ignored):
                yield difference

    @cached_property
    def _scaled(self) -> frozenset[int]:
        """Workloads whose replicas an autoscaler sets."""
        return frozenset(id(target.workload.object) for target in autoscaled(self.bundle))


@RULES.rule(
    "live-object-missing",
    "The cluster has every object that is rendered",
    examines="rendered objects",
    source="the rendered chart against the cluster",
    fix="Deploy the release; where it is deployed, look for who deleted the object, or for another namespace or cluster.",
)
def _missing(deployment: Deployment) -> Iterator[Outcome]:
    for one in deployment.expected:
        there = deployment.cluster.live(deployment.bundle, one) is not None
        if there or not _expires(one):
            unserved = (one.api_version, one.kind) in deployment.cluster.unserved
            observed = f"the cluster knows no {one.api_version} {one.kind}" if unserved else "no such object"
            yield Outcome(one, there, f"an object in {deployment.bundle.namespace_of(one)}", observed)


def _expires(one: Object) -> bool:
    """Whether the object goes by itself."""
    return one.kind == "Job" and one.spec.get("ttlSecondsAfterFinished") is not None


@RULES.rule(
    "live-field-differs",
    "What the render sets is so in the cluster",
    examines="live objects",
    source="the rendered chart against the cluster; kubectl diff tells the same",
    fix="Deploy again, or bring the change into the chart; name what another controller sets in live_ignore (sidecar_live_ignore).",
)
def _differs(deployment: Deployment) -> Iterator[Outcome]:
    yield from _told(deployment, added=False)


@RULES.rule(
    "live-item-added",
    "No container, variable, port, volume or entry was added in the cluster",
    examines="live objects",
    source="the rendered chart against the cluster; a deployment leaves alone what it does not know",
    fix="Bring it into the chart or take it away; name what a webhook injects in live_ignore (sidecar_live_ignore).",
    severity=WARNING,
)
def _added(deployment: Deployment) -> Iterator[Outcome]:
    yield from _told(deployment, added=True)


def _told(deployment: Deployment, added: bool) -> Iterator[Outcome]:
    for one, _live in deployment.twins:
        found = [difference for difference in deployment.drift[id(one)] if difference.added is added]
        for difference in found:
            yield Outcome(one, False, difference.expected, difference.observed, difference.path)
        if not found:
            yield Outcome(one, True)


@RULES.rule(
    "live-object-extra",
    "The cluster has nothing of the release that is not rendered",
    examines="live objects that name the release as theirs, of kinds that are rendered",
    source="the cluster against the rendered chart; what is left over is not upgraded, and may still select, scale or permit",
    fix="Delete it, or render it.",
    severity=WARNING,
)
def _extra(deployment: Deployment) -> Iterator[Outcome]:
    rendered = {(one.api_version, one.kind, namespace, one.name) for one, namespace in _placed(deployment)}
    for live in deployment.cluster.of_release(deployment.release):
        ok = (live.api_version, live.kind, live.namespace, live.name) in rendered
        # By its name alone: it is written in no file.
        yield Outcome(str(live), ok, "an object that is rendered", f"live in {live.namespace or 'the cluster'} alone")


def _placed(deployment: Deployment) -> Iterator[tuple[Object, str]]:
    """Rendered objects with where they may be: in their namespace, or in none."""
    for one in deployment.bundle.rendered:
        yield one, deployment.bundle.namespace_of(one)
        yield one, ""
