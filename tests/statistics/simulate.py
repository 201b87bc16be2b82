"""How often the judgement of a load is wrong, on simulated services whose truth is known.

    python -m tests.statistics.simulate [SERVICES]

prints what docs/guides/load.md quotes (about half an hour for 10,000 services a row); the suite runs a small part of it.
"""

from __future__ import annotations

import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.dependence import Batches
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.exceedance import FAIL, PASS, Rule, judge

LIMIT = 0.05
RULE = Rule(LIMIT, 0.05, 0.05, 1.0)
RATE = 20

# One after the other, whether a request of a service exceeds; the share of them that do over all time is the second argument.
Service = Callable[[random.Random, float], Iterator[bool]]


def independent(chance: random.Random, share: float) -> Iterator[bool]:
    """Each request for itself."""
    while True:
        yield chance.random() < share


def autoregressive(correlation: float) -> Service:
    """Latencies of a log-normal AR(1) process: those above its (1 - share) quantile exceed."""

    def requests(chance: random.Random, share: float) -> Iterator[bool]:
        threshold, fresh = NormalDist().inv_cdf(1 - share), math.sqrt(1 - correlation**2)
        level = chance.gauss(0, 1)
        while True:
            level = correlation * level + fresh * chance.gauss(0, 1)
            yield level > threshold

    return requests


def bursts(seconds: float, within: float = 0.6, outside: float = 0.01) -> Service:
    """Regimes: bursts of so many seconds in the mean, in which a share ``within`` exceeds, and quiet between them."""

    def requests(chance: random.Random, share: float) -> Iterator[bool]:
        bad_time = (share - outside) / (within - outside) if share > outside else 0.0
        quiet = seconds * (1 - bad_time) / bad_time if bad_time else math.inf
        bad = chance.random() < bad_time
        left = chance.expovariate(1 / seconds) if bad else _lasting(chance, quiet)
        while True:
            left -= 1 / RATE
            while left < 0:
                bad = not bad
                left += chance.expovariate(1 / seconds) if bad else _lasting(chance, quiet)
            yield chance.random() < (within if bad else min(outside, share))

    return requests


SERVICES: dict[str, Service] = {
    "independent": independent,
    "AR(1) 0.5": autoregressive(0.5),
    "AR(1) 0.9": autoregressive(0.9),
    "bursts of 0.2 s": bursts(0.2),
    "bursts of 1 s": bursts(1.0),
}
# Requests that depend on each other for longer than the second that the rule assumes: told for honesty, it does not cover them.
BEYOND: dict[str, Service] = {"AR(1) 0.97": autoregressive(0.97), "bursts of 3 s": bursts(3.0)}


@dataclass(frozen=True)
class Errors:
    """Shares of services judged wrongly, and of those not judged."""

    false_pass: float
    false_fail: float
    undecided: float


def batches(service: Service, chance: random.Random, share: float, seconds: int) -> Batches:
    """What a run of so many seconds counts, by the second."""
    requests = service(chance, share)
    exceeding = tuple(sum(next(requests) for _request in range(RATE)) for _second in range(seconds))
    return Batches(1.0, (RATE,) * seconds, exceeding)


def at_the_limit(service: Service, seconds: int, services: int, seed: int = 1, rule: Rule = RULE) -> Counter[str]:
    """Verdicts on services whose share is exactly the limit, which is where either error is likeliest."""
    chance = random.Random(seed)
    return Counter(judge(batches(service, chance, rule.limit, seconds), rule).verdict for _service in range(services))


def of_all_kinds(service: Service, seconds: int, services: int, seed: int = 1, rule: Rule = RULE) -> Errors:
    """Half of the services keep the objective by some margin, half break it: shares from 0.5 % to 5 %, and from 5 % to 12 %."""
    chance = random.Random(seed)
    wrong: Counter[str] = Counter()
    for number in range(services):
        broken = number % 2 == 1
        share = chance.uniform(0.05, 0.12) if broken else chance.uniform(0.005, 0.05)
        verdict = judge(batches(service, chance, share, seconds), rule).verdict
        wrong["pass"] += broken and verdict == PASS
        wrong["fail"] += not broken and verdict == FAIL
        wrong["undecided"] += verdict not in (PASS, FAIL)
    return Errors(wrong["pass"] / (services / 2), wrong["fail"] / (services / 2), wrong["undecided"] / services)


@dataclass(frozen=True)
class Decided:
    """Of services looked at again and again: the mean of the seconds until each was decided, and the share that was by the end. Beside it,
    the share that one look, with the bounds for one look, would have decided at a certain second."""

    mean_s: float
    share: float
    at_once: float


def decided(
    service: Service, share: float, services: int, *, every: int = 10, seconds: int = 600, once_at: int = 60, seed: int = 1
) -> Decided:
    """How long it takes to decide on services of a share, with looks every so many seconds; who is not decided counts as all of them."""
    chance, anytime = random.Random(seed), replace(RULE, anytime=True)
    ends: list[int | None] = []
    at_once = 0
    for _service in range(services):
        whole = batches(service, chance, share, seconds)
        at_once += judge(whole.segment(0, once_at), RULE).verdict in (PASS, FAIL)
        looks = range(every, seconds + 1, every)
        ends.append(next((end for end in looks if judge(whole.segment(0, end), anytime).verdict in (PASS, FAIL)), None))
    return Decided(
        sum(seconds if end is None else end for end in ends) / services, sum(end is not None for end in ends) / services, at_once / services
    )


def _lasting(chance: random.Random, mean: float) -> float:
    return math.inf if math.isinf(mean) else chance.expovariate(1 / mean)


def main() -> None:
    services = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print("| service | run | false pass | false fail | undecided | false pass at 5 % exactly | false fail at 5 % exactly |")
    print("|---|---|---|---|---|---|---|")
    for seconds in (120, 300):
        for name, service in {**SERVICES, **BEYOND}.items():
            found = of_all_kinds(service, seconds, services)
            limit = at_the_limit(service, seconds, services // 4)
            told = (found.false_pass, found.false_fail, found.undecided, *(limit[verdict] / (services // 4) for verdict in (PASS, FAIL)))
            print(f"| {name} | {seconds} s | " + " | ".join(f"{share:.1%}" for share in told) + " |", flush=True)
    print("\n| share | decided by looks every 10 s, mean | within 600 s | by one look at 60 s |")
    print("|---|---|---|---|")
    for share in (0.01, 0.025, 0.04, 0.06, 0.1):
        sequential = decided(independent, share, max(services // 10, 1))
        print(f"| {share:.1%} | {sequential.mean_s:.0f} s | {sequential.share:.1%} | {sequential.at_once:.1%} |", flush=True)


if __name__ == "__main__":
    main()
