# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of a summary: small enough that redaction leaves it whole, and true to what was measured."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.histogram import Histogram
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.telling import MAX_POINTS, told
from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import MAX_ITEMS, Redactor
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.synthetic import (
    SLO_MS,
    Stretch,
    generator,
    measured,
    summary,
)

WARMUP = Stretch("warmup", "warmup", 5)


def series_of(slots: int, **columns: Any) -> dict[str, Any]:
    usual = {
        "count": [10] * slots,
        "exceeding": [2] * slots,
        "errors": [1] * slots,
        "p50_ms": [5.0] * slots,
        "p95_ms": [float(slot) for slot in range(slots)],
    }
    return {"width_s": 1.0, "starts_s": 0.0, **usual, **columns}


def told_series(**series: Any) -> dict[str, Any]:
    document = summary(Stretch(duration_s=2), series=series)
    found: dict[str, Any] = told(document)["series"]
    return found


def flat(rows: list[list[Any]]) -> list[Any]:
    return [value for row in rows for value in row]


@pytest.mark.parametrize(
    "document",
    [
        summary(WARMUP, Stretch(duration_s=60, tail=0.08, errors={"timeout": 0.01})),
        summary(*(Stretch(f"segment-{number}", duration_s=3, rate_per_s=20) for number in range(MAX_ITEMS + 30))),
        summary(Stretch(duration_s=900, rate_per_s=4)),
        summary(Stretch(duration_s=5), generators=[generator(f"gen-{number}") for number in range(MAX_ITEMS + 20)]),
    ],
    ids=["usual", "many phases", "long", "many generators"],
)
def test_redaction_leaves_it_as_it_is(document: dict[str, Any]) -> None:
    compact = told(document)
    assert Redactor().value({"load": compact}) == {"load": compact}
    assert json.loads(json.dumps(compact, allow_nan=False)) == compact


def test_a_curve_has_the_histogram_s_percentiles_and_ends_with_the_slowest() -> None:
    chance = random.Random(7)
    latencies = [chance.lognormvariate(5, 1) for _request in range(5000)]
    document = summary(Stretch(duration_s=1))
    document["classes"]["chat"]["steady"] = measured(latencies, 500.0, {})
    histogram = Histogram.from_document(document["classes"]["chat"]["steady"]["histogram"])
    curve = told(document)["classes"]["chat"]["steady"]["curve"]
    assert [quantile for quantile, _latency in curve] == sorted({quantile for quantile, _latency in curve})
    for quantile, latency_ms in curve[:-1]:
        assert latency_ms == histogram.percentile(quantile) / 1000
    assert {0.5, 0.95, 0.9, 0.99, 0.999} <= {quantile for quantile, _latency in curve}
    assert curve[-1] == [1 - 1 / 10_000, histogram.max_us / 1000]
    assert len(curve) <= 60


@pytest.mark.parametrize(
    ("latencies", "expected"),
    [
        ([], []),
        ([12.5], [[0.5, 12.5]]),
        ([1.0, 2.0], [[0.5, 1.0], [0.75, 2.0]]),
        ([1.5, 1.5, 1.75], [[0.5, 1.5], [0.5783035, 1.5], [0.8333333, 1.75]]),
    ],
)
def test_a_curve_of_few_answers_claims_nothing_beyond_them(latencies: list[float], expected: list[list[float]]) -> None:
    document = summary(Stretch(duration_s=1))
    document["classes"]["chat"]["steady"] = measured(latencies, 500.0, {})
    assert told(document)["classes"]["chat"]["steady"]["curve"] == expected


def test_a_long_series_keeps_every_count_and_the_worst_latencies() -> None:
    chance = random.Random(3)
    p95 = [None if chance.random() < 0.2 else chance.uniform(1, 900) for _second in range(3600)]
    series = told_series(chat=series_of(3600, p95_ms=p95))["chat"]
    assert series["width_s"] == series["merged"] == 15
    assert len(flat(series["count"])) == MAX_POINTS
    assert {column: sum(flat(series[column])) for column in ("count", "exceeding", "errors")} == {
        "count": 36_000,
        "exceeding": 7200,
        "errors": 3600,
    }
    groups = [[value for value in p95[place : place + 15] if value is not None] for place in range(0, 3600, 15)]
    assert flat(series["p95_ms"]) == [max(group) if group else None for group in groups]


@pytest.mark.parametrize(("slots", "merged"), [(0, 1), (1, 1), (240, 1), (241, 2), (480, 2), (481, 3)])
def test_a_series_has_as_wide_slots_as_it_needs(slots: int, merged: int) -> None:
    series = told_series(chat=series_of(slots))["chat"]
    assert series["merged"] == merged
    assert len(flat(series["count"])) == math.ceil(slots / merged)
    assert sum(flat(series["count"])) == 10 * slots


def test_what_is_no_number_is_none() -> None:
    series = series_of(3, p50_ms=[None, math.nan, 4.0], p95_ms=[math.inf, None, math.nan])
    document = summary(Stretch(duration_s=2), series={"chat": series})
    document["classes"]["chat"]["steady"]["latency_ms"]["p999"] = math.nan
    compact = told(document)
    assert compact["series"]["chat"]["p50_ms"] == [[None, None, 4.0]]
    assert compact["series"]["chat"]["p95_ms"] == [[None, None, None]]
    assert compact["classes"]["chat"]["steady"]["latency_ms"]["p999"] is None


def test_of_many_phases_the_worst_are_told_in_their_order() -> None:
    late = {"timeout": 0.9}
    stretches = [
        Stretch(f"segment-{number}", duration_s=1, errors=late if number in (2, MAX_ITEMS + 19) else {}) for number in range(MAX_ITEMS + 20)
    ]
    compact = told(summary(*stretches))
    names = [phase["name"] for phase in compact["phases"]]
    assert compact["phases_left_out"] == 20
    assert {"segment-2", f"segment-{MAX_ITEMS + 19}"} <= set(names)
    assert names == sorted(names, key=lambda name: int(name.split("-")[1]))
    assert [list(by_phase) for by_phase in compact["classes"].values()] == [names] * 3


def test_of_many_generators_those_with_problems_are_told() -> None:
    hosts = [generator(f"gen-{number}") for number in range(MAX_ITEMS + 10)] + [generator("sick", healthy=False, problems=["too busy"])]
    compact = told(summary(Stretch(duration_s=1), generators=hosts))
    assert compact["generators"][0]["host"] == "sick"
    assert (len(compact["generators"]), compact["generators_left_out"]) == (MAX_ITEMS, 11)


def test_objectives_and_the_end_are_told() -> None:
    compact = told(summary(Stretch(duration_s=30), ended_s=12.0, interrupted="SIGTERM"), quantile=0.99)
    assert compact["quantile"] == 0.99
    assert compact["slo_ms"] == SLO_MS
    assert (compact["run"]["interrupted"], compact["run"]["duration_s"]) == ("SIGTERM", 12.0)
