# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module tenant_probe as Ansible runs it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.modules import tenant_probe
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.tenant_service import TENANTS, TenantService, serving
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

TOKENS = [
    {"name": f"{tenant}-writer", "token": value, "tenant_id": tenant, "scopes": ["traces:read", "traces:write"]}
    for value, tenant in list(TENANTS.items())[:2]
]


def test_it_returns_a_verdict_and_never_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(TenantService(("graph",))) as service:
        result = run_main(tenant_probe.main, {"base_url": service.url, "tokens": TOKENS}, monkeypatch, capsys)
    assert "failed" not in result
    assert result["changed"] is False
    assert result["verdict"]["check"] == "tenant_isolation"
    assert result["verdict"]["reason_code"] == "foreign-graph-readable"
    assert result["msg"] == f"fail: {result['verdict']['reason']}"


def test_no_token_is_in_its_result(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(TenantService(("echo",))) as service:
        result = run_main(tenant_probe.main, {"base_url": service.url, "tokens": TOKENS}, monkeypatch, capsys)
    result.pop("invocation")
    assert result["verdict"]["reason_code"] == "canary-leaked"
    assert not [token for token in TENANTS if token in json.dumps(result)]


def test_an_unreachable_service_is_an_error(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(TenantService()) as service:
        url = service.url
    result = run_main(tenant_probe.main, {"base_url": url, "tokens": TOKENS}, monkeypatch, capsys)
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("error", "service-unreachable")


def test_check_mode_asks_nothing(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(TenantService()) as service:
        arguments = {"base_url": service.url, "tokens": TOKENS, "_ansible_check_mode": True}
        result = run_main(tenant_probe.main, arguments, monkeypatch, capsys)
        assert service.traces == {}
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("skip", "disabled_by_config")


def test_its_deadline_ends_it_and_leaves_no_webhook(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(TenantService(reads=10_000)) as service:
        arguments = {"base_url": service.url, "tokens": TOKENS, "deadline": 0.3}
        result = run_main(tenant_probe.main, arguments, monkeypatch, capsys)
        assert service.hooks == {}
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("error", "deadline-exceeded")
