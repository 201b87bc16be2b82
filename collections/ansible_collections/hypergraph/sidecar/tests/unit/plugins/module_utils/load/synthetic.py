# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Summaries of load runs that never were, as the engine would write them: drawn second by second from stated distributions."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.histogram import Histogram

SLO_MS = {"chat": 500.0, "sentence": 2000.0, "token": 8000.0}
# Median in milliseconds, and share of the requests.
CLASSES = {"chat": (120.0, 1.0), "sentence": (700.0, 0.24), "token": (2600.0, 0.06)}
QUANTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999))


@dataclass(frozen=True)
class Stretch:
    """A phase: so long, at such a rate; ``slower`` times as slow, a share ``tail`` eight times as slow, and the given shares failing."""

    name: str = "steady"
    kind: str = "steady"
    duration_s: int = 60
    rate_per_s: float = 50.0
    slower: float = 1.0
    tail: float = 0.0
    errors: Mapping[str, float] = field(default_factory=dict)


def generator(host: str = "gen-1", **changes: Any) -> dict[str, Any]:
    """A load generator that kept up, unless changed."""
    usual = {
        "host": host,
        "python": "3.11.7",
        "loop": "uvloop",
        "parser": "msgspec",
        "cpu_share": 0.18,
        "loop_lag_ms": {"p50": 0.05, "p99": 0.4, "max": 3.1},
        "clock_offset_ms": -0.31,
        "clock_uncertainty_ms": 0.25,
        "healthy": True,
        "problems": [],
    }
    return {**usual, **changes}


def summary(
    *stretches: Stretch, ended_s: float | None = None, interrupted: str | None = None, seed: int = 1, **changes: Any
) -> dict[str, Any]:
    """A load-summary-1 document of these phases, ended before the plan's end if so told."""
    chance = random.Random(seed)
    phases, at = [], 0.0
    for stretch in stretches:
        phases.append(
            {
                "name": stretch.name,
                "kind": stretch.kind,
                "starts_s": at,
                "duration_s": float(stretch.duration_s),
                "rate_per_s": stretch.rate_per_s,
                "concurrency": 64,
            }
        )
        at += stretch.duration_s
    ends = at if ended_s is None else ended_s
    classes: dict[str, Any] = {}
    series: dict[str, Any] = {}
    for name, (median_ms, share) in CLASSES.items():
        classes[name], series[name] = _class(name, median_ms, share, stretches, ends, chance)
    sent = sum(measured["count"] for measured in classes["chat"].values())
    explained = sum(measured["count"] for name in ("sentence", "token") for measured in classes[name].values())
    document = {
        "schema": "load-summary-1",
        "run": {
            "id": "20301121T115000Z-2e6333",
            "environment": "staging",
            "started_at": "2030-11-21T11:50:00.000000Z",
            "ended_at": "2030-11-21T11:55:00.000000Z",
            "duration_s": ends,
            "interrupted": interrupted,
        },
        "plan": {
            "model": "open",
            "concurrency": 64,
            "rate_per_s": stretches[-1].rate_per_s,
            "attach_rate": 0.3,
            "granularity": "mix",
            "featureset": "sae-gpt4-2m",
            "seed": seed,
            "phases": phases,
            "timeouts": {"chat_s": 10.0, "explanation_s": 60.0, "connect_s": 5.0},
            "slo_ms": SLO_MS,
        },
        "classes": classes,
        "traces": {"accepted": explained, "complete": explained, "failed": 0, "expired": 0, "canceled": 0, "lost": 0, "unfinished": 0},
        "offered": {
            "planned": sent,
            "sent": sent,
            "dropped": 0,
            "rate_per_s": stretches[-1].rate_per_s,
            "achieved_per_s": round(sent / ends, 3),
            "send_error_us": {"p50": 41.0, "p99": 260.0, "max": 4406.0},
        },
        "bytes": {"sent": 400 * sent, "received": 900 * sent},
        "status_codes": {"200": sent},
        "ladder": {"429": 0, "retry_after_s": {"min": None, "max": None, "missing": 0}},
        "generators": [generator()],
        "series": series,
    }
    return {**document, **changes}


def measured(latencies_ms: Iterable[float], slo_ms: float, errors: Mapping[str, int]) -> dict[str, Any]:
    """A class in a phase with these good answers and these errors."""
    histogram = Histogram()
    slow = 0
    for latency_ms in latencies_ms:
        histogram.record(round(latency_ms * 1000))
        slow += latency_ms > slo_ms
    ok, failed = histogram.count, sum(errors.values())
    latency = {name: histogram.percentile(quantile) / 1000 if ok else None for name, quantile in QUANTILES}
    intervals = {
        name: [histogram.percentile(max(quantile - 0.01, 0.01)) / 1000, histogram.percentile(min(quantile + 0.004, 1)) / 1000]
        if ok
        else None
        for name, quantile in QUANTILES[:3]
    }
    return {
        "count": ok + failed,
        "ok": ok,
        "errors": dict(errors),
        "exceeding": slow + failed,
        "batches": {"width_s": 1.0, "count": [ok + failed], "exceeding": [slow + failed]},
        "latency_ms": {**latency, "mean": histogram.mean_us / 1000 if ok else None, "max": histogram.max_us / 1000 if ok else None},
        "intervals_ms": intervals,
        "histogram": histogram.to_document(),
        "censored": errors.get("timeout", 0),
    }


def _class(
    name: str, median_ms: float, share: float, stretches: Iterable[Stretch], ends: float, chance: random.Random
) -> tuple[dict[str, Any], dict[str, Any]]:
    by_phase: dict[str, Any] = {}
    columns: dict[str, list[Any]] = {column: [] for column in ("count", "exceeding", "errors", "p50_ms", "p95_ms")}
    second = 0
    for stretch in stretches:
        phase_ms: list[float] = []
        phase_errors: dict[str, int] = {}
        for _second in range(stretch.duration_s):
            if second >= ends:
                break
            second += 1
            good: list[float] = []
            failed = 0
            expected = stretch.rate_per_s * share
            for _request in range(int(expected) + (chance.random() < expected % 1)):
                error = next((error for error, part in stretch.errors.items() if chance.random() < part), None)
                if error:
                    failed += 1
                    phase_errors[error] = phase_errors.get(error, 0) + 1
                else:
                    late = 8 if chance.random() < stretch.tail else 1
                    good.append(median_ms * stretch.slower * late * chance.lognormvariate(0, 0.45))
            good.sort()
            columns["count"].append(len(good) + failed)
            columns["errors"].append(failed)
            columns["exceeding"].append(failed + sum(latency_ms > SLO_MS[name] for latency_ms in good))
            columns["p50_ms"].append(good[len(good) // 2] if good else None)
            columns["p95_ms"].append(good[int(len(good) * 0.95)] if good else None)
            phase_ms += good
        by_phase[stretch.name] = measured(phase_ms, SLO_MS[name], phase_errors)
    return by_phase, {"width_s": 1.0, "starts_s": 0.0, **columns}
