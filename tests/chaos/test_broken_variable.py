"""A variable that cannot be resolved ends the experiments, and a verdict says so, whatever was in force by then."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.experimenting import BEFORE, BRIEF, broken_when_struck
from tests.conftest import Lab


@pytest.mark.parametrize("in_force", [False, True], ids=["before any fault", "while a fault is in force"])
def test_a_verdict_comes_and_no_fault_stays(in_force: bool, start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab = start_lab()
    control = Path(lab.facts["paths"]["chaos_control"])
    control.write_text(BEFORE)
    journal = Path(f"{control}.run/journal.jsonl")
    # Long enough for nobody to take it for the dead-man's work.
    variables: dict[str, Any] = {**BRIEF, "sidecar_chaos_trials": 1, "sidecar_chaos_ttl": 300, "sidecar_chaos_renew_within": 300}
    if in_force:
        variables["sidecar_timeout"] = broken_when_struck(journal)
    else:
        (usual,) = BRIEF["sidecar_chaos_experiments"]  # type: ignore[misc]
        broken = {**usual, "parameters": {"percent": "{{ undefined_thing }}"}}
        variables["sidecar_chaos_experiments"] = [broken]
    run = lab.verify(tmp_path, "-e", json.dumps(variables), name="chaos")
    check = run.checks["chaos_recovery"]
    assert (run.returncode, check["status"], check["reason_code"]) == (2, "error", "experiments-ended-early"), check["reason"]
    assert ("no-such-file" if in_force else "undefined_thing") in check["reason"]
    assert control.read_text() == BEFORE
    steps = [(entry["step"], entry.get("by")) for entry in map(json.loads, journal.read_text().splitlines())] if journal.exists() else []
    assert [step for step, _by in steps].count("injected") == (2 if in_force else 0), steps
    assert not in_force or (steps[-1][0] == "verified" and steps[-1][1] != "dead-man"), steps
