"""An explainer drops out while its fault is in force, or all do: what the others say is no answer for it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.experimenting import BRIEF, GRACE, TTL, broken_when_struck, fill, full_disk, seconds_until, struck
from tests.conftest import Lab
from tests.running import CHECKOUT

root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")


def journal_of(control: Path) -> Path:
    """The journal that lies beside a control file."""
    return control.with_name(f"{control.name}.run") / "journal.jsonl"


def inventory(place: Path, control: Path, lost: dict[str, tuple[Any, Any]]) -> Path:
    """The lab's inventory with a second explainer, of which these variables change for good when it has had the fault of a trial."""
    folder = place / "inventory"
    folder.mkdir()
    (folder / "group_vars").symlink_to(CHECKOUT / "inventories/lab/group_vars")
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    changing = {name: f"{{{{ {after!r} if {struck(journal_of(control))} else {before!r} }}}}" for name, (before, after) in lost.items()}
    hosts = {"localhost": local, "lab": local, "other": {**local, "sidecar_chaos_control_path": str(control), **changing}}
    children = {"sidecar_probes": {"hosts": {"lab": {}}}, "sidecar_explainers": {"hosts": {"lab": {}, "other": {}}}}
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts, "children": children}}))
    return folder


def judged(lab: Lab, place: Path, lost: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    """What one trial comes to; the fault of the explainer that is lost has ended by itself afterwards."""
    control = place / "other.json"
    variables = {**BRIEF, "sidecar_chaos_trials": 1}
    run = lab.verify(place / "results", "-i", str(inventory(place, control, lost)), "-e", json.dumps(variables), name="chaos")
    assert run.returncode != 0, run.output
    assert seconds_until(lambda: not control.exists(), TTL + GRACE) is not None, control.read_text()
    steps = [json.loads(line)["step"] for line in journal_of(control).read_text().splitlines()]
    assert steps.count("injected") == 2, "it was lost before the trial"
    return run.checks["chaos_recovery"]


@root
def test_modules_cannot_be_brought_to_it(start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    with full_disk(tmp_path) as disk:
        (disk / "tmp").mkdir()
        fill(disk)
        check = judged(start_lab(), tmp_path, {"ansible_remote_tmp": (str(tmp_path / "tmp"), str(disk / "tmp"))})
    assert (check["status"], check["reason_code"]) == ("fail", "revert-failed"), check["reason"]
    assert "could not start" in check["reason"]


def test_it_leaves_the_play(start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    check = judged(start_lab(), tmp_path, {"ansible_become": (False, True), "ansible_become_method": ("sudo", "none.such.method")})
    assert (check["status"], check["reason_code"]) == ("fail", "revert-failed"), check["reason"]
    assert "other" in check["reason"]


def test_a_task_that_runs_once_for_all_of_them_breaks(start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab, control = start_lab(), tmp_path / "other.json"
    # Long enough for nobody to take it for the dead-man's work.
    variables = {
        **BRIEF,
        "sidecar_chaos_ttl": 300,
        "sidecar_chaos_renew_within": 300,
        "sidecar_timeout": broken_when_struck(journal_of(control)),
    }
    run = lab.verify(tmp_path / "results", "-i", str(inventory(tmp_path, control, {})), "-e", json.dumps(variables), name="chaos")
    check = run.checks["chaos_recovery"]
    assert (run.returncode, check["status"], check["reason_code"]) == (2, "error", "experiments-ended-early"), check["reason"]
    assert {error["reason_code"] for error in check["errors"]} == {"experiments-ended-early"}
    assert [(one["name"], one["ok"]) for one in check["assertions"]] == [
        (f"what was in force on {host}: the fault is taken back", True) for host in ("lab", "other")
    ]
    assert not control.exists()
