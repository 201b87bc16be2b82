# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import math
from fractions import Fraction

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load import anytime
from ansible_collections.hypergraph.sidecar.plugins.module_utils.probability import binomial


def exactly_at_most(events, tries, probability):
    """By rational numbers: no rounding but that of the probability."""
    share = Fraction(probability)
    return sum(math.comb(tries, k) * share**k * (1 - share) ** (tries - k) for k in range(events + 1))


COUNTS = [(0, 1), (0, 59), (1, 2), (3, 10), (5, 100), (50, 100), (99, 100), (25, 500), (10, 300)]


@pytest.mark.parametrize(("events", "tries"), COUNTS)
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_the_bounds_are_where_what_was_seen_has_a_chance_of_alpha(events, tries, alpha):
    upper, lower = binomial.upper_bound(events, tries, alpha), binomial.lower_bound(events, tries, alpha)
    assert float(exactly_at_most(events, tries, upper)) == pytest.approx(alpha, rel=1e-8)
    if events:
        assert float(1 - exactly_at_most(events - 1, tries, lower)) == pytest.approx(alpha, rel=1e-8)
    else:
        assert lower == 0
    assert lower < (events + 0.5) / (tries + 1) < upper


@pytest.mark.parametrize(("events", "tries"), COUNTS)
@pytest.mark.parametrize("probability", [0.01, 0.05, 0.5, 0.97])
def test_a_tail_is_the_sum_of_its_terms(events, tries, probability):
    assert binomial.at_most(events, tries, probability) == pytest.approx(float(exactly_at_most(events, tries, probability)), rel=1e-9)


def test_a_pass_of_a_p95_needs_59_samples_and_of_a_p99_299():
    for needed, limit in ((59, 0.05), (299, 0.01)):
        assert binomial.upper_bound(0, needed, 0.05) <= limit < binomial.upper_bound(0, needed - 1, 0.05)


def test_nothing_tried_bounds_nothing():
    assert (binomial.lower_bound(0, 0, 0.05), binomial.upper_bound(0, 0, 0.05)) == (0.0, 1.0)
    assert binomial.upper_bound(7, 7, 0.05) == 1.0


@pytest.mark.parametrize("tries", [58, 59, 60, 120, 480])
def test_the_fast_answers_are_those_of_the_exact_tails(tries):
    for events in range(20):
        few, fewer = (exactly_at_most(count, tries, Fraction(1, 20)) for count in (events, events - 1))
        assert binomial.surely_at_most(0.05, events, tries, 0.05) == (few <= Fraction(1, 20))
        assert binomial.surely_above(0.05, events, tries, 0.05) == (1 - fewer < Fraction(1, 20))
    assert not binomial.surely_at_most(0.05, 0, 0, 0.05) and not binomial.surely_above(0.05, 0, 0, 0.05)


def test_many_tries_agree_with_the_normal_approximation():
    tries, share = 10_000_000, 0.05
    assert binomial.upper_bound(tries * share, tries, 0.05) - share == pytest.approx(1.6449 * math.sqrt(share * 0.95 / tries), rel=0.01)


@pytest.mark.parametrize("bounds", [binomial, anytime])
@pytest.mark.parametrize(("events", "tries"), [(0, 59), (0, 400), (2.5, 300.5), (30, 1000), (70, 1000), (90, 1000), (400, 400)])
def test_the_fast_answers_agree_with_the_bounds(bounds, events, tries):
    assert bounds.surely_at_most(0.05, events, tries, 0.05) == (bounds.upper_bound(events, tries, 0.05) <= 0.05)
    assert bounds.surely_above(0.05, events, tries, 0.05) == (bounds.lower_bound(events, tries, 0.05) > 0.05)


@pytest.mark.parametrize(("events", "tries", "alpha"), [(-1, 5, 0.05), (6, 5, 0.05), (1, 5, 0.0), (1, 5, 1.0)])
def test_impossible_counts_are_refused(events, tries, alpha):
    with pytest.raises(ValueError, match="expected 0 <= events <= tries"):
        binomial.upper_bound(events, tries, alpha)


@pytest.mark.parametrize(("events", "tries"), [(1, 100), (10, 400), (80, 1000)])
def test_bounds_for_any_look_are_wider_than_for_one_but_narrow_too(events, tries):
    assert anytime.upper_bound(events, tries, 0.05) > binomial.upper_bound(events, tries, 0.05)
    assert anytime.lower_bound(events, tries, 0.05) < binomial.lower_bound(events, tries, 0.05)
    assert anytime.upper_bound(events * 1000, tries * 1000, 0.05) == pytest.approx(events / tries, rel=0.2)


def test_the_evidence_of_any_look_is_a_fair_game():
    """What the mixture wins is one in the mean if the limit is true: summed over all outcomes of ten requests."""
    tries, limit = 10, 0.3
    mean = sum(
        math.comb(tries, k) * limit**k * (1 - limit) ** (tries - k) * math.exp(anytime._evidence_below(limit, k, tries))
        for k in range(tries + 1)
    )
    assert mean == pytest.approx(1.0, rel=1e-9)


def test_the_two_sided_interval_has_half_of_alpha_on_each_side():
    # Clopper and Pearson for 3 of 10.
    assert binomial.interval(3, 10, 0.05) == pytest.approx((0.066740, 0.652453), abs=1e-6)


@pytest.mark.parametrize(("events", "tries", "chance"), [(-1, 5, 0.0), (5, 5, 1.0), (9, 5, 1.0)])
def test_beyond_its_ends_a_tail_is_empty_or_everything(events, tries, chance):
    assert binomial.at_most(events, tries, 0.3) == chance
