# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole check searches service logs too: they may tell of requests, and not of what was in them."""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.audited_gateway import WRITER, AuditedGateway, Call
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.judged_log import reason_codes, verdict_of
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.miswritten_entries import raw_snippet
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.stored_logs import OLD, TOKEN, stored


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


def test_it_leaves_nothing_open(gateway: AuditedGateway) -> None:
    path = service_log(gateway, lambda call: "x")
    verdict_of(gateway, log_paths=[str(path)])
    before = len(list(Path("/proc/self/fd").iterdir()))
    verdict_of(gateway, log_paths=[str(path)])
    names = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert not [name for name in names if str(gateway.log.parent) in name]
    assert len(names) <= before + 1
