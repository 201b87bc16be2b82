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

from .beta import beta_quantile, incomplete_beta


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


def _possible(events: float, tries: float, alpha: float) -> None:
    if not 0 <= events <= tries or not 0 < alpha < 1:
        raise ValueError(f"{events} events in {tries} tries at alpha {alpha}: expected 0 <= events <= tries and 0 < alpha < 1")
