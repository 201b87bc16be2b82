# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import asyncio
import time

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.engine import new_loop
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.pacing import Timer


async def calls(wanted: int) -> int:
    """How often a timer calls back that its callback arms anew until there were so many calls."""
    found, done = 0, asyncio.Event()

    def called() -> None:
        nonlocal found
        found += 1
        if found < wanted:
            timer.at(time.monotonic_ns())
        else:
            done.set()

    timer = Timer(asyncio.get_running_loop(), called)
    timer.at(time.monotonic_ns())
    await done.wait()
    # A timer that still says it has expired would call in each of these turns.
    for _turn in range(20):
        await asyncio.sleep(0)
    timer.close()
    return found


@pytest.mark.parametrize("make", [asyncio.new_event_loop, lambda: new_loop()[0]], ids=["asyncio", "fastest"])
@pytest.mark.parametrize("wanted", [1, 5])
def test_a_timer_calls_once_each_time_it_is_armed(make, wanted):
    loop = make()
    try:
        assert loop.run_until_complete(asyncio.wait_for(calls(wanted), 30)) == wanted
    finally:
        loop.close()
