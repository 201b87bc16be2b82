# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Old soaks make room; what is named, of another environment, in progress, or another's is not removed."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.soak import retention
from ansible_collections.hypergraph.sidecar.plugins.module_utils.soak.retention import prune
from ansible_collections.hypergraph.sidecar.plugins.modules.soak_plan import main as make_plan
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.soak.soaked import soak
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

NEW = "20261121T120000Z"
NAMES = [f"2020010{day + 1}T090000Z" for day in range(4)]
TOLD = {"environment": "staging", "generators": ["one"], "rate": 20, "segments": 10, "segment_seconds": 100}
HOUR = 3600.0


def pruned(home: Path, keep: int = 1, max_age: float | None = HOUR, **told: Any) -> list[str]:
    return prune(home, NEW, "staging", keep=keep, max_age=max_age, now=time.time(), **told)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Soaks that were driven, judged, and touched last a day ago."""
    place = tmp_path / "soak"
    judged = soak(tmp_path / "judged")
    (judged / "soak_summary.json").write_text("{}")
    for name in NAMES:
        shutil.copytree(judged, place / name)
        told_of(place / name, id=name)
        at_rest(place / name, 24 * HOUR)
    return place


def told_of(directory: Path, **changes: Any) -> None:
    plan = json.loads((directory / "plan.json").read_text())
    (directory / "plan.json").write_text(json.dumps({**plan, **changes}))


def at_rest(directory: Path, seconds: float) -> None:
    for path in (directory, *directory.rglob("*")):
        os.utime(path, (time.time() - seconds,) * 2)


def names(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir())


def test_the_newest_stay(home: Path) -> None:
    assert pruned(home, 3, remove=False) == NAMES[1::-1]
    assert names(home) == NAMES
    assert pruned(home, 3) == NAMES[1::-1]
    assert names(home) == NAMES[2:]
    assert pruned(home, 3) == []


def test_the_one_that_room_is_made_for_stays(home: Path) -> None:
    (home / NAMES[0]).rename(home / NEW)
    assert pruned(home) == NAMES[:0:-1]
    assert names(home) == [NEW]


def with_a_name(place: Path) -> None:
    place.rename(place.with_name("before-the-upgrade"))


def of_another_environment(place: Path) -> None:
    told_of(place, environment="production")


def with_more(place: Path) -> None:
    (place / "notes.txt").write_text("mine")


def with_more_in_a_segment(place: Path) -> None:
    (place / "0001/notes.txt").write_text("mine")


def without_a_plan(place: Path) -> None:
    (place / "plan.json").unlink()


def a_link_itself(place: Path) -> None:
    place.rename(place.parent.parent / "elsewhere")
    place.symlink_to(place.parent.parent / "elsewhere")


def with_a_link(place: Path) -> None:
    (place / "0001").rename(place.parent.parent / "elsewhere")
    (place / "0001").symlink_to(place.parent.parent / "elsewhere")


@pytest.mark.parametrize(
    "change",
    [with_a_name, of_another_environment, with_more, with_more_in_a_segment, without_a_plan, a_link_itself, with_a_link],
)
def test_what_is_none_of_ours_stays_and_does_not_count(change: Callable[[Path], None], home: Path) -> None:
    change(home / NAMES[3])
    before = sorted(path for path in home.parent.rglob("*") if not path.is_relative_to(home / NAMES[0]))
    assert pruned(home, 4) == []
    assert pruned(home, 3) == [NAMES[0]]
    assert sorted(home.parent.rglob("*")) == before


@pytest.mark.parametrize(("rested", "goes"), [(HOUR + 50, False), (HOUR + 150, True)])
def test_one_in_progress_stays_until_it_stood_still_for_longer_than_it_may(rested: float, goes: bool, home: Path) -> None:
    """A segment lasts 100 s, in which nothing changes."""
    (home / NAMES[0] / "soak_summary.json").unlink()
    (home / NAMES[0] / "0010/one.json").unlink()
    at_rest(home / NAMES[0], 24 * HOUR)
    assert (NAMES[0] in pruned(home, max_age=None, remove=False)) is False
    os.utime(home / NAMES[0] / "0009/samples.json", (time.time() - rested,) * 2)
    assert (NAMES[0] in pruned(home)) is goes


def test_planning_a_soak_makes_room_and_is_not_hindered_by_it(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def planned(**told: Any) -> Any:
        return run_main(make_plan, {"directory": str(home), **TOLD, "max_age": HOUR, **told}, monkeypatch, capsys)

    refused = planned(keep=0)
    assert (refused["failed"], refused["reason_code"]) == (True, "bad-argument")
    assert names(home) == NAMES
    assert planned(keep=3, _ansible_check_mode=True)["removed"] == NAMES[1::-1]
    assert names(home) == NAMES
    assert planned()["removed"] == []
    found = planned(keep=3)
    assert found["removed"] == NAMES[1::-1]
    assert names(home) == [*NAMES[2:], Path(found["directory"]).name, "latest"]
    monkeypatch.setattr(retention.shutil, "rmtree", refusing(home / NAMES[2]))
    hindered = planned(keep=2)
    assert (hindered.get("failed", False), hindered["removed"], hindered["directory"]) == (False, [], found["directory"])
    assert (home / NAMES[2]).exists()


def refusing(held: Path) -> Callable[[Path], None]:
    """What removes directories, of which one cannot be."""
    removing = shutil.rmtree

    def remove(path: Path) -> None:
        if path == held:
            raise PermissionError(13, "Permission denied", str(path))
        removing(path)

    return remove
