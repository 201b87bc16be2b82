# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Confidence from a few trials, against exact sums and published values."""

from __future__ import annotations

from fractions import Fraction
from math import comb, inf

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.intervals import at_most, mean_interval, more_than


def test_mean_interval_is_students():
    interval = mean_interval([1.0, 2.0, 3.0])
    # t(0.975, 2) = 4.303; s = 1; 4.303 / sqrt(3) = 2.4843.
    assert interval.mean == 2.0
    assert interval.high == pytest.approx(4.4843, abs=1e-3)
    assert interval.low == pytest.approx(-0.4843, abs=1e-3)
    many = mean_interval([0.0, 1.0] * 50)
    assert many.high > 0.5 + 1.96 * 0.5 / 10


def test_one_value_bounds_nothing_and_none_is_refused():
    assert (mean_interval([3.0]).low, mean_interval([3.0]).high) == (-inf, inf)
    with pytest.raises(ValueError, match="no values"):
        mean_interval([])


@pytest.mark.parametrize("of", [58, 59, 60, 120, 480])
def test_tails_are_exact(of):
    share = Fraction(1, 20)
    probabilities = [comb(of, count) * share**count * (1 - share) ** (of - count) for count in range(of + 1)]
    for events in range(20):
        assert at_most(events, of, 0.05) == (sum(probabilities[: events + 1]) <= share)
        assert more_than(events, of, 0.05) == (sum(probabilities[events:]) <= share)


def test_few_samples_say_nothing():
    # 0.95 ** 58 > 0.05 >= 0.95 ** 59: the first number of samples without an event that is enough.
    assert not at_most(0, 58, 0.05) and at_most(0, 59, 0.05)
    assert not at_most(0, 0, 0.05) and not more_than(0, 0, 0.05)
