# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lines of a log are worth a closer look, and for which rules: a sieve that lets everything through that ``patterns`` would find.

Nearly all lines of a large log hold nothing, and regular expressions tried at every byte would take minutes to say so. Here each byte is
folded to its class (digit, upper case, separator), and the shapes that a number must have are searched as plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


def _folding() -> bytes:
    table = bytearray(range(256))
    for class_name, members in ((b"9", b"0123456789"), (b"A", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"), (b"-", b" ./()-")):
        for byte in members:
            table[byte] = class_name[0]
    return bytes(table)


_FOLDED = _folding()


@dataclass(frozen=True)
class _Shape:
    """A text that every find of the rule contains, once folded. ``confirm`` must be found in the unfolded bytes around it."""

    rule: str
    folded: bytes
    confirm: re.Pattern[bytes] | None = None


# Trunk prefix and area code. Without this confirmation one line in four with a UUID in it would be looked at.
_TRUNK = re.compile(rb"(?<![\w.+/-])(?:0[1-9]\d{1,3}[ /-]|\(0[1-9]\d{0,3}\)[ /-]?)\d{3}")
_SHAPES = (
    _Shape("card", b"9" * 13, re.compile(rb"(?<![\w+-])(?<!\d\.)[2-6]\d{12}")),
    _Shape("card", b"9999-9999-9999"),
    _Shape("card", b"9999-999999-9999"),
    _Shape("phone", b"999-999-9999"),
    _Shape("phone", b"999--999-9999"),
    _Shape("phone", b"99-99-99-99-99"),
    _Shape("phone", b"999-999", _TRUNK),
    _Shape("phone", b"9--999", _TRUNK),
    _Shape("phone", b"999-99-99-99"),
    _Shape("iban", b"AA99", re.compile(rb"(?<![A-Za-z0-9])[A-Z]{2}\d{2}[ -]?[A-Z0-9]")),
    _Shape("email", b"@"),
)
# How far around a shape its confirmation may lie, in bytes.
_BEFORE = 8
_AFTER = 8

_ANNOUNCING_PHONES = (
    rb"h(?<=[Pp]h)one",
    rb"H(?<=PH)ONE",
    rb"T(?:el|EL)",
    rb"t(?:el)",
    rb"b(?<=[Mm]ob)il",
    rb"B(?<=MOB)IL",
    rb"c(?:all|ell)",
    rb"C(?:all|ell|ALL|ELL)",
    rb"f(?:ax)",
    rb"F(?:ax|AX)",
    rb"w(?:hats[Aa]pp)",
    rb"W(?:hats[Aa]pp|HATSAPP)",
    rb"m(?<=[Ss]m)s",
    rb"M(?<=SM)S",
    rb"i(?<=[Mm]s)isdn",
    rb"I(?<=MS)ISDN",
    rb"d(?<=[Hh]and)y",
)

_ANNOUNCING_CARDS = (
    rb"c(?:ard)",
    rb"C(?:ard|ARD)",
    rb"p(?:an)",
    rb"P(?:AN|an)",
    rb"v(?:isa)",
    rb"V(?:isa|ISA)",
    rb"s(?<=[Mm]aes)tro",
    rb"S(?<=MAES)TRO",
    rb"u(?:nion[Pp]ay)",
    rb"U(?:nion[Pp]ay|NIONPAY)",
)

# Each begins with one plain character, which the regular expression engine finds at the speed of memory; an alternation would not be.
_MARKS = tuple(
    (rule, re.compile(mark))
    for rule, mark in (
        ("key", rb"k(?:-[A-Za-z0-9_-]{20}|_(?:live|test|[A-Za-z0-9]{40}))"),
        ("key", rb"A(?:KIA|SIA|Iza)"),
        ("key", rb"g(?:h[pousr]_|ithub_pat_|lpat-)"),
        ("key", rb"x(?:ox[abeoprs]-|ai-)"),
        ("key", rb"h(?:f_|vs\.|pat_)"),
        ("key", rb"y(?:J[A-Za-z0-9_-]{8}|a29\.|pi-)"),
        ("key", rb"8(?<=r8)_"),
        ("key", rb"G\.[A-Za-z0-9_-]{16}"),
        ("key", rb"m(?<=npm)_"),
        ("key", rb"v(?<=dop_v)1_"),
        ("key", rb"P(?:RIVATE KEY)"),
        ("key", rb":(?=//[^\s/@:\"]{0,64}:[^\s/@\"]{3,128}@)"),
        ("authorization", rb"b(?:earer|asic)[\s%+]"),
        ("authorization", rb"B(?:earer|asic|EARER|ASIC)[\s%+]"),
        ("authorization", rb"z(?<=uthoriz)ation"),
        ("authorization", rb"Z(?<=UTHORIZ)ATION"),
        ("authorization", rb"p(?<=[Aa]p)i[_-]?[Kk]ey"),
        ("authorization", rb"P(?<=AP)I[_-]?K(?:EY|ey)"),
        ("authorization", rb"h(?<=[Aa]uth)-[Tt]oken"),
        ("email", rb"%40"),
        ("email", rb"\\u0040"),
        ("phone", rb"%2[Bb]"),
        ("phone", rb"\\u002[Bb]"),
        ("phone", rb"\+ ?\(?[1-9][ ./()-]{0,2}\d[ ./()-]{0,2}\d"),
        *(("phone", rb"%s[\w \"':=.\\\[-]{0,32}\(?\d[\d ./()-]{5,}\d" % word) for word in _ANNOUNCING_PHONES),
        *(("card", rb"%s[^\d\n]{0,32}\d{12}" % word) for word in _ANNOUNCING_CARDS),
    )
)


def suspects(chunk: bytes) -> list[tuple[int, int, frozenset[str]]]:
    """Of whole lines, those to look at closely: where each begins and ends, and the rules to try on it."""
    rules: dict[int, set[str]] = {}
    folded = chunk.translate(_FOLDED)
    for shape in _SHAPES:
        for place in _places(chunk, folded, shape):
            rules.setdefault(chunk.rfind(b"\n", 0, place) + 1, set()).add(shape.rule)
    for rule, mark in _MARKS:
        for found in mark.finditer(chunk):
            rules.setdefault(chunk.rfind(b"\n", 0, found.start()) + 1, set()).add(rule)
    return [(start, _end_of_line(chunk, start), frozenset(rules[start])) for start in sorted(rules)]


def _places(chunk: bytes, folded: bytes, shape: _Shape) -> Iterator[int]:
    """Where the shape is, once a line at most."""
    place = folded.find(shape.folded)
    while place >= 0:
        after = place + len(shape.folded)
        if shape.confirm is None or shape.confirm.search(chunk, max(0, place - _BEFORE), after + _AFTER):
            yield place
            after = _end_of_line(chunk, place)
        place = folded.find(shape.folded, after)


def _end_of_line(chunk: bytes, place: int) -> int:
    end = chunk.find(b"\n", place)
    return len(chunk) if end < 0 else end
