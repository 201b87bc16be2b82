# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By how much another host's clock is ahead of this one, so that generators begin at one moment whatever their clocks say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

READINGS = 5
# Generators whose start may be further from the common one than this would load the service one after the other.
MAX_UNCERTAINTY_MS = 1000.0


@dataclass(frozen=True)
class Offset:
    """How far ahead a clock is, and by how much that may be wrong to either side."""

    ms: float
    uncertainty_ms: float


def measured(ask: Callable[[], float | None], now: Callable[[], float]) -> Offset | None:
    """The offset of the clock that ``ask`` reads, by the clock ``now``; both in seconds since the epoch.

    An answer was read at some time between asking and hearing, so each bounds the offset: said - heard <= offset <= said - asked. All
    bounds hold at once [Marzullo, Owicki, "Maintaining the Time in a Distributed System", 1985]; the middle of what they leave is taken, as
    NTP does with a single one [RFC 5905, section 8]. None where nothing was told, or where the answers contradict each other, since one of
    the clocks was set meanwhile.
    """
    low, high = float("-inf"), float("inf")
    for _reading in range(READINGS):
        asked = now()
        said = ask()
        heard = now()
        if said is not None:
            low, high = max(low, said - heard), min(high, said - asked)
    if not float("-inf") < low <= high:
        return None
    return Offset(round((low + high) * 500, 3), round((high - low) * 500, 3))


def problem(uncertainty_ms: float | None) -> str | None:
    """Why a generator's clock cannot be held against a common start; None where it can."""
    if uncertainty_ms is None:
        return "its clock could not be read, or was set meanwhile, so it may have begun at another moment: see that `date +%s.%N` works"
    if uncertainty_ms > MAX_UNCERTAINTY_MS:
        return (
            f"its clock is known to ±{uncertainty_ms:.0f} ms, expected ±{MAX_UNCERTAINTY_MS:.0f} ms for a common start: "
            "use a host that is reached faster, or one generator"
        )
    return None
