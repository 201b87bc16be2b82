# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that answer byte by byte what a test tells them, which no HTTP library would send."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Talk = Callable[[socket.socket], None]


@dataclass
class Peer:
    """A listening server: where it is, and what it was asked so far, each request as it came."""

    port: int
    scheme: str = "http"
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def headers(self) -> list[dict[str, str]]:
        """The headers of each request, with names in lower case."""
        found = []
        for request in self.requests:
            lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
            found.append({name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)})
        return found


def answering(*parts: bytes) -> Talk:
    """Send these bytes and close."""

    def talk(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return talk


def http(body: bytes, *headers: str, status: str = "200 OK") -> Talk:
    """An HTTP answer with a body of its true length, unless the headers name another."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if not any(header.lower().startswith(("content-length", "transfer-encoding")) for header in headers):
        lines.append(f"Content-Length: {len(body)}")
    return answering("\r\n".join([*lines, "", ""]).encode("latin-1") + body)


def endless(head: bytes, unit: bytes, pause: float = 0.0) -> Talk:
    """Send the unit over and over until the client has had enough."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(unit)
            time.sleep(pause)

    return talk


@contextmanager
def talking(talk: Talk, *, tls: ssl.SSLContext | None = None, reads: bool = True) -> Iterator[Peer]:
    """Serve connections on a free port of the loopback interface, each in a thread: read one request, unless told not to, then ``talk``."""
    listener = socket.create_server(("127.0.0.1", 0))
    peer = Peer(listener.getsockname()[1], "https" if tls else "http")
    open_connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            spoken = tls.wrap_socket(connection, server_side=True) if tls else connection
            open_connections.append(spoken)
            with spoken:
                if reads:
                    peer.requests.append(read_request(spoken))
                talk(spoken)

    def accept() -> None:
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            open_connections.append(connection)
            threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
            threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield peer
    finally:
        # Closing alone would leave accept() waiting.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for connection in open_connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def read_request(connection: socket.socket) -> bytes:
    """The next request on the connection, whole. Raises ConnectionError where the client goes away before."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _blank, body = received.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += _some(connection)
    return head + b"\r\n\r\n" + body


def _some(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise ConnectionError("the client is gone")
    return received
