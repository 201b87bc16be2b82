# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searching bytes for values that are known: tokens and canaries, in every spelling that a log is likely to give them."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from ..redaction import spellings
from .canaries import Canaries

# A part of a secret of this length is as unique as the whole; logs cut long values and wrap long lines.
_MIN_HALF = 12
_MAX_UNPACKED = 1024 * 1024
_MAX_DEPTH = 2
_PACKED = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")


@dataclass(frozen=True)
class Needle:
    """A known value. ``rule`` is what finding it breaks, ``origin`` whose it is.

    ``written`` are its forms as people and programs write it, ``encoded`` those that have to be undone first. A ``lasting`` one has been
    valid before this run, so that old lines may hold it too.
    """

    rule: str
    origin: str
    written: frozenset[bytes] = field(repr=False)
    encoded: frozenset[bytes] = field(repr=False)
    lasting: bool = False

    @classmethod
    def of(cls, rule: str, origin: str, value: str, *forms: str, lasting: bool = False) -> Needle:
        """The value, further forms of it, and its encodings: those of ``spellings``, as JSON may escape it, and reversed."""
        written = {form.encode() for form in (value, *forms)}
        escaped = re.sub(r"[^A-Za-z0-9._~ ()-]", lambda odd: f"\\u{ord(odd.group()):04x}", value)
        encoded = {spelling.encode() for spelling in (*spellings(value), value.replace("/", "\\/"), escaped, value[::-1])} - written
        return cls(rule, origin, _least(written), frozenset(e for e in encoded if not any(form in e for form in written)), lasting)

    def folded(self) -> Needle:
        """The same for text in lower case."""
        return replace(self, written=frozenset(map(bytes.lower, self.written)), encoded=frozenset(map(bytes.lower, self.encoded)))


@dataclass(frozen=True)
class Hit:
    """A needle, the place of its first byte, and whether it was encoded."""

    needle: Needle
    place: int
    encoded: bool


def token_needle(origin: str, value: str, *, lasting: bool) -> Needle:
    """A bearer token."""
    return Needle.of("authorization", origin, value, *_halves(value), lasting=lasting)


def secret_needle(origin: str, value: str) -> Needle:
    """A key or other secret of this run."""
    return Needle.of("key", origin, value, *_halves(value))


def word_needle(canaries: Canaries) -> Needle:
    """The word that marks a prompt: no secret in the audit log, but text of a prompt in any other."""
    return Needle.of("canary", canaries.origin, canaries.word)


def canary_needles(canaries: Canaries) -> list[Needle]:
    """Each kind of personal data in a prompt. A local part is personal data without its domain, as are digits grouped another way."""
    return [
        Needle.of("email", canaries.origin, canaries.email, canaries.email.partition("@")[0]),
        Needle.of("phone", canaries.origin, canaries.phone, *_phone_forms(canaries.phone)),
        Needle.of("card", canaries.origin, canaries.card, *_grouped(canaries.card)),
        Needle.of("iban", canaries.origin, canaries.iban, *_grouped(canaries.iban)),
        secret_needle(canaries.origin, canaries.key),
    ]


def search(chunk: bytes, needles: Iterable[Needle]) -> Iterator[Hit]:
    """Where the needles are, as they are written, each form at most once a line."""
    for needle in needles:
        for encoded, forms in ((False, needle.written), (True, needle.encoded)):
            for form in forms:
                place = chunk.find(form)
                while place >= 0:
                    yield Hit(needle, place, encoded)
                    end = chunk.find(b"\n", place)
                    place = chunk.find(form, end) if end >= 0 else -1


def search_closely(chunk: bytes, needles: Iterable[Needle]) -> Iterator[Hit]:
    """As ``search``, in any case of letters and also inside what is packed: base64 in base64, or compressed data as base64."""
    folded = [needle.folded() for needle in needles]
    yield from search(chunk.lower(), folded)
    for packed in _PACKED.finditer(chunk):
        for content in _unpacked(packed.group()):
            for hit in search(content.lower(), folded):
                yield Hit(hit.needle, packed.start(), encoded=True)


def _unpacked(text: bytes, depth: int = 0) -> Iterator[bytes]:
    """What base64 text decodes to, decompressed where it is gzip or zlib data, and again what is packed inside."""
    standard = text.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    try:
        content = base64.b64decode(standard + b"=" * (-len(standard) % 4), validate=True)
    except binascii.Error:
        return
    if content[:2] in (b"\x1f\x8b", b"x\x9c", b"x\xda", b"x\x01", b"x^"):
        try:
            content = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(content, _MAX_UNPACKED)
        except zlib.error:
            return
    yield content
    if depth < _MAX_DEPTH:
        for packed in _PACKED.finditer(content):
            yield from _unpacked(packed.group(), depth + 1)


def _least(forms: set[bytes]) -> frozenset[bytes]:
    """The forms without those that contain another, which is found with them."""
    return frozenset(form for form in forms if not any(other != form and other in form for other in forms))


def _halves(value: str) -> tuple[str, ...]:
    middle = len(value) // 2
    return (value[:middle], value[middle:]) if middle >= _MIN_HALF else ()


def _grouped(value: str) -> set[str]:
    compact = re.sub(r"[^A-Za-z0-9]", "", value)
    groups = [compact[start : start + 4] for start in range(0, len(compact), 4)]
    return {separator.join(groups) for separator in ("", " ", "-", ".")}


def _phone_forms(value: str) -> set[str]:
    digits = "".join(character for character in value if character.isdigit())
    area, exchange, line = digits[1:4], digits[4:7], digits[7:]
    return {f"{area}{gap}{exchange}{separator}{line}" for gap in ("", " ", "-", ".", ") ", ")") for separator in ("", " ", "-", ".")}
