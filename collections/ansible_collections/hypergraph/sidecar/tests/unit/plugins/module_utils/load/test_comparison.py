# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import math
import random

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.comparison import Sample, compare, worth
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.dependence import Batches
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.histogram import Histogram


def sample(seed, factor=1.0, count=4000, failed=0, correlation=0.0):
    chance, histogram, levels = random.Random(seed), Histogram(), []
    level = 0.0
    for _second in range(count // 40):
        level = correlation * level + math.sqrt(1 - correlation**2) * chance.gauss(0, 1)
        values = [factor * math.exp(4.5 + 0.5 * chance.gauss(0, 1) + (0.5 * level if correlation else 0)) for _request in range(40)]
        for value in values:
            histogram.record(round(value * 1000))
        levels.append(sorted(values)[37])
    return Sample(histogram, failed, Batches(1.0, (40,) * len(levels), (0,) * len(levels)), tuple(levels))


def test_a_rise_is_told_with_its_interval():
    change = compare(sample(1), sample(2, factor=1.31), 0.95, 0.95)
    assert change.low < 0.31 < change.high
    assert change.high - change.low < 0.2
    assert change.told("p95").startswith("p95 rose by")
    assert "±" in change.told("p95")


def test_the_interval_covers_the_truth_as_often_as_it_says():
    covered = 0
    for seed in range(120):
        change = compare(sample(seed, count=1200), sample(1000 + seed, factor=1.2, count=1200), 0.95, 0.95)
        covered += change.low <= 0.2 <= change.high
    # Of 120 with a chance of 95 % or more, fewer than 108 have a chance below 2 %.
    assert covered >= 108


def test_runs_that_depend_on_their_neighbours_have_wider_intervals():
    loose = worth(sample(3), 0.95)
    tight = worth(sample(3, correlation=0.95), 0.95)
    assert tight < 0.4 * loose


def test_failures_count_as_slower_than_anything():
    before = sample(4)
    some = compare(before, sample(5, failed=120), 0.95, 0.95)
    assert some.change > 0.1
    most = compare(before, sample(5, failed=400), 0.95, 0.95)
    assert math.isinf(most.after_ms)
    assert most.told("p95") == f"p95 is now of requests that fail, from {before.value_ms(3800):g} ms"


def test_a_fall_is_told_as_such():
    assert compare(sample(1), sample(2, factor=0.5), 0.95, 0.95).told("p95").startswith("p95 fell by 5")


def test_too_few_samples_leave_the_interval_open():
    change = compare(sample(1, count=40), sample(2, count=40), 0.95, 0.95)
    assert change.high is None
    assert "too few samples" in change.told("p95")


@pytest.mark.parametrize("before", [Sample(Histogram(), 0, Batches(1.0, (), ())), Sample(Histogram(), 9, Batches(1.0, (9,), (9,)))])
def test_without_a_percentile_before_there_is_nothing_to_compare(before):
    assert compare(before, sample(2), 0.95, 0.95) is None
