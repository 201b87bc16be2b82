# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts of load runs: values lie where they belong, gaps stay gaps, and nothing leaves the frame, however odd the numbers."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.telling import told
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.course_plot import course_plot, course_rows
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.latency_plot import latency_plot
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.load_run import LoadRun, load_run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.scales import from_zero, latencies
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.synthetic import Stretch, measured, summary
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.verdicts import law

Series = dict[str, list[Any]]


def run_of(document: dict[str, Any]) -> LoadRun:
    run = load_run({"evidence": {"load": told(document)}})
    assert run
    return run


def with_series(columns: Series, *stretches: Stretch, **changes: Any) -> LoadRun:
    """A run whose chats took this course."""
    slots = len(columns["count"])
    document = summary(*(stretches or [Stretch(duration_s=max(slots, 1), rate_per_s=1)]), **changes)
    document["series"] = {"chat": {"width_s": 1.0, "starts_s": 0.0, **columns}}
    return run_of(document)


def course_of(run: LoadRun) -> Element:
    return fromstring(course_plot(run.courses[0], run))


def drawn(svg: Element, tag: str, kind: str) -> list[Element]:
    return [element for element in svg.iter(tag) if element.get("class") == kind]


def points(element: Element) -> list[tuple[float, float]]:
    return [(float(across), float(down)) for across, down in re.findall(r"([^ ,]+),([^ ,]+)", element.get("points") or "")]


def texts(svg: Element) -> list[str]:
    return [element.text or "" for element in svg.iter("text")]


def height_of(svg: Element, label: str) -> float:
    """Where on the axis a tick stands; texts hang four below their lines."""
    return next(
        float(str(element.get("y"))) - 4 for element in svg.iter("text") if element.text == label and element.get("text-anchor") == "end"
    )


def assert_within(svg: Element) -> None:
    width, height = map(float, str(svg.get("viewBox")).split()[2:])
    for element in svg.iter():
        for names, limit in ((("x", "x1", "x2", "cx"), width), (("y", "y1", "y2", "cy"), height)):
            for name in names:
                assert 0 <= float(element.get(name) or 0) <= limit, (element.tag, name)
        assert float(element.get("width") or 0) >= 0
        assert float(element.get("height") or 0) >= 0
        for across, down in points(element):
            assert 0 <= across <= width
            assert 0 <= down <= height


def latency_of(answers: list[float], slo_ms: float | None = 500.0) -> Element:
    document = summary(Stretch(duration_s=1))
    document["classes"] = {"chat": {"steady": measured(answers, 500.0, {})}}
    document["plan"]["slo_ms"] = {"chat": slo_ms} if slo_ms else {}
    run = run_of(document)
    return fromstring(latency_plot(run.charted[0], run.quantile, run.charted[0]))


def test_percentiles_lie_on_the_line_at_their_quantile_and_latency() -> None:
    svg = latency_of([float(number) for number in range(1, 1001)])
    (line,) = (element for element in drawn(svg, "polyline", "course first"))
    places = points(line)
    assert [down for _across, down in places] == sorted((down for _across, down in places), reverse=True), "a slower answer lies higher"
    marks = {
        str(mark.findtext("title")).partition(" (")[0]: (float(str(mark.get("cx"))), float(str(mark.get("cy"))))
        for mark in svg.iter("circle")
    }
    assert set(marks) == {"chat p50: 500 ms", "chat p95: 950 ms", "chat p99: 990 ms", "chat p99.9: 999 ms"}
    for across, down in marks.values():
        assert any(math.dist((across, down), place) < 0.5 for place in places)
    # Evenly between 90 % and 99 % lies 96.84 %; between 500 ms and 1 s lies 707 ms.
    ticks = {str(element.text): float(str(element.get("x"))) for element in svg.iter("text")}
    assert marks["chat p99: 990 ms"][0] == pytest.approx(ticks["99 %"], abs=0.2)
    nines = (ticks["99 %"] - ticks["90 %"], ticks["90 %"] - ticks["50 %"])
    assert nines[1] / nines[0] == pytest.approx(1 + math.log10(0.5), abs=0.01)
    assert marks["chat p50: 500 ms"][1] == pytest.approx(height_of(svg, "500 ms"), abs=0.2)
    assert svg.get("aria-label") == (
        "Latency by percentile in phase steady: chat p50 500 ms, p95 950 ms, p99 990 ms, p99.9 999 ms, objective p95 at most 500 ms"
    )


@pytest.mark.parametrize(("answers", "above"), [([100.0] * 100, False), ([900.0] * 100, True)], ids=["met", "missed"])
def test_the_line_passes_under_an_objective_that_is_met_and_over_one_that_is_not(answers: list[float], above: bool) -> None:
    svg = latency_of(answers)
    (gate,) = drawn(svg, "line", "gate first")
    (p95,) = [mark for mark in svg.iter("circle") if str(mark.findtext("title")).startswith("chat p95")]
    assert float(str(gate.get("x1"))) < float(str(p95.get("cx"))) < float(str(gate.get("x2")))
    assert (float(str(p95.get("cy"))) < float(str(gate.get("y1")))) is above
    assert "chat: p95 at most 500 ms" in [title.text for title in svg.iter("title")]


def test_without_an_objective_there_is_no_gate() -> None:
    svg = latency_of([10.0, 20.0], None)
    assert drawn(svg, "line", "gate first") == []
    assert not any("≤" in text for text in texts(svg))


def test_a_single_answer_is_a_mark_and_claims_no_percentile_beyond_the_median() -> None:
    svg = latency_of([12.5])
    assert [str(mark.findtext("title")).partition(" (")[0] for mark in svg.iter("circle")] == ["chat p50: 12.5 ms"]


def test_charts_of_one_run_have_the_same_axes() -> None:
    run = run_of(summary(Stretch("fast", duration_s=5), Stretch("slow", duration_s=5, slower=20)))
    alike = [one for group in run.charted for one in group]
    charts = [fromstring(latency_plot(group, run.quantile, alike)) for group in run.charted]
    ticks = [[(element.text, element.get("y")) for element in svg.iter("text") if element.get("class") == "tick"] for svg in charts]
    assert ticks[0] == ticks[1]
    assert len(charts) == 2


def test_a_course_has_values_where_they_belong() -> None:
    columns = {
        "count": [10, 20, 40],
        "exceeding": [0, 4, 20],
        "errors": [0, 4, 10],
        "p50_ms": [10.0, 20.0, 50.0],
        "p95_ms": [100.0, 200.0, 1000.0],
    }
    svg = course_of(with_series(columns))
    (median,), (tail,), (rate,) = (drawn(svg, "polyline", kind) for kind in ("median", "tail", "rate"))
    for line, labels in ((median, ("10 ms", "20 ms", "50 ms")), (tail, ("100 ms", "200 ms", "1 s"))):
        assert [down for _across, down in points(line)] == pytest.approx([height_of(svg, label) for label in labels], abs=0.2)
    assert points(rate)[1][1] == pytest.approx(height_of(svg, "20"), abs=0.2)
    middles = [across for across, _down in points(rate)]
    assert middles[1] - middles[0] == pytest.approx(middles[2] - middles[1], abs=0.11)
    failed, slow = drawn(svg, "rect", "failed"), drawn(svg, "rect", "slow")
    assert (len(failed), len(slow)) == (3, 2), "one of each is in the legend"
    tall = [float(str(column.get("height"))) for column in (*failed[1:], *slow[1:])]
    assert tall[1] / tall[0] == pytest.approx(10 / 4, rel=0.05)
    assert tall[2] == pytest.approx(tall[1], abs=0.11)
    titles = [str(slot.findtext("title")) for slot in drawn(svg, "rect", "slot")]
    assert titles[2] == "0:02 steady: p50 50 ms, p95 1 s, 40/s, 10 failed, 10 slow"
    assert svg.get("aria-label") == (
        "chat over 0:03: 70 requests ended, 14 failed, 10 slower than the objective; the highest p95 of a slot of 1 s is 1 s"
    )


def test_a_gap_stays_a_gap_and_a_lone_value_is_a_dot() -> None:
    columns = {"count": [1, 1, 0, 1, 0, 1, 1], "exceeding": [0] * 7, "errors": [0] * 7}
    p95 = [5.0, 6.0, None, 7.0, None, 8.0, 9.0]
    svg = course_of(with_series({**columns, "p50_ms": [None] * 7, "p95_ms": p95}))
    assert [len(points(line)) for line in drawn(svg, "polyline", "tail")] == [2, 2]
    assert len(drawn(svg, "circle", "alone tail")) == 1
    assert drawn(svg, "polyline", "median") == drawn(svg, "circle", "alone median") == []
    assert "none" in texts(svg), "nothing failed or was slow"


@pytest.mark.parametrize("slots", [0, 1])
def test_hardly_any_course_is_drawn_all_the_same(slots: int) -> None:
    columns = {"count": [3] * slots, "exceeding": [1] * slots, "errors": [0] * slots, "p50_ms": [4.0] * slots, "p95_ms": [4.0] * slots}
    svg = course_of(with_series(columns))
    assert len(drawn(svg, "circle", "alone rate")) == len(drawn(svg, "rect", "slot")) == slots
    assert_within(svg)


def test_phases_lie_behind_the_course_and_the_fault_stands_out() -> None:
    stretches = [
        Stretch("warmup", "warmup", 10),
        Stretch("before", duration_s=30),
        Stretch("during", duration_s=30),
        Stretch("after", duration_s=30),
    ]
    run = run_of(summary(*stretches))
    svg = course_of(run)
    bands = [element for element in svg.iter("rect") if str(element.get("class")).startswith("band")]
    assert [band.get("class") for band in bands] == ["band warmup", "band even", "band fault", "band even"]
    widths = [float(str(band.get("width"))) for band in bands]
    assert widths[2] == pytest.approx(3 * widths[0], abs=0.2)
    assert {"before", "during", "after"} <= set(texts(svg))


def test_the_plan_of_a_ramp_goes_from_the_rate_before_to_its_own() -> None:
    run = run_of(summary(Stretch("warmup", "warmup", 5, 10), Stretch("ramp", "ramp", 10, 40), Stretch(duration_s=5, rate_per_s=40)))
    svg = course_of(run)
    plans = [points(line) for line in drawn(svg, "polyline", "plan")]
    heights = [(plan[0][1], plan[1][1]) for plan in plans]
    assert heights[0][0] == heights[0][1] == heights[1][0] > heights[1][1] == heights[2][0] == heights[2][1]
    explained = fromstring(course_plot(run.courses[1], run))
    assert drawn(explained, "polyline", "plan") == [], "nothing is planned of when explanations end"


def test_an_interruption_is_marked_where_it_was() -> None:
    run = run_of(summary(Stretch(duration_s=100), ended_s=50.0, interrupted="SIGINT"))
    svg = course_of(run)
    assert "interrupted: SIGINT" in texts(svg)
    assert len(drawn(svg, "line", "ended")) == 1
    assert drawn(course_of(run_of(summary(Stretch(duration_s=5)))), "line", "ended") == []


def test_a_course_in_numbers_adds_up() -> None:
    run = run_of(summary(Stretch(duration_s=100, tail=0.1, errors={"timeout": 0.05})))
    course = run.courses[0]
    rows = course_rows(course)
    assert len(rows) <= 12
    assert sum(row.count for row in rows) == sum(course.count)
    assert (sum(row.failed for row in rows), sum(row.slow for row in rows)) == (sum(course.errors), sum(course.slow))
    assert max(row.p95_ms or 0 for row in rows) == max(value or 0 for value in course.p95_ms)
    assert [row.since_s for row in rows] == [9.0 * place for place in range(12)]


slot = st.tuples(
    st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**12), st.none() | st.floats(0, 9e14), st.none() | st.floats(0, 9e14)
)


@law
@given(st.lists(slot, max_size=300), st.floats(0.001, 9e14), st.floats(0, 9e14), st.sampled_from([None, "SIGTERM", "x" * 300]))
def test_no_course_leaves_its_frame(slots: list[Any], slo_ms: float, rate: float, interrupted: str | None) -> None:
    columns = dict(zip(("count", "exceeding", "errors", "p50_ms", "p95_ms"), map(list, zip(*slots) if slots else [[]] * 5)))
    run = with_series(
        columns, Stretch("long" * 40, duration_s=7, rate_per_s=1), Stretch("b", "ramp", 700, 0), interrupted=interrupted, ended_s=9
    )
    course = run.courses[0]
    object.__setattr__(course, "slo_ms", slo_ms)
    object.__setattr__(run.phases[0], "rate_per_s", rate)
    svg = course_of(run)
    assert_within(svg)
    assert len([text for text in svg.iter("text") if text.get("class") == "tick"]) <= 30


@law
@given(st.lists(st.floats(0, 3.6e9), min_size=1, max_size=50), st.floats(0.001, 1e12))
def test_no_latency_leaves_its_frame(answers: list[float], slo_ms: float) -> None:
    svg = latency_of(answers, slo_ms)
    assert_within(svg)
    assert 1 <= len([text for text in svg.iter("text") if text.get("class") == "tick"]) <= 20


@pytest.mark.parametrize(
    ("values", "low", "high", "ticks"),
    [
        ([], 1.0, 2.0, [1, 2]),
        ([0.0], 0.001, 0.002, [0.001, 0.002]),
        ([3.0, 80.0], 2.0, 100.0, [2, 5, 10, 20, 50, 100]),
        ([100.0, 100.0], 100.0, 200.0, [100, 200]),
        ([0.5, 4e5], 0.5, 5e5, [1, 10, 100, 1000, 10_000, 100_000]),
    ],
)
def test_latencies_have_round_ticks(values: list[float], low: float, high: float, ticks: list[float]) -> None:
    scale = latencies(values, 160.0, 40.0)
    assert (scale.low, scale.high) == pytest.approx((low, high))
    assert list(scale.ticks) == pytest.approx(ticks)
    assert (scale.at(low), scale.at(high)) == pytest.approx((160.0, 40.0))
    assert scale.at(high * 1000) == pytest.approx(40.0)


@pytest.mark.parametrize(("highest", "ticks"), [(0.0, 2), (0.3, 4), (7.0, 3), (100.0, 3), (1e14, 3)])
def test_counts_have_round_ticks_from_zero(highest: float, ticks: int) -> None:
    scale = from_zero(highest, 10.0, 0.0, 2)
    assert scale.ticks[0] == 0
    assert scale.high >= highest
    assert len(scale.ticks) <= ticks
