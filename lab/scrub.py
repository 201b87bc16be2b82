"""Taking personal data and secrets out of text before it is written down.

The rules are the usual ones for e-mail addresses, payment cards (with the Luhn check, ISO/IEC 7812-1), telephone numbers (up to the 15
digits of E.164), IBANs, and keys by their published prefixes. Each find is replaced by its kind in brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import accumulate

_KEYS = re.compile(
    r"""-----BEGIN[ A-Z]*PRIVATE\ KEY-----.*?(?:-----END[ A-Z]*PRIVATE\ KEY-----|\Z)
    | \b(?:sk|pk|rk)[-_](?:[A-Za-z0-9]+[-_])*[A-Za-z0-9_-]{16,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b
    | \b(?:ghp|gho|ghu|ghs|ghr|github_pat|glpat|xox[abprs])[-_][A-Za-z0-9_-]{16,}
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
    | \bBearer\s+[A-Za-z0-9._~+/-]{8,}=*""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ASSIGNED = re.compile(r"(?i)\b((?:password|passwd|secret|api[_-]?key|access[_-]?key|token)\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|\S+)")
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_GROUPS = re.compile(r"(?<![\w.])\d(?:[ ().\u00a0/-]{0,2}\d)*(?!\w)")
_DIGITS = re.compile(r"(?<![\w.])(?:\+|\(\+?)?\d(?:[ ().\u00a0/-]{0,2}\d){7,18}(?![\w])")


def _keys(text: str) -> str:
    return _ASSIGNED.sub(r"\1[key]", _KEYS.sub("[key]", text))


def _emails(text: str) -> str:
    return _EMAIL.sub("[email]", text)


def _ibans(text: str) -> str:
    return _IBAN.sub("[iban]", text)


def _cards(text: str) -> str:
    return _GROUPS.sub(lambda found: _without_cards(found.group()), text)


def _phones(text: str) -> str:
    return _DIGITS.sub(lambda found: "[phone]" if _is_phone(found.group()) else found.group(), text)


RULES: dict[str, Callable[[str], str]] = {"key": _keys, "email": _emails, "iban": _ibans, "card": _cards, "phone": _phones}


def scrub(text: str, kinds: Iterable[str] = tuple(RULES)) -> str:
    """The text with every find of these kinds replaced, such as ``[email]``."""
    for kind in kinds:
        text = RULES[kind](text)
    return text


def _without_cards(written: str) -> str:
    """Groups of digits with each card among them replaced: a count or a year may stand before one, its expiry date or code after it."""
    groups = [found.span() for found in re.finditer(r"\d+", written)]
    before = [0, *accumulate(end - start for start, end in groups)]
    digits = [int(character) for character in written if character.isdecimal()]
    # Luhn sums from the first digit up to each, with those at even places doubled and with those at odd ones: a card may begin anywhere.
    sums = [
        [0, *accumulate(digit if place % 2 != doubled else 2 * digit - 9 * (digit > 4) for place, digit in enumerate(digits))]
        for doubled in (0, 1)
    ]
    clean, done = "", 0
    for first, (start, _end) in enumerate(groups):
        for last in range(min(first + 19, len(groups)), first, -1) if start >= done else ():
            begin, end = before[first], before[last]
            if 13 <= end - begin <= 19 and (sums[end % 2][end] - sums[end % 2][begin]) % 10 == 0:
                clean += f"{written[done:start]}[card]"
                done = groups[last - 1][1]
                break
    return clean + written[done:]


def _is_phone(written: str) -> bool:
    return 9 <= sum(character.isdigit() for character in written) <= 15 or written.startswith(("+", "(+"))
