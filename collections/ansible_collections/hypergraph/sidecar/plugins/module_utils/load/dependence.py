# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many independent requests the measured ones are worth.

Requests that are near in time share a queue, a collection of garbage, a cold cache: a thousand of them do not tell as much as a thousand
independent ones. The design effect says how many times larger the variance of the observed rate is than independence would have it
(L. Kish, *Survey Sampling*, 1965, section 8.2). It is estimated by batch means, which is how much the rates of stretches of time differ
from each other (C. Alexopoulos, A. F. Seila, in *Handbook of Simulation*, 1998, chapter 7). Stretches of several lengths are looked at,
since nobody knows for how long requests depend on each other, and each look gives bounds of its own.

The estimate is itself uncertain, the more so the fewer stretches it rests on. E. L. Korn and B. I. Graubard (1998, see binomial.py of
probability) take that into account by the ratio of Student's to the normal quantile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

from ..probability.student import student_quantile

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
    def rate(self) -> float:
        """The share that exceeded; 0 where there are none."""
        return self.events / self.tries if self.tries else 0.0

    @property
    def filled(self) -> int:
        """Stretches in which requests ended."""
        return sum(1 for count in self.count if count)

    @property
    def duration_s(self) -> float:
        """Seconds in which requests ended."""
        return self.width_s * self.filled

    @property
    def worst(self) -> tuple[int, int]:
        """Requests, and those exceeding, of the stretch in which most exceeded beyond the average."""
        rate = self.rate
        return max(zip(self.count, self.exceeding), key=lambda batch: batch[1] - rate * batch[0], default=(0, 0))

    def widened(self, factor: int) -> Batches:
        """So many neighbours joined to one; what is left over at the end joins the last."""
        whole = max(len(self.count) // factor, 1)
        return Batches(self.width_s * factor, _joined(self.count, factor, whole), _joined(self.exceeding, factor, whole))

    def segment(self, begin: int, end: int) -> Batches:
        """Those from a position up to, and without, another."""
        return Batches(self.width_s, self.count[begin:end], self.exceeding[begin:end])


def looks(batches: Batches) -> Iterator[Batches]:
    """The same requests in ever longer stretches, each twice as long as the one before, while there are enough of them."""
    while batches.filled >= MIN_BATCHES:
        yield batches
        batches = batches.widened(2)


def design_effect(batches: Batches) -> float:
    """How many times larger than under independence the variance of the rate is, at least 1.

    By the ratio estimator (W. G. Cochran, *Sampling Techniques*, third edition, section 6.4), since stretches do not all have the same
    number of requests. 1 where none or all exceeded, of which nothing can be learned.
    """
    rate, filled = batches.rate, batches.filled
    if not 0 < rate < 1 or filled < 2:
        return 1.0
    spread = sum((events - rate * tries) ** 2 for tries, events in zip(batches.count, batches.exceeding))
    return max(1.0, filled / (filled - 1) * spread / (batches.tries * rate * (1 - rate)))


@lru_cache(maxsize=4096)
def uncertainty(filled: int, alpha: float) -> float:
    """What an effective sample is multiplied with, at most 1, since its design effect is only estimated, from so many stretches."""
    return float((NormalDist().inv_cdf(1 - alpha) / student_quantile(1 - alpha, filled - 1)) ** 2)


def _joined(values: Sequence[int], factor: int, whole: int) -> tuple[int, ...]:
    joined = [sum(values[place * factor : (place + 1) * factor]) for place in range(whole)]
    joined[-1] += sum(values[whole * factor :])
    return tuple(joined)
