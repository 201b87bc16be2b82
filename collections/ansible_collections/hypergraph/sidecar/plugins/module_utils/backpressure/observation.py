# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen of a service that is driven into saturation and let go again; judged by ``judging``, filled by ``driving``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..load.dependence import Batches


@dataclass(frozen=True)
class Offer:
    """One step of the load: attached chats asked for at a rate (per second) for some seconds, and what became of them.

    ``completed`` counts explanations that completed within the step's ``counted_s`` seconds, whenever they were asked for.
    """

    name: str
    rate: float
    seconds: float
    sent: int
    served: int
    refused: int
    completed: int
    counted_s: float

    @property
    def goodput(self) -> float:
        """Explanations completed per second."""
        return self.completed / self.counted_s if self.counted_s > 0 else 0.0


@dataclass(frozen=True)
class Refusals:
    """Answers of 429 and their Retry-After: how many had none that is seconds or a date, and the least and the most, in seconds."""

    count: int
    unusable: int
    least_s: float | None
    most_s: float | None


@dataclass(frozen=True)
class Lane:
    """Chats without explanation while attached ones are refused: slots of time, errors by class, and the p95 of good ones."""

    batches: Batches
    errors: Mapping[str, int]
    slo_ms: float
    p95_ms: float | None


@dataclass(frozen=True)
class Counted:
    """What the service's metrics say happened between two readings, and the most extreme values of the readings between.

    ``actions`` are the increases of ``backpressure_actions_total`` by action, ``refused`` that of ``http_requests_total`` with status
    429. None stands for a family that is not exposed.
    """

    actions: Mapping[str, float] | None
    refused: float | None
    level: float | None
    lag_s: float | None
    readings: int

    @property
    def went_back(self) -> bool:
        """Whether a counter is lower than before, as it is when a process was started anew."""
        return any(value < 0 for value in [*(self.actions or {}).values(), self.refused or 0.0])


@dataclass(frozen=True)
class Traces:
    """What became of the explanations that were accepted. ``open`` tells of each that did not end in its budget, by id, how it is."""

    accepted: int
    ends: Mapping[str, int]
    open: Mapping[str, str]
    unnamed: int


@dataclass(frozen=True)
class Graphs:
    """A sample of graphs of explanations that completed under pressure, and what is wrong with those that are not valid, by trace."""

    sampled: int
    problems: Mapping[str, str]


@dataclass(frozen=True)
class Recovery:
    """After the load: seconds until an attached chat was accepted and the level was 0; None where that was not seen in time."""

    seconds: float | None
    watched_s: float
    level: float | None
    last_answer: str


@dataclass(frozen=True)
class Observation:
    """All of it. ``saturated`` says what proved saturation, and is empty where nothing did; then there is no more than ``offers``."""

    offers: tuple[Offer, ...]
    most_offered: float
    saturated: str
    refusals: Refusals
    counted: Counted | None
    problems: tuple[str, ...] = ()
    saturation: Offer | None = None
    overload: Offer | None = None
    lane: Lane | None = None
    traces: Traces | None = None
    graphs: Graphs | None = None
    recovery: Recovery | None = None
    connections: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)

    @property
    def below(self) -> list[Offer]:
        """The steps before overload, of which the best is the peak that overload is held against."""
        return [*self.offers, *([self.saturation] if self.saturation else [])]
