# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run split into windows that were known only afterwards: every request is where it belongs, and nothing is counted twice."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.reading import read, validated
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.splitting import Window, split
from ansible_collections.hypergraph.sidecar.plugins.modules.load_beside import main
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.runs import drive
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.service import explaining, serving
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.summaries import summary
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main


def chat(begins_s: float, latency_ms: float, error: str | None = None, **more: Any) -> dict[str, Any]:
    return {"t": begins_s, "l": int(latency_ms * 1000), "s": 200, "e": error, "p": "steady", "a": None, "b": 1, "d": 0, "r": "x", **more}


def recorded(directory: Path, chats: list[dict[str, Any]], explanations: list[dict[str, Any]] | None = None, **run: Any) -> Path:
    """A directory as a run leaves it."""
    (directory / "summary.json").write_text(json.dumps(summary({"chat": {}}, **run)))
    for name, lines in (("chat", chats), ("explanation", explanations or [])):
        ended = sorted(lines, key=lambda line: line["t"] + line["l"] / 1e6)
        (directory / f"{name}_results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in ended))
    return directory


def counts(found: dict[str, Any], kind: str = "chat") -> dict[str, int]:
    return {phase: measured["count"] for phase, measured in found["classes"].get(kind, {}).items()}


def test_a_request_belongs_to_the_window_it_was_to_begin_in(tmp_path: Path) -> None:
    # The one that begins at 1.9 s ends in the next window; the one at 4.0 s begins in none; those of a phase may be in several windows.
    chats = [chat(0.5, 10), chat(1.9, 900), chat(2.0, 20), chat(3.0, 30, "status_5xx"), chat(4.0, 5), chat(6.5, 600)]
    windows = [Window("during", 6.0, 7.0), Window("before", 0.0, 2.0), Window("during", 2.0, 4.0)]
    found = validated(split(recorded(tmp_path, chats), windows), "it")
    assert counts(found) == {"before": 2, "during": 3}
    during = found["classes"]["chat"]["during"]
    assert (during["ok"], during["errors"], during["exceeding"]) == (2, {"status_5xx": 1}, 2)
    assert during["latency_ms"]["max"] == 600
    assert found["classes"]["chat"]["before"]["exceeding"] == 1
    phases = {phase["name"]: (phase["starts_s"], phase["duration_s"], phase["windows"]) for phase in found["plan"]["phases"]}
    assert phases == {"before": (0.0, 2.0, [[0.0, 2.0]]), "during": (2.0, 3.0, [[2.0, 4.0], [6.0, 7.0]])}


def test_slots_of_time_are_those_of_the_windows_alone(tmp_path: Path) -> None:
    chats = [chat(second + tenth / 10, 10) for second in range(30) for tenth in range(10)]
    found = split(recorded(tmp_path, chats), [Window("a", 3.2, 8.2), Window("b", 8.2, 20.0), Window("a", 20.0, 25.0)])
    for phase, seconds in (("a", 10), ("b", 12)):
        batches = found["classes"]["chat"][phase]["batches"]
        assert (batches["width_s"], len(batches["count"])) == (1.0, seconds)
    assert counts(found) == {"a": 100, "b": 118}


def test_explanations_are_split_by_their_class(tmp_path: Path) -> None:
    explained = {"st": "complete", "n": 3, "a": "t1"}
    explanations = [chat(0.5, 1500, g="sentence", **explained), chat(2.5, 2500, g="token", **explained)]
    found = split(recorded(tmp_path, [chat(0.5, 10), chat(2.5, 10)], explanations), [Window("one", 0, 2), Window("two", 2, 4)])
    assert (counts(found), counts(found, "sentence"), counts(found, "token")) == ({"one": 1, "two": 1}, {"one": 1}, {"two": 1})


@pytest.mark.parametrize(
    ("interrupted", "duration_s", "told"),
    [
        ("SIGTERM", 50.0, None),
        ("nobody watching", 50.0, "nobody watching"),
        ("SIGTERM", 9.0, "its end at 9 s, before that of what it ran beside"),
    ],
)
def test_to_be_ended_on_demand_is_no_interruption(tmp_path: Path, interrupted: str, duration_s: float, told: str | None) -> None:
    directory = recorded(tmp_path, [chat(1, 1)], interrupted=interrupted, duration_s=duration_s)
    assert split(directory, [Window("one", 0, 10)])["run"]["interrupted"] == told


def test_what_a_killed_run_left_can_be_split_but_overlapping_windows_not(tmp_path: Path) -> None:
    directory = recorded(tmp_path, [chat(1, 1), chat(2, 1)])
    with (directory / "chat_results.jsonl").open("a") as file:
        file.write('{"t":3.0,"l":1')
    assert counts(split(directory, [Window("one", 0, 10)])) == {"one": 2}
    with pytest.raises(CheckError, match="overlap at 5.00 s") as refused:
        split(directory, [Window("one", 0, 10), Window("two", 5, 12)])
    assert refused.value.reason_code == "bad-windows"


def test_the_module_drives_and_splits_by_the_clock_of_the_controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(explaining()) as service:
        told = {"base_url": service.url, "auth_mode": "none", "directory": str(tmp_path), "clock_offset_ms": 5000}
        brief = {"longest": 0.6, "rate": 50, "concurrency": 4, "attach_rate": 0.1}
        done = run_main(main, {**told, **brief, "state": "started"}, monkeypatch, capsys)
    assert done["load"]["requests"] == 30
    whole = read(str(tmp_path / "summary.json"))
    from datetime import datetime

    # The generator's clock is five seconds ahead; the summary tells the controller's.
    began = datetime.fromisoformat(whole["run"]["started_at"].replace("Z", "+00:00")).timestamp()
    assert 4 < time.time() - began < 60
    windows = [{"phase": name, "begins_at": began + at, "ends_at": began + at + 0.3} for name, at in (("first", 0.0), ("second", 0.3))]
    result = run_main(main, {**told, "state": "stopped", "windows": windows}, monkeypatch, capsys)
    found = read(result["split_path"])
    assert sum(counts(found).values()) == 30
    assert all(14 <= count <= 16 for count in counts(found).values()), counts(found)


def test_the_split_of_a_real_run_adds_up_to_it(tmp_path: Path) -> None:
    with serving(explaining()) as service:
        whole = drive(service.url, tmp_path / "run", duration=0.5, concurrency=2, rate=100, attach_rate=0.5)
    found = validated(split(tmp_path / "run", [Window("one", 0.0, 0.2), Window("two", 0.2, 60.0)]), "it")
    for kind, phases in whole["classes"].items():
        parts = found["classes"][kind].values()
        assert sum(part["count"] for part in parts) == phases["steady"]["count"]
        assert max(part["latency_ms"]["max"] for part in parts) == phases["steady"]["latency_ms"]["max"]
