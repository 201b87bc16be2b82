# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule on what violates it, and on what nearly does."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.alert_rules import ALERT_RULES
from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.queries import ALERT, PANEL, SCALER, VARIABLE
from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.questions import Questions
from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.rules import QUERY_RULES
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.dashboards.observed import asked, exported, families, questions

RULES = {**QUERY_RULES.rules, **ALERT_RULES.rules}
P95 = "histogram_quantile(0.95, sum by (le) (rate(stage_seconds_bucket[5m])))"
GOOD_ALERT = {
    "alert": "A",
    "expr": "queue_lag_seconds > 1",
    "labels": {"severity": "warning"},
    "annotations": {"summary": "It waits.", "runbook_url": "https://runbooks.example.org/a"},
}

# rule, what violates it, and the nearest that does not: (query, kind, more about it)
QUERIES: list[tuple[str, tuple[Any, ...], tuple[Any, ...]]] = [
    ("query-invalid", ("sum(queue_lag_seconds",), ("sum(queue_lag_seconds)",)),
    ("query-invalid", ("rate(queue_lag_seconds)",), ("deriv(queue_lag_seconds[$__range])",)),
    ("metric-not-exported", ("queue_lags_seconds",), ("queue_lag_seconds",)),
    ("metric-not-exported", ('{__name__="nothing"}',), ('{__name__="queue_lag_seconds"}',)),
    ("metric-not-exported", ('{__name__=~"queue"}',), ('{__name__=~"queue.*"}',)),
    ("metric-not-exported", ("stage_seconds",), ("rate(stage_seconds_sum[5m])",)),
    ("metric-not-exported", ("absent(nothing)", ALERT), ("absent(something)", ALERT)),
    ("metric-not-exported", ("count by (job) (nothing)", VARIABLE), ("count by (job) (unused_total)", VARIABLE)),
    ("label-not-exported", ('something{queue="a"}',), ('something{job="a"}',)),
    ("label-not-exported", ('rate(http_requests_total{code!~"5.."}[5m])',), ('rate(http_requests_total{status!~"5.."}[5m])',)),
    ("label-not-exported", ("sum by (code) (full_ratio)",), ("sum by (queue) (full_ratio)",)),
    ("label-not-exported", ("sum by (queue) (sum by (job) (full_ratio))",), ("sum by (job) (sum by (job, queue) (full_ratio))",)),
    ("label-not-exported", ("sum by (queue) (sum without (queue) (full_ratio))",), ("sum by (job) (sum without (queue) (full_ratio))",)),
    ("label-not-exported", ("full_ratio * on (queue) something",), ("full_ratio * on (job) something",)),
    ("label-not-exported", ("sum by (queue) (full_ratio * on (job) something)",), ("sum by (job) (full_ratio * on (job) something)",)),
    ("label-not-exported", ("sum by (queue) (full_ratio * ignoring (queue) something)",), ("sum by (queue) (full_ratio * something)",)),
    (
        "label-not-exported",
        ("something * on (job) group_left (quue) full_ratio",),
        ("sum by (queue) (something * on (job) group_left (queue) full_ratio)",),
    ),
    (
        "label-not-exported",
        ('sum by (dst) (label_replace(full_ratio, "dst", "$1", "src", "(.*)"))',),
        ('sum by (dst) (label_replace(full_ratio, "dst", "$1", "queue", "(.*)"))',),
    ),
    ("label-not-exported", ('rate(stage_seconds_count{le="2"}[5m])',), ('rate(stage_seconds_bucket{le="2"}[5m])',)),
    ("label-not-exported", ('rate(gc_seconds_sum{quantile="1"}[5m])',), ('gc_seconds{quantile="1"}',)),
    ("label-not-exported", ('full_ratio{quue!=""}',), ('full_ratio{quue=""}',)),
    ("label-not-exported", ("sum by (code) (topk by (queue) (1, full_ratio))",), ("sum by (queue) (topk by (queue) (1, full_ratio))",)),
    ("label-not-exported", ('sum by (w) (count_values("v", full_ratio))',), ('sum by (v) (count_values("v", full_ratio))',)),
    (
        "label-not-exported",
        ("sum by (le) (histogram_quantile(0.9, rate(stage_seconds_bucket[5m])))",),
        (f"sum by (le) (unknown) or {P95}",),
    ),
    ("counter-used-raw", ("http_requests_total",), ("rate(http_requests_total[5m])",)),
    ("counter-used-raw", ("delta(http_requests_total[5m])",), ("resets(http_requests_total[5m])",)),
    ("counter-used-raw", ("sum(stage_seconds_bucket)",), ("sum(increase(stage_seconds_bucket[5m]))",)),
    ("counter-used-raw", ("gc_seconds_count > 1", ALERT), ("absent(gc_seconds_count)", ALERT)),
    ("counter-used-raw", ("something and http_requests_total > 1",), ("something unless on () irate(http_requests_total[5m]) > 1",)),
    ("counter-used-raw", ("http_requests_total unless something",), ("something unless on () http_requests_total",)),
    ("counter-used-raw", ("max_over_time(http_requests_total[5m:1m])",), ("increase(http_requests_total[5m:1m])",)),
    ("counter-used-raw", ("sum(http_requests_total)",), ("count(http_requests_total)",)),
    ("counter-used-raw", ("count(http_requests_total > 1)",), ("group(http_requests_total)",)),
    ("gauge-used-as-counter", ("rate(queue_lag_seconds[5m])",), ("deriv(queue_lag_seconds[5m])",)),
    ("gauge-used-as-counter", ("increase(queue_lag_seconds[5m:1m])",), ("delta(queue_lag_seconds[5m])",)),
    ("gauge-used-as-counter", ("irate(gc_seconds[5m])",), ("rate(something[5m]) + gc_seconds",)),
    ("rate-of-aggregate", ("rate(sum(http_requests_total)[5m:1m])",), ("sum(rate(http_requests_total[5m]))",)),
    (
        "rate-of-aggregate",
        ("increase((sum by (method) (http_requests_total) + 0)[5m:])",),
        ("max_over_time(sum(rate(something[5m]))[1h:])",),
    ),
    ("quantile-without-le", ("histogram_quantile(0.9, sum(rate(stage_seconds_bucket[5m])))",), (P95,)),
    ("quantile-without-le", ("histogram_quantile(0.9, rate(stage_seconds_count[5m]))",), ("histogram_quantile(0.9, unknown)", "panel")),
    (
        "quantile-without-le",
        ("histogram_quantile(0.9, sum without (le) (rate(stage_seconds_bucket[5m])))",),
        ("histogram_quantile(0.9, sum without (stage) (rate(stage_seconds_bucket[5m])))",),
    ),
    ("bucket-not-exported", ('rate(stage_seconds_bucket{le="1"}[5m])',), ('rate(stage_seconds_bucket{le="0.5"}[5m])',)),
    ("bucket-not-exported", ('rate(stage_seconds_bucket{le="0.50"}[5m])',), ('rate(stage_seconds_bucket{le="2.0"}[5m])',)),
    ("bucket-not-exported", ('rate(stage_seconds_bucket{le=~"1|3"}[5m])',), ('rate(stage_seconds_bucket{le=~"1|2"}[5m])',)),
    ("bucket-not-exported", ('rate(stage_seconds_bucket{le="Inf"}[5m])',), ('rate(stage_seconds_bucket{le!="+Inf",le=~"$le"}[5m])',)),
    ("window-too-short", ("rate(http_requests_total[59s])",), ("rate(http_requests_total[1m])",)),
    ("window-too-short", ("rate(http_requests_total[$__interval])",), ("rate(http_requests_total[$__rate_interval])",)),
    ("window-too-short", ("sum(rate(http_requests_total[1m]))", SCALER), ("sum(rate(http_requests_total[2m]))", SCALER)),
    ("window-too-short", ("max_over_time(queue_lag_seconds[20s])",), ("max_over_time(queue_lag_seconds[30s])", SCALER)),
    ("threshold-out-of-reach", (f"{P95} > 2", ALERT), (f"{P95} > 1.9", ALERT)),
    ("threshold-out-of-reach", (f"{P95} >= 2.1", ALERT), (f"{P95} >= 2", ALERT)),
    ("threshold-out-of-reach", (f"500 < {P95}", ALERT), (f"500 > {P95}", ALERT)),
    ("threshold-out-of-reach", (f"something > 9 and max({P95}) > 500", ALERT), (f"something > 9 and max({P95}) < 500", ALERT)),
    ("threshold-out-of-reach", ("full_ratio > 90", ALERT), ("full_ratio > 0.9", ALERT)),
    ("threshold-out-of-reach", (P95, PANEL, {"thresholds": (0.5, 500.0)}), (P95, PANEL, {"thresholds": (0.5, 2.0)})),
    ("unit-mismatch", ("max(queue_lag_seconds)", PANEL, {"unit": "ms"}), ("max(queue_lag_seconds) * 1000", PANEL, {"unit": "ms"})),
    ("unit-mismatch", (P95, PANEL, {"unit": "percent"}), (P95, PANEL, {"unit": "s"})),
    ("unit-mismatch", ("avg_over_time(full_ratio[5m])", PANEL, {"unit": "percent"}), ("100 * full_ratio", PANEL, {"unit": "percent"})),
    ("unit-mismatch", ("queue_lag_seconds > 3", PANEL, {"unit": "bytes"}), ("queue_lag_seconds", PANEL, {"unit": "short"})),
    (
        "template-without-label",
        ("sum(full_ratio)", PANEL, {"templates": {"legend": "of {{queue}}"}}),
        ("sum by (queue) (full_ratio)", PANEL, {"templates": {"legend": "of {{ queue }}"}}),
    ),
    (
        "template-without-label",
        ("sum(full_ratio) > 1", ALERT, {"templates": {"annotation summary": "{{ $labels.queue }}"}}),
        ("full_ratio > 1", ALERT, {"templates": {"annotation summary": "{{ $labels.queue }} {{ $labels.job }} {{ $value }}"}}),
    ),
]


def broken(rule: str, asked_of: Questions) -> list[str]:
    """What a rule says of queries that do not hold; that it looked at any is asserted."""
    outcomes = list(RULES[rule].judge(asked_of))
    return [str(outcome) for outcome in outcomes if not outcome.ok]


@pytest.mark.parametrize(("rule", "violating", "holding"), QUERIES)
def test_a_query_and_its_near_miss(rule: str, violating: tuple[Any, ...], holding: tuple[Any, ...]) -> None:
    def query(text: str, kind: str = PANEL, more: Any = None) -> Questions:
        return questions(asked(text, kind, **(more or {})))

    assert broken(rule, query(*violating))
    assert "file.json:7" in broken(rule, query(*violating))[0]
    assert not broken(rule, query(*holding))


ALERTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("rule-malformed", {"alert": None}, {}),
    ("rule-malformed", {"expr": ""}, {"expr": 1}),
    ("rule-malformed", {"record": "a:b"}, {}),
    ("alert-without-severity", {"labels": {"team": "a"}}, {"labels": {"severity": "x"}}),
    ("alert-without-severity", {"labels": None}, {}),
    ("alert-without-summary", {"annotations": {"description": "x"}}, {}),
    ("alert-without-runbook", {"annotations": {"summary": "x", "runbook_url": " "}}, {"annotations": {"runbook": "docs/a.md"}}),
]


@pytest.mark.parametrize(("rule", "violating", "holding"), ALERTS)
def test_an_alert_and_its_near_miss(rule: str, violating: dict[str, Any], holding: dict[str, Any]) -> None:
    assert broken(rule, questions(rules=[GOOD_ALERT, {**GOOD_ALERT, **violating}]))
    recording = {"record": "job:lag:max", "expr": "max by (job) (queue_lag_seconds)"}
    assert not broken(rule, questions(rules=[recording, {**GOOD_ALERT, **holding}]))


def test_every_rule_has_both() -> None:
    assert {case[0] for case in (*QUERIES, *ALERTS)} == set(RULES)


@pytest.mark.parametrize("rule", list(QUERY_RULES.rules))
def test_good_queries_hold_to_every_rule(rule: str) -> None:
    good = [
        asked(P95, PANEL, unit="s", thresholds=(0.5, 2.0), templates={"legend": "p95"}),
        asked("sum by (status) (rate(http_requests_total[$__rate_interval]))", PANEL, unit="reqps", templates={"legend": "{{status}}"}),
        asked("kube_node_info * on (node) group_left (x) kube_pod_info", PANEL),
        asked(
            'sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m])) or vector(0)', PANEL, unit="percentunit"
        ),
        asked("up == 0", ALERT, templates={"annotation summary": "{{ $labels.anything }}"}),
    ]
    assert not broken(rule, questions(*good, rules=[GOOD_ALERT]))


def test_a_recorded_metric_is_there_with_its_labels() -> None:
    recording = {"record": "job:full:max", "expr": "max by (job) (full_ratio)", "labels": {"tier": "x"}}
    with_label = [asked("sum by (job, tier) (job:full:max)")]
    assert not broken("metric-not-exported", questions(*with_label, rules=[recording]))
    assert not broken("label-not-exported", questions(*with_label, rules=[recording]))
    assert broken("label-not-exported", questions(asked("sum by (queue) (job:full:max)"), rules=[recording]))
    assert broken("metric-not-exported", questions(*with_label))


def test_a_rule_made_of_itself_is_no_endless_loop() -> None:
    recording = {"record": "a:b", "expr": "a:b * 2"}
    assert not broken("label-not-exported", questions(asked("sum by (anything) (a:b)"), rules=[recording]))


def test_every_value_of_a_variable_is_examined() -> None:
    dashboard = {"templating": {"list": [{"name": "m", "type": "custom", "query": "queue_lag_seconds,queue_age_seconds"}]}}
    found = broken("metric-not-exported", questions(asked("max($m)", dashboard=dashboard)))
    assert len(found) == 1
    assert "queue_age_seconds" in found[0]


def test_the_nearest_name_is_told() -> None:
    assert "the nearest is queue_lag_seconds" in broken("metric-not-exported", questions(asked("queue_lag_second")))[0]
    told = broken("metric-not-exported", questions(asked("stage_seconds")))[0]
    assert "stage_seconds is a histogram, its series are stage_seconds_bucket, stage_seconds_count, stage_seconds_sum" in told


def test_nothing_is_said_of_what_an_endpoint_that_is_missing_may_export() -> None:
    known = exported()
    known.complete = False
    for text in ("nothing", '{__name__=~"nothing"}'):
        assert not list(RULES["metric-not-exported"].judge(questions(asked(text), exported=known)))


def test_nothing_is_said_of_labels_of_a_family_without_series() -> None:
    assert not list(RULES["label-not-exported"].judge(questions(asked("sum by (x) (rate(unused_total[5m]))"))))


def test_a_type_that_two_endpoints_disagree_on_is_not_judged() -> None:
    known = exported()
    known.add(families(b"# TYPE queue_lag_seconds counter\nqueue_lag_seconds 1\n"))
    assert not broken("gauge-used-as-counter", questions(asked("rate(queue_lag_seconds[5m])"), exported=known))
