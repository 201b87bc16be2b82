# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Summaries of load runs (schema load-summary-1), as a generator would have written them of given latencies."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.histogram import Histogram
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.intervals import interval

SLO_MS = {"chat": 500.0, "sentence": 2000.0, "token": 8000.0}
# What ended in each second: a latency in milliseconds, or the error it ended in.
Seconds = Sequence[Sequence[Any]]


def steady(seed: int, seconds: int = 120, *, rate: int = 20, slow: float = 0.02, failed: float = 0.0, slo_ms: float = 500.0) -> Seconds:
    """A service of which a share is slow, and a share fails, each request for itself."""
    chance = random.Random(seed)

    def one() -> Any:
        draw = chance.random()
        if draw < failed:
            return "timeout"
        return slo_ms * (1.8 + chance.random()) if draw < failed + slow else slo_ms * (0.2 + 0.5 * chance.random())

    return [[one() for _request in range(rate)] for _second in range(seconds)]


def measured(seconds: Seconds, slo_ms: float) -> dict[str, Any]:
    """What is counted of a class in a phase."""
    histogram = Histogram()
    errors: Counter[str] = Counter()
    for second in seconds:
        for outcome in second:
            if isinstance(outcome, str):
                errors[outcome] += 1
            else:
                histogram.record(round(outcome * 1000))
    exceeding = [sum(isinstance(one, str) or one > slo_ms for one in second) for second in seconds]
    good = histogram.count
    fractions = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999}
    return {
        "count": good + sum(errors.values()),
        "ok": good,
        "errors": dict(errors),
        "exceeding": sum(exceeding),
        "batches": {"width_s": 1.0, "count": [len(second) for second in seconds], "exceeding": exceeding},
        "latency_ms": {
            **{name: histogram.percentile(fraction) / 1000 if good else None for name, fraction in fractions.items()},
            "mean": round(histogram.mean_us / 1000, 6) if good else None,
            "max": histogram.max_us / 1000 if good else None,
        },
        "intervals_ms": {name: interval(histogram, fractions[name]) if good else None for name in ("p50", "p95", "p99")},
        "histogram": histogram.to_document(),
        "censored": errors["timeout"],
    }


def phase(name: str = "steady", kind: str = "steady", starts_s: float = 10.0, duration_s: float = 120.0) -> dict[str, Any]:
    """A phase of a plan."""
    return {"name": name, "kind": kind, "starts_s": starts_s, "duration_s": duration_s, "rate_per_s": 20.0, "concurrency": 8}


def summary(classes: Mapping[str, Mapping[str, Seconds]], **changes: Any) -> dict[str, Any]:
    """A summary; ``changes`` overwrite members of run, plan, or the one generator, by their name."""
    run = {
        "id": "run-1",
        "environment": "staging",
        "started_at": "2026-11-21T10:00:00.000000Z",
        "ended_at": "2026-11-21T10:02:10.000000Z",
        "duration_s": 130.0,
        "interrupted": None,
    }
    plan = {
        "model": "open",
        "arrivals": "constant",
        "concurrency": 8,
        "rate_per_s": 20.0,
        "attach_rate": 0.3 if set(classes) - {"chat"} else 0.0,
        "granularity": "mix" if "token" in classes else "sentence",
        "featureset": "sae-gpt4-2m",
        "chat_model": "gpt-4o-mini",
        "prompts": "sha256:5d1f0a1c2b3e4f56",
        "stream": False,
        "seed": 1,
        "phases": [phase("warmup", "warmup", 0.0, 10.0), phase()],
        "timeouts": {"chat_s": 30.0, "explanation_s": 60.0, "connect_s": 5.0},
        "slo_ms": dict(SLO_MS),
    }
    generator = {
        "host": "generator-1",
        "python": "3.11.2",
        "loop": "uvloop",
        "parser": "msgspec",
        "cpu_share": 0.2,
        "loop_lag_ms": {"p50": 0.1, "p99": 1.0, "max": 3.0},
        "clock_offset_ms": 0.2,
        "clock_uncertainty_ms": 0.1,
        "healthy": True,
        "problems": [],
    }
    for part in (run, plan, generator):
        part.update({name: value for name, value in changes.items() if name in part})
    parts = {kind: {name: measured(seconds, SLO_MS[kind]) for name, seconds in phases.items()} for kind, phases in classes.items()}
    sent = sum(one["count"] for one in parts.get("chat", {}).values())
    explained = [one for kind in ("sentence", "token") for one in parts.get(kind, {}).values()]
    complete = sum(one["ok"] for one in explained)
    unfinished = sum(one["count"] - one["ok"] for one in explained)
    return {
        "schema": "load-summary-1",
        "run": run,
        "plan": plan,
        "classes": parts,
        "traces": {
            "accepted": complete + unfinished,
            "complete": complete,
            "failed": 0,
            "expired": 0,
            "canceled": 0,
            "lost": 0,
            "unfinished": unfinished,
        },
        "offered": {
            "planned": sent,
            "sent": sent,
            "dropped": 0,
            "rate_per_s": 20.0,
            "achieved_per_s": 20.0,
            "send_error_us": {"p50": 40.0, "p99": 200.0, "max": 900.0},
        },
        "bytes": {"sent": 100 * sent, "received": 300 * sent},
        "status_codes": {"200": sent},
        "ladder": {"429": 0, "retry_after_s": {"min": None, "max": None, "missing": 0}},
        "generators": [generator],
        "series": {kind: _series(phases) for kind, phases in classes.items()},
    }


def written(directory: Path, *documents: Mapping[str, Any]) -> list[str]:
    """Their paths, once they are written."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, document in enumerate(documents):
        path = directory / f"summary-{number}.json"
        path.write_text(json.dumps(document))
        paths.append(str(path))
    return paths


def _series(phases: Mapping[str, Seconds]) -> dict[str, Any]:
    seconds = [second for part in phases.values() for second in part]
    good = [sorted(one for one in second if not isinstance(one, str)) for second in seconds]
    return {
        "width_s": 1.0,
        "starts_s": 10.0,
        "count": [len(second) for second in seconds],
        "exceeding": [0] * len(seconds),
        "errors": [sum(isinstance(one, str) for one in second) for second in seconds],
        "p50_ms": [one[len(one) // 2] if one else None for one in good],
        "p95_ms": [one[int(len(one) * 0.95)] if one else None for one in good],
    }
