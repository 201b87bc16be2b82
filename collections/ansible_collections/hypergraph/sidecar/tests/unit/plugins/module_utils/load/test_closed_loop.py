# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a closed loop with a limited rate sends, on a clock that the test turns."""

from __future__ import annotations

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load import closed_loop
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.closed_loop import ClosedLoop
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.runs import planned

MS = 1_000_000
BEGAN = 5_000_000 * MS


class Callers:
    """The callers of a closed loop, each answered so many milliseconds after it asked; ``sent`` says when, in milliseconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answered_after: int, **told: Any) -> None:
        self.now, self.alarm = BEGAN, 0
        self.sent: list[float] = []
        self._answered_after = answered_after
        self._answers: deque[int] = deque()
        plan = planned(load_model="closed", **told)
        self.pool = SimpleNamespace(idle=deque(range(plan.concurrency)), below_limit=True, channels=[], limit=1, resize=lambda _count: None)
        self._monkeypatch = monkeypatch
        self.loop = ClosedLoop(plan, self.pool, self._launch)  # type: ignore[arg-type]
        self._ends = [BEGAN + int(phase.ends_s * 1000) * MS for phase in plan.phases]

    def _at(self, moment_ns: int) -> None:
        self.alarm = moment_ns

    def _launch(self, _channel: int, started_ns: int, _delay_us: int, _phase: int) -> None:
        self.sent.append((started_ns - BEGAN) / MS)
        self._answers.append(started_ns + self._answered_after * MS)

    def run(self) -> None:
        """From the beginning to the end of the last phase."""
        self.begin()
        for place, end in enumerate(self._ends):
            if place:
                self.loop.enter(place)
            while (event := min([*self._answers, *([self.alarm] if self.alarm > self.now else [])], default=end)) < end:
                self.now = event
                if self._answers and self._answers[0] <= event:
                    self._answers.popleft()
                    self.pool.idle.append(0)
                    self.loop.released()
                else:
                    self.loop.due()
            self.now = end
        self.loop.stop()

    def begin(self) -> None:
        """Begin to send, by this clock."""
        timer = SimpleNamespace(at=self._at, close=lambda: None, kind="by hand")
        self._monkeypatch.setattr(closed_loop, "monotonic_ns", lambda: self.now)
        self._monkeypatch.setattr(closed_loop, "Timer", lambda _loop, _due: timer)

        async def start() -> None:
            self.loop.start(BEGAN)

        asyncio.run(start())


@pytest.mark.parametrize("rates", [{"warmup": 1.0, "duration": 2.0}, {"ramp": 2.0, "duration": 1.0}])
def test_generators_that_take_turns_send_when_one_of_their_rates_together_would(
    rates: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    several = [Callers(monkeypatch, 1, rate=50.0, concurrency=8, stagger=turn / 4, **rates) for turn in range(4)]
    sent = []
    for callers in several:
        callers.run()
        sent += callers.sent
    alone = Callers(monkeypatch, 1, rate=200.0, concurrency=8, **rates)
    alone.run()
    assert sorted(sent) == pytest.approx(alone.sent, abs=0.01)


def test_a_ramp_from_nothing_follows_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    callers = Callers(monkeypatch, 1, rate=100.0, ramp=2.0, duration=0.5)
    callers.run()
    # The integral of a rate that rises from 0 to 100 in two seconds: 25 t².
    assert [sum(moment < until for moment in callers.sent) for until in (500, 1000, 1500, 2000)] == pytest.approx(
        [6.25, 25, 56.25, 100], abs=1
    )


def test_who_waits_for_an_answer_is_not_late(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Callers(monkeypatch, 300, rate=20.0, concurrency=1, duration=3.0)
    slow.run()
    assert slow.sent == pytest.approx([300.0 * number for number in range(10)], abs=0.01)
    assert slow.loop.send_error.max_us < 1000, "nothing was due before it could be sent"


def test_what_the_generator_is_late_by_itself_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    callers = Callers(monkeypatch, 1, rate=20.0, concurrency=2, duration=1.0)
    callers.begin()
    callers.now += 80 * MS
    callers.loop.due()
    assert callers.loop.send_error.max_us == pytest.approx(30_000, rel=0.01)
