# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on who scales what: every autoscaler has a workload, every workload one autoscaler, and nobody else sets its replicas."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from ..manifests.bundle import Bundle
from ..manifests.ignored_fields import leaves_replicas
from ..manifests.objects import Object, Path, mapping
from ..manifests.rules import Outcome
from ..manifests.workloads import workloads
from .registry import RULES
from .targets import Autoscaler, Reference, autoscaled, autoscalers, reference, scaled_objects

_TARGET: Path = ("spec", "scaleTargetRef")
# Kubernetes' limit for the value of a label, and for the name of a HorizontalPodAutoscaler that KEDA makes.
_LABEL = 63


@RULES.rule(
    "scale-target-missing",
    "The workload that an autoscaler scales is there",
    examines="autoscalers",
    source="KEDA ScaledObject specification, scaleTargetRef; Kubernetes HorizontalPodAutoscaler",
    fix="Correct kind and name of scaleTargetRef; the workload must be in the namespace of the autoscaler.",
)
def _target_missing(bundle: Bundle) -> Iterator[Outcome]:
    there = {reference(bundle, one) for one in bundle.objects}
    names = sorted(str(workload.object) for workload in workloads(bundle))
    for autoscaler in autoscalers(bundle):
        wanted = autoscaler.target
        said = f"there is {', '.join(names) or 'no workload'}"
        yield Outcome(autoscaler.object, wanted in there, f"{wanted} in namespace {wanted.namespace}", said, _TARGET)


@RULES.rule(
    "scaled-by-keda-and-hpa",
    "No HorizontalPodAutoscaler scales what a ScaledObject scales",
    examines="workloads with a ScaledObject",
    source="kedacore/keda apis/keda/v1alpha1/scaledobject_webhook.go, verifyHpas",
    fix="Render one of the two: KEDA makes a HorizontalPodAutoscaler of its own, so cpu and memory become triggers of the ScaledObject.",
)
def _scaled_by_both(bundle: Bundle) -> Iterator[Outcome]:
    by_target = _by_target(bundle)
    for autoscaler in scaled_objects(bundle):
        others = [one for one in by_target[autoscaler.target] if not one.by_keda and not _handed_over(autoscaler, one)]
        said = f"{', '.join(str(one.object) for one in others)} too" if others else "no other"
        yield Outcome(autoscaler.object, not others, f"it alone to scale {autoscaler.target}", said, _TARGET)


def _handed_over(autoscaler: Autoscaler, hpa: Autoscaler) -> bool:
    """Whether KEDA's webhook lets the two be: the one takes the other over by name, or the other is told not to be looked at."""
    if hpa.object.annotations.get("validations.keda.sh/hpa-ownership") == "false":
        return True
    transfers = autoscaler.object.annotations.get("scaledobject.keda.sh/transfer-hpa-ownership") == "true"
    return transfers and autoscaler.hpa_name == hpa.object.name


@RULES.rule(
    "scaled-twice",
    "A workload has one autoscaler of a kind, and a HorizontalPodAutoscaler one ScaledObject",
    examines="autoscalers",
    source="kedacore/keda apis/keda/v1alpha1/scaledobject_webhook.go, verifyScaledObjects; Kubernetes HorizontalPodAutoscaler",
    fix="Put all triggers into one ScaledObject: its HorizontalPodAutoscaler takes the greatest of what they ask for.",
)
def _scaled_twice(bundle: Bundle) -> Iterator[Outcome]:
    by_target = _by_target(bundle)
    by_hpa: dict[tuple[str, str], list[Autoscaler]] = defaultdict(list)
    for one in scaled_objects(bundle):
        by_hpa[one.namespace, one.hpa_name].append(one)
    for one in autoscalers(bundle):
        same = [other for other in by_target[one.target] if other.by_keda == one.by_keda and other.object is not one.object]
        shared = [other for other in by_hpa.get((one.namespace, one.hpa_name), []) if one.by_keda and other.object is not one.object]
        said = f"{', '.join(str(other.object) for other in same)} scales it too" if same else ""
        if shared and not same:
            said = f"{', '.join(str(other.object) for other in shared)} makes {one.hpa_name} too"
        yield Outcome(one.object, not same and not shared, f"it alone to scale {one.target}", said, _TARGET)


def _by_target(bundle: Bundle) -> Mapping[Reference, list[Autoscaler]]:
    found: dict[Reference, list[Autoscaler]] = defaultdict(list)
    for one in autoscalers(bundle):
        found[one.target].append(one)
    return found


@RULES.rule(
    "replicas-owned-twice",
    "The replicas of an autoscaled workload are left to its autoscaler",
    examines="autoscaled workloads",
    source="Kubernetes horizontal-pod-autoscale.md, Migrating Deployments; Argo CD best_practices.md",
    fix="Leave spec.replicas out where autoscaling is on, since each release sets it; or let Argo CD ignore /spec/replicas and respect it.",
)
def _replicas_owned_twice(bundle: Bundle) -> Iterator[Outcome]:
    for target in autoscaled(bundle):
        workload = target.workload.object
        ok = "replicas" not in workload.spec or _left_alone(bundle, workload)
        said = f"replicas {workload.spec.get('replicas')} beside {target.autoscaler.object}"
        yield Outcome(workload, ok, "no replicas", said, ("spec", "replicas"))


def _left_alone(bundle: Bundle, workload: Object) -> bool:
    """Whether an Application of Argo CD ignores the workload's replicas, and keeps to that when it synchronises."""
    specs = [one.spec for one in bundle.argocd if one.kind == "Application"]
    specs += [mapping(one.at("spec", "template", "spec")) for one in bundle.argocd if one.kind == "ApplicationSet"]
    return any(all(leaves_replicas(spec, workload)) for spec in specs)


@RULES.rule(
    "autoscaler-name-too-long",
    "Names of ScaledObjects, and of the HorizontalPodAutoscalers made of them, are short enough for a label",
    examines="ScaledObjects",
    source="kedacore/keda apis/keda/v1alpha1/scaledobject_webhook.go, verifyName",
    fix="Shorten the name, or set spec.advanced.horizontalPodAutoscalerConfig.name.",
)
def _name_too_long(bundle: Bundle) -> Iterator[Outcome]:
    for one in scaled_objects(bundle):
        longest = max(one.object.name, one.hpa_name, key=len)
        said = f"{longest} with {len(longest)}"
        yield Outcome(one.object, len(longest) <= _LABEL, f"at most {_LABEL} characters", said, ("metadata", "name"))
