# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Movement between two scrapes, above all of numbers that no comparison is true of."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.metrics import movement
from ansible_collections.hypergraph.sidecar.plugins.module_utils.metrics.drive import Round
from ansible_collections.hypergraph.sidecar.plugins.module_utils.metrics.expectations import CHATS, EXPLANATIONS, Expectation
from ansible_collections.hypergraph.sidecar.plugins.module_utils.metrics.exposition import TEXT, parse
from ansible_collections.hypergraph.sidecar.plugins.module_utils.metrics.scrape import Family, Scrape
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict

TOOK = Expectation("took_seconds", "histogram", driven=EXPLANATIONS)
ROUNDS = [Round(chats=2, ends={"complete": 2}, identifiers=(), complete_seconds=1.0)]


def scraped(text: str) -> Scrape:
    families: dict[str, Family] = {}
    for name, metric in parse(text.encode(), TEXT):
        families.setdefault(name, Family(name, metric.type)).add(metric, keep=True)
    return Scrape(families, TEXT, len(text), "", 0.0, 0.0, 0.0)


def counter(value: str) -> Scrape:
    return scraped(f"# TYPE sent_total counter\nsent_total {value}\n")


def histogram(count: int, seconds: str) -> Scrape:
    lines = (f'took_seconds_bucket{{le="+Inf"}} {count}', f"took_seconds_sum {seconds}", f"took_seconds_count {count}")
    return scraped("\n".join(("# TYPE took_seconds histogram", *lines, "")))


def failing(verdict: Verdict) -> list[str]:
    return [assertion.reason_code for assertion in verdict.records.assertions if not assertion.ok]


@pytest.mark.parametrize(
    ("first", "last", "codes"),
    [
        ("5", "7", []),
        ("5", "6", ["counter-frozen"]),
        ("NaN", "NaN", ["counter-frozen"]),
        ("5", "NaN", ["counter-frozen"]),
        ("5", "+Inf", ["counter-frozen"]),
        ("+Inf", "+Inf", ["counter-frozen"]),
    ],
)
def test_a_counter_moves_by_a_number(first: str, last: str, codes: list[str]) -> None:
    verdict = Verdict("observability")
    spans = [movement.Span(counter(first), counter(last))]
    movement.judge_movement(verdict, "gateway", Expectation("sent_total", "counter", driven=CHATS), spans, ROUNDS, 1.0)
    assert failing(verdict) == codes


@pytest.mark.parametrize(
    ("first", "last", "codes"),
    [
        ("1", "2.9", []),
        ("1", "3.1", ["duration-exceeds-wall-time"]),
        ("1", "NaN", ["duration-exceeds-wall-time"]),
        ("+Inf", "+Inf", ["duration-exceeds-wall-time"]),
    ],
)
def test_a_duration_is_a_number_within_the_time_that_was_seen(first: str, last: str, codes: list[str]) -> None:
    verdict = Verdict("observability")
    movement.judge_durations(verdict, "explainer", TOOK, [movement.Span(histogram(1, first), histogram(3, last))], ROUNDS)
    assert failing(verdict) == codes


@pytest.mark.parametrize(
    "last",
    [
        histogram(3, "1"),
        scraped('# TYPE took_seconds histogram\ntook_seconds_bucket{le="+Inf"} 3\ntook_seconds_count 3\n'),
    ],
)
def test_explanations_that_took_no_time_were_not_measured(last: Scrape) -> None:
    verdict = Verdict("observability")
    movement.judge_durations(verdict, "explainer", TOOK, [movement.Span(histogram(1, "1"), last)], ROUNDS)
    assert failing(verdict) == ["duration-not-measured"]


def test_durations_among_those_of_others_are_named_as_not_examined() -> None:
    verdict = Verdict("observability")
    movement.judge_durations(verdict, "explainer", TOOK, [movement.Span(histogram(1, "1"), histogram(9, "2"))], ROUNDS)
    assert verdict.records.assertions == ()
    assert [skip.reason for skip in verdict.records.skips] == [
        "durations in took_seconds, since explainer counted other explanations beside those of the probe"
    ]


@pytest.mark.parametrize(
    ("values", "fallen"),
    [
        (("5", "5", "6"), set()),
        (("5", "6", "5"), {"sent_total"}),
        (("5", "NaN", "6"), {"sent_total"}),
        (("NaN", "NaN"), {"sent_total"}),
        (("+Inf", "+Inf"), set()),
    ],
)
def test_a_counter_that_is_no_number_does_not_stay_the_same_or_more(values: tuple[str, ...], fallen: set[str]) -> None:
    verdict = Verdict("observability")
    assert movement.judge_monotone(verdict, "gateway", ["sent_total"], [counter(value) for value in values]) == fallen
    assert failing(verdict) == ["counter-decreased"] * bool(fallen)
