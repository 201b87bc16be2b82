"""A chaos playbook under way, to be disturbed, and what it could leave."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import Lab
from tests.running import CHECKOUT, environment

TTL = 8
RENEW_WITHIN = 6
GRACE = 5
BEFORE = '{"of-another-team": {"x": 1}}'
# One fault that is in force most of the time.
BRIEF = {
    "sidecar_chaos_ttl": TTL,
    "sidecar_chaos_renew_within": RENEW_WITHIN,
    # A round of watching has to fit into the lease, or the fault is not put into force at all.
    "sidecar_chaos_shows_within": 1,
    "sidecar_chaos_traces": 2,
    "sidecar_chaos_chats": 2,
    "sidecar_trace_deadline": 2.9,
    "sidecar_chaos_experiments": [
        {
            "fault": "slow-sae",
            "parameters": {"percent": 100, "jitter_ms": 2000},
            "seen": {"symptom": "slower", "by_seconds": 0.6},
        }
    ],
}


def struck(journal: Path) -> str:
    """Whether the fault of a trial was in force, for a template."""
    return f"""'"percent": 100' in (lookup('ansible.builtin.file', '{journal}', errors='ignore') | default('', true))"""


def broken_when_struck(journal: Path) -> str:
    """A template of a timeout that cannot be resolved any more then."""
    return f"{{{{ lookup('ansible.builtin.file', '/no-such-file') if {struck(journal)} else 10 }}}}"


@contextmanager
def experiment(lab: Lab, results: Path, inventory: Path | str = "inventories/lab") -> Iterator[subprocess.Popen[bytes]]:
    """The chaos playbook under way."""
    variables = {**BRIEF, "sidecar_results_dir": str(results), "sidecar_chaos_trials": 8}
    controller = subprocess.Popen(
        ["ansible-playbook", "playbooks/chaos.yml", "-i", str(inventory), "-e", json.dumps(variables)],
        cwd=CHECKOUT,
        env=environment(SIDECAR_LAB_STATE=str(lab.state)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield controller
    finally:
        if controller.poll() is None:
            controller.kill()
        controller.wait()


def processes_of(lab: Lab) -> list[str]:
    """Command lines of chaos modules, their dead-men among them, that run with this lab's environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            variables = (process / "environ").read_bytes()
        except OSError:
            continue
        if f"SIDECAR_LAB_STATE={lab.state}\0".encode() in variables and ("AnsiballZ" in command or "ansible" in command):
            found.append(f"{process.name}: {command}")
    return found


def seconds_until(holds: Callable[[], bool], limit: float) -> float | None:
    """How long it took to hold; None where it did not in time."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > limit:
            return None
        time.sleep(0.05)
    return time.monotonic() - began


@contextmanager
def full_disk(place: Path) -> Iterator[Path]:
    """A small file system; the function fills it to the last byte."""
    disk = place / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Leave no byte free."""
    with (disk / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"x" * 512)
        except OSError:
            pass
