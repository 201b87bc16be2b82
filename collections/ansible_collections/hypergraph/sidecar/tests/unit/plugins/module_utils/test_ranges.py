# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments that are numbers: both ends of a range belong to it, and what is beyond is named with it."""

from __future__ import annotations

import math

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.ranges import hold_within

RANGES = {"share": (0.0, 1.0), "seconds": (0.5, 3600.0)}


@pytest.mark.parametrize(("share", "seconds"), [(0, 0.5), (1.0, 3600), (0.3, 7.0)])
def test_ends_belong_to_a_range(share: float, seconds: float) -> None:
    hold_within({"share": share, "seconds": seconds, "other": -1}, RANGES)


@pytest.mark.parametrize("seconds", [0.49, 3600.01, math.nan, math.inf, -math.inf])
def test_what_is_beyond_is_told_with_the_range(seconds: float) -> None:
    with pytest.raises(CheckError, match=rf"^plan\.seconds is {seconds}, expected 0\.5 to 3600$") as told:
        hold_within({"share": 0.5, "seconds": seconds}, RANGES, member_of="plan.", reason_code="bad-plan")
    assert told.value.reason_code == "bad-plan"
