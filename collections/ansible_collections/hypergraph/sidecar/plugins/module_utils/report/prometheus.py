# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as OpenMetrics text, for a textfile collector or a push: gate, statuses, scope, durations and measurements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..gate import NOT_RUN, WORST_FIRST
from ..rfc3339 import parse_utc


def render(report: Mapping[str, Any]) -> str:
    """The exposition, ending in ``# EOF``. Each check has one status series of value 1 and the others at 0, so that a change is a step."""
    from prometheus_client import CollectorRegistry, Gauge
    from prometheus_client.openmetrics.exposition import generate_latest

    registry = CollectorRegistry()
    environment = report["environment"]

    def gauge(name: str, text: str, *labels: str, unit: str = "") -> Gauge:
        return Gauge(f"sidecar_{name}", text, ("environment", *labels), unit=unit, registry=registry)

    gate = gauge("gate_open", "1 if the answer to what the gate was asked is yes, else 0.", "question")
    gate.labels(environment, report["policy"]["question"]).set(report["gate"]["open"])
    began, ended = (parse_utc(report[name]).timestamp() for name in ("started", "finished"))
    gauge("report_started_timestamp", "When the first check began.", unit="seconds").labels(environment).set(began)
    gauge("report_timestamp", "When the report was written.", unit="seconds").labels(environment).set(ended)
    status = gauge("check_status", "1 for the status a check has, 0 for those it has not.", "check", "status")
    examined = gauge("check_examined", "How many objects a check looked at.", "check", "unit")
    duration = gauge("check_duration", "How long a check took on its slowest host.", "check", unit="seconds")
    measurement = gauge("check_measurement", "Numbers that a check measured; their names end in their unit.", "check", "name")
    statuses = {check["check"]: check["status"] for check in report["checks"]}
    statuses.update((check, NOT_RUN) for check, absent in report["not_run"].items() if absent["required"])
    for check, current in statuses.items():
        for known in WORST_FIRST:
            status.labels(environment, check, known).set(known == current)
    for check in report["checks"]:
        duration.labels(environment, check["check"]).set(check["duration_ms"] / 1000)
        for unit, count in check["examined"].items():
            examined.labels(environment, check["check"], unit).set(count)
        for name, value in check["metrics"].items():
            measurement.labels(environment, check["check"], name).set(value)
    exposition: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return exposition.decode()
