# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that are refused, not made in time, lost or kept."""

from __future__ import annotations

import socket

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_faults import no_answer
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.http_client.requesting import TOKEN, client, fault_of, wrapped
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.wire import http, read_request, talking


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
    fault = no_answer("GET http://10.0.0.1/", wrapped(OSError(113, "No route to host")), 5)
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
