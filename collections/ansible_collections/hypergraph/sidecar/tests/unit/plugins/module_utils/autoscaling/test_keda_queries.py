# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries by which KEDA scales are judged by their tree, and by whose pods tell their series."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling import keda_queries
from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.keda_queries import is_intensive
from ansible_collections.hypergraph.sidecar.plugins.module_utils.promql import parse
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.autoscaling.lagging import SCALER, TRIGGER, asked, release
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.autoscaling.scaled import rules_of, told
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit

OURS = rules_of(keda_queries)
TO_ZERO: Edit = (SCALER, ("spec", "minReplicaCount"), 0)
METRIC_TYPE = (*TRIGGER, "metricType")
AVERAGED: Edit = (SCALER, METRIC_TYPE, "AverageValue")
FROM_GATEWAY = {"type": "prometheus", "metadata": {"query": 'sum(depth{job="shop-gateway"})'}}
KAFKA = {"type": "kafka", "metadata": {"bootstrapServers": "kafka:9092", "consumerGroup": "explainers"}}

VIOLATIONS: list[tuple[str, list[Edit], str]] = [
    ("scaler-query-invalid", [asked("max(lag_seconds")], "expected PromQL"),
    ("scaler-query-invalid", [asked("max(lag_seconds{job=shop})")], "expected PromQL"),
    ("scaler-query-returns-many", [asked("lag_seconds")], "as many as there are series"),
    ("scaler-query-returns-many", [asked("max by (pod) (lag_seconds)")], "as many as there are series"),
    ("scaler-query-returns-many", [asked("sum without (pod) (lag_seconds)")], "as many as there are series"),
    ("scaler-query-returns-many", [asked("scalar(max(lag_seconds))")], "a scalar"),
    ("scales-to-zero-by-own-metric", [TO_ZERO], "explainer_queue_lag_seconds is from its own pods"),
    ("scales-to-zero-by-own-metric", [(SCALER, ("spec", "idleReplicaCount"), 0)], "from its own pods"),
    ("scales-to-zero-by-own-metric", [(SCALER, ("spec", "minReplicaCount"), GONE)], "from its own pods"),
    ("scales-to-zero-by-own-metric", [TO_ZERO, asked('sum(lag{service=~"shop-explain.+"})')], "lag is from"),
    ("scales-to-zero-by-own-metric", [TO_ZERO, asked('sum(lag{job="lag"})')], "lag is from"),
    ("scales-to-zero-by-own-metric", [TO_ZERO, asked('sum(lag{pod=~"shop-explainer-.*"})')], "lag is from"),
    ("scales-to-zero-by-own-metric", [TO_ZERO, asked('sum(lag{component="explainer",app="explainer"})')], "lag is from"),
    ("scales-to-zero-by-own-metric", [TO_ZERO, asked('sum({job="shop-explainer"})')], "__name__ is from"),
    (
        "scales-to-zero-by-own-metric",
        [TO_ZERO, (SCALER, ("spec", "triggers", 1), {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "60"}})],
        "from its own pods",
    ),
    ("intensive-metric-averaged", [AVERAGED], "AverageValue of max(explainer_queue_lag_seconds"),
    ("intensive-metric-averaged", [(SCALER, METRIC_TYPE, GONE)], "expected metricType Value"),
]

NEAR_MISSES: list[tuple[str, list[Edit]]] = [
    ("scaler-query-invalid", [asked("max(lag_seconds) or vector(0)")]),
    ("scaler-query-returns-many", [asked('max by (job) (lag_seconds{job="shop"})')]),
    ("scaler-query-returns-many", [asked("vector(scalar(max(lag_seconds)))")]),
    ("scaler-query-returns-many", [asked("max(lag_seconds")]),
    ("scales-to-zero-by-own-metric", [TO_ZERO, asked('sum(queue_depth{job="shop-gateway"})')]),
    ("scales-to-zero-by-own-metric", [TO_ZERO, asked('sum(lag{job!="shop-explainer"})')]),
    ("scales-to-zero-by-own-metric", [TO_ZERO, asked('sum(lag{pod=~"shop-explainers-.*"})')]),
    ("scales-to-zero-by-own-metric", [TO_ZERO, asked("sum(lag)")]),
    ("scales-to-zero-by-own-metric", [TO_ZERO, ("Service/shop-explainer", ("spec", "selector"), {})]),
    ("scales-to-zero-by-own-metric", [TO_ZERO, ("Service/shop-explainer", ("metadata", "namespace"), "other")]),
    ("scales-to-zero-by-own-metric", [TO_ZERO, (SCALER, ("spec", "triggers", 1), KAFKA)]),
    ("scales-to-zero-by-own-metric", [TO_ZERO, (SCALER, ("spec", "triggers", 1), FROM_GATEWAY)]),
    ("scales-to-zero-by-own-metric", [(SCALER, ("spec", "minReplicaCount"), 1)]),
    ("intensive-metric-averaged", [AVERAGED, asked("sum(rate(http_requests_total[2m]))")]),
    ("intensive-metric-averaged", [AVERAGED, asked("max(queue_depth)")]),
]


@pytest.mark.parametrize(("rule", "edits", "said"), VIOLATIONS)
def test_a_violation_is_found_and_told(rule: str, edits: list[Edit], said: str) -> None:
    found = told(rule, release(*edits))
    assert any(said in one for one in found), found


@pytest.mark.parametrize(("rule", "edits"), NEAR_MISSES)
def test_what_only_looks_like_a_violation_is_none(rule: str, edits: list[Edit]) -> None:
    assert told(rule, release(*edits)) == []


def test_every_rule_has_a_violation_and_a_near_miss_and_holds_for_the_reference() -> None:
    assert len(OURS) == 4
    assert {rule.id for rule in OURS} == {case[0] for case in VIOLATIONS} == {case[0] for case in NEAR_MISSES}
    for rule in OURS:
        assert told(rule.id, release()) == []


def test_what_keeps_a_replica_is_not_examined_for_who_wakes_it() -> None:
    (rule,) = (rule for rule in OURS if rule.id == "scales-to-zero-by-own-metric")
    assert list(rule.judge(release())) == []
    assert len(list(rule.judge(release(TO_ZERO)))) == 1


@pytest.mark.parametrize(
    ("query", "intensive"),
    [
        ("max(lag_seconds)", True),
        ("lag_seconds * 2", True),
        ("topk(1, disk_used_ratio)", True),
        ("max_over_time(lag_seconds[5m])", True),
        ("max_over_time(max(lag_seconds)[5m:30s])", True),
        ("avg(queue_depth)", True),
        ("histogram_quantile(0.95, sum by (le) (rate(wait_seconds_bucket[5m])))", True),
        ("sum(errors) / sum(requests)", True),
        ("clamp_min(max(lag_seconds), 1)", True),
        ("sum(lag_seconds)", False),
        ("sum(rate(busy_seconds[5m]))", False),
        ("count(lag_seconds)", False),
        ("max(queue_depth)", False),
        ("sum(queue_depth) / 4", False),
        ("max(timestamp(jobs_seconds))", False),
        ("queue_depth", False),
    ],
)
def test_what_grows_with_the_replicas_is_told_from_what_does_not(query: str, intensive: bool) -> None:
    assert is_intensive(parse(query)) is intensive


@pytest.mark.parametrize("rubbish", [None, 7, "text", [], [7, None], {"a": 7}, True])
@pytest.mark.parametrize(
    "edit",
    [
        (SCALER, ("spec",)),
        (SCALER, ("spec", "triggers")),
        (SCALER, TRIGGER),
        (SCALER, (*TRIGGER, "metadata")),
        (SCALER, (*TRIGGER, "metadata", "query")),
        ("Service/shop-explainer", ("spec", "selector")),
        ("Service/shop-explainer", ("metadata", "labels")),
        ("ServiceMonitor/shop", ("spec",)),
        ("Deployment/shop-explainer", ("spec", "template", "metadata", "labels")),
    ],
)
def test_rubbish_crashes_no_rule(edit: tuple[str, Any], rubbish: Any) -> None:
    judged = release(TO_ZERO, (*edit, rubbish))
    for rule in OURS:
        assert all(isinstance(str(outcome), str) for outcome in rule.judge(judged))
