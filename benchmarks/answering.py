"""A server that answers chats as fast as Python can, for what nginx does not: ``python -m benchmarks.answering PORT``.

The first segment of the path tells how: ``plain`` with a length, ``fresh`` with a header that differs each time, ``chunked``, ``events``
as a stream. ``GET /count`` tells how many chats were answered.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
import sys
from collections.abc import Sequence

CHAT = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "blue " * 20}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
).encode()
_PIECES = [
    json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "blue "}}]})
] * 16
EVENTS = [b"data: " + piece.encode() + b"\n\n" for piece in (*_PIECES, "[DONE]")]
_numbers = itertools.count(1)
_answered = 0


def whole(body: bytes, header: bytes = b"") -> bytes:
    """An answer of known length."""
    # ab speaks HTTP/1.0, and wants to be told that the connection is kept.
    start = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: application/json"
    return b"%b\r\n%bContent-Length: %d\r\n\r\n%b" % (start, header, len(body), body)


def in_chunks(parts: Sequence[bytes], content_type: bytes) -> list[bytes]:
    """The same as its head with the first chunk, and the other chunks, of which the last is empty."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nTransfer-Encoding: chunked\r\n\r\n" % content_type
    chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b"")]
    return [head + chunks[0], *chunks[1:-2], chunks[-2] + chunks[-1]]


PLAIN, STREAM = whole(CHAT), in_chunks(EVENTS, b"text/event-stream")
CHUNKED = b"".join(in_chunks((CHAT[: len(CHAT) // 2], CHAT[len(CHAT) // 2 :]), b"application/json"))


class Answering(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        global _answered
        data = self._received + data
        while True:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                break
            lower = data[:end].lower()
            at = lower.find(b"content-length:")
            length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(data) < end + 4 + length:
                break
            path = data.split(b" ", 2)[1]
            data = data[end + 4 + length :]
            if path == b"/count":
                self._write(whole(b"%d" % _answered))
                continue
            _answered += 1
            if path.startswith(b"/events"):
                self._stream(0)
            else:
                self._write(self._answer(path))
        self._received = data

    def _answer(self, path: bytes) -> bytes:
        if path.startswith(b"/fresh"):
            return whole(CHAT, b"x-request-id: %032d\r\n" % next(_numbers))
        return CHUNKED if path.startswith(b"/chunked") else PLAIN

    def _stream(self, number: int) -> None:
        """Each event in a turn of the loop of its own, as a gateway streams them: what is written in one turn is sent as one."""
        self._write(STREAM[number])
        if number + 1 < len(STREAM):
            asyncio.get_running_loop().call_soon(self._stream, number + 1)

    def _write(self, data: bytes) -> None:
        self._transport.write(data)  # type: ignore[attr-defined]


async def serve(port: int, certificate: str | None) -> None:
    """Serve until killed; with a certificate (a file with its key) over TLS."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", port, ssl=context, backlog=2048)
    await server.serve_forever()


def _run() -> None:
    serving = serve(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
    try:
        import uvloop
    except ImportError:
        asyncio.run(serving)
    else:
        uvloop.run(serving)


if __name__ == "__main__":
    _run()
