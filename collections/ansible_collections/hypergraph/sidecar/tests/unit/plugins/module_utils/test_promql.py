# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PromQL as a tree, and how many elements a query answers with."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.promql import (
    MAX_LENGTH,
    MAX_OPERATORS,
    Aggregation,
    Binary,
    Call,
    InvalidQuery,
    Matcher,
    Number,
    Selector,
    Subquery,
    Text,
    is_scalar,
    nodes,
    parse,
    returns_at_most_one_element,
    selectors,
)


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("a", Selector("a")),
        ('a{x="1",y!~"2|3"}', Selector("a", (Matcher("x", "=", "1"), Matcher("y", "!~", "2|3")))),
        ('{__name__="a",x!="1"}', Selector("a", (Matcher("x", "!=", "1"),))),
        ('{__name__=~"a|b"}', Selector(None, (Matcher("__name__", "=~", "a|b"),))),
        ('{"a.dotted"}', Selector("a.dotted")),
        ('{__name__="a" or __name__="b"}', Selector(None, (Matcher("__name__", "=", "a"), Matcher("__name__", "=", "b")))),
        ("-(a)", Selector("a")),
        ("a[1h30m] offset 5m", Selector("a", (), 5400.0)),
        ("rate(a[5m])", Call("rate", (Selector("a", (), 300.0),), "vector")),
        ("a[1h:30s]", Subquery(Selector("a"), 3600.0, 30.0)),
        ("a[1h:]", Subquery(Selector("a"), 3600.0)),
        ("sum by (x, y) (a)", Aggregation("sum", Selector("a"), None, "by", ("x", "y"))),
        ("max(a) without (x)", Aggregation("max", Selector("a"), None, "without", ("x",))),
        ("topk(3, a)", Aggregation("topk", Selector("a"), Number(3.0))),
        (
            'label_replace(a, "d", "$1", "s", "(.*)")',
            Call("label_replace", (Selector("a"), *map(Text, ("d", "$1", "s", "(.*)"))), "vector"),
        ),
        ("a + on (x) group_left (y) b", Binary("+", Selector("a"), Selector("b"), "on", ("x",), "left", ("y",))),
        ("a * ignoring (x) group_right b", Binary("*", Selector("a"), Selector("b"), "ignoring", ("x",), "right", ())),
        ("a unless b", Binary("unless", Selector("a"), Selector("b"))),
        ("a > bool 2", Binary(">", Selector("a"), Number(2.0))),
    ],
)
def test_tree(query: str, tree: object) -> None:
    assert parse(query) == tree


@pytest.mark.parametrize(
    ("query", "position", "problem"),
    [
        ("sum(rate(a[5m])) by (x) + ) b", 27, "parenthesis"),
        ("rate(a[5x])", 9, "duration"),
        ('a{x="1"', 7, "end of input"),
        ("a{x=1}", 5, "inside braces"),
        ("rate(a)", 7, "expected type matrix"),
        ("nosuch(a)", 9, "unknown function"),
        ("", 1, "no expression"),
        ("a ]", 3, "bracket"),
    ],
)
def test_error_names_query_and_position(query: str, position: int, problem: str) -> None:
    with pytest.raises(InvalidQuery, match=problem) as raised:
        parse(query)
    assert raised.value.position == position
    assert repr(query) in str(raised.value)


@pytest.mark.parametrize(
    "query",
    [
        "(" * 50_000 + "1" + ")" * 50_000,
        "-" * 5_000 + "a",
        "^".join("1" * 2_000),
        " or ".join(["a"] * 2_000),
        "abs(" * (MAX_OPERATORS + 1) + "a" + ")" * (MAX_OPERATORS + 1),
        "a" * (MAX_LENGTH + 1),
    ],
    ids=["parentheses", "signs", "powers", "words", "calls", "length"],
)
def test_refuses_what_would_end_the_process(query: str) -> None:
    with pytest.raises(InvalidQuery, match="does not read|reads at most"):
        parse(query)


@pytest.mark.parametrize(
    "query",
    [
        "^".join(["1"] * MAX_OPERATORS),
        "(" * MAX_OPERATORS + "a" + ")" * MAX_OPERATORS,
        'a{x=~"' + "|".join(["(a-b)"] * 1_000) + '"}',
        "a{" + ",".join(f'l{i}="x"' for i in range(1_000)) + "}",
        r'a{x="\"' + "+" * 1_000 + '"}',
        "{'a" + "(" * 1_000 + "'}",
    ],
    ids=["powers", "parentheses", "alternatives", "matchers", "escapes", "quotes"],
)
def test_reads_what_is_long_and_not_deep(query: str) -> None:
    assert list(nodes(parse(query)))


def test_nodes_come_from_the_outside_in_and_left_to_right() -> None:
    tree = parse("sum(rate(a[5m])) / max(b) + topk(scalar(c), d)")
    assert [found.metric for found in selectors(tree)] == ["a", "b", "c", "d"]
    assert [type(node).__name__ for node in nodes(tree)][:5] == ["Binary", "Binary", "Aggregation", "Call", "Selector"]


@pytest.mark.parametrize(
    ("query", "scalar"), [("1 + 2", True), ("1 + a", False), ("time()", True), ("scalar(a)", True), ("vector(1)", False), ("a > 1", False)]
)
def test_scalar(query: str, scalar: bool) -> None:
    assert is_scalar(parse(query)) is scalar


@pytest.mark.parametrize(
    "query",
    [
        "sum(a)",
        "sum by () (a)",
        "max(a) / 2",
        "-avg(a)",
        "2 * sum(a)",
        "1",
        "scalar(a)",
        "vector(1)",
        "sum(a) or vector(0)",
        "sum(a) or on () vector(0)",
        "max(a) or absent(b)",
        "sum(a) / sum(b)",
        "sum(a) / on () b",
        "sum(a) and on () b",
        "sum(a) unless b",
        "clamp_min(sum(a), 1)",
        "ceil(max(sum by (x) (a)))",
        "max_over_time(sum(a)[5m:])",
        "histogram_quantile(0.95, sum by (le) (rate(a_bucket[5m])))",
        "histogram_quantile(0.95, sum by (le) (rate(a_bucket[5m]))) or vector(0)",
        "topk(1, a)",
        "topk(5, sum(a))",
        'sum by (queue) (a{queue="q"})',
        'sum by (queue) (rate(a{queue="q"}[5m]))',
        'topk by (queue) (1, a{queue="q"})',
        'sum by (queue) (max by (queue, pod) (a{queue="q"}))',
        "sum(a) > 5",
        "sum(a) * on () group_left b",
        "absent(a)",
        'label_replace(sum(a), "x", "1", "", "")',
        'count_values("v", sum(a))',
        "hour()",
        "(sum(a) + sum(b)) or vector(0)",
    ],
)
def test_at_most_one_element(query: str) -> None:
    assert returns_at_most_one_element(parse(query))


@pytest.mark.parametrize(
    "query",
    [
        "a",
        'a{x="1"}',
        "rate(a[5m])",
        "sum by (x) (a)",
        'sum by (x) (a{x=~"1"})',
        'sum by (x, y) (a{x="1"})',
        "max without (x) (a)",
        "topk(2, a)",
        "max_over_time(topk(1, a)[5m:])",
        "topk by (x) (1, a)",
        "limit_ratio(1, a)",
        "topk(scalar(b), a)",
        "a or vector(0)",
        "sum(a) or b",
        'sum(a) or absent(b{x="1"})',
        "sum(a) or topk(1, b)",
        'sum(a) or label_replace(vector(1), "x", "1", "", "")',
        "a / 2",
        "2 * a",
        "a unless sum(b)",
        "a * on () group_left sum(b)",
        "sum(b) * on () group_right a",
        "histogram_quantile(0.95, sum by (le, x) (rate(a_bucket[5m])))",
        "histogram_quantile(0.95, rate(a_bucket[5m]))",
        'count_values("v", a)',
        'sum by (x) (label_replace(a{x="1"}, "x", "$1", "y", "(.*)"))',
        "a[5m]",
        '"text"',
    ],
)
def test_several_elements(query: str) -> None:
    assert not returns_at_most_one_element(parse(query))
