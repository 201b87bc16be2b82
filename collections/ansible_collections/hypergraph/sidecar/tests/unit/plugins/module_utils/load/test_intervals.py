# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import math

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.histogram import Histogram
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.intervals import interval, ranks


def coverage(low, high, count, fraction):
    """The chance that the percentile lies from the low-th smallest value up to, and without, the high-th."""
    return sum(math.comb(count, k) * fraction**k * (1 - fraction) ** (count - k) for k in range(low, high))


@pytest.mark.parametrize(("fraction", "count"), [(0.5, 20), (0.5, 101), (0.95, 200), (0.95, 500), (0.99, 800)])
def test_the_ranks_cover_the_percentile_and_no_narrower_ones_do(fraction, count):
    low, high = ranks(fraction, count, 0.95)
    assert coverage(low, high, count, fraction) >= 0.95
    below = sum(math.comb(count, k) * fraction**k * (1 - fraction) ** (count - k) for k in range(low + 1))
    assert below > 0.025, "the next rank up would leave out too much"


@pytest.mark.parametrize(
    ("fraction", "count", "open_sides"), [(0.99, 100, (False, True)), (0.5, 3, (True, True)), (0.95, 71, (False, True))]
)
def test_a_side_without_enough_values_is_open(fraction, count, open_sides):
    assert tuple(rank is None for rank in ranks(fraction, count, 0.95)) == open_sides


def test_values_that_are_worth_less_have_a_wider_interval():
    low, high = ranks(0.95, 10_000, 0.95)
    wide_low, wide_high = ranks(0.95, 10_000, 0.95, worth=0.1)
    assert wide_low < low < 9500 < high < wide_high
    assert (9500 - wide_low) / (9500 - low) == pytest.approx(math.sqrt(10), rel=0.1)


def test_the_interval_is_in_milliseconds():
    histogram = Histogram()
    for latency in range(1, 1001):
        histogram.record(latency * 1000)
    low, high = interval(histogram, 0.95)
    assert low == pytest.approx(935, rel=0.003)
    assert high == pytest.approx(963, rel=0.003)
