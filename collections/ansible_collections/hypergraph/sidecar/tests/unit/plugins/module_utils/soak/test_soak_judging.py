# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A soak that is level passes; what rises, breaks off, or is missing is told by its own code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ansible_collections.hypergraph.sidecar.plugins.module_utils.soak.curves import ERRORS, Curve, steady_p95
from ansible_collections.hypergraph.sidecar.plugins.modules.soak_check import main as check
from ansible_collections.hypergraph.sidecar.plugins.modules.soak_plan import main as make_plan
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.summaries import phase, summary
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.soak.soaked import soak
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

SCHEMA = Path(__file__).parents[5] / "docs/schemas/soak-summary-1.json"


def judged(directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, **told: Any) -> dict[str, Any]:
    arguments = {"directory": str(directory), "correlation_seconds": 0.5, **told}
    return run_main(check, arguments, monkeypatch, capsys)["verdict"]


def test_a_level_soak_passes_and_leaves_its_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    directory = soak(tmp_path / "night", generators=("one", "two"))
    verdict = judged(directory, monkeypatch, capsys)
    assert verdict["status"] == "pass", verdict["reason"]
    assert verdict["examined"] == {"segments": 10, "requests": 24000, "curves": 4}
    document = json.loads((directory / "soak_summary.json").read_bytes())
    Draft202012Validator(json.loads(SCHEMA.read_bytes())).validate(document)
    assert [row["summaries"] for row in document["segments"]][3] == ["0004/one.json", "0004/two.json"]
    assert {row["requests"] for row in document["segments"]} == {2400}
    assert document["segments"][0]["memory_bytes"] == {"explainer": 50e6}
    assert [curve["kind"] for curve in document["trends"]] == ["p95_ms", "errors", "memory_bytes", "queue_lag_s"]


@pytest.mark.parametrize(
    ("behaviour", "code", "said"),
    [
        ({"memory": lambda sample: 50e6 + 1.5e6 * sample + 1e5 * (sample % 3)}, "soak-memory-rises", "resident memory of explainer"),
        ({"lag": lambda sample: 0.3 * sample + 0.1 * (sample % 3)}, "soak-queue-rises", "queue lag seen by explainer"),
        ({"speed": lambda segment: 1.0 if segment > 8 else 1.5 - segment / 16}, "soak-p95-rises", "p95 of chat"),
        ({"failed": lambda segment: 0.004 * segment}, "soak-errors-rise", "share of requests that fail"),
        ({"slow": lambda _segment: 0.12}, "slo-broken", "chat over the whole soak"),
        ({"slow": lambda segment: 0.12 if segment == 4 else 0.0}, "slo-broken-in-segment", "in segment 0005; 1 of 10 segments fail"),
    ],
)
def test_what_rises_or_breaks_has_its_own_code(
    behaviour: dict[str, Any], code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    verdict = judged(soak(tmp_path / "night", **behaviour), monkeypatch, capsys)
    failing = [one["reason_code"] for one in verdict["assertions"] if not one["ok"]]
    assert (verdict["status"], failing) == ("fail", [code]), verdict["reason"]
    assert said in verdict["reason"]


def explained(directory: Path, segments: Sequence[str], measured: Sequence[Any]) -> None:
    """Let the plan of these segments ask for sentences, of which a minute was measured as given, or nothing."""
    for name in segments:
        path = directory / name / "one.json"
        document = json.loads(path.read_text())
        document["plan"] |= {"attach_rate": 0.3, "granularity": "sentence"}
        document["classes"] |= summary({"sentence": {"steady": measured}})["classes"] if measured else {}
        path.write_text(json.dumps(document))


def test_a_segment_that_fails_is_named_also_where_others_have_nothing_of_its_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    directory = soak(tmp_path / "night")
    explained(directory, ["0003", "0004", *(f"{number:04}" for number in range(6, 11))], [[100.0] * 20] * 60)
    explained(directory, ["0005"], [[100.0] * 16 + [9000.0] * 4] * 60)
    verdict = judged(directory, monkeypatch, capsys)
    assert verdict["reason_code"] == "slo-broken-in-segment"
    assert "in segment 0005; 1 of 8 segments fail" in verdict["reason"]


def test_explanations_that_were_asked_for_and_never_came_are_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    directory = soak(tmp_path / "night")
    explained(directory, ["0003"], [])
    verdict = judged(directory, monkeypatch, capsys)
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "class-not-measured")
    assert "sentence" in verdict["reason"]


def test_what_a_spike_leaves_behind_is_in_the_curve_of_the_p95(tmp_path: Path) -> None:
    phases = {"steady-1": [[100.0] * 20] * 30, "spike-1": [[4000.0] * 60] * 5, "steady-2": [[100.0] * 10 + [300.0] * 10] * 30}
    planned = [phase(name, starts_s=30.0 * place) for place, name in enumerate(phases)]
    found = steady_p95(summary({"chat": phases}, phases=planned), "chat")
    assert found == pytest.approx(300.0, rel=0.001)
    assert steady_p95(summary({"chat": {"steady-1": [["timeout"]] * 30, "spike-1": [[100.0]] * 5}}, phases=planned[:2]), "chat") is None


def test_a_share_rises_by_no_more_than_all_of_it() -> None:
    values = (0.0, 0.9, 0.1, 1.0, 0.0, 0.4, 0.8, 0.1)
    curve = Curve(ERRORS, "share of requests that fail", tuple(20.0 * place for place in range(8)), values, 0.01, False, 160.0)
    found = curve.found(0.95)
    assert found is not None and found.high_per_hour * 160 / 3600 > 1
    low, high = curve.rise(found)
    assert -1 <= low < 0 < high == 1
    assert curve.verdict(0.95) == "inconclusive"


@pytest.mark.parametrize(
    ("behaviour", "code", "said"),
    [
        ({"count": 5}, "too-few-samples", "5 of 8 samples needed"),
        ({"problems": ("it was late",)}, "generator-unhealthy", "it was late"),
        ({"process_start": lambda segment: 1.0 if segment < 6 else 2.0}, "process-restarted", "explainer was started anew"),
        ({"memory": lambda sample: 50e6 + 40e6 * (sample * 7919 % 13)}, "trend-undecided", "resident memory of explainer"),
    ],
)
def test_what_cannot_be_told_is_inconclusive(
    behaviour: dict[str, Any], code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    verdict = judged(soak(tmp_path / "night", **behaviour), monkeypatch, capsys)
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", code), verdict["reason"]
    assert said in verdict["reason"]


@pytest.mark.parametrize("harm", ["gone", "cut", "interrupted", "unsampled", "other objectives"])
def test_a_segment_that_is_not_whole_is_driven_again_and_until_then_nothing_passes(
    harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    directory = soak(tmp_path / "night")
    spoiled = directory / "0003/one.json"
    if harm == "gone":
        spoiled.unlink()
    elif harm == "cut":
        spoiled.write_text(spoiled.read_text()[:400])
    elif harm == "interrupted":
        document = json.loads(spoiled.read_text())
        spoiled.write_text(json.dumps({**document, "run": {**document["run"], "interrupted": "SIGTERM"}}))
    elif harm == "other objectives":
        document = json.loads(spoiled.read_text())
        spoiled.write_text(json.dumps({**document, "plan": {**document["plan"], "slo_ms": {**document["plan"]["slo_ms"], "chat": 900.0}}}))
    else:
        (directory / "0003/samples.json").write_text("[]")
    verdict = judged(directory, monkeypatch, capsys)
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "soak-incomplete")
    assert "1 of 10 segments are not whole (0003:" in verdict["reason"]
    told = {"directory": str(tmp_path), "id": "night", "environment": "staging", "generators": ["one"], "rate": 20, "segments": 10}
    again = run_main(make_plan, {**told, "segment_seconds": 100}, monkeypatch, capsys)
    assert [segment["name"] for segment in again["segments"]] == ["0003"]
    assert again["msg"] == "9 of 10 segments are whole, 1 to be driven"
    assert not (directory / "soak_summary.json").exists(), "what was said of the soak is not said of what is driven now"


def test_a_soak_goes_on_only_with_the_plan_it_was_begun_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    told = {"directory": str(tmp_path), "id": "night", "generators": ["one"], "rate": 20, "segments": 9}
    first = run_main(make_plan, told, monkeypatch, capsys)
    assert (first["changed"], len(first["segments"])) == (True, 9)
    assert run_main(make_plan, told, monkeypatch, capsys)["whole"] == 0
    other = run_main(make_plan, {**told, "profile": "heavy"}, monkeypatch, capsys)
    assert (other["failed"], other["reason_code"]) == (True, "soak-differs")
    assert "profile was 'default', is 'heavy'" in other["msg"]
    tightened = run_main(make_plan, {**told, "slo_ms": {"chat": 200}}, monkeypatch, capsys)
    assert (tightened["failed"], tightened["reason_code"]) == (True, "soak-differs")
    assert "'chat': 500.0" in tightened["msg"]
    wrong = run_main(make_plan, {**told, "rate": 0}, monkeypatch, capsys)
    assert (wrong["failed"], wrong["reason_code"]) == (True, "bad-argument")


def test_in_check_mode_no_plan_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    told = {"directory": str(tmp_path), "id": "night", "generators": ["one"], "rate": 20, "_ansible_check_mode": True}
    assert len(run_main(make_plan, told, monkeypatch, capsys)["segments"]) == 12
    assert not (tmp_path / "night").exists()


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("{", "expected the plan"), ('{"schema": "x"}', "not of schema")])
def test_a_directory_that_is_no_soak_is_an_error(
    content: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    if content is not None:
        (tmp_path / "plan.json").write_text(content)
    verdict = judged(tmp_path, monkeypatch, capsys)
    assert (verdict["status"], verdict["reason_code"]) == ("error", "soak-unreadable")
    assert said in verdict["reason"]
    assert judged(tmp_path, monkeypatch, capsys, max_memory_rise=-1)["reason_code"] == "bad-argument"


def test_without_a_whole_segment_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    directory = soak(tmp_path / "night", count=1)
    (directory / "0001/one.json").unlink()
    verdict = judged(directory, monkeypatch, capsys)
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "no-load-run")


def test_memory_that_fills_once_while_it_settles_is_no_leak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    verdict = judged(soak(tmp_path / "night", memory=lambda sample: 50e6 if sample < 3 else 95e6), monkeypatch, capsys)
    assert verdict["status"] == "pass", verdict["reason"]


def test_a_night_between_two_segments_bends_no_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    directory = soak(tmp_path / "night", memory=lambda sample: 50e6 + 1e5 * sample)
    rises = []
    for idle_s in (0, 12 * 3600):
        path = directory / "0009/samples.json"
        document = json.loads(path.read_text())
        document["samples"] = [{**sample, "at": sample["at"] + idle_s} for sample in document["samples"]]
        path.write_text(json.dumps(document))
        told = judged(directory, monkeypatch, capsys)["evidence"]["soak"]["curves"][0]
        rises.append(next(curve["rise"] for curve in told if curve["kind"] == "memory_bytes"))
    assert rises[0] == pytest.approx(rises[1])


def test_a_segment_driven_again_at_the_end_counts_as_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    directory = soak(tmp_path / "night")
    path = directory / "0002/one.json"
    document = json.loads(path.read_text())
    document["run"]["started_at"] = "2030-01-01T00:00:00Z"
    path.write_text(json.dumps(document))
    samples = directory / "0002/samples.json"
    watched = json.loads(samples.read_text())
    watched["samples"] = [{**sample, "memory_bytes": 51e6} for sample in watched["samples"]]
    samples.write_text(json.dumps(watched))
    told = judged(directory, monkeypatch, capsys)["evidence"]["soak"]["curves"][0]
    (memory,) = (curve for curve in told if curve["kind"] == "memory_bytes")
    assert memory["values"][0][-2:] == [51e6, 51e6]


def test_a_service_that_was_not_seen_in_every_segment_is_not_taken_for_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    directory = soak(tmp_path / "night")
    for name in ("0004", "0005"):
        path = directory / name / "samples.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "samples": []}))
    verdict = judged(directory, monkeypatch, capsys)
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "samples-missing")
    assert "explainer in 2 (0004, 0005)" in verdict["reason"]


@pytest.mark.parametrize(
    ("samples", "skip_classes"),
    [
        ({"endpoints": [], "samples": []}, ["disabled_by_config"]),
        (
            {
                "endpoints": ["explainer"],
                "samples": [
                    {
                        "at": 1.0,
                        "endpoint": "explainer",
                        "memory_bytes": None,
                        "queue_lag_s": None,
                        "queue_depth": None,
                        "process_start": None,
                    }
                ],
            },
            ["not_applicable", "not_applicable"],
        ),
    ],
)
def test_memory_that_nobody_can_see_is_said_not_to_be_examined(
    samples: dict[str, Any], skip_classes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    directory = soak(tmp_path / "night")
    for path in directory.glob("*/samples.json"):
        path.write_text(json.dumps(samples))
    verdict = judged(directory, monkeypatch, capsys)
    assert verdict["status"] == "pass"
    assert [skip["skip_class"] for skip in verdict["skips"]] == skip_classes
    assert "not examined: memory" in verdict["reason"]


def without_lag(directory: Path, segments: str) -> None:
    """Take the queue lag out of the samples of some segments, as services do that do not expose it."""
    for path in directory.glob(f"{segments}/samples.json"):
        document = json.loads(path.read_text())
        document["samples"] = [{**sample, "queue_lag_s": None} for sample in document["samples"]]
        path.write_text(json.dumps(document))


def test_queue_lag_that_nobody_exposes_is_said_not_to_be_examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    directory = soak(tmp_path / "night")
    without_lag(directory, "*")
    verdict = judged(directory, monkeypatch, capsys)
    assert verdict["status"] == "pass"
    assert [(skip["skip_class"], skip["reason"]) for skip in verdict["skips"]] == [
        ("not_applicable", "queue lag: none of explainer exposes explainer_queue_lag_seconds")
    ]


def test_queue_lag_that_one_service_exposes_is_examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    directory = soak(tmp_path / "night")
    for path in directory.glob("*/samples.json"):
        document = json.loads(path.read_text())
        document["samples"] += [{**sample, "endpoint": "gateway", "queue_lag_s": None} for sample in document["samples"]]
        path.write_text(json.dumps({**document, "endpoints": ["explainer", "gateway"]}))
    verdict = judged(directory, monkeypatch, capsys)
    assert (verdict["status"], verdict["skips"]) == ("pass", [])


def test_segments_whose_generators_were_late_are_driven_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    directory = soak(tmp_path / "night", problems=("it was late",))
    assert "in 10 of 10 segments (0001, 0002, 0003, …)" in judged(directory, monkeypatch, capsys)["reason"]
    told = {"directory": str(tmp_path), "id": "night", "environment": "staging", "generators": ["one"], "rate": 20, "segments": 10}
    again = run_main(make_plan, {**told, "segment_seconds": 100}, monkeypatch, capsys)
    assert len(again["segments"]) == 10
    assert not list(directory.glob("*/*.json"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"slo_ms": {"chat": 500.0}}, "slo_ms is not as a plan has it"),
        ({"segments": []}, "segments is not as a plan has it"),
        ({"segments": [{"name": "../elsewhere", "attach_rate": 0.1}]}, "segments is not as a plan has it"),
        ({"segments": [{"name": "0001"}]}, "segments is not as a plan has it"),
        ({"segments": [{"name": "0001", "attach_rate": 0.1}] * 2}, "segments is not as a plan has it"),
        ({"generators": ["one", 2]}, "generators is not as a plan has it"),
        ({"rate_per_s": "much"}, "rate_per_s is not as a plan has it"),
        ({"id": None}, "id is not as a plan has it"),
    ],
)
def test_a_plan_that_was_tampered_with_is_an_error(
    change: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    directory = soak(tmp_path / "night", count=1)
    path = directory / "plan.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    verdict = judged(directory, monkeypatch, capsys)
    assert (verdict["status"], verdict["reason_code"]) == ("error", "soak-unreadable")
    assert said in verdict["reason"]
