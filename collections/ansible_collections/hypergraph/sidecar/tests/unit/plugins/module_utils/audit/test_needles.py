# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canaries and the search for known values, in every disguise that is looked through."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Callable
from urllib.parse import quote

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.canaries import seed
from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.needles import (
    canary_needles,
    search,
    search_closely,
    secret_needle,
    word_needle,
)
from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.number_plans import card_plausible, iban_valid, phone_plausible
from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.patterns import find

TOKEN = "tok+en/with=odd~chars-0123456789ABCDEFGHIJ"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": lambda value: value,
    "upper case": str.upper,
    "url": lambda value: quote(value, safe=""),
    "url in lower case": lambda value: quote(value, safe="").lower(),
    "hex": lambda value: value.encode().hex(),
    "base64": b64,
    "base64, shifted by one": lambda value: b64(f"x{value}"),
    "base64, shifted by two": lambda value: b64(f"xx{value}yyy"),
    "url-safe base64": lambda value: base64.urlsafe_b64encode(f"a>{value}".encode()).decode().rstrip("="),
    "base64 twice": lambda value: b64(b64(f"Bearer {value}")),
    "gzip as base64": lambda value: base64.b64encode(gzip.compress(f"Authorization: {value}".encode())).decode(),
    "zlib as base64": lambda value: base64.b64encode(zlib.compress(f"Authorization: {value}".encode())).decode(),
    "json": lambda value: json.dumps(value).replace("/", "\\/"),
    "json, escaped": lambda value: "".join(c if c.isalnum() or c in "-._~" else f"\\u{ord(c):04X}" for c in value),
    "reversed": lambda value: value[::-1],
    "cut in the middle": lambda value: value[: len(value) // 2 + 1] + "…",
    "the rest of it": lambda value: "…" + value[len(value) // 2 - 1 :],
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_token_is_found_in_disguise(disguise: str) -> None:
    line = f'{{"ts": "2026", "note": "before {DISGUISES[disguise](TOKEN)} after"}}\n'.encode()
    hits = list(search_closely(line, [secret_needle("authorization", "token a", TOKEN, lasting=True)]))
    assert hits
    assert {hit.needle.origin for hit in hits} == {"token a"}
    assert all(0 <= hit.place < len(line) for hit in hits)


@pytest.mark.parametrize("disguise", ["plain", "hex", "base64", "base64, shifted by one", "url"])
def test_old_lines_are_searched_as_they_are_written(disguise: str) -> None:
    line = f"before {DISGUISES[disguise](TOKEN)} after\n".encode()
    (hit, *_more) = search(line, [secret_needle("authorization", "token a", TOKEN, lasting=True)])
    assert hit.encoded == (disguise not in ("plain", "url"))


def test_other_values_are_not_found() -> None:
    other = secret_needle("authorization", "token b", TOKEN[::2] + TOKEN[1::2])
    lines = "".join(f"{disguise(TOKEN)}\n" for disguise in DISGUISES.values()).encode()
    assert list(search_closely(lines, [other])) == []


def test_a_short_secret_has_no_halves() -> None:
    needle = secret_needle("key", "x", "short-secret-12345")
    assert list(search(b"short-sec\n", [needle])) == []
    assert list(search(b"short-secret-12345\n", [needle]))


def test_broken_packages_are_passed_over() -> None:
    broken = base64.b64encode(gzip.compress(b"x" * 1000)[:20] + b"\0" * 9).decode()
    odd = "A" * 29
    assert list(search_closely(f"{broken} {odd} x\x9c{'B' * 40}\n".encode(), [secret_needle("authorization", "t", TOKEN)])) == []


@pytest.mark.parametrize("way", range(12))
def test_canaries_are_what_scrubbers_know(way: int) -> None:
    canaries = seed("a chat", way)
    digits = {kind: "".join(c for c in value if c.isalnum()) for kind, value in canaries.secrets().items()}
    assert card_plausible(digits["card"])
    assert iban_valid(digits["iban"])
    assert phone_plausible(digits["phone"])
    assert {match.rule for match in find(canaries.prompt)} == {"email", "phone", "card", "iban", "key"}
    assert all(value in canaries.prompt[:200] for value in (canaries.word, *canaries.secrets().values()))
    assert not any(value in repr(canaries) for value in canaries.secrets().values())


def test_canaries_are_grouped_in_every_way_over_a_few() -> None:
    sets = [seed("x", way) for way in range(6)]
    assert len({"".join("9" if c.isdigit() else c for c in one.card) for one in sets}) == 3
    assert len({" " in one.iban for one in sets}) == 2
    assert len({"".join("9" if c.isdigit() else c for c in one.phone) for one in sets}) == 4
    assert len({one.email for one in sets}) == 6


@pytest.mark.parametrize(
    ("kind", "rewritten"),
    [
        ("email", lambda v: v.partition("@")[0] + "[at]"),
        ("email", lambda v: v.replace("@", "&#64;")),
        ("email", lambda v: v.upper()),
        ("card", lambda v: "".join(c for c in v if c.isdigit())),
        ("card", lambda v: ".".join("".join(c for c in v if c.isdigit())[at : at + 4] for at in range(0, 16, 4))),
        ("iban", lambda v: v.replace(" ", "").lower()),
        ("phone", lambda v: "".join(c for c in v if c.isdigit())),
        ("phone", lambda v: "({}) {}-{}".format(*("".join(c for c in v if c.isdigit())[a:b] for a, b in ((1, 4), (4, 7), (7, 11))))),
        ("key", lambda v: v[: len(v) // 2]),
        ("key", b64),
        ("email", b64),
        ("email", lambda v: f"/v1/blobs/{b64(f'xx{v} and so on, so that the whole is long enough to be looked at')}"),
        ("card", lambda v: v.encode().hex()),
        ("iban", lambda v: quote(v, safe="")),
        ("phone", lambda v: base64.b64encode(gzip.compress(v.encode())).decode()),
        ("email", lambda v: gzip.compress(v.encode()).hex()),
    ],
)
@pytest.mark.parametrize("way", range(4))
def test_canaries_are_found_when_written_otherwise(kind: str, rewritten: Callable[[str], str], way: int) -> None:
    canaries = seed("a chat", way)
    line = f"x {rewritten(canaries.secrets()[kind])} y\n".encode()
    assert {hit.needle.rule for hit in search_closely(line, canary_needles(canaries))} == {kind}


def test_masked_and_hashed_canaries_are_not_found() -> None:
    canaries = seed("a chat", 0)
    card, key = f"{canaries.card[:4]} **** {canaries.card[-4:]}", f"{canaries.key[:6]}…"
    masked = f"{canaries.word} {canaries.email[0]}***@example.org {canaries.phone[:6]}**** {card} {key}"
    hashed = b64(hashlib.sha256(canaries.email.encode()).hexdigest())
    assert list(search_closely(f"{masked} {hashed}\n".encode(), canary_needles(canaries))) == []
    assert [hit.needle.rule for hit in search_closely(masked.encode(), [word_needle(canaries)])] == ["canary"]


def test_every_line_with_a_needle_is_told_once_for_each_form() -> None:
    needle = secret_needle("authorization", "t", TOKEN, lasting=True)
    text = f"{TOKEN} {TOKEN}\nnothing\n{TOKEN}\n".encode()
    assert sorted({text.count(b"\n", 0, hit.place) for hit in search(text, [needle])}) == [0, 2]
    assert len(list(search(text, [needle]))) == 2 * len(needle.written)
