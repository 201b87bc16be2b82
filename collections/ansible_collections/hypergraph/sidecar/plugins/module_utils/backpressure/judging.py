# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what was seen of a service under more load than it can bear. Nothing here talks to anybody."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..load.exceedance import FAIL, PASS, Rule, judge
from ..verdict import Verdict
from .observation import Counted, Lane, Observation, Offer, Refusals, Traces

# Fewer explanations than this do not show a rate.
MIN_COMPLETED = 20
_NAMED = 10
# Of the normal distribution, one-sided.
_ONE_IN_A_HUNDRED = 2.326


@dataclass(frozen=True)
class Limits:
    """What the environment asks for: ``retry_after_s`` the most a refused caller may be told to wait, ``counter_tolerance`` the share by
    which counted and seen refusals may differ, ``goodput_share`` how much of its peak the goodput keeps under overload, ``recovery_s`` how
    long the way back may take, ``rule`` how often chats without explanation may be too slow or fail, ``failed_share`` how many attached
    chats may be neither served nor refused."""

    retry_after_s: float
    counter_tolerance: float
    goodput_share: float
    recovery_s: float
    rule: Rule
    refusal_actions: frozenset[str]
    failed_share: float = 0.05


def judge_saturation(verdict: Verdict, seen: Observation) -> bool:
    """Whether the service was driven to its limit; without that nothing else can be said."""
    lag = f", queue lag up to {seen.counted.lag_s:.1f} s" if seen.counted and seen.counted.lag_s is not None else ""
    if not seen.saturated and seen.problems:
        _blame_generator(verdict, "whether the service gives way", seen.problems)
        return False
    if not seen.saturated:
        offered = ", ".join(f"{step.rate:g}/s" for step in seen.offers)
        verdict.inconclusive(
            "saturation-not-reached",
            f"nothing was refused and the queue kept up at {offered} of attached chats, at most {seen.most_offered:g}/s{lag}",
            "Raise max_rate, within what the environment may be asked to bear, or lower its limits for this run.",
        )
        return False
    verdict.control("saturation was reached", True, expected="refusals, or a queue that lags", observed=seen.saturated, reason_code="")
    return verdict.expect(
        "the ladder refuses attached work once the service is saturated",
        seen.refusals.count > 0,
        expected="answers of 429",
        observed=f"none; {seen.saturated}",
        reason_code="ladder-inactive",
        action="Let the gateway refuse x-explain-mode while explanations wait for longer than they are worth waiting for.",
    )


def judge_pressure(verdict: Verdict, seen: Observation, limits: Limits) -> None:
    """Everything else, root causes before what follows from them."""
    _judge_retry_after(verdict, seen.refusals, limits)
    if seen.lane:
        _judge_lane(verdict, seen.lane, limits.rule, seen.problems)
    _judge_failures(verdict, seen, limits)
    if seen.overload:
        _judge_goodput(verdict, seen, seen.overload, limits)
    if seen.traces:
        _judge_traces(verdict, seen.traces)
    if seen.counted:
        _judge_counters(verdict, seen, seen.counted, limits)
    _judge_graphs(verdict, seen)
    _judge_recovery(verdict, seen, limits)


def _judge_retry_after(verdict: Verdict, refusals: Refusals, limits: Limits) -> None:
    verdict.examine("refusals", refusals.count)
    verdict.expect(
        "every 429 says in Retry-After when to try again, as seconds or as a date",
        refusals.unusable == 0,
        expected="a whole number of seconds or an HTTP date (RFC 9110, section 10.2.3)",
        observed=f"{refusals.unusable} of {refusals.count} answers without one",
        reason_code="retry-after-missing",
        action="Send Retry-After with every 429; callers without it try again at once, all of them.",
    )
    if refusals.least_s is not None and refusals.most_s is not None:
        verdict.expect(
            f"Retry-After is more than 0 and at most {limits.retry_after_s:g} s",
            refusals.least_s > 0 and refusals.most_s <= limits.retry_after_s,
            expected=f"above 0, at most {limits.retry_after_s:g} s",
            observed=f"{refusals.least_s:g} to {refusals.most_s:g} s",
            reason_code="retry-after-out-of-range",
            action="Tell callers to wait for about as long as the queue needs: 0 invites a storm, hours turn callers away for nothing.",
        )


def _blame_generator(verdict: Verdict, what: str, problems: Sequence[str]) -> None:
    verdict.inconclusive(
        "generator-unhealthy",
        f"{what} cannot be told, since the load generator did not keep up: {'; '.join(problems)}",
        "Run it from a larger or less busy machine, or lower max_rate.",
    )


def _judge_lane(verdict: Verdict, lane: Lane, rule: Rule, problems: Sequence[str]) -> None:
    found = judge(lane.batches, rule)
    verdict.examine("chats under pressure", lane.batches.tries)
    if lane.p95_ms is not None:
        verdict.measure("pressure_chat_p95_ms", lane.p95_ms)
    name = f"chats without explanation are served within {lane.slo_ms:g} ms while attached ones are refused"
    share = f"at most {rule.limit * 100:.3g} % slower or failed"
    observed = (
        f"{found.rate:.2%} of {found.tries} slower or failed ({_counted(lane.errors) or 'no errors'}), surely between {found.low:.2%} and "
        f"{found.high:.2%}; p95 of the good ones {'-' if lane.p95_ms is None else f'{lane.p95_ms:.0f} ms'}"
    )
    # A generator that is late makes chats look slower than they are, never faster.
    if found.verdict != PASS and problems:
        _blame_generator(verdict, f"whether {name}", problems)
    elif found.verdict in (PASS, FAIL):
        verdict.expect(
            name,
            found.verdict == PASS,
            expected=share,
            observed=observed,
            reason_code="chat-starved",
            action="Keep connections, workers and limits of plain chats apart from those of attached ones.",
        )
    else:
        longer = f" for {found.seconds_needed:g} s at least" if found.seconds_needed else " for longer"
        verdict.inconclusive("too-few-samples", f"{name}: {observed}", f"Hold the pressure{longer} (hold), or raise chat_rate.")


def _judge_failures(verdict: Verdict, seen: Observation, limits: Limits) -> None:
    steps = [step for step in (seen.saturation, seen.overload) if step]
    sent, failed = sum(step.sent for step in steps), sum(seen.failed.values())
    if not sent:
        return
    verdict.examine("attached chats under pressure", sent)
    verdict.expect(
        "an attached chat under pressure is served or refused, and does not fail",
        failed <= limits.failed_share * sent,
        expected=f"at most {limits.failed_share:.0%} of {sent}",
        observed=f"{failed} failed ({_counted(seen.failed)})",
        reason_code="refusal-unclean",
        action="Refuse early: what cannot be taken on should get its 429 before it costs anything.",
    )


def _judge_goodput(verdict: Verdict, seen: Observation, overload: Offer, limits: Limits) -> None:
    # A step that was cut short by the end of the search may have had too few to show a rate.
    steps = [step for step in seen.below if step.completed >= MIN_COMPLETED]
    most = max((step.completed for step in seen.below), default=0)
    if not verdict.need("explanations completed in a step", MIN_COMPLETED, most, action="Take longer steps (step_seconds, hold)."):
        return
    peak = max(steps, key=lambda step: step.goodput)
    verdict.measure("pressure_goodput_peak_per_second", round(peak.goodput, 3))
    verdict.measure("pressure_goodput_overload_per_second", round(overload.goodput, 3))
    # Both are Poisson counts: it is a collapse only where chance would make as much of none in one case out of a hundred.
    share = limits.goodput_share
    error = math.sqrt((overload.completed + 1) / overload.counted_s**2 + share**2 * peak.completed / peak.counted_s**2)
    kept = overload.goodput + _ONE_IN_A_HUNDRED * error >= share * peak.goodput
    if not kept and seen.problems:
        _blame_generator(verdict, "whether goodput collapsed", seen.problems)
        return
    verdict.expect(
        f"goodput at {overload.rate:g}/s offered keeps {limits.goodput_share:.0%} of its peak",
        kept,
        expected=f"at least {limits.goodput_share * peak.goodput:.1f} explanations per second ({peak.goodput:.1f} at {peak.name})",
        observed=f"{overload.goodput:.1f} per second ({overload.completed} in {overload.counted_s:.0f} s)",
        reason_code="goodput-collapsed",
        action="Refuse before work is begun, and do no work that will be thrown away: retries, expired traces, thrashing caches.",
    )


def _judge_traces(verdict: Verdict, traces: Traces) -> None:
    verdict.examine("accepted explanations", traces.accepted)
    named = ", ".join(f"{trace_id} ({how})" for trace_id, how in list(traces.open.items())[:_NAMED])
    more = len(traces.open) - _NAMED
    verdict.expect(
        "every explanation that was accepted ends in its budget",
        not traces.open,
        expected=f"a terminal state for all {traces.accepted}",
        observed=f"{len(traces.open)} did not: {named}{f' and {more} more' if more > 0 else ''}" if traces.open else "all ended",
        reason_code="trace-lost",
        action="Answer with x-trace-id only once the job is in the durable queue, and let what cannot be finished fail or expire.",
    )
    verdict.expect(
        "an attached chat that is answered names its trace",
        traces.unnamed == 0,
        expected="x-trace-id with every 200",
        observed=f"{traces.unnamed} answers of 200 without a usable x-trace-id",
        reason_code="attachment-dropped",
        action="Refuse with 429 what will not be explained; do not leave it out in silence.",
    )


def _judge_counters(verdict: Verdict, seen: Observation, counted: Counted, limits: Limits) -> None:
    if counted.went_back:
        verdict.inconclusive(
            "counters-reset", "a counter is lower than before the load: a process was started anew meanwhile", "See why, and run it again."
        )
        return
    if counted.level is None:
        verdict.skip(
            "dependency_missing",
            "whether the level shows the pressure, since no endpoint exposes backpressure_level",
            "Name the endpoint that does in sidecar_metrics_endpoints.",
        )
    else:
        verdict.expect(
            "backpressure_level shows the pressure",
            counted.level > 0,
            expected="more than 0 while attached chats are refused",
            observed=f"at most {counted.level:g} in {counted.readings} readings",
            reason_code="level-not-raised",
            action="Set the gauge from what the ladder decides by.",
        )
    if counted.actions is None:
        verdict.skip(
            "dependency_missing",
            "whether the ladder's actions are counted, since no endpoint exposes backpressure_actions_total",
            "Name the endpoints that do in sidecar_metrics_endpoints.",
        )
        return
    refused = sum(value for action, value in counted.actions.items() if action in limits.refusal_actions)
    # The answers that were under way when the search ended were counted by the service and not seen; and others may be refused too,
    # which the service's count of its answers shows.
    most = max(seen.refusals.count + seen.connections, counted.refused or 0.0) * (1 + limits.counter_tolerance)
    least = seen.refusals.count * (1 - limits.counter_tolerance)
    verdict.expect(
        f"refusals are counted as {' or '.join(sorted(limits.refusal_actions))}",
        least <= refused and (counted.refused is None or refused <= most),
        expected=f"{seen.refusals.count} that were seen, within {limits.counter_tolerance:.0%}",
        observed=f"{refused:g} counted"
        + ("" if counted.refused is None else f", beside {counted.refused:g} answers of 429 in http_requests_total"),
        reason_code="ladder-miscounted",
        action="Count the action where the refusal is made; alerts and autoscaling go by it.",
    )
    soft = {action: value for action, value in counted.actions.items() if action not in limits.refusal_actions}
    # Where none is there, none has ever counted: a labelled counter may begin to exist with its first step.
    verdict.expect(
        "explanations get cheaper before they are refused, and that is counted",
        any(value > 0 for value in soft.values()),
        expected=f"an increase of {', '.join(sorted(soft)) or 'an action that is no refusal'}",
        observed=_counted(soft) or "no such action is exposed",
        reason_code="soft-rungs-unused",
        action="Let the soft rungs act before the hard one, and count each.",
    )


def _judge_graphs(verdict: Verdict, seen: Observation) -> None:
    graphs = seen.graphs
    if graphs is None:
        return
    if not graphs.sampled:
        verdict.inconclusive(
            "no-explanations", "no explanation completed under pressure, so there is no graph to sample", "See the explainer."
        )
        return
    verdict.examine("graphs", graphs.sampled)
    shown = "; ".join(f"{trace_id}: {problem}" for trace_id, problem in list(graphs.problems.items())[:3])
    verdict.expect(
        "graphs made under pressure are valid hypergraphs about their traces",
        not graphs.problems,
        expected=f"{graphs.sampled} of {graphs.sampled} valid",
        observed=f"{len(graphs.problems)} are not: {shown}" if graphs.problems else "all",
        reason_code="graph-invalid-under-pressure",
        action="Whatever the ladder leaves out, keep the document whole; trace_workflow examines one closely.",
    )


def _judge_recovery(verdict: Verdict, seen: Observation, limits: Limits) -> None:
    recovery = seen.recovery
    if recovery is None:
        return
    if recovery.seconds is not None:
        verdict.measure("pressure_recovery_seconds", round(recovery.seconds, 3))
    level = "the level is not exposed" if recovery.level is None else f"the level is {recovery.level:g}"
    exposed = recovery.level is not None or (seen.counted is not None and seen.counted.level is not None)
    verdict.expect(
        f"within {limits.recovery_s:g} s after the load, attached chats are accepted again{' and the level is 0' if exposed else ''}",
        recovery.seconds is not None and recovery.seconds <= limits.recovery_s,
        expected=f"at most {limits.recovery_s:g} s",
        observed=f"{recovery.seconds:.1f} s"
        if recovery.seconds is not None
        else f"not in {recovery.watched_s:.0f} s: the last attached chat {recovery.last_answer}, {level}",
        reason_code="pressure-not-released",
        action="Let the ladder step down with the queue; one that stays up serves worse than it could.",
    )


def _counted(counts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {count:g}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))
