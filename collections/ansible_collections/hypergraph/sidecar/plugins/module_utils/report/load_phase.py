# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A phase of a load run, and which part it is of a run with a fault in its middle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .evidence import known, numbers

# What a phase is called in a run with a fault in its middle; of several faults, after the fault's name and a colon.
BUCKETS = (("before", "pre"), ("during", "fault"), ("after", "post"))


@dataclass(frozen=True)
class Phase:
    """A stretch of the plan, in seconds since the run's start, or what several ``windows`` of it, from and to, add up to.

    ``rate_per_s`` is what it was to end with, None where nothing limited it.
    """

    name: str
    kind: str
    starts_s: float
    duration_s: float
    rate_per_s: float | None
    windows: tuple[tuple[float, float], ...]

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Phase:
        """From a phase of the evidence. Raises LookupError, TypeError or ValueError."""
        starts_s, duration_s = numbers((fields["starts_s"], fields["duration_s"]))
        parts = [numbers(part) for part in fields.get("windows") or ((starts_s, starts_s + duration_s),)]
        windows = tuple((begin, end) for begin, end in parts)
        return cls(str(fields["name"]), str(fields["kind"]), starts_s, duration_s, known(fields.get("rate_per_s")), windows)

    @property
    def ends_s(self) -> float:
        """Its planned end."""
        return self.windows[-1][1]

    @property
    def bucket(self) -> int | None:
        """0, 1 or 2 where its name says that it is before, during or after a fault."""
        part = self.name.rpartition(": ")[2].lower()
        return next((place for place, names in enumerate(BUCKETS) if part in names), None)

    @property
    def fault(self) -> str:
        """The fault that its name is of, where it names one."""
        return self.name.rpartition(": ")[0] if self.bucket is not None else ""

    def has(self, moment_s: float) -> bool:
        """Whether a moment is in it."""
        return any(begin <= moment_s < end for begin, end in self.windows)
