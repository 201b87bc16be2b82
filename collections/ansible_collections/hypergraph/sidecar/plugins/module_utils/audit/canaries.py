# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Personal data that belongs to nobody, random for each use, of shapes that any scrubber should know: what is seeded can be searched for.

The addresses and numbers are taken from ranges set aside for examples, or that no bank or network has given out, so that a prompt passed on
to a model names no real person.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..traces import canary
from .number_plans import iban_of, luhn_check_digit

# How every canary word begins.
WORD = "canaryword"
# North American area codes in use; 555-0100 to 555-0199 is set aside for fiction in each of them.
_AREAS = ("201", "202", "212", "213", "305", "312", "404", "415", "503", "602", "617", "702", "713", "720", "801", "919")
# Stripe's and other processors' test cards begin so.
_TEST_CARDS = "400000"
_ALPHANUMERIC = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Canaries:
    """One of each kind. ``origin`` says what they were seeded into; ``word`` is no secret, it marks the text they stand in.

    The digits of phone, card and IBAN come grouped as people write them.
    """

    origin: str
    word: str
    email: str = field(repr=False)
    phone: str = field(repr=False)
    card: str = field(repr=False)
    iban: str = field(repr=False)
    key: str = field(repr=False)

    @property
    def prompt(self) -> str:
        """A prompt with all of them within its first 200 characters, which is what an audit entry quotes."""
        return (
            f"{self.word}: {self.email}, phone {self.phone}, card {self.card}, IBAN {self.iban}, {self.key}. "
            "Say in one sentence what a hypergraph is. An edge of it joins any number of nodes."
        )

    def secrets(self) -> dict[str, str]:
        """What must not be in a log, by the rule of ``patterns`` that it falls under."""
        return {"email": self.email, "phone": self.phone, "card": self.card, "iban": self.iban, "key": self.key}


def seed(origin: str, way: int) -> Canaries:
    """A fresh set, its numbers grouped in one of the ways people write them: scrubbers that know one way only are common."""
    area, line = secrets.choice(_AREAS), f"01{secrets.randbelow(100):02d}"
    phones = (f"+1 {area} 555 {line}", f"+1{area}555{line}", f"+1 ({area}) 555-{line}", f"+1-{area}-555-{line}")
    number = _TEST_CARDS + _random(string.digits, 9)
    iban = iban_of("DE", "0" + _random(string.digits, 17))
    return Canaries(
        origin=origin,
        word=canary(WORD.removeprefix("canary")),
        email=f"{_random(string.ascii_lowercase, 12)}@example.org",
        phone=phones[way % len(phones)],
        card=(" ", "", "-")[way % 3].join(_groups(number + luhn_check_digit(number))),
        iban=(" ", "")[way % 2].join(_groups(iban)),
        # Scrubbers may look for a digit, which 1 of 150 random keys would lack.
        key=f"sk-{_random(_ALPHANUMERIC, 27)}{_random(string.digits, 1)}",
    )


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _place in range(length))


def _groups(digits: str) -> Iterator[str]:
    return (digits[start : start + 4] for start in range(0, len(digits), 4))
