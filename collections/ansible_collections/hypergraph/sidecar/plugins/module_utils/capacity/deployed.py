# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rendered chart says of an explainer: its workers per replica, the bounds of its autoscaler, and the lag it steers for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..autoscaling.targets import PAUSED_REPLICAS, Autoscaler, autoscaled
from ..faults import CheckError
from ..manifests.bundle import Bundle
from ..manifests.objects import Object, Path, mapping, mappings
from ..manifests.variables import variables
from ..manifests.workloads import Workload

LAG_METRIC = "explainer_queue_lag_seconds"
_WORKLOADS = ("Deployment", "StatefulSet")


@dataclass(frozen=True)
class Stated:
    """A number and where it is written."""

    value: float
    subject: Object
    path: Path

    def __str__(self) -> str:
        return f"{self.subject} {'.'.join(map(str, self.path))}"


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
    concurrency = next(_from_environment(bundle, workload, concurrency_env), None)
    scaler = next((target.autoscaler for target in autoscaled(bundle) if target.workload.object is workload), None)
    if scaler is None:
        replicas = _replicas(workload, "replicas", 1)
        return Deployed(replicas, replicas, concurrency)
    return Deployed(*_bounds(scaler), concurrency, next(_lag_targets(scaler.object), None))


def _bounds(scaler: Autoscaler) -> tuple[Stated, Stated]:
    if scaler.paused_replicas is not None:
        held = Stated(scaler.paused_replicas, scaler.object, ("metadata", "annotations", PAUSED_REPLICAS))
        return held, held
    least = _replicas(scaler.object, scaler.min_path, scaler.min_replicas)
    return least, _replicas(scaler.object, scaler.max_path, scaler.max_replicas)


def _from_environment(bundle: Bundle, workload: Object, name: str) -> Iterator[Stated]:
    """What the variable of this name says in each container that has it, where its value is rendered."""
    namespace = bundle.namespace_of(workload)
    there = {one.name: one for one in bundle.of_kind("ConfigMap", group="") if bundle.namespace_of(one) == namespace}
    for path, container in Workload(workload).containers:
        found = [one for one in variables(workload, path, container, there.get) if one.name == name]
        if found and found[-1].value is not None:
            yield _stated(found[-1].subject, found[-1].path, least=1)


def _lag_targets(scaler: Object) -> Iterator[Stated]:
    """Thresholds of queries for the queue's lag. Any other metric type than Value divides the lag by the replicas, and is no lag then."""
    for position, trigger in mappings(scaler.at("spec", "triggers")):
        query = mapping(trigger.get("metadata")).get("query")
        if trigger.get("metricType") == "Value" and isinstance(query, str) and LAG_METRIC in query:
            yield _stated(scaler, ("spec", "triggers", position, "metadata", "threshold"), least=0, whole=False)


def _replicas(subject: Object, field: str, otherwise: int) -> Stated:
    path = ("spec", field)
    if subject.at(*path) is None:
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
