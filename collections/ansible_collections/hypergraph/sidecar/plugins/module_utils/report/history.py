# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Previous runs of an environment, as far as a report shows them: the gate, each check's status, and the measurements."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from ..verdict import STATUSES

MAX_RUNS = 20
MAX_BYTES = 16 * 1024 * 1024


def previous_runs(runs: Iterable[Path], schema: str, question: str) -> list[dict[str, Any]]:
    """What the newest of these run directories said to the same question, oldest first. A report that cannot be read is left out."""
    read = (_summary(run / "report.json", schema, question) for run in reversed(list(runs)))
    newest = islice((summary for summary in read if summary is not None), MAX_RUNS)
    return list(newest)[::-1]


def changes(previous: Mapping[str, Any] | None, statuses: Mapping[str, str]) -> list[dict[str, str]]:
    """Checks whose status is another than in the previous run, among those that both runs judged."""
    before = previous["statuses"] if previous else {}
    return [
        {"check": check, "before": before[check], "now": status}
        for check, status in statuses.items()
        if check in before and before[check] != status
    ]


def _summary(path: Path, schema: str, question: str) -> dict[str, Any] | None:
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        report = json.loads(path.read_text("utf-8"))
        if report["schema"] != schema or report["policy"]["question"] != question:
            return None
        return {
            "run_id": str(report["run_id"]),
            "finished": str(report["finished"]),
            "open": report["gate"]["open"] is True,
            "partial": bool(report["scope"]["restrictions"]),
            "statuses": {str(check["check"]): _status(check["status"]) for check in report["checks"]},
            "metrics": {str(check["check"]): _numbers(check["metrics"]) for check in report["checks"]},
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _status(status: Any) -> str:
    if status not in STATUSES:
        raise ValueError(status)
    return str(status)


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): value for name, value in metrics.items() if isinstance(value, (int, float)) and value - value == 0}
