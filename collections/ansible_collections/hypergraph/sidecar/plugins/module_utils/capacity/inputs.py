# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the arguments of capacity_check. Every number is checked before anything is computed with it, and a bad one is named."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..faults import CheckError
from .model import ASSUMED, GRANULARITIES, MEASURED, ServiceTime, Workload

_RATES = ("base_chat_rate", "peak_chat_rate")
_SHARES = ("base_attach_rate", "peak_attach_rate", "token_fraction")
_MAX_CONCURRENCY = 100_000
_MAX_SLACK = 10.0
# A rate, a time or a number of replicas beyond this is a slip of the keyboard.
_MAX_NUMBER = 1e9


@dataclass(frozen=True)
class Declared:
    """What the arguments say of one explainer. None is what they leave to the chart."""

    name: str
    granularities: tuple[str, ...]
    concurrency: int | None = None
    min_replicas: int | None = None
    max_replicas: int | None = None
    backlog_seconds_target: float | None = None
    cold_start_seconds: float | None = None
    metrics_urls: tuple[str, ...] = ()

    @property
    def left_to_chart(self) -> list[str]:
        """What the model cannot do without and the arguments do not say."""
        return [name for name in ("concurrency", "min_replicas", "max_replicas") if getattr(self, name) is None]


@dataclass(frozen=True)
class Margins:
    """How full workers may be, and the share to keep free above the conservative peak."""

    target_utilisation: float
    slack: float


def read_workload(given: Mapping[str, Any]) -> Workload:
    """The workload. Raises CheckError for what is absent, no number, out of range, or a peak below its base."""
    for name in (*_RATES, *_SHARES):
        if given.get(name) is None:
            raise _bad(f"workload has no {name}", f"Set workload.{name}; what it means is in the module's documentation.")
    rates = {name: _number(f"workload.{name}", given[name], 0, _MAX_NUMBER) for name in _RATES}
    shares = {name: _number(f"workload.{name}", given[name], 0, 1) for name in _SHARES}
    if rates["peak_chat_rate"] == 0:
        raise _bad("workload.peak_chat_rate is 0, expected more: without chats there is nothing to size for", "Set the busiest rate.")
    for what in ("chat_rate", "attach_rate"):
        base, peak = ({**rates, **shares}[f"{when}_{what}"] for when in ("base", "peak"))
        if base > peak:
            raise _bad(f"workload.base_{what} is {base:g}, above peak_{what} {peak:g}", f"Correct workload.base_{what} or peak_{what}.")
    return Workload(
        **rates,
        **shares,
        burst_factor=_number("workload.burst_factor", _given(given, "burst_factor", 1.0), 1, _MAX_NUMBER),
        burst_seconds=_number("workload.burst_seconds", _given(given, "burst_seconds", 0.0), 0, _MAX_NUMBER),
        slo_seconds={
            granularity: _positive(f"workload.slo_seconds.{granularity}", seconds)
            for granularity, seconds in (given.get("slo_seconds") or {}).items()
            if seconds is not None
        },
    )


def read_service_times(given: Mapping[str, Any]) -> dict[str, ServiceTime]:
    """Service times by granularity. Raises CheckError for bad numbers, and for what calls itself measured without saying on how much."""
    return {granularity: _service_time(granularity, fields) for granularity, fields in given.items() if fields is not None}


def read_margins(params: Mapping[str, Any]) -> Margins:
    """Raises CheckError for a utilisation of 0 or above 1, and for a negative slack."""
    return Margins(
        _positive("target_utilisation", params["target_utilisation"], 1),
        _number("slack", params["slack"], 0, _MAX_SLACK),
    )


def read_explainers(given: list[Mapping[str, Any]]) -> list[Declared]:
    """The explainers. Raises CheckError for bad numbers, a name given twice, and a granularity that nobody or more than one serves."""
    declared = [_explainer(fields) for fields in given]
    names = [one.name for one in declared]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _bad(f"explainers names {', '.join(twice)} more than once", "Give each explainer one entry.")
    for granularity in GRANULARITIES:
        serving = [one.name for one in declared if granularity in one.granularities]
        if len(serving) != 1:
            who = ", ".join(serving) or "none"
            raise _bad(
                f"explainers that serve {granularity}: {who}, expected exactly one", "Say in granularities which explainer serves which."
            )
    return declared


def _explainer(fields: Mapping[str, Any]) -> Declared:
    name = str(fields.get("name") or "").strip()
    if not name:
        raise _bad("an entry of explainers has no name", "Name the explainer's Deployment.")
    where = f"explainers[{name}]"
    granularities = tuple(dict.fromkeys(fields.get("granularities") or ()))
    if not granularities:
        raise _bad(f"{where} has no granularities", f"Name those it serves: {', '.join(GRANULARITIES)}.")
    one = Declared(
        name,
        granularities,
        concurrency=_optional(_count, f"{where}.concurrency", fields.get("concurrency"), 1, _MAX_CONCURRENCY),
        min_replicas=_optional(_count, f"{where}.min_replicas", fields.get("min_replicas"), 0, _MAX_NUMBER),
        max_replicas=_optional(_count, f"{where}.max_replicas", fields.get("max_replicas"), 1, _MAX_NUMBER),
        backlog_seconds_target=_optional(_number, f"{where}.backlog_seconds_target", fields.get("backlog_seconds_target"), 0, _MAX_NUMBER),
        cold_start_seconds=_optional(_number, f"{where}.cold_start_seconds", fields.get("cold_start_seconds"), 0, _MAX_NUMBER),
        metrics_urls=tuple(fields.get("metrics_urls") or ()),
    )
    if one.min_replicas is not None and one.max_replicas is not None and one.min_replicas > one.max_replicas:
        raise _bad(f"{where}.min_replicas is {one.min_replicas}, above max_replicas {one.max_replicas}", "Correct one of them.")
    return one


def _service_time(granularity: str, fields: Mapping[str, Any]) -> ServiceTime:
    where = f"service_times.{granularity}"
    for name in ("mean_seconds", "p95_seconds"):
        if fields.get(name) is None:
            raise _bad(f"{where} has no {name}", f"Set {where}.{name}.")
    mean, p95 = (_positive(f"{where}.{name}", fields[name]) for name in ("mean_seconds", "p95_seconds"))
    basis = fields.get("basis") or ASSUMED
    samples = _optional(_count, f"{where}.samples", fields.get("samples"), 0, _MAX_NUMBER)
    if basis == MEASURED and samples is None:
        raise _bad(f"{where} is said to be measured, without the number of samples", f"Set {where}.samples, or say that it is {ASSUMED}.")
    if basis == ASSUMED and p95 < mean:
        raise _bad(f"{where}.p95_seconds is {p95:g}, below mean_seconds {mean:g}", "Correct them; perhaps they are swapped.")
    return ServiceTime(mean, p95, basis, samples if basis == MEASURED else None, str(fields.get("origin") or ""))


def _given(fields: Mapping[str, Any], name: str, otherwise: float) -> Any:
    return otherwise if fields.get(name) is None else fields[name]


def _optional(read: Any, name: str, value: Any, low: float, high: float) -> Any:
    return None if value is None else read(name, value, low, high)


def _positive(name: str, value: Any, high: float = _MAX_NUMBER) -> float:
    number = _number(name, value, 0, high)
    if number == 0:
        raise _bad(f"{name} is 0, expected more than 0", f"Correct {name}.")
    return number


def _count(name: str, value: Any, low: float, high: float) -> int:
    number = _number(name, value, low, high)
    if number != int(number):
        raise _bad(f"{name} is {number:g}, expected a whole number", f"Correct {name}.")
    return int(number)


def _number(name: str, value: Any, low: float, high: float) -> float:
    """A finite number within bounds, both inclusive."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _bad(f"{name} is {value!r}, expected a finite number", f"Correct {name}.")
    if not low <= value <= high:
        raise _bad(f"{name} is {value:g}, expected from {low:g} to {high:g}", f"Correct {name}.")
    return float(value)


def _bad(reason: str, action: str) -> CheckError:
    return CheckError("bad-argument", reason, action)
