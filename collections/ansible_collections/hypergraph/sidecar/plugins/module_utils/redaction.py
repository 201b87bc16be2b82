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
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

MAX_TEXT = 500
MAX_ITEMS = 50
MAX_DEPTH = 8

_CREDENTIAL_SHAPES = (
    re.compile(r"(?i)\b(?P<keep>bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]*://)[^\s/@:]+:[^\s/@]+@"),
    re.compile(r"\b(?P<keep>sk-)[A-Za-z0-9_-]{16,}"),
    re.compile(r"\b(?P<keep>eyJ)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
)


def spellings(secret: str) -> set[str]:
    """The secret as it may appear in text: plain, URL-encoded, hexadecimal, and base64 at each of the three byte alignments.

    Base64 of a secret inside a longer text depends on its offset modulo 3; the characters that mix with neighbouring bytes are cut off,
    so each spelling is a substring of any base64 text that contains the secret.
    """
    raw = secret.encode()
    found = {secret, quote(secret, safe=""), raw.hex(), raw.hex().upper()}
    for offset in range(3):
        padded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        cut_front = (0, 2, 3)[offset]
        cut_back = 0 if (offset + len(raw)) % 3 == 0 else 1
        inner = padded[cut_front : len(padded) - cut_back]
        if len(inner) >= 8:
            found.update((inner, inner.replace("+", "-").replace("/", "_")))
    return found


def fingerprint(secret: str) -> str:
    """First 8 hexadecimal digits of the SHA-256, to tell two secrets apart without showing either."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


class Redactor:
    """Removes secrets from values and bounds their size: texts to 500 characters, lists and mappings to 50 items, nesting to 8 levels."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._names: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Add secret values; empty ones are ignored."""
        for secret in secrets:
            if secret:
                for spelling in spellings(secret):
                    self._names[spelling] = f"[redacted {fingerprint(secret)}]"
        if self._names:
            longest_first = sorted(self._names, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def text(self, value: str) -> str:
        """The text without secrets, at full length."""
        if self._pattern is not None:
            value = self._pattern.sub(lambda match: self._names[match.group()], value)
        for shape in _CREDENTIAL_SHAPES:
            value = shape.sub(lambda match: f"{match.group('keep')}[redacted]", value)
        return value

    def value(self, value: Any, depth: int = 0) -> Any:
        """A JSON-ready copy of the value without secrets and within bounds; what JSON has no type for becomes its text."""
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, float):
            return value if value - value == 0 else str(value)
        if depth >= MAX_DEPTH:
            return "[nested deeper than shown]"
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._items(value, depth)
        return _clipped(self.text(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)))

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept = {_clipped(self.text(str(key))): self.value(item, depth + 1) for key, item in list(value.items())[:MAX_ITEMS]}
        if len(value) > MAX_ITEMS:
            kept["…"] = f"{len(value) - MAX_ITEMS} more"
        return kept

    def _items(self, value: Any, depth: int) -> list[Any]:
        ordered = sorted(value, key=str) if isinstance(value, (set, frozenset)) else list(value)
        kept = [self.value(item, depth + 1) for item in ordered[:MAX_ITEMS]]
        if len(ordered) > MAX_ITEMS:
            kept.append(f"… {len(ordered) - MAX_ITEMS} more")
        return kept


def _clipped(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}… ({len(text)} characters)"
