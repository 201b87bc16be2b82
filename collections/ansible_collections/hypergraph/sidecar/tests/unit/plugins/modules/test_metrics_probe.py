# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module metrics_probe as Ansible runs it."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.modules import metrics_probe
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.metrics.metrics_service import (
    EXPLAINER,
    GATEWAY,
    TOKEN,
    MetricsService,
    Reply,
    serving,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

WRITER = {"name": "alpha-writer", "token": TOKEN, "tenant_id": "alpha", "scopes": ["traces:read", "traces:write"]}


def arguments(service: MetricsService, **options: Any) -> dict[str, Any]:
    endpoints = [{"name": "gateway", "url": service.url + GATEWAY}, {"name": "explainer", "url": service.url + EXPLAINER}]
    return {"base_url": service.url, "tokens": [WRITER], "endpoints": endpoints, "settle": 0.05, **options}


def test_it_returns_a_verdict_and_never_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(MetricsService("request-label")) as service:
        result = run_main(metrics_probe.main, arguments(service), monkeypatch, capsys)
    assert "failed" not in result
    assert result["changed"] is False
    assert (result["verdict"]["check"], result["verdict"]["reason_code"]) == ("observability", "cardinality-grows")
    assert result["msg"] == f"fail: {result['verdict']['reason']}"
    assert TOKEN not in json.dumps(result["verdict"])


def test_families_of_an_own_service_are_taken_as_given(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    families = [
        {"name": "chat_requests_total", "type": "counter", "driven": "chats"},
        {"name": "http_requests_total", "type": "counter", "labels": {"code": ["200", "202"]}, "driven": "chats"},
    ]
    with serving(MetricsService()) as service:
        own = {"name": "router", "url": service.url + GATEWAY, "families": families}
        result = run_main(metrics_probe.main, arguments(service, endpoints=[own]), monkeypatch, capsys)
    assert result["verdict"]["reason_code"] == "counter-frozen"
    assert "http_requests_total{code=202} by 0 (absent; code is 200)" in result["verdict"]["reason"]
    assert result["verdict"]["examined"]["expected families"] == 2


def test_check_mode_sends_no_chats(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(MetricsService()) as service:
        result = run_main(metrics_probe.main, arguments(service, _ansible_check_mode=True), monkeypatch, capsys)
    assert result["verdict"]["status"] == "pass"
    assert service.chats_sent == 0


class HangsLate(MetricsService):
    """Its explainer no longer answers scrapes once so many chats were sent."""

    def __init__(self, after: int) -> None:
        super().__init__("serial-label")
        self._after = after
        self.over = threading.Event()

    def metrics(self, path: str) -> Reply:
        if path == EXPLAINER and self.chats_sent >= self._after:
            self.over.wait(30)
        return super().metrics(path)


@pytest.mark.parametrize("after", [5, 35])
def test_a_round_that_the_deadline_cuts_off_is_not_judged(after: int, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(HangsLate(after)) as service:
        result = run_main(metrics_probe.main, arguments(service, deadline=2), monkeypatch, capsys)
        service.over.set()
    verdict = result["verdict"]
    assert [error["reason_code"] for error in verdict["errors"]] == ["deadline-exceeded"]
    assert verdict["errors"][0]["reason"].startswith("the check did not finish")
    assert "counter-frozen" not in {item["reason_code"] for item in verdict["assertions"]}
    seen = verdict["evidence"]
    assert {endpoint["scrapes"] for endpoint in seen["endpoints"].values()} == {len(seen["rounds"]) + 1}


def test_an_endpoint_that_the_deadline_left_no_time_for_is_not_judged(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(HangsLate(0)) as service:
        result = run_main(metrics_probe.main, arguments(service, deadline=1), monkeypatch, capsys)
        service.over.set()
    verdict = result["verdict"]
    assert (verdict["status"], verdict["reason_code"]) == ("error", "deadline-exceeded")
    assert {item["name"].split()[0] for item in verdict["assertions"] if item["name"].startswith(("gateway", "explainer"))} == {"gateway"}
    assert verdict["evidence"]["endpoints"]["explainer"]["scrapes"] == 0


def test_its_deadline_ends_it_and_what_was_seen_is_still_judged(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(MetricsService("renamed", reads=10_000)) as service:
        result = run_main(metrics_probe.main, arguments(service, deadline=1), monkeypatch, capsys)
    assert result["verdict"]["reason_code"] == "family-missing"
    assert [error["reason_code"] for error in result["verdict"]["errors"]] == ["deadline-exceeded"]
