# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements beside those of the previous run of the environment that has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .capacity import percent
from .view import moment, number


@dataclass(frozen=True)
class Delta:
    """By how much a measurement moved since it was ``before``, in the run that finished at ``since``."""

    before: float
    change: float
    since: str

    def __str__(self) -> str:
        """The change with its sign, and as a share of what it was."""
        if not self.change:
            return "unchanged"
        sign = "+" if self.change > 0 else "-"
        told = f"{sign}{number(abs(self.change))}"
        return f"{told} ({sign}{percent(abs(self.change / self.before))})" if self.before else told

    @property
    def origin(self) -> str:
        """What it is compared with."""
        return f"since {moment(self.since)}, when it was {number(self.before)}"


def deltas(check: Mapping[str, Any], history: list[dict[str, Any]]) -> dict[str, Delta]:
    """By measurement of a check, what became of it since the last run, oldest first in ``history``, that measured it."""
    found = {}
    for name, now in check["metrics"].items():
        for run in reversed(history):
            before = run["metrics"].get(check["check"], {}).get(name)
            if before is not None:
                found[name] = Delta(before, now - before, run["finished"])
                break
    return found
