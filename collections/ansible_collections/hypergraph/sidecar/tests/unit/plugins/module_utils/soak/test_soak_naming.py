# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A soak that is over neither goes on nor is judged again: it says nothing of what was deployed since."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.modules.soak_check import main as check
from ansible_collections.hypergraph.sidecar.plugins.modules.soak_plan import main as make_plan
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.soak.soaked import soak
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

TOLD = {"environment": "staging", "generators": ["one"], "rate": 20, "segments": 10, "segment_seconds": 100}
BY_TIME = "20200101T000000Z"
HOUR = 3600.0


def finished(home: Path, name: str, *, ended_ago: float = 60.0, paused: float = 0.0, judged: bool = True) -> Path:
    """A soak whose ten segments of 130 s are whole; ``paused`` seconds went by before its last."""
    directory = soak(home / name)
    plan = json.loads((directory / "plan.json").read_text())
    (directory / "plan.json").write_text(json.dumps({**plan, "id": name}))
    for number, segment in enumerate(plan["segments"]):
        path = directory / segment["name"] / "one.json"
        document = json.loads(path.read_text())
        began = time.time() - ended_ago - 130 * (10 - number) - (0 if number == 9 else paused)
        document["run"]["started_at"] = datetime.fromtimestamp(began, timezone.utc).isoformat().replace("+00:00", "Z")
        path.write_text(json.dumps(document))
    if judged:
        (directory / "soak_summary.json").write_text("{}")
    return directory


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    return lambda **told: run_main(make_plan, {"directory": str(tmp_path), **TOLD, **told}, monkeypatch, capsys)


def test_a_named_soak_that_is_over_is_refused_and_left_alone(plan: Any, tmp_path: Path) -> None:
    directory = finished(tmp_path, "night")
    files = {path: path.read_bytes() for path in directory.rglob("*.json")}
    refused = plan(id="night")
    assert (refused["failed"], refused["reason_code"]) == (True, "soak-over")
    assert "all its segments were driven, and judged" in refused["msg"] and "sidecar_soak_id" in refused["msg"]
    assert {path: path.read_bytes() for path in directory.rglob("*.json")} == files


def test_after_a_soak_without_a_name_that_is_over_another_begins(plan: Any, tmp_path: Path) -> None:
    finished(tmp_path, BY_TIME)
    begun = plan()
    assert len(begun["segments"]) == 10
    directory = Path(begun["directory"])
    assert re.fullmatch(r"\d{8}T\d{6}Z", directory.name) and directory.name != BY_TIME
    assert (tmp_path / "latest").resolve() == directory
    assert plan()["directory"] == str(directory), "which goes on"


def test_what_is_left_of_a_soak_without_a_name_is_driven_and_named_ones_are_not_taken_for_it(plan: Any, tmp_path: Path) -> None:
    (finished(tmp_path, BY_TIME) / "0004/one.json").unlink()
    (finished(tmp_path, "night") / "0005/one.json").unlink()
    assert [(plan()["directory"], segment["name"]) for segment in plan()["segments"]] == [(str(tmp_path / BY_TIME), "0004")]
    differing = plan(rate=21)
    assert (differing["failed"], differing["reason_code"]) == (True, "soak-differs")


def test_a_soak_that_was_driven_and_not_judged_is_still_to_be_judged(plan: Any, tmp_path: Path) -> None:
    finished(tmp_path, BY_TIME, judged=False)
    found = plan(max_age=HOUR)
    assert (found["directory"], found["segments"]) == (str(tmp_path / BY_TIME), [])


@pytest.mark.parametrize("stood_still", [{"ended_ago": 2 * HOUR}, {"paused": 2 * HOUR}])
def test_what_stood_still_for_too_long_is_neither_gone_on_with_nor_judged(
    stood_still: dict[str, float], plan: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    directory = finished(tmp_path, BY_TIME, judged=False, **stood_still)
    over = plan(id=BY_TIME, max_age=HOUR)
    assert (over["failed"], over["reason_code"]) == (True, "soak-over")
    assert "stood still for 2.0 hours, more than the 1.0" in over["msg"]
    told = {"directory": str(directory), "correlation_seconds": 0.5}
    verdict = run_main(check, {**told, "max_age": HOUR}, monkeypatch, capsys)["verdict"]
    assert (verdict["status"], verdict["skips"][0]["skip_class"]) == ("skip", "dependency_missing")
    assert run_main(check, {**told, "max_age": 3 * HOUR}, monkeypatch, capsys)["verdict"]["status"] == "pass"
    assert plan(max_age=HOUR)["directory"] != str(directory)


@pytest.mark.parametrize("name", ["latest", "../elsewhere", ".hidden", "a/b"])
def test_a_name_that_can_be_none_is_refused(name: str, plan: Any) -> None:
    refused = plan(id=name)
    assert (refused["failed"], refused["reason_code"]) == (True, "bad-argument")


def test_where_the_link_cannot_be_made_the_plan_says_so(plan: Any, tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    refused = plan()
    assert (refused["failed"], refused["reason_code"]) == (True, "results-unwritable")
