# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on a chart's values and the autoscalers it renders of them: what people set is what is deployed.

Settings are any mapping of the values that names bounds of replicas or a backlog target, wherever it is. They are for the autoscaler whose
workload is labelled or named after the way to them: ``explainer.cpu.autoscaling`` is for ``hypergraph-explainer-cpu``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..manifests.bundle import Bundle
from ..manifests.objects import Path
from ..manifests.rules import Outcome
from ..manifests.workloads import workloads
from ..promql import Binary, Call, Expression, InvalidQuery, Selector, is_scalar, parse, selectors
from .keda_queries import COUNTED
from .registry import RULES
from .targets import Autoscaler, Reference, autoscalers, reference
from .triggers import Trigger, triggers_of

BACKLOG_TARGET = "backlogSecondsTarget"
_MINIMUM, _MAXIMUM = ("minReplicas", "minReplicaCount"), ("maxReplicas", "maxReplicaCount")
# The last step on the way to settings says that they are about scaling, not of what.
_ABOUT_SCALING = frozenset({"autoscaling", "scaling", "keda", "scaledObject", "hpa"})
_COMPONENT = "app.kubernetes.io/component"
_DEEPEST = 8
_SCALING_OPERATORS = ("*", "/", "%", "^")
_WINDOW: Path = ("spec", "advanced", "horizontalPodAutoscalerConfig", "behavior", "scaleDown", "stabilizationWindowSeconds")


@dataclass(frozen=True)
class Settings:
    """What the values say of one autoscaler. ``path`` leads to it inside the values; ``scaler`` is None where none is rendered."""

    path: tuple[str, ...]
    said: Mapping[str, Any]
    scaler: Autoscaler | None

    @property
    def switched_off(self) -> bool:
        """Whether the values say that this is not to be scaled."""
        return self.said.get("enabled") is False

    def named(self, key: str) -> str:
        """A setting as people refer to it."""
        return ".".join((*self.path, key))


def settings(bundle: Bundle) -> Iterator[Settings]:
    """All settings of autoscalers in the values."""
    scalers = list(autoscalers(bundle))
    labels = {reference(bundle, one.object): one.object.labels.get(_COMPONENT) for one in workloads(bundle)}
    for path, said in _mappings(bundle.values, ()):
        if BACKLOG_TARGET in said or (_any(said, _MINIMUM) and _any(said, _MAXIMUM)):
            # Settings named for one kind of autoscaler are not for the other.
            kinds = {"hpa": (False,), "keda": (True,), "scaledObject": (True,)}.get(path[-1] if path else "", (True, False))
            yield Settings(path, said, _scaler_of(path, [one for one in scalers if one.by_keda in kinds], labels))


def _mappings(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    yield path, values
    for key, value in values.items() if len(path) < _DEEPEST else ():
        if isinstance(value, Mapping):
            yield from _mappings(value, (*path, str(key)))


def _any(said: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    return any(name in said for name in names)


def _scaler_of(path: tuple[str, ...], scalers: list[Autoscaler], labels: Mapping[Reference, Any]) -> Autoscaler | None:
    """The autoscaler of the workload that is labelled as the component, or else named after it."""
    component = "-".join(_kebab(part) for part in path if part not in _ABOUT_SCALING)
    if not component:
        return scalers[0] if len(scalers) == 1 else None
    labelled = [one for one in scalers if labels.get(one.target) == component]
    named = [one for one in scalers if f"-{one.target.name}".endswith(f"-{component}")]
    return min(labelled or named, key=lambda one: len(one.target.name), default=None)


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


@RULES.rule(
    "scaled-object-missing",
    "What the values switch on has its autoscaler, and what they switch off has none",
    examines="settings of autoscaling",
    source="the chart's values against what it renders",
    fix="Correct the condition in the template, or the name of the workload in scaleTargetRef.",
)
def _scaled_object_missing(bundle: Bundle) -> Iterator[Outcome]:
    found = list(settings(bundle))
    for one in found:
        # Off here may be on there: as a HorizontalPodAutoscaler in place of a ScaledObject, or the other way round.
        on_elsewhere = any(other.path[:-1] == one.path[:-1] and not other.switched_off for other in found)
        if one.switched_off and one.scaler is not None and not on_elsewhere:
            yield Outcome(one.scaler.object, False, f"none, since {one.named('enabled')} is false", "rendered")
        elif not one.switched_off:
            subject = one.scaler.object if one.scaler is not None else f"values {'.'.join(one.path)}"
            yield Outcome(subject, one.scaler is not None, "an autoscaler of the workload", "none is rendered")


@RULES.rule(
    "values-disagree",
    "Bounds and intervals are rendered as the values set them",
    examines="settings of autoscalers",
    source="the chart's values against what it renders",
    fix="Let the template take the figure from the values, and set it in one place only.",
)
def _disagree(bundle: Bundle) -> Iterator[Outcome]:
    for one in settings(bundle):
        if one.scaler is None or one.switched_off:
            continue
        for name, path, rendered in _rendered(one.scaler):
            if name in one.said and one.said[name] is not None and rendered is not None:
                ok = _number(rendered) == _number(one.said[name])
                yield Outcome(one.scaler.object, ok, f"{one.said[name]}, as {one.named(name)} says", str(rendered), path)


def _rendered(scaler: Autoscaler) -> Iterator[tuple[str, Path, Any]]:
    """What is rendered for each setting by its name; None where the autoscaler has nothing of the kind."""
    spec = scaler.object.spec
    for names, field, number in ((_MINIMUM, scaler.min_path, scaler.min_replicas), (_MAXIMUM, scaler.max_path, scaler.max_replicas)):
        for name in names:
            yield name, ("spec", field), spec.get(field, number)
    yield "fallbackReplicas", ("spec", "fallback", "replicas"), scaler.object.at("spec", "fallback", "replicas")
    yield "pollingInterval", ("spec", "pollingInterval"), spec.get("pollingInterval")
    # KEDA waits on the way to 0 alone; elsewhere the window of the behavior is what waits.
    cooldown: Path = ("spec", "cooldownPeriod") if spec.get("cooldownPeriod") is not None else _WINDOW
    yield "cooldownPeriod", cooldown, scaler.object.at(*cooldown)


@RULES.rule(
    "backlog-target-disagrees",
    "The backlog target is the threshold of a trigger that measures seconds, undivided",
    examines="backlog targets",
    source="Kubernetes autoscaling/v2, MetricTarget: an AverageValue is divided by the pods, a Value is not",
    fix="Render backlogSecondsTarget as the threshold of a prometheus trigger on the age of the oldest job, with metricType: Value.",
)
def _backlog_disagrees(bundle: Bundle) -> Iterator[Outcome]:
    for one in settings(bundle):
        if BACKLOG_TARGET not in one.said or one.scaler is None or one.switched_off:
            continue
        subject, target = one.scaler.object, one.said[BACKLOG_TARGET]
        lags = [trigger for trigger in triggers_of(subject) if trigger.type == "prometheus" and _measures_seconds(trigger)]
        expected = f"threshold {target}, as {one.named(BACKLOG_TARGET)} says"
        if not lags:
            yield Outcome(subject, False, f"a trigger in seconds, for {one.named(BACKLOG_TARGET)}", "none", ("spec", "triggers"))
        for trigger in lags:
            ok = _number(trigger.metadata.get("threshold")) == _number(target)
            yield Outcome(subject, ok, expected, trigger.value("threshold") or "none", (*trigger.path, "metadata", "threshold"))
            observed = f"{trigger.metric_type or 'none, which is AverageValue'}, divided by the replicas"
            yield Outcome(subject, trigger.metric_type == "Value", "metricType Value", observed, (*trigger.path, "metricType"))


def _measures_seconds(trigger: Trigger) -> bool:
    try:
        query = parse(trigger.value("query"))
    except InvalidQuery:
        return False
    return _in_seconds(query)


def _in_seconds(query: Expression) -> bool:
    """Whether the answer is an age as it is measured: a gauge in seconds, neither counted nor multiplied."""
    if isinstance(query, Selector):
        return query.metric is not None and query.metric.endswith("_seconds")
    if isinstance(query, Binary):
        factor = query.operator in _SCALING_OPERATORS and (is_scalar(query.left) or is_scalar(query.right))
        quotient = query.operator in ("/", "%") and not is_scalar(query.right)
        return not factor and not quotient and (_in_seconds(query.left) or _in_seconds(query.right))
    if isinstance(query, Call) and query.function in COUNTED:
        return False
    children = (query.operand,) if hasattr(query, "operand") else getattr(query, "arguments", ())
    return any(_in_seconds(child) for child in children if any(selectors(child)))


def _number(value: Any) -> float:
    """A figure as Helm has it, a number or a text; not a number where it is none, which equals nothing."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return math.nan
    try:
        return float(value)
    except ValueError:
        return math.nan
