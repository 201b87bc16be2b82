# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules: exact, repeatable, and of the rate they promise."""

from __future__ import annotations

import statistics

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.schedule import (
    PERIOD,
    arrivals,
    concurrency_at,
    seconds_for,
    shapes,
)
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.target import Target
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.runs import WRITER, planned

TARGET = Target("gateway.example", 80, "gateway.example", "/base", None, ("127.0.0.1",))


@pytest.mark.parametrize(("granularity", "sentences", "tokens"), [("mix", 2400, 600), ("sentence", 3000, 0), ("token", 0, 3000)])
def test_shares_are_exact_and_the_order_is_the_seeds(granularity: str, sentences: int, tokens: int) -> None:
    def classes(seed: int) -> list[str | None]:
        plan = planned(attach_rate=0.3, granularity=granularity, seed=seed)
        return [shape.explains for shape in shapes(plan, plan.phases[0], TARGET)]

    first = classes(7)
    assert (len(first), first.count("sentence"), first.count("token")) == (PERIOD, sentences, tokens)
    assert classes(7) == first
    assert classes(8) != first


def test_a_request_is_whole_and_carries_what_was_asked() -> None:
    plan = planned(attach_rate=1.0, granularity="token", featureset="sae-x", prompts=["ein Größe"], stream=True)
    shape = shapes(plan, plan.phases[0], TARGET)[0]
    head, _blank, body = (shape.start + b"id-1" + shape.rest).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /base/v1/chat/completions HTTP/1.1"
    assert {
        "Host: gateway.example",
        f"Authorization: Bearer {WRITER.value}",
        "x-request-id: id-1",
        "x-explain-mode: hypergraph",
        "x-explain-granularity: token",
        "x-explain-features: sae-x",
        f"Content-Length: {len(body)}",
    } <= set(lines)
    assert b'"stream":true' in body


def test_constant_arrivals_are_evenly_spaced_over_all_phases() -> None:
    due = [arrival.due_ns for arrival in arrivals(planned(load_model="open", rate=200.0, warmup=1.0, duration=2.0))]
    assert len(due) == 600
    assert {after - before for before, after in zip(due, due[1:])} <= {4_999_999, 5_000_000, 5_000_001}


def test_constant_arrivals_of_several_generators_interleave_evenly() -> None:
    told = {"load_model": "open", "warmup": 1.0, "duration": 2.0}
    several = sorted(
        arrival.due_ns for turn in range(4) for arrival in arrivals(planned(**told, rate=50.0, seed=1 + turn, stagger=turn / 4))
    )
    assert len(several) == 600
    assert {after - before for before, after in zip(several, several[1:])} <= {4_999_999, 5_000_000, 5_000_001}


def test_on_a_ramp_several_generators_send_when_one_of_their_rates_together_would() -> None:
    told = {"load_model": "open", "ramp": 2.0, "duration": 1.0}
    several = sorted(arrival.due_ns for turn in range(3) for arrival in arrivals(planned(**told, rate=100.0, stagger=turn / 3)))
    assert several == pytest.approx([arrival.due_ns for arrival in arrivals(planned(**told, rate=300.0))], abs=2)


@pytest.mark.parametrize("arrivals_of", ["constant", "poisson"])
def test_generators_with_seeds_of_their_own_ask_for_and_send_different_things(arrivals_of: str) -> None:
    told = {"load_model": "open", "arrivals": arrivals_of, "rate": 100.0, "duration": 5.0, "attach_rate": 0.3}
    plans = [planned(**told, seed=1 + turn, stagger=turn / 2) for turn in range(2)]
    one, other = ([shape.explains for shape in shapes(plan, plan.phases[0], TARGET)] for plan in plans)
    assert sum(a == b for a, b in zip(one, other)) < 0.7 * PERIOD
    assert not {arrival.due_ns for arrival in arrivals(plans[0])} & {arrival.due_ns for arrival in arrivals(plans[1])}


def test_a_ramp_rises_in_a_straight_line() -> None:
    due = [arrival.due_ns / 1e9 for arrival in arrivals(planned(load_model="open", rate=1000.0, ramp=2.0, duration=1.0))]
    assert len(due) == 2000
    assert due == sorted(due)
    # The integral of a rate that rises from 0 to 1000 in two seconds: 250 t².
    assert [sum(moment < until for moment in due) for until in (0.5, 1.0, 1.5)] == pytest.approx([62.5, 250, 562.5], abs=1.5)


def test_poisson_arrivals_have_the_rate_and_the_spread_of_their_kind() -> None:
    plan = planned(load_model="open", arrivals="poisson", rate=1000.0, duration=20.0)
    due = [arrival.due_ns / 1e9 for arrival in arrivals(plan)]
    gaps = [after - before for before, after in zip(due, due[1:])]
    # Five standard deviations of 20,000 arrivals; the seed makes it the same each time.
    assert len(due) == pytest.approx(20_000, abs=5 * 20_000**0.5)
    assert statistics.stdev(gaps) / statistics.mean(gaps) == pytest.approx(1.0, abs=0.05)
    assert [arrival.due_ns / 1e9 for arrival in arrivals(plan)] == due


def test_a_closed_loop_ramps_its_callers_and_its_limit() -> None:
    ramp = planned(concurrency=11, rate=100.0, ramp=10.0, duration=1.0).phases[0]
    assert [concurrency_at(ramp, second) for second in (0.0, 5.0, 10.0, 99.0)] == [1, 6, 11, 11]
    # The integral of a rate that rises from 0 to 100 in ten seconds: 5 t².
    assert [seconds_for(count, ramp, 0.0) for count in (0.0, 5.0, 125.0, 500.0)] == pytest.approx([0.0, 1.0, 5.0, 10.0])
    assert seconds_for(375.0, ramp, 5.0) == pytest.approx(5.0)
    assert seconds_for(1.0, ramp, 10.0) == pytest.approx(0.01)


def test_a_closed_loop_goes_down_to_a_lower_limit_and_not_below() -> None:
    phases = [{"name": "high", "duration": 1.0, "rate": 100.0}, {"name": "down", "kind": "ramp", "duration": 1.0, "rate": 0.5}]
    down = planned(phases=phases).phases[1]
    assert seconds_for(50.25, down, 1.0) == pytest.approx(1.0)
    assert seconds_for(1.0, down, 1.99) > 1.0
