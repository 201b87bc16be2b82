# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plans of the load: a search for the rate at which the service gives way, and then two lanes side by side.

The lane of attached chats first keeps the rate that was found, then a multiple of it; the lane of plain chats stays as it is beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..connection import MAX_SECONDS, Connection
from ..faults import CheckError
from ..load import plan as plans
from ..load.exceedance import STATISTICS
from ..load.plan import MAX_RATE, Plan
from ..ranges import hold_within

SATURATION, OVERLOAD = "saturation", "overload"
# What drives the service apart from what is waited for: opening connections, reading metrics, reading graphs.
_OVERHEAD_S = 30.0
# When explanations end is asked for more seldom than in a load that measures how long they take: here a backlog waits, all of it polled.
_POLL_INTERVAL_S = 0.5
_POLL_CONNECTIONS = 16
_RANGES = {
    "start_rate": (0.1, MAX_RATE),
    "max_rate": (0.1, MAX_RATE),
    "growth": (1.05, 10.0),
    "step_seconds": (1.0, 3600.0),
    "hold": (2.0, 3600.0),
    "overload": (1.0, 10.0),
    "chat_rate": (0.1, MAX_RATE),
    "connections": (1, plans.MAX_CONCURRENCY),
    "trace_budget": (1.0, 3600.0),
    "lag_limit": (0.1, 3600.0),
    "retry_after_max": (0.001, 86400.0),
    "counter_tolerance": (0.0, 1.0),
    "goodput_share": (0.0, 1.0),
    "recovery_within": (1.0, 3600.0),
    "correlation_seconds": STATISTICS["correlation_seconds"],
    "sample_interval": (0.1, 60.0),
    "graphs": (0, 1000),
}


def check(params: Mapping[str, Any], deadline: float) -> None:
    """Raise CheckError for an argument that is out of its bounds, or a deadline that the load may take longer than."""
    hold_within(params, _RANGES)
    if params["start_rate"] > params["max_rate"]:
        reason = f"start_rate is {params['start_rate']:g}, expected at most max_rate, which is {params['max_rate']:g}"
        raise CheckError("bad-argument", reason, "Lower start_rate or raise max_rate.")
    longest = (
        len(rates(params)) * params["step_seconds"]
        + 2 * params["hold"]
        + 2 * params["trace_budget"]
        + params["recovery_within"]
        + _OVERHEAD_S
    )
    if longest > deadline:
        reason = f"deadline is {deadline:g} s, but the load, its explanations and the recovery may take {longest:.0f} s"
        raise CheckError("bad-argument", reason, f"Set deadline to {math.ceil(longest)}, at most {MAX_SECONDS}, or shorten the load.")


def rates(params: Mapping[str, Any]) -> list[float]:
    """Attached chats per second of the search's steps: a geometric ladder from start_rate, the last of them max_rate."""
    found = [float(params["start_rate"])]
    # A product that misses max_rate by rounding alone is max_rate.
    while (following := found[-1] * params["growth"]) < params["max_rate"] * (1 - 1e-9):
        found.append(following)
    return found if found[-1] == params["max_rate"] else [*found, float(params["max_rate"])]


def search(params: Mapping[str, Any], connection: Connection) -> Plan:
    """Attached chats only, faster with every step."""
    phases = [{"name": f"{rate:g}/s", "duration": params["step_seconds"], "rate": rate} for rate in rates(params)]
    return _plan(params, connection, phases, attach_rate=1.0)


def attached(params: Mapping[str, Any], connection: Connection, rate: float) -> Plan:
    """Attached chats at the rate that was found, then at a multiple of it."""
    return _plan(params, connection, _held(params, rate, rate * params["overload"]), attach_rate=1.0)


def plain(params: Mapping[str, Any], connection: Connection) -> Plan:
    """Chats without explanation beside them."""
    return _plan(params, connection, _held(params, params["chat_rate"], params["chat_rate"]), attach_rate=0.0)


def _held(params: Mapping[str, Any], saturation: float, overload: float) -> list[dict[str, Any]]:
    return [{"name": name, "duration": params["hold"], "rate": rate} for name, rate in ((SATURATION, saturation), (OVERLOAD, overload))]


def _plan(params: Mapping[str, Any], connection: Connection, phases: list[dict[str, Any]], attach_rate: float) -> Plan:
    told = {name: spec.get("default") for name, spec in plans.ARGUMENTS.items()}
    told.update(
        load_model="open",
        phases=phases,
        concurrency=params["connections"],
        attach_rate=attach_rate,
        granularity=params["granularity"],
        featureset=params["featureset"],
        model=params["model"],
        slo_ms={"chat": params["chat_slo_ms"]},
        explanation_timeout=params["trace_budget"],
        poll_interval=_POLL_INTERVAL_S,
        poll_connections=_POLL_CONNECTIONS,
    )
    return plans.plan(told, connection)
