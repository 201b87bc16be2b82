# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments fill their time, take their attach rates in turn, and can be driven as they are."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.soak.profiles import PROFILES, segments
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.runs import planned


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("seconds", [10.0, 600.0])
def test_phases_fill_the_segment_and_are_a_plan_of_the_load_engine(name: str, seconds: float) -> None:
    for segment in segments(PROFILES[name], 6, seconds, 20.0):
        plan = planned(load_model="open", phases=segment["phases"])
        assert plan.duration_s == pytest.approx(seconds, abs=0.01)
        assert all(phase.rate_per_s for phase in plan.phases)
        assert [phase.kind for phase in plan.phases].count("warmup") == 1


def test_attach_rates_come_in_turn_and_tokens_in_bursts() -> None:
    found = segments(PROFILES["default"], 6, 600.0, 20.0)
    assert [segment["attach_rate"] for segment in found] == [0.1, 0.3, 0.5, 0.1, 0.3, 0.5]
    assert [segment["name"] for segment in found if segment["phases"][-1]["name"] == "tokens"] == ["0003", "0006"]
    burst = found[2]["phases"][-1]
    assert (burst["kind"], burst["granularity"], burst["duration"], burst["rate"]) == ("burst", "token", 60.0, 20.0)


def test_profiles_differ_as_they_say() -> None:
    heavy, spiky = (segments(PROFILES[name], 2, 600.0, 20.0) for name in ("heavy", "spiky"))
    assert heavy[0]["phases"][1]["rate"] == 30.0
    assert [phase["name"] for phase in spiky[0]["phases"]] == ["warmup", "steady-1", "spike-1", "steady-2", "spike-2", "steady-3"]
    assert [phase["rate"] for phase in spiky[0]["phases"][1:4]] == [14.0, 42.0, 14.0]
