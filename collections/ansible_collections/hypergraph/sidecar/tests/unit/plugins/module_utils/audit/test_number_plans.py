# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check digits and number plans."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.number_plans import (
    IBAN_LENGTH,
    card_plausible,
    iban_of,
    iban_valid,
    luhn_check_digit,
    luhn_valid,
    phone_plausible,
)

CARDS = [
    "4111111111111111",
    "5555555555554444",
    "378282246310005",
    "6011111111111117",
    "3530111333300000",
    "30569309025904",
    "4222222222222",
]
IBANS = [
    "DE89370400440532013000",
    "GB29NWBK60161331926819",
    "FR1420041010050500013M02606",
    "NO9386011117947",
    "MT84MALT011000012345MTLCAST001S",
]


@pytest.mark.parametrize("card", CARDS)
def test_cards_of_the_networks(card: str) -> None:
    assert card_plausible(card)
    assert luhn_check_digit(card[:-1]) == card[-1]


@pytest.mark.parametrize("card", CARDS)
def test_any_wrong_digit_is_noticed(card: str) -> None:
    wrong = [card[:at] + str((int(card[at]) + 1) % 10) + card[at + 1 :] for at in range(len(card))]
    assert not any(luhn_valid(number) for number in wrong)


@pytest.mark.parametrize("number", ["0000000000000000", "1769860800123454", "411111111111116", "9999999999999995", "41111111111111111111"])
def test_luhn_is_not_enough(number: str) -> None:
    assert not card_plausible(number)


@pytest.mark.parametrize("iban", IBANS)
def test_ibans(iban: str) -> None:
    assert iban_valid(iban)
    assert iban_of(iban[:2], iban[4:]) == iban
    assert not iban_valid(iban[:-1])
    assert not iban_valid(iban[:4] + iban[5] + iban[4] + iban[6:])
    assert not iban_valid("XX" + iban[2:])


def test_lengths_are_as_the_registry_has_them() -> None:
    assert (IBAN_LENGTH["DE"], IBAN_LENGTH["NO"], IBAN_LENGTH["MT"], IBAN_LENGTH["RU"]) == (22, 15, 31, 33)


@pytest.mark.parametrize(
    "number", ["12125550142", "442079460958", "4915123456789", "33199001234", "79123456789", "971501234567", "35312345678"]
)
def test_telephone_numbers(number: str) -> None:
    assert phone_plausible(number)


@pytest.mark.parametrize("number", ["999123456789", "1212555014", "11125550142", "4912", "2101234567", "1234567890123456"])
def test_what_is_no_telephone_number(number: str) -> None:
    assert not phone_plausible(number)
