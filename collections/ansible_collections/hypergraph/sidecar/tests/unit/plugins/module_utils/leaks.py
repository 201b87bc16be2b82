# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking for a secret the way an attacker would: by decoding what is there, not by comparing it with known spellings."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus, unquote_to_bytes

_HEX = re.compile(r"[0-9A-Fa-f]{2,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{4,}")
_JSON_ESCAPE = re.compile(r"\\+(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a JSON-ready value, keys and numbers too."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from texts_in(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from texts_in(item)
    else:
        yield str(value)


def leaks(text: str, secret: str) -> bool:
    """Whether the secret can be had from the text."""
    raw = secret.encode("utf-8", "surrogatepass")
    readings = [
        text,
        html.unescape(text),
        unquote_plus(text),
        _unescaped(text),
        _unescaped(_unescaped(text)),
        _unescaped(unquote_plus(text)),
    ]
    return any(secret in reading for reading in readings) or any(raw in reading for reading in _bytes_in(text))


def _bytes_in(text: str) -> Iterator[bytes]:
    yield unquote_to_bytes(text)
    for reading in (text, _unescaped(text), unquote_plus(text.replace("+", "%2B"))):
        for run in _HEX.findall(reading):
            for start in (0, 1):
                yield binascii.unhexlify(run[start : start + (len(run) - start) // 2 * 2])
        for run in _BASE64.findall(reading.replace("-", "+").replace("_", "/")):
            for start in range(4):
                piece = run[start:]
                piece = piece[: -1 if len(piece) % 4 == 1 else None]
                yield base64.b64decode(piece + "=" * (-len(piece) % 4))


def _unescaped(text: str) -> str:
    def meant(match: re.Match[str]) -> str:
        code = match.group(1) or match.group(2)
        return chr(int(code, 16)) if code else _LETTERS.get(match.group(3), match.group(3))

    return _JSON_ESCAPE.sub(meant, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
