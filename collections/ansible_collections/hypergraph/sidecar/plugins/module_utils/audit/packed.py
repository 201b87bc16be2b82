# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking inside what is encoded: base64, hexadecimal, and gzip or zlib data written as either, also within one another."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator

_RUN = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEXADECIMAL = re.compile(rb"(?:[0-9a-fA-F]{2}){12,}")
_STANDARD = bytes.maketrans(b"-_", b"+/")
# Runs as short as an identifier are tried as they begin; in longer ones something may be glued to the front.
_LONG = 64
_MAX_DEPTH = 2
_MAX_UNPACKED = 1024 * 1024
_COMPRESSED = (b"\x1f\x8b", b"x\x9c", b"x\xda", b"x\x01", b"x^")


def contents(text: bytes, depth: int = 0) -> Iterator[tuple[int, bytes]]:
    """What the encoded runs of a text decode to, each with the run's place. Much of it is noise: an identifier looks encoded too."""
    for run in _RUN.finditer(text):
        for content in _decoded(run.group()):
            yield run.start(), content
            if depth < _MAX_DEPTH:
                yield from ((run.start(), inner) for _place, inner in contents(content, depth + 1))


def _decoded(run: bytes) -> Iterator[bytes]:
    """The readings of a run, decompressed where one is compressed data."""
    hexadecimal = _HEXADECIMAL.match(run)
    if hexadecimal:
        yield _decompressed(bytes.fromhex(hexadecimal.group().decode()))
    standard = run.translate(_STANDARD).rstrip(b"=")
    for cut in range(4 if len(standard) >= _LONG else 1):
        part = standard[cut:]
        # A last sextet that completes no byte is what follows the data, not data.
        part = part[: len(part) - (len(part) % 4 == 1)]
        try:
            yield _decompressed(base64.b64decode(part + b"=" * (-len(part) % 4)))
        except binascii.Error:
            continue


def _decompressed(content: bytes) -> bytes:
    if content[:2] not in _COMPRESSED:
        return content
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(content, _MAX_UNPACKED)
    except zlib.error:
        return content
