# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP client against servers that misbehave in every way we know of."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import time
import zlib
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import trustme

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection, Token
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_client import Answer, Client
from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_faults import broken_answer, no_answer
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.wire import Talk, answering, http, read_request, talking

TOKEN = Token("alpha-writer", "Zq8vX3c9K1m2n3p4Q5r6s7t8", "alpha", frozenset({"traces:write"}))
PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy, no .netrc and no bundle of the machine the tests run on."""
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def client(url: str, **options: Any) -> Client:
    return Client(Connection(url, **{"timeout": 5.0, **options}))


def fault_of(url: str, path: str = "/v1/models", method: str = "GET", max_body: int = 100_000, **options: Any) -> CheckError:
    """The fault that one request with a token ends in; whatever it is, it names the request and says what to do, and no token."""
    with pytest.raises(CheckError) as raised:
        client(url, **options).request(method, path, TOKEN, max_body=max_body).json()
    fault = raised.value
    assert url in fault.reason
    assert fault.action.endswith(".")
    assert TOKEN.value not in f"{fault.reason} {fault.action} {fault!r}"
    return fault


# Answers


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


# What is not sent, and where


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
def test_a_redirect_is_not_followed(status: str) -> None:
    with talking(http(b"{}")) as other:
        with talking(http(b"<a>moved</a>", f"Location: {other.url}/login", "Content-Type: text/html", status=status)) as peer:
            answer = client(peer.url).get("/", TOKEN)
            assert (answer.status, answer.headers["location"]) == (int(status[:3]), f"{other.url}/login")
            with pytest.raises(CheckError, match=r"redirecting to .*/login \(not followed\) with text/html") as raised:
                answer.json()
            assert raised.value.reason_code == "answer-not-json"
        assert other.requests == []


def test_the_body_of_a_redirect_is_bounded_too() -> None:
    with talking(endless(b"HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:1/\r\n\r\n", b"x" * 65536)) as peer:
        assert fault_of(peer.url).reason_code == "answer-too-large"


@pytest.mark.parametrize("location", ["http://[", "javascript:alert(1)", "", "http://h:x/"])
def test_a_redirect_to_nonsense_is_an_answer(location: str) -> None:
    with talking(http(b"{}", f"Location: {location}", status="302 x")) as peer:
        assert client(peer.url).get("/", TOKEN).status == 302


def test_netrc_does_not_replace_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login intruder password from-netrc\ndefault login intruder password from-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with talking(http(b"{}")) as peer:
        client(peer.url).get("/", TOKEN)
        client(peer.url).get("/")
    first, second = peer.headers()
    assert first["authorization"] == f"Bearer {TOKEN.value}"
    assert "authorization" not in second


def test_a_cookie_does_not_speak_for_the_next_caller() -> None:
    with talking(http(b"{}", "Set-Cookie: session=of-alpha; Path=/")) as peer:
        speaker = client(peer.url)
        speaker.get("/", TOKEN)
        speaker.get("/")
    assert not [headers for headers in peer.headers() if "cookie" in headers]


@pytest.mark.parametrize("path", ["", "v1/models", "@other.example/", ".other.example/", ":1/x", "//", "http:/x"])
def test_a_path_without_slash_would_change_the_host(path: str) -> None:
    with talking(http(b"{}")) as peer:
        if path == "//":
            client(peer.url).get(path, TOKEN)
            assert peer.requests[0].startswith(b"GET /")
            return
        with pytest.raises(CheckError, match="does not begin with a slash") as raised:
            client(peer.url).get(path, TOKEN)
        assert (raised.value.reason_code, peer.requests) == ("bad-url", [])


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with talking(http(b'{"by": "proxy"}')) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert client("http://gateway.invalid").get("/v1/models", TOKEN).json() == {"by": "proxy"}
        assert proxy.requests[0].startswith(b"GET http://gateway.invalid/v1/models HTTP/1.1")
        monkeypatch.setenv("no_proxy", "gateway.invalid")
        assert (
            fault_of("http://gateway.invalid", timeout=60.0).reason
            == "GET http://gateway.invalid/v1/models: the host name does not resolve"
        )
        assert len(proxy.requests) == 1


def test_a_proxy_for_tls_never_sees_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with talking(http(b"", status="403 Forbidden")) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        fault = fault_of("https://gateway.invalid")
    assert fault.reason_code == "proxy-unusable"
    assert proxy.requests[0].startswith(b"CONNECT gateway.invalid:443 ")
    assert TOKEN.value.encode() not in proxy.requests[0]


@pytest.mark.parametrize(
    "proxy", ["http://127.0.0.1:{closed}", "http://user:hunter2-secret@127.0.0.1:{closed}", "ftp://127.0.0.1", "http://", "http:///"]
)
def test_a_proxy_that_is_none_is_named_as_the_cause(proxy: str, closed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", proxy.format(closed=closed))
    fault = fault_of("http://gateway.invalid", timeout=60.0)
    assert fault.reason_code == "proxy-unusable"
    assert "NO_PROXY" in fault.action
    assert "hunter2" not in fault.reason


# No answer


@pytest.fixture
def closed() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def test_a_refused_connection_is_named(closed: int) -> None:
    fault = fault_of(f"http://127.0.0.1:{closed}")
    assert (fault.reason_code, fault.reason) == (
        "service-unreachable",
        f"GET http://127.0.0.1:{closed}/v1/models: nothing accepts connections there",
    )


def test_a_connection_closed_meanwhile_is_replaced_once() -> None:
    """The server keeps connections alive by its word and closes them by its deed."""
    with talking(http(b"{}")) as peer:
        speaker = client(peer.url)
        assert [speaker.get("/", TOKEN).status for _turn in range(20)] == [200] * 20


@pytest.mark.parametrize(("method", "asked"), [("GET", 3), ("HEAD", 3), ("POST", 2), ("DELETE", 2)])
def test_only_what_changes_nothing_is_sent_again(method: str, asked: int) -> None:
    """The first connection serves one request and is closed in the middle of the second; the next ones answer nothing."""
    connections = []

    def talk(connection: socket.socket) -> None:
        connections.append(connection)
        if len(connections) == 1:
            http(b"{}")(connection)
            peer.requests.append(read_request(connection))

    with talking(talk) as peer:
        speaker = client(peer.url)
        speaker.post("/", TOKEN)
        with pytest.raises(CheckError, match="closed without an HTTP answer"):
            speaker.request(method, "/", TOKEN)
    assert len(peer.requests) == asked


def test_a_connection_is_kept() -> None:
    connections = []

    def talk(connection: socket.socket) -> None:
        connections.append(connection)
        for _turn in range(3):
            http(b"{}")(connection)
            read_request(connection)

    with talking(talk) as peer:
        speaker = client(peer.url)
        assert [speaker.get("/", TOKEN).json() for _turn in range(3)] == [{}, {}, {}]
    assert len(connections) == 1


def test_an_unresolvable_host_is_named() -> None:
    fault = fault_of("http://gateway.invalid", timeout=60.0)
    assert (fault.reason_code, fault.reason) == (
        "service-unreachable",
        "GET http://gateway.invalid/v1/models: the host name does not resolve",
    )


@pytest.mark.parametrize("host", ["a..b.invalid", f"{'a' * 64}.invalid", "gate way", "\u2603.\u2603\u2603invalid", "*.invalid"])
def test_a_host_that_is_no_name_is_a_bad_url(host: str) -> None:
    assert fault_of(f"http://{host}", timeout=60.0).reason_code in ("bad-url", "service-unreachable")


def test_an_unreachable_network_is_named() -> None:
    fault = no_answer("GET http://10.0.0.1/", _wrapped(OSError(113, "No route to host")), 5)
    assert (fault.reason_code, fault.reason) == ("service-unreachable", "GET http://10.0.0.1/: no route to host")


def test_a_connection_that_is_not_made_in_time_is_named() -> None:
    """A listener whose backlog is full does not answer any more."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = []
        try:
            for _turn in range(8):
                pending = socket.socket()
                pending.setblocking(False)
                pending.connect_ex(address)
                waiting.append(pending)
            fault = fault_of(f"http://127.0.0.1:{address[1]}", timeout=0.5)
        finally:
            for pending in waiting:
                pending.close()
    assert fault.reason_code == "service-unreachable"
    assert fault.reason.endswith("no connection within 0.5 s")


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
        (http(b"x" * 10_000_000), "answer-too-large", "the answer has more than 100000 bytes"),
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


# Answers that do not end


def endless(head: bytes, unit: bytes, pause: float = 0.0) -> Talk:
    """Send the unit over and over until the client has had enough."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(unit)
            time.sleep(pause)

    return talk


def silence(connection: socket.socket) -> None:
    """Say nothing until the client has gone."""
    connection.recv(1)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n\r\n",
    ],
)
def test_an_endless_body_is_left_unread(head: bytes) -> None:
    with talking(endless(head, b"x" * 65536)) as peer:
        assert fault_of(peer.url).reason_code == "answer-too-large"


@pytest.mark.parametrize("layers", [1, 2])
def test_a_few_bytes_do_not_unfold_into_gigabytes(layers: int) -> None:
    bomb = b"\0" * 50_000_000
    for _turn in range(layers):
        bomb = gzip.compress(bomb)
    with talking(http(bomb, f"Content-Encoding: {', '.join(['gzip'] * layers)}")) as peer:
        assert fault_of(peer.url).reason_code == ("answer-too-large" if layers == 1 else "answer-unreadable")


def test_what_unfolds_is_never_held_beyond_the_limit() -> None:
    import tracemalloc

    bomb = gzip.compress(b"\0" * 50_000_000)
    with talking(http(bomb, "Content-Encoding: gzip")) as peer:
        speaker = client(peer.url)
        tracemalloc.start()
        try:
            with pytest.raises(CheckError, match="more than 1000000 bytes"):
                speaker.get("/", max_body=1_000_000)
            _current, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 8_000_000


def test_silence_is_a_timeout() -> None:
    with talking(silence) as peer:
        fault = fault_of(peer.url, timeout=0.3)
    assert (fault.reason_code, fault.reason) == ("answer-timeout", f"GET {peer.url}/v1/models: no answer within 0.3 s")


def test_a_stall_in_the_body_is_a_timeout() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        silence(connection)

    with talking(talk) as peer:
        fault = fault_of(peer.url, timeout=0.3)
    assert (fault.reason_code, fault.reason) == ("answer-timeout", f"GET {peer.url}/v1/models: the answer stalled for 0.3 s")


@pytest.mark.parametrize(
    ("head", "unit"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x"),
        (b"", b"H"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_a_drip_does_not_outlast_the_timeout(head: bytes, unit: bytes) -> None:
    """Every byte in time for the socket, and the whole never."""
    with talking(endless(head, unit, pause=0.02)) as peer:
        fault = fault_of(peer.url, timeout=0.5)
    assert fault.reason_code == "answer-timeout"


def test_a_drip_outside_the_main_thread_is_noticed_too() -> None:
    faults: list[CheckError] = []

    def work() -> None:
        faults.append(fault_of(peer.url, timeout=0.3))

    with talking(endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", pause=0.02)) as peer:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert faults[0].reason.endswith("the answer was not complete after 0.3 s")


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def serving(authority: trustme.CA, *names: str, **options: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **options).configure_cert(context)
    return context


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def test_a_certificate_of_the_given_authority_is_trusted(authority: trustme.CA, bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with talking(http(b"{}"), tls=serving(authority, "127.0.0.1")) as peer:
        assert client(peer.url, ca_path=bundle).get("/", TOKEN).json() == {}
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
        assert client(peer.url).get("/", TOKEN).json() == {}
        assert client(peer.url, ca_path=bundle, validate_certs=False).get("/", TOKEN).json() == {}


def test_a_directory_of_authorities_is_accepted(tmp_path: Path, authority: trustme.CA) -> None:
    with talking(http(b"{}"), tls=serving(authority, "127.0.0.1")) as peer:
        assert fault_of(peer.url, ca_path=str(tmp_path)).reason_code == "tls-untrusted"


def test_an_unknown_authority_is_not_trusted(authority: trustme.CA) -> None:
    with talking(http(b"{}"), tls=serving(authority, "127.0.0.1")) as peer:
        fault = fault_of(peer.url)
        assert client(peer.url, validate_certs=False).get("/", TOKEN).json() == {}
    assert fault.reason_code == "tls-untrusted"
    assert "certificate verify failed: unable to get local issuer certificate" in fault.reason
    assert "ca_path" in fault.action
    assert len(peer.requests) == 1


def test_a_certificate_for_another_name_is_not_trusted(authority: trustme.CA, bundle: str) -> None:
    with talking(http(b"{}"), tls=serving(authority, "gateway.example.org")) as peer:
        fault = fault_of(peer.url, ca_path=bundle)
    assert fault.reason_code == "tls-untrusted"
    assert "name in its certificate" in fault.action


def test_an_expired_certificate_is_not_trusted(authority: trustme.CA, bundle: str) -> None:
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    with talking(http(b"{}"), tls=serving(authority, "127.0.0.1", not_after=yesterday)) as peer:
        fault = fault_of(peer.url, ca_path=bundle)
    assert (fault.reason_code, fault.reason.endswith("certificate has expired")) == ("tls-untrusted", True)
    assert "clock" in fault.action


def test_the_older_library_that_compares_names_itself_is_understood() -> None:
    from urllib3.util.ssl_match_hostname import CertificateError

    fault = no_answer("GET https://h/", _wrapped(CertificateError("hostname 'h' doesn't match 'x'")), 5)
    assert (fault.reason_code, "name in its certificate" in fault.action) == ("tls-untrusted", True)


def test_https_to_a_plain_port_is_the_wrong_scheme() -> None:
    with talking(answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), reads=False) as peer:
        fault = fault_of(peer.url.replace("http:", "https:"))
    assert (fault.reason_code, fault.action) == ("wrong-scheme", "Use http:// in the address, or the TLS port.")


def test_http_to_a_tls_port_hints_at_the_scheme(authority: trustme.CA) -> None:
    with talking(http(b"{}"), tls=serving(authority, "127.0.0.1")) as peer:
        fault = fault_of(peer.url.replace("https:", "http:"))
    assert fault.reason_code == "answer-unreadable"
    assert "a TLS port asked over plain HTTP answers so" in fault.reason


def test_a_handshake_that_fails_says_what_openssl_says(authority: trustme.CA, bundle: str) -> None:
    context = serving(authority, "127.0.0.1")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("NULL-SHA256:@SECLEVEL=0")
    with talking(http(b"{}"), tls=context) as peer:
        fault = fault_of(peer.url, ca_path=bundle)
    assert fault.reason_code == "tls-failed"
    assert "handshake" in fault.reason


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist"),
        ("not a certificate", "is no readable bundle of certificates"),
        ("", "is no readable bundle of certificates"),
    ],
)
@pytest.mark.parametrize("by", ["ca_path", "REQUESTS_CA_BUNDLE"])
def test_a_bundle_that_is_none_is_named(by: str, content: Any, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)
    if by == "REQUESTS_CA_BUNDLE":
        monkeypatch.setenv(by, str(path))
    with pytest.raises(CheckError) as raised:
        client("https://127.0.0.1:1", **({"ca_path": str(path)} if by == "ca_path" else {}))
    assert (raised.value.reason_code, raised.value.reason) == ("ca-unusable", f"{by} {path} {said}")


# Faults that no server here can be made to cause


def _wrapped(problem: Exception) -> Exception:
    """As the libraries wrap it."""
    import requests

    wrapped = requests.exceptions.ConnectionError(problem)
    wrapped.__context__ = wrapped  # a circle must not be an endless way
    return wrapped


def test_an_exception_nobody_knows_still_names_the_request() -> None:
    fault = no_answer("GET http://h/", _wrapped(RuntimeError("with a secret")), 5)
    assert (fault.reason_code, fault.reason) == ("answer-unreadable", "GET http://h/: RuntimeError")


def test_an_answer_that_breaks_without_a_known_reason_is_truncated() -> None:
    assert broken_answer("GET http://h/", EOFError(), 5).reason_code == "answer-truncated"


def test_an_answer_is_a_value() -> None:
    answer = Answer("GET", "http://h/", 200, {}, b"\xffsecret", 0.1)
    assert "secret" not in repr(answer)
    assert (answer.text, answer.content_type) == ("\ufffdsecret", "")
