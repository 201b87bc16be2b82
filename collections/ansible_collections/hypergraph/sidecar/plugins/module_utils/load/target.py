# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a load goes: addresses resolved once, the TLS it is spoken with, and opening connections there. Never through a proxy."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TypeVar
from urllib.parse import urlsplit

from ..connection import Connection
from ..faults import CheckError

_Protocol = TypeVar("_Protocol", bound=asyncio.BaseProtocol)


@dataclass(frozen=True)
class Target:
    """A resolved address. ``prefix`` is the path before /v1; ``addresses`` are taken in turn."""

    host: str
    port: int
    host_header: str
    prefix: str
    tls: ssl.SSLContext | None
    addresses: tuple[str, ...] = field(default=())

    async def connect(self, protocol: Callable[[], _Protocol], number: int, timeout: float) -> _Protocol:
        """Open a connection, the ``number``-th, within so many seconds: to the address whose turn it is, or the next that accepts it.

        Raises OSError, of which TLS and timeouts are kinds; where no address accepts it, that of the last.
        """
        turn = number % len(self.addresses)
        *others, last = self.addresses[turn:] + self.addresses[:turn]
        for address in others:
            began = monotonic()
            try:
                # One that says nothing leaves half of the time to those after it.
                return await self._open(protocol, address, timeout / 2)
            except ssl.SSLError:
                # There is somebody, and what is wrong with it is to be known.
                raise
            except OSError:
                timeout -= monotonic() - began
        return await self._open(protocol, last, timeout)

    async def _open(self, protocol: Callable[[], _Protocol], address: str, timeout: float) -> _Protocol:
        loop = asyncio.get_running_loop()
        opening = loop.create_connection(protocol, address, self.port, ssl=self.tls, server_hostname=self.host if self.tls else None)
        try:
            _transport, connected = await asyncio.wait_for(opening, timeout)
        except asyncio.TimeoutError:
            # Only since Python 3.11 the same as the built-in TimeoutError, which is an OSError.
            raise TimeoutError(f"no connection within {timeout:g} s") from None
        return connected


def target(connection: Connection) -> Target:
    """Resolve the connection's address and load what its certificate is checked against. Raises CheckError."""
    parts = urlsplit(connection.base_url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        reason = f"base_url {connection.base_url}: the host name does not resolve on the load generator"
        raise CheckError("service-unreachable", reason, "Start the service, or correct the address in the inventory.") from None
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    return Target(host, port, parts.netloc, parts.path.rstrip("/"), _trust(connection) if secure else None, addresses)


def _trust(connection: Connection) -> ssl.SSLContext:
    """The TLS context of the connection. Raises CheckError where a bundle of CAs is none."""
    argument, path = ("ca_path", connection.ca_path) if connection.ca_path else ("REQUESTS_CA_BUNDLE", os.environ.get("REQUESTS_CA_BUNDLE"))
    path = path or _library_bundle()
    try:
        cafile, capath = (None, path) if path and Path(path).is_dir() else (path, None)
        context = ssl.create_default_context(cafile=cafile, capath=capath)
    except OSError as problem:
        why = "does not exist" if isinstance(problem, FileNotFoundError) else "is no readable bundle of certificates"
        raise CheckError("ca-unusable", f"{argument} {path} {why}", f"Point {argument} at the CA bundle of the environment.") from None
    if not connection.validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _library_bundle() -> str | None:
    """The bundle that the library requests uses, where it is installed; else the system's counts."""
    try:
        import certifi
    except ImportError:
        return None
    return str(certifi.where())
