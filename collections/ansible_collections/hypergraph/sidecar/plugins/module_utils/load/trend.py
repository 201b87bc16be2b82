# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether something rises or falls over a long run, and how fast, with a confidence interval.

The slope is that of least squares. What is measured minute by minute depends on the minute before, which makes a plain interval too narrow.
Hence neighbours are taken to be correlated as in an AR(1) process with correlation matrix R: the slope's variance is then t' R t along
times t of unit length, and the residuals are expected to leave tr(M R) of the scatter, M being what takes a line out of a series.

The correlation is the one whose residuals M R M are expected to have the lag-1 correlation seen. It is above that: a fitted line follows
what drifts, so that residuals look less correlated than they are. D. Nychka's 0.68 / sqrt(n) is added for the estimate being one from few
points (B. D. Santer et al., *Statistical significance of trends and trend differences in layer-average atmospheric temperature time
series*, Journal of Geophysical Research 105, 2000). tests/statistics/trends.py says how often it is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..probability.student import student_quantile

MIN_POINTS = 8
_NYCHKA = 0.68
_MOST_CORRELATED, _HALVINGS = 0.97, 12
RISES, FALLS, LEVEL = "rises", "falls", "no trend seen"


@dataclass(frozen=True)
class Trend:
    """A slope, per hour, with its interval; ``change`` is what it adds from the first to the last point, as a share of the mean, with its
    interval beside it (None where the mean is 0). ``effective_points`` are how many independent points would tell as much of it."""

    slope_per_hour: float
    low_per_hour: float
    high_per_hour: float
    change: float | None
    change_low: float | None
    change_high: float | None
    points: int
    effective_points: float

    @property
    def direction(self) -> str:
        """Whether it rises or falls, as far as that can be told from chance."""
        return RISES if self.low_per_hour > 0 else FALLS if self.high_per_hour < 0 else LEVEL


def trend(seconds: Sequence[float], values: Sequence[float], confidence: float = 0.95) -> Trend | None:
    """The trend of values measured at points of time; None where there are too few, or all at one time. Takes time by points squared.

    Raises ValueError where there are not as many values as times, or one is not finite.
    """
    points = len(values)
    if len(seconds) != points or not all(map(math.isfinite, [*seconds, *values])):
        raise ValueError(f"{len(seconds)} times and {points} values: expected as many of each, all of them finite")
    if points < MIN_POINTS or max(seconds) == min(seconds):
        return None
    middle, mean = sum(seconds) / points, sum(values) / points
    spread = sum((time - middle) ** 2 for time in seconds)
    slope = sum((time - middle) * (value - mean) for time, value in zip(seconds, values)) / spread
    residuals = [value - mean - slope * (time - middle) for time, value in zip(seconds, values)]
    power = sum(residual**2 for residual in residuals)
    seen = sum(one * other for one, other in zip(residuals, residuals[1:])) / power if power else 0.0
    fit = _fit_under([(time - middle) / math.sqrt(spread) for time in seconds], seen + _NYCHKA / math.sqrt(points))
    reach = student_quantile((1 + confidence) / 2, points - 2) * math.sqrt(power / fit.left * fit.slope_variance / spread)
    span = max(seconds) - min(seconds)

    def over_all(per_second: float) -> float | None:
        return per_second * span / abs(mean) if mean else None

    return Trend(
        slope * 3600,
        (slope - reach) * 3600,
        (slope + reach) * 3600,
        over_all(slope),
        over_all(slope - reach),
        over_all(slope + reach),
        points,
        points * fit.left / ((points - 2) * fit.slope_variance),
    )


@dataclass(frozen=True)
class _Fit:
    """What a line fitted to points of unit variance and an AR(1) correlation is expected to leave: the sum of squared residuals, their
    lag-1 correlation; and the variance of the slope along unit times."""

    left: float
    lag: float
    slope_variance: float


def _fit_under(times: Sequence[float], lag: float) -> _Fit:
    """The fit under the correlation that is expected to show this lag-1 correlation of residuals; ``times`` have mean 0 and length 1."""
    low, high = 0.0, _MOST_CORRELATED
    least, most = _fit(times, low), _fit(times, high)
    if lag <= least.lag:
        return least
    if lag >= most.lag:
        return most
    found = least
    for _halving in range(_HALVINGS):
        middle = (low + high) / 2
        found = _fit(times, middle)
        low, high = (middle, high) if found.lag < lag else (low, middle)
    return found


def _fit(times: Sequence[float], correlation: float) -> _Fit:
    count = len(times)
    powers = [correlation**lag for lag in range(count)]
    level = [1 / math.sqrt(count)] * count
    # The residuals' covariance is M R M, with R the correlation and M = I - level level' - times times'.
    by_level, by_times = (
        [sum(powers[abs(row - column)] * basis[column] for column in range(count)) for row in range(count)] for basis in (level, times)
    )
    of_level, of_both, of_times = _dot(level, by_level), _dot(level, by_times), _dot(times, by_times)

    def covariance(row: int, column: int) -> float:
        one = level[row] * by_level[column] + times[row] * by_times[column]
        other = level[column] * by_level[row] + times[column] * by_times[row]
        both = level[row] * times[column] + times[row] * level[column]
        twice = level[row] * level[column] * of_level + times[row] * times[column] * of_times + both * of_both
        return powers[abs(row - column)] - one - other + twice

    left = sum(covariance(place, place) for place in range(count))
    return _Fit(left, sum(covariance(place, place + 1) for place in range(count - 1)) / left, of_times)


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(first * second for first, second in zip(one, other))
