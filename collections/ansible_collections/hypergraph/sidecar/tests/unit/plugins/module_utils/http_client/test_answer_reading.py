# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of every form and status are read whole, and are values."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import datetime, timezone

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_client import Answer
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.http_client.requesting import TOKEN, client
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.wire import Talk, answering, http, talking


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Sat, 31 Jan 2026 12:00:00 GMT", datetime(2026, 1, 31, 12, tzinfo=timezone.utc)),
        ("Sat, 31 Jan 2026 12:00:00 -0000", datetime(2026, 1, 31, 12, tzinfo=timezone.utc)),
        ("", None),
        ("soon", None),
        ("Sat, 99 Jan 2026 12:00:00 GMT", None),
    ],
)
def test_the_clock_of_whoever_answered(date: str, moment: datetime | None) -> None:
    assert Answer("GET", "/", 200, {"date": date}, b"", 0.0).date == moment


def test_an_answer_is_read_whole() -> None:
    with talking(http(b'{"data": [1]}', "Content-Type: Application/JSON; charset=utf-8", "X-Trace-Id: t-1", status="201 Created")) as peer:
        answer = client(peer.url).post("/v1/chat", TOKEN, json={"a": 1}, headers={"x-explain-mode": "hypergraph"})
    assert (answer.method, answer.url, answer.status) == ("POST", f"{peer.url}/v1/chat", 201)
    assert (answer.json(), answer.text) == ({"data": [1]}, '{"data": [1]}')
    assert (answer.content_type, answer.headers["x-trace-id"]) == ("application/json", "t-1")
    assert answer.elapsed > 0
    (request,) = peer.requests
    assert request.startswith(b"POST /v1/chat HTTP/1.1\r\n")
    assert json.loads(request.partition(b"\r\n\r\n")[2]) == {"a": 1}
    (headers,) = peer.headers()
    assert headers["authorization"] == f"Bearer {TOKEN.value}"
    assert (headers["x-explain-mode"], headers["content-type"]) == ("hypergraph", "application/json")
    assert (headers["accept"], headers["accept-encoding"]) == ("application/json", "identity")


def test_a_token_may_be_a_text_or_none() -> None:
    with talking(http(b"{}")) as peer:
        speaker = client(peer.url)
        speaker.get("/a", "some-text")
        speaker.get("/b")
        speaker.get(f"{peer.url}/c", headers={"Accept": "text/plain"})
    first, second, third = peer.headers()
    assert first["authorization"] == "Bearer some-text"
    assert "authorization" not in second
    assert third["accept"] == "text/plain"


@pytest.mark.parametrize(
    ("talk", "body"),
    [
        (http(b"", status="204 No Content"), b""),
        (http(b"", "Content-Length: 0"), b""),
        (answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end"), b"until the end"),
        (http(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), b"hello world"),
        (http(gzip.compress(b"plain" * 1000), "Content-Encoding: gzip"), b"plain" * 1000),
        (http(gzip.compress(b"plain"), "Content-Encoding: X-GZIP"), b"plain"),
        (http(zlib.compress(b"plain"), "Content-Encoding: deflate"), b"plain"),
        (http(b"plain", "Content-Encoding: identity"), b"plain"),
        (http(b"", "Content-Encoding: gzip", status="204 No Content"), b""),
        (answering(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), b"ok"),
        (http(b"\xff\xfe"), b"\xff\xfe"),
    ],
)
def test_bodies_come_as_they_are_meant(talk: Talk, body: bytes) -> None:
    with talking(talk) as peer:
        assert client(peer.url).get("/").body == body


def test_the_answer_to_head_has_a_length_and_no_body() -> None:
    with talking(http(b"", "Content-Length: 1000")) as peer:
        assert client(peer.url).request("HEAD", "/").body == b""


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 503])
def test_every_status_is_an_answer(status: int) -> None:
    with talking(http(b'{"error": {}}', "Retry-After: 1", status=f"{status} x")) as peer:
        answer = client(peer.url).get("/", TOKEN)
    assert (answer.status, answer.json()) == (status, {"error": {}})
    assert len(peer.requests) == 1


def test_a_body_of_exactly_the_limit_is_read() -> None:
    with talking(http(b"x" * 1000)) as peer:
        assert len(client(peer.url).get("/", max_body=1000).body) == 1000


def test_an_answer_is_a_value() -> None:
    answer = Answer("GET", "http://h/", 200, {}, b"\xffsecret", 0.1)
    assert "secret" not in repr(answer)
    assert (answer.text, answer.content_type) == ("\ufffdsecret", "")
