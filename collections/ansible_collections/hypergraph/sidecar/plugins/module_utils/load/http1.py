# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of HTTP/1.1 (RFC 9112), read as they arrive: framing by length, by chunks, or by the end of the connection.

Written for a client that sends one request at a time on a connection and wants to know when the answer is whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

# What Head.length says beside a length in bytes.
CHUNKED, UNTIL_CLOSE = -1, -2
MAX_HEAD = 64 * 1024
_MAX_CHUNK_LINE = 1024


class MalformedAnswer(Exception):
    """What came is not an answer of HTTP/1.1."""


class Head:
    """What matters of an answer's status line and headers. ``trace_id`` and ``retry_after`` are None where not sent.

    ``date`` is when it was said, read only where ``retry_after`` is more than a number.
    """

    # No named tuple: its fields take several times longer to read, and these are read for every answer.
    __slots__ = ("date", "event_stream", "keep_alive", "length", "retry_after", "status", "trace_id")

    def __init__(
        self,
        status: int,
        length: int,
        keep_alive: bool,
        event_stream: bool,
        trace_id: str | None,
        retry_after: str | None,
        date: str | None = None,
    ) -> None:
        self.status = status
        self.length = length
        self.keep_alive = keep_alive
        self.event_stream = event_stream
        self.trace_id = trace_id
        self.retry_after = retry_after
        self.date = date


def parse_head(block: bytes) -> Head:
    """Read a status line with its headers, without the blank line. Raises MalformedAnswer."""
    head = _framing(block[:13], tuple(_FRAMING.findall(block)))
    trace_id = _said(_TRACE_ID, block)
    date = _said(_DATE, block) if head.retry_after and not head.retry_after.isdigit() else None
    if trace_id is None and date is None:
        return head
    return Head(head.status, head.length, head.keep_alive, head.event_stream, trace_id, head.retry_after, date)


# To look for headers in the whole block takes a third of the time of taking it apart line by line.
_FRAMING = re.compile(rb"\n(connection|content-length|content-type|retry-after|transfer-encoding):(.*)", re.IGNORECASE)
_TRACE_ID = re.compile(rb"\nx-trace-id:(.*)", re.IGNORECASE)
_DATE = re.compile(rb"\ndate:(.*)", re.IGNORECASE)


def _said(header: re.Pattern[bytes], block: bytes) -> str | None:
    found = header.search(block)
    return None if found is None else found[1].strip().decode("latin-1")


# Blocks that differ on every answer mostly differ in headers of no interest.
@lru_cache(maxsize=256)
def _framing(start: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> Head:
    """What the first 13 bytes and the headers of interest say, but for the trace."""
    if start[:7] != b"HTTP/1." or start[7:8] not in (b"0", b"1") or start[8:9] != b" " or start[12:13] not in (b" ", b"\r", b""):
        raise MalformedAnswer("it does not begin with a status line of HTTP/1.1")
    digits = start[9:12]
    if len(digits) < 3 or not digits.isdigit() or digits < b"100":
        raise MalformedAnswer("its status is not a number of three digits")
    status = int(digits)
    values: dict[bytes, bytes] = {}
    for name, value in headers:
        name, value = name.lower(), value.strip()
        if values.setdefault(name, value) != value and name == b"content-length":
            raise MalformedAnswer("it names two content lengths")
    connection = values.get(b"connection", b"").lower()
    keep_alive = b"close" not in connection if start[7:8] == b"1" else b"keep-alive" in connection
    length = _length(values, status)
    retry_after = values.get(b"retry-after")
    return Head(
        status,
        length,
        keep_alive and length != UNTIL_CLOSE,
        values.get(b"content-type", b"")[:17].lower() == b"text/event-stream",
        None,
        None if retry_after is None else retry_after.decode("latin-1"),
    )


def _length(values: Mapping[bytes, bytes], status: int) -> int:
    """How the body ends: its length, CHUNKED or UNTIL_CLOSE (RFC 9112 section 6.3)."""
    if status < 200 or status in (204, 304):
        return 0
    coding = values.get(b"transfer-encoding")
    if coding is not None:
        if coding.lower() != b"chunked":
            raise MalformedAnswer("its transfer coding is not chunked")
        return CHUNKED
    digits = values.get(b"content-length")
    if digits is None:
        return UNTIL_CLOSE
    if not digits.isdigit() or len(digits) > 15:
        raise MalformedAnswer("its content length is not a number")
    return int(digits)


def joined(data: bytes, at: int) -> bytes | None:
    """The body whose chunks begin there, if they are of the plainest form and nothing is missing or after them; else None."""
    parts: list[bytes] = []
    while True:
        end = data.find(b"\r\n", at)
        digits = data[at:end]
        if end < 0 or not digits or digits.strip(_HEXADECIMAL) or len(digits) > 8:
            return None
        size = int(digits, 16)
        at = end + 2
        if not size:
            return b"".join(parts) if data[at:] == b"\r\n" else None
        parts.append(data[at : at + size])
        at += size
        if data[at : at + 2] != b"\r\n":
            return None
        at += 2


_HEXADECIMAL = b"0123456789abcdefABCDEF"


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
        # int() alone would take signs, prefixes and underscores.
        if not digits or digits.strip(_HEXADECIMAL) or len(digits) > 12:
            raise MalformedAnswer("the length of a chunk is not hexadecimal")
        self._left = int(digits, 16)
        self._state = "data" if self._left else "trailers"
        return False

    def _keep(self, part: bytes) -> None:
        self.size += len(part)
        self.body += part
        if len(self.body) > self.keep:
            del self.body[: len(self.body) - self.keep]
