# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What capacity_check recommends, as a part's evidence has it: for reading beside the bounds deployed, and for plotting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .evidence import number, numbers

EVIDENCE = "replicas_by_attach_rate"
# Points of a curve that a table shows.
_ROWS = 6


@dataclass(frozen=True)
class Sizing:
    """Replicas that one explainer needs by attach rate (0 to 1), between the bounds it has and beside those it should have.

    ``basis`` says whether service times were assumed or measured. At the attach rate ``saturation``, its upper bound is needed by the p95.
    """

    name: str
    basis: str
    attach_rates: tuple[float, ...]
    optimistic: tuple[float, ...]
    conservative: tuple[float, ...]
    deployed: tuple[float, float]
    recommended: tuple[float, float]
    peak: float
    saturation: float | None

    @property
    def limit(self) -> str:
        """How far the bound reaches, beside how far it should."""
        if self.saturation is None:
            return "no load comes to it"
        reached = f"saturated at an attach rate of {percent(self.saturation)}"
        return f"{reached if self.saturation <= 1 else 'not saturated by any attach rate'}, declared peak {percent(self.peak)}"

    @property
    def rows(self) -> list[tuple[float, float, float]]:
        """Attach rate, optimistic and conservative replicas: some points of the curve, evenly spread, its first and its last among them."""
        points = list(zip(self.attach_rates, self.optimistic, self.conservative))
        last = len(points) - 1
        return [points[round(last * row / (_ROWS - 1))] for row in range(_ROWS)] if last >= _ROWS else points


def sizings(part: Mapping[str, Any]) -> list[Sizing]:
    """The sizings in a part's evidence; none where there are none, or any is not of their shape."""
    found = part["evidence"].get(EVIDENCE)
    if not isinstance(found, Mapping):
        return []
    try:
        return [_sizing(str(name), fields) for name, fields in found.items()]
    except (AttributeError, LookupError, TypeError, ValueError):
        return []


def percent(share: float) -> str:
    """A share (0 to 1) with at most three significant digits."""
    return f"{share * 100:.3g} %"


def _sizing(name: str, fields: Mapping[str, Any]) -> Sizing:
    rates, lean, safe = (numbers(fields[curve]) for curve in ("attach_rate", "optimistic", "conservative"))
    if not 1 < len(rates) == len(lean) == len(safe):
        raise ValueError("the curves differ in length, or have no points")
    saturation = fields["attach_rate_at_saturation"].get("conservative")
    return Sizing(
        name,
        " and ".join(map(str, fields["basis"])),
        rates,
        lean,
        safe,
        _pair(fields["deployed"]),
        _pair(fields["recommended"]),
        number(fields["peak_attach_rate"]),
        None if saturation is None else number(saturation),
    )


def _pair(values: Any) -> tuple[float, float]:
    low, high = numbers(values)
    return low, high
