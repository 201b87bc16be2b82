# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding personal data and credentials that nobody planted: e-mail addresses, telephone numbers, payment cards, IBANs, keys, headers.

A pattern proposes, a check digit, number plan or the words before it decide: identifiers, timestamps and addresses are digits too, and a
finder that takes them for telephone numbers is soon switched off. What is masked is no find.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from .number_plans import IBAN_LENGTH, card_plausible, iban_valid, luhn_valid, phone_plausible


@dataclass(frozen=True)
class Match:
    """A find: the rule that made it, and where in the text. What was found is kept out of ``repr``."""

    rule: str
    start: int
    end: int
    text: str = field(repr=False)

    def overlaps(self, other: Match) -> bool:
        """Whether the two share a character."""
        return self.start < other.end and other.start < self.end


_Finder = Callable[[str], Iterator[Match]]

# Digits after one of these are a count, a moment or a name.
_IDENTIFIER_BEFORE = re.compile(
    r"(?i)(?:\b|_|-)(?:id|ids|uuid|trace|span|request|req|txn|seq|sequence|offset|ts|time|timestamp|epoch|at|ns|us|ms|nanos|micros|millis"
    r"|bytes|size|length|count|duration|elapsed|nonce|hash|digest|etag|version|build|revision|rev|port|pid|shard|partition|cursor)"
    r"[\"']?\s*[:=#]\s*[\"'\[]?$|\bW/\"?$"
)
_WINDOW = 32

_EMAIL = re.compile(r"(?<![\w.%+'*•…-])[\w.%+'&-]{1,64}@((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+([^\W\d_]{2,24}))(?![\w-])")
_VERSION_DOMAIN = re.compile(r"v?\d+\.\d+\.")
# Ends of file and unit names such as logo@2x.png and getty@tty1.service.
_FILE_ENDING = re.compile(r"(?i)png|jpe?g|gif|svg|webp|css|js|json|html|service|socket|timer|target|slice|scope|mount")
_MASKS = frozenset("xX*.#-_")

_CARD = re.compile(
    r"(?<![\w+-])(?<!\d\.)(?:\d{12,19}"
    r"|[2-6]\d{3}([ .-])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?"
    r"|3[47]\d\d([ .-])\d{6}\2\d{5}|3\d{3}([ .-])\d{6}\3\d{4})(?!\w|[.-]\d)"
)
# Longer card numbers are issued, but one in thirty numbers of so many digits looks like one. Unless a word says that a card follows.
_CARD_DIGITS = range(13, 17)
_CARD_BEFORE = re.compile(r"(?i)(?:card|\bpan\b|visa|maestro|unionpay)[^\d]{0,24}$")

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}")

_SEPARATED = r"(?:[ ./()-]{0,2}\d)"
_EXTENSION = r"(?:x\d{1,6})?"
_INTERNATIONAL = re.compile(rf"(?<![A-Za-z0-9+/])\+ ?\(?[1-9]{_SEPARATED}{{7,18}}(?![A-WYZa-wyz0-9+=])")
_NATIONAL = re.compile(
    r"(?<![\w.+/-])(?<!\d[ :,])(?:"
    # North American
    rf"(?:00)?(?:1[ .-])?(?!\(?[2-4]00)(?:\([2-9]\d\d\) ?|[2-9]\d\d[.-])[2-9]\d\d[ .-]\d{{4}}{_EXTENSION}"
    # Pairs of digits, as in France and Belgium
    r"|0[1-9](?:[ .]\d\d){4}|0[1-9]\d\d(?:[ .]\d\d){3}"
    # Area after the trunk 0, as in Britain, Germany and Australia
    r"|0[1-9]\d{1,3}[ /-]\d{3,8}(?:[ -]\d{2,5}){0,2}|\(0[1-9]\d{0,3}\)[ /-]?\d{3,8}(?:[ -]\d{2,5}){0,2}"
    r")(?![\w:]|[./-]\d)"
)
_NATIONAL_DIGITS = range(9, 15)
_ANNOUNCED = re.compile(
    r"(?i)\b(?:(?:tel|telephone|telefon|phone|mobile|mobil|cell|fax|whatsapp|sms|msisdn|handy)(?:[ _-]?(?:number|nr|no))?|(?P<verb>call))"
    r"[\"':=.]{0,3}(?: (?:me|us|him|her|at|on|is|under|number)\b)*[\"':=]?\s{0,2}[\"']?"
    rf"(?P<number>\(?\d{_SEPARATED}{{6,14}}){_EXTENSION}(?![\w:]|[./-]\d)"
)
_ANNOUNCED_DIGITS = range(9, 16)
_ANNOUNCED_DIGITS_GROUPED = range(7, 16)

_KEY = re.compile(
    r"(?<![A-Za-z0-9_])(?:sk-[A-Za-z0-9_-]{20,}"  # OpenAI, Anthropic and alike
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}"  # AWS, Google
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{20,}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|hf_[A-Za-z0-9]{30,}|gsk_[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{30,}"
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"
    r"|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{50,}|hvs\.[A-Za-z0-9_-]{20,}|dop_v1_[a-f0-9]{40,}|shpat_[a-f0-9]{30,})"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_JWT = re.compile(r"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,})\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_URL_PASSWORD = re.compile(r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/@:\"]{0,64}:([^\s/@\"]{3,128})@")

_BEARER = re.compile(r"(?i)\bbearer(?:\s|%20|\+)+([A-Za-z0-9._~+/-]{16,}=*)")
_BASIC = re.compile(r"(?i)\bbasic\s+([A-Za-z0-9+/]{8,}={0,2})(?![A-Za-z0-9+/=])")
_HEADER = re.compile(
    r"(?i)\b(?:(?:proxy-)?authorization|(?:x-)?api[_-]?key|x-auth-token)[\"']?\s*[:=]\s*[\"']?(?:[A-Za-z]+ )?([A-Za-z0-9._~+/-]{16,}=*)"
)
_RUN = re.compile(r"[A-Za-z0-9]+")
_MIN_RUN = 12


def _credentials(text: str) -> Iterator[Match]:
    for pattern in (_BEARER, _HEADER):
        for found in pattern.finditer(text):
            if _random_looking(found.group(1)):
                yield _match("authorization", found)
    for found in _BASIC.finditer(text):
        if b":" in _decoded(found.group(1)):
            yield _match("authorization", found)


def _keys(text: str) -> Iterator[Match]:
    for found in _KEY.finditer(text):
        if _random_looking(found.group()):
            yield _match("key", found)
    for found in _PRIVATE_KEY.finditer(text):
        yield _match("key", found)
    for found in _JWT.finditer(text):
        try:
            header = json.loads(_decoded(found.group(1)))
        except ValueError:
            continue
        if isinstance(header, dict) and header.keys() & {"alg", "enc"}:
            yield _match("key", found)
    for found in _URL_PASSWORD.finditer(text):
        if not _masked(found.group(1)):
            yield _match("key", found)


def _emails(text: str) -> Iterator[Match]:
    for found in _EMAIL.finditer(text):
        local = found.group().partition("@")[0]
        version = _VERSION_DOMAIN.match(found.group(1)) or _FILE_ENDING.fullmatch(found.group(2))
        repository = local == "git" and text[found.end() : found.end() + 1] in (":", "/")
        if not (version or repository or _masked(local)):
            yield _match("email", found)


def _ibans(text: str) -> Iterator[Match]:
    for found in _IBAN.finditer(text):
        length = IBAN_LENGTH.get(found.group()[:2])
        if length is None:
            continue
        places = [place for place, character in enumerate(found.group()) if character.isalnum()]
        if len(places) < length:
            continue
        end = found.start() + places[length - 1] + 1
        written = text[found.start() : end]
        if not text[end : end + 1].isalnum() and iban_valid(re.sub(r"[ -]", "", written)):
            yield Match("iban", found.start(), end, written)


def _cards(text: str) -> Iterator[Match]:
    for found in _CARD.finditer(text):
        if _identifies(text, found.start()):
            continue
        for written in _shortened(found.group()):
            digits = _digits(written)
            announced = _CARD_BEFORE.search(text, max(0, found.start() - _WINDOW), found.start())
            if luhn_valid(digits) if announced else len(digits) in _CARD_DIGITS and card_plausible(digits):
                yield Match("card", found.start(), found.start() + len(written), written)
                break


def _phones(text: str) -> Iterator[Match]:
    for found in _INTERNATIONAL.finditer(text):
        for written in _shortened(found.group()):
            if phone_plausible(_digits(written)):
                yield Match("phone", found.start(), found.start() + len(written), written)
                break
    for found in _NATIONAL.finditer(text):
        if len(_digits(found.group())) in _NATIONAL_DIGITS and not _identifies(text, found.start()):
            yield _match("phone", found)
    for found in _ANNOUNCED.finditer(text):
        for written in _shortened(found.group("number")):
            digits = _digits(written)
            grouped = len(digits) < len(written) and not found.group("verb")
            if len(digits) in (_ANNOUNCED_DIGITS_GROUPED if grouped else _ANNOUNCED_DIGITS):
                yield Match("phone", found.start("number"), found.start("number") + len(written), written)
                break


# In this order, since what one has claimed is not offered to the next: an IBAN's groups of digits may pass for a card.
_FINDERS: dict[str, _Finder] = {
    "authorization": _credentials,
    "key": _keys,
    "email": _emails,
    "iban": _ibans,
    "card": _cards,
    "phone": _phones,
}
RULES = tuple(_FINDERS)
_NEEDED = {
    "authorization": re.compile(r"[A-Za-z0-9+/=-]{8}"),
    "key": re.compile(r"[A-Za-z0-9_-]{6}"),
    "email": re.compile("@"),
    "iban": re.compile(r"[A-Z]{2}\d\d"),
    "card": re.compile(r"\d{4}"),
    "phone": re.compile(r"\d\d[ ./()-]{0,2}\d"),
}


def find(text: str, rules: Collection[str] = RULES) -> list[Match]:
    """What the rules find in a text, overlaps resolved in favour of the earlier of RULES."""
    found: list[Match] = []
    for rule in RULES:
        # Most texts of a log are short and free of what a rule cannot do without, which is told faster than by its patterns.
        if rule not in rules or not _NEEDED[rule].search(text):
            continue
        for match in _FINDERS[rule](text):
            if not any(match.overlaps(other) for other in found):
                found.append(match)
    return found


def readings(text: str) -> Iterable[str]:
    """The text, and the text with percent-encoding or ``\\u`` escapes undone, where it has any."""
    if "%" in text:
        return (text, unquote(text))
    if "\\u" in text:
        return (text, re.sub(r"\\u([0-9a-fA-F]{4})", lambda escape: chr(int(escape.group(1), 16)), text))
    return (text,)


def _match(rule: str, found: re.Match[str]) -> Match:
    return Match(rule, found.start(), found.end(), found.group())


def _identifies(text: str, start: int) -> bool:
    """Whether the words before this place say that an identifier or a moment follows."""
    return _IDENTIFIER_BEFORE.search(text, max(0, start - _WINDOW), start) is not None


def _shortened(written: str) -> Iterator[str]:
    """A run of digit groups, then the same without its last group, and so on: another number may follow the one that counts."""
    yield written
    for separator in reversed(list(re.finditer(r"[ ]+", written))):
        yield written[: separator.start()]


def _random_looking(secret: str) -> bool:
    """Whether a word could be a secret: it has a digit and a run of letters and digits too long for a word of prose or a placeholder."""
    runs = _RUN.findall(secret)
    longest = max(runs, key=len, default="")
    return len(longest) >= _MIN_RUN and any(character.isdigit() for character in secret) and len(set(longest)) > 4


def _masked(text: str) -> bool:
    return (len(text) > 2 and set(text) <= _MASKS) or "***" in text or "redacted" in text.lower() or text.startswith(("[", "<", "$", "{"))


def _decoded(text: str) -> bytes:
    """Base64 of either alphabet, with or without padding; nothing where it is none."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_" if set(text) & {"-", "_"} else None)
    except (binascii.Error, ValueError):
        return b""


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())
