# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load runs in reports: what evidence tells of them is in both, bounded, and left alone where evidence is something else."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.telling import packed, told
from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import MAX_ITEMS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report import html, load_words, markdown
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.load_run import LoadRun, load_run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.synthetic import Stretch, generator, summary
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.report.documents import HOSTILE, TEMPLATES, registered, report

WARMUP = Stretch("warmup", "warmup", 5)
STEADY = summary(WARMUP, Stretch(duration_s=30, tail=0.03, errors={"timeout": 0.01, "status_5xx": 0.02}))
FAULT = summary(
    WARMUP,
    Stretch("before", duration_s=20),
    Stretch("during", duration_s=20, slower=3, errors={"status_5xx": 0.2}),
    Stretch("after", duration_s=20),
)


def judgement(name: str = "chat", phase: str = "steady", **changes: Any) -> dict[str, Any]:
    usual = {
        "class": name,
        "phase": phase,
        "n": 1500,
        "effective_n": 612.4,
        "exceeding": 90,
        "bound_low": 0.0512,
        "bound_high": 0.0731,
        "verdict": "fail",
    }
    return {**usual, **changes}


def change(**changes: Any) -> dict[str, Any]:
    usual = {
        "class": "chat",
        "phase": "steady",
        "quantile": 0.95,
        "before_ms": 231.0,
        "after_ms": 302.6,
        "change": 0.31,
        "low": 0.25,
        "high": 0.37,
    }
    return {**usual, **changes}


def part(load: Any = None, **evidence: Any) -> dict[str, Any]:
    verdict = Verdict("slo_adherence", host="probe")
    verdict.expect("objectives are met", True, reason_code="slo-missed")
    verdict.examine("requests", 1)
    verdict.record(load=told(STEADY) if load is None else load, seed=4711, **evidence)
    return verdict.to_dict()


def run_of(document: dict[str, Any], **evidence: Any) -> LoadRun:
    run = load_run(part(told(document), **evidence))
    assert run
    return run


def rendered(document: dict[str, Any]) -> tuple[str, str]:
    whole = report(registered(document), required=("slo_adherence",))
    return html.render(whole, TEMPLATES), markdown.render(whole, TEMPLATES)


def visible(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_both_reports_tell_of_it_and_do_not_repeat_it_as_evidence() -> None:
    page, text = rendered(part(judged=[judgement()], comparison=[change()]))
    chat = STEADY["classes"]["chat"]["steady"]
    assert (page.count('class="latency"'), page.count('class="course"')) == (1, 3)
    assert not re.search(r"<dt>(load|judged|comparison)</dt>", page)
    assert "<dt>seed</dt>" in page
    for said in (visible(page), text.replace("\\+", "+")):
        assert "open loop at 50/s from 1 generator, 35 s planned" in said
        assert load_words.latency(chat["latency_ms"]["p95"]) in said
        assert load_words.interval(tuple(chat["intervals_ms"]["p95"])) in said
        assert f"{chat['errors']['status_5xx']} status" in said
        assert "5.12 % to 7.31 %" in said
        assert "+31 %" in said
        assert "+25 % to +37 %" in said
        assert "slower" in said
        assert "chat p95 ≤ 500 ms, sentence p95 ≤ 2 s, token p95 ≤ 8 s" in said
        assert "gen-1" in said
    assert "worth 612" in visible(page)
    assert "✕ fail" in text
    assert "| chat | warmup |  |" in text, "the warm-up is not judged"


def test_before_during_and_after_a_fault_stand_side_by_side() -> None:
    page, text = rendered(part(told(FAULT)))
    before, during = (FAULT["classes"]["chat"][phase] for phase in ("before", "during"))
    assert "Before, during and after the fault" in page
    times = during["latency_ms"]["p95"] / before["latency_ms"]["p95"]
    row = next(line for line in text.splitlines() if line.startswith("| chat |") and "times" in line)
    assert f"{load_words.latency(during['latency_ms']['p95'])} {times:.2f} times |" in row
    assert f"| {during['exceeding'] / during['count'] * 100:.3g} % |" in row
    assert page.count('class="latency"') == 3
    assert "Before, during and after" not in rendered(part())[0]


def test_a_phase_that_nobody_measured_has_no_place_beside_a_fault() -> None:
    document = copy.deepcopy(FAULT)
    del document["classes"]["token"]["after"]
    assert [name for name, _measured in run_of(document).buckets] == ["chat", "sentence"]


def test_several_faults_stand_each_with_its_own_before_and_after() -> None:
    parts = [Stretch(f"{fault}: {part}", duration_s=20) for fault in ("slow-sae", "drop-s3") for part in ("before", "during", "after")]
    document = summary(WARMUP, *parts)
    during = next(phase for phase in document["plan"]["phases"] if phase["name"] == "slow-sae: during")
    during["windows"] = [[25.0, 35.0], [50.0, 60.0]]
    run = run_of(document)
    assert [name for name, _measured in run.buckets] == [
        f"{fault}: {name}" for fault in ("slow-sae", "drop-s3") for name in ("chat", "sentence", "token")
    ]
    phase = next(phase for phase in run.phases if phase.name == "slow-sae: during")
    assert (phase.fault, phase.bucket, phase.ends_s) == ("slow-sae", 1, 60.0)
    assert [phase.has(moment) for moment in (24.9, 25.0, 40.0, 50.0, 60.0)] == [False, True, False, True, False]
    page, text = rendered(part(told(document)))
    assert page.count('class="band fault"') == 3 * 3, "two windows of one fault and one of the other, in each class"
    assert [
        group[0].phase for group in run_of(summary(*parts[:4], Stretch("drop-s3: during", duration_s=20, errors={"reset": 0.5}))).charted
    ] == [
        "drop-s3: before",
        "drop-s3: during",
    ]
    assert page.count(">slow-sae</text>") == 3, "its name reaches over both its windows"
    assert "| slow-sae: chat |" in text and "| drop-s3: token |" in text


def test_an_interruption_is_told_first_and_rates_reckon_with_it() -> None:
    run = run_of(summary(WARMUP, Stretch(duration_s=600, rate_per_s=40), ended_s=25.0, interrupted="SIGTERM"))
    assert load_words.headline(run) == "open loop at 40/s from 1 generator, 10 min 5 s planned, interrupted after 25 s: SIGTERM"
    steady = next(measured for measured in run.measured if (measured.name, measured.phase) == ("chat", "steady"))
    assert steady.seconds == 20.0
    assert steady.rate == pytest.approx(40)


def test_a_generator_that_did_not_keep_up_comes_first_with_its_problems() -> None:
    sick = generator("gen-2", healthy=False, problems=["its loop was late", "its clock is off"], clock_offset_ms=None)
    page, text = rendered(part(told({**STEADY, "generators": [generator(), sick]})))
    assert page.index(">gen-2<") < page.index(">gen-1<")
    assert "✕ no its loop was late its clock is off" in visible(page)
    assert "| gen-2 | no: its loop was late; its clock is off |" in text
    assert "| gen-1 | yes |" in text


def test_of_many_phases_the_first_the_worst_and_the_last_are_told_at_once() -> None:
    stretches = [Stretch(f"segment-{number}", duration_s=2, errors={"timeout": 0.5} if number == 7 else {}) for number in range(20)]
    document = summary(*stretches)
    run = run_of(document)
    assert [group[0].phase for group in run.charted] == ["segment-0", "segment-7", "segment-19"]
    assert {measured.phase for measured in run.highlights} == {"segment-0", "segment-7", "segment-19"}
    page, text = rendered(part(told(document)))
    assert "All 60 classes and phases in numbers" in page
    assert "report.html has all 60 rows" in text
    assert page.count('class="latency"') == 3


def test_a_long_judgement_may_be_packed_and_one_that_was_cut_is_not_called_complete() -> None:
    document = summary(*(Stretch(f"segment-{number}", duration_s=1) for number in range(MAX_ITEMS // 2)))
    rows = [judgement(name, f"segment-{number}") for number in range(MAX_ITEMS // 2) for name in ("chat", "sentence", "token")]
    whole = run_of(document, judged=packed(rows))
    assert whole.judged_in_full
    assert all(measured.bound for measured in whole.measured)
    cut = run_of(document, judged=rows)
    assert not cut.judged_in_full
    assert "not told" in rendered(part(told(document), judged=rows))[0]


def test_a_warm_up_is_drawn_only_where_there_is_nothing_else() -> None:
    assert [group[0].phase for group in run_of(STEADY).charted] == ["steady"]
    assert [group[0].phase for group in run_of(summary(WARMUP)).charted] == ["warmup"]


def test_nothing_that_ended_well_is_no_reason_to_hide_the_failures() -> None:
    document = summary(Stretch(duration_s=5, errors={"connect": 1.0}))
    page, text = rendered(part(told(document)))
    assert page.count('class="latency"') == 0
    assert page.count('class="course"') == 3
    assert "250 connect" in text
    assert "| 100 % |" in text


def test_a_run_without_a_single_request_is_told_all_the_same() -> None:
    document = summary(Stretch(duration_s=5, rate_per_s=0.0), ended_s=0.5, interrupted="SIGINT")
    page, _text = rendered(part(told(document)))
    assert "interrupted after 0.5 s: SIGINT" in page
    assert 'class="course"' not in page


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ((), "text"),
        (("phases",), None),
        (("phases", 0, "starts_s"), "soon"),
        (("phases", 0, "duration_s"), -1),
        (("run",), {}),
        (("quantile",), "[redacted 1234]"),
        (("classes",), ["chat"]),
        (("classes", "chat", "steady", "count"), True),
        (("classes", "chat", "steady", "curve"), [[1.0, 3.0]]),
        (("classes", "chat", "steady", "curve"), [[0.5]]),
        (("classes", "chat", "steady", "intervals_ms", "p95"), [1]),
        (("classes", "chat", "steady", "errors"), ["timeout"]),
        (("series", "chat", "count"), [[1], "… 3 more"]),
        (("series", "chat", "p50_ms"), [[1.0]]),
        (("series", "chat", "width_s"), 0),
        (("traces", "accepted"), float("1e300")),
        (("generators", 0), "gen-1"),
        (("generators", 0, "problems"), None),
    ],
    ids=str,
)
def test_evidence_of_another_shape_is_shown_as_it_is(where: tuple[Any, ...], value: Any) -> None:
    load: Any = {"load": told(STEADY)}
    at, last = load, "load"
    for step in where:
        at, last = at[last], step
    at[last] = value
    document = part(load["load"])
    assert load_run(document) is None
    page, _text = rendered(document)
    assert 'class="course"' not in page
    assert "<dt>load</dt>" in page


@pytest.mark.parametrize(
    "evidence",
    [
        {"judged": {"chat": 1}},
        {"judged": [{}]},
        {"judged": [judgement(failing_segments=[{"from_s": 1}])]},
        {"comparison": [change(before_ms="x")]},
        {"comparison": "text"},
    ],
)
def test_judgements_of_another_shape_are_shown_as_they_are(evidence: dict[str, Any]) -> None:
    assert load_run(part(**evidence)) is None
    assert f"<dt>{next(iter(evidence))}</dt>" in rendered(part(**evidence))[0]


def test_texts_in_evidence_stay_text() -> None:
    stretches = (Stretch(HOSTILE[:150], duration_s=5, errors={HOSTILE[:100]: 0.2}), Stretch("<b>during</b>", "<i>", 5))
    document = summary(*stretches, interrupted=HOSTILE, generators=[generator(HOSTILE, healthy=False, problems=[HOSTILE], loop=HOSTILE)])
    document["classes"] = {HOSTILE: document["classes"]["chat"], **document["classes"]}
    document["series"] = {HOSTILE: document["series"]["chat"], **document["series"]}
    document["plan"].update(model=HOSTILE, granularity=HOSTILE)
    hostile = {"class": HOSTILE, "phase": HOSTILE[:150], "verdict": '"><script>'}
    page, text = rendered(part(told(document), judged=[judgement(**hostile)], comparison=[change(**{"class": HOSTILE})]))
    assert page.count('class="course"') == 4
    assert "<script" not in page
    assert "<img" not in page
    assert not re.search(r"(?<!\\)<(script|img|b>|i>)", re.sub(r"```.*?```", "", text, flags=re.S))


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (None, "-"),
        (0, "0 ms"),
        (0.0123, "0.012 ms"),
        (0.999, "1.00 ms"),
        (9.876, "9.88 ms"),
        (99.94, "99.9 ms"),
        (99.96, "100 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (2000, "2 s"),
        (3_600_000, "3,600 s"),
    ],
)
def test_a_latency_has_the_unit_that_suits_it(milliseconds: float | None, said: str) -> None:
    assert load_words.latency(milliseconds) == said


def test_intervals_and_durations_in_words() -> None:
    assert load_words.interval(None) == ""
    assert load_words.interval((120.4, 131.9)) == "120 to 132 ms"
    assert load_words.interval((900.0, 1100.0)) == "900 ms to 1.10 s"
    assert [load_words.seconds(value) for value in (0.25, 90, 120, 130, 7199, 7200, 9060, 259_200)] == [
        "0.25 s",
        "90 s",
        "2 min",
        "2 min 10 s",
        "119 min 59 s",
        "2 h",
        "2 h 31 min",
        "72 h",
    ]
    assert [load_words.signed_percent(value) for value in (0.31, -0.154, 0.0)] == ["+31 %", "-15.4 %", "±0 %"]
    assert [load_words.quantile_name(value) for value in (0.5, 0.95, 0.999)] == ["p50", "p95", "p99.9"]


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.25, 0.37, "slower"),
        (-0.2, -0.1, "faster"),
        (-0.05, 0.05, "alike"),
        (0.0, 0.1, "alike"),
        (0.1, None, "slower"),
        (None, -0.1, "faster"),
        (None, None, "alike"),
    ],
)
def test_a_change_is_one_only_where_its_interval_excludes_none(low: float | None, high: float | None, says: str) -> None:
    assert run_of(STEADY, comparison=[change(low=low, high=high)]).changes[0].direction == says


def test_a_percentile_of_requests_that_fail_is_told_as_that() -> None:
    rows = [change(after_ms=float("inf"), change=float("inf"), low=0.4, high=None), change(phase="late", low=0.1, high=None)]
    document = part(comparison=rows)
    run = load_run(document)
    assert run
    assert [row.direction for row in run.changes] == ["failing", "slower"]
    page, text = rendered(document)
    assert "✕ failing" in visible(page)
    assert "+10 % to open" in visible(page)
    assert r"| chat | steady | p95 | 231 ms | \- | - |  | failing |" in text


def test_a_stretch_that_fails_by_itself_is_named() -> None:
    judged = [judgement(bound_low=0.01, bound_high=0.02, failing_segments=[{"from_s": 60.0, "to_s": 90.0, "rate": 0.234}])]
    page, text = rendered(part(judged=judged))
    assert "1 % to 2 % 60 s to 90 s: 23.4 %" in visible(page)
    assert "1 % to 2 %; 60 s to 90 s: 23.4 %" in text
