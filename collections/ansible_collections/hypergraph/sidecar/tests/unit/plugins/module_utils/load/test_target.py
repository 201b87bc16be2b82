# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of several addresses, of which not all lead to the service."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.target import Target
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.runs import drive, total
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.service import CHAT, answer, saying, serving

HERE = "127.0.0.1"
# Nothing listens there.
NOBODY = "127.0.0.2"


@contextmanager
def listening(address: str, port: int = 0, *, answers: bool = True) -> Iterator[int]:
    """A listener's port; one that does not answer has its queue full, so that the attempt to connect gets no word."""
    with ExitStack() as opened:
        listener = opened.enter_context(socket.create_server((address, port), backlog=100 if answers else 0))
        port = listener.getsockname()[1]
        for _waiting in range(0 if answers else 4):
            caller = opened.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex((address, port))
        yield port


def reached(port: int, addresses: tuple[str, ...], numbers: range, tls: ssl.SSLContext | None = None) -> list[str]:
    """The address that each connection was made to."""
    found: list[str] = []

    class Seen(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            found.append(transport.get_extra_info("peername")[0])
            transport.abort()  # type: ignore[attr-defined]

    async def connect() -> None:
        for number in numbers:
            await Target("gateway.example", port, "gateway.example", "", tls, addresses).connect(Seen, number, 2.0)

    asyncio.run(connect())
    return found


def test_addresses_are_taken_in_turn() -> None:
    with listening(HERE) as port, listening(NOBODY, port):
        assert reached(port, (HERE, NOBODY), range(4)) == [HERE, NOBODY, HERE, NOBODY]


@pytest.mark.parametrize("addresses", [(NOBODY, HERE), (HERE, NOBODY), ("127.0.0.3", NOBODY, HERE)])
def test_an_address_that_refuses_gives_its_turn_to_the_next(addresses: tuple[str, ...]) -> None:
    with listening(HERE) as port:
        assert reached(port, addresses, range(3)) == [HERE] * 3


def test_an_address_that_says_nothing_leaves_time_for_the_next() -> None:
    with listening(HERE) as port, listening(NOBODY, port, answers=False):
        assert reached(port, (NOBODY, HERE), range(2)) == [HERE] * 2


def test_where_none_accepts_the_last_says_why() -> None:
    with listening(HERE, answers=False) as port:
        with pytest.raises(ConnectionRefusedError):
            reached(port, (HERE, NOBODY), range(1))
        with pytest.raises(TimeoutError, match="no connection within"):
            reached(port, (NOBODY, HERE), range(1))


def test_what_is_wrong_with_a_certificate_is_not_hidden_by_another_address() -> None:
    trustme = pytest.importorskip("trustme")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("gateway.example").configure_cert(context)
    with serving(saying(answer(CHAT)), tls=context) as service, pytest.raises(ssl.SSLCertVerificationError):
        reached(service.port, (HERE, NOBODY), range(1), ssl.create_default_context())


def test_a_load_reaches_a_name_whose_first_address_leads_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def both(host: Any, port: Any, *rest: Any, **named: Any) -> list[Any]:
        addresses = (NOBODY, HERE) if host == "gateway.example" else (host,)
        return [entry for address in addresses for entry in resolve(address, port, *rest, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with serving(saying(answer(CHAT))) as service:
        counted = total(drive(f"http://gateway.example:{service.port}", tmp_path, concurrency=4))
    assert counted["errors"] == {}
    assert counted["ok"] > 4
