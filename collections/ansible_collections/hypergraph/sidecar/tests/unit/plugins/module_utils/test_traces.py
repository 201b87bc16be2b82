# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Submitting a trace and waiting for its end, against servers that answer as told."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection, Token
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError, CheckFault, CheckInconclusive
from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_client import Client
from ansible_collections.hypergraph.sidecar.plugins.module_utils.traces import (
    attach_headers,
    canary,
    chat_body,
    graph_path,
    read_status,
    sibling,
    status_path,
    submit,
    wait_for_end,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.wire import Peer, Talk, http, talking

TOKEN = Token("alpha-writer", "Zq8vX3c9K1m2n3p4", "alpha", frozenset({"traces:write"}))


@contextmanager
def answering_in_turn(talks: Sequence[Talk]) -> Iterator[tuple[Client, Peer]]:
    """Each connection gets the next answer, the last one again and again; connections are not kept."""
    left = list(talks)

    def next_talk(connection: socket.socket) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(connection)

    with talking(next_talk) as peer:
        yield Client(Connection(peer.url, timeout=5.0)), peer


def status(state: Any) -> Talk:
    return http(json.dumps({"trace_id": "t-1", "state": state}).encode(), "Connection: close")


def test_a_chat_is_submitted_with_what_asks_for_an_explanation() -> None:
    with answering_in_turn([http(b"{}", "X-Trace-Id: tr_0-1.2~3:4")]) as (client, peer):
        submission = submit(client, TOKEN, "hello", model="m", granularity="token", headers={"x-tenant-id": "beta"})
    assert submission.trace_id == "tr_0-1.2~3:4"
    assert submission.answer.status == 200
    (headers,) = peer.headers()
    sent = {name: headers[name] for name in ("x-explain-mode", "x-explain-granularity", "x-tenant-id", "authorization")}
    assert sent == {
        "x-explain-mode": "hypergraph",
        "x-explain-granularity": "token",
        "x-tenant-id": "beta",
        "authorization": f"Bearer {TOKEN.value}",
    }
    assert json.loads(peer.requests[0].partition(b"\r\n\r\n")[2]) == {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
    assert peer.requests[0].startswith(b"POST /v1/chat/completions ")


@pytest.mark.parametrize(
    ("talk", "token", "code", "said"),
    [
        (http(b"{}", status="502 x"), TOKEN, "chat-refused", "with token 'alpha-writer' answered 502"),
        (http(b"{}", status="201 x"), TOKEN, "chat-refused", "answered 201, expected 200"),
        (http(b"{}", status="403 x"), None, "chat-refused", "with no token answered 403"),
        (http(b"{}"), TOKEN, "trace-id-missing", "without x-trace-id"),
        (http(b"{}", "X-Trace-Id:   "), TOKEN, "trace-id-missing", "without x-trace-id"),
        (http(b"{}", "X-Trace-Id: ../../admin"), TOKEN, "trace-id-unusable", "'../../admin'"),
        (http(b"{}", "X-Trace-Id: a?b"), TOKEN, "trace-id-unusable", "'a?b'"),
        (http(b"{}", "X-Trace-Id: .."), TOKEN, "trace-id-unusable", "'..'"),
        (http(b"{}", f"X-Trace-Id: {'a' * 201}"), TOKEN, "trace-id-unusable", "'…'"),
    ],
)
def test_a_chat_that_makes_no_trace_is_an_error(talk: Talk, token: Any, code: str, said: str) -> None:
    with answering_in_turn([talk]) as (client, _peer), pytest.raises(CheckError) as raised:
        submit(client, token, "hello", model="m")
    assert raised.value.reason_code == code
    assert said in raised.value.reason
    assert raised.value.action


@pytest.mark.parametrize("end", ["complete", "failed", "expired", "canceled"])
def test_a_trace_is_polled_to_its_end(end: str) -> None:
    seen: list[Any] = []
    with answering_in_turn([status("queued"), status("running"), status(end)]) as (client, peer):
        last = wait_for_end(client, TOKEN, "t-1", within=30, observe=lambda shown: seen.append(shown["state"]))
    assert last["state"] == end
    assert seen == ["queued", "running", end]
    assert all(request.startswith(b"GET /v1/traces/t-1/status ") for request in peer.requests)


def test_a_trace_that_does_not_end_is_inconclusive() -> None:
    with (
        answering_in_turn([status("running")]) as (client, _peer),
        pytest.raises(CheckInconclusive, match=r"still 'running' after 0\.1 s") as raised,
    ):
        wait_for_end(client, TOKEN, "t-1", within=0.1)
    assert raised.value.reason_code == "deadline-exceeded"


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        (http(b"{}", status="404 x"), "answered 404 to the trace's owner"),
        (http(b"[]"), "no object with a state"),
        (http(b"{}"), "no object with a state"),
        (status(3), "no object with a state"),
        (http(b"<html>"), "expected JSON"),
    ],
)
def test_a_status_that_cannot_be_read_is_an_error(talk: Talk, said: str) -> None:
    with answering_in_turn([talk]) as (client, _peer), pytest.raises(CheckError, match=re.escape(said)):
        read_status(client, TOKEN, "t-1")


def test_a_status_is_answered_and_parsed() -> None:
    with answering_in_turn([status("queued")]) as (client, _peer):
        answer, document = read_status(client, TOKEN, "t-1")
    assert (answer.status, document) == (200, {"trace_id": "t-1", "state": "queued"})


def test_canaries_are_words_that_occur_nowhere_else() -> None:
    words = {canary("token") for _turn in range(100)}
    assert len(words) == 100
    assert all(re.fullmatch(r"canarytoken[0-9a-f]{24}", word) for word in words)


def test_paths_and_bodies() -> None:
    assert (status_path("t"), graph_path("t")) == ("/v1/traces/t/status", "/v1/traces/t/graph")
    assert chat_body("p", "m")["messages"][0]["content"] == "p"
    assert attach_headers() == {"x-explain-mode": "hypergraph", "x-explain-granularity": "sentence"}


def test_faults_carry_what_a_reader_needs() -> None:
    fault = CheckError("some-code", "a reason", "An action.")
    assert (str(fault), fault.reason_code, fault.reason, fault.action) == ("a reason", "some-code", "a reason", "An action.")
    assert isinstance(fault, CheckFault)
    assert not isinstance(fault, CheckInconclusive)


@pytest.mark.parametrize(
    ("known", "form"),
    [
        ("3f0c0b52-93d4-4c6e-9a35-1f7b8e0a6d11", r"3f0c0b52-93d4-4c6e-9a35-[0-9a-f]{12}"),
        ("tr_0123456789abcdef0123456789abcdef", r"tr_0123456789abcdef0123[0-9a-f]{12}"),
        ("trc_01HV3ZYX9K2M4N6P8Q0R", r"trc_01HV3ZYX(\d[A-Z]){6}"),
        ("a-7", r"[a-f]-\d"),
        ("", ""),
    ],
)
def test_a_sibling_has_the_form_of_the_id_and_keeps_its_beginning(known, form):
    siblings = {sibling(known) for _turn in range(20)}
    assert all(re.fullmatch(form, one) and len(one) == len(known) for one in siblings)
    assert len(siblings) > 1 or not known
