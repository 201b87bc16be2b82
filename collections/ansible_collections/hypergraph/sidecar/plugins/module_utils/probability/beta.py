# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The beta distribution, which the exact bounds of a share and Student's t are quantiles of."""

from __future__ import annotations

import math

_TINY = 1e-300
_PRECISION = 1e-12
_MAX_STEPS = 100_000


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
