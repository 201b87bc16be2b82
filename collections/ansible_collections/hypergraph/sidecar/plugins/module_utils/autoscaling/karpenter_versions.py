# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on versions of Karpenter: what is written for another one than it is deployed to, or for none."""

from __future__ import annotations

from collections.abc import Iterator

from ..manifests.bundle import Bundle
from ..manifests.objects import Object, Path, mapping, mappings
from ..manifests.rules import Outcome
from ..manifests.schema import CUSTOM, problems
from .karpenter_pools import GROUP, pools, taint_text
from .problems import Problem, outcomes
from .registry import RULES

_TEMPLATE: Path = ("spec", "template", "spec")
_RENAMED_ANNOTATIONS = {
    "karpenter.sh/do-not-consolidate": "karpenter.sh/do-not-disrupt",
    "karpenter.sh/do-not-evict": "karpenter.sh/do-not-disrupt",
}


@RULES.rule(
    "karpenter-api-outdated",
    "Karpenter's objects are of the API that the version deployed to serves",
    examines="Karpenter objects",
    source="Karpenter website v1.0/upgrading/v1-migration.md",
    fix="Write the objects for karpenter.sh/v1 and karpenter.k8s.aws/v1; a NodePool takes the place of a Provisioner.",
)
def _api_outdated(bundle: Bundle) -> Iterator[Outcome]:
    served = _served(bundle.versions.karpenter)
    shown = ".".join(str(part) for part in bundle.versions.karpenter)
    expected = f"{' or '.join(served)}, as Karpenter {shown} serves"
    for one in bundle.objects:
        # NodeOverlay is an alpha resource of its own.
        if one.group in (GROUP, "karpenter.k8s.aws") and one.kind != "NodeOverlay":
            yield Outcome(one, one.api_version.rpartition("/")[2] in served, expected, one.api_version, ("apiVersion",))


def _served(karpenter: tuple[int, ...]) -> tuple[str, ...]:
    if karpenter >= (1, 1):
        return ("v1",)
    return ("v1", "v1beta1") if karpenter >= (1, 0) else ("v1beta1",)


@RULES.rule(
    "karpenter-v1beta1-left-over",
    "Nothing of Karpenter's v1beta1 is left over",
    examines="objects that Karpenter reads",
    source="Karpenter website v1.0/upgrading/v1-migration.md",
    fix="Move it as the migration guide says: expireAfter to template.spec, kubelet to the EC2NodeClass, nodeClassRef.apiVersion to group.",
)
def _left_over(bundle: Bundle) -> Iterator[Outcome]:
    for pool in pools(bundle):
        yield from outcomes(pool.object, _pool_left_overs(pool.object))
    for one in bundle.objects:
        path: Path = ("spec", "template", "metadata", "annotations")
        for name, now in _RENAMED_ANNOTATIONS.items():
            if name in mapping(one.at(*path)):
                yield Outcome(one, False, now, name, (*path, name))


def _pool_left_overs(pool: Object) -> Iterator[Problem]:
    disruption = mapping(pool.spec.get("disruption"))
    template = mapping(pool.at(*_TEMPLATE))
    if disruption.get("consolidationPolicy") == "WhenUnderutilized":
        yield ("spec", "disruption", "consolidationPolicy"), "WhenEmptyOrUnderutilized", "WhenUnderutilized"
    if "expireAfter" in disruption:
        yield ("spec", "disruption", "expireAfter"), "expireAfter in spec.template.spec", "expireAfter in spec.disruption"
    if "kubelet" in template:
        yield (*_TEMPLATE, "kubelet"), "kubelet in the EC2NodeClass", "kubelet in the NodePool"
    if "apiVersion" in mapping(template.get("nodeClassRef")):
        yield (*_TEMPLATE, "nodeClassRef", "apiVersion"), "group", "apiVersion"
    for where in ("taints", "startupTaints"):
        for position, taint in mappings(template.get(where)):
            if taint.get("key") == "karpenter.sh/disruption":
                yield (*_TEMPLATE, where, position, "key"), "no taint of Karpenter's own (now karpenter.sh/disrupted)", taint_text(taint)


@RULES.rule(
    "karpenter-schema-broken",
    "Karpenter's objects are such as their definitions take",
    examines="Karpenter objects",
    source="Karpenter v1.14, pkg/apis/crds",
    fix="Correct the field: the API server refuses it, or drops it without a word.",
)
def _schema_broken(bundle: Bundle) -> Iterator[Outcome]:
    for one in bundle.objects:
        if one.group in (GROUP, "karpenter.k8s.aws") and (one.api_version, one.kind) in CUSTOM:
            yield from outcomes(one, ((path, "what the definition takes", said) for path, said in problems(one)))
