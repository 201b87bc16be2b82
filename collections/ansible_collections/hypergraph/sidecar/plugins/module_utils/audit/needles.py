# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searching bytes for values that are known: tokens and canaries, in every spelling that a log is likely to give them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import quote, quote_plus

from ..redaction import spellings
from .canaries import Canaries
from .packed import contents

# A part of a secret of this length is as unique as the whole; logs cut long values and wrap long lines.
_MIN_HALF = 12


@dataclass(frozen=True)
class Needle:
    """A known value. ``rule`` is what finding it breaks, ``origin`` whose it is.

    ``written`` are its forms as people and programs write it, ``encoded`` those that have to be undone first. A ``lasting`` one has been
    valid before this run, so that old lines may hold it too.
    """

    rule: str
    origin: str
    written: frozenset[bytes] = field(repr=False)
    encoded: frozenset[bytes] = field(default=frozenset(), repr=False)
    lasting: bool = False

    def folded(self) -> Needle:
        """The same for text in lower case."""
        return replace(self, written=frozenset(map(bytes.lower, self.written)), encoded=frozenset(map(bytes.lower, self.encoded)))


@dataclass(frozen=True)
class Hit:
    """A needle, the place of its first byte, and whether it was encoded."""

    needle: Needle
    place: int
    encoded: bool


def secret_needle(rule: str, origin: str, value: str, *, lasting: bool = False) -> Needle:
    """A token or other secret: whole, by halves, in the encodings of ``spellings``, as JSON may escape it, and reversed."""
    written = _least({value, *_halves(value)})
    escaped = re.sub(r"[^A-Za-z0-9._~-]", lambda odd: f"\\u{ord(odd.group()):04x}", value)
    encoded = {form.encode() for form in (*spellings(value), value.replace("/", "\\/"), escaped, value[::-1])}
    return Needle(rule, origin, written, frozenset(form for form in encoded if not any(other in form for other in written)), lasting)


def word_needle(canaries: Canaries) -> Needle:
    """The word that marks a prompt: no secret in the audit log, but text of a prompt in any other."""
    return Needle("canary", canaries.origin, _least({canaries.word}))


def canary_needles(canaries: Canaries) -> list[Needle]:
    """Each kind of personal data in a prompt. A local part is personal data without its domain, as are digits grouped another way.

    Their encodings are not spelled out, since there are many of them and ``search_closely`` looks inside what is encoded.
    """
    digits = re.sub(r"\D", "", canaries.phone)
    forms = {
        "email": {canaries.email.partition("@")[0]},
        "phone": set(_phone_forms(digits[-10:-7], digits[-7:-4], digits[-4:])),
        "card": set(_grouped(canaries.card)),
        "iban": set(_grouped(canaries.iban)),
        "key": {canaries.key, *_halves(canaries.key)},
    }
    quoted = {rule: {quote(value, safe=""), quote_plus(value)} for rule, value in canaries.secrets().items()}
    return [Needle(rule, canaries.origin, _least(forms[rule] | {value} | quoted[rule])) for rule, value in canaries.secrets().items()]


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
    """As ``search``, in any case of letters and also inside what is packed: base64, hexadecimal, compressed data as either."""
    folded = [needle.folded() for needle in needles]
    yield from search(chunk.lower(), folded)
    # One search through all that was packed is much faster than many through little each.
    places: list[int] = []
    starts: list[int] = []
    unpacked = bytearray()
    for place, content in contents(chunk):
        places.append(place)
        starts.append(len(unpacked))
        unpacked += content.replace(b"\n", b" ") + b"\n"
    for hit in search(bytes(unpacked).lower(), folded):
        yield Hit(hit.needle, places[bisect_right(starts, hit.place) - 1], encoded=True)


def _least(forms: set[str]) -> frozenset[bytes]:
    """The forms without those that contain another, which is found with them."""
    return frozenset(form.encode() for form in forms if not any(other != form and other in form for other in forms))


def _halves(value: str) -> tuple[str, ...]:
    middle = len(value) // 2
    return (value[:middle], value[middle:]) if middle >= _MIN_HALF else ()


def _grouped(value: str) -> Iterator[str]:
    compact = re.sub(r"[^A-Za-z0-9]", "", value)
    groups = [compact[start : start + 4] for start in range(0, len(compact), 4)]
    return (separator.join(groups) for separator in ("", " ", "-", "."))


def _phone_forms(area: str, exchange: str, line: str) -> Iterator[str]:
    """The ways to group a North American number, whatever is before it."""
    for between, within in (("", ""), (" ", " "), ("-", "-"), (".", "."), (") ", "-"), (") ", " "), (")", "-"), ("/", "-")):
        yield f"{area}{between}{exchange}{within}{line}"
