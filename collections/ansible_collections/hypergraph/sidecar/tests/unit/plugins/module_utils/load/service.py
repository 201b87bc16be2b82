# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that answers chats and polls as a test's script says, byte by byte, on a loop of its own in a thread."""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CHAT = json.dumps({"object": "chat.completion", "choices": [{"index": 0, "message": {"role": "assistant", "content": "blue"}}]}).encode()


@dataclass
class Request:
    """A request as it came, and which of all it was."""

    number: int
    head: bytes
    body: bytes

    @property
    def is_chat(self) -> bool:
        return self.head.startswith(b"POST ")

    def header(self, name: str) -> str:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return next((line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name}:")), "")


Script = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Service:
    """Where it is, and what it was asked."""

    port: int
    scheme: str = "http"
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def chats(self) -> list[Request]:
        return [request for request in self.requests if request.is_chat]


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole answer of known length."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]).encode() + body


def saying(*parts: bytes, close: bool = False) -> Script:
    """Answer every request so."""

    async def script(_request: Request, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            if len(parts) > 1:
                await asyncio.sleep(0.005)
        if close:
            writer.close()

    return script


def explaining(states: Callable[[int], str] = lambda _polls: "complete", attach: tuple[str, ...] | None = None) -> Script:
    """Answer chats well, with a trace where an explanation is asked for, and polls by how often the trace was polled before."""
    polls: dict[bytes, int] = {}

    async def script(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.is_chat:
            traced = (f"x-trace-id: tr-{request.number}",) if attach is None else attach
            writer.write(answer(CHAT, *(traced if request.header("x-explain-mode") else ())))
            return
        path = request.head.split(b" ", 2)[1]
        polls[path] = polls.get(path, -1) + 1
        state = states(polls[path])
        if state.isdigit():
            writer.write(answer(b"{}", status=f"{state} x"))
        else:
            writer.write(answer(json.dumps({"trace_id": "x", "state": state}).encode()))

    return script


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Service]:
    """Serve until the body ends."""
    loop = asyncio.new_event_loop()
    numbers = itertools.count()
    service = Service(0, "https" if tls else "http")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                request = Request(next(numbers), head, b"")
                length = request.header("content-length")
                request.body = await reader.readexactly(int(length)) if length else b""
                service.requests.append(request)
                await script(request, writer)
                if not writer.is_closing():
                    await writer.drain()
        writer.close()

    async def start() -> asyncio.AbstractServer:
        return await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls, backlog=512)

    server = loop.run_until_complete(start())
    service.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def stop() -> None:
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    try:
        yield service
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
