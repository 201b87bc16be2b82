# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check: observe a service driven beyond what it can bear, and judge what was seen."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..connection import Token
from ..examination import Examination
from ..faults import CheckError
from ..load.dependence import Batches
from ..load.exceedance import Rule
from ..load.plan import CHAT
from ..load.slo import batches_of
from ..metrics.expectations import endpoints
from . import aftermath, judging, lanes
from .driving import Driver, Found, failures, offers
from .judging import Limits
from .observation import Counted, Lane, Observation, Offer, Refusals
from .readings import Reading, Watcher, counted, read

SLO_SHARE = 0.05
_ALPHA = 0.05


def examine(run: Examination) -> None:
    """Drive the service and judge it."""
    params = run.params
    lanes.check(params, run.connection.deadline)
    if not run.may_submit():
        return
    told, absent = endpoints([{**item, "families": None} for item in params["endpoints"]])
    urls = [endpoint.url for endpoint in told]
    if absent or not urls:
        run.verdict.skip(
            "dependency_missing",
            "the ladder's metrics" + (f" of {', '.join(absent)}, whose url is empty" if absent else ", since no endpoint is named"),
            "Name the endpoints in sidecar_metrics_endpoints.",
        )
    given = params["directory"]
    directory = Path(given) if given else Path(tempfile.mkdtemp(prefix="backpressure-"))
    try:
        observation = _observed(run, urls, directory)
    finally:
        if not given:
            shutil.rmtree(directory, ignore_errors=True)
    _record(run, observation)
    if judging.judge_saturation(run.verdict, observation):
        judging.judge_pressure(run.verdict, observation, _limits(params))


def _limits(params: Mapping[str, Any]) -> Limits:
    return Limits(
        retry_after_s=params["retry_after_max"],
        counter_tolerance=params["counter_tolerance"],
        goodput_share=params["goodput_share"],
        recovery_s=params["recovery_within"],
        rule=Rule(SLO_SHARE, _ALPHA, _ALPHA, params["correlation_seconds"]),
        refusal_actions=frozenset(params["refusal_actions"]),
    )


def _observed(run: Examination, urls: list[str], directory: Path) -> Observation:
    params = run.params
    token = _caller(run)
    before = read(run.client, urls) if urls else Reading(None, None)
    watcher = Watcher(run.connection, urls, token, params["model"], every_s=params["sample_interval"], patience_s=params["recovery_within"])
    driver = Driver(params, run.connection, directory, watcher)
    watcher.start()
    try:
        found = driver.search()
        if not found.proof:
            return _unsaturated(found, watcher, before, urls, run)
        attached, plain, plan = driver.hold(found.rate)
        watcher.join()
    finally:
        watcher.stop()
        driver.close()
    runs = (found.driven, attached)
    traces = aftermath.follow(run.client, token, runs, watcher.trace_ids, params["trace_budget"])
    held = {offer.name: offer for offer in offers(plan, attached)}
    return Observation(
        offers=found.offers,
        most_offered=max(offer.rate for offer in (*found.offers, *held.values())),
        saturated=found.proof,
        refusals=_refusals([driven.summary for driven in runs], watcher.refused),
        counted=_counted(run, urls, watcher, before),
        problems=_problems([found.driven.summary, attached.summary, plain]),
        saturation=held.get(lanes.SATURATION),
        overload=held.get(lanes.OVERLOAD),
        lane=_lane(plain),
        traces=traces,
        graphs=aftermath.sample(run.client, token, attached, params["graphs"]) if params["graphs"] else None,
        recovery=watcher.recovery,
        connections=params["connections"],
        failed=failures(attached, (lanes.SATURATION, lanes.OVERLOAD)),
    )


def _caller(run: Examination) -> Token | None:
    """Who asks for explanations and follows them. Raises CheckError where no token is good for that."""
    if run.connection.auth_mode == "none":
        return None
    token = run.connection.token_with("traces:write", "traces:read")
    if token is None:
        reason = "no token carries both traces:write and traces:read, to ask for explanations and follow them"
        raise CheckError("token-missing", reason, "Add one to sidecar_tokens, or give it its value.")
    return token


def _unsaturated(found: Found, watcher: Watcher, before: Reading, urls: list[str], run: Examination) -> Observation:
    return Observation(
        offers=found.offers,
        most_offered=found.rate,
        saturated="",
        refusals=_refusals([found.driven.summary], watcher.refused),
        counted=_counted(run, urls, watcher, before),
        problems=_problems([found.driven.summary]),
    )


def _counted(run: Examination, urls: list[str], watcher: Watcher, before: Reading) -> Counted | None:
    return counted(before, read(run.client, urls), list(watcher.readings)) if urls else None


def _refusals(summaries: list[Mapping[str, Any]], further: int) -> Refusals:
    told = [summary["ladder"] for summary in summaries]
    least = [one["retry_after_s"]["min"] for one in told if one["retry_after_s"]["min"] is not None]
    most = [one["retry_after_s"]["max"] for one in told if one["retry_after_s"]["max"] is not None]
    return Refusals(
        sum(one["429"] for one in told) + further,
        sum(one["retry_after_s"]["missing"] for one in told),
        min(least, default=None),
        max(most, default=None),
    )


def _problems(summaries: list[Mapping[str, Any]]) -> tuple[str, ...]:
    found = [problem for summary in summaries for generator in summary["generators"] for problem in generator["problems"]]
    return tuple(dict.fromkeys(found))


def _lane(summary: Mapping[str, Any]) -> Lane:
    phases = summary["classes"].get(CHAT, {})
    slots = [batches_of(measured) for measured in phases.values()]
    errors: dict[str, int] = {}
    for measured in phases.values():
        for name, count in measured["errors"].items():
            errors[name] = errors.get(name, 0) + count
    p95 = [measured["latency_ms"]["p95"] for measured in phases.values() if measured["latency_ms"]["p95"] is not None]
    together = Batches(
        max((one.width_s for one in slots), default=1.0),
        tuple(count for one in slots for count in one.count),
        tuple(count for one in slots for count in one.exceeding),
    )
    return Lane(together, errors, summary["plan"]["slo_ms"][CHAT], max(p95, default=None))


def _record(run: Examination, seen: Observation) -> None:
    steps: list[Offer] = [*seen.offers, *filter(None, [seen.saturation, seen.overload])]
    run.verdict.examine("steps of load", len(steps))
    run.verdict.record(
        steps=[
            {
                "step": step.name,
                "offered_per_s": step.rate,
                "sent": step.sent,
                "served": step.served,
                "refused": step.refused,
                "completed_per_s": round(step.goodput, 2),
            }
            for step in steps
        ],
        saturated=seen.saturated,
    )
    if seen.counted:
        run.verdict.record(
            ladder_actions=dict(seen.counted.actions or {}), highest_level=seen.counted.level, highest_queue_lag_s=seen.counted.lag_s
        )
    if seen.traces:
        run.verdict.record(explanations={"accepted": seen.traces.accepted, **seen.traces.ends, "open": len(seen.traces.open)})
    if seen.recovery and seen.recovery.seconds is not None:
        run.verdict.record(recovered_after_s=round(seen.recovery.seconds, 2))
