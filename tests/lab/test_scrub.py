"""Scrubbing: what is taken out, and what is left alone."""

from __future__ import annotations

import pytest

from lab.scrub import RULES, scrub


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("write to jane.doe+x@mail.example.org, please", "write to [email], please"),
        ("ünï@exämple.de", "[email]"),
        ("card 4111 1111 1111 1111 exp 12/29", "card [card] exp 12/29"),
        ("card 4111-1111-1111-1111.", "card [card]."),
        ("card 4000 0000 0000 0002 12/27", "card [card] 12/27"),
        ("card 4000 0000 0000 0002 12/2027", "card [card] 12/2027"),
        ("card 4000000000000002 123", "card [card] 123"),
        ("4111 1111 1111 1111 (2 items)", "[card] (2 items)"),
        ("12/27 4111 1111 1111 1111", "12/27 [card]"),
        ("order 2026 4111 1111 1111 1111 2 items", "order 2026 [card] 2 items"),
        ("4222222222222 4111 1111 1111 1111 12/27 378282246310005 9", "[card] [card] 12/27 [card] 9"),
        ("amex 378282246310005", "amex [card]"),
        ("call +49 30 1234567", "call [phone]"),
        ("call (415) 555-2671 now", "call [phone] now"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [iban]"),
        ("key sk-proj-abcdefghijklmnop1234", "key [key]"),
        ("AKIAIOSFODNN7EXAMPLE", "[key]"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[key]"),
        ("Authorization: Bearer abcdefghijkl", "Authorization: [key]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[key]"),
        ("password: hunter2 and so on", "password: [key] and so on"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- end", "[key] end"),
    ],
)
def test_finds(text: str, clean: str) -> None:
    assert scrub(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "A hypergraph joins any number of nodes by one edge.",
        "on 2026-11-21 at 06:14:30.136304Z",
        "version 10.2.3, 1234 of 99999 and 3.14159",
        "tr_d048483f7d6bed8df309114c348fd066",
        "canaryprompt0123456789abcdef01234567",
        "a @ b, and user@host",
        "an order 12345678",
    ],
)
def test_leaves_alone(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize("text", ["4111 1111 1111 1112", "4111 1111 1111 1112 12/27"])
def test_number_that_fails_the_luhn_check_is_no_card(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize("kind", RULES)
def test_each_rule_can_be_left_out(kind: str) -> None:
    found = {"key": "AKIAIOSFODNN7EXAMPLE", "email": "a@b.org", "iban": "DE89 3704 0044 0532 0130 00"}
    found |= {"card": "4111111111111111", "phone": "+49301234567"}
    others = [rule for rule in RULES if rule not in (kind, "phone" if kind == "iban" else kind)]
    assert scrub(found[kind]) != found[kind]
    assert scrub(found[kind], others) == found[kind]
