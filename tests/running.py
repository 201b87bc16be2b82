"""Running the product as its user does: `ansible-playbook` on an inventory, and reading the report it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parent.parent
RUNTIME_CHECKS = ("gateway_rbac", "trace_workflow", "tenant_isolation", "observability", "audit_pii", "api_versioning")
LOAD_CHECKS = ("slo_adherence",)
PRESSURE_CHECKS = ("backpressure",)
CHAOS_CHECKS = ("chaos_recovery",)
STATIC_CHECKS = ("deploy_artifacts", "autoscaling_policies", "capacity_attach_rate")


@dataclass(frozen=True)
class Run:
    """A finished ansible-playbook with the report-1 document it wrote, if it got so far."""

    returncode: int
    output: str
    results: Path

    @property
    def directory(self) -> Path:
        """Where the newest report of the run's environment lies."""
        return next(self.results.glob("*/latest")).resolve()

    @property
    def report(self) -> dict[str, Any]:
        """The newest report."""
        document: dict[str, Any] = json.loads((self.directory / "report.json").read_text())
        return document

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        """Merged results by check id."""
        return {check["check"]: check for check in self.report["checks"]}

    @property
    def statuses(self) -> dict[str, str]:
        """Status by check id."""
        return {check: result["status"] for check, result in self.checks.items()}

    @property
    def was_late(self) -> bool:
        """Whether it says that this machine was too busy to send load when it was due."""
        unsure = (check for check in self.checks.values() if check["status"] == "inconclusive")
        return any(one["reason_code"] == "generator-unhealthy" for check in unsure for one in check["shortfalls"])

    def first_lines(self) -> str:
        """What report.md says in its first three lines that are not blank."""
        lines = [line for line in (self.directory / "report.md").read_text().splitlines() if line.strip()]
        return "\n".join(lines[:3])


def environment(**extra: str) -> dict[str, str]:
    """The environment of a child process: this checkout's configuration and this interpreter's programs first."""
    return {
        **os.environ,
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        **extra,
    }


def started(name: str, *arguments: str, results: Path, inventory: Path | str = "inventories/lab", **env: str) -> subprocess.Popen[str]:
    """A playbook of the checkout that runs, in a process group of its own; its results go to a directory of the test."""
    return subprocess.Popen(
        [
            "ansible-playbook",
            f"playbooks/{name}.yml",
            "-i",
            str(inventory),
            "-e",
            json.dumps({"sidecar_results_dir": str(results)}),
            *arguments,
        ],
        cwd=CHECKOUT,
        env=environment(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def playbook(name: str, *arguments: str, results: Path, inventory: Path | str = "inventories/lab", **env: str) -> Run:
    """Run a playbook of the checkout to its end."""
    running = started(name, *arguments, results=results, inventory=inventory, **env)
    try:
        output, _nothing = running.communicate()
    except BaseException:
        os.killpg(running.pid, signal.SIGINT)
        running.wait()
        raise
    return Run(running.returncode, output, results)
