# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Intervals of a mean, against published values."""

from __future__ import annotations

from math import inf

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.probability.student import mean_interval, student_quantile


# From the tables of Student's distribution.
@pytest.mark.parametrize(("chance", "freedom", "value"), [(0.95, 1, 6.3138), (0.975, 10, 2.2281), (0.95, 30, 1.6973), (0.995, 11, 3.1058)])
def test_quantiles_are_those_of_the_tables(chance, freedom, value):
    assert student_quantile(chance, freedom) == pytest.approx(value, abs=1e-4)


def test_mean_interval_is_students():
    interval = mean_interval([1.0, 2.0, 3.0])
    # t(0.975, 2) = 4.3027; s = 1; 4.3027 / sqrt(3) = 2.4841.
    assert interval.mean == 2.0
    assert interval.high == pytest.approx(4.4841, abs=1e-4)
    assert interval.low == pytest.approx(-0.4841, abs=1e-4)
    # t(0.975, 99) = 1.9842; s of so many zeros as ones is 0.50252.
    assert mean_interval([0.0, 1.0] * 50).high == pytest.approx(0.5 + 1.9842 * 0.50252 / 10, abs=1e-4)
    assert mean_interval([1.0, 2.0, 3.0], 0.9).high == pytest.approx(2 + 2.9200 / 3**0.5, abs=1e-4)


def test_one_value_bounds_nothing_and_none_is_refused():
    assert (mean_interval([3.0]).low, mean_interval([3.0]).high) == (-inf, inf)
    with pytest.raises(ValueError, match="no values"):
        mean_interval([])
