# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting in constant memory."""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load import measures
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.backpressure import Ladder
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.health import Health
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.histogram import MAX_US, SIZE, Histogram
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.measures import MAX_POINTS, Folded, Measured, Series
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.tally import Tally


def test_counts_of_a_long_run_stay_bounded_and_complete() -> None:
    folded = Folded(2)
    for second in range(5 * MAX_POINTS + 3):
        folded.add(second, 1)
        assert len(folded.columns[0]) <= MAX_POINTS
    assert folded.width_s == 8
    assert sum(folded.columns[1]) == 5 * MAX_POINTS + 3
    assert folded.columns[1][:-1] == [8] * (len(folded.columns[1]) - 1)
    assert folded.columns[0][0] == sum(range(8))
    assert sum(folded.columns[0]) == sum(range(5 * MAX_POINTS + 3))


def test_percentiles_are_within_a_thousandth_and_their_intervals_hold_them() -> None:
    source = random.Random(3)
    latencies = [int(source.lognormvariate(11, 0.8)) for _draw in range(5000)]
    measured = Measured("steady", 100_000, Series())
    for latency in latencies:
        measured.good(latency)
    document = measured.document()
    ordered = sorted(latencies)
    for name, rank in (("p50", 2500), ("p95", 4750), ("p99", 4950), ("p999", 4995)):
        exact = ordered[rank - 1] / 1000
        assert exact <= document["latency_ms"][name] <= exact * 1.001
    assert document["latency_ms"]["max"] == ordered[-1] / 1000
    assert document["latency_ms"]["mean"] == pytest.approx(sum(latencies) / 5_000_000)
    assert document["exceeding"] == sum(latency > 100_000 for latency in latencies)
    for name in ("p50", "p95", "p99"):
        low, high = document["intervals_ms"][name]
        assert low < document["latency_ms"][name] < high


def test_latencies_are_counted_in_the_buckets_of_the_histogram() -> None:
    edges = [edge + beside for edge in (1 << power for power in range(1, 32)) for beside in (-1, 0, 1)]
    latencies = [*edges, 2047, 2048, MAX_US]
    expected = Histogram()
    expected.record_all(latencies)
    measured = Measured("steady", 500, Series())
    for latency in latencies:
        measured.good(latency)
    assert measured.document()["histogram"] == expected.to_document()
    assert measured.series.window == [sum(expected.counts[place : place + 32]) for place in range(0, SIZE, 32)]


def test_errors_exceed_and_timeouts_are_censored() -> None:
    measured = Measured("steady", 500, Series())
    for latency in (100, 501, 500):
        measured.good(latency)
    for error in ("timeout", "reset", "unfinished", "reset"):
        measured.bad(error)
    document = measured.document()
    assert (document["count"], document["ok"], document["exceeding"], document["censored"]) == (7, 3, 5, 2)
    assert document["errors"] == {"timeout": 1, "reset": 2, "unfinished": 1}


def test_stragglers_of_a_phase_count_in_its_last_batch() -> None:
    measured = Measured("a", 500, Series())
    for second in range(3):
        measured.good(10 + second)
        measured.second_over(current=True)
    measured.second_over(current=False)
    measured.bad("reset")
    measured.second_over(current=False)
    assert measured.document()["batches"] == {"width_s": 1.0, "count": [1, 1, 2], "exceeding": [0, 0, 1]}
    measured.good(600)
    assert measured.document()["batches"]["count"] == [1, 1, 3]


def test_series_of_classes_are_in_step_and_show_each_second() -> None:
    tally = Tally(["a"], {"chat": 0.5, "sentence": 1.0, "token": 1.0})
    for second in range(4):
        for _request in range(10 * second):
            tally.measured("chat", 0).good(1000 * (second + 1))
        if second == 2:
            tally.measured("sentence", 0).bad("trace_failed")
        tally.second_over(0)
    series = tally.series()
    assert series["chat"]["count"] == [0, 10, 20, 30]
    assert series["sentence"]["errors"][-2:] == [1, 0]
    assert len(series["sentence"]["count"]) == len(series["chat"]["count"])
    assert series["chat"]["p95_ms"][-1] == pytest.approx(4.0, rel=1 / 16)
    assert series["sentence"]["p50_ms"][-1] is None
    assert tally.ended() == (60, 0)


@pytest.fixture
def eight_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fold at eight slots, as long runs do at 3600."""
    monkeypatch.setattr(measures, "MAX_POINTS", 8)


@pytest.mark.usefixtures("eight_slots")
@pytest.mark.parametrize("seconds", range(1, 64))
def test_a_series_that_folds_keeps_the_distribution_of_what_it_joins(seconds: int) -> None:
    series = Series()
    for second in range(seconds):
        series.window[second] += 1
        series.second_over((second + 1, 0, 0))
    document = series.document()
    width = int(document["width_s"])
    assert sum(document["count"]) == seconds
    assert lengths(document) == {-(-seconds // width)}
    lasts = [min(begin + width, seconds) - 1 for begin in range(0, seconds, width)]
    assert document["p95_ms"] == [(32 * last + 31) / 1000 for last in lasts]


@pytest.mark.usefixtures("eight_slots")
@pytest.mark.parametrize("before", range(1, 18))
def test_a_class_that_begins_late_stays_in_step_over_every_fold(before: int) -> None:
    first = Series()
    for second in range(before):
        first.second_over((second + 1, 0, 0))
    late = Series.beside(first)
    for second in range(80):
        late.window[40] += 1
        first.second_over((before + second + 1, 0, 0))
        late.second_over((second + 1, 0, 0))
        document = late.document()
        assert lengths(document) == lengths(first.document()) == {len(document["count"])}
        assert [level is not None for level in document["p50_ms"]] == [count > 0 for count in document["count"]]


def lengths(document: dict[str, Any]) -> set[int]:
    return {len(document[column]) for column in ("count", "exceeding", "errors", "p50_ms", "p95_ms")}


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        (None, None),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str | None, seconds: float | None) -> None:
    ladder = Ladder()
    ladder.refused(said)
    assert ladder.document() == {"429": 1, "retry_after_s": {"min": seconds, "max": seconds, "missing": int(seconds is None)}}


@pytest.mark.parametrize(
    ("waits", "least", "most"),
    [
        ([30], 30, 30),
        # Both moments are cut off to whole seconds, each at its own time.
        ([1, 0, 1], 1, 1),
        ([300, 301, 300], 300, 300),
        ([5, 40], 5, 39),
        # But not by chance in every answer.
        ([0, 0, 0], 0, 0),
        ([301, 301], 301, 301),
        ([1, -1], 0, 0),
        ([-60], 0, 0),
    ],
)
@pytest.mark.parametrize("clock", [datetime(2026, 11, 21, 11, tzinfo=timezone.utc), datetime(1996, 2, 29, tzinfo=timezone.utc)])
def test_a_date_to_ask_again_at_is_held_against_the_service_s_own_clock(
    waits: list[int], least: float, most: float, clock: datetime
) -> None:
    ladder = Ladder()
    for wait in waits:
        ladder.refused(format_datetime(clock + timedelta(seconds=wait), usegmt=True), format_datetime(clock, usegmt=True))
    assert ladder.document()["retry_after_s"] == {"min": least, "max": most, "missing": 0}


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sat, 99 Nov 2026 11:00:00 GMT"])
def test_without_a_date_of_the_answer_the_generator_s_clock_counts(date: str | None) -> None:
    ladder = Ladder()
    ladder.refused(format_datetime(datetime.now(timezone.utc) + timedelta(hours=1), usegmt=True), date)
    ladder.refused("7200", date)
    found = ladder.document()["retry_after_s"]
    assert 3500 < found["min"] <= 3601
    assert found["max"] == 7200


def test_a_date_of_the_old_form_is_in_utc_wherever_the_generator_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        ladder = Ladder()
        ladder.refused("Sat Nov 21 11:00:20 2026", "Sat, 21 Nov 2026 11:00:00 GMT")
        assert ladder.document()["retry_after_s"] == {"min": 20, "max": 20, "missing": 0}
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("objective_ms", "lag_ms", "send_ms", "dropped", "said"),
    [
        (500, 1, 1, 0, ""),
        (500, 49, 24, 0, ""),
        (500, 51, 1, 0, "event loop was late by 51 ms (p99), expected at most 50 ms"),
        (500, 1, 26, 0, "sent requests 26 ms late (p99), expected at most 25 ms"),
        (5000, 490, 240, 0, ""),
        (50, 9, 9, 0, ""),
        (50, 11, 1, 0, "expected at most 10 ms"),
        (50, 1, 11, 0, "expected at most 10 ms"),
        (500, 1, 1, 2, "dropped 2 of 1000"),
    ],
)
def test_a_generator_that_did_not_keep_up_says_why(objective_ms: float, lag_ms: int, send_ms: int, dropped: int, said: str) -> None:
    health = Health("uvloop", objective_ms, None)
    health.begin()
    for _tick in range(10):
        health.lag.record(lag_ms * 1000)
    offered = {"planned": 1000, "dropped": dropped, "send_error_us": {"p50": 1.0, "p99": send_ms * 1000.0, "max": 1.0}}
    health._share = 0.1
    document = health.document(offered, "timerfd", [])
    assert document["healthy"] == (not said)
    assert all(said in problem for problem in document["problems"])
    health._share = 0.99
    assert any("99% of a processor" in problem for problem in health.document(offered, "timerfd", [])["problems"])
