# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module audit_check as Ansible runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.drive import ACTIONS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.patterns import RULES
from ansible_collections.hypergraph.sidecar.plugins.modules import audit_check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.audited_gateway import TOKENS, AuditedGateway
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

GIVEN = [{"name": t.name, "token": t.value, "tenant_id": t.tenant_id, "scopes": sorted(t.scopes), "subject": t.subject} for t in TOKENS]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[AuditedGateway]:
    serving = AuditedGateway(tmp_path / "audit.log")
    serving.start()
    yield serving
    serving.stop()


def test_its_defaults_examine_everything(gateway: AuditedGateway, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    arguments = {"base_url": gateway.url, "tokens": GIVEN, "path": str(gateway.log)}
    result = run_main(audit_check.main, arguments, monkeypatch, capsys)
    verdict = result["verdict"]
    assert (result["changed"], verdict["check"], verdict["status"]) == (False, "audit_pii", "pass"), verdict["reason"]
    assert verdict["skips"] == []
    assert verdict["metrics"]["audit_read_megabytes"] > 0
    result.pop("invocation")
    told = json.dumps(result)
    assert not any(token.value in told for token in TOKENS)


def test_an_unreachable_gateway_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    (tmp_path / "audit.log").write_text("")
    arguments = {"base_url": "http://127.0.0.1:1", "tokens": GIVEN, "path": str(tmp_path / "audit.log")}
    verdict = run_main(audit_check.main, arguments, monkeypatch, capsys)["verdict"]
    assert (verdict["status"], verdict["reason_code"]) == ("error", "service-unreachable")


def test_a_missing_log_is_a_verdict_and_no_failure(gateway: AuditedGateway, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    arguments = {"base_url": gateway.url, "tokens": GIVEN, "path": str(gateway.log.with_name("none.log")), "settle": 0.1}
    result = run_main(audit_check.main, arguments, monkeypatch, capsys)
    assert "failed" not in result
    assert result["msg"].startswith("error: audit log ")
    assert result["verdict"]["reason_code"] == "audit-log-missing"


def test_a_rule_that_is_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    arguments = {"base_url": "http://127.0.0.1:1", "allow": [{"rule": "e-mail", "field": "subject"}]}
    result = run_main(audit_check.main, arguments, monkeypatch, capsys)
    assert result["failed"]
    assert "authorization, key, email, iban, card, phone" in result["msg"]


def test_its_documentation_names_what_there_is() -> None:
    options = yaml.safe_load(audit_check.DOCUMENTATION)["options"]
    assert options["allow"]["suboptions"]["rule"]["choices"] == list(RULES)
    assert all(f"C({action})" in " ".join(options["action_names"]["description"]) for action in ACTIONS)
