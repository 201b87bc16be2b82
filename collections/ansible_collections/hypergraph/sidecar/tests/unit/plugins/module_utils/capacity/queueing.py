# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A queue with workers, simulated event by event: what the arithmetic of the model is held against."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    arrived: float
    started: float
    ended: float

    @property
    def waited(self) -> float:
        return self.started - self.arrived


def served(arrivals: Iterable[float], workers: int, service: Callable[[], float]) -> list[Job]:
    """First come, first served, by so many workers."""
    free = [0.0] * workers
    jobs = []
    for arrived in arrivals:
        started = max(arrived, heapq.heappop(free))
        jobs.append(Job(arrived, started, started + service()))
        heapq.heappush(free, jobs[-1].ended)
    return jobs


def evenly(rate: float, begin: float, end: float) -> list[float]:
    """Arrivals at equal distances."""
    return [begin + number / rate for number in range(int((end - begin) * rate))]


def poisson(rate: float, begin: float, end: float, source: random.Random) -> list[float]:
    """Arrivals that know nothing of each other."""
    arrivals, at = [], begin
    while (at := at + source.expovariate(rate)) < end:
        arrivals.append(at)
    return arrivals
