# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import math
import random

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.histogram import (
    MAX_US,
    SIZE,
    Histogram,
    index,
    merged,
    value_at,
)


def histogram_of(latencies):
    histogram = Histogram()
    for latency in latencies:
        histogram.record(latency)
    return histogram


def latencies(seed, count=4000):
    chance = random.Random(seed)
    return [round(chance.lognormvariate(11, 1.5)) for sample in range(count)]


def exact(values, fraction):
    return sorted(values)[math.ceil(round(fraction * len(values), 6)) - 1]


@pytest.mark.parametrize("us", [0, 1, 1023, 1024, 2047, 2048, 2049, 4095, 4096, 65_535, 10**6, 10**9 + 7, MAX_US - 1, MAX_US])
def test_a_value_lies_in_its_bucket_and_the_bucket_is_narrow(us):
    place = index(us)
    assert us <= value_at(place)
    assert value_at(place) - us <= us / 1024
    assert place == 0 or value_at(place - 1) < us


def test_buckets_touch_each_other_without_gap():
    edges = [value_at(place) for place in range(SIZE)]
    assert edges[:2050] == [*range(2048), 2049, 2051]
    assert all(index(edge) == place and index(edge + 1) == place + 1 for place, edge in enumerate(edges[:-1]))


@pytest.mark.parametrize("fraction", [0.001, 0.5, 0.95, 0.99, 0.999, 1.0])
def test_a_percentile_is_within_a_thousandth_above_the_exact_one(fraction):
    values = latencies(1)
    told = histogram_of(values).percentile(fraction)
    assert exact(values, fraction) <= told <= exact(values, fraction) * 1.001


@pytest.mark.parametrize("fraction", [0.5, 0.95, 0.99, 0.999])
def test_eight_generators_merged_equal_one_that_saw_everything(fraction):
    parts = [latencies(seed) for seed in range(7)] + [[value * 10 for value in latencies(8)]]
    everything = [value for part in parts for value in part]
    together = merged(histogram_of(part) for part in parts)
    assert together.to_document() == histogram_of(everything).to_document()
    assert together.percentile(fraction) == pytest.approx(exact(everything, fraction), rel=0.001)


def test_least_greatest_and_mean_are_exact():
    values = latencies(3)
    histogram = histogram_of(values)
    assert (histogram.min_us, histogram.max_us, histogram.count) == (min(values), max(values), len(values))
    assert histogram.mean_us == sum(values) / len(values)
    assert histogram.percentile(1.0) == max(values)


def test_zero_is_a_latency_and_the_least_one():
    assert histogram_of([0, 7]).min_us == histogram_of([7, 0]).min_us == 0
    assert histogram_of([0, 0]).count == 2
    assert merged([Histogram(), histogram_of([7])]).min_us == 7


def test_more_than_an_hour_is_kept_as_the_greatest():
    histogram = histogram_of([MAX_US * 2])
    assert histogram.max_us == MAX_US * 2
    assert histogram.count_above(MAX_US - 10**7) == 1


@pytest.mark.parametrize("first", [0, 5])
def test_what_a_hot_path_counted_itself_is_accounted_for(first):
    histogram = histogram_of([first, 9])
    for latency in (3, 12_345):
        histogram.counts[index(latency)] += 1
    histogram.extend(3, 12_345, 12_348)
    assert histogram.to_document() == histogram_of([first, 9, 3, 12_345]).to_document()


def test_a_negative_latency_is_refused():
    with pytest.raises(ValueError, match="-1 us"):
        Histogram().record(-1)


@pytest.mark.parametrize(("us", "above"), [(0, 5), (1, 4), (2047, 2), (5000, 1), (10**9, 0)])
def test_count_above_an_edge_is_exact(us, above):
    assert histogram_of([1, 2, 2047, 3000, 9000]).count_above(us) == above


def test_count_above_within_a_bucket_is_never_too_few():
    histogram = histogram_of([1_000_000])
    assert histogram.count_above(1_000_000) == 1, "the bucket reaches above the value"
    assert histogram.count_above(value_at(index(1_000_000))) == 0


def test_a_document_reads_back_as_written():
    document = json.loads(json.dumps(histogram_of(latencies(5)).to_document()))
    assert Histogram.from_document(document).to_document() == document
    assert Histogram.from_document(Histogram().to_document()).count == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"unit": "ms"}, "unit 'ms'"),
        ({"significant": 3}, "significant 3"),
        ({"count": 3}, "count is 3, but the buckets hold 2"),
        ({"count": True}, "count is True"),
        ({"min_us": -1}, "min_us is -1"),
        ({"min_us": 3}, "not in the first and last bucket"),
        ({"max_us": 99}, "not in the first and last bucket"),
        ({"sum_us": 10**9}, "sum_us"),
        ({"buckets": {}}, "no list"),
        ({"buckets": [[2, 1], [2, 1]]}, "ascending"),
        ({"buckets": [[2, 1], [SIZE, 1]]}, "ascending"),
        ({"buckets": [[2, 1], [8.0, 1]]}, "whole numbers"),
        ({"buckets": [[2, 1], [8, 0]]}, "above 0"),
        ({"extra": 1}, "members"),
    ],
)
def test_a_document_that_was_never_written_is_refused(change, told):
    document = {**histogram_of([2, 8]).to_document(), **change}
    with pytest.raises(ValueError, match=told):
        Histogram.from_document(document)


def test_nothing_has_no_percentile():
    with pytest.raises(ValueError, match="of 0 latencies"):
        Histogram().percentile(0.95)
    with pytest.raises(ValueError, match="95"):
        histogram_of([1]).percentile(95)


def test_many_at_once_are_counted_like_one_by_one():
    together, single = Histogram(), Histogram()
    for batch in ([], [5, 3, 2_000_000], [0], [7_200_000_000, 1]):
        together.record_all(batch)
        for us in batch:
            single.record(us)
    assert together.to_document() == single.to_document()
    with pytest.raises(ValueError, match="-1 us"):
        together.record_all([4, -1])
    assert together.count == single.count
