# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attach-rate model: from chats per second to replicas. Rates are per second, times in seconds, loads in busy workers (erlangs).

Explanations of a granularity arrive at ``chats x attach rate x its share``. By Little's law (Little 1961, L = lambda W) they keep
``lambda x service time`` workers busy; by the utilisation law (Denning and Buzen 1978, U = X S) n replicas of c workers are then used to
``load / (n c)``, which is to stay at or below a target.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SENTENCE = "sentence"
TOKEN = "token"  # noqa: S105 (a granularity)
GRANULARITIES = (SENTENCE, TOKEN)
ASSUMED = "assumed"
MEASURED = "measured"
# Below this many, not even the largest sample bounds the p95 with 95 % confidence: 0.95 ** 58 > 0.05 (Wilks 1941).
SAMPLES_NEEDED = 59
CURVE_POINTS = 21
_CURVE_GRID = 0.05
# Relative; some thousand times what a few operations on floating-point numbers err by.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class ServiceTime:
    """How long a worker is busy with one explanation. ``basis`` is ASSUMED or MEASURED, ``origin`` says by whom; assumed has no samples."""

    mean: float
    p95: float
    basis: str = ASSUMED
    samples: int | None = None
    origin: str = ""

    @property
    def conservative(self) -> float:
        """The p95; with a tail so heavy that the mean lies above it, the mean."""
        return max(self.mean, self.p95)


@dataclass(frozen=True)
class Workload:
    """What is to be served. The peak is the busiest steady load; bursts are ``burst_factor`` times that for ``burst_seconds``."""

    base_chat_rate: float
    peak_chat_rate: float
    base_attach_rate: float
    peak_attach_rate: float
    token_fraction: float
    burst_factor: float = 1.0
    burst_seconds: float = 0.0
    slo_seconds: Mapping[str, float] | None = None

    def share(self, granularity: str) -> float:
        """The share of explanations that are of the granularity."""
        return self.token_fraction if granularity == TOKEN else 1.0 - self.token_fraction

    def slo(self, granularity: str) -> float | None:
        """The objective for the explanation's p95, if one is declared."""
        return (self.slo_seconds or {}).get(granularity)


@dataclass(frozen=True)
class Explainer:
    """A set of equal replicas that serves some granularities, with ``concurrency`` workers each, and the bounds of its autoscaler.

    ``backlog_seconds_target`` is the queue lag the autoscaler steers for, ``cold_start_seconds`` the time from no replica to a first ready
    one; None where nobody stated it.
    """

    name: str
    service_times: Mapping[str, ServiceTime]
    concurrency: int
    min_replicas: int
    max_replicas: int
    target_utilisation: float = 0.7
    backlog_seconds_target: float | None = None
    cold_start_seconds: float | None = None

    def seconds_per_chat(self, workload: Workload, *, conservative: bool) -> float:
        """Worker-seconds that a chat costs if it asks for an explanation, over the granularities served here."""
        return sum(
            workload.share(granularity) * (time.conservative if conservative else time.mean)
            for granularity, time in self.service_times.items()
        )

    def load(self, workload: Workload, chat_rate: float, attach_rate: float, *, conservative: bool) -> float:
        """Busy workers at these rates: Little's law, summed over granularities."""
        return chat_rate * attach_rate * self.seconds_per_chat(workload, conservative=conservative)

    def replicas(self, load: float) -> int:
        """The fewest replicas whose workers are used to at most the target by the load: ``ceil(load / (concurrency x utilisation))``."""
        return whole(load / (self.concurrency * self.target_utilisation))

    def replicas_for_burst(self, workload: Workload, *, conservative: bool) -> int:
        """The fewest replicas that have worked off a burst at most ``backlog_seconds_target`` after its end; without a target, none.

        Fluid approximation (Newell 1982, chapter 2). With peak load L, capacity C = n c, a burst of b L for T leaves (b L - C) T
        worker-seconds, which the spare capacity C - L works off in D where (b L - C) T <= D (C - L), or C >= L (b T + D) / (T + D).
        """
        if self.backlog_seconds_target is None:
            return 0
        window = workload.burst_seconds + self.backlog_seconds_target
        if window == 0:
            return 0
        load = self.load(workload, workload.peak_chat_rate, workload.peak_attach_rate, conservative=conservative)
        averaged = (workload.burst_factor * workload.burst_seconds + self.backlog_seconds_target) / window
        return whole(load * averaged / self.concurrency)

    def attach_rate_at_saturation(self, workload: Workload, *, conservative: bool) -> float | None:
        """The attach rate at which, at the peak chat rate, all replicas allowed are used to the target. None where no load comes here."""
        load = self.load(workload, workload.peak_chat_rate, 1.0, conservative=conservative)
        rate = self.max_replicas * self.concurrency * self.target_utilisation / load if load > 0 else math.inf
        return rate if math.isfinite(rate) else None


@dataclass(frozen=True)
class Curve:
    """Replicas needed by attach rate, at the peak chat rate."""

    attach_rates: tuple[float, ...]
    optimistic: tuple[int, ...]
    conservative: tuple[int, ...]


@dataclass(frozen=True)
class Sizing:
    """What one explainer needs. Optimistic is by the mean service times, conservative by their p95."""

    explainer: Explainer
    workload: Workload
    slack: float
    base_optimistic: int
    base_conservative: int
    peak_optimistic: int
    peak_conservative: int
    burst_conservative: int

    @property
    def peak_with_slack(self) -> int:
        """The conservative peak and the slack kept above it."""
        return whole(self.peak_conservative * (1 + self.slack))

    @property
    def must_stay_warm(self) -> bool:
        """Whether an explanation that finds no replica running would miss its objective; so too where the cold start is unknown."""
        budget = self.cold_start_budget
        cold = self.explainer.cold_start_seconds
        return budget is not None and (cold is None or cold > budget)

    @property
    def cold_start_budget(self) -> float | None:
        """Seconds that a cold start may take: the objective less the p95 of the work itself, of the tightest granularity served."""
        budgets = []
        for granularity, time in self.explainer.service_times.items():
            objective = self.workload.slo(granularity)
            if objective is not None and self.workload.share(granularity) > 0:
                budgets.append(max(0.0, objective - time.conservative))
        return min(budgets, default=None)

    @property
    def recommended_min(self) -> int:
        """Enough for the base load by the mean, and one where nobody can wait for a cold start."""
        return max(self.base_optimistic, 1 if self.must_stay_warm else 0)

    @property
    def recommended_max(self) -> int:
        """Enough for the peak by the p95 with slack, and for the burst."""
        return max(self.peak_with_slack, self.burst_conservative, self.recommended_min, 1)

    def curve(self) -> Curve:
        """21 points from nobody attaching to half as much again as the declared peak or the saturation, whichever is later."""
        saturation = self.explainer.attach_rate_at_saturation(self.workload, conservative=True) or 0.0
        reach = min(1.0, 1.5 * max(saturation, self.workload.peak_attach_rate))
        # On a grid, so that the points of two runs are comparable.
        end = max(1, whole(reach / _CURVE_GRID)) * _CURVE_GRID
        rates = tuple(round(end * step / (CURVE_POINTS - 1), 6) for step in range(CURVE_POINTS))

        def needed(rate: float, *, conservative: bool) -> int:
            one = self.explainer
            return one.replicas(one.load(self.workload, self.workload.peak_chat_rate, rate, conservative=conservative))

        return Curve(
            rates, tuple(needed(rate, conservative=False) for rate in rates), tuple(needed(rate, conservative=True) for rate in rates)
        )


def size(explainer: Explainer, workload: Workload, slack: float) -> Sizing:
    """Size one explainer for a workload. ``slack`` is the share kept free above the conservative peak (0.2 is 20 %)."""

    def needed(chat_rate: float, attach_rate: float, *, conservative: bool) -> int:
        return explainer.replicas(explainer.load(workload, chat_rate, attach_rate, conservative=conservative))

    base, peak = (workload.base_chat_rate, workload.base_attach_rate), (workload.peak_chat_rate, workload.peak_attach_rate)
    return Sizing(
        explainer,
        workload,
        slack,
        base_optimistic=needed(*base, conservative=False),
        base_conservative=needed(*base, conservative=True),
        peak_optimistic=needed(*peak, conservative=False),
        peak_conservative=needed(*peak, conservative=True),
        burst_conservative=explainer.replicas_for_burst(workload, conservative=True),
    )


def saturation(sizings: Iterable[Sizing]) -> tuple[float, str] | None:
    """The conservative attach rate at which a first explainer saturates, and which; None where no load comes to any."""
    rates = [
        (rate, sizing.explainer.name)
        for sizing in sizings
        if (rate := sizing.explainer.attach_rate_at_saturation(sizing.workload, conservative=True)) is not None
    ]
    return min(rates, default=None)


def whole(quantity: float) -> int:
    """Rounded up to a whole number, but not for the sake of a rounding error of floating-point numbers."""
    return math.ceil(quantity * (1 - _ROUNDING))
