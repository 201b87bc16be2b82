# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listener, asked over real sockets."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.error
import urllib.request

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.webhook_listener import MAX_DELIVERY, WebhookListener, is_loopback


@pytest.fixture
def listener():
    listening = WebhookListener("127.0.0.1", "secret-path")
    yield listening
    listening.close()


def post(url, body, headers=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers or {}, method="POST"), timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def test_a_delivery_is_kept_with_what_proves_it(listener):
    assert post(listener.url, b'{"trace_id": "t-1"}', {"X-Hypergraph-Signature": "sha256=00"}) == 200
    (delivery,) = listener.deliveries("t-1")
    assert delivery.body == b'{"trace_id": "t-1"}'
    assert delivery.headers["x-hypergraph-signature"] == "sha256=00"
    assert delivery.answered == 200
    assert listener.deliveries("t-2") == []


def test_only_the_first_delivery_about_the_marker_is_refused(listener):
    listener.refuse_first("t-1")
    assert [post(listener.url, body) for body in (b"t-2", b"t-1", b"t-1", b"t-2")] == [200, 500, 200, 200]
    assert [delivery.answered for delivery in listener.deliveries("t-1")] == [500, 200]


def test_waiting_ends_with_the_delivery_waited_for(listener):
    threading.Timer(0.05, post, [listener.url, b"late"]).start()
    assert listener.wait(lambda: bool(listener.deliveries("late")), 5)
    assert not listener.wait(lambda: bool(listener.deliveries("never")), 0.05)


def send(url, headers, body):
    """Post to a listener byte by byte as written; returns the status of the answer, None where there was none."""
    host, port = url.split("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=5) as peer:
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        peer.sendall(f"POST /{url.rpartition('/')[2]} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode() + body)
        peer.shutdown(socket.SHUT_WR)
        answer = peer.makefile("rb").readline()
    return int(answer.split()[1]) if answer else None


def test_a_delivery_may_come_in_chunks(listener):
    connection = http.client.HTTPConnection(listener.url.split("/")[2], timeout=5)
    pieces = [b'{"trace_id": ', b'"t-1"}', b" " * 20_000]
    connection.request("POST", "/secret-path", iter(pieces), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    (delivery,) = listener.deliveries("t-1")
    assert delivery.body == b"".join(pieces)


def test_chunks_of_the_refused_delivery_are_read_too(listener):
    listener.refuse_first("t-1")
    chunked = {"Transfer-Encoding": "chunked"}
    assert [send(listener.url, chunked, b"3\r\nt-1\r\n0\r\n\r\n") for _again in range(2)] == [500, 200]


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("chunked", b"3\r\none\r\n0\r\n\r\n"),
        ("Chunked", b"1\r\no\r\n2\r\nne\r\n000\r\n\r\n"),
        ("chunked", b'3;name="a;b";more\r\none\r\n0;last\r\nx-checksum: 1\r\nx-more: 2\r\n\r\n'),
        ("chunked", b"0003 \r\none\r\n0\r\n\r\n"),
    ],
)
def test_chunks_may_carry_extensions_and_trailers(listener, coding, body):
    assert send(listener.url, {"Transfer-Encoding": coding, "Content-Length": "1"}, body) == 200
    assert [delivery.body for delivery in listener.deliveries("")] == [b"one"]
    assert listener.unreadable() == []


LARGE = b"%x\r\n" % MAX_DELIVERY + b"x" * MAX_DELIVERY + b"\r\n"


@pytest.mark.parametrize(
    ("headers", "body", "status", "told"),
    [
        ({"Transfer-Encoding": "chunked"}, b"three\r\none\r\n0\r\n\r\n", 400, "chunk size 'three' is no hexadecimal number"),
        ({"Transfer-Encoding": "chunked"}, b"-3\r\none\r\n0\r\n\r\n", 400, "chunk size '-3'"),
        ({"Transfer-Encoding": "chunked"}, b"0x3\r\none\r\n0\r\n\r\n", 400, "chunk size '0x3'"),
        ({"Transfer-Encoding": "chunked"}, b"\r\none\r\n0\r\n\r\n", 400, "chunk size ''"),
        ({"Transfer-Encoding": "chunked"}, b"2\r\none\r\n0\r\n\r\n", 400, "2 bytes is not followed by a line break"),
        ({"Transfer-Encoding": "chunked"}, b"3;" + b"x" * 5_000, 400, "longer than"),
        ({"Transfer-Encoding": "chunked"}, b"0\r\n" + b"x: y\r\n" * 1000, 400, "trailers"),
        ({"Transfer-Encoding": "chunked"}, b"fffffffff\r\n", 413, "more than"),
        ({"Transfer-Encoding": "chunked"}, LARGE + b"1\r\nx\r\n0\r\n\r\n", 413, "more than"),
        ({"Transfer-Encoding": "gzip, chunked"}, b"3\r\none\r\n0\r\n\r\n", 501, "'gzip, chunked'"),
        ({}, b"one", 411, "Content-Length"),
        ({"Content-Length": "many"}, b"one", 400, "Content-Length 'many'"),
        ({"Content-Length": str(MAX_DELIVERY + 1)}, b"one", 413, "more than"),
    ],
)
def test_a_delivery_that_cannot_be_read_is_refused_and_told(listener, headers, body, status, told):
    assert send(listener.url, headers, body) == status
    assert listener.deliveries("") == []
    (said,) = listener.unreadable()
    assert said.startswith(f"answered {status}: ")
    assert told in said
    assert len(said) < 200


def test_a_whole_delivery_in_one_chunk_may_be_as_large_as_any(listener):
    assert send(listener.url, {"Transfer-Encoding": "chunked"}, LARGE + b"0\r\n\r\n") == 200
    assert [len(delivery.body) for delivery in listener.deliveries("")] == [MAX_DELIVERY]


@pytest.mark.parametrize("body", [b"", b"3", b"3\r\non", b"3\r\none", b"3\r\none\r\n", b"3\r\none\r\n0\r\n", b"0\r\nx-chec"])
def test_a_peer_that_goes_away_between_chunks_has_delivered_nothing(listener, body):
    assert send(listener.url, {"Transfer-Encoding": "chunked"}, body) is None
    assert (listener.deliveries(""), listener.unreadable()) == ([], [])


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [("/other", "2", 404), ("/secret-path", None, 411), ("/secret-path", "many", 400), ("/secret-path", str(MAX_DELIVERY + 1), 413)],
)
def test_what_is_no_delivery_is_refused_and_not_kept(listener, path, length, status):
    connection = http.client.HTTPConnection(listener.url.split("/")[2], timeout=5)
    connection.putrequest("POST", path)
    if length is not None:
        connection.putheader("Content-Length", length)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()
    assert listener.deliveries("") == []


def test_a_peer_that_goes_away_in_the_middle_has_delivered_nothing(listener, capfd):
    host, port = listener.url.split("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=5) as peer:
        peer.sendall(b"POST /secret-path HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
    assert post(listener.url, b"whole") == 200
    assert [delivery.body for delivery in listener.deliveries("")] == [b"whole"]
    assert capfd.readouterr() == ("", "")


def test_a_public_url_stands_in_for_the_address():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    listening = WebhookListener(f"127.0.0.1:{port}", "p", "https://runner.example.org:8099/hooks/")
    try:
        assert listening.url == "https://runner.example.org:8099/hooks/p"
        assert post(f"http://127.0.0.1:{port}/p", b"x") == 200
    finally:
        listening.close()


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 on this machine")
def test_ipv6_addresses_are_bracketed():
    try:
        listening = WebhookListener("[::1]", "p")
    except CheckError:
        pytest.skip("no IPv6 loopback on this machine")
    try:
        assert listening.url.startswith("http://[::1]:")
        assert post(listening.url, b"x") == 200
    finally:
        listening.close()


def test_nothing_listens_any_more_after_close():
    listening = WebhookListener("127.0.0.1", "p")
    listening.close()
    with pytest.raises(urllib.error.URLError):
        post(listening.url, b"x")


@pytest.mark.parametrize("listen", ["", ":80", "host:port", "host:99999", "http://host", "user@host", "host/path"])
def test_an_address_that_is_none_is_named(listen):
    with pytest.raises(CheckError) as raised:
        WebhookListener(listen, "p")
    assert raised.value.reason_code == "bad-webhook-listen"


def test_a_public_url_needs_a_fixed_port():
    with pytest.raises(CheckError) as raised:
        WebhookListener("127.0.0.1", "p", "http://runner.example.org")
    assert raised.value.reason_code == "bad-webhook-listen"


def test_a_public_url_is_checked():
    with pytest.raises(CheckError) as raised:
        WebhookListener("127.0.0.1:1", "p", "runner.example.org")
    assert (raised.value.reason_code, "webhook_public_url" in raised.value.reason) == ("bad-url", True)


def test_a_taken_port_is_named(listener):
    taken = listener.url.split("/")[2]
    with pytest.raises(CheckError) as raised:
        WebhookListener(taken, "p")
    assert raised.value.reason_code == "webhook-listen-failed"
    assert taken in raised.value.reason


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("localhost", True),
        ("::1", True),
        ("192.0.2.1", False),
        ("0.0.0.0", False),
        ("no such.invalid", False),
        ("x" * 80, False),
    ],
)
def test_loopback_hosts(host, expected):
    assert is_loopback(host) == expected
