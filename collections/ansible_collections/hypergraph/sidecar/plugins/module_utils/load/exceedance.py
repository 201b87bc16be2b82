# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether requests exceed an objective too often: pass, fail, or how many more are needed to say.

An objective such as "p95 <= 500 ms" says that at most 5 % of requests may take longer. It is met only where the upper bound on that share
is at most 5 %, and broken only where the lower bound is above; between them, nobody can say.

Exceedances come in bursts, and the next burst may be missing from a measurement by luck alone. Hence a pass must also stand if the worst
stretch seen had come once more, and a fail if it had not come at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ..probability import binomial
from . import anytime
from .dependence import Batches, design_effect, looks, uncertainty

PASS, FAIL, UNDECIDED = "pass", "fail", "inconclusive"
# More samples than this are not asked for: the observed rate is too near to the limit to tell them apart.
MAX_SAMPLES = 100_000_000
# What a module's arguments may be that a rule is made of.
STATISTICS = {"quantile": (0.5, 0.9999), "confidence": (0.5, 0.9999), "correlation_seconds": (0.001, 3600.0)}


@dataclass(frozen=True)
class Rule:
    """At most ``limit`` of requests may exceed. A wrong pass has a chance of at most ``pass_alpha``, a wrong fail of ``fail_alpha``.

    Requests within ``correlation_s`` seconds may all share one fate, also where too few exceeded to see it. Where ``anytime``, these
    chances hold however often the run is judged while it goes on, until it is decided; that takes more samples than judging once.
    """

    limit: float
    pass_alpha: float
    fail_alpha: float
    correlation_s: float
    anytime: bool = False

    @classmethod
    def told(cls, params: Mapping[str, Any], *, anytime: bool = False) -> Rule:
        """As arguments within ``STATISTICS`` say: wrong passes and wrong fails have the same chance, one minus the confidence."""
        alpha = 1 - params["confidence"]
        return cls(round(1 - params["quantile"], 9), alpha, alpha, params["correlation_seconds"], anytime)

    @property
    def least_samples(self) -> int:
        """How many independent requests a pass needs where none exceeds (59 for 5 % at 95 %; S. S. Wilks, 1941)."""
        samples = math.ceil(math.log(self.pass_alpha) / math.log1p(-self.limit))
        while not self.kept(0, samples):
            samples += 1
        return samples

    @property
    def least_seconds(self) -> float:
        """How long a run must be for a pass: so many stretches of time that do not depend on each other."""
        return self.least_samples * self.correlation_s

    def high(self, events: float, tries: float) -> float:
        """The upper bound on the share."""
        return float(self._bounds.upper_bound(events, tries, self.pass_alpha))

    def low(self, events: float, tries: float) -> float:
        """The lower bound on the share."""
        return float(self._bounds.lower_bound(events, tries, self.fail_alpha))

    def kept(self, events: float, tries: float) -> bool:
        """Whether the upper bound is within the limit."""
        return bool(self._bounds.surely_at_most(self.limit, events, tries, self.pass_alpha))

    def broken(self, events: float, tries: float) -> bool:
        """Whether the lower bound is above the limit."""
        return bool(self._bounds.surely_above(self.limit, events, tries, self.fail_alpha))

    @property
    def _bounds(self) -> ModuleType:
        return anytime if self.anytime else binomial


@dataclass(frozen=True)
class Judgement:
    """What is known of the share of requests that exceed: its bounds, from how many, and worth how many independent ones.

    ``samples_needed`` is how many requests would decide at the observed rate; None where no number does, or none is needed.
    ``seconds_needed`` is how long a run must be for a pass, where it was too short for one.
    """

    tries: int
    events: int
    effective_tries: float
    low: float
    high: float
    verdict: str
    samples_needed: int | None = None
    seconds_needed: float | None = None

    @property
    def rate(self) -> float:
        """The observed share."""
        return self.events / self.tries if self.tries else 0.0


@dataclass(frozen=True)
class _Look:
    """How much requests are worth when seen in stretches of one length: each of them ``worth`` independent ones (by the chance of a wrong
    pass and of a wrong fail), and what the worst stretch had."""

    pass_worth: float
    fail_worth: float
    worst_tries: int = 0
    worst_events: int = 0

    def once_more(self, events: float, tries: float) -> tuple[float, float]:
        """What they are worth had the worst stretch come once more, for the upper bound."""
        return (events + self.worst_events) * self.pass_worth, (tries + self.worst_tries) * self.pass_worth

    def without(self, events: float, tries: float) -> tuple[float, float]:
        """What they are worth had the worst stretch not come, for the lower bound."""
        left = max(tries - self.worst_tries, 0.0)
        return min(max(events - self.worst_events, 0.0), left) * self.fail_worth, left * self.fail_worth


def judge(batches: Batches, rule: Rule) -> Judgement:
    """Judge requests that were counted in stretches of time."""
    tries, events, seconds = batches.tries, batches.events, batches.duration_s
    if not tries:
        return Judgement(0, 0, 0.0, 0.0, 1.0, UNDECIDED, rule.least_samples, rule.least_seconds)
    seen = _looks(batches, rule)
    # Where nothing exceeds, nothing shows how long requests depend on each other: that is the rule's to say.
    unseen = rule.high(0, seconds / rule.correlation_s)
    high = max(unseen, *(rule.high(*look.once_more(events, tries)) for look in seen))
    low = min(rule.low(*look.without(events, tries)) for look in seen)
    effective = tries * min(look.pass_worth for look in seen)
    if low > rule.limit or high <= rule.limit:
        return Judgement(tries, events, effective, low, high, FAIL if low > rule.limit else PASS)
    short = batches.rate < rule.limit < unseen
    return Judgement(
        tries,
        events,
        effective,
        low,
        high,
        UNDECIDED,
        _samples_needed(batches.rate, seen, rule),
        rule.least_seconds if short else None,
    )


def _looks(batches: Batches, rule: Rule) -> list[_Look]:
    if 0 < batches.events < batches.tries:
        found = [_look(wide, rule) for wide in looks(batches)]
        if found:
            return found
    worth = min(1.0, batches.duration_s / rule.correlation_s / batches.tries)
    return [_Look(worth, worth)]


def _look(batches: Batches, rule: Rule) -> _Look:
    tries, events = batches.worst
    again = Batches(batches.width_s, (*batches.count, tries), (*batches.exceeding, events))
    place = list(zip(batches.count, batches.exceeding)).index((tries, events))
    without = Batches(
        batches.width_s,
        (*batches.count[:place], *batches.count[place + 1 :]),
        (*batches.exceeding[:place], *batches.exceeding[place + 1 :]),
    )
    return _Look(
        uncertainty(batches.filled, rule.pass_alpha) / design_effect(again),
        uncertainty(batches.filled, rule.fail_alpha) / design_effect(without),
        tries,
        events,
    )


def _samples_needed(rate: float, seen: list[_Look], rule: Rule) -> int | None:
    """The smallest number of requests that would decide, were they as the observed ones are; None where more than MAX_SAMPLES."""

    def decided(tries: int) -> bool:
        if rate < rule.limit:
            return all(rule.kept(*look.once_more(rate * tries, tries)) for look in seen)
        return all(rule.broken(*look.without(rate * tries, tries)) for look in seen)

    low, high = 0, 1
    while not decided(high):
        low, high = high, high * 2
        if rate == rule.limit or high > MAX_SAMPLES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high
