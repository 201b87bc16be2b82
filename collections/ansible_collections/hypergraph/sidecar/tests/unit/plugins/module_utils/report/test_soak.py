# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Soaks in reports: what soak_check tells is in both, whatever its length, and left alone where evidence is something else."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.report import html, markdown, soak_words
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.soak_plot import soak_plot
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.soak_run import soak_run
from ansible_collections.hypergraph.sidecar.plugins.modules.soak_check import main as check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.report.documents import HOSTILE, TEMPLATES, registered, report
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.soak.soaked import soak
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

LEAK = {"memory": lambda sample: 50e6 + 1.5e6 * sample + 1e5 * (sample % 3)}


def judged(directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, **behaviour: Any) -> dict[str, Any]:
    """The verdict on a soak that behaves so."""
    arguments = {"directory": str(soak(directory / "night", **behaviour)), "correlation_seconds": 0.5}
    return run_main(check, arguments, monkeypatch, capsys)["verdict"]


def pages(verdict: dict[str, Any]) -> tuple[str, str]:
    document = report(registered(verdict))
    return html.render(document, TEMPLATES), markdown.render(document, TEMPLATES)


def test_a_leak_is_drawn_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    verdict = judged(tmp_path, monkeypatch, capsys, **LEAK)
    run = soak_run(verdict)
    assert run is not None
    assert {curve.kind: curve.verdict for curve in run.curves} == {
        "p95_ms": "pass",
        "errors": "pass",
        "memory_bytes": "fail",
        "queue_lag_s": "pass",
    }
    memory = next(curve for curve in run.curves if curve.kind == "memory_bytes")
    assert memory.rise is not None and memory.fitted is not None and memory.allowed is not None
    assert memory.rise[0] > memory.most
    assert memory.fitted.low > memory.allowed > 0
    page, text = pages(verdict)
    assert "profile default at a base rate of 20/s from 1 generator" in text, "of which profiles take multiples"
    assert page.count('class="soak"') == 4
    assert page.count("<polygon") == 8, "each curve has the fan of its slopes"
    assert "&#34;soak&#34;" not in page, "what is drawn is not shown again as evidence"
    assert re.search(r"resident memory of explainer \| ✕ fail \| \\\+\d", text)
    for row in (*run.segments, *run.curves):
        assert row.name in page and row.name in text


def test_what_is_not_whole_is_named_and_generators_that_were_late_take_back_latencies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    directory = soak(tmp_path / "night", problems=("it was late",))
    (directory / "0003/one.json").unlink()
    verdict = run_main(check, {"directory": str(directory)}, monkeypatch, capsys)["verdict"]
    run = soak_run(verdict)
    assert run is not None
    assert (run.broken, run.segments[2].problem) == (1, "generator one left no summary")
    assert {curve.kind: curve.verdict for curve in run.curves}["p95_ms"] == "not judged"
    page, text = pages(verdict)
    assert "1 of them not whole" in page
    assert "not whole: generator one left no summary" in text


def test_a_long_soak_survives_redaction_and_is_told_in_few_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    verdict = judged(tmp_path, monkeypatch, capsys, count=130)
    run = soak_run(json.loads(json.dumps(verdict)))
    assert run is not None
    assert (len(run.segments), run.segments_left_out) == (130, 0)
    assert len(run.highlights) == 12
    assert [len(curve.values) for curve in run.curves if curve.kind == "p95_ms"] == [130]
    page, text = pages(verdict)
    assert page.count(">0130<") == 2, "among the first told, and in the fold with all"
    assert "of 130 segments" in text


@pytest.mark.parametrize("count", [1, 7])
def test_too_few_segments_for_a_trend_are_drawn_all_the_same(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    page, text = pages(judged(tmp_path, monkeypatch, capsys, count=count))
    assert page.count('class="soak"') == 4
    assert "too few points for a trend" in page and "too few points for a trend" in text


@pytest.mark.parametrize("spoil", ["curves", "segments", "kind", "columns", "text"])
def test_evidence_of_another_shape_is_shown_as_it_is(spoil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    verdict = copy.deepcopy(judged(tmp_path, monkeypatch, capsys))
    told = verdict["evidence"]["soak"]
    if spoil in ("curves", "segments"):
        told[spoil] = HOSTILE
    elif spoil == "kind":
        told["curves"][0][0]["kind"] = HOSTILE
    elif spoil == "columns":
        told["curves"][0][0]["values"] = [[1.0]]
    else:
        verdict["evidence"]["soak"] = HOSTILE
    assert soak_run(verdict) is None
    page, _text = pages(verdict)
    assert 'class="soak"' not in page
    assert "<script>alert" not in page


def test_names_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    verdict = copy.deepcopy(judged(tmp_path, monkeypatch, capsys))
    told = verdict["evidence"]["soak"]
    told["id"] = told["curves"][0][0]["name"] = told["segments"][0][0]["name"] = HOSTILE
    page, _text = pages(verdict)
    assert page.count('class="soak"') == 4
    assert "<script>alert" not in page


def test_a_slope_of_any_steepness_stays_in_its_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    verdict = copy.deepcopy(judged(tmp_path, monkeypatch, capsys, **LEAK))
    for curve in verdict["evidence"]["soak"]["curves"][0]:
        curve["slope_per_hour"] = [0.0, -1e14, 1e14]
        curve["most"] = 1e9
    run = soak_run(verdict)
    assert run is not None
    for curve in run.curves:
        drawn = soak_plot(curve)
        points = [pair.split(",") for told in re.findall(r'points="([^"]+)"', drawn) for pair in told.split()]
        assert len(points) >= 8
        assert all(64 <= float(across) <= 350 and 32 <= float(down) <= 164 for across, down in points)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("memory_bytes", 46_170_000.0, "46.2 MB"),
        ("p95_ms", 57.6, "57.6 ms"),
        ("errors", 0.0125, "1.25 %"),
        ("queue_lag_s", 2.5, "2.50 s"),
        ("queue_lag_s", None, "-"),
    ],
)
def test_quantities_have_their_unit(kind: str, value: float | None, said: str) -> None:
    assert soak_words.quantity(value, kind) == said
