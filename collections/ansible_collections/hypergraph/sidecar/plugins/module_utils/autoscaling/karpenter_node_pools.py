# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on NodePools by themselves: what the API server would refuse, and what it takes and means otherwise than it reads.

What is in CEL in the published definitions (``pkg/apis/crds`` of aws/karpenter-provider-aws v1.14) is here with words of its own: the API
server checks it at apply time, which is too late.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..manifests.bundle import Bundle
from ..manifests.objects import Object, Path, mapping, mappings, sequence
from ..manifests.rules import WARNING, Outcome
from .karpenter_labels import derived, unknown_to_aws
from .karpenter_pools import pools, taint_text
from .problems import Problem, outcomes
from .registry import RULES

_CRD = "Karpenter v1.14 CRDs, pkg/apis/crds"
_TEMPLATE: Path = ("spec", "template", "spec")
_ALLOWED_KARPENTER_LABELS = ("karpenter.sh/capacity-type",)


@RULES.rule(
    "node-pool-refused",
    "Every NodePool keeps to the rules of its definition",
    examines="NodePools",
    source=f"{_CRD}: x-kubernetes-validations of NodePool",
    fix="Correct the field; the API server refuses the object as it is.",
)
def _node_pool_refused(bundle: Bundle) -> Iterator[Outcome]:
    for pool in pools(bundle):
        yield from outcomes(
            pool.object, [*_requirements(pool.object), *_labels(pool.object), *_static(pool.object), *_windows(pool.object)]
        )


def _requirements(pool: Object) -> Iterator[Problem]:
    for position, one in mappings(pool.at(*_TEMPLATE, "requirements")):
        path = (*_TEMPLATE, "requirements", position)
        values, operator = sequence(one.get("values")), one.get("operator")
        least = one.get("minValues")
        if operator == "In" and not values:
            yield path, "values for operator In", "none"
        if operator in ("Gt", "Lt", "Gte", "Lte") and not (len(values) == 1 and str(values[0]).isdigit()):
            yield (*path, "values"), f"one whole number for operator {operator}", str(values)
        if operator == "In" and isinstance(least, int) and len(values) < least:
            yield (*path, "minValues"), f"at most the {len(values)} values given", str(least)
        if isinstance(key := one.get("key"), str) and _restricted(key):
            yield (*path, "key"), "a label that may be required", key


def _labels(pool: Object) -> Iterator[Problem]:
    path: Path = ("spec", "template", "metadata", "labels")
    for key in mapping(pool.at(*path)):
        if isinstance(key, str) and _restricted(key):
            yield (*path, key), "a label that may be set", key


def _restricted(key: str) -> bool:
    domain = key.partition("/")[0]
    of_karpenter = domain.endswith("karpenter.sh") and key not in _ALLOWED_KARPENTER_LABELS
    return key == "kubernetes.io/hostname" or of_karpenter or unknown_to_aws(key)


def _static(pool: Object) -> Iterator[Problem]:
    if pool.spec.get("replicas") is None:
        return
    others = sorted(set(mapping(pool.spec.get("limits"))) - {"nodes"})
    if others:
        yield ("spec", "limits"), "only nodes limited in a static pool (replicas)", ", ".join(others)
    if "weight" in pool.spec:
        yield ("spec", "weight"), "no weight in a static pool (replicas)", str(pool.spec["weight"])


def _windows(pool: Object) -> Iterator[Problem]:
    for position, budget in mappings(pool.at("spec", "disruption", "budgets")):
        if ("schedule" in budget) != ("duration" in budget):
            given = "schedule" if "schedule" in budget else "duration"
            yield ("spec", "disruption", "budgets", position), "schedule and duration together", f"{given} alone"


@RULES.rule(
    "karpenter-taint-misused",
    "Startup taints are taints that somebody takes away, and none is Karpenter's own",
    examines="taints of NodePools",
    source="Karpenter nodepools.md, Cilium Startup Taint; v1-migration.md: karpenter.sh/unregistered:NoExecute",
    fix="Keep a taint either under taints or under startupTaints, and leave those of Karpenter to Karpenter.",
)
def _taint_misused(bundle: Bundle) -> Iterator[Outcome]:
    for pool in pools(bundle):
        lasting = [(taint.get("key"), taint.get("effect")) for taint in pool.taints]
        for where in ("taints", "startupTaints"):
            for position, taint in mappings(pool.template.get(where)):
                path = (*_TEMPLATE, where, position)
                key, effect = taint.get("key"), taint.get("effect")
                if key == "karpenter.sh/unregistered":
                    yield Outcome(pool.object, effect == "NoExecute", "karpenter.sh/unregistered:NoExecute", taint_text(taint), path)
                elif key == "karpenter.sh/disrupted":
                    yield Outcome(pool.object, False, "a taint that is not set by Karpenter itself", taint_text(taint), path)
                else:
                    twice = where == "startupTaints" and (key, effect) in lasting
                    yield Outcome(
                        pool.object, not twice, "a startup taint that goes away", f"{taint_text(taint)} is a lasting taint too", path
                    )


@RULES.rule(
    "instance-label-unknown",
    "Requirements on instances use labels that Karpenter derives from them",
    examines="requirements of NodePools",
    source="Karpenter scheduling.md, Labels: node.kubernetes.io/instance-family is a custom label and enforces nothing",
    fix="Use karpenter.k8s.aws/instance-family and its like; node.kubernetes.io has instance-type only.",
)
def _instance_label_unknown(bundle: Bundle) -> Iterator[Outcome]:
    for pool in pools(bundle):
        for position, one in mappings(pool.template.get("requirements")):
            key = str(one.get("key"))
            mistaken = key.startswith("node.kubernetes.io/instance-") and not derived(key)
            path = (*_TEMPLATE, "requirements", position, "key")
            yield Outcome(pool.object, not mistaken, "a label that Karpenter derives from the instance, or one of your own", key, path)


@RULES.rule(
    "gpu-pool-unlimited",
    "NodePools with GPUs are limited in GPUs or nodes",
    examines="NodePools with GPUs",
    source="Karpenter nodepools.md, spec.limits",
    fix="Set spec.limits nvidia.com/gpu (or nodes) to what the budget bears.",
    severity=WARNING,
)
def _gpu_unlimited(bundle: Bundle) -> Iterator[Outcome]:
    for pool in pools(bundle):
        if pool.offers_gpus:
            limited = [name for name in pool.limits if name == "nodes" or name.startswith(("nvidia.com/", "amd.com/"))]
            said = ", ".join(pool.limits) or "nothing"
            yield Outcome(pool.object, bool(limited), "a limit for nvidia.com/gpu or nodes", f"limits for {said}", ("spec", "limits"))


@RULES.rule(
    "budget-blocks-disruption",
    "No disruption budget keeps nodes from ever being replaced",
    examines="NodePools",
    source="Karpenter disruption.md, NodePool Disruption Budgets",
    fix='Give the budget of "0" nodes a schedule and a duration, or name the reasons it is for.',
    severity=WARNING,
)
def _budget_blocks(bundle: Bundle) -> Iterator[Outcome]:
    for pool in pools(bundle):
        blocking = [
            position
            for position, budget in mappings(pool.object.at("spec", "disruption", "budgets"))
            if str(budget.get("nodes")) in ("0", "0%") and not budget.get("schedule") and not sequence(budget.get("reasons"))
        ]
        path: Path = ("spec", "disruption", "budgets", *blocking[:1])
        yield Outcome(pool.object, not blocking, "budgets that let nodes be replaced at some time", '"0" nodes at any time', path)
