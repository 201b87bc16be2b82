# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load run in words, as both reports have them: latencies with the unit that suits them, and what was sent, answered and expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .capacity import percent
from .load_run import WARMUP, LoadRun, Measured
from .view import number

NONE = "-"
QUANTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999))
_STATES = ("complete", "failed", "expired", "canceled", "lost", "unfinished")


def latency(milliseconds: float | None) -> str:
    """A latency with about three digits."""
    if milliseconds is None:
        return NONE
    return f"{_three_digits(milliseconds)} ms" if milliseconds < 999.5 else f"{_three_digits(milliseconds / 1000)} s"


def interval(ends: tuple[float, float] | None) -> str:
    """Between what a latency lies, with 95 % confidence."""
    if ends is None:
        return ""
    low, high = map(latency, ends)
    (number_low, unit), unit_high = low.split(" "), high.split(" ")[1]
    return f"{number_low if unit == unit_high else low} to {high}"


def per_second(rate: float | None) -> str:
    """A rate."""
    return NONE if rate is None else f"{_three_digits(rate)}/s"


def share(fraction: float | None) -> str:
    """A share (0 to 1), of which a small one is not called none."""
    return NONE if fraction is None else percent(fraction)


def quantile_name(quantile: float) -> str:
    """``p95`` for 0.95, ``p99.9`` for 0.999."""
    return f"p{quantile * 100:.6g}"


def errors(measured: Measured) -> list[str]:
    """How many failed in which way, the most frequent first."""
    told = sorted(measured.errors.items(), key=lambda item: (-item[1], item[0]))
    return [f"{number(times)} {error}" for error, times in told if times]


def headline(run: LoadRun) -> str:
    """What was asked of the environment, and whether all of it was done."""
    plan = run.plan
    rate, at_once = plan.get("rate_per_s"), plan.get("concurrency")
    offered = f" at {per_second(rate)}" if rate is not None else f" with {number(at_once)} at once" if at_once is not None else ""
    planned = max((phase.ends_s for phase in run.phases), default=0.0)
    hosts = len(run.generators) + run.generators_left_out
    told = f"{plan.get('model')} loop{offered} from {hosts} {'generator' if hosts == 1 else 'generators'}, {seconds(planned)} planned"
    return f"{told}, interrupted after {seconds(run.run['duration_s'])}: {run.run['interrupted']}" if run.run["interrupted"] else told


def facts(run: LoadRun) -> list[tuple[str, str]]:
    """What was sent, what became of explanations, and what is expected of latencies."""
    found = [("Sent", _sent(run.offered)), ("Explanations", _explanations(run)), ("Objectives", _objectives(run))]
    warmups = [phase.name for phase in run.phases if phase.kind == WARMUP]
    if warmups:
        found.append(("Not judged", f"{', '.join(warmups)} (warm-up)"))
    if run.phases_left_out:
        found.append(("Not shown", f"{number(run.phases_left_out)} more phases, in which a smaller share failed or was slow"))
    return [(term, told) for term, told in found if told]


def signed_percent(fraction: float | None) -> str:
    """A change as a fraction, with its sign; ``open`` where it is unknown, as a bound that too few samples left so."""
    if fraction is None:
        return "open"
    return f"{'+' if fraction > 0 else '-' if fraction < 0 else '±'}{percent(abs(fraction))}"


def seconds(duration_s: float) -> str:
    """A duration of a run."""
    if duration_s < 120:
        return f"{_three_digits(duration_s)} s"
    (whole, unit), (rest, of_it) = ((60, "min"), (1, "s")) if duration_s < 7200 else ((3600, "h"), (60, "min"))
    count, left = divmod(int(duration_s), whole)
    return f"{count:,} {unit}" + (f" {left // rest} {of_it}" if left // rest else "")


def factor(measured: Measured, before: Measured, name: str) -> str:
    """How many times as slow a percentile is as it was."""
    now, then = measured.latency_ms.get(name), before.latency_ms.get(name)
    return f"{_three_digits(now / then)} times" if now is not None and then else ""


FILTERS: Mapping[str, Callable[..., Any]] = {
    "latency": latency,
    "interval": interval,
    "per_second": per_second,
    "share": share,
    "quantile_name": quantile_name,
    "errors": errors,
    "load_headline": headline,
    "load_facts": facts,
    "signed_percent": signed_percent,
    "seconds": seconds,
    "factor": factor,
}


def _sent(offered: Mapping[str, float | None]) -> str:
    planned, sent, dropped = (offered.get(name) for name in ("planned", "sent", "dropped"))
    if sent is None:
        return ""
    told = f"{number(sent)} requests" + (f" of {number(planned)} planned" if planned else "")
    told += f", {per_second(offered.get('achieved_per_s'))}" + (f"; {number(dropped)} dropped" if dropped else "")
    late = offered.get("send_error_us")
    if isinstance(late, Mapping) and late.get("p99") is not None:
        told += f"; sent late by {latency(late['p99'] / 1000)} (p99)"
    return told


def _explanations(run: LoadRun) -> str:
    accepted = run.traces.get("accepted")
    if accepted is None:
        return ""
    attach, how = run.plan.get("attach_rate"), run.plan.get("granularity")
    asked = f"asked for with {percent(attach)} of chats ({how}): " if attach is not None else ""
    ends = ", ".join(f"{number(run.traces[state])} {state}" for state in _STATES if run.traces.get(state))
    return f"{asked}{number(accepted)} accepted" + (f", of which {ends}" if ends else "")


def _objectives(run: LoadRun) -> str:
    limits = {measured.name: measured.slo_ms for measured in run.measured if measured.slo_ms is not None}
    return ", ".join(f"{name} {quantile_name(run.quantile)} ≤ {latency(limit)}" for name, limit in limits.items())


def _three_digits(value: float) -> str:
    """With about three digits, and never as a power of ten."""
    if value >= 99.95 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2g}" if value < 0.995 else f"{value:.2f}"
