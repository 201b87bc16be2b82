# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cardinality as a slope: what grows, what levels off, and what looks like an identifier."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.metrics.cardinality import FAMILY_NAME, Growing, growing, identifying
from ansible_collections.hypergraph.sidecar.plugins.module_utils.metrics.scrape import Family, Scrape

CHATS = (5, 10)


def scrape(values: set[str], *, name: str = "hits_total", type_: str = "counter", label: str = "who") -> Scrape:
    """A scrape of one family, whose label has these values."""
    family = Family(name, type_, len(values), {label: values} if values else {})
    return Scrape({name: family}, "", 0, "", 0.0, 0.0, 0.0)


def scrapes(*added: set[str], before: set[str] = frozenset()) -> list[Scrape]:
    """Scrapes between which these values were added."""
    return [scrape({*before}.union(*added[:count])) for count in range(len(added) + 1)]


def numbered(prefix: str, count: int) -> set[str]:
    return {f"{prefix}{number}" for number in range(count)}


@pytest.mark.parametrize(
    ("first", "second", "rate"),
    [
        (5, 10, 1.0),
        (10, 20, 2.0),
        (3, 5, 0.5),
        (2, 4, 0.4),
        (5, 0, None),
        (5, 3, None),
        (5, 7, None),
        (0, 10, None),
        (2, 3, None),
        (0, 0, None),
    ],
)
def test_new_values_that_do_not_level_off_grow(first: int, second: int, rate: float | None) -> None:
    found = growing(scrapes(numbered("a", first), numbered("b", second), before={"200"}), CHATS, [])
    assert found == ([] if rate is None else [Growing("hits_total", "who", rate, False)])


@pytest.mark.parametrize(("third", "rate"), [(20, 1.0), (16, 0.8), (15, None), (8, None)])
def test_a_third_interval_must_keep_the_slope_too(third: int, rate: float | None) -> None:
    found = growing(scrapes(numbered("a", 5), numbered("b", 10), numbered("c", third)), (5, 10, 20), [])
    assert [grown.rate for grown in found] == ([] if rate is None else [rate])


@given(st.integers(1, 12), st.randoms())
def test_a_pool_of_values_levels_off_in_three_intervals_at_the_latest(pool: int, chance: random.Random) -> None:
    intervals = [{f"pod-{chance.randrange(pool)}" for _draw in range(count)} for count in (5, 10, 20)]
    assert growing(scrapes(*intervals), (5, 10, 20), []) == []


@given(st.integers(3, 40), st.sets(st.text(min_size=1), max_size=5))
def test_a_value_for_each_request_always_grows(chats: int, before: set[str]) -> None:
    found = growing(scrapes(numbered("first-", chats), numbered("second-", 2 * chats), before=before), (chats, 2 * chats), [])
    assert [(grown.label, grown.rate) for grown in found] == [("who", 1.0)]


def test_one_id_of_the_probe_is_proof_enough() -> None:
    found = growing(scrapes(set(), {"/v1/traces/tr-0123456789/status"}), CHATS, ["tr-0123456789"])
    assert [(grown.label, grown.ours) for grown in found] == [("who", True)]
    assert "ids of the probe among them" in str(found[0])


@pytest.mark.parametrize(("before", "identifier"), [({"tr-0123456789"}, "tr-0123456789"), (set(), "17")])
def test_an_id_seen_before_or_too_short_to_tell_proves_nothing(before: set[str], identifier: str) -> None:
    assert growing(scrapes(set(), {"le-0.17", *before}, before=before), CHATS, [identifier]) == []


def test_families_that_are_named_after_requests_grow() -> None:
    after = [{name: Family(name, "gauge", 1) for name in numbered("chat_", count)} for count in (0, 5, 15)]
    before, between, last = (Scrape(families, "", 0, "", 0.0, 0.0, 0.0) for families in after)
    found = growing((before, between, last), CHATS, [])
    assert [grown.label for grown in found] == [FAMILY_NAME]
    assert str(found[0]) == "the family name itself: 1.0 new values a request"


UUIDS = {f"0b5e0a5e-1111-4222-8333-{number:012d}" for number in range(3)}
HEXES = {f"4bf92f3577b34da6a3ce929d0e0e47{number:02d}" for number in range(3)}


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (UUIDS, ["UUIDs"]),
        ({f"/v1/traces/{value.upper()}/status" for value in UUIDS}, ["UUIDs"]),
        ({f"consumer_{value}" for value in UUIDS}, ["UUIDs"]),
        (HEXES, ["long hexadecimal numbers"]),
        (set(sorted(UUIDS)[:2]), []),
        (set(sorted(HEXES)[:2]), []),
        ({"ada@example.org"}, ["e-mail addresses"]),
        ({"login by ada.lovelace+1@mail.example.co.uk failed"}, ["e-mail addresses"]),
        ({"ada.lovelace"}, ["subjects"]),
        ({"200", "GET", "/v1/traces/{trace_id}/status", "gateway-7d9f8b6c5d-x2k4p", "+Inf", "gpt-4o-mini", "v1.2.3"}, []),
        ({"deadbeefdeadbeefdead", "feedfacefeedfacefeed", "cafebabecafebabecafe"}, []),
        ({"12345678901234567890", "22345678901234567890", "32345678901234567890"}, []),
        ({"a@b", "@example.org", "user@localhost"}, []),
    ],
)
def test_values_that_identify_are_told_by_kind(values: set[str], kinds: list[str]) -> None:
    found = identifying(scrape(values), ["ada.lovelace"])
    assert [place.kind for place in found] == kinds
    assert not [place for place in found if any(value in str(place) for value in values)]


@pytest.mark.parametrize(("name", "type_"), [("build_info", "gauge"), ("target", "info")])
def test_what_describes_a_build_may_carry_hashes_but_no_people(name: str, type_: str) -> None:
    assert identifying(scrape(HEXES | UUIDS, name=name, type_=type_), []) == []
    assert [place.kind for place in identifying(scrape({"ada@example.org"}, name=name, type_=type_), [])] == ["e-mail addresses"]
