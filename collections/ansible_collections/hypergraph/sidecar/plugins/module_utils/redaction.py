# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redaction and bounding of everything that enters a verdict.

It happens once, when a value is recorded, so that no later step (report, log, exception text) can leak what was never stored.
Known secrets are removed by value, in the encodings a service is likely to echo them in; values that look like credentials are removed
by shape, for secrets nobody told us of.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

MAX_TEXT = 500
MAX_ITEMS = 100
MAX_DEPTH = 8
# What is shorter occurs in ordinary words; to take it out would hide nothing and riddle the text.
MIN_SECRET = 4

# None may take more than linear time: what they search was written by the service under examination.
_CREDENTIAL_SHAPES = (
    re.compile(r"(?i)\b(?P<keep>(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?P<keep>\b[A-Za-z][A-Za-z0-9+.-]{0,30}://)[^\s/@]+@"),
    re.compile(r"\b(?P<keep>sk-)[A-Za-z0-9_-]{16,}"),
    re.compile(r"(?<![A-Za-z0-9_-])(?P<keep>eyJ)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
)
_PLAIN_RUN = re.compile(r"[A-Za-z0-9]+")
_UNFINISHED_WORD = re.compile(r"[^\s<>\"'(),:{}\[\]|]+\Z")


def spellings(secret: str) -> set[str]:
    """The secret as it may appear in text: plain, URL-encoded, hexadecimal, and (from seven bytes on) base64 at each byte alignment.

    Base64 of a secret inside a longer text depends on its offset modulo 3; the characters that mix with neighbouring bytes are cut off,
    so each spelling is a substring of any base64 text that contains the secret.
    """
    raw = secret.encode("utf-8", "surrogatepass")
    found = {secret, quote(raw, safe=""), raw.hex(), raw.hex().upper()}
    for offset in range(3):
        padded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        cut_front = (0, 2, 3)[offset]
        cut_back = 0 if (offset + len(raw)) % 3 == 0 else 1
        inner = padded[cut_front : len(padded) - cut_back]
        if len(inner) >= 8:
            found.update((inner, inner.replace("+", "-").replace("/", "_")))
    return found


def excerpt(text: str, length: int) -> str:
    """The beginning of a text, for a reason to quote. It never ends inside a word, since half a secret is not recognised as one."""
    return text if len(text) <= length else f"{_UNFINISHED_WORD.sub('', text[:length])}…"


def fingerprint(secret: str) -> str:
    """First 8 hexadecimal digits of the SHA-256, to tell two secrets apart without showing either."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:8]


class Redactor:
    """Removes secrets from values and bounds their size: texts to 500 characters, lists and mappings to 50 items, nesting to 8 levels."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._marks: dict[str, tuple[str, str]] = {}
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Add secret values; those shorter than four characters are ignored."""
        for secret in secrets:
            if len(secret) >= MIN_SECRET:
                mark = f"[redacted {fingerprint(secret)}]"
                self._marks.update({spelling: (_plain_core(spelling), mark) for spelling in spellings(secret)})
        self._marks = dict(sorted(self._marks.items(), key=lambda item: len(item[0]), reverse=True))

    def text(self, value: str) -> str:
        """The text without secrets, at full length."""
        for spelling, (core, mark) in self._marks.items():
            # To look for what no escape changes is a hundred times faster than to look for all escapes of the rest.
            if core in value:
                value = re.sub(_however_escaped(spelling), mark, value)
        for shape in _CREDENTIAL_SHAPES:
            value = shape.sub(lambda match: f"{match.group('keep')}[redacted]", value)
        # Ansible refuses a result with a lone surrogate, and a service under test may answer one.
        return value.encode("utf-8", "backslashreplace").decode()

    def value(self, value: Any, depth: int = 0) -> Any:
        """A JSON-ready copy of the value without secrets and within bounds; what JSON has no type for becomes its text."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            return self._number(value)
        if depth >= MAX_DEPTH:
            return "[nested deeper than shown]"
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._items(value, depth)
        return clipped(self.text(value.decode("utf-8", "replace") if isinstance(value, (bytes, bytearray)) else str(value)))

    def _number(self, value: float) -> Any:
        """The number itself, unless it is a secret, too long, or none that JSON knows."""
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        shown = json.dumps(value)
        told = clipped(self.text(shown))
        return value if told == shown else told

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept = {clipped(self.text(str(key))): self.value(item, depth + 1) for key, item in list(value.items())[:MAX_ITEMS]}
        if len(value) > MAX_ITEMS:
            kept["…"] = f"{len(value) - MAX_ITEMS} more"
        return kept

    def _items(self, value: Any, depth: int) -> list[Any]:
        ordered = sorted(value, key=str) if isinstance(value, (set, frozenset)) else list(value)
        kept = [self.value(item, depth + 1) for item in ordered[:MAX_ITEMS]]
        if len(ordered) > MAX_ITEMS:
            kept.append(f"… {len(ordered) - MAX_ITEMS} more")
        return kept


def clipped(text: str) -> str:
    """The text, cut at 500 characters and saying so. Only for text that is redacted already."""
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}… ({len(text)} characters)"


def _plain_core(spelling: str) -> str:
    """The longest part that no encoder escapes."""
    return max(_PLAIN_RUN.findall(spelling), key=len, default="")


def _however_escaped(spelling: str) -> str:
    """A pattern for the spelling in which percent, JSON, Python and HTML escapes of its characters count as the characters."""
    return "".join(character if _PLAIN_RUN.match(character) else f"(?i:{_escapes(character)})" for character in spelling)


def _escapes(character: str) -> str:
    code = ord(character)
    escapes = {json.dumps(character)[1:-1], repr(character)[1:-1], f"u{code:04x}", character}
    after_backslashes = {escape.lstrip("\\") or escape for escape in escapes}
    percent = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    elsewhere = {percent, html.escape(character), f"&#{code};", f"&#x{code:x};", *("+" if character == " " else "")}
    return rf"\\{{0,4}}(?:{_either(after_backslashes)})|{_either(elsewhere)}"


def _either(texts: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, texts), key=len, reverse=True))
