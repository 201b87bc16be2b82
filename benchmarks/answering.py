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
EVENTS = b"".join(b"data: " + part + b"\n\n" for part in (CHAT, CHAT, b"[DONE]"))
_numbers = itertools.count(1)
_answered = 0


def whole(body: bytes, header: bytes = b"") -> bytes:
    """An answer of known length."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b" % (header, len(body), body)


def in_chunks(body: bytes, content_type: bytes) -> bytes:
    """The same in two chunks."""
    half = len(body) // 2
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:], b""))
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nTransfer-Encoding: chunked\r\n\r\n%b" % (content_type, chunks)


PLAIN, CHUNKED, STREAM = whole(CHAT), in_chunks(CHAT, b"application/json"), in_chunks(EVENTS, b"text/event-stream")


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
                answer = whole(b"%d" % _answered)
            else:
                _answered += 1
                answer = self._answer(path)
            self._transport.write(answer)  # type: ignore[attr-defined]
        self._received = data

    def _answer(self, path: bytes) -> bytes:
        if path.startswith(b"/fresh"):
            return whole(CHAT, b"x-request-id: %032d\r\n" % next(_numbers))
        return CHUNKED if path.startswith(b"/chunked") else STREAM if path.startswith(b"/events") else PLAIN


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
