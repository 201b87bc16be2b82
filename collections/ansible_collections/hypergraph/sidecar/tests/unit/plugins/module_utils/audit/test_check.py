# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole check against a gateway over HTTP: green where all is well, red for its reason where one thing is not."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit import check, scan
from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.check import examine
from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import Examination
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.audited_gateway import (
    READER,
    TOKENS,
    WRITER,
    AuditedGateway,
    Call,
    as_line,
)

PARAMS = {
    "log_paths": [],
    "action_names": {},
    "allowed_outcomes": ["allowed"],
    "denied_outcomes": ["denied*"],
    "allow": [],
    "max_bytes": 1 << 28,
    "rotated_files": 1,
    "settle": 0.1,
    "clock_skew": 5.0,
    "trace_deadline": 10.0,
    "model": "gpt-4o-mini",
}


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway of these tests writes before it answers."""
    monkeypatch.setattr(check, "_LINGER", 0.02)
    monkeypatch.setattr(check, "_POLL_INTERVAL", 0.02)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[AuditedGateway]:
    serving = AuditedGateway(tmp_path / "audit.log")
    serving.start()
    yield serving
    serving.stop()


def verdict_of(gateway: AuditedGateway, *, tokens: Any = TOKENS, check_mode: bool = False, auth_mode: str = "static", **params: Any) -> Any:
    """The verdict on a gateway as a document, which must not hold what was searched for."""
    verdict = Verdict("audit_pii")
    verdict.redactor.learn(token.value for token in tokens)
    connection = Connection(gateway.url, tuple(tokens), auth_mode=auth_mode)
    try:
        examine(Examination(verdict, connection, {"path": str(gateway.log), **PARAMS, **params}, check_mode))
    except CheckError as fault:
        verdict.error(fault.reason_code, fault.reason, fault.action)
    document = verdict.to_dict()
    told = json.dumps(document)
    for call in gateway.calls:
        sent = (call.headers.get("Authorization") or "").partition(" ")[2]
        assert not sent or sent not in told
        assert not any(word in told for word in call.prompt.replace(",", " ").split() if "@" in word or word.startswith("sk-"))
    return document


def reason_codes(document: Any) -> set[str]:
    return {assertion["reason_code"] for assertion in document["assertions"] if not assertion["ok"]}


def changed(**fields: Any) -> Callable[[Call], bytes]:
    return lambda call: as_line({**call.entry(), **fields})


def only(action: str, change: Callable[[Call], bytes]) -> Callable[[Call], bytes]:
    return lambda call: change(call) if call.action == action else as_line(call.entry())


def without(name: str) -> Callable[[Call], bytes]:
    return lambda call: as_line({key: value for key, value in call.entry().items() if key != name})


def raw_snippet(call: Call) -> bytes:
    return as_line({**call.entry(), "snippet": call.prompt[:200]})


def prompt_part(start: str, end: str) -> Callable[[Call], bytes]:
    def written(call: Call) -> bytes:
        part = call.prompt.partition(start)[2].partition(end)[0]
        return as_line({**call.entry(), "note": part})

    return written


def header(call: Call) -> str:
    return call.headers.get("Authorization") or ""


@pytest.mark.parametrize("request_ids", [True, False])
def test_a_healthy_gateway_passes(gateway: AuditedGateway, request_ids: bool) -> None:
    gateway.request_ids = request_ids
    document = verdict_of(gateway)
    assert (document["status"], document["skips"]) == ("pass", []), document["reason"]
    assert document["examined"] == {"audit lines": len(gateway.calls), "driven actions": len(gateway.calls)}
    assert len(gateway.calls) >= 18
    assert {call.action for call in gateway.calls} == {
        "chat.create",
        "models.list",
        "trace.list",
        "trace.status",
        "trace.graph",
        "trace.cancel",
        "webhook.create",
        "webhook.list",
        "webhook.delete",
    }
    assert {call.status for call in gateway.calls} >= {200, 201, 400, 401, 403, 404}
    assert len(document["assertions"]) >= 20


DEFECTS: dict[str, tuple[Callable[[Call], bytes], str]] = {
    "a token in a field": (lambda call: as_line({**call.entry(), "headers": {"authorization": header(call)}}), "authorization-logged"),
    "a token in base64": (
        lambda call: as_line({**call.entry(), "debug": base64.b64encode(f"h={header(call)}".encode()).decode()}),
        "authorization-logged",
    ),
    "a token compressed": (
        lambda call: as_line({**call.entry(), "blob": base64.b64encode(gzip.compress(header(call).encode())).decode()}),
        "authorization-logged",
    ),
    "half a token": (lambda call: as_line({**call.entry(), "auth": header(call)[:32]}), "authorization-logged"),
    "an unknown token": (
        lambda call: as_line({**call.entry(), "auth": header(call) if call.identity is None else ""}),
        "authorization-logged",
    ),
    "an unscrubbed prompt": (raw_snippet, "email-unscrubbed"),
    "an unscrubbed prompt where it failed": (
        lambda call: raw_snippet(call) if call.status == 400 else as_line(call.entry()),
        "email-unscrubbed",
    ),
    "an unscrubbed prompt where it was denied": (
        lambda call: raw_snippet(call) if call.identity is None else as_line(call.entry()),
        "email-unscrubbed",
    ),
    "an e-mail": (prompt_part(": ", ", phone"), "email-unscrubbed"),
    "a phone": (prompt_part("phone ", ", card"), "phone-unscrubbed"),
    "a card": (prompt_part("card ", ", IBAN"), "card-unscrubbed"),
    "an IBAN": (prompt_part("IBAN ", ", sk-"), "iban-unscrubbed"),
    "a key": (lambda call: as_line({**call.entry(), "note": "sk-" + call.prompt.partition("sk-")[2][:28]}), "key-unscrubbed"),
    "an e-mail of somebody else": (changed(note="alice@example.com"), "email-unscrubbed"),
    "a bearer token of somebody else": (changed(note="Bearer 9f86d081884c7d659a2feaa0c55ad015"), "authorization-logged"),
    "no entry of a cancel": (only("trace.cancel", lambda call: b""), "audit-entry-missing"),
    "no entry of a webhook": (only("webhook.create", lambda call: b""), "audit-entry-missing"),
    "no entry of a denial": (lambda call: b"" if call.status in (401, 403) else as_line(call.entry()), "audit-entry-missing"),
    "no entry of a failure": (lambda call: b"" if call.status == 400 else as_line(call.entry()), "audit-entry-missing"),
    "two entries of a cancel": (only("trace.cancel", lambda call: as_line(call.entry()) * 2), "audit-entry-duplicate"),
    "not JSON": (lambda call: as_line(call.entry()) + b"Traceback (most recent call last):\n", "audit-not-json"),
    "not UTF-8": (lambda call: as_line(call.entry()) + b'{"ts": "\xff"}\n', "audit-not-json"),
    "not a number": (lambda call: as_line(call.entry()) + b'{"ms": NaN}\n', "audit-not-json"),
    "not an object": (lambda call: as_line(call.entry()) + b"[1]\n", "audit-not-json"),
    "no subject": (without("subject"), "audit-field-missing"),
    "no snippet": (without("snippet"), "audit-field-missing"),
    "no outcome": (changed(outcome=None), "audit-field-missing"),
    "no tenant though allowed": (only("models.list", changed(tenant_id=None)), "audit-field-missing"),
    "a tenant that is a number": (changed(tenant_id=7), "audit-field-missing"),
    "an empty action beside": (lambda call: as_line(call.entry()) + as_line({**call.entry(), "action": ""}), "audit-field-missing"),
    "no time": (changed(ts="yesterday"), "audit-field-missing"),
    "local time": (
        lambda call: as_line({**call.entry(), "ts": (datetime.now(timezone.utc) + timedelta(hours=2)).isoformat().replace("+00:00", "Z")}),
        "audit-ts-wrong",
    ),
    "another tenant": (lambda call: as_line({**call.entry(), "tenant_id": call.identity and "beta"}), "audit-tenant-mismatch"),
    "another subject": (lambda call: as_line({**call.entry(), "subject": call.identity and "mallory"}), "audit-subject-mismatch"),
    "a denial that says allowed": (
        lambda call: (
            as_line(
                {**call.entry(), "tenant_id": "alpha", "subject": call.identity.subject if call.identity else "x", "outcome": "allowed"}
            )
            if call.status == 403
            else as_line(call.entry())
        ),
        "audit-outcome-wrong",
    ),
    "a success that says denied": (only("trace.graph", changed(outcome="denied:403")), "audit-outcome-wrong"),
    "an error that says allowed": (
        lambda call: as_line({**call.entry(), "outcome": "allowed"}) if call.status == 400 else as_line(call.entry()),
        "audit-outcome-wrong",
    ),
    "another status": (
        lambda call: as_line({**call.entry(), "outcome": "denied:403"}) if call.status == 401 else as_line(call.entry()),
        "audit-outcome-wrong",
    ),
    "an emptied snippet": (changed(snippet=""), "snippet-missing"),
}


@pytest.mark.parametrize("request_ids", [True, False], ids=["request-ids", "no-request-ids"])
@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_is_caught_for_its_reason(gateway: AuditedGateway, defect: str, request_ids: bool) -> None:
    gateway.written, code = DEFECTS[defect]
    gateway.request_ids = request_ids
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"]) == ("fail", code), (document["reason"], reason_codes(document))


@pytest.mark.parametrize(
    "defect",
    ["a phone", "a card", "an IBAN", "a key", "no entry of a webhook", "not JSON", "no subject", "another tenant", "an emptied snippet"],
)
def test_a_defect_breaks_no_other_assertion(gateway: AuditedGateway, defect: str) -> None:
    gateway.written, code = DEFECTS[defect]
    assert reason_codes(verdict_of(gateway)) == {code}


def test_times_out_of_order_are_noticed(gateway: AuditedGateway) -> None:
    start = datetime.now(timezone.utc)

    def backwards(call: Call) -> bytes:
        moment = start - timedelta(seconds=len(gateway.calls))
        return as_line({**call.entry(), "ts": moment.isoformat().replace("+00:00", "Z")})

    gateway.written = backwards
    document = verdict_of(gateway, clock_skew=3.0)
    assert document["reason_code"] == "audit-ts-not-monotone"
    assert verdict_of(gateway, clock_skew=3600.0)["status"] == "pass"


BENIGN: dict[str, Callable[[Call], bytes]] = {
    "further fields": changed(client_ip="10.1.2.3", latency_ms=12.5, hop={"id": "4111111111111111"}),
    "a hashed e-mail": lambda call: as_line({**call.entry(), "who": f"{hash(call.prompt):x}"}),
    "fields in another order": lambda call: as_line(dict(reversed(list(call.entry().items())))),
    "line ends of Windows": lambda call: as_line(call.entry())[:-1] + b"\r\n",
    "blank lines between": lambda call: as_line(call.entry()) + b"\n",
    "an action of its own beside": lambda call: as_line(call.entry()) + as_line({**call.entry(), "action": "quota.check"}),
    "text in its own script": lambda call: (json.dumps({**call.entry(), "note": "Größe 漢字"}, ensure_ascii=False) + "\n").encode(),
}


@pytest.mark.parametrize("request_ids", [True, False], ids=["request-ids", "no-request-ids"])
@pytest.mark.parametrize("change", BENIGN)
def test_benign_changes_stay_green(gateway: AuditedGateway, change: str, request_ids: bool) -> None:
    gateway.written = BENIGN[change]
    gateway.request_ids = request_ids
    document = verdict_of(gateway)
    assert document["status"] == "pass", document["reason"]


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


def test_old_lines_are_searched_for_what_is_known_and_what_is_not(gateway: AuditedGateway) -> None:
    gateway.append(b'{"ok": 1}\n' * 10 + f'{{"old": "{READER.value}"}}\n'.encode())
    document = verdict_of(gateway)
    assert document["reason_code"] == "authorization-logged"
    assert f"{gateway.log} line 11, byte 109" in document["reason"]
    assert (
        document["assertions"][0]["observed"] == [f"{gateway.log} line 11, byte 109 (from token alpha-reader)"]
        or "byte 109" in document["reason"]
    )
    gateway.log.write_bytes(b'{"who": "alice@example.com"}\n' * 30)
    document = verdict_of(gateway)
    assert document["reason_code"] == "email-unscrubbed"
    failing = next(a for a in document["assertions"] if not a["ok"])
    assert failing["observed"][-1] == "20 more"
    assert len({place.rpartition("fingerprint ")[2] for place in failing["observed"][:-1]}) == 1
    assert verdict_of(gateway, max_bytes=0)["status"] == "pass"


def test_a_damaged_old_line_is_told_by_its_number(gateway: AuditedGateway) -> None:
    gateway.append(b'{"ok": 1}\n' * 4 + b'{"broken": \xff}\n' + b'{"cut": "in ha\n' + b'{"ok": 1}\n')
    document = verdict_of(gateway)
    assert reason_codes(document) == {"audit-not-json"}
    assert "line 5, byte 40 (not UTF-8 at its byte 11) and 1 more" in document["reason"]


def test_what_the_environment_allows_is_no_leak(gateway: AuditedGateway) -> None:
    gateway.append(b'{"subject": "carol@example.com", "note": "service@example.com"}\n')
    assert verdict_of(gateway)["reason_code"] == "email-unscrubbed"
    assert verdict_of(gateway, allow=[{"rule": "email", "field": "subject"}])["reason_code"] == "email-unscrubbed"
    allow = [{"rule": "email", "field": "subject"}, {"pattern": r"service@.*"}]
    document = verdict_of(gateway, allow=allow)
    assert document["status"] == "pass", document["reason"]
    assert document["evidence"]["exempted"] == {"email": 2}


def test_its_own_subject_may_be_an_address(gateway: AuditedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.parametrize("identity", [7, "wh/7"])
def test_a_webhook_is_deleted_whatever_its_id_is_made_of(gateway: AuditedGateway, identity: Any) -> None:
    gateway.hook_id = lambda _number: identity
    document = verdict_of(gateway)
    assert (document["status"], gateway.hooks) == ("pass", {}), document["reason"]


def test_a_webhook_is_deleted_also_where_that_is_not_audited(gateway: AuditedGateway) -> None:
    gateway.written = only("webhook.delete", lambda call: b"")
    document = verdict_of(gateway, action_names={"webhook.delete": ""})
    assert (document["status"], gateway.hooks) == ("pass", {}), document["reason"]
    assert "webhook.delete" not in document["evidence"]["actions"]


def test_a_webhook_whose_id_is_not_told_is_deleted_and_hides_nothing(gateway: AuditedGateway) -> None:
    gateway.hook_id = lambda _number: None
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"], gateway.hooks) == ("error", "webhook-unreadable", {})
    gateway.written = raw_snippet
    assert verdict_of(gateway)["reason_code"] == "email-unscrubbed"


def test_a_webhook_that_stays_is_named_and_hides_nothing(gateway: AuditedGateway) -> None:
    gateway.served = lambda call: 500 if call.action == "webhook.delete" else call.status
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"]) == ("error", "webhook-left-behind")
    assert list(gateway.hooks) == ["wh_1"]
    assert "wh_1" in document["reason"]
    gateway.written = raw_snippet
    assert verdict_of(gateway)["reason_code"] == "email-unscrubbed"


def test_a_webhook_outlives_no_log_that_breaks_off_the_check(gateway: AuditedGateway) -> None:
    def after(call: Call) -> None:
        if call.action == "webhook.create":
            gateway.log.unlink()
            gateway.log.mkdir()
            gateway.written = lambda call: b""

    gateway.after = after
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"], gateway.hooks) == ("error", "audit-log-unreadable", {})


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


def test_a_log_open_to_others_is_noticed(gateway: AuditedGateway) -> None:
    gateway.append(as_line({"ok": 1}))
    gateway.log.chmod(0o644)
    document = verdict_of(gateway)
    assert reason_codes(document) == {"audit-world-readable"}
    assert "0644" in document["reason"]


def rename(gateway: AuditedGateway) -> None:
    gateway.log.rename(f"{gateway.log}.1")


def rename_and_compress(gateway: AuditedGateway) -> None:
    Path(f"{gateway.log}.1.gz").write_bytes(gzip.compress(gateway.log.read_bytes()))
    gateway.log.unlink()


def copy_and_truncate(gateway: AuditedGateway) -> None:
    shutil.copy(gateway.log, f"{gateway.log}.1")
    os.truncate(gateway.log, 0)


def copy_compressed_and_truncate(gateway: AuditedGateway) -> None:
    Path(f"{gateway.log}.1.gz").write_bytes(gzip.compress(gateway.log.read_bytes()))
    os.truncate(gateway.log, 0)


@pytest.mark.parametrize("rotate", [rename, rename_and_compress, copy_and_truncate, copy_compressed_and_truncate])
@pytest.mark.parametrize("leak", [False, True])
def test_a_log_rotated_in_the_middle_is_read_whole(gateway: AuditedGateway, rotate: Callable[[AuditedGateway], None], leak: bool) -> None:
    gateway.append(b'{"old": 1}\n' * 100)

    def after(call: Call) -> None:
        if call.action == "trace.graph":
            if leak:
                gateway.append(as_line({**call.entry(), "action": "note", "snippet": gateway.calls[0].prompt}))
            rotate(gateway)

    gateway.after = after
    document = verdict_of(gateway)
    assert document["status"] == ("fail" if leak else "pass"), document["reason"]
    assert not leak or document["reason_code"] == "email-unscrubbed"
    assert document["examined"]["driven actions"] == len(gateway.calls)


def test_lines_lost_to_a_rotation_are_no_failure(gateway: AuditedGateway) -> None:
    def after(call: Call) -> None:
        if call.action == "trace.graph":
            os.truncate(gateway.log, 0)

    gateway.after = after
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"]) == ("inconclusive", "rotation-lost")


def test_rotated_siblings_are_searched_as_far_as_told(gateway: AuditedGateway) -> None:
    Path(f"{gateway.log}.1").write_bytes(b'{"ok": 1}\n')
    Path(f"{gateway.log}.2.gz").write_bytes(gzip.compress(b'{"mail": "alice@example.com"}\n'))
    os.utime(f"{gateway.log}.2.gz", (1_000_000, 1_000_000))
    assert verdict_of(gateway)["status"] == "pass"
    document = verdict_of(gateway, rotated_files=2)
    assert document["reason_code"] == "email-unscrubbed"
    assert "audit.log.2.gz line 1" in document["reason"]


def test_a_broken_sibling_is_an_error_and_hides_nothing(gateway: AuditedGateway) -> None:
    Path(f"{gateway.log}.1.gz").write_bytes(gzip.compress(os.urandom(4000))[:2000])
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"]) == ("error", "audit-log-unreadable")
    gateway.written = raw_snippet
    assert verdict_of(gateway)["status"] == "fail"


def test_what_is_beyond_the_bounds_is_named(gateway: AuditedGateway) -> None:
    gateway.append(b'{"old": "alice@example.com"}\n' * 100_000)
    document = verdict_of(gateway, max_bytes=0)
    assert document["status"] == "pass"
    assert "beyond max_bytes" in document["reason"]


OLD = b'{"old": 1}\n' * 100_000
TOKEN = f'{{"old": "{READER.value}"}}\n'.encode()


def stored(path: Path, text: bytes) -> None:
    """A log as rotation leaves it: compressed where its name says so, in two members as appending compressors do."""
    half = len(text) // 2
    path.write_bytes(gzip.compress(text[:half], 1) + gzip.compress(text[half:], 1) if path.suffix == ".gz" else text)


@pytest.mark.parametrize("name", ["audit.log.1", "audit.log.1.gz"])
def test_of_a_rotated_log_the_newest_lines_are_searched_and_the_rest_is_named(gateway: AuditedGateway, name: str) -> None:
    rotated = gateway.log.with_name(name)
    stored(rotated, OLD + TOKEN)
    document = verdict_of(gateway, max_bytes=50_000)
    assert document["reason_code"] == "authorization-logged", document["reason"]
    assert f"{name} byte {len(OLD) + TOKEN.index(READER.value.encode())} " in document["reason"]
    stored(rotated, TOKEN + OLD)
    document = verdict_of(gateway, max_bytes=50_000)
    assert document["status"] == "pass"
    (skip,) = document["skips"]
    assert "older audit lines, beyond max_bytes" in skip["reason"]
    assert name in skip["reason"]
    left = document["evidence"]["left_out"][str(rotated)]
    assert len(TOKEN + OLD) - 50_000 - len(TOKEN) <= left <= len(TOKEN + OLD)
    stored(rotated, OLD)
    document = verdict_of(gateway, max_bytes=len(OLD) + gateway.log.stat().st_size + 50_000)
    assert (document["status"], document["skips"], document["evidence"]["left_out"]) == ("pass", [], {}), document["reason"]


@pytest.mark.parametrize("name", ["audit.log.1", "audit.log.1.gz"])
def test_a_rotated_log_that_is_not_read_at_all_is_named(gateway: AuditedGateway, name: str) -> None:
    stored(gateway.log.with_name(name), OLD + TOKEN)
    for written, most in ((b"", 0), (OLD, 1000)):
        gateway.append(written)
        document = verdict_of(gateway, max_bytes=most)
        assert document["status"] == "pass", document["reason"]
        assert name in document["skips"][0]["reason"]


def test_the_older_lines_of_a_compressed_copy_are_bounded_too(gateway: AuditedGateway) -> None:
    def after(call: Call) -> None:
        if call.action == "trace.graph":
            copy_compressed_and_truncate(gateway)

    gateway.append(TOKEN + OLD)
    gateway.after = after
    document = verdict_of(gateway, max_bytes=50_000)
    assert document["status"] == "pass", document["reason"]
    assert document["examined"]["driven actions"] == len(gateway.calls)
    assert list(document["evidence"]["left_out"]) == [f"{gateway.log}.1.gz"]


def test_a_log_whose_length_cannot_be_found_in_time_says_so(gateway: AuditedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(gateway.log.with_name("audit.log.1.gz"), OLD * 2)
    monkeypatch.setattr(scan, "_COUNTING_SHARE", 0.0)
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"]) == ("inconclusive", "scan-unfinished")
    gateway.written = raw_snippet
    assert verdict_of(gateway)["reason_code"] == "email-unscrubbed"


def test_what_can_be_read_of_a_broken_log_is_searched(gateway: AuditedGateway) -> None:
    noise = os.urandom(2 << 20).hex().encode()
    text = TOKEN + b"".join(b'"%b"\n' % noise[start : start + 1000] for start in range(0, len(noise), 1000))
    gateway.log.with_name("audit.log.1.gz").write_bytes(gzip.compress(text, 1)[: 1 << 20])
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"]) == ("fail", "authorization-logged")
    assert [fault["reason_code"] for fault in document["errors"]] == ["audit-log-unreadable"]


@pytest.mark.parametrize("name", ["x.log", "x.log.gz"])
def test_of_a_service_log_the_newest_lines_are_searched_and_the_rest_is_named(gateway: AuditedGateway, name: str) -> None:
    path = gateway.log.with_name(name)
    stored(path, OLD + TOKEN)
    document = verdict_of(gateway, max_bytes=50_000, log_paths=[str(path)])
    assert document["reason_code"] == "authorization-logged", document["reason"]
    stored(path, TOKEN + OLD)
    for most in (0, 50_000):
        document = verdict_of(gateway, max_bytes=most, log_paths=[str(path)])
        assert document["status"] == "pass"
        assert [name in skip["reason"] for skip in document["skips"] if "older service lines, beyond max_bytes" in skip["reason"]] == [True]
        assert document["evidence"]["left_out"][str(path)] > 0


def test_a_scan_that_runs_out_of_time_says_so(gateway: AuditedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.append(b'{"old": 1}\n' * 1000)
    monkeypatch.setattr(check, "_HISTORY_SHARE", 0.0)
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"]) == ("inconclusive", "scan-unfinished")
    gateway.written = raw_snippet
    assert verdict_of(gateway)["reason_code"] == "email-unscrubbed"
    monkeypatch.setattr(check, "_READING_SHARE", 0.0)
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"]) == ("inconclusive", "scan-unfinished")


def test_an_overlong_line_is_no_entry(gateway: AuditedGateway) -> None:
    gateway.append(b'{"x": "' + b"y" * (3 << 20) + b' alice@example.com"}\n')
    assert reason_codes(verdict_of(gateway)) == {"audit-not-json", "email-unscrubbed"}


def service_log(gateway: AuditedGateway, text: Callable[[Call], str]) -> Path:
    path = gateway.log.with_name("gateway-service.log")
    path.write_text("started\n")

    def after(call: Call) -> None:
        with path.open("a") as file:
            file.write(text(call) + "\n")

    gateway.after = after
    return path


def test_service_logs_may_tell_of_requests(gateway: AuditedGateway) -> None:
    path = service_log(gateway, lambda call: f"INFO {call.action} {call.status} {call.request_id} {call.trace_id} by alice@example.com")
    document = verdict_of(gateway, log_paths=[str(path)])
    assert document["status"] == "pass", document["reason"]
    assert document["examined"]["service logs"] == 1
    assert gateway.reads and max(gateway.reads.values()) >= gateway.reads_until_complete


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (lambda call: f"DEBUG prompt {call.prompt}", "canary-leaked"),
        (lambda call: f"DEBUG prompt {call.prompt[:36]}", "canary-leaked"),
        (lambda call: f"DEBUG {json.dumps({'b64': base64.b64encode(call.prompt.encode()).decode()})}", "canary-leaked"),
        (lambda call: f"DEBUG headers {dict(call.headers)}", "authorization-logged"),
    ],
)
def test_service_logs_must_not_tell_what_was_in_them(gateway: AuditedGateway, text: Callable[[Call], str], code: str) -> None:
    path = service_log(gateway, text)
    document = verdict_of(gateway, log_paths=[str(path.with_name("*.log"))])
    assert (document["status"], document["reason_code"]) == ("fail", code)
    assert "gateway-service.log line" in document["reason"]
    assert reason_codes(document) == {code}


def test_a_rotated_service_log_is_read_too(gateway: AuditedGateway) -> None:
    path = service_log(gateway, lambda call: f"prompt {call.prompt}" if call.prompt else "x")
    write = gateway.after

    def after(call: Call) -> None:
        write(call)
        if call.action == "trace.graph":
            path.rename(path.with_name("old"))
            path.write_text("new\n")
            gateway.after = lambda call: None

    gateway.after = after
    assert verdict_of(gateway, log_paths=[str(path)])["reason_code"] == "canary-leaked"


def test_an_old_token_in_a_service_log_is_found_and_old_text_is_not_its_matter(gateway: AuditedGateway) -> None:
    path = gateway.log.with_name("x.log")
    path.write_text("alice@example.com\n")
    Path(f"{path}.1.gz").write_bytes(gzip.compress(f"x\n{WRITER.value}\n".encode()))
    assert verdict_of(gateway, log_paths=[str(path)])["status"] == "pass"
    assert verdict_of(gateway, log_paths=[f"{path}*"])["reason_code"] == "authorization-logged"


def test_service_logs_that_are_not_there_are_an_error(gateway: AuditedGateway, tmp_path: Path) -> None:
    path = service_log(gateway, lambda call: "x")
    document = verdict_of(gateway, log_paths=[str(path), str(tmp_path / "none" / "*.log")])
    assert (document["status"], document["reason_code"]) == ("error", "service-log-missing")
    gateway.written = raw_snippet
    assert verdict_of(gateway, log_paths=[""])["status"] == "fail"


def test_a_service_log_that_cannot_be_read_is_an_error(gateway: AuditedGateway) -> None:
    broken = gateway.log.with_name("broken.log.gz")
    broken.write_bytes(gzip.compress(os.urandom(4000))[:2000])
    document = verdict_of(gateway, log_paths=[str(broken)])
    assert (document["status"], document["reason_code"]) == ("error", "service-log-unreadable")


def test_a_compressed_log_may_be_read_alone(gateway: AuditedGateway) -> None:
    path = Path(f"{gateway.log}.7.gz")
    path.write_bytes(gzip.compress(as_line(Call({}, "models.list", WRITER, status=200).entry()) + b'{"mail": "alice@example.com"}\n'))
    path.chmod(0o600)
    document = verdict_of(gateway, path=str(path), check_mode=True)
    assert document["examined"] == {"audit lines": 2}
    assert reason_codes(document) == {"email-unscrubbed"}


def test_it_leaves_nothing_open(gateway: AuditedGateway) -> None:
    path = service_log(gateway, lambda call: "x")
    verdict_of(gateway, log_paths=[str(path)])
    before = len(list(Path("/proc/self/fd").iterdir()))
    verdict_of(gateway, log_paths=[str(path)])
    names = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert not [name for name in names if str(gateway.log.parent) in name]
    assert len(names) <= before + 1
