# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random
from dataclasses import replace

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.dependence import (
    MIN_BATCHES,
    Batches,
    design_effect,
    looks,
    uncertainty,
)
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.exceedance import Rule, judge

RULE = Rule(0.05, 0.05, 0.05, 1.0)


def even(seconds, per_second, share, seed=5):
    """Each second as many, each request for itself."""
    chance = random.Random(seed)
    exceeding = tuple(sum(chance.random() < share for _request in range(per_second)) for _second in range(seconds))
    return Batches(1.0, (per_second,) * seconds, exceeding)


def in_blocks(blocks, block_s, per_second, bad):
    """Whole blocks of seconds are bad, or none of their requests is."""
    exceeding = tuple(per_second if block in bad else 0 for block in range(blocks) for _second in range(block_s))
    return Batches(1.0, (per_second,) * (blocks * block_s), exceeding)


def test_independent_requests_have_a_design_effect_near_one():
    assert 1.0 <= design_effect(even(400, 50, 0.05)) < 1.3


def test_requests_that_share_the_fate_of_their_block_count_once():
    batches = in_blocks(40, 4, 25, bad={3, 17, 30})
    effects = [design_effect(wide) for wide in looks(batches)]
    assert effects[0] == pytest.approx(25, rel=0.05), "a second's 25 requests count as one"
    assert effects[2] == pytest.approx(100, rel=0.05), "four seconds' 100 requests count as one"


def test_looks_end_where_too_few_stretches_are_left():
    assert [len(wide.count) for wide in looks(even(100, 1, 0.5))] == [100, 50, 25, 12]
    assert list(looks(even(MIN_BATCHES - 1, 1, 0.5))) == []


def test_joining_neighbours_keeps_every_request():
    batches = Batches(1.0, (1, 2, 3, 4, 5), (0, 1, 0, 1, 0))
    assert batches.widened(2) == Batches(2.0, (3, 12), (1, 1))


def test_an_estimate_from_few_stretches_is_trusted_less():
    assert uncertainty(12, 0.05) < uncertainty(100, 0.05) < 1.0
    assert uncertainty(12, 0.05) == pytest.approx((1.6449 / 1.7959) ** 2, rel=1e-3)


@pytest.mark.parametrize(
    ("share", "seconds", "per_second", "verdict"),
    [
        (0.0, 60, 20, "pass"),
        (0.02, 120, 20, "pass"),
        (0.06, 300, 100, "fail"),
        (0.08, 120, 40, "fail"),
        (0.15, 60, 20, "fail"),
        (1.0, 60, 20, "fail"),
        (1.0, 5, 20, "fail"),
        (0.045, 60, 20, "inconclusive"),
        (0.0, 58, 1000, "inconclusive"),
    ],
)
def test_services_are_told_apart(share, seconds, per_second, verdict):
    assert judge(even(seconds, per_second, share), RULE).verdict == verdict


def test_a_tail_as_much_too_heavy_is_not_passed_with_few_samples():
    """A point estimate passes a service with 8 % too slow every other time when it looks at 20 requests."""
    verdicts = {judge(even(20, 1, 0.08, seed), RULE).verdict for seed in range(200)}
    assert "pass" not in verdicts


def test_no_request_is_no_pass_and_tells_how_many_are_needed():
    found = judge(Batches(1.0, (), ()), RULE)
    assert (found.verdict, found.samples_needed, found.low, found.high) == ("inconclusive", 59, 0.0, 1.0)


def test_bursts_count_as_what_they_are():
    """Three blocks of sixty are not enough to say that 5 % or less exceed, though 6,000 requests are."""
    found = judge(in_blocks(60, 4, 25, bad={5}), RULE)
    assert found.rate < 0.02
    assert found.verdict == "inconclusive"
    assert found.effective_tries < 100
    assert judge(even(240, 25, found.rate), RULE).verdict == "pass"


def test_a_pass_needs_time_as_well_as_samples():
    found = judge(even(30, 1000, 0.0), RULE)
    assert (found.verdict, found.seconds_needed) == ("inconclusive", 59.0)
    assert judge(even(59, 1000, 0.0), RULE).verdict == "pass"


@pytest.mark.parametrize(("share", "verdict"), [(0.035, "pass"), (0.066, "fail")])
def test_as_many_more_as_needed_do_decide(share, verdict):
    seconds = 60
    exact = Batches(1.0, (5,) * seconds, tuple(int(5 * share * (at + 1)) - int(5 * share * at) for at in range(seconds)))
    found = judge(exact, RULE)
    assert found.verdict == "inconclusive"
    times = -(-found.samples_needed // found.tries)
    longer = Batches(1.0, exact.count * times, exact.exceeding * times)
    assert judge(longer, RULE).verdict == verdict
    assert found.samples_needed > found.tries


def test_a_share_of_exactly_the_limit_is_never_decided():
    found = judge(Batches(1.0, (20,) * 100, (1,) * 100), RULE)
    assert (found.verdict, found.samples_needed) == ("inconclusive", None)


def test_more_exceedances_never_make_it_better():
    chance = random.Random(11)
    order = {"fail": 0, "inconclusive": 1, "pass": 2}
    for _case in range(150):
        batches = even(chance.randrange(30, 150), chance.randrange(5, 40), chance.choice([0.0, 0.01, 0.03, 0.06]), chance.random())
        worse = Batches(1.0, batches.count, tuple(min(count, one + 1) for count, one in zip(batches.count, batches.exceeding)))
        assert order[judge(worse, RULE).verdict] <= order[judge(batches, RULE).verdict]


def test_looking_any_number_of_times_takes_more():
    batches = even(75, 20, 0.02)
    once, anytime = judge(batches, RULE), judge(batches, replace(RULE, anytime=True))
    assert once.high < anytime.high
    assert once.low > anytime.low
    assert replace(RULE, anytime=True).least_samples > RULE.least_samples


def test_a_burst_seen_once_might_have_come_twice():
    """By its share and its dependence alone this run would pass; with the burst once more it would not."""
    exceeding = [int(at % 5 == 0) for at in range(80)]
    exceeding[31] = 12
    batches = Batches(1.0, (20,) * 80, tuple(exceeding))
    found = judge(batches, RULE)
    assert batches.rate < 0.018
    assert found.verdict == "inconclusive"
    spread_out = Batches(1.0, (20,) * 80, tuple(int(at % 3 == 0) for at in range(80)))
    assert spread_out.events == batches.events - 1
    assert judge(spread_out, RULE).verdict == "pass"
