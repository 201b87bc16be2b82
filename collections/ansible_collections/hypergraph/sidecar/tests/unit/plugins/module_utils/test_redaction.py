# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No spelling of a secret survives, bounds hold, and what a service wrote cannot make it slow."""

from __future__ import annotations

import base64
import html
import json
import string
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import (
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_TEXT,
    Redactor,
    clipped,
    excerpt,
    fingerprint,
    spellings,
)
from ansible_collections.hypergraph.sidecar.plugins.module_utils.time_limit import interrupted_after
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.leaks import leaks, texts_in

TOKEN = "hg.Zq8-_v3~A/b+c9K1m2n3p4Q5r6s7"

ENCODERS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "url": lambda text: quote(text, safe=""),
    "url path": quote,
    "form": quote_plus,
    "url in small letters": lambda text: "".join(f"%{byte:02x}" if byte in b"/+=&?% \"'" else chr(byte) for byte in text.encode("latin-1")),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "url-safe base64": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in a URL": lambda text: quote_plus(base64.b64encode(text.encode()).decode()),
    "base64 in JSON with escaped slashes": lambda text: base64.b64encode(text.encode()).decode().replace("/", "\\/"),
    "JSON": json.dumps,
    "JSON with escaped slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON with escaped plus": lambda text: json.dumps(text).replace("+", "\\u002B"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "HTML": html.escape,
    "HTML by numbers": lambda text: text.replace("+", "&#43;").replace("/", "&#x2F;"),
    "Python": repr,
    "Python bytes": lambda text: repr(text.encode()),
}
surroundings = st.text(st.sampled_from(string.printable), max_size=12)
token_like = st.text(st.sampled_from(string.ascii_letters + string.digits + "-._~+/"), min_size=8, max_size=40)
any_secret = st.text(st.characters(max_codepoint=0xFF, exclude_categories=("Cc",)), min_size=7, max_size=30).filter(
    # White space at its ends, or nothing but a few letters over and over, is nobody's secret and part of every text.
    lambda text: text == text.strip() and len(set(text)) > 4
)


@settings(max_examples=1500, deadline=None, database=None)
@given(token_like, surroundings, surroundings, st.sampled_from(sorted(ENCODERS)))
@example("+/+/+/+/", "", "", "JSON with escaped plus")
def test_no_spelling_of_a_token_survives(secret: str, before: str, after: str, encoding: str) -> None:
    said = Redactor([secret]).text(ENCODERS[encoding](before + secret + after))
    assert not leaks(said, secret)


@settings(max_examples=500, deadline=None, database=None)
@given(any_secret, st.sampled_from(("plain", "url", "hex", "base64", "JSON", "JSON in JSON", "HTML", "Python", "Python bytes")))
def test_nor_one_of_a_password(secret: str, encoding: str) -> None:
    said = Redactor([secret]).text(f"before {ENCODERS[encoding](secret)} after")
    assert not leaks(said, secret)
    assert said.startswith("before ")
    assert said.endswith(" after")


@pytest.mark.parametrize("encoding", sorted(ENCODERS))
@pytest.mark.parametrize("offset", range(4))
def test_the_encoders_do_show_what_is_not_redacted(encoding: str, offset: int) -> None:
    """The control of the two above: without learning, the same search finds it."""
    text = ENCODERS[encoding]("x" * offset + TOKEN + "yz")
    assert leaks(text, TOKEN)
    assert not leaks(Redactor([TOKEN]).text(text), TOKEN)


def test_a_redacted_secret_can_be_told_from_another() -> None:
    redactor = Redactor(["first-secret-1", "second-secret-2"])
    assert redactor.text("a first-secret-1 b second-secret-2") == (
        f"a [redacted {fingerprint('first-secret-1')}] b [redacted {fingerprint('second-secret-2')}]"
    )


def test_of_two_secrets_one_inside_the_other_nothing_is_left() -> None:
    assert Redactor(["abcdefgh", "xxabcdefghyy"]).text("xxabcdefghyy") == f"[redacted {fingerprint('xxabcdefghyy')}]"
    assert Redactor(["abcdefgh", "abcdefghyy"]).text("abcdefghyy") == f"[redacted {fingerprint('abcdefghyy')}]"


def test_it_learns_on() -> None:
    redactor = Redactor(["first-secret-1"])
    redactor.learn(["second-secret-2"])
    assert "secret" not in redactor.text("first-secret-1 second-secret-2")


@pytest.mark.parametrize("secret", ["", "a", "abc"])
def test_what_is_too_short_to_hide_is_left_alone(secret: str) -> None:
    assert Redactor([secret]).text("abc and a") == "abc and a"


def test_secrets_that_are_numbers_go_too() -> None:
    assert Redactor(["1234567890"]).value({"id": 1234567890, "other": 12345, "ratio": 0.5}) == {
        "id": f"[redacted {fingerprint('1234567890')}]",
        "other": 12345,
        "ratio": 0.5,
    }


def test_lone_surrogates_are_no_stumbling_block() -> None:
    secret = "half-\ud83d-secret"
    assert secret not in Redactor([secret]).text(f"x{secret}x")
    assert not leaks(Redactor([secret]).text(json.dumps(f"x{secret}x")), secret)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer [redacted]"),
        ("authorization: basic dXNlcjpwYXNz", "authorization: basic [redacted]"),
        ("redis://user:pass@cache:6379/0", "redis://[redacted]cache:6379/0"),
        ("HTTPS://only-a-token@host/x", "HTTPS://[redacted]host/x"),
        ("see -http://u:p@h", "see -http://[redacted]h"),
        ("key sk-proj-abcdefghijklmnop1234", "key sk-[redacted]"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl!", "jwt eyJ[redacted]!"),
        ("no bearer token was sent", "no bearer token was sent"),
        ("https://host/path?mail=a@b", "https://host/path?mail=a@b"),
        ("a task-list of things to do", "a task-list of things to do"),
    ],
)
def test_what_looks_like_a_credential_goes_unlearnt(text: str, left: str) -> None:
    assert Redactor().text(text) == left


@given(st.integers(0, 60), st.integers(12, 700))
@settings(max_examples=200, deadline=None, database=None)
def test_a_secret_across_the_cut_leaves_no_half(overlap: int, length: int) -> None:
    secret = (TOKEN * 30)[:length]
    text = "." * (MAX_TEXT - overlap) + secret + "." * 100
    shown = Redactor([secret]).value(text)
    assert not any(secret[:size] in shown for size in range(6, 13))
    assert len(shown) < MAX_TEXT + 30


def test_texts_and_lists_and_mappings_are_bounded() -> None:
    redactor = Redactor()
    assert redactor.value("x" * (MAX_TEXT + 1)) == f"{'x' * MAX_TEXT}… ({MAX_TEXT + 1} characters)"
    assert redactor.value("x" * MAX_TEXT) == "x" * MAX_TEXT
    assert redactor.value(list(range(MAX_ITEMS + 2))) == [*range(MAX_ITEMS), "… 2 more"]
    assert redactor.value(tuple(range(MAX_ITEMS))) == list(range(MAX_ITEMS))
    mapping = redactor.value({str(number): number for number in range(MAX_ITEMS + 3)})
    assert len(mapping) == MAX_ITEMS + 1
    assert mapping["…"] == "3 more"
    assert list(redactor.value({"k" * 1000: 1})) == [f"{'k' * MAX_TEXT}… (1000 characters)"]
    assert redactor.value(10**600) == f"{10**600}"[:MAX_TEXT] + "… (601 characters)"


def test_nesting_is_bounded() -> None:
    value: Any = "deep"
    for _turn in range(3000):
        value = {"inner": [value]}
    shown = Redactor().value(value)
    depth = 0
    while not isinstance(shown, str):
        shown = shown["inner"] if isinstance(shown, dict) else shown[0]
        depth += 1
    assert (shown, depth) == ("[nested deeper than shown]", MAX_DEPTH)


class Opaque:
    def __str__(self) -> str:
        return f"opaque {TOKEN}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (0, 0),
        (-1.5, -1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (b"bytes \xff", "bytes \ufffd"),
        (bytearray(b"more"), "more"),
        ({2, 1}, [1, 2]),
        ({1: {None: ()}}, {"1": {"None": []}}),
        (Opaque(), f"opaque [redacted {fingerprint(TOKEN)}]"),
        (TOKEN.encode(), f"[redacted {fingerprint(TOKEN)}]"),
        ({TOKEN: [TOKEN]}, {f"[redacted {fingerprint(TOKEN)}]": [f"[redacted {fingerprint(TOKEN)}]"]}),
    ],
)
def test_any_value_becomes_one_that_json_knows(value: Any, shown: Any) -> None:
    redacted = Redactor([TOKEN]).value(value)
    assert redacted == shown
    assert type(redacted) is type(shown)
    json.dumps(redacted, allow_nan=False)


def test_a_value_is_copied() -> None:
    value = {"list": [1]}
    shown = Redactor().value(value)
    value["list"].append(2)
    assert shown == {"list": [1]}


nested = st.recursive(
    st.sampled_from(("SECRET", "x SECRET y", 1, None)),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(("SECRET", "a", "key SECRET")), below, max_size=3),
    max_leaves=8,
)


@given(nested, st.sampled_from(("plain", "url", "hex", "base64", "JSON", "url-safe base64")))
@settings(max_examples=300, deadline=None, database=None)
def test_nothing_survives_at_any_depth(tree: Any, encoding: str) -> None:
    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return ENCODERS[encoding](value.replace("SECRET", TOKEN))
        if isinstance(value, dict):
            return {filled(key): filled(item) for key, item in value.items()}
        return [filled(item) for item in value] if isinstance(value, list) else value

    assert not [text for text in texts_in(Redactor([TOKEN]).value(filled(tree))) if leaks(text, TOKEN)]


MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "a.",
        "\\",
        "eyJ-",
        "eyJaaaaaaaa.",
        "x://",
        "a://b:c",
        "bearer ",
        "sk-",
        TOKEN[:-1],
        TOKEN[:12],
        "%2",
        "&#",
        "ordinary words ",
        " ",
    ],
)
def test_a_megabyte_of_anything_takes_no_more_than_linear_time(unit: str) -> None:
    """A limit fifty times above what it takes, to tell a search that grows with the square, which would take hours."""
    redactor = Redactor([TOKEN, *(f"{TOKEN}{number}" for number in range(10))])
    text = unit * (MEGABYTE // len(unit))
    with interrupted_after(60, lambda: AssertionError(f"{unit!r} is slow")):
        assert redactor.text(text + TOKEN).endswith(f"[redacted {fingerprint(TOKEN)}]") or unit in ("bearer ", "x://", "sk-", TOKEN[:-1])
        assert TOKEN not in redactor.text(text + TOKEN)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short", "short"),
        ("exactly ten", "exactly …"),
        (f"<p>token {TOKEN} is unknown</p>", "<p>token …"),
        ('{"error":"abcdefghijkl"}', '{"error":"…'),
        ("a" * 50, "…"),
        ("ab cd ef gh ij", "ab cd ef …"),
    ],
)
def test_an_excerpt_never_ends_in_a_word(text: str, shown: str) -> None:
    assert excerpt(text, 10) == shown


def test_clipped_says_what_it_cut() -> None:
    assert clipped("x" * 501).endswith("x… (501 characters)")


def test_spellings_are_found_by_comparison_too() -> None:
    """For those who only search: at each offset one of the spellings is in the encoded text."""
    for before in ("", "a", "ab", "abc"):
        encoded = base64.b64encode((before + TOKEN + "z").encode()).decode()
        assert any(spelling in encoded for spelling in spellings(TOKEN))
    assert TOKEN in spellings(TOKEN)
    assert not any(len(spelling) < 8 for spelling in spellings("abcdefgh"))
