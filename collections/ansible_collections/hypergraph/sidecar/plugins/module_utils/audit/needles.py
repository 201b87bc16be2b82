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
from dataclasses import dataclass, field

from ..redaction import spellings
from .canaries import Canaries

# A part of a secret of this length is as unique as the whole; logs cut long values and wrap long lines.
_MIN_HALF = 12
_MAX_UNPACKED = 1024 * 1024
_MAX_DEPTH = 2
_PACKED = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")


@dataclass(frozen=True)
class Needle:
    """A known value. ``rule`` is what finding it breaks, ``origin`` whose it is, ``spelled`` its forms; a form is worth its own search.

    A ``lasting`` one has been valid before this run, so that old lines may hold it too.
    """

    rule: str
    origin: str
    spelled: frozenset[bytes] = field(repr=False)
    lasting: bool = False


@dataclass(frozen=True)
class Hit:
    """A needle, and the place of its first byte."""

    needle: Needle
    place: int


def token_needle(name: str, value: str, *, lasting: bool) -> Needle:
    """A bearer token."""
    return Needle("authorization", name, _encoded({value, *_halves(value)}, whole=(value,)), lasting)


def canary_needles(canaries: Canaries) -> list[Needle]:
    """Each kind of personal data in a prompt. A local part is personal data without its domain, as are digits grouped another way."""
    forms: dict[str, set[str]] = {
        "email": {canaries.email, canaries.email.partition("@")[0]},
        "phone": {canaries.phone, *_phone_forms(canaries.phone)},
        "card": {canaries.card, *_grouped(canaries.card)},
        "iban": {canaries.iban, *_grouped(canaries.iban)},
        "key": {canaries.key, *_halves(canaries.key)},
    }
    origin = canaries.origin
    return [Needle(rule, origin, _encoded(forms[rule], whole=(value,))) for rule, value in canaries.secrets().items()]


def word_needle(canaries: Canaries) -> Needle:
    """The word that marks a prompt: no secret in the audit log, but text of a prompt in any other."""
    return Needle("canary", canaries.origin, _encoded({canaries.word}, whole=(canaries.word,)))


def secret_needle(rule: str, origin: str, value: str) -> Needle:
    """Any other secret of this run."""
    return Needle(rule, origin, _encoded({value, *_halves(value)}, whole=(value,)))


def search(chunk: bytes, needles: Iterable[Needle]) -> Iterator[Hit]:
    """Where the needles are, each spelling at most once a line, as they are written."""
    for needle in needles:
        for spelling in needle.spelled:
            place = chunk.find(spelling)
            while place >= 0:
                yield Hit(needle, place)
                end = chunk.find(b"\n", place)
                place = chunk.find(spelling, end) if end >= 0 else -1


def search_closely(chunk: bytes, needles: Iterable[Needle]) -> Iterator[Hit]:
    """As ``search``, in any case of letters and also inside what is packed: base64 in base64, or compressed data as base64."""
    folded = [Needle(needle.rule, needle.origin, frozenset(map(bytes.lower, needle.spelled)), needle.lasting) for needle in needles]
    yield from search(chunk.lower(), folded)
    for packed in _PACKED.finditer(chunk):
        for content in _unpacked(packed.group()):
            for hit in search(content.lower(), folded):
                yield Hit(hit.needle, packed.start())


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
            yield packed.group()
            yield from _unpacked(packed.group(), depth + 1)


def _encoded(forms: set[str], *, whole: Iterable[str]) -> frozenset[bytes]:
    """The forms as they are, and the whole values in the encodings of ``spellings`` and as JSON may escape them."""
    found = {form.encode() for form in forms}
    for value in whole:
        found.update(spelling.encode() for spelling in spellings(value))
        found.add(value.replace("/", "\\/").encode())
        found.add(re.sub(r"[^A-Za-z0-9._~ ()-]", lambda odd: f"\\u{ord(odd.group()):04x}", value).encode())
        found.add(value[::-1].encode())
    # What contains another spelling is found with it.
    return frozenset(form for form in found if not any(other != form and other in form for other in found))


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
