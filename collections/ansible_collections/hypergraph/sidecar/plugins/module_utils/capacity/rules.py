# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment must give for the workload declared of it. Assumptions that are out of range come before what is computed from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..manifests.objects import Object, Path
from ..manifests.rules import WARNING, Outcome, Registry
from .deployed import Deployed
from .model import Sizing, Workload, saturation

REGISTRY = Registry()
_GUIDE = "docs/guides/capacity.md"
# At 85 % a single worker's queue (M/M/1) waits 5.7 service times in the mean, at 95 % it waits 19.
_FULLEST = 0.85
_EMPTIEST = 0.3
_OVERCOMMITTED = 3


@dataclass(frozen=True)
class Plan:
    """The workload, what each explainer needs for it, and where the chart says what it gets."""

    workload: Workload
    sizings: tuple[Sizing, ...]
    deployed: Mapping[str, Deployed]

    def subject(self, sizing: Sizing, stated: str) -> tuple[Object | str, Path]:
        """The object and path that state a field of an explainer, for an outcome; its name where the arguments state it."""
        deployed = self.deployed.get(sizing.explainer.name)
        found = getattr(deployed, stated) if deployed else None
        return (found.subject, found.path) if found else (sizing.explainer.name, ())


@REGISTRY.rule(
    "capacity-utilisation-unsafe",
    "The target utilisation leaves room for the queue to stay short",
    examines="explainers",
    source="M/M/1 waiting time, rho/(1-rho) service times (Kleinrock 1975, Queueing Systems 1, 3.2)",
    fix="Set target_utilisation to at most 0.85, and the replicas to what is recommended then.",
)
def _utilisation_is_safe(plan: Plan) -> Iterator[Outcome]:
    for sizing in plan.sizings:
        target = sizing.explainer.target_utilisation
        yield Outcome(sizing.explainer.name, target <= _FULLEST, f"a target utilisation of at most {_FULLEST:g}", f"{target:g}")


@REGISTRY.rule(
    "capacity-cold-start-breaks-slo",
    "An explainer that may scale to zero starts within the objective",
    examines="explainers that may scale to zero",
    source=f"{_GUIDE}: the first explanation waits for a cold start and its own service",
    fix="Set minReplicas to 1, or shorten the start.",
)
def _cold_start_fits(plan: Plan) -> Iterator[Outcome]:
    for sizing in plan.sizings:
        cold, budget = sizing.explainer.cold_start_seconds, sizing.cold_start_budget
        if sizing.explainer.min_replicas == 0 and cold is not None and budget is not None:
            subject, path = plan.subject(sizing, "min_replicas")
            expected = f"a cold start within {budget:.3g} s (objective less p95), or at least 1 replica"
            yield Outcome(subject, cold <= budget, expected, f"0 replicas and a cold start of {cold:.4g} s", path)


@REGISTRY.rule(
    "capacity-backlog-target-breaks-slo",
    "The lag that the autoscaler tolerates leaves time for the explanation itself",
    examines="explainers with a backlog target",
    source=f"{_GUIDE}: an autoscaler is content at its target, where explanations take the lag and their service",
    fix="Set backlogSecondsTarget to at most the objective less the p95 service time.",
)
def _backlog_target_fits(plan: Plan) -> Iterator[Outcome]:
    for sizing in plan.sizings:
        target, budget = sizing.explainer.backlog_seconds_target, sizing.cold_start_budget
        if target is not None and budget is not None:
            subject, path = plan.subject(sizing, "backlog_seconds_target")
            yield Outcome(
                subject,
                target <= budget,
                f"a target of at most {budget:.3g} s (objective less p95)",
                f"backlogSecondsTarget {target:g} s",
                path,
            )


@REGISTRY.rule(
    "capacity-max-too-small",
    "The most replicas are enough for the peak by the p95, with slack",
    examines="explainers",
    source=f"{_GUIDE}: Little's law and the utilisation law on p95 service times",
    fix="Raise maxReplicas to what is recommended, and the node pool's limits with it; or declare a lower peak.",
)
def _max_is_enough(plan: Plan) -> Iterator[Outcome]:
    for sizing in plan.sizings:
        subject, path = plan.subject(sizing, "max_replicas")
        expected = f"at least {sizing.peak_with_slack} replicas ({sizing.peak_conservative} for the peak and {sizing.slack:.0%} slack)"
        most = sizing.explainer.max_replicas
        yield Outcome(subject, most >= sizing.peak_with_slack, expected, f"a maximum of {most}", path)


@REGISTRY.rule(
    "capacity-burst-not-drained",
    "The most replicas work a burst off within the backlog target",
    examines="explainers with a backlog target",
    source=f"{_GUIDE}: fluid approximation of a queue (Newell 1982, Applications of Queueing Theory, 2)",
    fix="Raise maxReplicas to what is recommended, or allow the backlog more time.",
)
def _burst_is_drained(plan: Plan) -> Iterator[Outcome]:
    for sizing in plan.sizings:
        one, target = sizing.explainer, sizing.explainer.backlog_seconds_target
        if target is not None and plan.workload.burst_factor > 1 and plan.workload.burst_seconds > 0:
            subject, path = plan.subject(sizing, "max_replicas")
            burst = f"a burst of {plan.workload.burst_factor:g} times the peak for {plan.workload.burst_seconds:g} s"
            expected = f"at least {sizing.burst_conservative} replicas, to work {burst} off within {target:g} s"
            yield Outcome(subject, one.max_replicas >= sizing.burst_conservative, expected, f"a maximum of {one.max_replicas}", path)


@REGISTRY.rule(
    "capacity-min-too-small",
    "The fewest replicas are enough for the base load by the mean",
    examines="explainers",
    source=f"{_GUIDE}: Little's law and the utilisation law on mean service times",
    fix="Raise minReplicas to what is recommended; an autoscaler acts only after the lag is there.",
)
def _min_is_enough(plan: Plan) -> Iterator[Outcome]:
    for sizing in plan.sizings:
        subject, path = plan.subject(sizing, "min_replicas")
        least = sizing.explainer.min_replicas
        expected = f"at least {sizing.base_optimistic} replicas for the base load"
        yield Outcome(subject, least >= sizing.base_optimistic, expected, f"a minimum of {least}", path)


@REGISTRY.rule(
    "capacity-saturates-below-peak",
    "The declared peak attach rate stays below saturation",
    examines="workloads",
    source=f"{_GUIDE}: the attach rate at which the most replicas are used to their target, by the p95",
    fix="Raise maxReplicas of the explainer named, or declare a lower peak attach rate.",
)
def _peak_is_below_saturation(plan: Plan) -> Iterator[Outcome]:
    found = saturation(plan.sizings)
    if found is not None:
        rate, name = found
        peak = plan.workload.peak_attach_rate
        (sizing,) = (sizing for sizing in plan.sizings if sizing.explainer.name == name)
        subject, path = plan.subject(sizing, "max_replicas")
        expected = f"room for an attach rate of {peak:.3g} at {plan.workload.peak_chat_rate:g} chats/s"
        # Both sides come from the same division; a rounding error is no saturation.
        yield Outcome(subject, rate >= peak * (1 - 1e-9), expected, f"saturated at {rate:.3g}", path)


@REGISTRY.rule(
    "capacity-overcommitted",
    "The most replicas are not far beyond any need",
    examines="explainers",
    source=f"{_GUIDE}: a runaway queue or trigger is paid for up to the maximum",
    fix="Lower maxReplicas towards what is recommended, or declare the peak it is meant for.",
    severity=WARNING,
)
def _max_is_not_excessive(plan: Plan) -> Iterator[Outcome]:
    for sizing in plan.sizings:
        need = max(1, sizing.peak_conservative, sizing.burst_conservative)
        subject, path = plan.subject(sizing, "max_replicas")
        most = sizing.explainer.max_replicas
        yield Outcome(
            subject,
            most <= _OVERCOMMITTED * need,
            f"at most {_OVERCOMMITTED * need} replicas, {_OVERCOMMITTED} times the need",
            f"a maximum of {most}",
            path,
        )


@REGISTRY.rule(
    "capacity-utilisation-wasteful",
    "The target utilisation is not wasteful",
    examines="explainers",
    source=f"{_GUIDE}: below 30 % more than two workers of three are idle at the peak",
    fix="Raise target_utilisation.",
    severity=WARNING,
)
def _utilisation_is_not_wasteful(plan: Plan) -> Iterator[Outcome]:
    for sizing in plan.sizings:
        target = sizing.explainer.target_utilisation
        yield Outcome(sizing.explainer.name, target >= _EMPTIEST, f"a target utilisation of at least {_EMPTIEST:g}", f"{target:g}")
