# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the whole check is run with and under: arguments, tokens, check mode, an open gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.audited_gateway import (
    READER,
    WRITER,
    AuditedGateway,
    Call,
    as_line,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.judged_log import verdict_of
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.miswritten_entries import raw_snippet


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"max_bytes": -1}, "bad-argument"),
        ({"settle": 0}, "bad-argument"),
        ({"action_names": {"chat": "x"}}, "bad-action-name"),
        ({"action_names": {"chat.create": ""}}, "bad-action-name"),
        ({"allow": [{"rule": "email"}]}, "bad-allow"),
        ({"allow": [{"rule": "e-mail", "field": "x"}]}, "bad-allow"),
        ({"allow": [{"pattern": "("}]}, "bad-allow"),
    ],
)
def test_bad_arguments_are_named(gateway: AuditedGateway, params: dict[str, Any], code: str) -> None:
    document = verdict_of(gateway, **params)
    assert (document["status"], document["reason_code"]) == ("error", code)
    assert gateway.calls == []


def test_a_missing_log_is_an_error(gateway: AuditedGateway, tmp_path: Path) -> None:
    for path in (str(tmp_path / "none.log"), ""):
        document = verdict_of(gateway, path=path)
        assert (document["status"], document["reason_code"]) == ("error", "audit-log-missing")
        assert "AUDIT_ENABLED" in document["action"]


def test_without_tokens_it_is_skipped(gateway: AuditedGateway) -> None:
    document = verdict_of(gateway, tokens=(READER,))
    assert (document["status"], document["reason_code"]) == ("skip", "dependency_missing")
    assert gateway.calls == []


def test_an_open_gateway_is_examined_without_tokens(gateway: AuditedGateway) -> None:
    gateway.enforced = False
    document = verdict_of(gateway, tokens=(), auth_mode="none")
    assert document["status"] == "pass", document["reason"]
    assert [skip["skip_class"] for skip in document["skips"]] == ["disabled_by_config"]
    assert "not examined" in document["reason"]
    assert not any("token of the check" in assertion["name"] for assertion in document["assertions"])
    gateway.written = raw_snippet
    assert verdict_of(gateway, tokens=(), auth_mode="none")["reason_code"] == "email-unscrubbed"


def test_an_open_gateway_that_should_not_be_is_no_pass(gateway: AuditedGateway) -> None:
    gateway.enforced = False
    document = verdict_of(gateway)
    assert document["status"] in ("fail", "inconclusive")


def test_check_mode_only_reads(gateway: AuditedGateway) -> None:
    gateway.append(as_line(Call({}, "models.list", WRITER, status=200).entry()) * 3)
    document = verdict_of(gateway, check_mode=True)
    assert gateway.calls == []
    assert (document["status"], document["examined"]) == ("pass", {"audit lines": 3})
    assert "check mode" in document["reason"]
    gateway.append(f'{{"header": "{WRITER.value}"}}\n'.encode())
    assert verdict_of(gateway, check_mode=True)["reason_code"] == "authorization-logged"


def test_check_mode_on_an_empty_log_is_no_pass(gateway: AuditedGateway) -> None:
    gateway.append(b"half a line")
    assert verdict_of(gateway, check_mode=True)["status"] == "inconclusive"
