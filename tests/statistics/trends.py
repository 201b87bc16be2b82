"""How often a trend is seen where there is none, and how large one must be to be seen, on simulated series whose truth is known.

    python -m tests.statistics.trends [SERIES]

prints the table that docs/guides/load.md quotes (a quarter of an hour for 2,000 series a row); the suite runs a small part of it.
"""

from __future__ import annotations

import math
import random
import sys
from dataclasses import dataclass

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.trend import trend
from ansible_collections.hypergraph.sidecar.plugins.module_utils.soak.curves import thinned

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Kind:
    """A soak's curve: so many points, each the mean of so many measurements, of which each depends so much on the one before."""

    points: int
    of: int
    correlation: float

    @property
    def name(self) -> str:
        made = f"{self.points} points" if self.of == 1 else f"{self.points} means of {self.of}"
        return f"{made}, {'independent' if not self.correlation else f'AR(1) {self.correlation:g}'}"

    def series(self, chance: random.Random, rise: float = 0.0) -> tuple[list[float], list[float]]:
        """Times and values that rise by so many standard deviations of a single measurement over all time."""
        fresh, level, count = math.sqrt(1 - self.correlation**2), chance.gauss(0, 1), self.points * self.of
        values = []
        for place in range(count):
            level = self.correlation * level + fresh * chance.gauss(0, 1)
            values.append((15.0 * place, level + rise * place / (count - 1)))
        means = thinned(values, self.points)
        return [at for at, _value in means], [value for _at, value in means]


# Percentiles by segment, which are far apart; samples of memory and queue, which are close together and therefore averaged.
KINDS = [
    *(Kind(points, 1, correlation) for points in (8, 12, 24) for correlation in (0.0, 0.5)),
    *(Kind(24, 20, correlation) for correlation in (0.5, 0.9, 0.97)),
]
# More than the rule covers: told for honesty.
BEYOND = [Kind(8, 1, 0.9), Kind(24, 1, 0.8), Kind(24, 1, 0.95)]


def alarms(kind: Kind, count: int, rise: float = 0.0, seed: int = 1) -> float:
    """The share of series that surely rise by more than nothing: false alarms where they do not rise, the power where they do."""
    chance = random.Random(seed)
    found = [trend(*kind.series(chance, rise), CONFIDENCE) for _series in range(count)]
    return sum(one is not None and one.low_per_hour > 0 for one in found) / count


def passes_at_limit(kind: Kind, count: int, rise: float, seed: int = 1) -> float:
    """The share of series that rise by exactly what they may and surely do not rise by more: false passes, at their worst."""
    chance = random.Random(seed)
    passed = 0
    for _series in range(count):
        times, values = kind.series(chance, rise)
        found, hours = trend(times, values, CONFIDENCE), 15.0 * (kind.points * kind.of - 1) / 3600
        passed += found is not None and found.high_per_hour * hours <= rise
    return passed / count


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rises = (2.0, 4.0, 8.0)
    print("| curve | false alarm | false pass |" + "".join(f" seen at {rise:g} |" for rise in rises))
    print("|---|---|---|" + "---|" * len(rises))
    for kind in [*KINDS, *BEYOND]:
        told = (alarms(kind, count), passes_at_limit(kind, count, 2.0), *(alarms(kind, count // 2, rise) for rise in rises))
        print(f"| {kind.name} | " + " | ".join(f"{share:.1%}" for share in told) + " |", flush=True)


if __name__ == "__main__":
    main()
