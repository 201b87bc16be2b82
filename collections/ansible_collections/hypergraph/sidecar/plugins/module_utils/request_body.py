# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of a request that reaches a listener of ours, plain or in chunks; Python's own server leaves reading it to others."""

from __future__ import annotations

import re
from email.message import Message
from io import BufferedIOBase

from .redaction import excerpt

_CHUNK_SIZE = re.compile(r"[0-9A-Fa-f]{1,16}")
# Bytes of a line about chunks, and lines of trailers.
_LONGEST_LINE = 4096
_MOST_TRAILERS = 100


class UnreadableBody(ValueError):
    """A body that is not taken; ``status`` is what to answer, and the text says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def read_body(headers: Message, stream: BufferedIOBase, most: int) -> bytes:
    """The body of at most so many bytes that follows the headers, its length as RFC 9112 section 6.3 tells it.

    Raises UnreadableBody, also where neither header tells a length, and EOFError where the peer went away in the middle.
    """
    codings = ", ".join(headers.get_all("Transfer-Encoding", []))
    if codings:
        if codings.strip().lower() != "chunked":
            raise UnreadableBody(501, f"Transfer-Encoding {_quoted(codings)}, expected chunked or none")
        return _read_chunks(stream, most)
    length = headers.get("Content-Length")
    if length is None:
        raise UnreadableBody(411, "neither Content-Length nor Transfer-Encoding")
    if not re.fullmatch(r"[0-9]{1,18}", length.strip()):
        raise UnreadableBody(400, f"Content-Length {_quoted(length)} is no number of bytes")
    return _exactly(stream, int(length), most)


def _read_chunks(stream: BufferedIOBase, most: int) -> bytes:
    """A body in the chunked transfer coding (RFC 9112 section 7.1); extensions and trailers are passed over."""
    body = bytearray()
    while True:
        written = _line(stream).partition(";")[0].strip()
        if not _CHUNK_SIZE.fullmatch(written):
            raise UnreadableBody(400, f"the chunk size {_quoted(written)} is no hexadecimal number")
        size = int(written, 16)
        if size == 0:
            break
        body += _exactly(stream, size, most - len(body))
        if _line(stream):
            raise UnreadableBody(400, f"a chunk of {size} bytes is not followed by a line break")
    for _trailer in range(_MOST_TRAILERS):
        if not _line(stream):
            return bytes(body)
    raise UnreadableBody(400, f"more than {_MOST_TRAILERS} trailers after the last chunk")


def _exactly(stream: BufferedIOBase, size: int, most: int) -> bytes:
    if size > most:
        raise UnreadableBody(413, "more than is read of one body")
    read = stream.read(size)
    if len(read) < size:
        raise EOFError
    return read


def _line(stream: BufferedIOBase) -> str:
    line = stream.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        if len(line) == _LONGEST_LINE:
            raise UnreadableBody(400, f"a line between chunks is longer than {_LONGEST_LINE} bytes")
        raise EOFError
    return line.decode("latin-1").rstrip("\r\n")


def _quoted(text: str) -> str:
    return repr(excerpt(text, 40))
