# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is counted in a run, by class and phase; filled by the engine as it goes, or from the records afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .measures import Measured, Series
from .plan import CHAT, CLASSES, Plan


class Tally:
    """Counts of a run under a plan. What nothing was asked of is not there."""

    def __init__(self, phases: list[str], slo_ms: dict[str, float]) -> None:
        self._phases = phases
        self._slo_us = {name: int(slo_ms[name] * 1000) for name in CLASSES}
        self._measured: dict[tuple[str, int], Measured] = {}
        # There from the first second on, so that those of other classes can begin in step with it.
        self._series: dict[str, Series] = {CHAT: Series()}

    @classmethod
    def of(cls, plan: Plan) -> Tally:
        """An empty one for a plan."""
        return cls([phase.name for phase in plan.phases], dict(plan.slo_ms))

    def measured(self, name: str, phase: int) -> Measured:
        """What a class is counted in during a phase."""
        key = (name, phase)
        if key not in self._measured:
            self._measured[key] = Measured(self._phases[phase], self._slo_us[name], self._series_of(name))
        return self._measured[key]

    def second_over(self, phase: int) -> None:
        """Close a second of the run; ``phase`` is the position of the phase it was in, or one beyond the last."""
        seen = {name: [0, 0, 0] for name in self._series}
        for (name, position), measured in self._measured.items():
            measured.second_over(position == phase)
            seen[name] = [total + count for total, count in zip(seen[name], measured.seen())]
        for name, (every, exceeding, failed) in seen.items():
            self._series[name].second_over((every, exceeding, failed))

    def _series_of(self, name: str) -> Series:
        if name not in self._series:
            self._series[name] = Series.beside(self._series[CHAT])
        return self._series[name]

    def ended(self) -> tuple[int, int]:
        """Chats that ended, and how many of them in an error."""
        chats = [measured for (name, _phase), measured in self._measured.items() if name == CHAT]
        failed = sum(measured.failed for measured in chats)
        return sum(measured.ok for measured in chats) + failed, failed

    def good_chats(self) -> int:
        """Chats that were answered well, each with status 200."""
        return sum(measured.ok for (name, _phase), measured in self._measured.items() if name == CHAT)

    def last_p95_ms(self) -> float | None:
        """The chats' 95th percentile in the last slot of the series, in milliseconds."""
        return self._series[CHAT].last_p95_ms()

    def prepare(self) -> Iterator[None]:
        """Make ready what ``classes`` gives, piece by piece, so that no request has to wait for all of it."""
        for measured in list(self._measured.values()):
            measured.document(final=False)
            yield

    def classes(self, final: bool = True) -> dict[str, dict[str, Any]]:
        """The summary's ``classes``; before the end of a run without confidence intervals."""
        found: dict[str, dict[str, Any]] = {}
        for (name, _phase), measured in sorted(self._measured.items(), key=lambda item: (CLASSES.index(item[0][0]), item[0][1])):
            found.setdefault(name, {})[measured.phase] = measured.document(final)
        return found

    def series(self) -> dict[str, Any]:
        """The summary's ``series``."""
        return {name: self._series[name].document() for name in CLASSES if name in self._series}
