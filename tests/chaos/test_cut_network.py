"""The network between the controller and the explainer's host is cut in the middle of a fault: the target helps itself.

The target is an SSH server in a network namespace of its own, on a pair of virtual links; it shares this machine's files, and so the lab's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.experimenting import BEFORE, GRACE, TTL, experiment, seconds_until
from tests.conftest import Lab
from tests.running import CHECKOUT
from tests.ssh_hosts import SshHost, needs_ssh_hosts, ssh_hosts

pytestmark = needs_ssh_hosts


@pytest.fixture
def target() -> Iterator[SshHost]:
    """The explainer's host."""
    with ssh_hosts("far") as hosts:
        yield hosts["far"]


def inventory(target: SshHost, place: Path) -> Path:
    """The lab's inventory, with the explainer on this host."""
    folder = place / "inventory"
    folder.mkdir()
    (folder / "group_vars").symlink_to(CHECKOUT / "inventories/lab/group_vars")
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    # A connection of its own for each task notices the cut.
    options = f"{target.variables()['ansible_ssh_common_args']} -o ControlMaster=no -o ServerAliveInterval=3"
    hosts = {"localhost": local, "lab": local, "far": target.variables(ansible_ssh_common_args=options, ansible_control_path="none")}
    children = {"sidecar_probes": {"hosts": {"lab": {}}}, "sidecar_explainers": {"hosts": {"far": {}}}}
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts, "children": children}}))
    return folder


def test_a_fault_behind_a_cut_network_ends_in_time(start_lab: object, target: SshHost, tmp_path: Path) -> None:
    lab: Lab = start_lab()  # type: ignore[operator]
    control = Path(lab.facts["paths"]["chaos_control"])
    control.write_text(BEFORE)
    lease = Path(f"{control}.run") / "lease.json"

    def striking() -> bool:
        return bool(json.loads(control.read_text()).get("slow-sae", {}).get("percent") == 100)

    with experiment(lab, tmp_path, inventory(target, tmp_path)):
        assert seconds_until(striking, 60) is not None
        dead_man = json.loads(lease.read_text())["dead_man_pid"]
        target.cut()
        took = seconds_until(lambda: control.read_text() == BEFORE, TTL + GRACE)
        assert took is not None, control.read_text()
        assert took > 0.5, "taken back too soon for the dead-man: the link was not cut"
    assert seconds_until(
        lambda: not Path(f"/proc/{dead_man}/cmdline").exists() or not Path(f"/proc/{dead_man}/cmdline").read_bytes(), GRACE
    )
    assert not lease.exists()
    journal = (lease.parent / "journal.jsonl").read_text().splitlines()
    assert json.loads(journal[-1])["by"] == "dead-man"
