# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments of capacity_check: what is out of range is named, with where it is and what was expected."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.capacity import inputs
from ansible_collections.hypergraph.sidecar.plugins.module_utils.capacity.model import ServiceTime
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError

WORKLOAD = {"base_chat_rate": 2.0, "peak_chat_rate": 40.0, "base_attach_rate": 0.1, "peak_attach_rate": 0.3, "token_fraction": 0.2}
EXPLAINER = {"name": "explainer", "granularities": ["sentence", "token"], "concurrency": 4, "min_replicas": 1, "max_replicas": 6}
TIME = {"mean_seconds": 0.5, "p95_seconds": 0.8}


def said(read: Any, *arguments: Any) -> str:
    with pytest.raises(CheckError) as fault:
        read(*arguments)
    assert fault.value.reason_code == "bad-argument"
    assert fault.value.action
    return fault.value.reason


def test_what_is_left_out_has_its_default() -> None:
    workload = inputs.read_workload({**WORKLOAD, "burst_factor": None, "slo_seconds": {"sentence": 2, "token": None}})
    assert (workload.burst_factor, workload.burst_seconds, workload.slo("sentence"), workload.slo("token")) == (1.0, 0.0, 2.0, None)
    (one,) = inputs.read_explainers([{"name": "explainer", "granularities": ["token", "sentence"]}])
    assert one.left_to_chart == ["concurrency", "min_replicas", "max_replicas"]
    assert inputs.read_service_times({"sentence": None}) == {}
    assert inputs.read_service_times({"token": {**TIME, "samples": 7}}) == {"token": ServiceTime(0.5, 0.8)}
    measured = inputs.read_service_times({"token": {**TIME, "basis": "measured", "samples": 7, "origin": "a load run"}})
    assert measured == {"token": ServiceTime(0.5, 0.8, "measured", 7, "a load run")}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"peak_chat_rate": None}, "workload has no peak_chat_rate"),
        ({"base_chat_rate": -1.0}, "workload.base_chat_rate is -1, expected from 0 to 1e+09"),
        ({"peak_chat_rate": math.nan}, "workload.peak_chat_rate is nan, expected a finite number"),
        ({"peak_chat_rate": math.inf}, "workload.peak_chat_rate is inf, expected a finite number"),
        ({"peak_chat_rate": True}, "workload.peak_chat_rate is True, expected a finite number"),
        ({"base_chat_rate": 0.0, "peak_chat_rate": 0.0}, "workload.peak_chat_rate is 0, expected more"),
        ({"base_chat_rate": 41.0}, "workload.base_chat_rate is 41, above peak_chat_rate 40"),
        ({"base_attach_rate": 0.4}, "workload.base_attach_rate is 0.4, above peak_attach_rate 0.3"),
        ({"peak_attach_rate": 30.0}, "workload.peak_attach_rate is 30, expected from 0 to 1"),
        ({"token_fraction": 1.01}, "workload.token_fraction is 1.01, expected from 0 to 1"),
        ({"burst_factor": 0.5}, "workload.burst_factor is 0.5, expected from 1 to 1e+09"),
        ({"burst_seconds": -5.0}, "workload.burst_seconds is -5, expected from 0"),
        ({"slo_seconds": {"token": 0.0}}, "workload.slo_seconds.token is 0, expected more than 0"),
    ],
)
def test_a_bad_workload_is_named(changes: dict[str, Any], says: str) -> None:
    assert said(inputs.read_workload, {**WORKLOAD, **changes}).startswith(says)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mean_seconds": 0.0}, "service_times.token.mean_seconds is 0, expected more than 0"),
        ({"p95_seconds": -1.0}, "service_times.token.p95_seconds is -1, expected from 0"),
        ({"p95_seconds": None}, "service_times.token has no p95_seconds"),
        ({"mean_seconds": 0.9}, "service_times.token.p95_seconds is 0.8, below mean_seconds 0.9"),
        ({"basis": "measured"}, "service_times.token is said to be measured, without the number of samples"),
        ({"basis": "measured", "samples": -1}, "service_times.token.samples is -1, expected from 0"),
    ],
)
def test_a_bad_service_time_is_named(changes: dict[str, Any], says: str) -> None:
    assert said(inputs.read_service_times, {"token": {**TIME, **changes}}).startswith(says)


def test_a_measured_mean_above_the_p95_is_taken_as_it_is() -> None:
    times = inputs.read_service_times({"token": {"mean_seconds": 2.0, "p95_seconds": 1.0, "basis": "measured", "samples": 100}})
    assert times["token"].conservative == 2.0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": " "}, "an entry of explainers has no name"),
        ({"granularities": []}, "explainers[explainer] has no granularities"),
        ({"concurrency": 0}, "explainers[explainer].concurrency is 0, expected from 1"),
        ({"concurrency": 2.5}, "explainers[explainer].concurrency is 2.5, expected a whole number"),
        ({"min_replicas": -1}, "explainers[explainer].min_replicas is -1, expected from 0"),
        ({"max_replicas": 0}, "explainers[explainer].max_replicas is 0, expected from 1"),
        ({"min_replicas": 7}, "explainers[explainer].min_replicas is 7, above max_replicas 6"),
        ({"backlog_seconds_target": -0.1}, "explainers[explainer].backlog_seconds_target is -0.1, expected from 0"),
        ({"cold_start_seconds": math.nan}, "explainers[explainer].cold_start_seconds is nan, expected a finite number"),
    ],
)
def test_a_bad_explainer_is_named(changes: dict[str, Any], says: str) -> None:
    assert said(inputs.read_explainers, [{**EXPLAINER, **changes}]).startswith(says)


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([("a", ["sentence"])], "explainers that serve token: none, expected exactly one"),
        ([("a", ["sentence", "token"]), ("b", ["token"])], "explainers that serve token: a, b, expected exactly one"),
        ([("a", ["sentence"]), ("a", ["token"])], "explainers names a more than once"),
    ],
)
def test_each_granularity_is_served_by_one(entries: list[tuple[str, list[str]]], says: str) -> None:
    assert said(inputs.read_explainers, [{"name": name, "granularities": granularities} for name, granularities in entries]) == says


@pytest.mark.parametrize(
    ("utilisation", "slack", "says"),
    [
        (0.0, 0.2, "target_utilisation is 0, expected more than 0"),
        (1.2, 0.2, "target_utilisation is 1.2, expected from 0 to 1"),
        (0.7, -0.1, "slack is -0.1, expected from 0 to 10"),
        (0.7, math.nan, "slack is nan, expected a finite number"),
    ],
)
def test_bad_margins_are_named(utilisation: float, slack: float, says: str) -> None:
    assert said(inputs.read_margins, {"target_utilisation": utilisation, "slack": slack}) == says


def test_margins_at_their_bounds_are_taken() -> None:
    assert inputs.read_margins({"target_utilisation": 1.0, "slack": 0.0}) == inputs.Margins(1.0, 0.0)
