# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that do not end, in bytes or in time."""

from __future__ import annotations

import gzip
import socket
import threading

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.http_client.requesting import client, fault_of
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.wire import endless, http, talking


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n\r\n",
        b"HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
    ],
)
def test_an_endless_body_is_left_unread(head: bytes) -> None:
    with talking(endless(head, b"x" * 65536)) as peer:
        fault = fault_of(peer.url)
    assert fault.reason_code == "answer-too-large"
    assert "the answer has more than 100000 bytes" in fault.reason


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


@pytest.mark.parametrize(
    ("head", "said"),
    [(b"", "no answer within 0.3 s"), (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "the answer stalled for 0.3 s")],
    ids=["at once", "in the body"],
)
def test_silence_is_a_timeout(head: bytes, said: str) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        connection.recv(1)  # until the client has gone

    with talking(talk) as peer:
        fault = fault_of(peer.url, timeout=0.3)
    assert (fault.reason_code, fault.reason) == ("answer-timeout", f"GET {peer.url}/v1/models: {said}")


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
