# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of HTTP/1.1 (RFC 9112), read as they arrive: framing by length, by chunks, or by the end of the connection.

Written for a client that sends one request at a time on a connection and wants to know when the answer is whole.
"""

from __future__ import annotations

# What Head.length says beside a length in bytes.
CHUNKED, UNTIL_CLOSE = -1, -2
MAX_HEAD = 64 * 1024
_MAX_CHUNK_LINE = 1024


class MalformedAnswer(Exception):
    """What came is not an answer of HTTP/1.1."""


class Head:
    """What matters of an answer's status line and headers. ``trace_id`` and ``retry_after`` are None where not sent."""

    # No named tuple: its fields take several times longer to read, and these are read for every answer.
    __slots__ = ("event_stream", "keep_alive", "length", "retry_after", "status", "trace_id")

    def __init__(
        self, status: int, length: int, keep_alive: bool, event_stream: bool, trace_id: str | None, retry_after: str | None
    ) -> None:
        self.status = status
        self.length = length
        self.keep_alive = keep_alive
        self.event_stream = event_stream
        self.trace_id = trace_id
        self.retry_after = retry_after


def parse_head(block: bytes) -> Head:
    """Read a status line with its headers, without the blank line. Raises MalformedAnswer."""
    if block[:7] != b"HTTP/1." or block[7:8] not in (b"0", b"1") or block[8:9] != b" " or block[12:13] not in (b" ", b"\r", b""):
        raise MalformedAnswer("it does not begin with a status line of HTTP/1.1")
    digits = block[9:12]
    if len(digits) < 3 or not digits.isdigit() or digits < b"100":
        raise MalformedAnswer("its status is not a number of three digits")
    status = int(digits)
    # One lower-cased copy and a few searches are several times faster than taking every header apart.
    lower = block.lower()
    connection = _value(lower, b"\r\nconnection:")
    keep_alive = b"close" not in connection if block[7:8] == b"1" else b"keep-alive" in connection
    length = _length(lower, status)
    trace_id = retry_after = None
    at = lower.find(b"\r\nx-trace-id:")
    if at >= 0:
        # From the block itself: ids may be told apart by case.
        trace_id = _value(block[at:], b"\r\n" + block[at + 2 : at + 13]).decode("latin-1")
    if status in (429, 503):
        at = lower.find(b"\r\nretry-after:")
        retry_after = _value(block[at:], b"\r\n" + block[at + 2 : at + 14]).decode("latin-1") if at >= 0 else None
    event_stream = _value(lower, b"\r\ncontent-type:").startswith(b"text/event-stream")
    return Head(status, length, keep_alive and length != UNTIL_CLOSE, event_stream, trace_id, retry_after)


def _length(lower: bytes, status: int) -> int:
    """How the body ends: its length, CHUNKED or UNTIL_CLOSE (RFC 9112 section 6.3)."""
    if status < 200 or status in (204, 304):
        return 0
    coding = _value(lower, b"\r\ntransfer-encoding:")
    if coding:
        if coding != b"chunked":
            raise MalformedAnswer("its transfer coding is not chunked")
        return CHUNKED
    at = lower.find(b"\r\ncontent-length:")
    if at < 0:
        return UNTIL_CLOSE
    digits = _value(lower, b"\r\ncontent-length:")
    again = lower.find(b"\r\ncontent-length:", at + 1)
    if not digits.isdigit() or len(digits) > 15 or (again >= 0 and _value(lower[again:], b"\r\ncontent-length:") != digits):
        raise MalformedAnswer("its content length is not one number")
    return int(digits)


def _value(block: bytes, name: bytes) -> bytes:
    """The value after ``name`` (line break, lower-case name, colon); empty where the header is absent."""
    at = block.find(name)
    if at < 0:
        return b""
    at += len(name)
    end = block.find(b"\r\n", at)
    return block[at : end if end >= 0 else len(block)].strip()


class Chunks:
    """A body in chunks (RFC 9112 section 7.1). ``size`` is that of the data alone; ``body`` keeps its end, up to ``keep`` bytes."""

    __slots__ = ("_left", "_line", "_state", "body", "keep", "size")

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.body = bytearray()
        self.size = 0
        self._line = b""
        self._left = 0
        self._state = "size"

    def feed(self, data: bytes) -> int:
        """Take bytes as they come. Returns how many of them are left over after the end of the body, or -1 before it."""
        at, end = 0, len(data)
        while at < end:
            if self._state == "data":
                take = min(self._left, end - at)
                self._keep(data[at : at + take])
                at += take
                self._left -= take
                if not self._left:
                    self._state = "break"
                continue
            stop = data.find(b"\n", at)
            if stop < 0:
                self._line += data[at:]
                if len(self._line) > _MAX_CHUNK_LINE:
                    raise MalformedAnswer("a line between its chunks does not end")
                return -1
            line = (self._line + data[at:stop]).rstrip(b"\r")
            self._line = b""
            at = stop + 1
            if self._ended(line):
                return end - at
        return -1

    def _ended(self, line: bytes) -> bool:
        """Take one whole line; whether it was the last of the body."""
        if self._state == "trailers":
            return not line
        if self._state == "break":
            if line:
                raise MalformedAnswer("a chunk is longer than it says")
            self._state = "size"
            return False
        digits = line.split(b";", 1)[0].strip()
        try:
            # int() alone would take signs and underscores.
            self._left = int(digits, 16) if digits.isalnum() and len(digits) <= 12 else -1
        except ValueError:
            self._left = -1
        if self._left < 0:
            raise MalformedAnswer("the length of a chunk is not hexadecimal")
        self._state = "data" if self._left else "trailers"
        return False

    def _keep(self, part: bytes) -> None:
        self.size += len(part)
        self.body += part
        if len(self.body) > self.keep:
            del self.body[: len(self.body) - self.keep]
