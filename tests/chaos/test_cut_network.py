"""The network between the controller and the explainer's host is cut in the middle of a fault: the target helps itself.

The target is an SSH server in a network namespace of its own, on a pair of virtual links; it shares this machine's files, and so the lab's.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.experimenting import BEFORE, GRACE, TTL, experiment, seconds_until
from tests.conftest import Lab

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


def _may_make_namespaces() -> bool:
    if os.geteuid() != 0 or not Path(SSHD).exists() or not shutil.which("ip") or not shutil.which("ssh"):
        return False
    return subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _may_make_namespaces(), reason="needs root, network namespaces, and sshd")


@dataclass(frozen=True)
class Target:
    """A host that is reached over a link which can be cut."""

    address: str
    link: str
    key: Path

    def cut(self) -> None:
        """Let no packet pass any more."""
        subprocess.run(["ip", "link", "set", self.link, "down"], check=True)

    def inventory(self, place: Path, checkout_inventory: Path) -> Path:
        """The lab's inventory, with the explainer on this host."""
        folder = place / "inventory"
        folder.mkdir()
        (folder / "group_vars").symlink_to(checkout_inventory / "group_vars")
        local = "ansible_connection: local, ansible_python_interpreter: '{{ ansible_playbook_python }}'"
        options = f"-i {self.key} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ControlMaster=no -o ServerAliveInterval=3"
        ssh = {
            "ansible_host": self.address,
            "ansible_user": "root",
            "ansible_ssh_common_args": options,
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        }
        (folder / "hosts.yml").write_text(
            "all:\n  hosts:\n"
            f"    localhost: {{{local}}}\n    lab: {{{local}}}\n    far: {json.dumps(ssh)}\n"
            "  children:\n    sidecar_probes: {hosts: {lab: {}}}\n    sidecar_explainers: {hosts: {far: {}}}\n"
        )
        return folder


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    """The namespace, its link and its SSH server, gone afterwards."""
    name = f"sc{secrets.token_hex(3)}"
    near, far = f"{name}h", f"{name}t"
    # TEST-NET-2 of RFC 5737.
    here, there = "198.51.100.1", "198.51.100.2"
    host_key, key = tmp_path / "host_key", tmp_path / "key"
    for path in (host_key, key):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    (tmp_path / "authorized").write_text((tmp_path / "key.pub").read_text())
    Path("/run/sshd").mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        subprocess.run(["ip", "netns", "add", name], check=True)
        stack.callback(subprocess.run, ["ip", "netns", "delete", name], check=True)
        for command in (
            f"ip link add {near} type veth peer name {far} netns {name}",
            f"ip address add {here}/30 dev {near}",
            f"ip link set {near} up",
            f"ip -n {name} address add {there}/30 dev {far}",
            f"ip -n {name} link set {far} up",
            f"ip -n {name} link set lo up",
        ):
            subprocess.run(command.split(), check=True)
        options = {
            "ListenAddress": there,
            "HostKey": host_key,
            "AuthorizedKeysFile": tmp_path / "authorized",
            "StrictModes": "no",
            "UsePAM": "no",
            "PermitRootLogin": "prohibit-password",
            "PidFile": "none",
        }
        server = subprocess.Popen(
            ["ip", "netns", "exec", name, SSHD, "-D", "-e", "-f", "/dev/null", *(f"-o{k}={v}" for k, v in options.items())],
            stderr=subprocess.DEVNULL,
        )
        stack.callback(server.wait)
        stack.callback(server.kill)
        yield Target(there, near, key)


def test_a_fault_behind_a_cut_network_ends_in_time(start_lab: object, target: Target, tmp_path: Path) -> None:
    lab: Lab = start_lab()  # type: ignore[operator]
    control = Path(lab.facts["paths"]["chaos_control"])
    control.write_text(BEFORE)
    lease = Path(f"{control}.run") / "lease.json"
    checkout_inventory = Path(__file__).parents[2] / "inventories/lab"

    def striking() -> bool:
        return bool(json.loads(control.read_text()).get("slow-sae", {}).get("percent") == 100)

    with experiment(lab, tmp_path, target.inventory(tmp_path, checkout_inventory)):
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
