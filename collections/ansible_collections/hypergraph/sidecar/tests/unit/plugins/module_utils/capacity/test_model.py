# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attach-rate model: worked examples, laws for any numbers, and a simulated queue that does what the arithmetic says."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.capacity.model import (
    CURVE_POINTS,
    Explainer,
    ServiceTime,
    Workload,
    saturation,
    size,
    whole,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.capacity.queueing import Job, evenly, poisson, served
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.verdicts import law

WORKLOAD = Workload(2.0, 40.0, 0.1, 0.5, 0.2, burst_factor=2.0, burst_seconds=30.0, slo_seconds={"sentence": 2.0, "token": 8.0})
BOTH = Explainer("explainer", {"sentence": ServiceTime(0.5, 0.8), "token": ServiceTime(2.0, 3.0)}, 4, 1, 10, 0.7, 1.0, 20.0)


def test_a_worked_example() -> None:
    sizing = size(BOTH, WORKLOAD, 0.2)
    # 40 chats/s x 0.5 = 20 explanations/s, 16 of sentences and 4 of tokens.
    # 16 x 0.5 + 4 x 2 = 16 busy workers; by the p95, 16 x 0.8 + 4 x 3 = 24.8.
    assert BOTH.load(WORKLOAD, 40, 0.5, conservative=False) == pytest.approx(16)
    assert BOTH.load(WORKLOAD, 40, 0.5, conservative=True) == pytest.approx(24.8)
    # A replica gives 4 x 0.7 = 2.8.
    assert (sizing.peak_optimistic, sizing.peak_conservative) == (6, 9)
    assert sizing.peak_with_slack == 11
    # 2 chats/s x 0.1 = 0.2/s: 0.16 workers by the mean.
    assert (sizing.base_optimistic, sizing.recommended_min) == (1, 1)
    # (2 x 30 + 1) / 31 = 1.968 times 24.8 busy workers, 4 a replica.
    assert sizing.burst_conservative == 13
    assert sizing.recommended_max == 13
    assert BOTH.attach_rate_at_saturation(WORKLOAD, conservative=True) == pytest.approx(0.5 * 28 / 24.8)
    assert saturation([sizing]) == (pytest.approx(0.5 * 28 / 24.8), "explainer")


def test_granularities_are_counted_where_they_are_served() -> None:
    sentences = replace(BOTH, service_times={"sentence": ServiceTime(0.5, 0.8)})
    tokens = replace(BOTH, service_times={"token": ServiceTime(2.0, 3.0)})
    assert sentences.load(WORKLOAD, 40, 0.5, conservative=False) == pytest.approx(8)
    assert tokens.load(WORKLOAD, 40, 0.5, conservative=False) == pytest.approx(8)
    only_sentences = replace(WORKLOAD, token_fraction=0.0)
    assert size(tokens, only_sentences, 0.2).peak_conservative == 0
    assert tokens.attach_rate_at_saturation(only_sentences, conservative=True) is None
    assert saturation([size(tokens, only_sentences, 0.2)]) is None


def test_nobody_attaching_needs_nobody() -> None:
    sizing = size(BOTH, replace(WORKLOAD, base_attach_rate=0.0, peak_attach_rate=0.0), 0.2)
    assert (sizing.base_conservative, sizing.peak_conservative, sizing.burst_conservative) == (0, 0, 0)
    # 2 s less 0.8 s leave 1.2 s for a cold start of 20 s, so one stays, and one is the least there can be at most.
    assert sizing.cold_start_budget == pytest.approx(1.2)
    assert (sizing.recommended_min, sizing.recommended_max) == (1, 1)


@pytest.mark.parametrize(
    ("cold_start", "stays_warm"), [(1.2, False), (1.21, True), (0.0, False), (None, True)], ids=["fits", "late", "at once", "unknown"]
)
def test_what_starts_in_time_may_scale_to_zero(cold_start: float | None, stays_warm: bool) -> None:
    nobody = replace(WORKLOAD, base_attach_rate=0.0)
    sizing = size(replace(BOTH, cold_start_seconds=cold_start), nobody, 0.2)
    assert sizing.must_stay_warm is stays_warm
    assert sizing.recommended_min == (1 if stays_warm else 0)


def test_what_never_comes_has_no_say_in_how_fast_a_start_must_be() -> None:
    hurried = replace(WORKLOAD, token_fraction=0.0, slo_seconds={"sentence": 2.0, "token": 3.1})
    assert size(BOTH, hurried, 0.2).cold_start_budget == pytest.approx(1.2)
    assert size(BOTH, replace(hurried, token_fraction=0.5), 0.2).cold_start_budget == pytest.approx(0.1)


def test_without_an_objective_nothing_must_stay_warm() -> None:
    sizing = size(BOTH, replace(WORKLOAD, slo_seconds=None), 0.2)
    assert sizing.cold_start_budget is None
    assert not sizing.must_stay_warm


def test_a_mean_above_the_p95_is_the_conservative_one() -> None:
    assert ServiceTime(3.0, 1.0).conservative == 3.0


def test_the_curve_reaches_beyond_the_declared_peak_and_the_saturation() -> None:
    sizing = size(BOTH, WORKLOAD, 0.2)
    curve = sizing.curve()
    assert len(curve.attach_rates) == len(curve.optimistic) == len(curve.conservative) == CURVE_POINTS
    assert curve.attach_rates[0] == 0
    assert curve.attach_rates[-1] == pytest.approx(0.85)
    assert (curve.optimistic[0], curve.conservative[0]) == (0, 0)
    at_peak = BOTH.replicas(BOTH.load(WORKLOAD, 40, curve.attach_rates[-1], conservative=True))
    assert curve.conservative[-1] == at_peak > BOTH.max_replicas
    rarely = size(replace(BOTH, max_replicas=1), replace(WORKLOAD, base_attach_rate=0.0, peak_attach_rate=0.001), 0.2).curve()
    assert rarely.attach_rates[-1] == pytest.approx(0.1)
    always = size(BOTH, replace(WORKLOAD, peak_attach_rate=1.0), 0.2).curve()
    assert always.attach_rates[-1] == 1.0


def test_a_rounding_error_is_no_replica() -> None:
    assert (whole(0.1 * 3 / 0.3), whole(2.8 / (4 * 0.7)), whole(3.0001), whole(0.0)) == (1, 1, 4, 0)


# Nothing or something; numbers so small that their products vanish are no load.
rates = st.just(0.0) | st.floats(1e-6, 1000.0)
shares = st.just(0.0) | st.floats(1e-6, 1.0)
seconds = st.floats(0.001, 100.0)


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    (base, peak), (quiet, busy) = (sorted(draw(st.tuples(kind, kind))) for kind in (rates, shares))
    return Workload(base, peak, quiet, busy, draw(shares), draw(st.floats(1.0, 10.0)), draw(st.floats(0.0, 600.0)), {"sentence": 2.0})


@st.composite
def explainers(draw: st.DrawFn) -> Explainer:
    times = {
        granularity: ServiceTime(*sorted(draw(st.tuples(seconds, seconds))))
        for granularity in draw(st.sets(st.sampled_from(("sentence", "token")), min_size=1))
    }
    least, most = sorted(draw(st.tuples(st.integers(0, 50), st.integers(1, 50))))
    return Explainer("e", times, draw(st.integers(1, 64)), least, most, draw(st.floats(0.05, 1.0)), draw(st.floats(0.0, 120.0)), 10.0)


@law
@given(explainers(), workloads())
def test_conservative_is_never_below_optimistic(explainer: Explainer, workload: Workload) -> None:
    sizing = size(explainer, workload, 0.2)
    assert sizing.base_conservative >= sizing.base_optimistic
    assert sizing.peak_conservative >= sizing.peak_optimistic
    assert sizing.peak_with_slack >= sizing.peak_conservative
    assert sizing.recommended_max >= max(sizing.peak_conservative, sizing.burst_conservative, sizing.recommended_min)
    curve = sizing.curve()
    assert all(safe >= lean for safe, lean in zip(curve.conservative, curve.optimistic))
    by_mean, by_p95 = (explainer.attach_rate_at_saturation(workload, conservative=conservative) for conservative in (False, True))
    assert (by_mean is None) == (by_p95 is None)
    if by_mean is not None and by_p95 is not None:
        assert by_p95 <= by_mean


@law
@given(explainers(), workloads(), st.floats(1.0, 10.0))
def test_more_load_never_needs_fewer(explainer: Explainer, workload: Workload, times: float) -> None:
    before = size(explainer, workload, 0.2)
    busier = replace(workload, base_chat_rate=workload.base_chat_rate * times, peak_chat_rate=workload.peak_chat_rate * times)
    slower = replace(
        explainer, service_times={name: ServiceTime(time.mean * times, time.p95 * times) for name, time in explainer.service_times.items()}
    )
    burstier = replace(workload, burst_factor=workload.burst_factor * times)
    for after in (
        size(explainer, busier, 0.2),
        size(slower, workload, 0.2),
        size(explainer, burstier, 0.2),
        size(explainer, workload, 0.2 * times),
    ):
        for need in ("base_optimistic", "peak_conservative", "burst_conservative", "peak_with_slack", "recommended_max"):
            assert getattr(after, need) >= getattr(before, need), need
    curve = before.curve()
    assert list(curve.optimistic) == sorted(curve.optimistic)
    assert list(curve.conservative) == sorted(curve.conservative)


@law
@given(explainers(), workloads(), st.sampled_from((0.125, 0.5, 2.0, 8.0)))
def test_only_the_load_counts_not_its_units(explainer: Explainer, workload: Workload, unit: float) -> None:
    """Counting time in another unit changes no number of replicas. Powers of two, whose products are exact."""
    other = replace(
        workload,
        base_chat_rate=workload.base_chat_rate / unit,
        peak_chat_rate=workload.peak_chat_rate / unit,
        burst_seconds=workload.burst_seconds * unit,
        slo_seconds={"sentence": 2.0 * unit},
    )
    same = replace(
        explainer,
        service_times={name: ServiceTime(time.mean * unit, time.p95 * unit) for name, time in explainer.service_times.items()},
        backlog_seconds_target=(explainer.backlog_seconds_target or 0.0) * unit,
        cold_start_seconds=(explainer.cold_start_seconds or 0.0) * unit,
    )
    one, another = size(explainer, workload, 0.2), size(same, other, 0.2)
    assert (one.recommended_min, one.recommended_max, one.curve()) == (another.recommended_min, another.recommended_max, another.curve())


@law
@given(explainers(), workloads(), st.integers(2, 16))
def test_the_same_workers_in_other_replicas_saturate_alike(explainer: Explainer, workload: Workload, times: int) -> None:
    wide = replace(explainer, concurrency=explainer.concurrency * times)
    many = replace(explainer, max_replicas=explainer.max_replicas * times)
    rate = wide.attach_rate_at_saturation(workload, conservative=True)
    assume(rate is not None)
    assert rate == pytest.approx(many.attach_rate_at_saturation(workload, conservative=True))
    narrow = size(explainer, workload, 0.0).peak_conservative
    # Only whole replicas make a difference.
    assert narrow <= size(wide, workload, 0.0).peak_conservative * times < narrow + times


# Simulated: 200 workers' worth of load, so that single jobs count for little, as the fluid approximation has it.
LONG = Workload(0.0, 100.0, 0.0, 1.0, 0.0, burst_factor=2.0, burst_seconds=20.0)


@pytest.mark.parametrize("target", [2.0, 10.0, 60.0])
def test_the_replicas_for_a_burst_drain_it_in_time_and_one_replica_in_twenty_less_does_not(target: float) -> None:
    even = Explainer("e", {"sentence": ServiceTime(2.0, 2.0)}, 1, 1, 1, 1.0, target)
    needed = even.replicas_for_burst(LONG, conservative=True)
    assert 200 < needed < 400

    def drained_after(workers: int) -> float:
        """Seconds after the end of the burst at which the last job that had to wait was begun."""
        times = [*evenly(100, 0, 30), *evenly(200, 30, 50), *evenly(100, 50, 50 + 4 * target + 200)]
        late = [job for job in served(times, workers, lambda: 2.0) if job.waited > 1e-6]
        return max(job.started for job in late) - 50

    assert drained_after(needed) <= target + 2.0
    assert drained_after(math.floor(needed * 0.95)) > target


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_recommended_replicas_hold_the_backlog_target_for_random_work(seed: int) -> None:
    source = random.Random(seed)
    # Lognormal with mean 2 s; its p95 is 3.4 s.
    sigma = 0.35
    mu = math.log(2.0) - sigma**2 / 2
    explainer = Explainer("e", {"sentence": ServiceTime(2.0, math.exp(mu + 1.645 * sigma))}, 4, 1, 1, 0.7, 1.0)
    sizing = size(explainer, LONG, 0.2)
    times = [*poisson(100, 0, 60, source), *poisson(200, 60, 80, source), *poisson(100, 80, 200, source)]

    def lags(replicas: int) -> list[Job]:
        return served(times, replicas * explainer.concurrency, lambda: source.lognormvariate(mu, sigma))

    settled = [job for job in lags(sizing.recommended_max) if job.arrived > 80 + 1.0]
    assert len(settled) > 10_000
    assert max(job.waited for job in settled) <= 1.0
    # By the mean alone, at the target utilisation and without a burst, a steady peak is held as well ...
    steady = served(poisson(100, 0, 200, source), sizing.peak_optimistic * 4, lambda: source.lognormvariate(mu, sigma))
    assert max(job.waited for job in steady) <= 1.0
    # ... and what cannot even give the mean load is not held.
    starved = lags(sizing.peak_optimistic * 6 // 10)
    assert starved[-1].waited > 1.0


def test_littles_law_holds_in_the_simulation() -> None:
    source = random.Random(7)
    jobs = served(poisson(50, 0, 400, source), 200, lambda: source.expovariate(1 / 2.0))
    busy = sum(job.ended - job.started for job in jobs) / 400
    explainer = Explainer("e", {"sentence": ServiceTime(2.0, 6.0)}, 1, 1, 1)
    assert busy == pytest.approx(explainer.load(LONG, 50, 1.0, conservative=False), rel=0.05)
