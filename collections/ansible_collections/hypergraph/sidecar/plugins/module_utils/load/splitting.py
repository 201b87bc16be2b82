# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load run in phases that are known only afterwards, from its records: one pass over them, in constant memory."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..faults import CheckError
from .files import SUMMARY_FILE
from .measures import Measured, Series
from .plan import CHAT, CLASSES
from .rebuild import begun, lines
from .records import CHAT_FILE, EXPLANATION_FILE

# What ends a run that was only to last as long as something else.
ENDED_ON_DEMAND = "SIGTERM"


@dataclass(frozen=True)
class Window:
    """A stretch of the run, in seconds since its start, and the phase it is a part of."""

    phase: str
    begins_s: float
    ends_s: float

    def has(self, moment_s: float) -> bool:
        """Whether a moment is in it."""
        return self.begins_s <= moment_s < self.ends_s


def split(directory: Path, windows: Sequence[Window]) -> dict[str, Any]:
    """The run's summary with the windows' phases in place of the plan's; a request belongs to the window that it was to begin in.

    A phase may have several windows, told as ``windows`` in the plan; between windows, requests are counted in none. A run that was
    ended from outside was not interrupted, unless it ended before the last window did. Series and sums are those of the whole run.
    Raises CheckError where there are no records, or windows overlap.
    """
    summary = begun(directory / SUMMARY_FILE)
    ordered = sorted((window for window in windows if window.ends_s > window.begins_s), key=lambda window: window.begins_s)
    for one, other in zip(ordered, ordered[1:]):
        if other.begins_s < one.ends_s:
            said = (
                f"windows of {one.phase!r} and {other.phase!r} overlap at {other.begins_s:.2f} s, expected windows that follow each other"
            )
            raise CheckError("bad-windows", said, "Give windows that do not overlap.")
    counts = _Counts(ordered, summary["plan"]["slo_ms"])
    # Both files are in the order in which requests ended.
    for ended_s, record in heapq.merge(lines(directory / CHAT_FILE), lines(directory / EXPLANATION_FILE), key=lambda line: line[0]):
        counts.add(ended_s, record)
    run = dict(summary["run"])
    if run["interrupted"] == ENDED_ON_DEMAND:
        run["interrupted"] = None
    if run["interrupted"] is None and ordered and run["duration_s"] < ordered[-1].ends_s:
        run["interrupted"] = f"its end at {run['duration_s']:.0f} s, before that of what it ran beside"
    return {
        **summary,
        "run": run,
        "plan": {**summary["plan"], "phases": _phases(ordered, summary["plan"]["phases"][-1])},
        "classes": counts.classes(),
    }


def _phases(windows: Sequence[Window], like: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The phases in the order in which they begin, as the plan's summary tells them."""
    found = []
    for phase in dict.fromkeys(window.phase for window in windows):
        parts = [[round(window.begins_s, 6), round(window.ends_s, 6)] for window in windows if window.phase == phase]
        seconds = round(sum(end - begin for begin, end in parts), 6)
        found.append({**like, "name": phase, "kind": "steady", "starts_s": parts[0][0], "duration_s": seconds, "windows": parts})
    return found


class _Counts:
    """What the records add up to in each phase and class, taken in the order in which requests ended."""

    def __init__(self, windows: Sequence[Window], slo_ms: Mapping[str, float]) -> None:
        self._windows = windows
        self._slo_us = {name: int(limit * 1000) for name, limit in slo_ms.items()}
        self._measured: dict[tuple[str, str], Measured] = {}
        self._series = Series()
        self._second = 0

    def add(self, ended_s: float, record: Mapping[str, Any]) -> None:
        """Take one record."""
        while self._second + 1 <= ended_s:
            self._close_second()
        window = self._window(record["t"])
        if window is None:
            return
        kind = record.get("g")
        measured = self._of(window.phase, kind if kind in CLASSES else CHAT)
        if record["e"] is None:
            measured.good(record["l"])
        else:
            measured.bad(record["e"])

    def classes(self) -> dict[str, dict[str, Any]]:
        """The summary's ``classes``."""
        self._close_second()
        found: dict[str, dict[str, Any]] = {}
        for name in CLASSES:
            phases = {phase: measured.document() for (kind, phase), measured in self._measured.items() if kind == name}
            if phases:
                found[name] = phases
        return found

    def _of(self, phase: str, kind: str) -> Measured:
        key = (kind, phase)
        if key not in self._measured:
            self._measured[key] = Measured(phase, self._slo_us[kind], self._series)
        return self._measured[key]

    def _window(self, moment_s: float) -> Window | None:
        return next((window for window in self._windows if window.has(moment_s)), None)

    def _close_second(self) -> None:
        """Close a second; it is a slot of the phase that has its middle, so that slots of short windows add up to their length."""
        window = self._window(self._second + 0.5)
        self._second += 1
        for measured in self._measured.values():
            measured.second_over(window is not None and measured.phase == window.phase)
