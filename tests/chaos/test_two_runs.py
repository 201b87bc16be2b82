"""Two chaos runs on one explainer: the one that comes later is refused, and leaves the other's fault alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.faults import flag_of
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.toggling import Holder, checked_place, switch_off, switch_on
from tests.chaos.experimenting import BRIEF, seconds_until
from tests.conftest import Lab
from tests.running import CHECKOUT, Run, environment, started


def switch(lab: Lab, arguments: str) -> None:
    """Module chaos on the lab, as another run holds it."""
    command = [
        "ansible",
        "sidecar_explainers",
        "-i",
        "inventories/lab",
        "-m",
        "hypergraph.sidecar.chaos",
        "-a",
        f"{arguments} holder=other",
    ]
    subprocess.run(command, cwd=CHECKOUT, env=environment(SIDECAR_LAB_STATE=str(lab.state)), check=True, capture_output=True)


def test_a_run_that_is_refused_does_not_take_back_the_others_fault(start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab = start_lab()
    control = Path(lab.facts["paths"]["chaos_control"])
    variables = {**BRIEF, "sidecar_chaos_trials": 1, "sidecar_chaos_hold": 15, "sidecar_chaos_ttl": 40, "sidecar_chaos_renew_within": 30}
    running = started("chaos", "-e", json.dumps(variables), results=tmp_path, SIDECAR_LAB_STATE=str(lab.state))
    assert running.stdout
    # The drill is over, and the service is watched for a while.
    assert any("The service is steady" in line for line in running.stdout)
    switch(lab, "fault=slow-sae percent=0 ttl=300")
    try:
        held = control.read_text()
        output, _nothing = running.communicate()
        assert (control.read_text() if control.exists() else None) == held, output
        assert json.loads(Path(f"{control}.run/lease.json").read_text())["holder"] == "other"
    finally:
        switch(lab, "state=absent")
    check = Run(running.returncode, output, tmp_path).checks["chaos_recovery"]
    assert (running.returncode, check["status"], check["reason_code"]) == (2, "error", "chaos-lease-held"), check["reason"]


def test_a_drill_does_not_take_back_the_fault_of_a_run_that_begins_meanwhile(start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab = start_lab()
    control = Path(lab.facts["paths"]["chaos_control"])
    journal, place, other = Path(f"{control}.run/journal.jsonl"), checked_place(str(control)), Holder("other", "lab")
    running = started("chaos", "-e", json.dumps(BRIEF), results=tmp_path, SIDECAR_LAB_STATE=str(lab.state))
    assert seconds_until(lambda: journal.exists() and '"verified"' in journal.read_text(), 60) is not None
    # The run waits on, two seconds longer than its dead-man took.
    switch_on(place, "slow-sae", flag_of("slow-sae", {"percent": 0}), other, 300, None)
    try:
        held = control.read_text()
        output, _nothing = running.communicate()
        assert (control.read_text() if control.exists() else None) == held, output
    finally:
        switch_off(place, ("slow-sae",), other)
    check = Run(running.returncode, output, tmp_path).checks["chaos_recovery"]
    assert (running.returncode, check["status"], check["reason_code"]) == (2, "error", "chaos-lease-held"), check["reason"]
    assert "the dead-man takes back a fault that is left to it" not in {one["name"] for one in check["assertions"] if not one["ok"]}
