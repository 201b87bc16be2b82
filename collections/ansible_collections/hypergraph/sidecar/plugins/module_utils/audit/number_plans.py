# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check digits and number plans that tell a payment card, an IBAN or a telephone number from any other digits."""

from __future__ import annotations

import re

# ISO 13616, from SWIFT's IBAN registry: length of an IBAN by country.
_IBAN_LENGTHS = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
IBAN_LENGTH = {country: length for length, countries in _IBAN_LENGTHS.items() for country in countries.split()}

# ISO/IEC 7812 issuer ranges with the lengths their networks issue. The digit 1 belongs to airlines, so that no count of seconds,
# milliseconds or nanoseconds since 1970 begins like a card until 2040.
_CARD = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|095|[689]\d)\d{11,16}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"  # JCB
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12,15}"  # Discover, RuPay
    r"|62\d{14,17}"  # UnionPay
    r"|220[0-4]\d{12,15}"  # Mir
    r"|(?:50|5[6-8]|6[0137-9])\d{14,17}"  # Maestro, RuPay, Elo
)

# ITU-T E.164: a country code that is assigned, then a national number; 15 digits at most. The numbers of zones 1 and 7 have ten digits.
_CALLING_CODE = (
    r"(?:2(?:[07]|1[1-8]|[2-6]\d|9[017-9])|3(?:[0-469]|[578]\d)|4(?:[013-9]|2[013])|5(?:[1-8]|[09]\d)"
    r"|6(?:[0-6]|[78]\d|9[0-2])|8(?:[1246]|0[08]|5[02356]|7[08]|8[0-36-8])|9(?:[0-58]|[67]\d|9[2-68]))"
)
_E164 = re.compile(rf"1[2-9]\d{{9}}|7\d{{10}}|(?=\d{{8,15}}$){_CALLING_CODE}\d{{6,}}")


def luhn_valid(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1 annex B). Raises ValueError where one is no digit."""
    return _luhn_sum(digits) % 10 == 0


def luhn_check_digit(digits: str) -> str:
    """The digit that makes ``digits`` Luhn-valid when it follows them."""
    return str(-_luhn_sum(digits + "0") % 10)


def card_plausible(digits: str) -> bool:
    """Whether a run of digits is a payment card number: of a network's range and length, and Luhn-valid."""
    return _CARD.fullmatch(digits) is not None and luhn_valid(digits)


def iban_valid(compact: str) -> bool:
    """Whether an IBAN without spaces has its country's length and the right check digits (ISO 7064 MOD 97-10)."""
    return IBAN_LENGTH.get(compact[:2]) == len(compact) and compact[2:4].isdigit() and _mod97(compact) == 1


def iban_of(country: str, account: str) -> str:
    """The compact IBAN of a country's basic bank account number."""
    return f"{country}{98 - _mod97(f'{country}00{account}'):02d}{account}"


def phone_plausible(digits: str) -> bool:
    """Whether digits, without the + before them, are a number of the international plan."""
    return _E164.fullmatch(digits) is not None


def _luhn_sum(digits: str) -> int:
    doubled = (int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled)


def _mod97(iban: str) -> int:
    """The IBAN, its first four characters moved to the end and letters read in base 36, modulo 97."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97
