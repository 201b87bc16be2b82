# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The renderings: everything a reader needs is in them, and nothing a service answered becomes more than text."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from ansible_collections.hypergraph.sidecar.plugins.module_utils.report import charts, html, junit, markdown, prometheus, view
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.scope import Scope
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import STATUSES, Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.report.documents import (
    HOSTILE,
    TEMPLATES,
    hostile_verdict,
    registered,
    report,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.verdicts import law, verdict_of

WAIVERS = [
    {"check": "observability", "assertion": "*", "owner": "ada", "ticket": "OPS-12", "reason": "known", "expires": "2030-12-10"},
    {"check": "observability", "assertion": "labels", "owner": "ada", "ticket": HOSTILE, "reason": HOSTILE, "expires": "2030-12-10"},
    {"check": HOSTILE, "assertion": HOSTILE, "owner": HOSTILE, "ticket": HOSTILE, "reason": HOSTILE, "expires": HOSTILE},
    "no waiver",
]
PAST = {
    "run_id": "20301120T120000Z-0a1b2c",
    "finished": "2030-11-20T12:00:00.000Z",
    "open": True,
    "partial": True,
    "statuses": {"gateway_rbac": "pass", "observability": "fail"},
    "metrics": {"gateway_rbac": {HOSTILE: 0.5}, "observability": {"scrape_seconds": 1}},
}


def measured() -> dict[str, Any]:
    verdict = Verdict("observability", host="probe")
    verdict.expect("buckets straddle the SLO", False, reason_code="bucket-misses-slo", expected="0.5", observed="0.25")
    verdict.examine("metric families", 7)
    verdict.measure("scrape_seconds", 0.125)
    verdict.measure("families", 7)
    return verdict.to_dict()


def everything() -> dict[str, Any]:
    """A report with something of every kind in it, most of it hostile."""
    documents = [hostile_verdict(), measured(), verdict_of("trace_workflow", "pass"), verdict_of("tenant_isolation", "skip")]
    return report(
        {**registered(*documents), "second": {"sidecar_verdict_rbac": {"failed": True, "msg": HOSTILE}}},
        previous=[PAST],
        waivers=WAIVERS,
        waivers_file=HOSTILE,
        waivers_problem={"reason_code": "waivers-unreadable", "problem": HOSTILE, "action": HOSTILE},
        scope=Scope(limit=HOSTILE, groups={"sidecar_gateways": ()}),
        required=("gateway_rbac", "audit_pii"),
    )


def green() -> dict[str, Any]:
    return report(registered(verdict_of("gateway_rbac", "pass")))


class Page(HTMLParser):
    """What a browser would make of a page: its elements, attributes and visible text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.text += data


@pytest.mark.parametrize("document", [everything(), green(), report({})], ids=["everything", "green", "empty"])
def test_a_page_is_well_formed_and_needs_nothing_from_elsewhere(document: dict[str, Any]) -> None:
    source = html.render(document, TEMPLATES)
    page = Page(source)
    assert page.open == []
    assert source.lstrip().startswith("<!DOCTYPE html>")
    names = {name for name, _attributes in page.elements}
    assert not names & {"script", "img", "iframe", "object", "embed", "form", "base", "video", "audio", "foreignobject"}
    assert [name for name, _attributes in page.elements].count("h1") == 1
    assert not [name for _name, attributes in page.elements for name in attributes if name.startswith("on")]
    fetched = [
        value
        for _name, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "xlink:href", "data", "srcset")
    ]
    assert fetched == []
    assert {attributes["href"][:5] for name, attributes in page.elements if name == "link" and attributes["href"]} == {"data:"}
    assert "url(" not in source.replace("data:image", "")
    assert "@import" not in source
    policy = next(attributes["content"] for name, attributes in page.elements if attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_what_a_service_answered_is_text_on_the_page() -> None:
    page = Page(html.render(everything(), TEMPLATES, "https://docs.example.org/sidecar/"))
    assert page.text.count("<script>alert(1)</script>") > 20
    links = {attributes["href"] for name, attributes in page.elements if name == "a"}
    below = "https://docs.example.org/sidecar/"
    assert {link for link in links if link and not link.startswith("#")} == {
        "https://wiki.example.org/a?b=<c>",
        below + " ".join(HOSTILE.split()),
        *(f"{below}docs/runbooks/checks.md#{check}" for check in ("gateway_rbac", "observability", "trace_workflow", "tenant_isolation")),
    }


@pytest.mark.parametrize("reference", ["docs/a.md", "javascript:alert(1)", "http://[", "data:text/html,a", "file:///etc/passwd"])
def test_only_web_addresses_are_links_of_themselves(reference: str) -> None:
    verdict = {**verdict_of("gateway_rbac", "pass"), "references": [reference]}
    page = Page(html.render(report(registered(verdict)), TEMPLATES))
    assert reference in page.text
    assert {attributes["href"] for name, attributes in page.elements if name == "a"} == {"#gateway_rbac"}


def test_the_page_tells_all_there_is_to_tell() -> None:
    text = " ".join(Page(html.render(everything(), TEMPLATES)).text.split())
    for said in (
        "Gate closed",
        "staging is not fit to serve",
        "Partial",
        "Why the gate is closed",
        "not run",
        "no host in sidecar_gateways",
        "a route served without token or scope",
        "2 of 3 assertions do not hold",
        "1 assertion holds",
        "waived by OPS-12",
        "covers no failure now",
        "This run and the 1 before it",
        "between 0.125 and 1 in 2 runs",
        "observability: fail → ≈ waived",
        "ansible-core 2.19.0",
        "with changes not committed",
        "Next actions",
        "ansible-playbook verify.yml --tags x",
        "fill in what stands as …",
    ):
        assert said in text, said


def test_the_page_comes_in_the_order_it_is_read() -> None:
    page = Page(html.render(everything(), TEMPLATES))
    headings = [attributes["id"] for name, attributes in page.elements if name == "h2"]
    assert headings == ["why", "examined", "checks", "waivers", "history", "environment", "next", "again"]
    anchors = [
        attributes["id"]
        for _name, attributes in page.elements
        if attributes.get("id") in ("gateway_rbac", "trace_workflow", "tenant_isolation")
    ]
    assert anchors == ["gateway_rbac", "tenant_isolation", "trace_workflow"]


def test_a_link_to_a_check_leads_to_it() -> None:
    page = Page(html.render(everything(), TEMPLATES))
    anchors = [attributes["id"] for _name, attributes in page.elements if attributes.get("id")]
    assert len(anchors) == len(set(anchors))
    targets = {
        (attributes["href"] or "")[1:] for name, attributes in page.elements if name == "a" and str(attributes["href"]).startswith("#")
    }
    assert targets <= {*anchors, "audit_pii"}
    assert "gateway_rbac" in targets


def test_the_access_matrix_is_a_grid_with_the_broken_cell_marked() -> None:
    verdict = Verdict("gateway_rbac", host="probe")
    verdict.expect("GET /v1/traces with reader", False, reason_code="missing-scope-allowed")
    verdict.record(matrix={"GET /v1/models": {"nobody": 401, "reader": 200}, "GET /v1/traces": {"reader": 200, "odd": 500}}, other=1)
    part = verdict.to_dict()
    grid = view.grid(part)
    assert grid is not None
    assert grid.callers == ("nobody", "reader", "odd")
    assert [[(cell.status, cell.kind, cell.wrong) for cell in cells] for _route, cells in grid.rows] == [
        [("401", "denied", False), ("200", "allowed", False), ("", "other", False)],
        [("", "other", False), ("200", "allowed", True), ("500", "other", False)],
    ]
    page = html.render(report(registered(part)), TEMPLATES)
    assert len(re.findall(r'<td class="allowed wrong">', page)) == 1
    assert view.other_evidence(part) == {"other": 1}


@pytest.mark.parametrize("matrix", ["text", {}, {"route": "cut"}, {"route": {}}, ["a"]])
def test_a_matrix_that_is_none_is_shown_as_evidence(matrix: Any) -> None:
    part = {"evidence": {"matrix": matrix}, "assertions": []}
    assert view.grid(part) is None
    assert view.other_evidence(part) == {"matrix": matrix}


def test_markdown_says_gate_why_and_how_much_in_its_first_lines() -> None:
    lines = [line for line in markdown.render(everything(), TEMPLATES).splitlines() if line]
    assert lines[0].startswith("# GATE CLOSED (partial: --limit")
    assert lines[1].startswith("**gateway_rbac fail: ")
    assert "examined" in lines[2]


def test_markdown_keeps_hostile_text_as_text() -> None:
    rendered = (
        pytest.importorskip("markdown_it")
        .MarkdownIt("gfm-like", {"linkify": False, "html": True})
        .render(markdown.render(everything(), TEMPLATES))
    )
    page = Page(rendered)
    names = {name for name, _attributes in page.elements}
    assert not names & {"script", "img", "a"}
    assert page.text.count("<script>alert(1)</script><img src=x onerror=alert(2)>") > 20
    headings = re.findall(r"<h[123]>(.*?)</h", rendered)
    assert not [heading for heading in headings if heading.startswith("heading")]


def test_markdown_without_a_parser_at_hand_has_no_bare_angle_bracket_outside_code() -> None:
    text = markdown.render(everything(), TEMPLATES)
    outside = re.sub(r"(?s)(`{3,})json\n.*?\n\1|(?<!\\)(`+)(?!`).*?(?<!`)\2(?!`)", "", text)
    assert not re.search(r"(?<!\\)<", outside)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words, 0.5 s", "plain words, 0.5 s"),
        ("gateway_rbac keeps", "gateway_rbac keeps"),
        ("_emphasis_ *too*", r"\_emphasis\_ \*too\*"),
        ("a | b <c> [d](e) `f`", r"a \| b \<c\> \[d\](e) \`f\`"),
        ("1. first", r"1\. first"),
        ("12) second", r"12\) second"),
        ("- item", r"\- item"),
        ("# heading", r"\# heading"),
        ("two\nlines\n# here", "two lines # here"),
        ("0.579", "0.579"),
    ],
)
def test_markdown_escapes_what_would_mean_something(text: str, shown: str) -> None:
    assert markdown.escaped(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a", "`a`"), ("a`b", "``a`b``"), ("`a", "`` `a ``"), ("", ""), ({"a": [1]}, '`{"a": [1]}`'), (None, "`null`"), ("a\nb", "`a b`")],
)
def test_code_spans_hold_any_value(value: Any, shown: str) -> None:
    assert markdown.code(value) == shown


def test_a_fence_is_longer_than_any_in_its_text() -> None:
    assert markdown.block("a\n````\nb", "json") == "`````json\na\n````\nb\n`````"


@pytest.mark.parametrize(
    ("documents", "outcomes"),
    [
        pytest.param([verdict_of("gateway_rbac", "pass")], {"gate": None, "gateway_rbac": None}, id="pass"),
        pytest.param([verdict_of("gateway_rbac", "fail")], {"gate": "failure", "gateway_rbac": "failure"}, id="fail"),
        pytest.param([verdict_of("gateway_rbac", "error")], {"gate": "failure", "gateway_rbac": "error"}, id="error"),
        pytest.param([verdict_of("gateway_rbac", "inconclusive")], {"gate": "failure", "gateway_rbac": "error"}, id="inconclusive"),
        pytest.param([verdict_of("gateway_rbac", "skip")], {"gate": "failure", "gateway_rbac": "skipped"}, id="skip"),
        pytest.param([verdict_of("our_queue", "pass")], {"gate": "failure", "gateway_rbac": "error"}, id="required-not-run"),
        pytest.param([verdict_of("gateway_rbac", "pass")], {"gate": None, "observability": "skipped"}, id="not-required-not-run"),
        pytest.param(
            [verdict_of("gateway_rbac", "pass"), verdict_of("observability", "fail")],
            {"gate": None, "observability": "skipped"},
            id="waived",
        ),
    ],
)
def test_junit_outcomes(documents: list[dict[str, Any]], outcomes: dict[str, str | None]) -> None:
    root = ElementTree.fromstring(junit.render(report(registered(*documents), waivers=WAIVERS[:1])))
    found = {suite.get("name"): {child.tag for case in suite.iter("testcase") for child in case} for suite in root}
    for suite, outcome in outcomes.items():
        assert found[suite] == ({outcome} if outcome else set())


def test_a_control_that_did_not_hold_is_an_error_in_junit() -> None:
    verdict = Verdict("gateway_rbac")
    verdict.expect("holds", True, reason_code="broken")
    verdict.control("seen", False, reason_code="unseen")
    root = ElementTree.fromstring(junit.render(report(registered(verdict.to_dict()))))
    case = next(case for case in root.iter("testcase") if case.get("name") == "control: seen")
    assert [(outcome.tag, outcome.get("type")) for outcome in case] == [("error", "unseen")]


def test_junit_keeps_to_the_common_structure() -> None:
    root = ElementTree.fromstring(junit.render(everything()))
    assert root.tag == "testsuites"
    for number, suite in enumerate(root):
        assert [child.tag for child in suite if child.tag != "testcase"] == ["properties", "system-out", "system-err"]
        tags = [child.tag for child in suite]
        assert tags == ["properties", *["testcase"] * (len(tags) - 3), "system-out", "system-err"]
        cases = suite.findall("testcase")
        counts = {kind: sum(case.find(kind) is not None for case in cases) for kind in ("failure", "error", "skipped")}
        assert [int(suite.get(name, "-1")) for name in ("tests", "failures", "errors", "skipped")] == [len(cases), *counts.values()]
        assert (suite.get("id"), bool(suite.get("hostname"))) == (str(number), True)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp", ""))
        assert cases
        for case in cases:
            assert set(case.attrib) == {"name", "classname", "time"}
            assert float(case.get("time", "-1")) >= 0
            assert len(case) <= 1
            for outcome in case:
                assert outcome.get("message")
                assert (outcome.get("type") is not None) == (outcome.tag != "skipped")


def test_junit_holds_what_xml_cannot() -> None:
    verdict = Verdict("odd \x01 id")
    verdict.expect("null \x00 bell \x07 \ufffe", False, reason_code="broken", observed="\x1b[31m red")
    source = junit.render(report(registered(verdict.to_dict())))
    names = [case.get("name") for case in ElementTree.fromstring(source).iter("testcase")]
    assert "null \ufffd bell \ufffd \ufffd" in names


def test_junit_tells_hosts_apart() -> None:
    found = {host: {"sidecar_verdict_rbac": {"verdict": verdict_of("gateway_rbac", "fail", host=host)}} for host in ("a", "b")}
    names = [case.get("name") for case in ElementTree.fromstring(junit.render(report(found))).iter("testcase")]
    assert {f"the states only move forward [{host}]" for host in ("a", "b")} <= set(names)


@pytest.mark.parametrize("document", [everything(), green(), report({})], ids=["everything", "green", "empty"])
def test_the_exposition_passes_the_strict_parser(document: dict[str, Any]) -> None:
    exposition = prometheus.render(document)
    assert exposition.endswith("# EOF\n")
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }
    at = ("environment", "staging")
    assert samples["sidecar_gate_open", (at, ("question", "serve"))] == float(document["gate"]["open"])
    assert samples["sidecar_report_timestamp_seconds", (at,)] == 1921492800
    for check in document["checks"]:
        of = ("check", check["check"])
        statuses = {
            dict(labels)["status"]: value for (name, labels), value in samples.items() if name == "sidecar_check_status" and of in labels
        }
        assert set(statuses) == {*STATUSES, "not_run"}
        assert [status for status, value in statuses.items() if value] == [check["status"]]
        assert samples["sidecar_check_duration_seconds", (of, at)] == check["duration_ms"] / 1000
        for unit, count in check["examined"].items():
            assert samples["sidecar_check_examined", (of, at, ("unit", unit))] == count
        for name, value in check["metrics"].items():
            assert samples["sidecar_check_measurement", (of, at, ("name", name))] == value
    for check, absent in document["not_run"].items():
        key = ("sidecar_check_status", (("check", check), at, ("status", "not_run")))
        assert (key in samples) is absent["required"]


@law
@given(st.lists(st.one_of(st.none(), st.floats(-1e300, 1e300)), max_size=30))
def test_a_sparkline_stays_inside_its_box(values: list[float | None]) -> None:
    drawn = ElementTree.fromstring(charts.sparkline(values, HOSTILE))
    points = [tuple(map(float, point.split(","))) for line in drawn.iter("polyline") for point in line.get("points", "").split()]
    assert len(points) == sum(value is not None for value in values)
    assert all(0 <= across <= 140 and 0 <= down <= 28 for across, down in points)
    assert drawn.get("aria-label") == HOSTILE


def test_a_strip_has_a_glyph_for_each_mark_and_survives_any_text() -> None:
    marks = [charts.Mark(status, HOSTILE, status == "fail") for status in (*STATUSES, "not_run")]
    drawn = ElementTree.fromstring(charts.strip(marks, HOSTILE))
    assert [text.text for text in drawn.iter("text")] == [charts.GLYPHS[mark.status] for mark in marks]
    assert len(set(charts.GLYPHS.values())) == len(charts.GLYPHS)
    assert [cell.get("class") for cell in drawn.iter("g")][-2:] == ["fail partial", "not_run"]


@pytest.mark.parametrize(("fraction", "width"), [(0.5, "50.0"), (0, "0.0"), (7, "100.0"), (-1, "0.0")])
def test_a_bar_is_never_longer_than_its_track(fraction: float, width: str) -> None:
    drawn = ElementTree.fromstring(charts.duration_bar(fraction, "fail"))
    assert [rect.get("width") for rect in drawn] == ["100", width]


@pytest.mark.parametrize(("value", "shown"), [(0, "0 ms"), (999.4, "999 ms"), (1500, "1.5 s"), (180_000, "3.0 min")])
def test_durations(value: float, shown: str) -> None:
    assert view.duration(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(12345, "12,345"), (0.123456, "0.1235"), (1e-9, "1e-09"), (2.0, "2")])
def test_numbers(value: float, shown: str) -> None:
    assert view.number(value) == shown


def test_templates_name_nothing_that_is_not_there(tmp_path: Path) -> None:
    for module, name in ((html, "report.html.j2"), (markdown, "report.md.j2")):
        (tmp_path / name).write_text("{{ report.no_such_member }}")
        with pytest.raises(Exception, match="no_such_member"):
            module.render(green(), tmp_path)


def test_everything_is_everything() -> None:
    """The document the tests above rely on has each kind of thing in it."""
    document = json.loads(json.dumps(everything()))
    assert {check["status"] for check in document["checks"]} == {"fail", "waived", "pass", "skip"}
    assert {len(document[name]) > 0 for name in ("history", "changes", "next_actions", "not_run")} == {True}
    assert document["waivers"]["problem"]
    assert {waiver["state"] for waiver in document["waivers"]["in_force"]} == {"used", "unused"}
    assert document["waivers"]["refused"]
