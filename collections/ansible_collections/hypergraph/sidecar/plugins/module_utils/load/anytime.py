# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounds that hold at every look of any number of looks, so that a run may be judged again and again, and end when it is decided.

Bounds made for one look are wrong too often if one looks until they please. These come from the likelihood ratio of a mixture, all
probabilities on the near side of the one in question alike: it is a non-negative supermartingale if the one in question, or any beyond it,
is true, so by J. Ville's inequality (*Etude critique de la notion de collectif*, 1939) it ever reaches 1 / alpha with a chance of at most
alpha. H. Robbins, *Statistical methods related to the law of the iterated logarithm*, Annals of Mathematical Statistics 41, 1970.
"""

from __future__ import annotations

import math

from ..probability.beta import incomplete_beta, log_beta

_STEPS = 40


def upper_bound(events: float, tries: float, alpha: float) -> float:
    """The one-sided upper 1 - alpha bound on a probability, at any look."""
    if events >= tries or not tries:
        return 1.0
    low, high = events / tries, 1.0
    for _step in range(_STEPS):
        middle = (low + high) / 2
        if _evidence_below(middle, events, tries) >= -math.log(alpha):
            high = middle
        else:
            low = middle
    return high


def lower_bound(events: float, tries: float, alpha: float) -> float:
    """The one-sided lower 1 - alpha bound on a probability, at any look."""
    return 1.0 - upper_bound(tries - events, tries, alpha) if tries else 0.0


def surely_at_most(limit: float, events: float, tries: float, alpha: float) -> bool:
    """Whether the upper bound is at most the limit; faster than to find the bound."""
    return events <= limit * tries and _evidence_below(limit, events, tries) >= -math.log(alpha)


def surely_above(limit: float, events: float, tries: float, alpha: float) -> bool:
    """Whether the lower bound is above the limit; faster than to find the bound."""
    return tries > 0 and surely_at_most(1 - limit, tries - events, tries, alpha)


def _evidence_below(probability: float, events: float, tries: float) -> float:
    """The logarithm of the likelihood ratio of all smaller probabilities, mixed alike, to this one."""
    share = incomplete_beta(probability, events + 1, tries - events + 1)
    if share <= 0 or not 0 < probability < 1:
        return -math.inf
    mixed = log_beta(events + 1, tries - events + 1) + math.log(share) - math.log(probability)
    return mixed - events * math.log(probability) - (tries - events) * math.log1p(-probability)
