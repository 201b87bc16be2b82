# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that cannot be used: each has a name, and none shows half a token."""

from __future__ import annotations

import gzip

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_faults import broken_answer, no_answer
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.http_client.requesting import TOKEN, client, fault_of, wrapped
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.wire import Talk, answering, http, talking


@pytest.mark.parametrize(
    ("talk", "code", "said"),
    [
        (answering(), "answer-unreadable", "the connection closed without an HTTP answer"),
        (answering(b"SSH-2.0-OpenSSH_9.2\r\n"), "answer-unreadable", "what came is not HTTP"),
        (answering(b"HTTP/1.1 what 200\r\n\r\n"), "answer-unreadable", "what came is not HTTP"),
        (answering(b"HTTP/1.1 99 Early\r\n\r\n"), "answer-unreadable", "what came is not HTTP"),
        (answering(b"\x15\x03\x01\x00\x02\x02\x46"), "answer-unreadable", "what came is not HTTP"),
        (answering(b"HTTP/1.1 200 OK\r\n", b"X-Flood: 1\r\n" * 200, b"\r\n"), "answer-unreadable", "the headers of the answer are broken"),
        (answering(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 70_000, b"\r\n\r\n"), "answer-unreadable", "the headers of the answer are broken"),
        (answering(b"HTTP/1.1 200 " + b"O" * 70_000), "answer-unreadable", "the headers of the answer are broken"),
        (http(b'{"a": 1}', "Content-Length: 100"), "answer-truncated", "the answer broke off in the middle"),
        (http(b"5\r\nhel", "Transfer-Encoding: chunked"), "answer-truncated", "the answer broke off in the middle"),
        (http(b"zz\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), "answer-truncated", "the answer broke off in the middle"),
        (http(gzip.compress(b"x" * 500)[:-12], "Content-Encoding: gzip"), "answer-truncated", "the answer broke off in the middle"),
        (http(b"not gzip", "Content-Encoding: gzip"), "answer-unreadable", "the answer is not compressed the way it says (gzip)"),
        (http(b"x", "Content-Encoding: br"), "answer-unreadable", "the answer is encoded as 'br', which was not asked for"),
        (http(b"x", "Content-Encoding: gzip, gzip"), "answer-unreadable", "the answer is encoded as 'gzip, gzip'"),
        (
            http(b"<!doctype html><title>Sign in</title>", "Content-Type: text/html"),
            "answer-not-json",
            "answered 200 with text/html, expected JSON",
        ),
        (http(b'{"data": [', "Content-Type: application/json"), "answer-not-json", "answered 200 with application/json, expected JSON"),
        (http(b"", status="502 Bad Gateway"), "answer-not-json", "answered 502 with no content type, expected JSON"),
        (http(b'{"a": NaN}'), "answer-not-json", "NaN is not JSON"),
    ],
)
def test_no_usable_answer_has_a_name(talk: Talk, code: str, said: str) -> None:
    with talking(talk) as peer:
        fault = fault_of(peer.url)
    assert fault.reason_code == code
    assert said in fault.reason


def test_the_beginning_of_what_came_never_shows_half_a_token() -> None:
    for position in range(64):
        talk = http(b"x" * position + f" {TOKEN.value} is unknown".encode())
        with talking(talk) as peer, pytest.raises(CheckError) as raised:
            client(peer.url).get("/", TOKEN).json()
        shown = raised.value.reason.replace(TOKEN.value, "[redacted]")
        assert not [size for size in range(4, len(TOKEN.value)) if TOKEN.value[:size] in shown]


def test_an_exception_nobody_knows_still_names_the_request() -> None:
    fault = no_answer("GET http://h/", wrapped(RuntimeError("with a secret")), 5)
    assert (fault.reason_code, fault.reason) == ("answer-unreadable", "GET http://h/: RuntimeError")


def test_an_answer_that_breaks_without_a_known_reason_is_truncated() -> None:
    assert broken_answer("GET http://h/", EOFError(), 5).reason_code == "answer-truncated"
