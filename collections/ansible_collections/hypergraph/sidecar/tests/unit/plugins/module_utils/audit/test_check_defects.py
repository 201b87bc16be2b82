# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole check: green where all is well, red for its reason where the entries are not."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.audited_gateway import AuditedGateway, Call, as_line
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.judged_log import reason_codes, verdict_of
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.miswritten_entries import (
    changed,
    only,
    raw_snippet,
    without,
)


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


def prompt_part(start: str, end: str) -> Callable[[Call], bytes]:
    def written(call: Call) -> bytes:
        part = call.prompt.partition(start)[2].partition(end)[0]
        return as_line({**call.entry(), "note": part})

    return written


def header(call: Call) -> str:
    return call.headers.get("Authorization") or ""


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


ALL_BUT_EMAIL = {"card-unscrubbed", "iban-unscrubbed", "key-unscrubbed", "phone-unscrubbed"}
# What is wrong with the same entries besides.
ALSO: dict[str, set[str]] = {
    "an unscrubbed prompt": ALL_BUT_EMAIL,
    "an unscrubbed prompt where it failed": ALL_BUT_EMAIL,
    "an unscrubbed prompt where it was denied": ALL_BUT_EMAIL,
    "no snippet": {"snippet-missing"},
    "no outcome": {"audit-outcome-wrong"},
    "a tenant that is a number": {"audit-tenant-mismatch"},
}


@pytest.mark.parametrize("request_ids", [True, False], ids=["request-ids", "no-request-ids"])
@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_is_caught_for_its_reason_and_breaks_no_other_assertion(
    gateway: AuditedGateway, defect: str, request_ids: bool
) -> None:
    gateway.written, code = DEFECTS[defect]
    gateway.request_ids = request_ids
    document = verdict_of(gateway)
    assert (document["status"], document["reason_code"]) == ("fail", code), document["reason"]
    # Without request ids an entry that tells another tenant or subject is nobody's.
    nobodys = set() if request_ids else {"audit-entry-missing"}
    assert reason_codes(document) - nobodys == {code, *ALSO.get(defect, ())} - nobodys


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


def test_a_log_open_to_others_is_noticed(gateway: AuditedGateway) -> None:
    gateway.append(as_line({"ok": 1}))
    gateway.log.chmod(0o644)
    document = verdict_of(gateway)
    assert reason_codes(document) == {"audit-world-readable"}
    assert "0644" in document["reason"]


def test_an_overlong_line_is_no_entry(gateway: AuditedGateway) -> None:
    gateway.append(b'{"x": "' + b"y" * (3 << 20) + b' alice@example.com"}\n')
    assert reason_codes(verdict_of(gateway)) == {"audit-not-json", "email-unscrubbed"}
