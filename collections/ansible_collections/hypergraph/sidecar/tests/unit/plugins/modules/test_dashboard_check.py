# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module dashboard_check as Ansible runs it, against services that really expose metrics."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.modules import dashboard_check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.metrics.metrics_service import (
    EXPLAINER,
    GATEWAY,
    MetricsService,
    Reply,
    serving,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

GOOD = "sum by (code) (rate(http_requests_total[$__rate_interval]))"
ALERT = """\
groups:
  - name: g
    rules:
      - alert: Waits
        expr: max(explainer_queue_lag_seconds) > 8
        labels: {severity: critical}
        annotations: {summary: Explanations wait., runbook_url: "https://runbooks.example.org/waits"}
"""
SCRAPE = '# TYPE http_requests_total counter\nhttp_requests_total{code="200"} 1\n'


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Runs the module with panels of these queries, and whatever else is given."""

    def run_check(*queries: str, templating: Any = None, **options: Any) -> dict[str, Any]:
        if queries or templating is not None:
            panels = [{"title": f"P{number}", "targets": [{"refId": "A", "expr": text}]} for number, text in enumerate(queries)]
            (tmp_path / "d.json").write_text(
                json.dumps({"panels": panels, "templating": {"list": templating or []}}, indent=1), encoding="utf-8"
            )
            options.setdefault("dashboard_paths", [str(tmp_path / "d.json")])
        result = run_main(dashboard_check.main, {"base_url": "http://127.0.0.1:1", **options}, monkeypatch, capsys)
        assert "failed" not in result
        assert result["changed"] is False
        verdict: dict[str, Any] = result["verdict"]
        assert verdict["check"] == "observability"
        run_check.findings = result.get("findings")
        return verdict

    return run_check


@pytest.fixture
def saved(tmp_path: Path) -> dict[str, Any]:
    """Arguments that name a saved scrape."""
    (tmp_path / "gateway.prom").write_text(SCRAPE, encoding="utf-8")
    return {"scrape_paths": [str(tmp_path / "gateway.prom")]}


def endpoints(service: MetricsService) -> list[dict[str, Any]]:
    gateway = {"name": "gateway", "url": service.url + GATEWAY, "families": [{"name": "not_examined_here", "type": "gauge"}]}
    return [gateway, {"name": "explainer", "url": service.url + EXPLAINER}]


def test_live_endpoints_and_rules(check: Any, tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(ALERT, encoding="utf-8")
    with serving(MetricsService()) as service:
        verdict = check(GOOD, "kube_node_info", endpoints=endpoints(service), rules_paths=[str(tmp_path / "alerts.yaml")])
        assert service.chats_sent == 0
    assert verdict["status"] == "pass", verdict["reason"]
    assert verdict["examined"] == {"dashboards": 1, "queries": 3, "endpoints": 2, "rules": 10, "metrics": 2}
    assert verdict["evidence"]["external_metrics"] == ["kube_node_info"]
    assert "1 metrics of other systems: kube_node_info" in verdict["reason"]
    assert "explainer_jobs_total" in verdict["evidence"]["metrics_exported_and_not_queried"]


def test_a_finding_has_its_place(check: Any, saved: dict[str, Any], tmp_path: Path) -> None:
    verdict = check(GOOD, "sum(http_request_total)", **saved)
    assert (verdict["status"], verdict["reason_code"]) == ("fail", "metric-not-exported")
    (finding,) = check.findings
    written = (tmp_path / "d.json").read_text(encoding="utf-8").splitlines()
    assert "http_request_total" in written[finding["line"] - 1]
    assert (finding["file"], finding["path"]) == (str(tmp_path / "d.json"), ["panels", 1, "targets", 0, "expr"])
    assert "the nearest is http_requests_total" in finding["observed"]


def test_rules_can_be_switched_off_and_warnings_on(check: Any, saved: dict[str, Any]) -> None:
    off = check("http_requests_total", disabled_rules=["counter-used-raw"], **saved)
    assert (off["status"], off["evidence"]["rules_disabled"]) == ("pass", ["counter-used-raw"])
    assert check(GOOD, disabled_rules=["nonsense"], **saved)["reason_code"] == "unknown-rule"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "no metrics endpoint and no saved scrape is given"),
        ({"endpoints": [{"name": "gateway", "url": ""}]}, "no metrics endpoint and no saved scrape is given"),
    ],
)
def test_without_metrics_it_is_skipped(check: Any, given: dict[str, Any], reason: str) -> None:
    verdict = check(GOOD, **given)
    assert (verdict["status"], verdict["reason_code"]) == ("skip", "dependency_missing")
    assert reason in verdict["reason"]


def test_without_artifacts_it_is_skipped(check: Any, saved: dict[str, Any]) -> None:
    verdict = check(**saved)
    assert verdict["status"] == "skip"
    assert [skip["action"] for skip in verdict["skips"]] == [
        "Set sidecar_dashboard_paths.",
        "Set sidecar_rules_paths.",
        "Set sidecar_chart_path.",
    ]


def test_no_query_is_no_pass(check: Any, saved: dict[str, Any]) -> None:
    verdict = check(templating=[], **saved)
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "nothing-examined")


def test_queries_of_other_systems_alone_are_no_pass(check: Any, saved: dict[str, Any]) -> None:
    verdict = check("kube_node_info", **saved)
    assert (verdict["status"], verdict["reason"]) == ("inconclusive", "0 metrics examined")


def test_what_is_exported_is_examined_whatever_the_patterns_say(check: Any, saved: dict[str, Any]) -> None:
    verdict = check("http_requests_total", external_metrics=["*"], **saved)
    assert (verdict["reason_code"], verdict["examined"]["metrics"]) == ("counter-used-raw", 1)


def test_a_variable_without_value_is_told(check: Any, saved: dict[str, Any]) -> None:
    verdict = check(GOOD, "max($metric)", **saved)
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "variable-without-value")
    assert "variable metric" in verdict["reason"]


def test_labels_of_a_family_without_series_are_told(check: Any, tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_text("# TYPE a gauge\n# TYPE b gauge\nb 1\n", encoding="utf-8")
    verdict = check("a + b", scrape_paths=[str(tmp_path / "a.prom")])
    assert verdict["status"] == "pass"
    assert "the labels of a, which have no series yet" in verdict["reason"]


@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (Reply(404, b""), "inconclusive", "metrics-absent"),
        (Reply(200, b"<html>", {"content-type": "text/html"}), "inconclusive", "metrics-wrong-content-type"),
        (Reply(200, b"a{ 1\n", {"content-type": "text/plain; version=0.0.4"}), "inconclusive", "exposition-invalid"),
        (Reply(401, b""), "error", "metrics-refused"),
    ],
)
def test_an_endpoint_without_metrics_leaves_a_gap(check: Any, reply: Reply, status: str, code: str) -> None:
    with serving(MetricsService()) as service:
        service.instead[EXPLAINER] = reply
        verdict = check(GOOD, "max(explainer_queue_lag_seconds)", endpoints=endpoints(service))
        worse = check("http_requests_total", endpoints=endpoints(service))
    assert (verdict["status"], verdict["reason_code"]) == (status, code)
    assert [one["reason_code"] for one in verdict["shortfalls"]][-1] == "scrape-incomplete"
    assert worse["reason_code"] == "counter-used-raw"


def test_no_endpoint_answers(check: Any) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        verdict = check(GOOD, endpoints=[{"name": "gateway", "url": f"http://127.0.0.1:{bound.getsockname()[1]}/metrics"}])
    assert verdict["status"] == "error"
    assert not verdict["assertions"]


def test_an_endpoint_without_url_leaves_a_gap(check: Any) -> None:
    with serving(MetricsService()) as service:
        one = [*endpoints(service)[:1], {"name": "explainer", "url": ""}]
        verdict = check(GOOD, "max(explainer_queue_lag_seconds)", endpoints=one)
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "scrape-incomplete")
    assert "explainer_queue_lag_seconds" in verdict["reason"]


@pytest.mark.parametrize("argument", [{"scrape_interval": 0}, {"max_bytes": -1}])
def test_arguments_that_make_no_sense(check: Any, saved: dict[str, Any], argument: dict[str, Any]) -> None:
    verdict = check(GOOD, **saved, **argument)
    assert (verdict["status"], verdict["reason_code"]) == ("error", "bad-argument")
    assert next(iter(argument)) in verdict["reason"]


def test_the_scrape_interval_decides_on_windows(check: Any, saved: dict[str, Any]) -> None:
    query = "rate(http_requests_total[1m])"
    assert check(query, **saved)["status"] == "pass"
    assert check(query, scrape_interval=60, **saved)["reason_code"] == "window-too-short"
