# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether requests exceed an objective too often: pass, fail, or how many more are needed to say.

An objective such as "p95 <= 500 ms" says that at most 5 % of requests may take longer. It is met only where the upper bound on that share is
at most 5 %, and broken only where the lower bound is above; between them, nobody can say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import binomial
from .dependence import Batches, Dependence, dependence, uncertainty

PASS, FAIL, UNDECIDED = "pass", "fail", "inconclusive"
# More samples than this are not asked for: the observed rate is too near to the limit to tell them apart.
MAX_SAMPLES = 10_000_000


@dataclass(frozen=True)
class Rule:
    """At most ``limit`` of requests may exceed. A wrong pass has a chance of at most ``pass_alpha``, a wrong fail of ``fail_alpha``.

    Requests within ``correlation_s`` seconds may all share one fate, also where too few exceeded to see it.
    """

    limit: float
    pass_alpha: float
    fail_alpha: float
    correlation_s: float

    @property
    def least_samples(self) -> int:
        """How many independent requests a pass needs where none exceeds (59 for 5 % at 95 %; S. S. Wilks, 1941)."""
        return math.ceil(math.log(self.pass_alpha) / math.log1p(-self.limit))


@dataclass(frozen=True)
class Judgement:
    """What is known of the share of requests that exceed: its bounds, from how many, and worth how many independent ones.

    ``samples_needed`` is how many requests would decide at the observed rate; None where no number does, or none is needed. ``seconds_needed``
    is how long a run must last for a pass where it was too short for one.
    """

    tries: int
    events: int
    effective_tries: float
    design_effect: float
    low: float
    high: float
    verdict: str
    samples_needed: int | None
    seconds_needed: float | None

    @property
    def rate(self) -> float:
        """The observed share."""
        return self.events / self.tries if self.tries else 0.0


def judge(batches: Batches, rule: Rule) -> Judgement:
    """Judge requests that were counted in stretches of time."""
    tries, events = batches.tries, batches.events
    seconds = batches.duration_s
    found = dependence(batches)
    pass_tries = _effective(tries, seconds, found, rule.pass_alpha, rule)
    fail_tries = _effective(tries, seconds, found, rule.fail_alpha, rule)
    rate = events / tries if tries else 0.0
    stretches = seconds / rule.correlation_s
    high = max(
        binomial.upper_bound(rate * pass_tries, pass_tries, rule.pass_alpha),
        binomial.upper_bound(0, stretches, rule.pass_alpha),
    )
    low = binomial.lower_bound(rate * fail_tries, fail_tries, rule.fail_alpha)
    verdict = FAIL if low > rule.limit else PASS if high <= rule.limit else UNDECIDED
    needed = _samples_needed(tries, rate, pass_tries, fail_tries, rule) if verdict == UNDECIDED else None
    lasting = rule.least_samples * rule.correlation_s
    return Judgement(
        tries,
        events,
        pass_tries,
        tries / pass_tries if pass_tries else 1.0,
        low,
        high,
        verdict,
        needed,
        lasting if verdict == UNDECIDED and rate < rule.limit and seconds < lasting else None,
    )


def _effective(tries: int, seconds: float, found: Dependence | None, alpha: float, rule: Rule) -> float:
    """How many independent requests these are worth."""
    if found is None:
        return min(float(tries), seconds / rule.correlation_s)
    return tries / found.design_effect * uncertainty(found, alpha)


def _samples_needed(tries: int, rate: float, pass_tries: float, fail_tries: float, rule: Rule) -> int | None:
    """The smallest number of requests for which the observed rate and dependence would decide; at least one more than there are."""
    if rate < rule.limit:
        worth = pass_tries / tries if tries else 1.0

        def decided(effective: float) -> bool:
            return binomial.upper_bound(rate * effective, effective, rule.pass_alpha) <= rule.limit
    elif rate > rule.limit:
        worth = fail_tries / tries

        def decided(effective: float) -> bool:
            return binomial.lower_bound(rate * effective, effective, rule.fail_alpha) > rule.limit
    else:
        return None
    low, high = 0, 1
    while not decided(high * worth):
        low, high = high, high * 2
        if high > MAX_SAMPLES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if decided(middle * worth):
            high = middle
        else:
            low = middle
    return high
