# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what KEDA does where it cannot ask for its metrics, and on what it needs a newer version for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..manifests.bundle import Bundle, Version
from ..manifests.objects import Object, mapping
from ..manifests.rules import WARNING, Outcome
from .bounds import reaches_zero
from .registry import RULES
from .scalers import FLAG
from .targets import Autoscaler, scaled_objects, whole
from .triggers import formula_of, triggers_of

_FALSE = ("0", "f", "F", "false", "FALSE", "False")


@RULES.rule(
    "fallback-without-trigger",
    "A fallback has a trigger that can fail",
    examines="ScaledObjects with a fallback",
    source="kedacore/keda apis/keda/v1alpha1/scaledobject_types.go, CheckFallbackValid",
    fix="Leave the fallback out where only CPU and memory are asked for; they are Kubernetes' own, and KEDA refuses the ScaledObject.",
)
def _without_trigger(bundle: Bundle) -> Iterator[Outcome]:
    for one, fallback in _with_fallback(bundle):
        found = triggers_of(one.object)
        external = any(not trigger.is_resource for trigger in found) or bool(formula_of(one.object))
        counts = [name for name in ("failureThreshold", "replicas") if (whole(fallback.get(name)) or 0) < 0]
        wanted = "a trigger other than cpu and memory, and counts from 0"
        said = f"{', '.join(counts)} below 0" if counts else ", ".join(trigger.type for trigger in found) or "no trigger"
        yield Outcome(one.object, external and not counts, wanted, said, ("spec", "fallback"))


@RULES.rule(
    "fallback-hidden-by-nulls",
    "An answer without data counts as a failure where there is a fallback",
    examines="prometheus triggers of ScaledObjects with a fallback",
    source="kedacore/keda pkg/scalers/prometheus_scaler.go, ExecutePromQuery; kedacore/keda#3065",
    fix='Set ignoreNullValues: "false": else no data is the number 0, which scales down, and the fallback never comes.',
)
def _hidden_by_nulls(bundle: Bundle) -> Iterator[Outcome]:
    for one, _fallback in _with_fallback(bundle):
        for trigger in triggers_of(one.object):
            if trigger.type == "prometheus":
                told = trigger.value("ignoreNullValues")
                path = (*trigger.path, "metadata", "ignoreNullValues")
                said = f"{told or 'none, which is true'} in {trigger}"
                # What is no flag at all is another rule's to tell.
                yield Outcome(one.object, told in _FALSE or (bool(told) and not FLAG.takes(told)), '"false"', said, path)


@RULES.rule(
    "fallback-outside-bounds",
    "A fallback is within the bounds of replicas",
    examines="ScaledObjects with a fallback",
    source="kedacore/keda pkg/scaling/executor/scale_scaledobjects.go; Kubernetes clamps to minReplicas and maxReplicas",
    fix="Set fallback.replicas from minReplicaCount to maxReplicaCount, and above 0.",
    severity=WARNING,
)
def _outside_bounds(bundle: Bundle) -> Iterator[Outcome]:
    for one, fallback in _with_fallback(bundle):
        replicas = whole(fallback.get("replicas"))
        if replicas is not None:
            least, most = max(1, one.min_replicas), one.max_replicas
            yield Outcome(one.object, least <= replicas <= most, f"from {least} to {most}", str(replicas), ("spec", "fallback", "replicas"))


@RULES.rule(
    "keda-too-old",
    "The version of KEDA that is deployed to can do what is asked of it",
    examines="settings of ScaledObjects that came with a later version",
    source="kedacore/keda CHANGELOG.md: #6450, #6655, #7239, #7366, #5008, #2440",
    fix="Deploy a KEDA that has it, or do without.",
    severity=WARNING,
)
def _too_old(bundle: Bundle) -> Iterator[Outcome]:
    running = bundle.versions.keda
    for one in scaled_objects(bundle):
        for setting, since in _later(one):
            said = f"{setting} with {_shown(running)}"
            yield Outcome(one.object, running >= since, f"KEDA from {_shown(since)}", said, ("spec",))


def _later(one: Autoscaler) -> Iterator[tuple[str, Version]]:
    """Settings that not every KEDA since 2.8 has, with the first that does."""
    spec = one.object.spec
    fallback = mapping(spec.get("fallback"))
    if spec.get("initialCooldownPeriod") is not None:
        yield "initialCooldownPeriod", (2, 14)
    if formula_of(one.object):
        yield "scalingModifiers", (2, 12)
    if fallback.get("behavior") == "scalingModifiers":
        yield "fallback.behavior scalingModifiers", (2, 20)
    elif fallback.get("behavior") is not None:
        yield "fallback.behavior", (2, 17)
    if fallback and _by_value(one.object):
        yield "a fallback for metricType Value", (2, 18)
    if fallback and reaches_zero(one):
        yield "a fallback from zero", (2, 19)


def _by_value(one: Object) -> bool:
    if formula_of(one):
        return bool(one.at("spec", "advanced", "scalingModifiers", "metricType") == "Value")
    return any(trigger.metric_type == "Value" for trigger in triggers_of(one))


def _with_fallback(bundle: Bundle) -> Iterator[tuple[Autoscaler, Mapping[str, Any]]]:
    for one in scaled_objects(bundle):
        fallback = mapping(one.object.spec.get("fallback"))
        if fallback:
            yield one, fallback


def _shown(version: Version) -> str:
    return ".".join(str(part) for part in version)
