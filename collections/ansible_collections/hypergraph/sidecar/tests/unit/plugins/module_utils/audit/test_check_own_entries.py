# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole check finds the entries of its own actions: late, among others' traffic, in another vocabulary."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.audited_gateway import (
    TOKENS,
    WRITER,
    AuditedGateway,
    Call,
    as_line,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.judged_log import reason_codes, verdict_of
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.miswritten_entries import changed, only, without


def test_other_traffic_is_not_taken_for_its_own(gateway: AuditedGateway) -> None:
    def busy(call: Call) -> bytes:
        foreign = {**call.entry(), "tenant_id": "gamma", "subject": "eve", "request_id": "req_x", "trace_id": "tr_x", "snippet": "hello"}
        return as_line(foreign) + (b"" if call.action == "webhook.delete" else as_line(call.entry())) + as_line(foreign)

    gateway.written = busy
    for gateway.request_ids in (True, False):
        document = verdict_of(gateway)
        assert document["reason_code"] == "audit-entry-missing"
        assert "webhook.delete" in document["reason"]


def partly_identified(call: Call) -> bytes:
    """As a gateway writes that learns the request id after it has refused, and never for webhooks."""
    bare = call.action.startswith("webhook") or call.status >= 400
    return without("request_id")(call) if bare else as_line(call.entry())


@pytest.mark.parametrize("written", [partly_identified, only("chat.create", changed(request_id=None))], ids=["absent", "null"])
def test_entries_without_the_request_id_that_others_have_are_found(gateway: AuditedGateway, written: Callable[[Call], bytes]) -> None:
    gateway.written = written
    document = verdict_of(gateway)
    assert document["status"] == "pass", document["reason"]


@pytest.mark.parametrize(
    ("action", "change", "code"),
    [
        ("webhook.delete", lambda call: b"", "audit-entry-missing"),
        ("webhook.delete", changed(request_id="req_of_another"), "audit-entry-missing"),
        ("trace.cancel", lambda call: as_line(call.entry()) + without("request_id")(call), "audit-entry-duplicate"),
    ],
    ids=["no entry", "an entry of another request", "a second entry"],
)
def test_request_ids_in_some_entries_hide_no_defect_of_others(
    gateway: AuditedGateway, action: str, change: Callable[[Call], bytes], code: str
) -> None:
    gateway.written = lambda call: change(call) if call.action == action else partly_identified(call)
    assert reason_codes(verdict_of(gateway)) == {code}


def test_entries_that_come_late_are_waited_for(gateway: AuditedGateway) -> None:
    held: list[bytes] = []

    def buffered(call: Call) -> bytes:
        held.append(as_line(call.entry()))
        if call.action != "webhook.delete":
            return b""
        whole = b"".join(held)
        gateway.append(whole[:-20])
        return whole[-20:]

    gateway.written = buffered
    assert verdict_of(gateway)["status"] == "pass"


def test_the_wrong_log_is_inconclusive(gateway: AuditedGateway, tmp_path: Path) -> None:
    other = tmp_path / "other.log"
    other.write_bytes(as_line(Call({}, "models.list", WRITER, status=200).entry()))
    other.chmod(0o600)
    document = verdict_of(gateway, path=str(other))
    assert (document["status"], document["reason_code"]) == ("inconclusive", "control-not-seen")
    assert "sidecar_gateway_local_url" in document["action"]


@pytest.mark.parametrize(
    ("action", "status", "code"),
    [("attached", 502, "chat-refused"), ("rejected", 200, "error-path-not-seen"), ("denied", 200, "denial-not-seen")],
)
def test_a_path_not_taken_is_inconclusive(gateway: AuditedGateway, action: str, status: int, code: str) -> None:
    def served(call: Call) -> int:
        attached = call.action == "chat.create" and "x-explain-mode" in call.headers
        if action == "denied":
            call.identity = call.identity or WRITER
        kinds = {"attached": attached, "rejected": call.status in (400, 404), "denied": call.status in (401, 403)}
        return status if kinds[action] else call.status

    gateway.served = served
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"]) == ("inconclusive", code), document["reason"]


def test_its_own_subject_may_be_an_address(gateway: AuditedGateway) -> None:
    gateway.written = lambda call: as_line({**call.entry(), "subject": call.identity and f"{call.identity.subject}@example.com"})
    tokens = [type(token)(token.name, token.value, token.tenant_id, token.scopes, f"{token.subject}@example.com") for token in TOKENS]
    document = verdict_of(gateway, tokens=tokens)
    assert document["status"] == "pass", document["reason"]


def test_another_vocabulary(gateway: AuditedGateway) -> None:
    names = {"chat.create": "completion", "trace.cancel": "abort"}

    def written(call: Call) -> bytes:
        if call.action == "models.list":
            return b""
        outcome = "forbidden" if call.status in (401, 403) else "ok" if call.status < 400 else "failed"
        return as_line({**call.entry(), "action": names.get(call.action, call.action), "outcome": outcome})

    gateway.written = written
    vocabulary = {"action_names": {**names, "models.list": ""}, "allowed_outcomes": ["ok"], "denied_outcomes": ["forbidden"]}
    assert verdict_of(gateway, **vocabulary)["status"] == "pass"
    assert not any(call.action == "models.list" for call in gateway.calls)
    assert verdict_of(gateway)["status"] == "fail"


def test_routes_that_are_not_offered_are_not_expected(gateway: AuditedGateway) -> None:
    gateway.offered = lambda call: not call.action.startswith("webhook")
    document = verdict_of(gateway)
    assert document["status"] == "pass", document["reason"]
    assert document["evidence"]["not_offered"] == ["GET /v1/webhooks", "POST /v1/webhooks"]
