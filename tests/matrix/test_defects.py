"""The defect matrix: each seeded defect turns its own check red for the stated reason and leaves the others green.

A defect that was not applied proves nothing, and neither does a red for another reason; both fail here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.defects import CATALOG, Defect
from tests.conftest import Lab
from tests.running import RUNTIME_CHECKS

SEEDED = [defect for defect in CATALOG.values() if not defect.benign and defect.check in RUNTIME_CHECKS]
BENIGN = [defect for defect in CATALOG.values() if defect.benign]


@pytest.mark.parametrize("defect", SEEDED, ids=lambda defect: f"{defect.check}-{defect.id}")
def test_defect_is_caught_by_its_own_check_alone(defect: Defect, start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab = start_lab("--defect", defect.id)
    run = lab.verify(tmp_path)
    owner = run.checks[defect.check]
    assert run.returncode != 0, run.output
    assert defect.id in lab.applied_defects(), "the defect was not applied, so the verdict proves nothing"
    assert (owner["status"], owner["reason_code"]) == (defect.status, defect.reason_code), owner["reason"]
    others = {check: f"{run.statuses[check]}: {run.checks[check]['reason']}" for check in RUNTIME_CHECKS if check != defect.check}
    assert {check: said for check, said in others.items() if not said.startswith("pass:")} == {}


@pytest.mark.parametrize("change", BENIGN, ids=lambda change: change.id)
def test_benign_change_stays_green(change: Defect, start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab = start_lab("--defect", change.id)
    run = lab.verify(tmp_path)
    assert change.id in lab.applied_defects(), "the change was not applied, so its green proves nothing"
    assert run.returncode == 0, run.output


@pytest.mark.parametrize("check", RUNTIME_CHECKS)
def test_every_check_has_defects_of_its_own(check: str) -> None:
    assert len([defect for defect in SEEDED if defect.check == check]) >= 4
