# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole check searches the lines that were there before it, as far as bytes and time allow."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit import check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.audited_gateway import READER, AuditedGateway
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.judged_log import reason_codes, verdict_of
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.miswritten_entries import raw_snippet


def test_old_lines_are_searched_for_what_is_known_and_what_is_not(gateway: AuditedGateway) -> None:
    gateway.append(b'{"ok": 1}\n' * 10 + f'{{"old": "{READER.value}"}}\n'.encode())
    document = verdict_of(gateway)
    assert document["reason_code"] == "authorization-logged"
    assert f"{gateway.log} line 11, byte 109" in document["reason"]
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


def test_what_is_beyond_the_bounds_is_named(gateway: AuditedGateway) -> None:
    gateway.append(b'{"old": "alice@example.com"}\n' * 100_000)
    document = verdict_of(gateway, max_bytes=0)
    assert document["status"] == "pass"
    assert "beyond max_bytes" in document["reason"]


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
