# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A common start by clocks that differ: what is known of them, and that a run begins at the true moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import repeat
from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load import clock
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.engine import Run, run
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.runs import WRITER, arguments, planned
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.service import CHAT, Request, answer, saying, serving


class Wire:
    """True time, the clock here, and one there that is ahead; each question takes a way there and a way back."""

    def __init__(self, ahead: float, ways: Iterator[tuple[float, float]]) -> None:
        self.true = 1_800_000_000.0
        self.ahead = ahead
        self._ways = ways

    def now(self) -> float:
        return self.true

    def ask(self) -> float | None:
        there, back = next(self._ways)
        self.true += there
        said = self.true + self.ahead
        self.true += back
        return said


@pytest.mark.parametrize("ahead", [0.0, -3600.0, 86400.25, 0.004])
@pytest.mark.parametrize(
    ("ways", "uncertainty_ms"),
    [
        ([(0.05, 0.05)] * clock.READINGS, 50),
        # Most of the time goes by before the clock is read, as over SSH.
        ([(0.6, 0.01)] * clock.READINGS, 305),
        # The shortest ways of different questions bound it together.
        ([(0.002, 0.4), (0.3, 0.001), (0.2, 0.2), (0.2, 0.2), (0.2, 0.2)], 1.5),
    ],
)
def test_the_truth_is_within_the_bounds(ahead: float, ways: list[tuple[float, float]], uncertainty_ms: float) -> None:
    wire = Wire(ahead, iter(ways))
    found = clock.measured(wire.ask, wire.now)
    assert found is not None
    assert found.uncertainty_ms == pytest.approx(uncertainty_ms, abs=0.01)
    assert abs(found.ms - ahead * 1000) <= found.uncertainty_ms + 0.01


def test_a_clock_that_tells_nothing_or_is_set_meanwhile_is_not_known() -> None:
    assert clock.measured(lambda: None, time.time) is None
    wire = Wire(0.0, repeat((0.01, 0.01)))

    def jumping() -> float | None:
        wire.ahead += 2.0
        return wire.ask()

    assert clock.measured(jumping, wire.now) is None


def test_one_answer_of_many_is_enough() -> None:
    wire = Wire(5.0, repeat((0.01, 0.03)))
    said = iter([False, False, True, False, False])
    found = clock.measured(lambda: wire.ask() if next(said) else None, wire.now)
    assert found == clock.Offset(pytest.approx(4990), pytest.approx(20))


def test_what_is_not_known_well_enough_is_a_problem() -> None:
    assert clock.problem(999.0) is None
    assert "±1001 ms, expected ±1000 ms" in (clock.problem(1001.0) or "")
    assert "could not be read" in (clock.problem(None) or "")


@pytest.mark.parametrize("ahead_s", [0.0, 3600.0, -3600.0])
def test_a_run_begins_at_the_true_moment_whatever_its_clock_says(ahead_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This host's clock is set wrong, the controller's is right."""
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() + ahead_s)
    start = true() + 0.5
    told = arguments(directory=str(tmp_path), start_at=start, clock_offset_ms=ahead_s * 1000, clock_uncertainty_ms=1.0)
    came: list[float] = []

    async def script(_request: Request, writer: asyncio.StreamWriter) -> None:
        came.append(true())
        writer.write(answer(CHAT))

    with serving(script) as service:
        spoken = Connection(service.url, (WRITER,))
        summary = run(planned(spoken, load_model="open", rate=50.0, duration=0.3), spoken, Run.told(told))
    # Neither at once, nor in an hour; and it says when by the clock that the others have.
    assert min(came) >= start
    began = datetime.fromisoformat(summary["run"]["started_at"].replace("Z", "+00:00")).timestamp()
    assert start <= began <= true()
    (generator,) = summary["generators"]
    assert (generator["clock_offset_ms"], generator["clock_uncertainty_ms"]) == (ahead_s * 1000, 1.0)
    assert not [problem for problem in generator["problems"] if "clock" in problem]


@pytest.mark.parametrize(("uncertainty_ms", "said"), [(None, "could not be read"), (1500.0, "known to ±1500 ms")])
def test_with_a_clock_not_known_a_common_start_is_no_good(uncertainty_ms: float | None, said: str, tmp_path: Path) -> None:
    told = arguments(directory=str(tmp_path), start_at=time.time(), clock_uncertainty_ms=uncertainty_ms)
    with serving(saying(answer(CHAT))) as service:
        spoken = Connection(service.url, (WRITER,))
        summary = run(planned(spoken, duration=0.1), spoken, Run.told(told))
    (generator,) = summary["generators"]
    assert not generator["healthy"]
    assert any(said in problem for problem in generator["problems"])
