# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import math
import random

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.trend import FALLS, LEVEL, RISES, trend


def series(seed, points=60, slope=0.0, correlation=0.0, noise=5.0, mean=100.0):
    chance, level, values = random.Random(seed), 0.0, []
    for at in range(points):
        level = correlation * level + math.sqrt(1 - correlation**2) * chance.gauss(0, 1)
        values.append(mean + slope * at + noise * level)
    return [60.0 * at for at in range(points)], values


def test_a_line_has_its_own_slope():
    found = trend(*series(1, slope=2.0, noise=0.0))
    assert found.slope_per_hour == pytest.approx(120.0)
    assert found.low_per_hour == pytest.approx(120.0) == found.high_per_hour
    assert found.change == pytest.approx(118 / 159)
    assert found.direction == RISES


@pytest.mark.parametrize(("slope", "direction"), [(0.5, RISES), (-0.5, FALLS), (0.0, LEVEL)])
def test_a_trend_is_told_from_noise(slope, direction):
    assert trend(*series(2, slope=slope)).direction == direction


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.7])
def test_what_drifts_by_itself_is_seldom_taken_for_a_trend(correlation):
    told = sum(trend(*series(seed, correlation=correlation)).direction != LEVEL for seed in range(300))
    # 5 % of 300 are 15; 24 or more have a chance of 2 %.
    assert told < 24


def test_a_drifting_series_is_worth_fewer_points():
    assert trend(*series(4, correlation=0.8)).effective_points < trend(*series(4)).effective_points < 60


def test_without_points_or_time_there_is_no_trend():
    assert trend([1.0] * 7, [1.0] * 7) is None
    assert trend([1.0] * 20, [1.0] * 20) is None
    assert trend([float(at) for at in range(20)], [0.0] * 20).change is None


@pytest.mark.parametrize(("seconds", "values"), [([1.0], []), ([1.0, 2.0], [1.0, math.nan]), ([math.inf], [1.0])])
def test_what_is_no_series_is_refused(seconds, values):
    with pytest.raises(ValueError, match="expected as many"):
        trend(seconds, values)
