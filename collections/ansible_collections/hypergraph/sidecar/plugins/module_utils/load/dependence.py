# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many independent requests the measured ones are worth.

Requests that are near in time share a queue, a collection of garbage, a cold cache: a thousand of them do not tell as much as a thousand
independent ones. The design effect says how many times larger the variance of the observed rate is than independence would have it (L. Kish,
*Survey Sampling*, 1965, section 8.2). It is estimated by batch means (C. Alexopoulos, A. F. Seila, in *Handbook of Simulation*, 1998, chapter 7):
how much the rates of stretches of time differ from each other. Of several lengths of the stretches, the one that shows most dependence counts.

The estimate is itself uncertain, the more so the fewer stretches it rests on. E. L. Korn and B. I. Graubard (1998, see binomial.py) take that
into account by the ratio of Student's to the normal quantile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from .binomial import student_quantile

# With fewer stretches than this, their variance says nothing.
MIN_BATCHES = 12


@dataclass(frozen=True)
class Batches:
    """Requests that ended, and how many of them exceeded, in consecutive stretches of time, each ``width_s`` seconds long."""

    width_s: float
    count: tuple[int, ...]
    exceeding: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.count) != len(self.exceeding):
            raise ValueError(f"{len(self.count)} counts and {len(self.exceeding)} exceeding: expected as many of each")

    @property
    def tries(self) -> int:
        """All requests."""
        return sum(self.count)

    @property
    def events(self) -> int:
        """All that exceeded."""
        return sum(self.exceeding)

    @property
    def duration_s(self) -> float:
        """Seconds in which requests ended."""
        return self.width_s * sum(1 for count in self.count if count)

    def widened(self, factor: int) -> Batches:
        """So many neighbours joined to one; what is left over at the end joins the last."""
        whole = max(len(self.count) // factor, 1)
        return Batches(self.width_s * factor, _joined(self.count, factor, whole), _joined(self.exceeding, factor, whole))

    def segment(self, begin: int, end: int) -> Batches:
        """Those from a position up to, and without, another."""
        return Batches(self.width_s, self.count[begin:end], self.exceeding[begin:end])


@dataclass(frozen=True)
class Dependence:
    """``design_effect`` is at least 1; ``batches`` is how many stretches of ``width_s`` seconds it was estimated from, 0 where it was not."""

    design_effect: float
    batches: int
    width_s: float


def dependence(batches: Batches) -> Dependence | None:
    """The largest design effect that stretches of any length show; None where nothing can be seen: too few stretches, or all alike
    because none or all exceeded."""
    rate = batches.events / batches.tries if batches.tries else 0.0
    if not 0 < rate < 1:
        return None
    found: Dependence | None = None
    factor = 1
    while len(batches.count) // factor >= MIN_BATCHES:
        wide = batches.widened(factor)
        effect = _design_effect(wide, rate)
        if effect is not None and (found is None or effect > found.design_effect):
            found = Dependence(effect, sum(1 for count in wide.count if count), wide.width_s)
        factor *= 2
    return found


def uncertainty(found: Dependence, alpha: float) -> float:
    """What the effective sample is multiplied with, at most 1, since the design effect is only an estimate."""
    return float((NormalDist().inv_cdf(1 - alpha) / student_quantile(1 - alpha, found.batches - 1)) ** 2)


def _design_effect(batches: Batches, rate: float) -> float | None:
    """Of stretches of one length, by the ratio estimator (W. G. Cochran, *Sampling Techniques*, third edition, section 6.4): they do not
    have the same number of requests. None where too few of them have any."""
    filled = sum(1 for count in batches.count if count)
    if filled < MIN_BATCHES:
        return None
    spread = sum((events - rate * tries) ** 2 for tries, events in zip(batches.count, batches.exceeding))
    return max(1.0, filled / (filled - 1) * spread / (batches.tries * rate * (1 - rate)))


def _joined(values: Sequence[int], factor: int, whole: int) -> tuple[int, ...]:
    joined = [sum(values[place * factor : (place + 1) * factor]) for place in range(whole)]
    joined[-1] += sum(values[whole * factor :])
    return tuple(joined)
