# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Intervals of a mean by Student's t."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from .beta import beta_quantile


@dataclass(frozen=True)
class Interval:
    """A mean with its two-sided confidence interval; of one value alone the interval is unbounded."""

    mean: float
    low: float
    high: float


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The interval of the mean of at least one value. Raises ValueError for none."""
    if not values:
        raise ValueError("no values")
    middle = mean(values)
    if len(values) == 1:
        return Interval(middle, -math.inf, math.inf)
    half = student_quantile((1 + confidence) / 2, len(values) - 1) * stdev(values) / math.sqrt(len(values))
    return Interval(middle, middle - half, middle + half)


def student_quantile(chance: float, freedom: float) -> float:
    """The value that Student's t of so many degrees of freedom does not exceed with the chance, 1/2 to 1
    (https://dlmf.nist.gov/8.17 and Abramowitz and Stegun 26.5.27)."""
    x = beta_quantile(2 * (1 - chance), freedom / 2, 0.5)
    return math.sqrt(freedom * (1 - x) / x)
