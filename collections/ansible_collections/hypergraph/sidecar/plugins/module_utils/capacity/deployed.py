# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rendered chart says of an explainer: its workers per replica, the bounds of its autoscaler, and the lag it steers for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..faults import CheckError
from ..manifests.bundle import Bundle
from ..manifests.objects import Object, Path, mapping, mappings

SCALED_OBJECT = "ScaledObject"
AUTOSCALER = "HorizontalPodAutoscaler"
LAG_METRIC = "explainer_queue_lag_seconds"
_WORKLOADS = ("Deployment", "StatefulSet")
# What is meant where a field is left out: KEDA's ScaledObject (v1alpha1, scaledobject_types.go), and autoscaling/v2.
_BOUNDS = {
    SCALED_OBJECT: (("minReplicaCount", 0), ("maxReplicaCount", 100)),
    AUTOSCALER: (("minReplicas", 1), ("maxReplicas", None)),
}


@dataclass(frozen=True)
class Stated:
    """A number and where it is written."""

    value: float
    subject: Object
    path: Path


@dataclass(frozen=True)
class Deployed:
    """What the chart states of one explainer. None is what it does not state."""

    min_replicas: Stated
    max_replicas: Stated
    concurrency: Stated | None = None
    backlog_seconds_target: Stated | None = None


def find(bundle: Bundle, name: str, concurrency_env: str) -> Deployed:
    """What the bundle says of the explainer whose workload has this name.

    A workload that no autoscaler owns has its own replicas as both bounds. Raises CheckError where there is no such workload, or what it
    states is no number.
    """
    workload = next((one for one in bundle.of_kind(*_WORKLOADS) if one.name == name), None)
    if workload is None:
        there = ", ".join(sorted({one.name for one in bundle.of_kind(*_WORKLOADS)})) or "none"
        raise CheckError(
            "unknown-explainer", f"the chart renders no Deployment {name}; it renders {there}", "Correct the name of the explainer."
        )
    concurrency = next((stated for stated in _from_environment(workload, concurrency_env)), None)
    scaler = next((one for one in bundle.of_kind(SCALED_OBJECT, AUTOSCALER) if one.at("spec", "scaleTargetRef", "name") == name), None)
    if scaler is None:
        replicas = _replicas(workload, "replicas", 1)
        return Deployed(replicas, replicas, concurrency)
    low, high = (_replicas(scaler, field, otherwise) for field, otherwise in _BOUNDS[scaler.kind])
    return Deployed(low, high, concurrency, next(_lag_targets(scaler), None))


def _from_environment(workload: Object, variable: str) -> Iterator[Stated]:
    pod: Path = ("spec", "template", "spec", "containers")
    for position, container in mappings(workload.at(*pod)):
        for place, entry in mappings(container.get("env")):
            if entry.get("name") == variable and "value" in entry:
                yield _stated(workload, (*pod, position, "env", place, "value"), least=1)


def _lag_targets(scaler: Object) -> Iterator[Stated]:
    """Thresholds of queries for the queue's lag. Any other metric type than Value divides the lag by the replicas, and is no lag then."""
    for position, trigger in mappings(scaler.at("spec", "triggers")):
        query = mapping(trigger.get("metadata")).get("query")
        if trigger.get("metricType") == "Value" and isinstance(query, str) and LAG_METRIC in query:
            yield _stated(scaler, ("spec", "triggers", position, "metadata", "threshold"), least=0, whole=False)


def _replicas(subject: Object, field: str, otherwise: int | None) -> Stated:
    path = ("spec", field)
    if subject.at(*path) is None and otherwise is not None:
        return Stated(otherwise, subject, path)
    return _stated(subject, path, least=0)


def _stated(subject: Object, path: Path, *, least: float, whole: bool = True) -> Stated:
    """The number at the path, which in texts such as environment variables and trigger metadata is written as text."""
    value = subject.at(*path)
    number = _number(value)
    if not least <= number < math.inf or (whole and number != int(number)):
        where, kind = ".".join(map(str, path)), "whole number" if whole else "number"
        raise CheckError(
            "chart-number-invalid",
            f"{subject} {where}: {value!r}, expected a {kind} from {least:g} ({subject.place_of(path)})",
            "Correct the chart's values.",
        )
    return Stated(number, subject, path)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return math.nan
    try:
        return float(value)
    except ValueError:
        return math.nan
