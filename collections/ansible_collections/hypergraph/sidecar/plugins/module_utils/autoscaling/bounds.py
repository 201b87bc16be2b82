# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on how far and how fast an autoscaler goes, and on what that needs of the workload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..manifests.bundle import Bundle, Version
from ..manifests.objects import Object, Path, mapping, mappings
from ..manifests.quantity import quantity
from ..manifests.rules import WARNING, Outcome
from .problems import Problem, outcomes
from .registry import RULES
from .targets import (
    PAUSED,
    PAUSED_REPLICAS,
    PAUSED_SCALE_OUT,
    SCALED_OBJECT,
    Autoscaler,
    Target,
    autoscaled,
    autoscalers,
    scaled_objects,
    whole,
)
from .triggers import RESOURCE_TYPES, owners, triggers_of

# Kubernetes autoscaling/v2, HPAScalingRules and HPAScalingPolicy.
_MAX_WINDOW_SECONDS = 3600
_MAX_PERIOD_SECONDS = 1800
_SELECTIONS = ("Max", "Min", "Disabled")
# What Go's strconv.ParseBool takes for false; to KEDA all else pauses.
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


@RULES.rule(
    "replica-bounds-inverted",
    "Replicas are bounded idle < min <= max",
    examines="autoscalers",
    source="kedacore/keda apis/keda/v1alpha1/scaledobject_types.go, CheckReplicaCountBoundsAreValid; Kubernetes autoscaling/v2",
    fix="Set the bounds in order. Without them KEDA takes 0 and 100, and Kubernetes 1 for the lower one.",
)
def _bounds_inverted(bundle: Bundle) -> Iterator[Outcome]:
    for one in autoscalers(bundle):
        yield from outcomes(one.object, _inversions(one, bundle.versions.kubernetes))


def _inversions(one: Autoscaler, kubernetes: Version) -> Iterator[Problem]:
    least, most = one.min_replicas, one.max_replicas
    if one.by_keda:
        # KEDA compares with what it gives to Kubernetes, where a 0 that is written is 1, but one that is left out stays 0.
        least = max(1, least) if whole(one.object.spec.get(one.min_path)) is not None else least
        idle = whole(one.object.spec.get("idleReplicaCount"))
        if idle is not None and idle >= least:
            yield ("spec", "idleReplicaCount"), f"fewer idle than the least of {one.min_replicas}", str(idle)
    if least > most:
        yield ("spec", one.max_path), f"at least the {one.min_path} of {least}", str(most)
    # Behind the feature gate HPAScaleToZero, which was off at least so long.
    if not one.by_keda and least < 1 and kubernetes < (1, 36):
        yield ("spec", one.min_path), "at least 1", str(least)


@RULES.rule(
    "autoscaler-paused",
    "No autoscaler is paused",
    examines="ScaledObjects and ScaledJobs",
    source="kedacore/keda apis/keda/v1alpha1/scaledobject_types.go, NeedToBePausedByAnnotation, NeedToPauseScaleOut",
    fix="Take the annotation away; what it was set for by hand is over.",
)
def _paused(bundle: Bundle) -> Iterator[Outcome]:
    for one in owners(bundle.objects):
        pausing = list(_pausing(one))
        for key in pausing:
            yield Outcome(one, False, "no pause", f"{key}: {one.annotations[key]}", ("metadata", "annotations", key))
        if not pausing:
            yield Outcome(one, True)


def _pausing(one: Object) -> Iterator[str]:
    """The annotations that keep it from scaling out. That replicas are held takes any value, and is for ScaledObjects only."""
    scales = one.kind == SCALED_OBJECT
    if scales and PAUSED_REPLICAS in one.annotations:
        yield PAUSED_REPLICAS
    for key in (PAUSED, PAUSED_SCALE_OUT) if scales else (PAUSED,):
        if str(one.annotations.get(key, "false")) not in _FALSE:
            yield key


@RULES.rule(
    "zero-without-external-trigger",
    "What scales to zero has a trigger that can wake it",
    examines="ScaledObjects with triggers on CPU or memory alone",
    source="kedacore/keda apis/keda/v1alpha1/scaledobject_webhook.go, verifyCPUMemoryScalers",
    fix="Set minReplicaCount to at least 1: pods that are not there use no CPU. Or add a trigger on what waits for them.",
)
def _zero_without_trigger(bundle: Bundle) -> Iterator[Outcome]:
    for one in scaled_objects(bundle):
        found = triggers_of(one.object)
        if found and all(trigger.is_resource for trigger in found):
            said = f"minReplicaCount {one.min_replicas}"
            yield Outcome(one.object, one.min_replicas > 0, "at least 1 replica", said, ("spec", "minReplicaCount"))


@RULES.rule(
    "resource-request-missing",
    "Containers request the resource by whose use they are scaled",
    examines="metrics on CPU and memory",
    source="kedacore/keda apis/keda/v1alpha1/scaledobject_webhook.go, verifyCPUMemoryScalers; Kubernetes horizontal-pod-autoscale.md",
    fix="Set resources.requests of the container: utilisation is a share of what is requested, and unknown without.",
)
def _request_missing(bundle: Bundle) -> Iterator[Outcome]:
    for target in autoscaled(bundle):
        for resource, container, path in _resource_metrics(target):
            bare = list(_without_request(bundle, target, resource, container))
            said = f"none in container {', '.join(bare)} of {target.workload.object}" if bare else "requested"
            yield Outcome(target.autoscaler.object, not bare, f"requests of {resource}", said, path)


def _resource_metrics(target: Target) -> Iterator[tuple[str, str, Path]]:
    """Resource, container (empty: all) and place of every metric that needs requests."""
    one = target.autoscaler.object
    for trigger in triggers_of(one) if target.autoscaler.by_keda else ():
        if trigger.is_resource:
            yield trigger.type, trigger.value("containerName"), trigger.path
    for position, metric in mappings(one.spec.get("metrics")) if not target.autoscaler.by_keda else ():
        source = mapping(metric.get("resource")) or mapping(metric.get("containerResource"))
        # An average value is a number of its own, where utilisation is a share of the request.
        if source.get("name") in RESOURCE_TYPES and "averageUtilization" in mapping(source.get("target")):
            yield str(source["name"]), str(source.get("container") or ""), ("spec", "metrics", position)


def _without_request(bundle: Bundle, target: Target, resource: str, container: str) -> Iterator[str]:
    if any(_defaults(one, resource) for one in bundle.of_kind("LimitRange") if bundle.namespace_of(one) == target.autoscaler.namespace):
        return
    for _position, one in mappings(target.workload.pod_spec.get("containers")):
        resources = mapping(one.get("resources"))
        amounts = [quantity(mapping(resources.get(part)).get(resource)) for part in ("requests", "limits")]
        if container in ("", one.get("name")) and not any(amounts):
            yield str(one.get("name"))


def _defaults(limit_range: Object, resource: str) -> bool:
    """Whether the LimitRange gives a request to containers that have none."""
    items = [item for _position, item in mappings(limit_range.spec.get("limits")) if item.get("type") == "Container"]
    return any(quantity(mapping(item.get(part)).get(resource)) for item in items for part in ("default", "defaultRequest"))


@RULES.rule(
    "scaling-behavior-refused",
    "How fast replicas change is said as Kubernetes takes it",
    examines="autoscalers with a behavior",
    source="Kubernetes autoscaling/v2, HorizontalPodAutoscalerBehavior; pkg/apis/autoscaling/validation",
    fix="Keep the stabilisation window within an hour and periods within half an hour; a ScaledObject with a wrong one gets no autoscaler.",
)
def _behavior_refused(bundle: Bundle) -> Iterator[Outcome]:
    for one in autoscalers(bundle):
        path: Path = ("spec", "advanced", "horizontalPodAutoscalerConfig", "behavior") if one.by_keda else ("spec", "behavior")
        behavior = mapping(one.object.at(*path))
        if behavior:
            found = [problem for way in ("scaleUp", "scaleDown") for problem in _refusals((*path, way), mapping(behavior.get(way)))]
            yield from outcomes(one.object, found)


def _refusals(path: Path, rules: Mapping[str, Any]) -> Iterator[Problem]:
    window = whole(rules.get("stabilizationWindowSeconds"))
    if window is not None and not 0 <= window <= _MAX_WINDOW_SECONDS:
        yield (*path, "stabilizationWindowSeconds"), f"from 0 to {_MAX_WINDOW_SECONDS} s", str(window)
    selection = rules.get("selectPolicy")
    if selection is not None and selection not in _SELECTIONS:
        yield (*path, "selectPolicy"), f"one of {', '.join(_SELECTIONS)}", str(selection)
    if rules.get("policies") == []:
        yield (*path, "policies"), "at least one policy, or none written", "an empty list"
    for position, policy in mappings(rules.get("policies")):
        at = (*path, "policies", position)
        period, value = whole(policy.get("periodSeconds")), whole(policy.get("value"))
        if period is not None and not 1 <= period <= _MAX_PERIOD_SECONDS:
            yield (*at, "periodSeconds"), f"from 1 to {_MAX_PERIOD_SECONDS} s", str(period)
        if value is not None and value < 1:
            yield (*at, "value"), "more than 0", str(value)
        if policy.get("type") not in ("Pods", "Percent"):
            yield (*at, "type"), "Pods or Percent", str(policy.get("type"))


@RULES.rule(
    "scaling-setting-inert",
    "What is set of a ScaledObject has an effect",
    examines="ScaledObjects that set pollingInterval or cooldownPeriod",
    source="kedacore/keda apis/keda/v1alpha1/scaledobject_webhook.go, verifyScaledObjects",
    fix="Both count on the way from and to zero only: set stabilizationWindowSeconds of behavior instead, or leave it out.",
    severity=WARNING,
)
def _setting_inert(bundle: Bundle) -> Iterator[Outcome]:
    for one in scaled_objects(bundle):
        cached = any(trigger.body.get("useCachedMetrics") is True for trigger in triggers_of(one.object))
        for setting, counts in (("pollingInterval", cached or reaches_zero(one)), ("cooldownPeriod", reaches_zero(one))):
            if one.object.spec.get(setting) is not None:
                said = f"{setting} {one.object.spec[setting]} with minReplicaCount {one.min_replicas} and no idleReplicaCount"
                yield Outcome(one.object, counts, "a setting that counts", said, ("spec", setting))


def reaches_zero(one: Autoscaler) -> bool:
    """Whether KEDA itself takes the workload to its least replicas and back, which it does for zero and for an idle count."""
    return one.by_keda and (one.min_replicas == 0 or one.object.spec.get("idleReplicaCount") is not None)
