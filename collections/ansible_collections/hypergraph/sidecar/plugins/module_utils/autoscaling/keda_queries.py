# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on queries by which KEDA scales: that the answer is one that it can use, while all is well and while it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..manifests.bundle import Bundle
from ..manifests.objects import Object, mapping
from ..manifests.rules import WARNING, Outcome
from ..manifests.workloads import matches
from ..promql import (
    METRIC_NAME,
    Aggregation,
    Binary,
    Call,
    Expression,
    InvalidQuery,
    Matcher,
    Selector,
    Subquery,
    Text,
    is_scalar,
    parse,
    returns_at_most_one_element,
    selectors,
)
from .registry import RULES
from .targets import Target, autoscaled
from .triggers import Trigger, triggers, triggers_of

_SCALER = "kedacore/keda v2.20 pkg/scalers/prometheus_scaler.go"
# Independent of how many replicas there are: an age, a share, a mean.
_INTENSIVE_NAME = re.compile(r".*_(milliseconds|seconds|ms|ratio|percent|percentage|utili[sz]ation)")
_MEANS = ("avg", "quantile")
_SELECTING = ("max", "min", "topk", "bottomk")
# What these answer is in another unit than what they are given, or grows with it.
COUNTED = frozenset(
    [
        "rate",
        "irate",
        "increase",
        "delta",
        "idelta",
        "deriv",
        "changes",
        "resets",
        "count_over_time",
        "sum_over_time",
        "absent",
        "timestamp",
    ]
)
# Labels by which Prometheus tells the pods that a series comes from.
_SERVICE_LABELS = ("job", "service")
_POD_LABELS = ("pod", "pod_name")
_OWNER_LABELS = ("deployment", "workload", "statefulset", "app_kubernetes_io_component", "component", "app")


@RULES.rule(
    "scaler-query-invalid",
    "Queries of triggers are PromQL",
    examines="prometheus triggers",
    source=f"{_SCALER}: ExecutePromQuery",
    fix="Correct the query; Prometheus refuses it as it is, and KEDA scales by nothing.",
)
def _invalid(bundle: Bundle) -> Iterator[Outcome]:
    for trigger in _prometheus(bundle):
        problem = ""
        try:
            parse(trigger.value("query"))
        except InvalidQuery as invalid:
            problem = str(invalid)
        yield Outcome(trigger.owner, not problem, "PromQL", problem, (*trigger.path, "metadata", "query"))


@RULES.rule(
    "scaler-query-returns-many",
    "Queries of triggers return one element, whatever series there are",
    examines="prometheus triggers",
    source=f"{_SCALER}: more than one element is an error, and a scalar is not read",
    fix="Aggregate the whole of it without by, such as sum(...) or max(...); a number alone becomes vector(number).",
)
def _returns_many(bundle: Bundle) -> Iterator[Outcome]:
    for trigger, query in _queries(bundle):
        observed = "a scalar" if is_scalar(query) else f"as many as there are series: {trigger.value('query')}"
        ok = returns_at_most_one_element(query) and not is_scalar(query)
        yield Outcome(trigger.owner, ok, "a vector of one element", observed, (*trigger.path, "metadata", "query"))


@RULES.rule(
    "scales-to-zero-by-own-metric",
    "What scales to 0 replicas is woken by what others measure",
    examines="prometheus triggers of what scales to 0",
    source="llm-d/llm-d#2492: the series of a pod end with it; KEDA then reads 0 and never wakes the workload",
    fix="Let who hands out the work export the backlog (the queue or the gateway), or keep a replica.",
)
def _own_metric(bundle: Bundle) -> Iterator[Outcome]:
    for target in autoscaled(bundle):
        scaler = target.autoscaler
        if not scaler.by_keda or not (scaler.min_replicas == 0 or scaler.object.spec.get("idleReplicaCount") == 0):
            continue
        own = {
            trigger.position: _own_series(bundle, target, trigger) for trigger in triggers_of(scaler.object) if trigger.type == "prometheus"
        }
        # One trigger that others feed is enough to wake it.
        woken = any(trigger.type not in ("prometheus", "cpu", "memory") for trigger in triggers_of(scaler.object)) or "" in own.values()
        for position, series in own.items():
            path = ("spec", "triggers", position, "metadata", "query")
            yield Outcome(scaler.object, woken or not series, "series of another workload", f"{series} is from its own pods", path)


def _own_series(bundle: Bundle, target: Target, trigger: Trigger) -> str:
    """A metric the query takes from the pods of the target itself; empty where there is none, as far as its matchers tell."""
    query = _parsed(trigger)
    for selector in selectors(query) if query is not None else ():
        for matcher in selector.matchers:
            if matcher.operator in ("=", "=~") and _names_own_pods(bundle, target, matcher):
                return selector.metric or METRIC_NAME
    return ""


def _names_own_pods(bundle: Bundle, target: Target, matcher: Matcher) -> bool:
    workload = target.workload
    if matcher.label in _SERVICE_LABELS:
        return any(_selects(bundle, one, target) and _is_job(bundle, one, matcher) for one in bundle.of_kind("Service", group=""))
    if matcher.label in _POD_LABELS:
        # Pods of a Deployment are named after it, with two parts more.
        return _takes(matcher, f"{workload.object.name}-5d4f8c7b9-x2x4z") or _takes(matcher, f"{workload.object.name}-0")
    own = (workload.object.name, *(value for value in workload.pod_labels.values() if isinstance(value, str)))
    return matcher.label in _OWNER_LABELS and any(_takes(matcher, name) for name in own)


def _is_job(bundle: Bundle, service: Object, matcher: Matcher) -> bool:
    """Whether the service is scraped as the job: by its name, or by the label that a ServiceMonitor takes it from."""
    labels = [one.spec.get("jobLabel") for one in bundle.of_kind("ServiceMonitor")]
    names = [service.name, *(service.labels.get(label) for label in labels if isinstance(label, str))]
    return any(_takes(matcher, name) for name in names if isinstance(name, str))


def _selects(bundle: Bundle, service: Object, target: Target) -> bool:
    selector = mapping(service.spec.get("selector"))
    there = bundle.namespace_of(service) == bundle.namespace_of(target.workload.object)
    return bool(selector) and there and matches({"matchLabels": selector}, target.workload.pod_labels)


def _takes(matcher: Matcher, value: str) -> bool:
    if matcher.operator == "=":
        return matcher.value == value
    try:
        return re.fullmatch(matcher.value, value) is not None
    except re.error:
        # RE2 takes a few forms that Python does not; then it cannot be told.
        return False


@RULES.rule(
    "intensive-metric-averaged",
    "What does not grow with the replicas is not divided by them",
    examines="prometheus triggers with an age, a share or a mean",
    source="Kubernetes autoscaling/v2, MetricTarget: AverageValue is divided by the number of pods; kedacore/keda#2030 for Value",
    fix="Set metricType: Value: with AverageValue an age of 8 s in front of 4 pods counts as 2 s.",
    severity=WARNING,
)
def _averaged(bundle: Bundle) -> Iterator[Outcome]:
    for trigger, query in _queries(bundle):
        if is_intensive(query):
            ok = trigger.metric_type not in ("", "AverageValue")
            path = (*trigger.path, "metricType" if "metricType" in trigger.body else "type")
            yield Outcome(trigger.owner, ok, "metricType Value", f"AverageValue of {trigger.value('query')}", path)


def is_intensive(query: Expression) -> bool:
    """Whether the answer is an age, a share or a mean, which does not grow with the replicas that there are."""
    if isinstance(query, Selector):
        return query.metric is not None and _INTENSIVE_NAME.fullmatch(query.metric) is not None
    if isinstance(query, Aggregation):
        return query.operator in _MEANS or (query.operator in _SELECTING and is_intensive(query.operand))
    if isinstance(query, Call):
        if query.function == "histogram_quantile":
            return True
        operands = [one for one in query.arguments if not is_scalar(one) and not isinstance(one, Text)]
        return query.function not in COUNTED and any(is_intensive(one) for one in operands)
    if isinstance(query, Binary):
        if query.operator == "/" and not is_scalar(query.left) and not is_scalar(query.right):
            return True
        return any(is_intensive(side) for side in (query.left, query.right) if not is_scalar(side))
    return isinstance(query, Subquery) and is_intensive(query.operand)


def _prometheus(bundle: Bundle) -> Iterator[Trigger]:
    return (trigger for trigger in triggers(bundle) if trigger.type == "prometheus" and trigger.value("query"))


def _queries(bundle: Bundle) -> Iterator[tuple[Trigger, Expression]]:
    """The triggers with their queries, as far as these are PromQL."""
    for trigger in _prometheus(bundle):
        query = _parsed(trigger)
        if query is not None:
            yield trigger, query


def _parsed(trigger: Trigger) -> Expression | None:
    try:
        return parse(trigger.value("query"))
    except InvalidQuery:
        return None
