# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module capacity_check as Ansible runs it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.modules import capacity_check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.capacity.plans import arguments
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main


def given(**changes: Any) -> dict[str, Any]:
    """Arguments as a task gives them: without those that have no value."""
    return {name: value for name, value in arguments(**changes).items() if value is not None}


def test_it_returns_a_verdict_and_findings(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    result = run_main(capacity_check.main, given(cpu={"max_replicas": 19}), monkeypatch, capsys)
    assert result["changed"] is False
    assert (result["verdict"]["check"], result["verdict"]["status"]) == ("capacity_attach_rate", "pass")
    assert result["msg"].startswith("pass: 7 assertions hold; examined 2 explainers, 2 assumed service times, 8 rules")
    assert [finding["rule"] for finding in result["findings"]] == ["capacity-overcommitted"]


def test_a_deployment_too_small_is_a_verdict_and_no_failure_of_the_task(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    result = run_main(capacity_check.main, given(cpu={"max_replicas": "4"}), monkeypatch, capsys)
    assert "failed" not in result
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("fail", "capacity-max-too-small")
    assert result["findings"][0]["expected"] == "at least 6 replicas (5 for the peak and 20% slack)"


def test_without_arguments_it_is_skipped(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    result = run_main(capacity_check.main, {}, monkeypatch, capsys)
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("skip", "dependency_missing")
    assert result["findings"] == []


def test_objectives_and_bursts_have_the_defaults_documented(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    params = given()
    for name in ("slo_seconds", "burst_factor", "burst_seconds"):
        del params["workload"][name]
    result = run_main(capacity_check.main, params, monkeypatch, capsys)
    told = result["verdict"]["evidence"]["workload"]
    assert (told["slo_seconds"], told["burst_factor"], told["burst_seconds"]) == ({"sentence": 2.0, "token": 8.0}, 1.0, 0.0)


@pytest.mark.parametrize("number", ["nan", "-1", "inf"])
def test_a_bad_number_is_an_error_that_names_it(number: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    result = run_main(capacity_check.main, given(workload={"peak_chat_rate": number}), monkeypatch, capsys)
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("error", "bad-argument")
    assert "workload.peak_chat_rate is" in result["verdict"]["reason"]
