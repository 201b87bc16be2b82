# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replicas against attach rate in reports: drawn as evidence has it, told in words too, and left alone where evidence is something else."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.report import capacity, html, markdown
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.capacity_plot import plot
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.report.documents import HOSTILE, TEMPLATES, registered, report
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.verdicts import law

RATES = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]


def curve(**changes: Any) -> dict[str, Any]:
    usual = {
        "basis": ["assumed"],
        "attach_rate": RATES,
        "optimistic": [0, 1, 2, 3, 4, 5, 6, 7, 8],
        "conservative": [0, 2, 4, 6, 8, 10, 12, 14, 16],
        "deployed": [2, 10],
        "recommended": [1, 8],
        "peak_attach_rate": 0.3,
        "attach_rate_at_saturation": {"optimistic": 1.0, "conservative": 0.5},
    }
    return {**usual, **changes}


def part(curves: Any) -> dict[str, Any]:
    verdict = Verdict("capacity_attach_rate", host="localhost")
    verdict.expect("the most replicas are enough", True, reason_code="capacity-max-too-small")
    verdict.examine("explainers", 1)
    verdict.record(replicas_by_attach_rate=curves, workload={"peak_chat_rate": 40})
    return verdict.to_dict()


def texts(drawn: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(drawn).iter("text")]


def test_the_plot_shows_both_curves_the_bounds_the_peak_and_the_saturation() -> None:
    (sizing,) = capacity.sizings(part({"explainer-cpu": curve()}))
    svg = ElementTree.fromstring(plot(sizing))
    shapes = [(element.tag, element.get("class")) for element in svg.iter()]
    for shape in (("polyline", "lean"), ("polyline", "safe"), ("polygon", "band"), ("line", "peak"), ("circle", "full")):
        assert shape in shapes
    assert shapes.count(("line", "bound")) == 2
    told = texts(plot(sizing))
    assert {"max 10", "min 2", "peak 30 %", "by the mean", "by the p95", "0 %", "80 %", "20"} <= set(told)
    assert svg.get("aria-label") == (
        "explainer-cpu: replicas needed by attach rate. Deployed 2 to 10, recommended 1 to 8; "
        "saturated at an attach rate of 50 %, declared peak 30 %"
    )
    # Where the p95's curve meets the upper bound.
    (mark,) = svg.iter("circle")
    safe = next(element for element in svg.iter("polyline") if element.get("class") == "safe")
    assert f"{mark.get('cx')},{mark.get('cy')}" in str(safe.get("points")).split()


def test_what_is_out_of_the_picture_is_not_drawn() -> None:
    (sizing,) = capacity.sizings(part({"e": curve(deployed=[3, 3], peak_attach_rate=0.9, attach_rate_at_saturation={"conservative": 1.4})}))
    svg = ElementTree.fromstring(plot(sizing))
    assert [element for element in svg.iter() if element.get("class") in ("peak", "full")] == []
    assert "always 3" in texts(plot(sizing))
    assert sizing.limit == "not saturated by any attach rate, declared peak 90 %"
    (idle,) = capacity.sizings(part({"e": curve(attach_rate_at_saturation={})}))
    assert idle.limit == "no load comes to it"


counts = st.lists(st.integers(0, 100_000), min_size=2, max_size=21)


@law
@given(counts, st.integers(0, 50_000), st.integers(0, 50_000), st.floats(0, 1), st.floats(0, 3), st.floats(1e-6, 1))
def test_nothing_is_drawn_outside_the_frame(safe: list[int], least: int, more: int, peak: float, saturation: float, reach: float) -> None:
    rates = [reach * step / (len(safe) - 1) for step in range(len(safe))]
    evidence = curve(
        attach_rate=rates,
        conservative=sorted(safe),
        optimistic=[count // 2 for count in sorted(safe)],
        deployed=[least, least + more],
        peak_attach_rate=peak,
        attach_rate_at_saturation={"conservative": saturation},
    )
    (sizing,) = capacity.sizings(part({"e": evidence}))
    svg = ElementTree.fromstring(plot(sizing))
    _left, _top, width, height = map(float, str(svg.get("viewBox")).split())
    for element in svg.iter():
        for name, limit in (
            ("x", width),
            ("x1", width),
            ("x2", width),
            ("cx", width),
            ("y", height),
            ("y1", height),
            ("y2", height),
            ("cy", height),
        ):
            assert 0 <= float(element.get(name) or 0) <= limit
        for across, down in re.findall(r"([^ ,]+),([^ ,]+)", element.get("points") or ""):
            assert 0 <= float(across) <= width
            assert 0 <= float(down) <= height
    assert len([element for element in svg.iter("text") if element.get("class") == "tick"]) <= 14


def test_both_reports_have_it_and_do_not_repeat_it_as_evidence() -> None:
    document = report(registered(part({"explainer-cpu": curve(), "explainer-gpu": curve(basis=["assumed", "measured"])})))
    page, text = html.render(document, TEMPLATES), markdown.render(document, TEMPLATES)
    assert page.count('class="capacity"') == 2
    assert "By assumed and measured service times." in page
    assert "replicas_by_attach_rate" not in page
    assert "peak_chat_rate" in page
    assert (
        "Replicas of explainer-cpu: deployed 2 to 10, recommended **1 to 8**, by assumed service times; saturated at an attach rate of 50 %"
        in text
    )
    assert "| 80 % | 8 | 16 |" in text


@pytest.mark.parametrize(
    "curves",
    [
        "text",
        {"e": "text"},
        {"e": {}},
        {"e": curve(optimistic=[1])},
        {"e": curve(attach_rate=[], optimistic=[], conservative=[])},
        {"e": curve(deployed=[1])},
        {"e": curve(deployed=["[redacted 1234]", 3])},
        {"e": curve(peak_attach_rate=-1)},
        {"e": curve(recommended=[True, 3])},
        {"e": curve(attach_rate_at_saturation=3)},
    ],
)
def test_evidence_of_another_shape_is_shown_as_it_is(curves: Any) -> None:
    document = report(registered(part(curves)))
    page = html.render(document, TEMPLATES)
    assert 'class="capacity"' not in page
    assert "replicas_by_attach_rate" in page
    markdown.render(document, TEMPLATES)


def test_names_in_evidence_stay_text() -> None:
    document = report(registered(part({HOSTILE[:200]: curve(basis=[HOSTILE])})))
    page = html.render(document, TEMPLATES)
    assert 'class="capacity"' in page
    assert "<script>" not in page
    assert "<img" not in page
    assert "<script>" not in re.sub(r"```.*?```", "", markdown.render(document, TEMPLATES), flags=re.S)
