# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Histograms: agreement with themselves, and buckets around an objective."""

from __future__ import annotations

import math

import pytest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from ansible_collections.hypergraph.sidecar.plugins.module_utils.metrics.histograms import bounds, inconsistencies, missed


def took(*stages: tuple[str, list[tuple[str, float]]]) -> Metric:
    """A histogram family with the cumulative buckets of each stage; its count is the last of them."""
    family = HistogramMetricFamily("took_seconds", "Time.", labels=["stage"])
    for stage, buckets in stages:
        family.add_metric([stage], buckets=buckets, sum_value=1.0)
    return family


@pytest.mark.parametrize(
    ("buckets", "problem"),
    [
        ([("1", 1), ("2", 1), ("+Inf", 3)], ""),
        ([("+Inf", 0)], ""),
        ([("1", 2), ("2", 1), ("+Inf", 3)], "less than the one below"),
        ([("10", 2), ("9", 1), ("+Inf", 3)], ""),
        ([("1", math.nan), ("2", 1), ("+Inf", 3)], "or no number"),
        ([("1", math.nan), ("+Inf", math.nan)], "or no number"),
        ([("+Inf", math.nan)], "the +Inf bucket is nan"),
    ],
)
def test_buckets_are_cumulative(buckets: list[tuple[str, float]], problem: str) -> None:
    found = inconsistencies(took(("decode", [("1", 1), ("+Inf", 1)]), ("persist", buckets)))
    assert len(found) == bool(problem)
    assert all("took_seconds{stage=persist}" in said and problem in said for said in found)


@pytest.mark.parametrize(
    ("drop", "problem"),
    [("+Inf", "no +Inf bucket"), ("_count", "the count missing"), ("_bucket", "no +Inf bucket")],
)
def test_what_a_histogram_cannot_do_without(drop: str, problem: str) -> None:
    family = took(("persist", [("1", 1), ("+Inf", 1)]))
    family.samples = [s for s in family.samples if s.labels.get("le") != drop and not s.name.endswith(drop)]
    assert problem in inconsistencies(family)[0]


def test_a_family_of_which_only_creation_times_are_left_is_no_contradiction() -> None:
    family = Metric("took_seconds", "Time.", "histogram")
    family.add_sample("took_seconds_created", {}, 1.0)
    assert inconsistencies(family) == []


def test_bounds_are_those_that_every_stage_has() -> None:
    family = took(("decode", [("1", 1), ("2", 1), ("+Inf", 1)]), ("persist", [("2", 1), ("4", 1), ("+Inf", 1)]))
    assert bounds(family.samples) == [2.0]
    assert bounds([]) == []


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([0.5, 1.5, 2.0, 3.5, 8.0], []),
        ([1.0, 2.5, 5.0, 10.0], []),
        ([0.5, 1.0, 2.5, 5.0, 7.5, 10.0], []),
        ([5, 10, 25, 50, 100, 500, 1500, 2000, 3500, 8000], [1.5, 2.0, 3.5]),
        ([500, 1500, 2000, 3500, 8000], [1.5, 2.0, 3.5, 8.0]),
        ([0.1, 10.0], [1.5, 2.0, 3.5, 8.0]),
        ([1.0, 2.0, 4.0], [8.0]),
        ([], [1.5, 2.0, 3.5, 8.0]),
    ],
)
def test_objectives_that_buckets_cannot_show(known: list[float], expected: list[float]) -> None:
    assert missed((1.5, 2.0, 3.5, 8.0), known) == expected
