"""A small part of tests/statistics/simulate.py: seeded, so that it is the same every time."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.exceedance import judge
from tests.statistics import compare
from tests.statistics.simulate import RULE, SERVICES, at_the_limit, batches, decided, independent, of_all_kinds

SERVICES_SIMULATED = 120


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_at_the_limit_is_seldom_passed_or_failed(name: str) -> None:
    verdicts = at_the_limit(SERVICES[name], 240, SERVICES_SIMULATED)
    # Twelve of 120 or more have a chance of 2 % where the true share of errors is 5 %.
    assert verdicts["pass"] < 12
    assert verdicts["fail"] < 12
    assert verdicts["inconclusive"] > SERVICES_SIMULATED * 0.8


@pytest.mark.parametrize("name", ["independent", "AR(1) 0.9"])
def test_services_of_all_kinds_are_judged_right_and_mostly_decided(name: str) -> None:
    found = of_all_kinds(SERVICES[name], 240, SERVICES_SIMULATED)
    assert found.false_pass <= 0.05
    assert found.false_fail <= 0.05
    assert found.undecided < 0.7


def test_a_judge_who_takes_neighbours_for_independent_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without the design effect, dependent services at the limit are passed and failed by chance."""
    from ansible_collections.hypergraph.sidecar.plugins.module_utils.load import exceedance

    monkeypatch.setattr(exceedance, "design_effect", lambda batches: 1.0)
    verdicts = at_the_limit(SERVICES["AR(1) 0.9"], 240, SERVICES_SIMULATED)
    assert verdicts["pass"] + verdicts["fail"] > SERVICES_SIMULATED * 0.2


def test_looking_every_minute_until_it_is_decided_is_seldom_wrong() -> None:
    chance = random.Random(3)
    wrong = {"once": 0, "anytime": 0}
    for _service in range(SERVICES_SIMULATED):
        whole = batches(SERVICES["independent"], chance, RULE.limit, 240)
        for name, rule in (("once", RULE), ("anytime", replace(RULE, anytime=True))):
            wrong[name] += any(judge(whole.segment(0, end), rule).verdict == "pass" for end in range(60, 241, 60))
    assert wrong["anytime"] < 12
    assert wrong["anytime"] < wrong["once"] or wrong["once"] == 0


def test_looking_again_and_again_decides_what_is_clear_and_costs_more_than_one_look() -> None:
    clear, close = (decided(independent, share, 20) for share in (0.01, 0.04))
    assert clear.share == 1
    assert clear.mean_s < close.mean_s
    assert close.share < 1


@pytest.mark.parametrize("name", ["exponential", "two modes", "Pareto tail 1.5", "AR(1) 0.9", "bursts of 1 s"])
def test_the_interval_of_a_rise_holds_it_whatever_the_latencies_are_like(name: str) -> None:
    # Where each holds it with a chance of 95 %, fewer than 53 of 60 do with a chance of 1 %.
    assert compare.covered(compare.SERVICES[name], 60, 60).held >= 53 / 60


def test_an_interval_that_takes_neighbours_for_independent_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what each request is worth is what makes the interval wide enough."""
    from ansible_collections.hypergraph.sidecar.plugins.module_utils.load import comparison

    monkeypatch.setattr(comparison, "worth", lambda sample, confidence: 1.0)
    assert compare.covered(compare.SERVICES["AR(1) 0.9"], 60, 60).held < 53 / 60
