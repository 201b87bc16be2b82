# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards as Grafana writes them, with the variables in their queries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.grafana import Reading, read_dashboards
from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.json_lines import lines_of
from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.variables import filled, seconds, values
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError

PROMETHEUS = {"type": "prometheus", "uid": "abc"}


def read(tmp_path: Path, dashboard: Any, name: str = "d.json") -> Reading:
    (tmp_path / name).write_text(dashboard if isinstance(dashboard, str) else json.dumps(dashboard, indent=1), encoding="utf-8")
    return read_dashboards([str(tmp_path / name)], 30)


def panel(expr: str, **more: Any) -> dict[str, Any]:
    return {"title": "T", "type": "timeseries", "targets": [{"refId": "A", "expr": expr}], **more}


@pytest.mark.parametrize(
    ("dashboard", "path"),
    [
        ({"panels": [panel("a")]}, ("panels", 0, "targets", 0, "expr")),
        ({"panels": [{"type": "row", "collapsed": True, "panels": [panel("a")]}]}, ("panels", 0, "panels", 0, "targets", 0, "expr")),
        ({"rows": [{"panels": [panel("a")]}]}, ("rows", 0, "panels", 0, "targets", 0, "expr")),
        ({"dashboard": {"panels": [panel("a")]}, "meta": {}}, ("panels", 0, "targets", 0, "expr")),
        (
            {"panels": [{"libraryPanel": {"name": "L", "model": panel("a")}}]},
            ("panels", 0, "libraryPanel", "model", "targets", 0, "expr"),
        ),
        (
            {
                "apiVersion": "dashboard.grafana.app/v2beta1",
                "kind": "Dashboard",
                "spec": {
                    "elements": {
                        "panel-1": {
                            "kind": "Panel",
                            "spec": {
                                "title": "T",
                                "data": {
                                    "spec": {"queries": [{"spec": {"refId": "A", "query": {"group": "prometheus", "spec": {"expr": "a"}}}}]}
                                },
                            },
                        }
                    }
                },
            },
            ("elements", "panel-1", "spec", "data", "spec", "queries", 0, "spec", "query", "spec", "expr"),
        ),
    ],
    ids=["panels", "collapsed", "rows", "api", "library", "v2"],
)
def test_panels_of_every_layout(tmp_path: Path, dashboard: Any, path: tuple[Any, ...]) -> None:
    reading = read(tmp_path, dashboard)
    assert [(query.subject, query.written, query.path) for query in reading.queries] == [("panel 'T', query A", "a", path)]
    text = (tmp_path / "d.json").read_text(encoding="utf-8").splitlines()
    assert '"expr": "a"' in text[(reading.queries[0].place.line or 0) - 1]


def test_what_a_panel_shows_its_answer_with(tmp_path: Path) -> None:
    shown = {"defaults": {"unit": "s", "thresholds": {"mode": "absolute", "steps": [{"value": None}, {"value": 2}, {"value": True}]}}}
    target = {"refId": "A", "expr": "a", "legendFormat": "{{x}}"}
    query = read(tmp_path, {"panels": [panel("a", fieldConfig=shown, targets=[target])]}).queries[0]
    assert (query.unit, query.thresholds, query.templates) == ("s", (2.0,), {"legend": "{{x}}"})
    shown["defaults"]["thresholds"]["mode"] = "percentage"
    overridden = {**shown, "overrides": [{"properties": [{"id": "unit", "value": "ms"}]}]}
    query = read(tmp_path, {"panels": [panel("a", fieldConfig=overridden)]}).queries[0]
    assert (query.unit, query.thresholds) == ("", ())


@pytest.mark.parametrize(
    ("of_panel", "of_target", "asked"),
    [
        (None, None, True),
        (PROMETHEUS, None, True),
        ({"type": "loki", "uid": "x"}, None, False),
        ({"type": "loki", "uid": "x"}, PROMETHEUS, True),
        ({"type": "datasource", "uid": "-- Mixed --"}, {"type": "loki"}, False),
        ({"type": "datasource", "uid": "-- Mixed --"}, None, True),
        ({"uid": "$logs"}, None, False),
        ("${ds}", None, True),
        ("Some name", None, True),
        ({"type": "grafana-amazonprometheus-datasource"}, None, True),
    ],
)
def test_queries_of_other_datasources_are_named_and_not_read(tmp_path: Path, of_panel: Any, of_target: Any, asked: bool) -> None:
    sources = [{"type": "datasource", "name": "logs", "query": "loki"}, {"type": "datasource", "name": "ds", "query": "prometheus"}]
    target = {"expr": "a", "datasource": of_target}
    reading = read(tmp_path, {"templating": {"list": sources}, "panels": [panel("", datasource=of_panel, targets=[target])]})
    assert [query.written for query in reading.queries] == (["a"] if asked else [])
    assert reading.other_datasources == ([] if asked else ["panel 'T'"])


@pytest.mark.parametrize(
    ("query", "read_as"),
    [
        ("label_values(a, ns)", "count by (ns) (a)"),
        ('label_values(a{x="1", y="2"}, ns)', 'count by (ns) (a{x="1", y="2"})'),
        ({"query": "label_values(a, ns)", "refId": "x"}, "count by (ns) (a)"),
        ("query_result(topk(1, a))", "topk(1, a)"),
        ("metrics(a_.*)", '{__name__=~".*(?:a_.*).*"}'),
    ],
)
def test_queries_of_variables(tmp_path: Path, query: Any, read_as: str) -> None:
    reading = read(tmp_path, {"templating": {"list": [{"type": "query", "name": "v", "query": query}]}, "panels": []})
    assert [(found.kind, found.written, found.problem) for found in reading.queries] == [("variable", read_as, "")]


@pytest.mark.parametrize("query", ["label_values(ns)", "label_names()", 5, None])
def test_variables_that_ask_for_names_only(tmp_path: Path, query: Any) -> None:
    assert not read(tmp_path, {"templating": {"list": [{"type": "query", "name": "v", "query": query}]}, "panels": []}).queries


def test_annotations(tmp_path: Path) -> None:
    annotations = [{"name": "n", "expr": "a > 1"}, {"name": "built in", "datasource": {"type": "grafana"}}]
    reading = read(tmp_path, {"annotations": {"list": annotations}, "panels": []})
    assert [(query.subject, query.path) for query in reading.queries] == [("annotation n", ("annotations", "list", 0, "expr"))]


def of_v2(**members: Any) -> dict[str, Any]:
    return {"apiVersion": "dashboard.grafana.app/v2", "kind": "Dashboard", "spec": {"elements": {}, **members}}


def v2_query(group: str = "prometheus", **spec: Any) -> dict[str, Any]:
    return {"kind": "DataQuery", "group": group, "version": "v0", "datasource": {"name": "abc"}, "spec": spec}


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"query": v2_query(expr="a > 1")}, ("query", "spec")),
        ({"query": {"kind": "prometheus", "spec": {"expr": "a > 1"}}}, ("query", "spec")),
        ({"query": v2_query(), "legacyOptions": {"expr": "a > 1"}}, ("legacyOptions",)),
    ],
    ids=["v2", "v2alpha1", "converted"],
)
def test_annotations_of_schema_v2(tmp_path: Path, spec: Any, path: tuple[Any, ...]) -> None:
    built_in = {"name": "built in", "builtIn": True, "query": v2_query("grafana")}
    reading = read(tmp_path, of_v2(annotations=[{"kind": "AnnotationQuery", "spec": one} for one in (built_in, {"name": "n", **spec})]))
    assert [(query.subject, query.written, query.path) for query in reading.queries] == [
        ("annotation n", "a > 1", ("annotations", 1, "spec", *path, "expr"))
    ]
    assert reading.other_datasources == []


@pytest.mark.parametrize("text", ["query", "__legacyStringValue"])
def test_queries_of_variables_of_schema_v2(tmp_path: Path, text: str) -> None:
    written = [v2_query(**{text: "label_values(a, ns)"}), v2_query("loki", **{text: "label_values(b, ns)"})]
    variables = [{"kind": "QueryVariable", "spec": {"name": f"v{n}", "query": query}} for n, query in enumerate(written)]
    reading = read(tmp_path, of_v2(variables=variables))
    assert [(found.subject, found.written, found.path) for found in reading.queries] == [
        ("variable v0", "count by (ns) (a)", ("variables", 0, "spec", "query"))
    ]
    assert reading.other_datasources == ["variable v1"]


def test_values_of_variables_of_schema_v2_are_put_into_queries(tmp_path: Path) -> None:
    variables = [
        {"kind": "CustomVariable", "spec": {"name": "m", "query": "a_total, other : b_total", "current": {"value": "b_total"}}},
        {"kind": "IntervalVariable", "spec": {"name": "w", "query": "5m,2m", "options": [{"value": "7m"}], "current": {"value": "5m"}}},
        {"kind": "ConstantVariable", "spec": {"name": "c", "query": "x"}},
        {"kind": "TextVariable", "spec": {"name": "t", "query": "3"}},
        {"kind": "DatasourceVariable", "spec": {"name": "logs", "pluginId": "loki"}},
        {"kind": "SwitchVariable", "spec": {"name": "s", "current": "true"}},
        None,
        {"kind": []},
        {"kind": "QueryVariable", "spec": {"name": "q", "query": 7}},
    ]
    queries = [
        {"spec": {"refId": "A", "query": v2_query(expr='rate($m{l="$c"}[$w]) > $t')}},
        {"spec": {"refId": "B", "query": {"kind": "DataQuery", "datasource": {"name": "${logs}"}, "spec": {"expr": "{} |= x"}}}},
    ]
    element = {"kind": "Panel", "spec": {"title": "T", "data": {"kind": "QueryGroup", "spec": {"queries": queries}}}}
    reading = read(tmp_path, of_v2(variables=variables, elements={"panel-1": element}))
    assert [(query.texts, query.open_variables) for query in reading.queries] == [
        (('rate(b_total{l="x"}[2m]) > 3', 'rate(a_total{l="x"}[2m]) > 3'), ())
    ]
    assert reading.other_datasources == ["panel 'T', query B"]


def section(kind: str, variables: Any, layout: Any = None) -> dict[str, Any]:
    return {"kind": kind, "spec": {"title": "S", "variables": variables, "layout": layout}}


def test_variables_of_rows_and_tabs_have_values(tmp_path: Path) -> None:
    """Grafana's schema v2, RowsLayoutRowSpec and TabsLayoutTabSpec: either has variables, and a layout that has more of them."""
    below = [{"kind": "CustomVariable", "spec": {"name": "m", "query": "a_total, b_total"}}]
    above = [
        {"kind": "IntervalVariable", "spec": {"name": "w", "query": "5m"}},
        {"kind": "QueryVariable", "spec": {"name": "q", "query": {"group": "prometheus", "spec": {"query": "label_values(up, job)"}}}},
    ]
    rows = {"kind": "RowsLayout", "spec": {"rows": [section("RowsLayoutRow", below), None, section("RowsLayoutRow", 7)]}}
    layout = {"kind": "TabsLayout", "spec": {"tabs": [section("TabsLayoutTab", above, rows)]}}
    queries = [{"spec": {"refId": "A", "query": v2_query(expr="rate($m[$w]) > $t")}}]
    element = {"kind": "Panel", "spec": {"title": "T", "data": {"kind": "QueryGroup", "spec": {"queries": queries}}}}
    reading = read(tmp_path, of_v2(layout=layout, elements={"panel-1": element}))
    asked, shown = reading.queries
    assert (asked.kind, asked.texts) == ("variable", ("count by (job) (up)",))
    assert asked.path == ("layout", "spec", "tabs", 0, "spec", "variables", 1, "spec", "query")
    # What no section declares has no value still.
    assert shown.texts == ("rate(a_total[5m]) > grafana_variable_t", "rate(b_total[5m]) > grafana_variable_t")


def test_a_variable_that_two_sections_declare_has_the_values_of_both(tmp_path: Path) -> None:
    rows = [section("RowsLayoutRow", [{"kind": "ConstantVariable", "spec": {"name": "m", "query": name}}]) for name in ("a", "b")]
    layout = {"kind": "RowsLayout", "spec": {"rows": rows}}
    queries = [{"spec": {"refId": "A", "query": v2_query(expr="sum($m)")}}]
    element = {"kind": "Panel", "spec": {"title": "T", "data": {"kind": "QueryGroup", "spec": {"queries": queries}}}}
    (shown,) = read(tmp_path, of_v2(layout=layout, elements={"panel-1": element})).queries
    assert shown.texts == ("sum(a)", "sum(b)")


def test_a_directory_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for name in ("b.json", "below/a.json"):
        (tmp_path / name).write_text(json.dumps({"panels": [panel("a")]}), encoding="utf-8")
    reading = read_dashboards([str(tmp_path)], 30)
    assert (reading.dashboards, len(reading.queries)) == (2, 2)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", "dashboard-invalid", "Expecting value"),
        ("[]", "dashboard-invalid", "it is a list"),
        ('{"panels": [], "panels": []}', "dashboard-invalid", "'panels' occurs twice"),
        ('{"panels": NaN}', "dashboard-invalid", "NaN is not JSON"),
        ('{"title": "x"}', "dashboard-invalid", "none of the members panels, rows, elements"),
        ("[" * 100_000, "dashboard-invalid", "nested too deeply"),
    ],
)
def test_what_is_no_dashboard(tmp_path: Path, text: str, code: str, said: str) -> None:
    with pytest.raises(CheckError, match=said) as raised:
        read(tmp_path, text)
    assert raised.value.reason_code == code
    assert "d.json" in raised.value.reason


def test_what_cannot_be_read(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none.json", "No such file"), (tmp_path, "no \\*.json")):
        with pytest.raises(CheckError, match=said):
            read_dashboards([str(path)], 30)


def test_parts_of_any_type_are_no_crash(tmp_path: Path) -> None:
    strange = {
        "templating": {"list": [None, 3, {"name": 4}]},
        "annotations": "x",
        "panels": [None, {"targets": {"expr": 1}}, {"targets": [3]}],
    }
    assert not read(tmp_path, strange).queries


def test_lines() -> None:
    text = '{\n "a": [1,\n  {"b": "x,{]\\"", "c": []},\n  {}, [2,\n  3]],\n "d":\n   null\n}'
    assert lines_of(text) == {
        (): 1,
        ("a",): 2,
        ("a", 0): 2,
        ("a", 1): 3,
        ("a", 1, "b"): 3,
        ("a", 1, "c"): 3,
        ("a", 2): 4,
        ("a", 3): 4,
        ("a", 3, 0): 4,
        ("a", 3, 1): 5,
        ("d",): 6,
    }


VARIABLES = [
    {"name": "m", "type": "custom", "query": "a_total, other : b_total", "current": {"value": "b_total"}},
    {"name": "w", "type": "interval", "query": "5m,1m,auto", "auto_min": "2m", "current": {"value": "$__auto_interval_w"}},
    {"name": "multi", "type": "query", "current": {"value": ["x", "y"]}},
    {"name": "all", "type": "query", "current": {"value": "$__all"}, "options": [{"value": "$__all"}]},
    {"name": "text", "type": "textbox", "query": "3,5"},
    {"name": "quoted", "type": "constant", "query": 'a"b'},
]


@pytest.mark.parametrize(
    ("query", "texts", "open_variables"),
    [
        ("rate($m[5m])", ("rate(b_total[5m])", "rate(a_total[5m])"), ()),
        ("rate(${m:raw}[[[w]]])", ("rate(b_total[1m])", "rate(a_total[1m])"), ()),
        ('a{x=~"$all|${multi:regex}"}', ('a{x=~"grafana_variable_all|x"}',), ()),
        ("sum by ($multi) (a)", ("sum by (x) (a)", "sum by (y) (a)"), ()),
        ("topk($k, a)", ("topk(grafana_variable_k, a)",), ()),
        ("$metric", ("grafana_variable_metric",), ("metric",)),
        ("$fn(a)", ("grafana_variable_fn(a)",), ("fn",)),
        ("a[$window]", ("a[120000ms]",), ("window",)),
        ("a[$__interval] offset $w", ("a[30000ms] offset 2m", "a[30000ms] offset 5m", "a[30000ms] offset 1m"), ()),
        ("rate(a[${__range_s}s])", ("rate(a[3600s])",), ()),
        ("a > $text", ("a > 3,5",), ()),
        ('a{x="$quoted"}', ('a{x="grafana_variable_quoted"}',), ()),
        ('a{x=~"a$", y="\\"$m"} # $m ]', ('a{x=~"a$", y="\\"b_total"} # b_total ]',), ()),
        ('label_replace(a, "x", "$1", "y", "(.*)")', ('label_replace(a, "x", "$1", "y", "(.*)")',), ()),
    ],
)
def test_values_are_put_into_queries(query: str, texts: tuple[str, ...], open_variables: tuple[str, ...]) -> None:
    done = filled(query, values({"templating": {"list": VARIABLES}}, 30))
    assert (done.texts, done.open_variables) == (texts, open_variables)


def test_a_query_that_is_wrong_with_values_is_wrong() -> None:
    assert "parenthesis" in filled("sum($m", values({"templating": {"list": VARIABLES}}, 30)).problem
    assert not filled("$fn(a)", values({}, 30)).problem


@pytest.mark.parametrize(("duration", "expected"), [("1h30m", 5400.0), ("500ms", 0.5), ("5", None), ("", None), ("5x", None)])
def test_durations(duration: str, expected: float | None) -> None:
    assert seconds(duration) == expected
