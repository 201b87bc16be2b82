# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine makes of the answers services give, good and bad, over real connections."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.runs import WRITER, drive, records, total
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.service import (
    CHAT,
    Request,
    Script,
    Service,
    answer,
    saying,
    serving,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.wire import answering, talking

EVENTS = b"".join(b"data: %s\n\n" % part for part in (b"{}", b"{}", b"[DONE]"))


def chunked(body: bytes, *headers: bytes, size: int = 7) -> bytes:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[at : at + size]), body[at : at + size]) for at in range(0, len(body), size))
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked", *headers, b"", chunks + b"0\r\n\r\n"])


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(saying(answer(CHAT)), id="whole"),
        pytest.param(saying(*(bytes([byte]) for byte in answer(CHAT, "X: y")[:60]), answer(CHAT, "X: y")[60:]), id="byte by byte"),
        pytest.param(saying(answer(CHAT, "Connection: close"), close=True), id="closing each time"),
        pytest.param(saying(b"HTTP/1.1 200 OK\r\n\r\n" + CHAT, close=True), id="until the connection ends"),
        pytest.param(saying(chunked(CHAT)), id="chunks"),
        pytest.param(saying(chunked(CHAT)[:50], chunked(CHAT)[50:]), id="chunks in pieces"),
        pytest.param(saying(chunked(EVENTS, b"Content-Type: text/event-stream", size=11)), id="events"),
        pytest.param(saying(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer(CHAT)), id="interim answer before"),
        pytest.param(saying(b"HTTP/1.1 100 Continue\r\n\r\n", answer(CHAT)), id="interim answer apart"),
    ],
)
def test_a_good_answer_is_good_however_it_is_framed(script: Script, tmp_path: Path) -> None:
    with serving(script) as service:
        summary = drive(service.url, tmp_path)
    counted = total(summary)
    assert counted["errors"] == {}
    assert counted["ok"] == counted["count"] > 2
    assert summary["status_codes"] == {"200": counted["ok"]}
    assert summary["classes"]["chat"]["steady"]["latency_ms"]["p50"] > 0


def test_headers_that_differ_each_time_are_read_each_time(tmp_path: Path) -> None:
    async def script(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.number % 3 == 2:
            writer.write(answer(b"{}", f"x-request-id: {request.number}", status="500 x"))
        else:
            writer.write(answer(CHAT, f"x-request-id: {request.number}", "Connection: close" if request.number % 3 else "X: y"))
            if request.number % 3:
                writer.close()

    with serving(script) as service:
        summary = drive(service.url, tmp_path)
    counted = total(summary)
    assert set(counted["errors"]) == {"status_5xx"}
    assert abs(counted["errors"]["status_5xx"] - counted["count"] / 3) <= 3


@pytest.mark.parametrize(
    ("script", "error", "status"),
    [
        (saying(answer(CHAT[:-1])), "malformed", 200),
        (saying(answer(b"<html>login</html>")), "malformed", 200),
        (saying(answer(b'{"object":"x"}')), "malformed", 200),
        (saying(answer(b'{"choices":[]}')), "malformed", 200),
        (saying(answer(b"\xff\xfe")), "malformed", 200),
        (saying(answer(CHAT, status="202 Accepted")), "malformed", 202),
        (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), "malformed", 0),
        (saying(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), "malformed", 0),
        (saying(answer(CHAT) + b"more"), "malformed", 0),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"), "malformed", 0),
        (saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "malformed", 0),
        (saying(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000), "malformed", 0),
        (saying(chunked(EVENTS[:-9], b"Content-Type: text/event-stream")), "malformed", 200),
        (saying(answer(CHAT)[:-10], close=True), "reset", 0),
        (saying(chunked(CHAT)[:-10], close=True), "reset", 0),
        (saying(close=True), "reset", 0),
        (saying(answer(b"{}", "Location: http://127.0.0.1:9/", status="302 Found")), "redirected", 302),
        (saying(answer(b"{}", status="404 x")), "status_4xx", 404),
        (saying(answer(b"{}", status="503 x")), "status_5xx", 503),
        (saying(answer(b"{}", status="429 x")), "status_429", 429),
    ],
)
def test_a_bad_answer_is_an_error_of_its_kind(script: Script, error: str, status: int, tmp_path: Path) -> None:
    with serving(script) as service:
        summary = drive(service.url, tmp_path, duration=0.3)
    counted = total(summary)
    assert set(counted["errors"]) == {error}
    assert counted["errors"][error] == counted["exceeding"] == counted["count"] >= 2
    assert counted["ok"] == 0
    lines = records(tmp_path)
    assert {(line["e"], line["s"]) for line in lines} == {(error, status)}
    assert len(lines) == counted["count"]
    assert summary["classes"]["chat"]["steady"]["latency_ms"]["p95"] is None


def test_an_endless_body_is_not_read_to_its_end(tmp_path: Path) -> None:
    async def script(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()

    with serving(script) as service:
        summary = drive(service.url, tmp_path, concurrency=1)
    counted = total(summary)
    assert set(counted["errors"]) == {"malformed"}
    # The limit is 4 MiB a body.
    assert summary["bytes"]["received"] / counted["count"] < 6_000_000


def test_no_answer_is_a_timeout_that_says_how_long_it_was_at_least(tmp_path: Path) -> None:
    async def never(_request: Request, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    with serving(never) as service:
        summary = drive(service.url, tmp_path, timeout=0.4, duration=1.0)
    counted = total(summary)
    assert set(counted["errors"]) == {"timeout"}
    assert counted["censored"] == counted["count"] >= 4
    assert all(line["l"] >= 400_000 for line in records(tmp_path))


def test_a_refusal_tells_after_how_long_to_ask_again(tmp_path: Path) -> None:
    said = ["Retry-After: 3", "Retry-After: 30", "Retry-After: soon", "X: y"]

    async def script(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"{}", said[request.number % 4], status="429 x"))

    with serving(script) as service:
        summary = drive(service.url, tmp_path, concurrency=1)
    ladder = summary["ladder"]
    assert ladder["429"] == total(summary)["errors"]["status_429"] == summary["status_codes"]["429"]
    assert (ladder["retry_after_s"]["min"], ladder["retry_after_s"]["max"]) == (3, 30)
    assert abs(ladder["retry_after_s"]["missing"] - ladder["429"] / 2) <= 2


def test_a_refusal_until_a_date_is_read_with_the_answer_s_own_clock(tmp_path: Path) -> None:
    told = [("21 Nov 1996 11:00:10", "21 Nov 1996 11:00:13"), ("21 Nov 2096 11:00:59", "21 Nov 2096 11:01:19")]

    async def script(request: Request, writer: asyncio.StreamWriter) -> None:
        date, until = told[request.number % 2]
        traced = ["x-trace-id: tr-1"] if request.number % 3 else []
        writer.write(answer(b"{}", *traced, f"Date: Thu, {date} GMT", f"Retry-After: Thu, {until} GMT", status="429 x"))

    with serving(script) as service:
        waits = drive(service.url, tmp_path, concurrency=1)["ladder"]["retry_after_s"]
    assert waits == {"min": 3, "max": 19, "missing": 0}


def test_a_service_that_goes_away_makes_errors_and_not_an_end(tmp_path: Path) -> None:
    listener: list[Service] = []

    async def script(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(CHAT))
        if len(listener[0].requests) > 5:
            writer.transport.abort()

    with serving(script) as service:
        listener.append(service)
        summary = drive(service.url, tmp_path)
    counted = total(summary)
    assert counted["ok"] + counted["errors"]["reset"] == counted["count"]
    assert counted["errors"]["reset"] > 1


def test_nothing_there_is_said_once_before_anything_is_sent(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(CheckError, match="nothing accepts connections there") as fault:
            drive(f"http://127.0.0.1:{taken.getsockname()[1]}", tmp_path)
    assert fault.value.reason_code == "service-unreachable"
    assert records(tmp_path) == []
    with pytest.raises(CheckError, match="does not resolve"):
        drive("http://gateway.invalid", tmp_path / "other")


def test_a_directory_with_results_is_left_alone(tmp_path: Path) -> None:
    with serving(saying(answer(CHAT))) as service:
        drive(service.url, tmp_path, duration=0.1)
        before = (tmp_path / "chat_results.jsonl").read_bytes()
        with pytest.raises(CheckError, match="of another run") as fault:
            drive(service.url, tmp_path)
    assert fault.value.reason_code == "results-exist"
    assert (tmp_path / "chat_results.jsonl").read_bytes() == before


def test_no_token_is_in_any_file(tmp_path: Path) -> None:
    with serving(saying(answer(CHAT))) as service:
        drive(service.url, tmp_path, duration=0.2)
        assert {request.header("authorization") for request in service.chats()} == {f"Bearer {WRITER.value}"}
    written = [path.read_bytes() for path in tmp_path.iterdir()]
    assert len(written) >= 4
    assert not any(WRITER.value.encode() in content for content in written)


def test_ids_of_requests_are_distinct_and_in_the_records(tmp_path: Path) -> None:
    with serving(saying(answer(CHAT))) as service:
        drive(service.url, tmp_path, duration=0.2)
        sent = [request.header("x-request-id") for request in service.chats()]
    assert len(set(sent)) == len(sent)
    assert {line["r"] for line in records(tmp_path)} == set(sent)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    return context, str(bundle)


def test_tls_is_spoken_and_checked(certificate: tuple[ssl.SSLContext, str], tmp_path: Path) -> None:
    context, bundle = certificate
    with serving(saying(answer(CHAT)), tls=context) as service:
        counted = total(drive(service.url, tmp_path / "trusted", connection={"ca_path": bundle}))
        assert counted["ok"] == counted["count"] > 0
        assert total(drive(service.url, tmp_path / "unchecked", connection={"validate_certs": False}))["ok"] > 0
        with pytest.raises(CheckError) as fault:
            drive(service.url, tmp_path / "untrusted")
    assert fault.value.reason_code == "tls-untrusted"
    with talking(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), reads=False) as plain, pytest.raises(CheckError) as fault:
        drive(plain.url.replace("http:", "https:"), tmp_path / "plain", connection={"validate_certs": False})
    assert fault.value.reason_code == "tls-failed"
    with pytest.raises(CheckError, match="does not exist"):
        drive("https://127.0.0.1:9", tmp_path / "none", connection={"ca_path": str(tmp_path / "nowhere.pem")})


def test_without_msgspec_and_uvloop_it_is_the_same_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "msgspec", None)
    monkeypatch.setitem(__import__("sys").modules, "uvloop", None)

    async def script(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(CHAT if request.number % 2 else b'{"choices":'))

    with serving(script) as service:
        summary = drive(service.url, tmp_path)
    counted = total(summary)
    assert counted["ok"] > 0
    assert set(counted["errors"]) == {"malformed"}
    (generator,) = summary["generators"]
    assert generator["loop"].startswith("asyncio (slower")
    assert generator["parser"].startswith("json (slower")
    first = records(tmp_path)[0]
    assert list(first) == ["t", "l", "s", "e", "p", "a", "b", "d", "r"]
    assert json.dumps(first)
