# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Old runs are removed; what is another's, in use, spared, or behind a link is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load import retention
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.retention import prune
from ansible_collections.hypergraph.sidecar.plugins.modules import load_prune
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.runs import drive
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.service import CHAT, answer, saying, serving
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

COMING = "20261121T120000Z"
NAMES = [f"2026112{day}T090000Z" for day in range(6)]
SUMMARY = b'{"schema":"load-summary-1","run":{}}\n'


def on_generator(root: Path, name: str, host: str = "generator-1") -> Path:
    """A run as the load module leaves it."""
    place = root / name / host
    place.mkdir(parents=True)
    (place / "summary.json").write_bytes(SUMMARY)
    (place / "progress.json").write_text(json.dumps({"state": "ended", "pid": os.getpid()}))
    for file in ("chat_results.jsonl", "explanation_results.jsonl", "watched"):
        (place / file).write_text("")
    return place


def brought_home(root: Path, name: str, host: str = "generator-1") -> Path:
    (root / name).mkdir(parents=True)
    (root / name / f"{host}.json").write_bytes(SUMMARY)
    return root / name


@pytest.fixture
def ended() -> Iterator[int]:
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    yield process.pid


@pytest.mark.parametrize("make", [on_generator, brought_home])
def test_the_newest_stay(make: Callable[[Path, str], Path], tmp_path: Path) -> None:
    for name in NAMES:
        make(tmp_path, name)
    assert prune(tmp_path, COMING, 3, remove=False) == NAMES[3::-1]
    assert len(list(tmp_path.iterdir())) == 6
    assert prune(tmp_path, COMING, 3) == NAMES[3::-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES[4:]
    assert prune(tmp_path, COMING, 3) == []
    assert prune(tmp_path, COMING, 1) == NAMES[:3:-1]


def test_the_run_that_room_is_made_for_stays(tmp_path: Path) -> None:
    on_generator(tmp_path, COMING)
    on_generator(tmp_path, NAMES[0], "generator-1")
    on_generator(tmp_path, NAMES[0], "generator-2")
    assert prune(tmp_path, COMING, 1) == [NAMES[0]]
    assert [path.name for path in tmp_path.iterdir()] == [COMING]


def test_what_a_real_run_leaves_can_be_removed(tmp_path: Path) -> None:
    with serving(saying(answer(CHAT))) as service:
        drive(service.url, tmp_path / NAMES[0] / "generator-1", duration=0.1)
        with pytest.raises(CheckError):
            drive("http://127.0.0.1:9", tmp_path / NAMES[1] / "generator-1", duration=0.1)
    assert prune(tmp_path, COMING, 1) == [NAMES[1], NAMES[0]]
    assert list(tmp_path.iterdir()) == []


def with_more(root: Path, place: Path) -> None:
    (place / "notes.txt").write_text("mine")


def with_a_link(root: Path, place: Path) -> None:
    (place / "watched").unlink()
    (place / "watched").symlink_to(root / "precious")


def with_a_directory(root: Path, place: Path) -> None:
    (place.parent / "generator-2").mkdir()


def of_another_kind(root: Path, place: Path) -> None:
    (place / "summary.json").write_text('{"schema": "soak-summary-1"}')


def without_records(root: Path, place: Path) -> None:
    (place / "summary.json").unlink()
    (place / "chat_results.jsonl").unlink()


def renamed(root: Path, place: Path) -> None:
    place.parent.rename(root / "before-the-upgrade")


def a_link_itself(root: Path, place: Path) -> None:
    place.parent.rename(root.parent / "elsewhere")
    (root / NAMES[0]).symlink_to(root.parent / "elsewhere")


def a_generator_elsewhere(root: Path, place: Path) -> None:
    place.rename(root.parent / "elsewhere")
    place.symlink_to(root.parent / "elsewhere")


@pytest.mark.parametrize(
    "change",
    [with_more, with_a_link, with_a_directory, of_another_kind, without_records, renamed, a_link_itself, a_generator_elsewhere],
)
def test_what_is_not_a_run_stays_and_does_not_count(change: Callable[[Path, Path], None], tmp_path: Path) -> None:
    root = tmp_path / "load"
    place = on_generator(root, NAMES[0])
    on_generator(root, NAMES[1])
    (root / "precious").write_text("kept")
    change(root, place)
    before = {path: path.lstat().st_mode for path in tmp_path.rglob("*") if NAMES[1] not in str(path)}
    assert prune(root, COMING, 2) == []
    assert prune(root, COMING, 1) == [NAMES[1]]
    assert {path: path.lstat().st_mode for path in tmp_path.rglob("*")} == before


def test_what_is_in_use_or_spared_stays(ended: int, tmp_path: Path) -> None:
    for name in NAMES:
        on_generator(tmp_path, name)
    (tmp_path / NAMES[0] / "generator-1/progress.json").write_text(json.dumps({"state": "running", "pid": os.getpid()}))
    (tmp_path / NAMES[1] / "generator-1/progress.json").write_text(json.dumps({"state": "running", "pid": ended}))
    (tmp_path / NAMES[2] / "generator-1/progress.json").write_text("{")
    link = tmp_path.parent / "link"
    link.symlink_to(tmp_path)
    assert prune(tmp_path, COMING, 1, [str(link / NAMES[3] / "generator-1/summary.json"), "/elsewhere/x.json"]) == [
        NAMES[5],
        NAMES[4],
        NAMES[2],
        NAMES[1],
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == [NAMES[0], NAMES[3]]


def test_a_link_that_is_put_in_place_meanwhile_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, precious = tmp_path / "load", tmp_path / "precious"
    place = on_generator(root, NAMES[0])
    on_generator(precious, NAMES[0])
    busy = retention._busy

    def swapped(name: str, top: int) -> bool:
        found = busy(name, top)
        place.parent.rename(tmp_path / "aside")
        place.parent.symlink_to(precious / NAMES[0])
        return found

    monkeypatch.setattr(retention, "_busy", swapped)
    before = sorted(precious.rglob("*"))
    with pytest.raises(CheckError, match="cannot be removed"):
        prune(root, COMING, 1)
    assert sorted(precious.rglob("*")) == before


def test_the_module_says_what_it_did_and_never_stands_in_the_way_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def asked(**arguments: object) -> dict[str, object]:
        return run_main(load_prune.main, {"directory": str(tmp_path), "run_id": COMING, **arguments}, monkeypatch, capsys)

    for name in NAMES:
        on_generator(tmp_path, name)
    refused = asked(keep=0)
    assert (refused["failed"], refused["reason_code"]) == (True, "bad-argument")
    assert "keep is 0, expected at least 1" in str(refused["msg"])
    assert (asked()["changed"], asked()["removed"]) == (False, [])
    assert asked(keep=6, _ansible_check_mode=True)["removed"] == [NAMES[0]]
    assert (tmp_path / NAMES[0]).exists()
    found = asked(keep=6)
    assert (found["changed"], found["removed"], found["msg"]) == (True, [NAMES[0]], "1 load run removed")
    assert asked(directory=str(tmp_path / "none"))["removed"] == []
    (tmp_path / "file").write_text("")
    warnings: list[str] = []
    # What a process has warned of before, ansible-core may leave out of a later result.
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, warning: warnings.append(warning))
    warned = asked(directory=str(tmp_path / "file"))
    assert (warned["changed"], warned["removed"]) == (False, [])
    assert "not a directory. Correct its path or permissions." in "".join(warnings)
