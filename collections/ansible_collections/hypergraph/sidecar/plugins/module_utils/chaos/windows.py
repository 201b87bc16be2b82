# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When each experiment was before, during and after its fault, by the moments that its trials recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

BEFORE, DURING, AFTER = PARTS = ("before", "during", "after")


class Window(NamedTuple):
    """A stretch of time on the controller's monotonic clock, in seconds, and the phase it is a part of."""

    phase: str
    begins_at: float
    ends_at: float


def phase_name(experiment: str, part: str) -> str:
    """What the phase of an experiment is called among those of all."""
    return f"{experiment}: {part}"


def windows(trials: Iterable[Mapping[str, Any]], guard: float) -> list[Window]:
    """The windows of trials that went through all their steps.

    Before is the watch of the steady state. During is from the fault being in the control file of the first host to the service being
    steady again, which includes what the fault leaves behind. After is from then to the end of the watch. What begins in the last
    ``guard`` seconds before a fault may meet it, so that before and after end as much earlier. Between a watch and the fault that
    follows is a second in which Ansible begins its task; it is in no window.
    """
    found: list[Window] = []
    known: set[str] = set()
    for trial in trials:
        before, after, injected = (trial.get(step) or {} for step in ("before", "after", "injected"))
        if any("duration" not in watch for watch in (before, after)) or not injected or any("settled_at" not in host for host in injected):
            continue
        name, ended = trial["experiment"], after["began_at"] + after["duration"]
        if name not in known:
            known.add(name)
            found.append(Window(phase_name(name, BEFORE), before["began_at"], before["began_at"] + before["duration"] - guard))
        steady = ended if after["recovered"] is None else after["began_at"] + after["recovered"]
        found.append(Window(phase_name(name, DURING), min(host["settled_at"] for host in injected), steady))
        found.append(Window(phase_name(name, AFTER), steady, ended - guard))
    return [window for window in found if window.ends_at > window.begins_at]
