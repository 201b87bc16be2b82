# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact bounds on the probability of an event that was seen k times in n tries.

C. J. Clopper, E. S. Pearson, *The use of confidence or fiducial limits illustrated in the case of the binomial*, Biometrika 26, 1934: the
upper bound is the probability under which k or fewer would be seen with a chance of only alpha. As a quantile of the beta distribution it
also exists for the fractional k and n of an effective sample (E. L. Korn, B. I. Graubard, *Confidence intervals for proportions with small
expected number of positive counts estimated from survey data*, Survey Methodology 24, 1998).
"""

from __future__ import annotations

import math

_TINY = 1e-300
_PRECISION = 1e-12
_MAX_STEPS = 100_000


def upper_bound(events: float, tries: float, alpha: float) -> float:
    """The one-sided upper 1 - alpha bound on the probability; 1 where there was no try. Raises ValueError for impossible counts."""
    _possible(events, tries, alpha)
    return 1.0 if events >= tries else beta_quantile(1 - alpha, events + 1, tries - events)


def lower_bound(events: float, tries: float, alpha: float) -> float:
    """The one-sided lower 1 - alpha bound on the probability; 0 where there was no event. Raises ValueError for impossible counts."""
    _possible(events, tries, alpha)
    return 0.0 if events <= 0 else beta_quantile(alpha, events, tries - events + 1)


def surely_at_most(limit: float, events: float, tries: float, alpha: float) -> bool:
    """Whether the upper bound is at most the limit; faster than to find the bound."""
    return events < tries and incomplete_beta(limit, events + 1, tries - events) >= 1 - alpha


def surely_above(limit: float, events: float, tries: float, alpha: float) -> bool:
    """Whether the lower bound is above the limit; faster than to find the bound."""
    return events > 0 and incomplete_beta(limit, events, tries - events + 1) < alpha


def interval(events: float, tries: float, alpha: float) -> tuple[float, float]:
    """The two-sided 1 - alpha interval: each side has half of alpha."""
    return lower_bound(events, tries, alpha / 2), upper_bound(events, tries, alpha / 2)


def at_most(events: int, tries: int, probability: float) -> float:
    """The chance of so many events or fewer in so many tries."""
    if events < 0:
        return 0.0
    return 1.0 if events >= tries else incomplete_beta(1 - probability, tries - events, events + 1)


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (https://dlmf.nist.gov/8.17.E22)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    # The fraction converges fast on this side of the mean only; the other side is its mirror image.
    if x > (a + 1) / (a + b + 2):
        return 1.0 - incomplete_beta(1 - x, b, a)
    return math.exp(a * math.log(x) + b * math.log1p(-x) - log_beta(a, b)) / a / _fraction(x, a, b)


def log_beta(a: float, b: float) -> float:
    """The logarithm of the beta function."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def beta_quantile(chance: float, a: float, b: float) -> float:
    """The x at which I_x(a, b) is the chance: Newton's method, held within a bracket that bisection narrows where Newton leaves it."""
    low, high = 0.0, 1.0
    x = a / (a + b)
    scale = log_beta(a, b)
    for _step in range(200):
        miss = incomplete_beta(x, a, b) - chance
        if miss < 0:
            low = x
        else:
            high = x
        slope = math.exp(min((a - 1) * math.log(x) + (b - 1) * math.log1p(-x) - scale, 700.0))
        step = miss / slope if slope > _TINY else math.inf
        better = x - step
        if not low < better < high:
            better = (low + high) / 2
        if abs(better - x) <= _PRECISION * x:
            return better
        x = better
    return x


def student_quantile(chance: float, freedom: float) -> float:
    """The value that Student's t of so many degrees of freedom does not exceed with the chance, 1/2 to 1
    (https://dlmf.nist.gov/8.17 and Abramowitz and Stegun 26.5.27)."""
    x = beta_quantile(2 * (1 - chance), freedom / 2, 0.5)
    return math.sqrt(freedom * (1 - x) / x)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction by the modified method of Lentz (Numerical Recipes, section 5.2)."""
    c, d = 1.0, 1.0 / _kept(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _MAX_STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _kept(1 + term * d)
            c = _kept(1 + term / c)
            found *= c * d
        if abs(c * d - 1) < _PRECISION / 10:
            break
    return 1.0 / found


def _kept(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _possible(events: float, tries: float, alpha: float) -> None:
    if not 0 <= events <= tries or not 0 < alpha < 1:
        raise ValueError(f"{events} events in {tries} tries at alpha {alpha}: expected 0 <= events <= tries and 0 < alpha < 1")
