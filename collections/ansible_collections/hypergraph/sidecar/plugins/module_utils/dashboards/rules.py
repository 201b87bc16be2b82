# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for queries, whichever artifact they come from. Registered in the order of causes before consequences.

Much of what is asked here is prior art of cloudflare's pint (https://cloudflare.github.io/pint/checks/) and of Grafana's dashboard-linter.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator

from ..manifests.rules import WARNING, Outcome, Registry
from ..promql import Selector
from .exported import COUNTER, GAUGE
from .grafana import legend_labels
from .queries import ALERT, ANNOTATION, PANEL, RECORDING, SCALER, Query
from .questions import Questions
from .usage import COUNTER_FUNCTIONS, RATES, comparisons, quantile_of, unit_of
from .variables import UNKNOWN

QUERY_RULES = Registry()

_ANSWERED = (PANEL, ANNOTATION, ALERT, RECORDING, SCALER)
# Fewer scrapes than this in a window leave a rate without its two samples when one scrape is late; a scaler that is blind then does harm.
_SCRAPES = 2
_SCALER_SCRAPES = 4
_UNITS = {
    "seconds": {"s", "dtdurations", "dthms", "dtdhms", "clocks"},
    "bytes": {"bytes", "decbytes"},
    "ratio": {"percentunit"},
}
_NO_UNIT = {"", "none", "short", "sishort", "string"}
_TEMPLATE_LABEL = re.compile(r"\$labels\.(\w+)")


def _outcome(query: Query, ok: bool, expected: str, observed: str) -> Outcome:
    return Outcome(query.subject, ok, expected, observed, query.path, query.place)


@QUERY_RULES.rule(
    "query-invalid",
    "queries are PromQL",
    examines="queries",
    source="https://prometheus.io/docs/prometheus/latest/querying/basics/",
    fix="Correct the query where the parser stopped; nothing of it is answered as it is.",
)
def _query_invalid(asked: Questions) -> Iterator[Outcome]:
    for query in asked.queries:
        if query.trees or query.problem:
            yield _outcome(query, not query.problem, "a query that parses", query.problem or "it parses")


@QUERY_RULES.rule(
    "metric-not-exported",
    "queries name metrics that are exported",
    examines="uses of metrics",
    source="https://cloudflare.github.io/pint/checks/promql/series.html",
    fix="Query the name that the service exports, or export it; list metrics of other systems in external_metrics.",
)
def _metric_not_exported(asked: Questions) -> Iterator[Outcome]:
    for query, use in asked.uses():
        exists = asked.exists(use.selector)
        if exists is not None:
            name = use.selector.metric or "a metric of that pattern"
            yield _outcome(query, exists, f"{name} to be exported or recorded", "it is" if exists else _hint(asked, use.selector))


def _hint(asked: Questions, selector: Selector) -> str:
    name = selector.metric or ""
    series = sorted(other.name for other in asked.exported.series.values() if other.family == name)
    if series:
        return f"{name} is a {asked.exported.families[name]}, its series are {', '.join(series)}"
    near = difflib.get_close_matches(name, [*asked.exported.series, *asked.recorded], 1)
    return "no such metric" + (f", the nearest is {near[0]}" if near else "")


@QUERY_RULES.rule(
    "label-not-exported",
    "queries name labels that their metrics have",
    examines="uses of labels",
    source="https://cloudflare.github.io/pint/checks/promql/series.html",
    fix="Name a label that the metric has; list what Prometheus adds when it scrapes in target_labels.",
)
def _label_not_exported(asked: Questions) -> Iterator[Outcome]:
    for query, tree in asked.trees():
        for use in dict.fromkeys(asked.labels(tree)[1]):
            if use.role != "quantile" and use.known is not None and UNKNOWN not in use.label:
                said = "it is there" if use.ok else f"{use.role} names {use.label}, there is {', '.join(sorted(use.known)) or 'no label'}"
                yield _outcome(query, use.ok, f"label {use.label} of {', '.join(use.metrics) or 'the expression'}", said)


@QUERY_RULES.rule(
    "counter-used-raw",
    "counters are queried by their rate",
    examines="uses of counters",
    source="https://prometheus.io/docs/concepts/metric_types/#counter",
    fix="Use rate() or increase(): the value itself tells how long the process runs, and falls to zero with it.",
)
def _counter_used_raw(asked: Questions) -> Iterator[Outcome]:
    for query, use in asked.uses(*_ANSWERED):
        series = asked.series(use.selector.metric)
        if series is not None and series.behaves == COUNTER:
            ok = use.presence or use.function in COUNTER_FUNCTIONS
            how = f"under {use.function}()" if use.function else "as it is"
            yield _outcome(query, ok, f"counter {series.name} under {', '.join(RATES)}", how if not use.presence else "only its presence")


@QUERY_RULES.rule(
    "gauge-used-as-counter",
    "gauges are not queried by a rate",
    examines="uses of gauges",
    source="https://prometheus.io/docs/prometheus/latest/querying/functions/#rate",
    fix="Use the gauge itself, or delta() or deriv(): rate() takes every fall for a restart and adds the whole value.",
)
def _gauge_used_as_counter(asked: Questions) -> Iterator[Outcome]:
    for query, use in asked.uses(*_ANSWERED):
        series = asked.series(use.selector.metric)
        if series is not None and series.behaves == GAUGE:
            ok = use.function not in RATES
            yield _outcome(query, ok, f"gauge {series.name} under no rate", f"under {use.function}()" if use.function else "as it is")


@QUERY_RULES.rule(
    "rate-of-aggregate",
    "rates are taken before sums",
    examines="counters under a rate",
    source="https://www.robustperception.io/rate-then-sum-never-sum-then-rate/",
    fix="Write sum(rate(x[5m])): the restart of one process looks like a fall of the sum, and its rate like a burst.",
)
def _rate_of_aggregate(asked: Questions) -> Iterator[Outcome]:
    for query, use in asked.uses(*_ANSWERED):
        outer = use.rate_of_aggregate
        if outer or use.function in RATES:
            yield _outcome(query, not outer, "a rate of the series themselves", f"{outer}() of an aggregate" if outer else "so")


@QUERY_RULES.rule(
    "quantile-without-le",
    "quantiles are taken of buckets",
    examines="quantiles",
    source="https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile",
    fix="Take it of rates of the _bucket series, and keep le in the by clause; without it nothing is answered.",
)
def _quantile_without_le(asked: Questions) -> Iterator[Outcome]:
    for query, tree in asked.trees():
        for use in asked.labels(tree)[1]:
            if use.role == "quantile" and use.known is not None:
                there = ", ".join(sorted(use.known)) or "no label"
                yield _outcome(query, use.ok, f"label le in what the quantile of {', '.join(use.metrics)} is taken of", there)


@QUERY_RULES.rule(
    "bucket-not-exported",
    "buckets named by their bound exist",
    examines="bounds of buckets",
    source="https://prometheus.io/docs/prometheus/latest/migration/#le-and-quantile-label-values",
    fix="Name a bound of the histogram as it is exposed, or add that bucket to it.",
)
def _bucket_not_exported(asked: Questions) -> Iterator[Outcome]:
    for query, use in asked.uses():
        series = asked.series(use.selector.metric)
        for matcher in use.selector.matchers if series is not None and series.bounds else ():
            if matcher.label == "le" and matcher.operator in ("=", "=~") and UNKNOWN not in matcher.value and series is not None:
                ok = _bound_exists(matcher.operator, matcher.value, series.bounds)
                bounds = ", ".join(sorted(series.bounds, key=_bound))
                yield _outcome(query, ok, f"a bucket of {series.name} with le {matcher.value}", "it is there" if ok else f"le is {bounds}")


def _bound_exists(operator: str, value: str, bounds: frozenset[str]) -> bool:
    # Prometheus 3 stores a bound in its canonical form (2 as 2.0), earlier versions as it was exposed.
    stored = bounds | {repr(_bound(bound)) for bound in bounds if math.isfinite(_bound(bound))}
    return value in stored if operator == "=" else any(re.fullmatch(value, bound) for bound in stored)


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


@QUERY_RULES.rule(
    "window-too-short",
    "windows span enough scrapes",
    examines="windows",
    source="https://cloudflare.github.io/pint/checks/promql/rate.html",
    fix="Widen the window, in dashboards to $__rate_interval; or set scrape_interval to what Prometheus scrapes at.",
)
def _window_too_short(asked: Questions) -> Iterator[Outcome]:
    for query, use in asked.uses():
        window = use.selector.window
        if window is not None:
            needed = use.needed_window(asked.scrape_interval, _SCALER_SCRAPES if query.kind == SCALER else _SCRAPES)
            under = f" under {use.function}()" if use.function else ""
            yield _outcome(
                query, window >= needed, f"a window of {needed:g} s or more{under}", f"{use.selector.metric or ''}[{window:g} s]"
            )


@QUERY_RULES.rule(
    "threshold-out-of-reach",
    "thresholds can be reached",
    examines="thresholds",
    source="https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile",
    fix="Give the threshold in the unit of the metric, below the highest finite bucket, which no quantile exceeds; or add buckets.",
)
def _threshold_out_of_reach(asked: Questions) -> Iterator[Outcome]:
    for query, tree in asked.trees():
        limits = [(found.expression, found.operator, found.threshold) for found in comparisons(tree)] if query.kind == ALERT else []
        limits += [(tree, ">=", threshold) for threshold in query.thresholds]
        for expression, operator, threshold in limits:
            most = _highest(asked, quantile_of(expression)) if unit_of(expression) != "ratio" else 1.0
            if most is not None and operator in (">", ">="):
                ok = threshold < most or (threshold == most and operator == ">=")
                yield _outcome(query, ok, f"a threshold of at most {most:g}, the most it can be", f"{operator} {threshold:g}")


def _highest(asked: Questions, metric: str | None) -> float | None:
    series = asked.series(metric)
    finite = [bound for bound in map(_bound, series.bounds if series else ()) if math.isfinite(bound)]
    return max(finite) if finite else None


@QUERY_RULES.rule(
    "unit-mismatch",
    "panels show the unit of their metrics",
    examines="units of panels",
    source="https://prometheus.io/docs/practices/naming/#base-units",
    fix="Give the panel the unit that the metric's name ends in, or convert in the query.",
)
def _unit_mismatch(asked: Questions) -> Iterator[Outcome]:
    for query, tree in asked.trees():
        unit = unit_of(tree) if query.kind == PANEL and query.unit not in _NO_UNIT and ":" not in query.unit else ""
        if unit:
            fitting = _UNITS[unit]
            yield _outcome(query, query.unit in fitting, f"a unit for {unit}: {' or '.join(sorted(fitting))}", f"unit {query.unit}")


@QUERY_RULES.rule(
    "template-without-label",
    "legends and annotations show labels that are there",
    examines="labels shown",
    source="https://cloudflare.github.io/pint/checks/alerts/template.html",
    fix="Keep the label in the aggregation, or take it out of the text; it is shown empty.",
    severity=WARNING,
)
def _template_without_label(asked: Questions) -> Iterator[Outcome]:
    for query in asked.queries:
        for what, template in query.templates.items() if query.trees and not query.open_variables else ():
            there = asked.labels(query.trees[0])[0]
            for label in legend_labels(template) if what == "legend" else _TEMPLATE_LABEL.findall(template):
                if there is not None and label != "__name__":
                    shown = ", ".join(sorted(there)) or "no label"
                    yield _outcome(query, label in there, f"label {label}, which the {what} shows", shown)
