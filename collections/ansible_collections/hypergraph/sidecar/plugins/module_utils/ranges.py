# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What numbers given as arguments may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .faults import CheckError


def hold_within(
    params: Mapping[str, Any], ranges: Mapping[str, tuple[float, float]], *, member_of: str = "", reason_code: str = "bad-argument"
) -> None:
    """Raise CheckError for the first argument that is no finite number from its least to its greatest; ``member_of`` is where it lies."""
    for name, (low, high) in ranges.items():
        # NaN compares false with everything.
        if not (math.isfinite(params[name]) and low <= params[name] <= high):
            raise CheckError(reason_code, f"{member_of}{name} is {params[name]}, expected {low:g} to {high:g}", "Correct the argument.")
