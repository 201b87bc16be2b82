# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a playbook as its user does, with the collection these tests lie in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COLLECTIONS = Path(__file__).parents[7]


@dataclass(frozen=True)
class Play:
    """A finished run: its status, what it printed, and the directory it worked in."""

    status: int
    output: str
    directory: Path

    @property
    def headline(self) -> list[str]:
        """What the report role printed."""
        _before, _marker, printed = self.output.partition("The report in short")
        lines: list[str] = json.loads(printed[printed.index("{") : printed.index("}\n") + 1])["msg"]
        return lines

    @property
    def report(self) -> dict[str, Any]:
        """The newest report."""
        document: dict[str, Any] = json.loads((self.directory / "results/staging/latest/report.json").read_text("utf-8"))
        return document


def play(directory: Path, plays: list[dict[str, Any]], *options: str, inventory: dict[str, Any] | None = None, **environment: str) -> Play:
    """Run the plays. Hosts of the inventory are this machine, and localhost is among them."""
    hosts = {"localhost": {}}
    site = {
        "hosts": hosts,
        "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable},
        "children": inventory or {},
    }
    (directory / "hosts.json").write_text(json.dumps({"all": site}))
    (directory / "play.json").write_text(json.dumps(plays))
    done = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", "-i", "hosts.json", "play.json", *options],
        cwd=directory,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(directory / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_NOCOLOR": "1",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Play(done.returncode, done.stdout, directory)


def tasks(hosts: str, *tasks: dict[str, Any], **play: Any) -> dict[str, Any]:
    """A play of these tasks."""
    return {"hosts": hosts, "gather_facts": False, "tasks": list(tasks), **play}


def gate(**variables: Any) -> dict[str, Any]:
    """The play that ends a run of checks."""
    role = {"name": "report", "ansible.builtin.import_role": {"name": "hypergraph.sidecar.report"}}
    return tasks("localhost:all", role, vars={"sidecar_environment": "staging", "sidecar_required_checks": [], **variables})
