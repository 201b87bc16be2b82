# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ladder of rates that the search climbs."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.backpressure.lanes import rates


@pytest.mark.parametrize(
    ("start", "growth", "most", "steps"),
    [
        (5, 1.5, 10, [5, 7.5, 10]),
        (5, 2, 20, [5, 10, 20]),
        (8, 2, 8, [8]),
        # 10 * 1.2 * 1.2 is 14.399999999999999.
        (10, 1.2, 14.4, [10, 12, 14.4]),
    ],
)
def test_each_step_offers_more_and_the_last_what_it_may(start: float, growth: float, most: float, steps: list[float]) -> None:
    assert rates({"start_rate": start, "growth": growth, "max_rate": most}) == steps
