# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A short-lived HTTP listener for webhook deliveries, which refuses the first one asked of it to see it tried again."""

from __future__ import annotations

import ipaddress
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from .connection import checked_url
from .faults import CheckError
from .request_body import UnreadableBody, read_body

MAX_DELIVERY = 1024 * 1024
MAX_KEPT = 1000


@dataclass(frozen=True)
class Delivery:
    """One request that reached the listener. Header names are lower-case; ``received`` is this machine's time in Unix seconds."""

    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    received: float
    answered: int


class WebhookListener:
    """Listens from construction to ``close``, on a path that nobody can guess.

    ``listen`` is an address of this machine, as ``HOST`` for a free port or ``HOST:PORT``. ``public_url`` is how others reach that port,
    where it differs. Raises CheckError where it cannot listen there.
    """

    def __init__(self, listen: str, path: str, public_url: str | None = None) -> None:
        host, port = _address(listen)
        if public_url and not port:
            raise CheckError(
                "bad-webhook-listen",
                f"webhook_listen {listen!r} leaves the port open while webhook_public_url names one",
                "Give webhook_listen the port that webhook_public_url leads to, as HOST:PORT.",
            )
        base = checked_url("webhook_public_url", public_url) if public_url else ""
        try:
            self._server = _Server(host, port, f"/{path}")
        except OSError as problem:
            raise CheckError(
                "webhook-listen-failed",
                f"cannot listen on webhook_listen {listen!r}: {problem.strerror or problem}",
                "Name an address of this machine and a port that is free.",
            ) from None
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{base or f'http://{shown}:{self._server.server_address[1]}'}/{path}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def refuse_first(self, marker: str) -> None:
        """Answer 500 to the first delivery whose body contains the marker, and to no other."""
        self._server.refuse = marker.encode()

    def deliveries(self, marker: str) -> list[Delivery]:
        """What was delivered so far with the marker in its body."""
        with self._server.arrival:
            return [delivery for delivery in self._server.kept if marker.encode() in delivery.body]

    def unreadable(self) -> list[str]:
        """What reached the listener and could not be read: how it was answered, and why."""
        with self._server.arrival:
            return list(self._server.unreadable)

    def wait(self, enough: Callable[[], bool], within: float) -> bool:
        """Wait at most so many seconds until ``enough`` says so, asking it at each arrival. Returns its last word."""
        with self._server.arrival:
            return self._server.arrival.wait_for(enough, within)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def is_loopback(host: str) -> bool:
    """Whether the host, a name or an address, is this machine alone."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in found)


def _address(listen: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{listen}")
        if parts.hostname and parts.netloc == listen and parts.username is None:
            return parts.hostname, parts.port or 0
    except ValueError:
        pass
    raise CheckError("bad-webhook-listen", f"webhook_listen {listen!r} is no HOST or HOST:PORT", "Write it as 0.0.0.0:8099.")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, path: str) -> None:
        self.path = path
        self.kept: list[Delivery] = []
        self.unreadable: list[str] = []
        self.refuse = b""
        # Reentrant, for what waits on an arrival looks at the deliveries in doing so.
        self.arrival = threading.Condition(threading.RLock())
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer looks up the host's full name here, which takes seconds where name resolution is slow.
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A peer that went away in the middle has delivered nothing.
        pass


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5.0

    def do_POST(self) -> None:
        if self.path != self.server.path:
            self._answer(404)
            return
        try:
            body = read_body(self.headers, self.rfile, MAX_DELIVERY)
        except UnreadableBody as problem:
            self._refuse(problem)
        except EOFError:
            # A peer that went away in the middle has delivered nothing.
            pass
        else:
            self._keep(body)

    def _refuse(self, problem: UnreadableBody) -> None:
        with self.server.arrival:
            if len(self.server.unreadable) < MAX_KEPT:
                self.server.unreadable.append(f"answered {problem.status}: {problem}")
        self._answer(problem.status)

    def _keep(self, body: bytes) -> None:
        server = self.server
        with server.arrival:
            refused = bool(server.refuse) and server.refuse in body
            if refused:
                server.refuse = b""
            status = 500 if refused else 200
            if len(server.kept) < MAX_KEPT:
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.kept.append(Delivery(headers, body, time.time(), status))
            server.arrival.notify_all()
        self._answer(status)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        # A module's standard output is its result.
        pass
