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


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [("/other", "2", 404), ("/secret-path", None, 411), ("/secret-path", "many", 411), ("/secret-path", str(MAX_DELIVERY + 1), 413)],
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
