# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on PodDisruptionBudgets: whom they protect, and whether a node can still be drained."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from ..manifests.objects import Object
from ..manifests.rules import WARNING, Outcome, Registry
from ..manifests.workloads import Workload
from .release import LASTING, REPLICATED, Release

RULES = Registry()
_SOURCE = "https://kubernetes.io/docs/tasks/run-application/configure-pdb/"


@RULES.rule(
    "budget-ambiguous",
    "Every PodDisruptionBudget says one of minAvailable and maxUnavailable",
    examines="PodDisruptionBudgets",
    source=_SOURCE,
    fix="Leave one of them; maxUnavailable stays right whatever an autoscaler does.",
)
def _one_bound(release: Release) -> Iterator[Outcome]:
    for budget in release.of_kind("PodDisruptionBudget"):
        given = [name for name in ("minAvailable", "maxUnavailable") if budget.spec.get(name) is not None]
        yield Outcome(budget, len(given) == 1, "one of them", " and ".join(given) or "neither", ("spec",))


@RULES.rule(
    "budget-selects-nothing",
    "Every PodDisruptionBudget selects pods",
    examines="PodDisruptionBudgets",
    source=_SOURCE,
    fix="Render its selector from the named template that labels the pods.",
)
def _selects(release: Release) -> Iterator[Outcome]:
    for budget in release.of_kind("PodDisruptionBudget"):
        found = bool(_protected(budget, release))
        yield from release.selection(Outcome(budget, found, "pods of a workload", "no pod has these labels", ("spec", "selector")))


@RULES.rule(
    "budgets-overlap",
    "No pod is protected by two PodDisruptionBudgets",
    examines="workloads with a budget",
    source="https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/: with more than one budget, eviction answers 500",
    fix="Add the label that tells the workloads apart to the budget's selector.",
)
def _overlap(release: Release) -> Iterator[Outcome]:
    budgets: dict[int, list[Object]] = defaultdict(list)
    for budget in release.of_kind("PodDisruptionBudget"):
        for workload in _protected(budget, release):
            budgets[id(workload)].append(budget)
    for workload in release.workloads:
        if found := budgets.get(id(workload)):
            yield Outcome(workload.object, len(found) == 1, "one budget", ", ".join(map(str, found)))


@RULES.rule(
    "budget-spans-workloads",
    "Every PodDisruptionBudget protects one workload",
    examines="PodDisruptionBudgets that select pods of lasting workloads",
    source=f"{_SOURCE}: a number for pods of two workloads lets all pods of one go",
    fix="Add the label that tells the workloads apart to the budget's selector.",
    severity=WARNING,
)
def _spans(release: Release) -> Iterator[Outcome]:
    for budget in release.of_kind("PodDisruptionBudget"):
        found = [workload for workload in _protected(budget, release) if workload.object.kind in LASTING]
        if found:
            names = ", ".join(str(workload.object) for workload in found)
            yield Outcome(budget, len(found) == 1, "one workload", names, ("spec", "selector"))


@RULES.rule(
    "budget-blocks-eviction",
    "Every PodDisruptionBudget lets a pod go when its workload has the fewest replicas",
    examines="PodDisruptionBudgets of replicated workloads",
    source=f"{_SOURCE}; kubernetes-sigs/karpenter#2600: nodes under such a budget are never drained",
    fix="Set maxUnavailable: 1 in place of minAvailable, or raise the fewest replicas above it.",
)
def _blocks(release: Release) -> Iterator[Outcome]:
    for budget, bound, given, replicas in _bounds(release):
        # Kubernetes rounds percentages up, in both: none may go only of a maxUnavailable of none at all.
        may_go = _count(given, replicas) if bound == "maxUnavailable" else replicas - _count(given, replicas)
        observed = f"{bound} {given} with {replicas} replica(s) at the fewest"
        yield Outcome(budget, may_go > 0, "at least one pod that may go", observed, ("spec", bound))


@RULES.rule(
    "budget-protects-nothing",
    "Every PodDisruptionBudget keeps a pod when its workload has the fewest replicas",
    examines="PodDisruptionBudgets of workloads with several replicas",
    source=_SOURCE,
    fix="Set maxUnavailable: 1, or a minAvailable of at least 1.",
    severity=WARNING,
)
def _protects(release: Release) -> Iterator[Outcome]:
    for budget, bound, given, replicas in _bounds(release):
        if replicas > 1:
            kept = _count(given, replicas) if bound == "minAvailable" else replicas - _count(given, replicas)
            observed = f"{bound} {given} with {replicas} replica(s) at the fewest"
            yield Outcome(budget, kept > 0, "at least one pod that stays", observed, ("spec", bound))


@RULES.rule(
    "budget-missing",
    "Every workload with several replicas has a PodDisruptionBudget in production",
    examines="replicated workloads of production",
    source=_SOURCE,
    fix="Render a PodDisruptionBudget with maxUnavailable: 1 for it.",
)
def _missing(release: Release) -> Iterator[Outcome]:
    if not release.bundle.production or "PodDisruptionBudget" not in release.demands.expected_kinds:
        return
    protected = {id(workload) for budget in release.of_kind("PodDisruptionBudget") for workload in _protected(budget, release)}
    for workload in release.workloads:
        if workload.object.kind in REPLICATED and release.min_replicas(workload) > 1:
            observed = f"none, with {release.min_replicas(workload)} replicas at the fewest"
            yield Outcome(workload.object, id(workload) in protected, "a PodDisruptionBudget", observed)


def _protected(budget: Object, release: Release) -> list[Workload]:
    """Workloads whose pods a budget selects. Without a selector it selects none, with an empty one all (policy/v1)."""
    selector = budget.spec.get("selector")
    return [] if selector is None else release.selected(selector, release.namespace_of(budget))


def _bounds(release: Release) -> Iterator[tuple[Object, str, Any, int]]:
    """Budgets whose bound can be judged, with the bound, what it says, and the fewest replicas that it is of."""
    for budget in release.of_kind("PodDisruptionBudget"):
        given = [(name, budget.spec[name]) for name in ("minAvailable", "maxUnavailable") if budget.spec.get(name) is not None]
        # What is switched off has no pod that a budget could hold up.
        found = [workload for workload in _protected(budget, release) if workload.object.spec.get("replicas") != 0]
        if len(given) == 1 and _count(given[0][1], 1) >= 0 and found and all(one.object.kind in REPLICATED for one in found):
            # Where it may be scaled to none, one pod is the fewest that there is to protect.
            yield budget, *given[0], max(1, sum(release.min_replicas(workload) for workload in found))


def _count(given: Any, replicas: int) -> int:
    """How many pods a number or a percentage is of; -1 for what is neither."""
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if isinstance(given, str) and given.endswith("%") and given[:-1].isdigit():
        return math.ceil(int(given[:-1]) * replicas / 100)
    return -1
