# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on disk: whole or not there, private, the newest pointed at, the oldest removed; and what later runs read of them."""

from __future__ import annotations

import json
import os
import stat
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.history import MAX_RUNS, changes, previous_runs
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.store import (
    check_environment,
    new_run_id,
    prune,
    runs,
    write,
)

FILES = {"report.json": "{}", "report.md": "# ünïcode\n"}


def run_id(number: int) -> str:
    return f"20261121T1200{number:02}Z-00000{number % 10}"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def saved(environment: Path, number: int, **changes: Any) -> None:
    document = {
        "schema": "report-1",
        "run_id": run_id(number),
        "finished": "2026-11-21T12:00:00.000Z",
        "gate": {"open": True},
        "policy": {"question": "serve"},
        "scope": {"restrictions": []},
        "checks": [{"check": "gateway_rbac", "status": "pass", "metrics": {"p95_seconds": 0.25}}],
        **changes,
    }
    write(environment, run_id(number), {"report.json": json.dumps(document)})


def test_a_run_is_written_whole_and_for_its_group_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        written = write(tmp_path / "results" / "lab", run_id(1), FILES)
    finally:
        os.umask(before)
    assert {path.name: path.read_text("utf-8") for path in written.iterdir()} == FILES
    assert mode(written) == 0o750
    assert {mode(path) for path in written.iterdir()} == {0o640}
    assert (tmp_path / "results/lab/latest").resolve() == written
    assert str((tmp_path / "results/lab/latest").readlink()) == run_id(1)


def test_latest_follows_the_newest_run(tmp_path: Path) -> None:
    write(tmp_path, run_id(1), FILES)
    second = write(tmp_path, run_id(2), FILES)
    assert (tmp_path / "latest").resolve() == second
    assert [path.name for path in runs(tmp_path)] == [run_id(1), run_id(2)]


def test_without_links_a_file_names_the_newest_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise OSError("links are not supported here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    write(tmp_path, run_id(1), FILES)
    write(tmp_path, run_id(2), FILES)
    assert (tmp_path / "latest.txt").read_text() == f"{run_id(2)}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [run_id(1), run_id(2), "latest.txt"]


def test_a_run_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write(tmp_path, run_id(1), {"report.json": "{}", "no/such/directory": ""})
    assert list(tmp_path.iterdir()) == []


def test_only_the_oldest_runs_are_removed_and_nothing_else(tmp_path: Path) -> None:
    written = [write(tmp_path, run_id(number), FILES) for number in range(5)]
    kept = tmp_path / "20260101T000000Z-notarun"
    kept.mkdir()
    linked = tmp_path / "20250101T000000Z-00000a"
    linked.symlink_to(kept)
    prune(tmp_path, written[-1], 2)
    assert [path.name for path in runs(tmp_path)] == [run_id(3), run_id(4)]
    assert kept.is_dir()
    assert linked.is_symlink()


@pytest.mark.parametrize(("keep", "left"), [(0, [0]), (1, [0]), (2, [0, 2]), (3, [0, 1, 2]), (9, [0, 1, 2])])
def test_the_run_just_written_stays_even_if_it_does_not_sort_last(tmp_path: Path, keep: int, left: list[int]) -> None:
    written = [write(tmp_path, run_id(number), FILES) for number in range(3)]
    prune(tmp_path, written[0], keep)
    assert runs(tmp_path) == [written[number] for number in left]


def test_what_a_dead_writer_left_goes_and_a_living_ones_stays(tmp_path: Path) -> None:
    dead, living = tmp_path / f".{run_id(1)}.dead", tmp_path / f".{run_id(2)}.living"
    for path in (dead, living):
        path.mkdir()
    os.utime(dead, (0, 0))
    prune(tmp_path, tmp_path / run_id(3), 5)
    assert (dead.exists(), living.exists()) == (False, True)


def test_run_ids_sort_by_time_and_differ_within_a_second() -> None:
    early, late = (datetime(2026, 11, 21, hour, tzinfo=timezone.utc) for hour in (9, 10))
    assert new_run_id(early) < new_run_id(late)
    assert len({new_run_id(early) for _time in range(20)}) > 1


@pytest.mark.parametrize("name", ["", "..", "a/b", "-rf", ".hidden", "latest", "a b", "a\n"])
def test_an_environment_that_cannot_be_a_directory_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="environment"):
        check_environment(name)


def test_there_are_no_runs_before_the_first(tmp_path: Path) -> None:
    assert runs(tmp_path / "nowhere") == []


def test_history_holds_what_the_newest_runs_said_oldest_first(tmp_path: Path) -> None:
    for number in range(MAX_RUNS + 5):
        saved(tmp_path, number)
    history = previous_runs(runs(tmp_path), "report-1", "serve")
    assert [run["run_id"] for run in history] == [run_id(number) for number in range(5, MAX_RUNS + 5)]
    assert history[-1] == {
        "run_id": run_id(MAX_RUNS + 4),
        "finished": "2026-11-21T12:00:00.000Z",
        "open": True,
        "partial": False,
        "statuses": {"gateway_rbac": "pass"},
        "metrics": {"gateway_rbac": {"p95_seconds": 0.25}},
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "report-2"},
        {"checks": None},
        {"gate": []},
        {"scope": "all"},
        {"policy": {"question": "deploy"}},
        {"checks": [{"check": "gateway_rbac", "status": "green", "metrics": {}}]},
        {"checks": [{"check": "gateway_rbac", "status": "pass", "metrics": [1]}]},
    ],
)
def test_a_report_that_cannot_be_read_is_left_out(tmp_path: Path, changes: dict[str, Any]) -> None:
    saved(tmp_path, 1)
    saved(tmp_path, 2, **changes)
    assert [run["run_id"] for run in previous_runs(runs(tmp_path), "report-1", "serve")] == [run_id(1)]


def test_a_broken_or_missing_report_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, run_id(1), {"report.json": "{"})
    write(tmp_path, run_id(2), {"report.md": ""})
    assert previous_runs(runs(tmp_path), "report-1", "serve") == []


def test_measurements_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    saved(tmp_path, 1, checks=[{"check": "gateway_rbac", "status": "pass", "metrics": {"a": "1", "b": 2, "c": None}}])
    assert previous_runs(runs(tmp_path), "report-1", "serve")[0]["metrics"] == {"gateway_rbac": {"b": 2}}


def test_changes_are_told_of_checks_that_both_runs_judged() -> None:
    previous = {"statuses": {"gateway_rbac": "fail", "observability": "pass", "audit_pii": "pass"}}
    now = {"gateway_rbac": "pass", "observability": "pass", "our_queue": "fail"}
    assert changes(previous, now) == [{"check": "gateway_rbac", "before": "fail", "now": "pass"}]
    assert changes(None, now) == []
