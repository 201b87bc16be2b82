# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the engine as a test asks, and reading what it wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection, Token
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.engine import Run, run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.plan import ARGUMENTS, Plan, plan
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.reading import read

WRITER = Token("alpha-writer", "Zq8vX3c9K1m2n3p4", "alpha", frozenset({"traces:write", "traces:read"}))
READER = Token("alpha-reader", "Rq8vX3c9K1m2n3p5", "alpha", frozenset({"traces:read"}))
SUBMITTER = Token("alpha-submitter", "Sq8vX3c9K1m2n3p6", "alpha", frozenset({"traces:write"}))


def arguments(**told: Any) -> dict[str, Any]:
    """A module's arguments with their defaults, but for a run that takes half a second."""
    brief = {"directory": "/nonexistent", "duration": 0.5, "warmup": 0.0, "concurrency": 2, "attach_rate": 0.0, "slo_ms": {}}
    return {**{name: spec.get("default") for name, spec in ARGUMENTS.items()}, **brief, **told}


def planned(connection: Connection | None = None, **told: Any) -> Plan:
    return plan(arguments(**told), connection or Connection("http://gateway.example", (WRITER,)))


def drive(
    url: str,
    directory: Path,
    timeout: float = 5.0,
    connection: dict[str, Any] | None = None,
    start_at: float | None = None,
    **told: Any,
) -> dict[str, Any]:
    """Run and return the summary, which is the one on disk and can be judged."""
    spoken = Connection(url, **{"tokens": (WRITER,), "timeout": timeout, **(connection or {})})
    summary = run(planned(spoken, **told), spoken, Run(directory, start_at=start_at))
    assert read(str(directory / "summary.json")) == summary
    return summary


def records(directory: Path, name: str = "chat") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / f"{name}_results.jsonl").read_text().splitlines()]


def total(summary: dict[str, Any], name: str = "chat") -> dict[str, Any]:
    """Counts of a class over all phases, and its errors."""
    phases = list(summary["classes"].get(name, {}).values())
    errors: dict[str, int] = {}
    for measured in phases:
        for error, count in measured["errors"].items():
            errors[error] = errors.get(error, 0) + count
    return {**{key: sum(measured[key] for measured in phases) for key in ("count", "ok", "exceeding", "censored")}, "errors": errors}


DRIVER = """
import json, sys
from pathlib import Path
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.runs import drive
drive(sys.argv[1], Path(sys.argv[2]), **json.loads(sys.argv[3]))
"""


def driving(url: str, directory: Path, *, begun: bool = True, **told: Any) -> subprocess.Popen[bytes]:
    """A run in a process of its own, after the first of its records is on disk, or with ``begun`` False, after their file is."""
    arguments = [sys.executable, "-c", DRIVER, url, str(directory), json.dumps({"duration": 60.0, **told})]
    process = subprocess.Popen(arguments, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, stderr=subprocess.PIPE)
    file = directory / "chat_results.jsonl"
    give_up = time.monotonic() + 60
    while not (file.exists() and (file.stat().st_size or not begun)):
        assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
        assert time.monotonic() < give_up
        time.sleep(0.02)
    return process
