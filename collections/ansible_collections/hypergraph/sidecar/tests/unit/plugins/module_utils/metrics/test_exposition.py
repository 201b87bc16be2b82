# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict parsing: what is an exposition, what is not, and which line is to blame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.metrics.exposition import (
    MAX_LINE,
    OPENMETRICS,
    TEXT,
    InvalidExposition,
    format_of,
    parse,
)


def families(text: str, form: str = TEXT) -> dict[str, tuple[str, int]]:
    """Type and number of samples of each family."""
    found: dict[str, tuple[str, int]] = {}
    for name, metric in parse(text.encode(), form):
        found[name] = (metric.type, found.get(name, ("", 0))[1] + len(metric.samples))
    return found


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("text/plain; version=0.0.4; charset=utf-8", TEXT),
        ("text/plain", TEXT),
        ("text/plain; version=1.0.0; escaping=allow-utf-8", TEXT),
        ('Text/Plain;charset=utf-8;Version="0.0.4"', TEXT),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", OPENMETRICS),
        ("application/openmetrics-text;version=0.0.1", OPENMETRICS),
        ("application/openmetrics-text; version=2.0.0", None),
        ("text/plain; version=0.0.3", None),
        ("text/html; charset=utf-8", None),
        ("application/json", None),
        ("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited", None),
        ("", None),
    ],
)
def test_the_format_is_told_by_the_content_type(content_type: str, form: str | None) -> None:
    assert format_of(content_type) == form


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n# just a comment\n#\n",
        "up 1\n",
        "  up\t1  \n",
        "up 1 1700000000000\n",
        "temperature{} -3.5e-2\n",
        'up{job="a",} 1\n',
        'up{ job = "a" , zone = "b\\"c\\\\d\\ne{}" } +Inf\n',
        "# HELP up Whether\\nup \\\\ down.\n# TYPE up gauge\nup NaN\n",
        '# TYPE waits summary\nwaits{quantile="0.5"} 1\nwaits_sum 3\nwaits_count 2\n',
        '{"http.requests",code="200"} 1\n{code="200","http.other"} 1\n',
        '# TYPE "http.requests" counter\n{"http.requests"} 1\n',
    ],
)
def test_text_of_the_format_is_read(text: str) -> None:
    list(parse(text.encode(), TEXT))


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("up 1\ndown 2", 2, "newline"),
        ("# TYPE up gauge\nup one\n", 2, "no sample"),
        ("up\n", 1, "no sample"),
        ("up1\n", 1, "no sample"),
        ("up 0x10\n", 1, "no sample"),
        ("up 1_000\n", 1, "no sample"),
        ("up 1 2 3\n", 1, "no sample"),
        ("up 1 2.5\n", 1, "no sample"),
        ("up 1\r\n", 1, "no sample"),
        ("9lives 1\n", 1, "no sample"),
        ('up{job=a"} 1\n', 1, "no sample"),
        ('up{job="a\\t"} 1\n', 1, "no sample"),
        ('up{job="a} 1\n', 1, "no sample"),
        ('up{job="a"\n} 1\n', 1, "no sample"),
        ('up{job="a",job="b"} 1\n', 1, "Invalid labels"),
        ('{job="a"} 1\n', 1, "no sample"),
        ('{"up","down"} 1\n', 1, "no sample"),
        ("<html><body>Sign in</body></html>\n", 1, "no sample"),
        ("# TYPE up widget\n", 1, "'widget' as the type"),
        ("# TYPE up stateset\n", 1, "'stateset' as the type"),
        ("# TYPE up\n", 1, "'nothing' as the type"),
        ("# HELP 9lives text\n", 1, "valid metric name"),
        ("# TYPE up gauge\n# TYPE up gauge\n", 2, "a second TYPE"),
        ("# HELP up a\n# HELP up b\n", 2, "a second HELP"),
        ("up 1\n# TYPE up gauge\n", 2, "after its samples"),
        ('up{a="1"} 1\ndown 1\nup{a="2"} 1\n', 3, "not one group"),
        ('# TYPE up gauge\nup{a="1"} 1\nup{a="1"} 2\n', 3, "occurs twice"),
        ("# TYPE hits_total counter\nhits_total -1\n", 2, "negative"),
        ('# TYPE took histogram\ntook_bucket{le="big"} 1\n', 2, "le or quantile"),
        ("# TYPE took histogram\ntook_bucket 1\n", 2, "le or quantile"),
        ('# TYPE took histogram\ntook_bucket{le="1"} -1\n', 2, "negative"),
        ('# TYPE waits summary\nwaits{quantile="half"} 1\n', 2, "le or quantile"),
    ],
)
def test_a_broken_line_of_text_is_named(text: str, line: int, problem: str) -> None:
    with pytest.raises(InvalidExposition) as found:
        list(parse(text.encode(), TEXT))
    assert str(found.value).startswith(f"line {line}")
    assert problem in str(found.value)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("# TYPE up gauge\nup 1\n", 2, "EOF"),
        ("# TYPE up gauge\nup  1\n# EOF\n", 2, ""),
        ("# TYPE hits counter\nhits 1\n# EOF\n", 3, ""),
        ("# TYPE up untyped\nup 1\n# EOF\n", 1, "TYPE"),
        ("up 1\n\n# EOF\n", 2, "blank"),
        ('# TYPE took histogram\ntook_bucket{le="1"} 1\n# EOF\n', 3, "+Inf"),
        ("up 1\n# EOF\nup 2\n", 3, "EOF"),
        ("# TYPE up gauge\nup{\n# EOF\n", 2, ""),
    ],
)
def test_a_broken_line_of_openmetrics_is_named(text: str, line: int, problem: str) -> None:
    with pytest.raises(InvalidExposition) as found:
        list(parse(text.encode(), OPENMETRICS))
    assert str(found.value).startswith(f"line {line}:")
    assert problem in str(found.value)


def test_bytes_that_are_no_utf_8_are_named_by_line() -> None:
    with pytest.raises(InvalidExposition, match="line 2: byte 0xbd"):
        list(parse(b'up 1\ndown{why="\xbd"} 1\n', TEXT))


def test_a_line_without_end_is_refused_before_it_costs_time() -> None:
    with pytest.raises(CheckError) as found:
        list(parse(b"up{" + b'a="b",' * MAX_LINE + b"} 1\n", TEXT))
    assert found.value.reason_code == "exposition-line-too-long"


def test_counters_have_the_name_they_are_exposed_under() -> None:
    text = "# TYPE hits_total counter\nhits_total 1\n# TYPE misses counter\nmisses 1\n"
    assert families(text) == {"hits_total": ("counter", 1), "misses": ("counter", 1)}
    assert families("# TYPE hits counter\nhits_total 1\nhits_created 1\n# EOF\n", OPENMETRICS) == {"hits_total": ("counter", 2)}


def test_a_declared_family_without_samples_is_there() -> None:
    assert families("# HELP hits_total Hits.\n# TYPE hits_total counter\n") == {"hits_total": ("counter", 0)}


@pytest.mark.parametrize("form", [TEXT, OPENMETRICS])
def test_what_the_client_library_exposes_is_valid(form: str) -> None:
    registry = CollectorRegistry()
    Counter("hits", "Hits.", ["code"], registry=registry).labels("200").inc()
    Gauge("level", 'A "level" \\ with\nlines.', registry=registry)
    Histogram("took_seconds", "Time.", ["stage"], registry=registry).labels('odd "one"\n').observe(1)
    Summary("size_bytes", "Size.", registry=registry).observe(1)
    body = openmetrics.generate_latest(registry) if form == OPENMETRICS else generate_latest(registry)
    found = families(body.decode(), form)
    assert found["hits_total"][0] == "counter"
    assert found["took_seconds"][0] == "histogram"


TOKENS = """up|# TYPE |# HELP |counter|histogram|{|}|"|\\|=|,| |\t|\n|1|-|NaN|le|_bucket|# EOF|#|_total|\u2208|\x00|\r| # {a="b"} 1"""
FRAGMENTS = st.lists(st.sampled_from(TOKENS.split("|")), max_size=30)


@pytest.mark.parametrize("form", [TEXT, OPENMETRICS])
@given(fragments=FRAGMENTS)
def test_no_text_makes_parsing_crash(form: str, fragments: list[str]) -> None:
    try:
        for name, metric in parse("".join(fragments).encode(), form):
            assert name.startswith(metric.name)
    except InvalidExposition as problem:
        assert str(problem).startswith("line ")
