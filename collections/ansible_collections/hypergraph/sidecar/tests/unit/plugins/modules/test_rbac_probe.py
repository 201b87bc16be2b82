# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module rbac_probe as Ansible runs it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.modules import rbac_probe
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.rbac.gateway import TOKENS, gateway
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

GIVEN = [{name: value for name, value in token.items() if value is not None} for token in TOKENS]


def test_it_returns_a_verdict_and_never_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with gateway("anonymous:GET /v1/traces") as running:
        result = run_main(rbac_probe.main, {"base_url": running.url, "tokens": GIVEN}, monkeypatch, capsys)
    assert "failed" not in result
    assert result["changed"] is False
    assert (result["verdict"]["check"], result["verdict"]["reason_code"]) == ("gateway_rbac", "anonymous-allowed")
    assert result["msg"] == "fail: GET /v1/traces with no token: expected 401, observed 200"
    assert not [token["token"] for token in TOKENS if token["token"] in json.dumps(result)]


def test_its_own_arguments_arrive(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with gateway("unknown-401") as running:
        arguments = {
            "base_url": running.url,
            "tokens": GIVEN,
            "unknown_token_status": [401],
            "routes": [{"path": "/v1/usage/{trace_id}", "scope": "traces:read"}],
        }
        result = run_main(rbac_probe.main, arguments, monkeypatch, capsys)
    assert result["verdict"]["status"] == "pass"
    assert result["verdict"]["examined"]["routes"] == 12


def test_check_mode_changes_nothing(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with gateway() as running:
        result = run_main(rbac_probe.main, {"base_url": running.url, "tokens": GIVEN, "_ansible_check_mode": True}, monkeypatch, capsys)
        assert (running.traces, running.hooks) == ({}, {})
    assert result["verdict"]["status"] == "pass"
    assert "check mode" in result["msg"]


def test_its_deadline_ends_it_and_leaves_no_webhook(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with gateway("never-ends") as running:
        arguments = {"base_url": running.url, "tokens": GIVEN, "deadline": 1.5, "trace_deadline": 60}
        result = run_main(rbac_probe.main, arguments, monkeypatch, capsys)
        assert running.hooks == {}
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("error", "deadline-exceeded")
    assert result["verdict"]["examined"]["cells"] > 0


@pytest.mark.parametrize(("argument", "value"), [("missing_scope_status", [200]), ("routes", [{"path": "v1"}])])
def test_a_bad_argument_of_its_own_is_an_error(argument: str, value: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    result = run_main(rbac_probe.main, {"base_url": "http://127.0.0.1:9", "tokens": GIVEN, argument: value}, monkeypatch, capsys)
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("error", "bad-argument")
