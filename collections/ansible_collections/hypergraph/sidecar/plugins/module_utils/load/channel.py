# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One kept-alive connection with at most one request on its way, as an asyncio protocol with callbacks.

Callbacks and no coroutine: awaiting each answer costs 11 % of the throughput, a timeout of its own for each request 34 %. Whoever owns the
channels looks for overdue ones every tenth of a second instead. Bodies are kept up to ``MAX_BODY``.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from .http1 import CHUNKED, MAX_HEAD, UNTIL_CLOSE, Chunks, Head, MalformedAnswer, joined, parse_head

MAX_BODY = 4 * 1024 * 1024
# Of a stream of events only the end tells whether it was complete.
STREAM_TAIL = 64
# glibc gives buffers from 128 KiB on back to the system each time; asyncio's 256 KiB make a read 3.6 times slower (python/cpython#85451).
_READ_SIZE = 16 * 1024
_KNOWN_HEADS = 256


class Owner(Protocol):
    """Whoever sends on channels and is told what becomes of it."""

    def opened(self, channel: Channel) -> None:
        """The channel can be sent on."""

    def answered(self, channel: Channel, head: Head, body: bytes, received: int) -> None:
        """An answer is whole; of a stream of events ``body`` is the end. ``received`` counts its bytes, headers included."""

    def failed(self, channel: Channel, error: str, received: int) -> None:
        """There will be no answer: timeout, reset or malformed. The channel is closing."""

    def lost(self, channel: Channel) -> None:
        """The connection is gone; what was on its way was told before."""


class Channel(asyncio.Protocol):
    """``exchange`` and ``idle_since_ns`` are the owner's, for what it must know. Moments are on the monotonic clock."""

    __slots__ = (
        "_body",
        "_buffer",
        "_chunks",
        "_head",
        "_known",
        "_owner",
        "_received",
        "busy",
        "deadline_ns",
        "exchange",
        "idle_since_ns",
        "number",
        "transport",
    )

    def __init__(self, owner: Owner, known: dict[bytes, Head], number: int) -> None:
        self._owner = owner
        # Shared by an owner's channels: most services repeat a block of headers until the second of its date is over.
        self._known = known
        self.number = number
        self.busy = False
        self.deadline_ns = 0
        self.idle_since_ns = 0
        self.exchange: Any = None
        self.transport: asyncio.Transport | None = None
        self._reset()

    def _reset(self) -> None:
        self._head: Head | None = None
        self._buffer = b""
        self._chunks: Chunks | None = None
        self._body: bytearray | None = None
        self._received = 0

    def send(self, request: bytes, deadline_ns: int) -> None:
        """Send a request; its answer is expected before the deadline."""
        self.busy = True
        self.deadline_ns = deadline_ns
        self.transport.write(request)  # type: ignore[union-attr]  # a channel is sent on after it was opened

    def fail(self, error: str) -> None:
        """Give up the request on its way, and the connection, whose state is unknown from now on."""
        received = self._received
        self.busy = False
        self._reset()
        self.close(at_once=True)
        self._owner.failed(self, error, received)

    def close(self, at_once: bool = False) -> None:
        """Close the connection."""
        if self.transport:
            if at_once:
                self.transport.abort()
            else:
                self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        if hasattr(transport, "max_size"):
            transport.max_size = _READ_SIZE
        self.transport = transport  # type: ignore[assignment]
        self._owner.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        if self.busy:
            head = self._head
            if head and head.length == UNTIL_CLOSE and exc is None:
                self._whole(head, bytes(self._body or b""))
            else:
                self.fail("reset")
        self.transport = None
        self._owner.lost(self)

    def data_received(self, data: bytes) -> None:
        """Called by the loop. What nearly every answer is, whole and of known length, is dealt with here and the rest below."""
        if not self.busy:
            # Nothing was asked: a proxy saying that it closes. The owner opens another.
            self.close(at_once=True)
            return
        try:
            if self._received:
                self._received += len(data)
                self._feed(data)
                return
            end = data.find(b"\r\n\r\n")
            head = self._known.get(data[:end]) or self._read_head(data[:end]) if end > 0 else None
            if head and len(data) == end + 4 + head.length and head.status >= 200:
                self.busy = False
                self._owner.answered(self, head, data[end + 4 :], len(data))
                return
            self._received = len(data)
            if head and head.status >= 200:
                body = joined(data, end + 4) if head.length == CHUNKED else None
                if body is not None:
                    self._whole(head, body)
                    return
                self._begin(head)
                self._take(head, data[end + 4 :])
            else:
                self._feed(data)
        except MalformedAnswer:
            self.fail("malformed")

    def _feed(self, data: bytes) -> None:
        while self._head is None:
            self._buffer = data = self._buffer + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                if len(data) > MAX_HEAD or not data.startswith(b"HTTP/1."[: len(data)]):
                    raise MalformedAnswer("its headers do not end")
                return
            head = self._read_head(data[:end])
            data = data[end + 4 :]
            self._buffer = b""
            if head.status >= 200:
                self._begin(head)
            elif not data:
                # An interim answer; the real one is still to come.
                return
        self._take(self._head, data)

    def _read_head(self, block: bytes) -> Head:
        head = parse_head(block)
        if head.status == 101:
            raise MalformedAnswer("it switches to a protocol that was not asked for")
        # Traced ones never come twice.
        if head.status >= 200 and head.trace_id is None:
            if len(self._known) >= _KNOWN_HEADS:
                self._known.clear()
            self._known[block] = head
        return head

    def _begin(self, head: Head) -> None:
        if head.length > MAX_BODY:
            raise MalformedAnswer("its body is too large")
        self._head = head
        if head.length == CHUNKED:
            self._chunks = Chunks(STREAM_TAIL if head.event_stream else MAX_BODY)
        else:
            self._body = bytearray()

    def _take(self, head: Head, data: bytes) -> None:
        """Take a piece of the body."""
        if self._chunks:
            left = self._chunks.feed(data) if data else -1
            if self._chunks.size > MAX_BODY or left > 0:
                raise MalformedAnswer("its body is too large, or goes on after its end")
            if left == 0:
                self._whole(head, bytes(self._chunks.body))
            return
        body = self._body if self._body is not None else bytearray()
        body += data
        if head.length == UNTIL_CLOSE:
            if len(body) > MAX_BODY:
                raise MalformedAnswer("its body is too large")
        elif len(body) > head.length:
            raise MalformedAnswer("its body goes on after its end")
        elif len(body) == head.length:
            self._whole(head, bytes(body))

    def _whole(self, head: Head, body: bytes) -> None:
        received = self._received
        self.busy = False
        self._reset()
        self._owner.answered(self, head, body, received)
