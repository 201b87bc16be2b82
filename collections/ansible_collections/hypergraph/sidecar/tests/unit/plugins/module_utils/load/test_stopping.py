# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that end as soon as they are decided: what decides them, and that nothing that was due is left out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.stopping import StopEarly
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.runs import drive, planned, total
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.service import Request, explaining, serving
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.summaries import steady, summary

BOUNDS = {"quantile": 0.95, "confidence": 0.95, "correlation_seconds": 1.0}
BRIEF = {**BOUNDS, "correlation_seconds": 0.05}
SLOW = {"load_model": "open", "rate": 50.0, "duration": 60.0, "stop_early": BRIEF}


@pytest.mark.parametrize(
    ("seconds", "slow", "decided"),
    [(30, 0.0, False), (240, 0.0, True), (240, 0.045, False), (240, 0.2, True)],
    ids=["too short to know", "surely kept", "near the limit", "surely broken"],
)
def test_a_run_is_decided_where_its_bounds_say_so(seconds: int, slow: float, decided: bool) -> None:
    assert StopEarly.of(BOUNDS).decides(summary({"chat": {"steady": steady(1, seconds, slow=slow)}})) is decided


def test_it_goes_on_while_any_class_is_undecided() -> None:
    few = summary({"chat": {"steady": steady(2, 240)}, "sentence": {"steady": steady(3, 20, rate=1, slo_ms=2000)}})
    assert not StopEarly.of(BOUNDS).decides(few)


def test_a_run_that_keeps_its_objective_ends_early_and_was_not_interrupted(tmp_path: Path) -> None:
    with serving(explaining()) as service:
        found = drive(service.url, tmp_path, **SLOW)
    assert found["run"]["interrupted"] is None
    assert found["run"]["duration_s"] < 60
    assert found["plan"]["stop_early"] == BRIEF
    assert found["offered"]["planned"] == total(found)["count"] + found["offered"]["dropped"]


def test_what_was_due_when_it_was_decided_is_counted(tmp_path: Path) -> None:
    async def never(_request: Request, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(600)

    with serving(never) as service:
        found = drive(service.url, tmp_path, timeout=2.0, concurrency=2, **SLOW)
    counted = total(found)["count"] + found["offered"]["dropped"]
    assert found["run"]["duration_s"] < 60
    assert counted == found["offered"]["planned"] == pytest.approx(50 * found["run"]["duration_s"], rel=0.02)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ramp": 1.0}, "the phases judged are ramp, steady, expected one, which is the last"),
        ({"start_at": 1.0}, "one of several that begin together"),
        ({"stop_early": {**BOUNDS, "quantile": 1.5}}, "stop_early.quantile is 1.5, expected 0.5 to 0.9999"),
    ],
)
def test_what_cannot_be_stopped_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckError, match=said.replace(".", "[.]")):
        planned(**{"stop_early": BOUNDS, **changes})
