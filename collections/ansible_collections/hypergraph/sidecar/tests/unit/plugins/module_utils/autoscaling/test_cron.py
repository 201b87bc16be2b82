# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A schedule is taken where robfig/cron v3, by which KEDA reads it, takes it."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.cron import is_schedule


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "0 9 * * 1-5",
        "59 23 31 12 6",
        "0,30 1-3 */2 JAN ?",
        "0 0 1 jan-Mar sun,TUE-fri",
        "5/15 0-23/6 1-31/31 * *",
        "  0   9 * * 0 ",
        "CRON_TZ=Europe/Berlin 0 9 * * *",
        "TZ=UTC 0 9 * * *",
    ],
)
def test_a_schedule_is_taken(text: str) -> None:
    assert is_schedule(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@daily",
        "0 9 * *",
        "0 0 9 * * *",
        "60 * * * *",
        "99 25 * * *",
        "0 24 * * *",
        "0 0 0 * *",
        "0 0 32 * *",
        "0 0 * 0 *",
        "0 0 * 13 *",
        "0 9 * * 7",
        "0 9 * * 5-7",
        "0 9 * * mon-sunday",
        "0 9 * * 5-1",
        "0 9 * * fri-mon",
        "0 9 L * *",
        "0 9 15W * *",
        "0 9 * * 5#2",
        "0 jan * * *",
        "*/0 * * * *",
        "*/x * * * *",
        "1/2/3 * * * *",
        "1-2-3 * * * *",
        "-1 * * * *",
        "1.5 * * * *",
        ", * * * *",
        "\u0661 * * * *",
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    assert not is_schedule(text)
