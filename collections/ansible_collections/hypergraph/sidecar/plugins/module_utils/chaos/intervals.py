# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How sure a few trials make one: an interval for a mean, and tests of a share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

# Student's t, 97.5 % quantile by degrees of freedom (NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.2); beyond, the last.
_T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True)
class Interval:
    """A mean with its two-sided 95 % confidence interval by Student's t; of one value alone the interval is unbounded."""

    mean: float
    low: float
    high: float


def mean_interval(values: Sequence[float]) -> Interval:
    """The interval of the mean of at least one value. Raises ValueError for none."""
    if not values:
        raise ValueError("no values")
    middle = mean(values)
    if len(values) == 1:
        return Interval(middle, -math.inf, math.inf)
    half = _T_975[min(len(values) - 1, len(_T_975)) - 1] * stdev(values) / math.sqrt(len(values))
    return Interval(middle, middle - half, middle + half)


def at_most(events: int, of: int, share: float) -> bool:
    """Whether the events show, at 95 % confidence, that the true share is below ``share``: so few would come up too seldom else."""
    return of > 0 and _tail(0, events, of, share) <= 0.05


def more_than(events: int, of: int, share: float) -> bool:
    """Whether the events show, at 95 % confidence, that the true share is above ``share``."""
    return of > 0 and _tail(events, of, of, share) <= 0.05


def _tail(first: int, last: int, of: int, share: float) -> float:
    """Probability of ``first`` to ``last`` events among ``of`` independent ones."""
    return math.fsum(math.comb(of, count) * share**count * (1 - share) ** (of - count) for count in range(first, last + 1))
