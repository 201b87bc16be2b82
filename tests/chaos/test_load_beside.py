"""The load beside chaos breaks: what was found about the faults is told all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.chaos.experimenting import BRIEF, processes_of, seconds_until
from tests.conftest import Lab
from tests.running import CHECKOUT

WITH_LOAD = {
    **BRIEF,
    "sidecar_chaos_trials": 1,
    "sidecar_chaos_load": True,
    "sidecar_chaos_load_rate": 5,
    "sidecar_chaos_hold": 3,
    "sidecar_chaos_ttl": 60,
    "sidecar_chaos_renew_within": 30,
}


def judged(lab: Lab, place: Path, inventory: str = "inventories/lab") -> dict[str, Any]:
    """What one trial with a load beside it comes to; its own findings are among it."""
    variables = {**WITH_LOAD, "sidecar_load_directory": str(place / "load")}
    run = lab.verify(place / "results", "-e", json.dumps(variables), name="chaos", inventory=inventory)
    check = run.checks["chaos_recovery"]
    assert "slow-sae: the fault is taken back" in [one["name"] for part in check["parts"] for one in part["assertions"]], run.output
    return check


def test_what_it_measured_cannot_be_fetched(start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    taken = tmp_path / "results/lab/chaos"
    taken.parent.mkdir(parents=True)
    taken.write_text("")
    check = judged(start_lab(), tmp_path)
    said = [error for part in check["parts"] for error in part["errors"]]
    assert [(error["reason_code"], str(taken) in error["reason"]) for error in said] == [("summary-unreadable", True)], check["reason"]


def test_its_host_is_lost(start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab = start_lab()
    journal = f"{lab.facts['paths']['chaos_control']}.run/journal.jsonl"
    struck = f"""'"percent": 100' in (lookup('ansible.builtin.file', '{journal}', errors='ignore') | default('', true))"""
    inventory = tmp_path / "inventory"
    inventory.mkdir()
    (inventory / "group_vars").symlink_to(CHECKOUT / "inventories/lab/group_vars")
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    driver = {**local, "ansible_become": f"{{{{ {struck} }}}}", "ansible_become_method": "none.such.method"}
    groups = {"sidecar_probes": "lab", "sidecar_explainers": "lab", "sidecar_load_generators": "driver"}
    children = {group: {"hosts": {host: {}}} for group, host in groups.items()}
    hosts = {"localhost": local, "lab": local, "driver": driver}
    (inventory / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts, "children": children}}))
    check = judged(lab, tmp_path, str(inventory))
    short = [one["reason_code"] for one in check["shortfalls"]]
    assert "load-not-driven" in short, check["reason"]
    assert seconds_until(lambda: not processes_of(lab), 60) is not None, "the load nobody watches goes on"
