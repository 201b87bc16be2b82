# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes one summary of those that the generators of one run wrote.

Counts and histograms add up; percentiles are taken anew, never averaged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

from ..faults import CheckError
from ..rfc3339 import parse_utc
from . import histogram as histograms
from .histogram import Histogram
from .intervals import interval

PERCENTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999))
MAX_POINTS = 3600
# Generators that begin further apart did not load the service together.
MAX_START_APART_S = 5.0
# What has to be alike in all plans, since the results mean something else where it is not.
_ALIKE = ("model", "attach_rate", "granularity", "featureset", "chat_model", "prompts", "stream", "timeouts", "slo_ms")
_PHASE_ALIKE = ("name", "kind", "starts_s", "duration_s", "attach_rate", "granularity")


def merged(summaries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The run as a whole, from validated summaries of schema ``load-summary-1``. Raises CheckError where they are not of one run."""
    _of_one_run(summaries)
    runs = [summary["run"] for summary in summaries]
    plans = [summary["plan"] for summary in summaries]
    return {
        "schema": summaries[0]["schema"],
        "run": {
            **runs[0],
            "started_at": min((run["started_at"] for run in runs), key=parse_utc),
            "ended_at": max((run["ended_at"] for run in runs), key=parse_utc),
            "duration_s": max(run["duration_s"] for run in runs),
            "interrupted": next((run["interrupted"] for run in runs if run["interrupted"] is not None), None),
        },
        "plan": {**plans[0], **_shares(plans), "phases": [{**parts[0], **_shares(parts)} for parts in zip(*(p["phases"] for p in plans))]},
        "classes": _by_key([summary["classes"] for summary in summaries], lambda parts: _by_key(parts, _measured)),
        "traces": _added([summary["traces"] for summary in summaries]),
        "offered": _offered([summary["offered"] for summary in summaries]),
        "bytes": _added([summary["bytes"] for summary in summaries]),
        "status_codes": dict(sorted(_added([summary["status_codes"] for summary in summaries]).items())),
        "ladder": _ladder([summary["ladder"] for summary in summaries]),
        "generators": _generators(summaries),
        "series": _by_key([summary["series"] for summary in summaries], _series),
    }


def _of_one_run(summaries: Sequence[Mapping[str, Any]]) -> None:
    first = summaries[0]
    for other in summaries[1:]:
        told = [("run.id", "id", "run"), ("run.environment", "environment", "run"), *((f"plan.{name}", name, "plan") for name in _ALIKE)]
        for where, member, part in told:
            _alike(where, first[part].get(member), other[part].get(member))
        phases = [[{name: phase.get(name) for name in _PHASE_ALIKE} for phase in one["plan"]["phases"]] for one in (first, other)]
        _alike("plan.phases", *phases)


def _alike(where: str, one: Any, other: Any) -> None:
    if one != other:
        raise CheckError(
            "summaries-differ",
            f"{where} is {str(one)[:200]} in one summary and {str(other)[:200]} in another, expected summaries of one run",
            "Give the summaries that the generators of one run wrote, and none of another run.",
        )


def _measured(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    total = histograms.merged(Histogram.from_document(part["histogram"]) for part in parts)
    good = total.count
    latencies: dict[str, float | None] = {name: total.percentile(fraction) / 1000 if good else None for name, fraction in PERCENTILES}
    return {
        **_added([{name: part[name] for name in ("count", "ok", "exceeding", "censored")} for part in parts]),
        "errors": _added([part["errors"] for part in parts]),
        "batches": _slots([{**part["batches"], "starts_s": 0.0} for part in parts], ("count", "exceeding")),
        "latency_ms": {
            **latencies,
            "mean": round(total.mean_us / 1000, 6) if good else None,
            "max": total.max_us / 1000 if good else None,
        },
        "intervals_ms": {name: interval(total, fraction) if good else None for name, fraction in PERCENTILES[:3]},
        "histogram": total.to_document(),
    }


def _series(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Percentiles of slots that several generators fill cannot be had from theirs, and are None."""
    if len(parts) == 1:
        return dict(parts[0])
    slots = _slots(parts, ("count", "exceeding", "errors"))
    nothing = [None] * len(slots["count"])
    return {**slots, "starts_s": min(part["starts_s"] for part in parts), "p50_ms": nothing, "p95_ms": nothing}


def _slots(parts: Sequence[Mapping[str, Any]], members: Sequence[str]) -> dict[str, Any]:
    """Slots of time added up, all of them as wide as the widest, or wider where they would be too many."""
    width = max(part["width_s"] for part in parts)
    begin = min(part["starts_s"] for part in parts)
    end = max(part["starts_s"] + part["width_s"] * len(part[members[0]]) for part in parts)
    while (end - begin) / width > MAX_POINTS:
        width *= 2
    found: dict[str, Any] = {"width_s": width}
    for member in members:
        total = [0] * -(-round((end - begin) * 1000) // round(width * 1000))
        for part in parts:
            for place, value in enumerate(part[member]):
                total[int((part["starts_s"] - begin + place * part["width_s"]) / width)] += value
        found[member] = total
    return found


def _offered(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of how late requests were sent, what the latest generator says: at least as late as all together."""
    spreads = [part["send_error_us"] for part in parts]
    added = _added([{name: value for name, value in part.items() if name != "send_error_us"} for part in parts])
    return {**added, "send_error_us": {name: _extreme(max, [spread[name] for spread in spreads]) for name in spreads[0]}}


def _ladder(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    waits = [part["retry_after_s"] for part in parts]
    return {
        "429": sum(part["429"] for part in parts),
        "retry_after_s": {
            "min": _extreme(min, [wait["min"] for wait in waits]),
            "max": _extreme(max, [wait["max"] for wait in waits]),
            "missing": sum(wait["missing"] for wait in waits),
        },
    }


def _generators(summaries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """All of them; one that ended before its time, or began after the others, has that among its problems."""
    begin = min(parse_utc(summary["run"]["started_at"]) for summary in summaries)
    found = []
    for summary in summaries:
        ended, late = summary["run"]["interrupted"], (parse_utc(summary["run"]["started_at"]) - begin).total_seconds()
        problems = [f"it did not run to its end: {ended}"] if ended is not None else []
        if late > MAX_START_APART_S:
            problems.append(f"it began {late:.0f} s after the first, expected at most {MAX_START_APART_S:g} s")
        if len(summaries) == 1:
            problems = []
        found += [
            {**one, "healthy": one["healthy"] and not problems, "problems": [*one["problems"], *problems]} for one in summary["generators"]
        ]
    return found


def _shares(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What each generator does a part of: no limit where one has none."""
    rates = [part["rate_per_s"] for part in parts]
    return {"concurrency": sum(part["concurrency"] for part in parts), "rate_per_s": None if None in rates else sum(rates)}


def _by_key(parts: Sequence[Mapping[str, Any]], join: Callable[[list[Any]], Any]) -> dict[str, Any]:
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: join([part[key] for part in parts if key in part]) for key in keys}


def _added(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    total: Counter[str] = reduce(_plus, parts, Counter())
    return dict(total)


def _plus(total: Counter[str], part: Mapping[str, Any]) -> Counter[str]:
    for name, value in part.items():
        total[name] += value
    return total


def _extreme(choose: Callable[[list[float]], float], values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return choose(known) if known else None
