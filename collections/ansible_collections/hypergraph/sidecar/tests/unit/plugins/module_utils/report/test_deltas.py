# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements beside the previous run: the last that has them, with a sign and a share."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.report import html, markdown
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.deltas import Delta, deltas
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.report.documents import TEMPLATES, registered, report


def run(day: int, **metrics: float) -> dict[str, Any]:
    return {
        "run_id": str(day),
        "finished": f"2030-11-{day:02}T12:00:00.000Z",
        "open": True,
        "partial": False,
        "statuses": {"slo_adherence": "pass"},
        "metrics": {"slo_adherence": metrics, "preflight": {"chat_steady_p95_ms": 1.0}},
    }


def test_the_last_run_that_has_a_measurement_counts() -> None:
    history = [run(1, a=1.0, b=8.0), run(2, a=4.0), run(3)]
    found = deltas({"check": "slo_adherence", "metrics": {"a": 3.0, "b": 10.0, "c": 7.0}}, history)
    assert found == {"a": Delta(4.0, -1.0, "2030-11-02T12:00:00.000Z"), "b": Delta(8.0, 2.0, "2030-11-01T12:00:00.000Z")}


@pytest.mark.parametrize(
    ("delta", "says"),
    [
        (Delta(231.0, 71.6, ""), "+71.6 (+31 %)"),
        (Delta(231.0, -71.6, ""), "-71.6 (-31 %)"),
        (Delta(0, 3, ""), "+3"),
        (Delta(-2.0, -1.0, ""), "-1 (-50 %)"),
        (Delta(5.0, 0.0, ""), "unchanged"),
    ],
)
def test_a_delta_has_its_sign_and_its_share(delta: Delta, says: str) -> None:
    assert str(delta) == says


def test_both_reports_have_them() -> None:
    verdict = Verdict("slo_adherence", host="probe")
    verdict.expect("met", True, reason_code="slo-missed")
    verdict.examine("requests", 1)
    verdict.measure("chat_steady_p95_ms", 302.5)
    document = report(registered(verdict.to_dict()), previous=[run(19, chat_steady_p95_ms=200.0), run(20, chat_steady_p95_ms=250.0)])
    page, text = html.render(document, TEMPLATES), markdown.render(document, TEMPLATES)
    assert '<span class="delta">+52.5 (+21 %)</span>' in page
    assert "since 2030-11-20 12:00:00 UTC, when it was 250" in page
    assert "- Measured `chat_steady_p95_ms`: 302.5, \\+52.5 (+21 %) since 2030-11-20 12:00:00 UTC, when it was 250" in text
