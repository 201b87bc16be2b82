# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether something rises or falls over a long run, and how fast, with a confidence interval.

The slope is that of least squares. What is measured minute by minute depends on the minute before, which makes a plain interval too narrow;
hence errors and degrees of freedom are those of as many independent points as the residuals' lag-1 correlation leaves (B. D. Santer et al.,
*Statistical significance of trends and trend differences in layer-average atmospheric temperature time series*, Journal of Geophysical
Research 105, 2000), with D. Nychka's addition of 0.68 / sqrt(n) for the correlation being underestimated in short series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..probability.student import student_quantile

MIN_POINTS = 8
RISES, FALLS, LEVEL = "rises", "falls", "no trend seen"


@dataclass(frozen=True)
class Trend:
    """A slope, per hour, with its interval; ``change`` is what it adds from the first to the last point, as a share of the mean, with its
    interval beside it (None where the mean is 0). ``effective_points`` are how many independent points the series is worth."""

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
    """The trend of values measured at points of time; None where there are too few, or all at one time.

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
    worth = _effective(residuals)
    error = math.sqrt(sum(residual**2 for residual in residuals) / (worth - 2) / spread)
    reach = student_quantile((1 + confidence) / 2, worth - 2) * error
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
        worth,
    )


def _effective(residuals: Sequence[float]) -> float:
    """How many independent points they are worth, more than 2 at least."""
    points = len(residuals)
    power = sum(residual**2 for residual in residuals)
    correlation = sum(one * other for one, other in zip(residuals, residuals[1:])) / power if power else 0.0
    assumed = min(max(correlation, 0.0) + 0.68 / math.sqrt(points), 0.99)
    return max(points * (1 - assumed) / (1 + assumed), 2.5)
