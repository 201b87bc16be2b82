# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on pods and NodePools together: is there a pool for every pod, is it the right one, and can it grow to full scale."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from ..manifests.bundle import Bundle
from ..manifests.objects import Path
from ..manifests.quantity import shown
from ..manifests.rules import WARNING, Outcome
from .karpenter_feasibility import NODES, Balance, balances
from .karpenter_pools import Pool, names, pools
from .karpenter_workloads import Placed, demands, placed, supplies
from .registry import RULES

_TEMPLATE: Path = ("spec", "template", "spec")
# EC2 takes a spot instance back two minutes after its notice: disruption.md, Interruption.
_SPOT_NOTICE_SECONDS = 120


@RULES.rule(
    "node-label-not-offered",
    "Some NodePool offers the node labels that each workload asks for",
    examines="workloads that ask for node labels",
    source="Karpenter scheduling.md, User-Defined Labels",
    fix="Set the label in spec.template.metadata.labels of the NodePool, or require it there; or correct nodeSelector or affinity.",
)
def _label_not_offered(bundle: Bundle) -> Iterator[Outcome]:
    offered = pools(bundle)
    for one in placed(bundle):
        if offered and any(one.pod.alternatives):
            refusals = [f"{refused} at {pool.name}" for pool in offered if (refused := pool.label_refused(one.pod))]
            fits = len(refusals) < len(offered)
            yield Outcome(one.object, fits, "a NodePool with these labels", f"not offered: {'; '.join(refusals)}", one.path)


@RULES.rule(
    "taint-not-tolerated",
    "Each workload tolerates the taints of the NodePool it asks for",
    examines="workloads that ask for a NodePool",
    source="Karpenter nodepools.md: a taint that is not tolerated keeps Karpenter from using the NodePool",
    fix="Add the toleration to the workload, with the key, value and effect of the taint.",
)
def _taint_not_tolerated(bundle: Bundle) -> Iterator[Outcome]:
    for one, asked in _asked_pools(bundle):
        if asked:
            refusals = [f"{pool.name} has {refused}" for pool in asked if (refused := pool.taint_refused(one.pod))]
            fits = len(refusals) < len(asked)
            yield Outcome(one.object, fits, f"tolerations for {names(asked)}", f"not tolerated: {'; '.join(refusals)}", one.path)


@RULES.rule(
    "gpu-not-offered",
    "Workloads that request GPUs have a NodePool with GPUs",
    examines="workloads that request GPUs",
    source="Karpenter scheduling.md, Accelerators",
    fix="Let the NodePool require instances with GPUs, such as karpenter.k8s.aws/instance-gpu-count Gt 0, and do not limit GPUs to 0.",
)
def _gpu_not_offered(bundle: Bundle) -> Iterator[Outcome]:
    offered = pools(bundle)
    for one in placed(bundle):
        fitting = [pool for pool in offered if not pool.label_refused(one.pod)]
        if one.pod.gpus and fitting:
            said = ", ".join(f"{shown(amount)} {name}" for name, amount in one.pod.gpus.items())
            fits = any(not pool.lacks_gpus(one.pod) for pool in fitting)
            yield Outcome(one.object, fits, f"a NodePool with {said}", f"{names(fitting)} without", one.path)


@RULES.rule(
    "gpu-pool-takes-cpu-pods",
    "NodePools with GPUs keep off pods that need none",
    examines="pairs of NodePool with GPUs and workload without",
    source="Karpenter nodepools.md, Isolating Expensive Hardware",
    fix="Taint the NodePool, such as nvidia.com/gpu:NoSchedule, and tolerate the taint only where GPUs are requested.",
)
def _gpu_pool_takes_cpu_pods(bundle: Bundle) -> Iterator[Outcome]:
    for pool in pools(bundle):
        for one in placed(bundle):
            if pool.offers_gpus and not one.pod.gpus:
                told = f"{one.object} can be scheduled there"
                yield Outcome(
                    pool.object, not pool.admits(one.pod), "a taint that keeps off pods without GPUs", told, (*_TEMPLATE, "taints")
                )


@RULES.rule(
    "workload-without-node-pool",
    "Each workload has a NodePool that takes it",
    examines="workloads that ask for no NodePool",
    source="Karpenter scheduling.md",
    fix="Make a NodePool that takes it, or see that nodes outside of Karpenter do.",
    severity=WARNING,
)
def _without_pool(bundle: Bundle) -> Iterator[Outcome]:
    offered = pools(bundle)
    for one in placed(bundle):
        if offered and not one.pod.gpus and not any(one.pod.alternatives):
            fits = any(pool.admits(one.pod) for pool in offered)
            yield Outcome(one.object, fits, "a NodePool that takes it", f"none of {names(offered)} does", one.path)


@RULES.rule(
    "pool-limits-below-full-scale",
    "The limits of NodePools bear all their workloads at full scale",
    examines="limits of NodePools",
    source="Karpenter nodepools.md, spec.limits: beyond them no node is made and pods stay pending",
    fix="Raise the limit, or lower maxReplicas or the requests; limits count whole nodes, so leave room for what stays unused of each.",
)
def _limits_below_full_scale(bundle: Bundle) -> Iterator[Outcome]:
    by_name = {pool.name: pool for pool in pools(bundle)}
    for balance in balances(demands(bundle), supplies(bundle)):
        expected = f"at least {shown(balance.needed, balance.resource)} {balance.resource} ({_makeup(balance)})"
        observed = f"{shown(balance.limit, balance.resource)} in {' and '.join(balance.pools)}"
        pool = by_name[balance.pools[0]]
        yield Outcome(pool.object, not balance.short, expected, observed, ("spec", "limits", balance.resource))


def _makeup(balance: Balance) -> str:
    if balance.resource == NODES:
        return f"{balance.nodes} for {', '.join(demand.workload for demand in balance.demands)}"
    parts = [
        f"{demand.replicas} x {shown(demand.requests[balance.resource], balance.resource)} for {demand.workload}"
        for demand in balance.demands
        if demand.requests.get(balance.resource)
    ]
    if balance.overhead:
        parts.append(f"{shown(balance.overhead, balance.resource)} for DaemonSets on {balance.nodes} nodes")
    return " + ".join(parts)


@RULES.rule(
    "pod-exceeds-node",
    "The largest node of a NodePool holds a pod of each workload it is for",
    examines="workloads on NodePools whose node size is bounded",
    source="Karpenter scheduling.md: a pod that fits no instance type stays pending",
    fix="Let the NodePool take larger instances, or request less.",
)
def _pod_exceeds_node(bundle: Bundle) -> Iterator[Outcome]:
    for one, admitting in _admitting(bundle):
        sized = [pool for pool in admitting if pool.largest_node]
        if sized and len(sized) == len(admitting):
            excesses = [excess for pool in sized if (excess := _excess(one, pool))]
            yield Outcome(one.object, len(excesses) < len(sized), "requests that fit a node", "; ".join(excesses), one.path)


def _excess(one: Placed, pool: Pool) -> str:
    for resource, most in pool.largest_node.items():
        if (wanted := one.pod.requests.get(resource, Decimal(0))) > most:
            return f"{shown(wanted, resource)} {resource} where nodes of {pool.name} have at most {shown(most, resource)}"
    return ""


@RULES.rule(
    "overlapping-node-pools",
    "Where several NodePools take a workload, their weights say which is first",
    examines="workloads that several NodePools take",
    source="Karpenter nodepools.md: NodePools should be mutually exclusive, or weighted",
    fix="Give the NodePools different weights, or a taint that keeps the workload off all but one.",
    severity=WARNING,
)
def _overlapping(bundle: Bundle) -> Iterator[Outcome]:
    for one, admitting in _admitting(bundle):
        if len(admitting) > 1:
            weights = [pool.weight for pool in admitting]
            said = ", ".join(f"{pool.name} {pool.weight}" for pool in admitting)
            yield Outcome(one.object, len(set(weights)) == len(weights), "different weights", said, one.path)


@RULES.rule(
    "expiry-without-end",
    "Nodes that expire end even where pods ask not to be disrupted, and give pods their grace",
    examines="pairs of NodePool with expiry and workload",
    source="Karpenter disruption.md, Expiration and TerminationGracePeriod",
    fix="Set spec.template.spec.terminationGracePeriod of the NodePool to at least terminationGracePeriodSeconds of its pods.",
    severity=WARNING,
)
def _expiry_without_end(bundle: Bundle) -> Iterator[Outcome]:
    path = (*_TEMPLATE, "terminationGracePeriod")
    for one, admitting in _admitting(bundle):
        for pool in admitting:
            period = pool.template.get("terminationGracePeriod")
            bound = _seconds(period)
            if bound is not None:
                expected = f"at least the {one.grace_seconds} s of {one.object}"
                yield Outcome(pool.object, bound >= one.grace_seconds, expected, str(period), path)
            elif pool.template.get("expireAfter", "720h") != "Never" and one.annotations.get("karpenter.sh/do-not-disrupt") == "true":
                yield Outcome(pool.object, False, f"terminationGracePeriod, since {one.object} is not to be disrupted", "none", path)


@RULES.rule(
    "spot-ends-work",
    "Nothing on spot capacity needs longer to end than the notice of two minutes, or keeps state",
    examines="workloads on spot capacity",
    source="Karpenter disruption.md, Interruption",
    fix="Let the workload ask for karpenter.sh/capacity-type on-demand, or end within two minutes.",
    severity=WARNING,
)
def _spot_ends_work(bundle: Bundle) -> Iterator[Outcome]:
    for one, admitting in _admitting(bundle):
        on_spot = [pool.name for pool in admitting if _may_be_spot(one, pool)]
        if on_spot:
            stateful = one.object.kind == "StatefulSet"
            what = "a StatefulSet" if stateful else f"terminationGracePeriodSeconds {one.grace_seconds}"
            fits = not stateful and one.grace_seconds <= _SPOT_NOTICE_SECONDS
            yield Outcome(
                one.object,
                fits,
                f"at most {_SPOT_NOTICE_SECONDS} s to end and no state",
                f"{what} on spot of {', '.join(on_spot)}",
                one.path,
            )


def _may_be_spot(one: Placed, pool: Pool) -> bool:
    key = "karpenter.sh/capacity-type"
    offered = pool.labels.get(key)
    # What a NodePool does not say is left to its provider's default.
    if offered is None or not offered.takes("spot"):
        return False
    return any(key not in wanted or wanted[key].takes("spot") for wanted in one.pod.alternatives)


def _admitting(bundle: Bundle) -> Iterator[tuple[Placed, list[Pool]]]:
    """Each workload with the NodePools that take it."""
    offered = pools(bundle)
    return ((one, [pool for pool in offered if pool.admits(one.pod)]) for one in placed(bundle))


def _asked_pools(bundle: Bundle) -> Iterator[tuple[Placed, list[Pool]]]:
    """Each workload with the NodePools that it asks for: by labels that not every node has, or by GPUs."""
    offered = pools(bundle)
    for one in placed(bundle):
        fitting = [pool for pool in offered if not pool.label_refused(one.pod) and not pool.lacks_gpus(one.pod)]
        wanted = any(key in pool.own_labels for alternative in one.pod.alternatives for key in alternative for pool in fitting)
        yield one, fitting if wanted or one.pod.gpus else []


def _seconds(duration: object) -> int | None:
    """A Go duration of hours, minutes and seconds; None for none."""
    if not isinstance(duration, str) or not re.fullmatch(r"(\d+[hms])+", duration, re.ASCII):
        return None
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(count) * units[unit] for count, unit in re.findall(r"(\d+)([hms])", duration, re.ASCII))
