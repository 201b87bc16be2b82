"""How often the interval of a rise holds the true one, on simulated runs before and after a change that makes all answers 20 % slower.

    python -m tests.statistics.compare [PAIRS]

prints the table that docs/guides/load.md quotes; the suite runs a small part of it.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.comparison import Sample, compare
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.dependence import Batches
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.histogram import Histogram

RATE = 20
RISE = 0.2
FRACTION = 0.95
CONFIDENCE = 0.95

# Latencies of a service in milliseconds, one after the other.
Service = Callable[[random.Random], Iterator[float]]


def each(draw: Callable[[random.Random], float]) -> Service:
    """Each request for itself."""

    def requests(chance: random.Random) -> Iterator[float]:
        while True:
            yield draw(chance)

    return requests


def autoregressive(correlation: float) -> Service:
    """A log-normal AR(1) process."""

    def requests(chance: random.Random) -> Iterator[float]:
        level, fresh = chance.gauss(0, 1), math.sqrt(1 - correlation**2)
        while True:
            level = correlation * level + fresh * chance.gauss(0, 1)
            yield 90 * math.exp(0.5 * level)

    return requests


def bursts(seconds: float, bad_time: float = 0.08) -> Service:
    """Regimes: for so many seconds in the mean answers take five times as long, in ``bad_time`` of all time."""

    def requests(chance: random.Random) -> Iterator[float]:
        means = {True: seconds, False: seconds * (1 - bad_time) / bad_time}
        bad = chance.random() < bad_time
        left = chance.expovariate(1 / means[bad])
        while True:
            left -= 1 / RATE
            while left < 0:
                bad = not bad
                left += chance.expovariate(1 / means[bad])
            yield (5 if bad else 1) * 90 * math.exp(0.3 * chance.gauss(0, 1))

    return requests


def _bimodal(chance: random.Random) -> float:
    """Most are answered from a cache, one in eight is not."""
    return (400 if chance.random() < 0.125 else 40) * math.exp(0.2 * chance.gauss(0, 1))


SERVICES: dict[str, Service] = {
    "log-normal": each(lambda chance: 90 * math.exp(0.5 * chance.gauss(0, 1))),
    "exponential": each(lambda chance: chance.expovariate(1 / 90)),
    "two modes": each(_bimodal),
    "Pareto tail 1.5": each(lambda chance: 40 * chance.paretovariate(1.5)),
    "AR(1) 0.5": autoregressive(0.5),
    "AR(1) 0.9": autoregressive(0.9),
    "bursts of 0.2 s": bursts(0.2),
    "bursts of 1 s": bursts(1.0),
}
# As in tests/statistics/simulate.py: what depends on its neighbours for longer than the second that is assumed.
BEYOND: dict[str, Service] = {"AR(1) 0.97": autoregressive(0.97), "bursts of 3 s": bursts(3.0)}


@dataclass(frozen=True)
class Held:
    """Of so many pairs of runs: shares whose interval held the true rise, lay above it, lay below it, and was open at an end; and half of
    the mean width of those that were not."""

    held: float
    above: float
    below: float
    open: float
    half_width: float


def sample(service: Service, chance: random.Random, factor: float, seconds: int, objective_ms: float) -> Sample:
    """What a run of so many seconds measures."""
    requests, histogram = service(chance), Histogram()
    levels, exceeding = [], []
    for _second in range(seconds):
        latencies = sorted(factor * next(requests) for _request in range(RATE))
        histogram.record_all([max(round(latency * 1000), 1) for latency in latencies])
        levels.append(latencies[math.ceil(FRACTION * RATE) - 1])
        exceeding.append(sum(latency > objective_ms for latency in latencies))
    return Sample(histogram, 0, Batches(1.0, (RATE,) * seconds, tuple(exceeding)), tuple(levels))


def covered(service: Service, seconds: int, pairs: int, seed: int = 1) -> Held:
    """How the intervals of so many pairs of runs lie to the truth."""
    chance = random.Random(seed)
    requests = service(chance)
    # The objective that such a service would be given: a little above its own percentile.
    long = sorted(next(requests) for _request in range(20_000))
    objective_ms = 1.1 * long[int(FRACTION * len(long))]
    above = below = unbounded = 0
    widths = []
    for _pair in range(pairs):
        before, after = (sample(service, chance, factor, seconds, objective_ms) for factor in (1.0, 1.0 + RISE))
        change = compare(before, after, FRACTION, CONFIDENCE)
        if change is None:
            raise ValueError("runs without requests have nothing to compare")
        above += change.low is not None and change.low > RISE
        below += change.high is not None and change.high < RISE
        if change.low is None or change.high is None:
            unbounded += 1
        else:
            widths.append((change.high - change.low) / 2)
    half_width = sum(widths) / len(widths) if widths else math.inf
    return Held(1 - (above + below) / pairs, above / pairs, below / pairs, unbounded / pairs, half_width)


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("| service | runs | holds the truth | above it | below it | open | ± |")
    print("|---|---|---|---|---|---|---|")
    for seconds in (120, 300):
        for name, service in {**SERVICES, **BEYOND}.items():
            found = covered(service, seconds, pairs)
            shares = " | ".join(f"{share:.1%}" for share in (found.held, found.above, found.below, found.open))
            print(f"| {name} | {seconds} s | {shares} | {found.half_width:.1%} |", flush=True)


if __name__ == "__main__":
    main()
