# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole check reads a log that is rotated, before it or beneath it."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit import scan
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.audited_gateway import (
    READER,
    WRITER,
    AuditedGateway,
    Call,
    as_line,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.judged_log import reason_codes, verdict_of
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.miswritten_entries import raw_snippet
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.stored_logs import OLD, TOKEN, stored


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


def test_a_compressed_log_may_be_read_alone(gateway: AuditedGateway) -> None:
    path = Path(f"{gateway.log}.7.gz")
    path.write_bytes(gzip.compress(as_line(Call({}, "models.list", WRITER, status=200).entry()) + b'{"mail": "alice@example.com"}\n'))
    path.chmod(0o600)
    document = verdict_of(gateway, path=str(path), check_mode=True)
    assert document["examined"] == {"audit lines": 2}
    assert reason_codes(document) == {"email-unscrubbed"}
