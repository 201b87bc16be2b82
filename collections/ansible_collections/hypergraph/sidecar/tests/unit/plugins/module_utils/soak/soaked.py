# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A soak on disk, as playbooks/soak.yml leaves it, of segments that behave as a test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.soak import profiles, record
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.summaries import SLO_MS, phase, steady, summary

BEGAN = 1_795_000_000.0
Given = Callable[[int], float]


def plan(count: int = 10, seconds: float = 100.0, generators: tuple[str, ...] = ("one",), profile: str = "default") -> dict[str, Any]:
    return {
        "schema": record.PLAN_SCHEMA,
        "id": "night",
        "environment": "staging",
        "profile": profile,
        "rate_per_s": 20.0,
        "segment_seconds": seconds,
        "generators": list(generators),
        "slo_ms": dict(SLO_MS),
        "segments": profiles.segments(profiles.PROFILES[profile], count, seconds, 20.0),
    }


def soak(
    directory: Path,
    *,
    count: int = 10,
    slow: Given = lambda _segment: 0.01,
    failed: Given = lambda _segment: 0.0,
    speed: Given = lambda _segment: 1.0,
    memory: Given = lambda _sample: 50e6,
    lag: Given = lambda _sample: 0.1,
    generators: tuple[str, ...] = ("one",),
    problems: Sequence[str] = (),
    process_start: Given = lambda _segment: 1.0,
) -> Path:
    """Segments of a minute of 20 chats per second and two samples; ``speed`` divides latencies."""
    told = plan(count, generators=generators)
    directory.mkdir(parents=True)
    (directory / record.PLAN_FILE).write_text(json.dumps(told))
    for number, segment in enumerate(told["segments"]):
        folder = directory / segment["name"]
        folder.mkdir()
        begins = BEGAN + 120 * number
        for place, host in enumerate(generators):
            seconds = steady(100 * place + number, 60, slow=slow(number), failed=failed(number))
            faster = [[one if isinstance(one, str) or one > 500 else one / speed(number) for one in second] for second in seconds]
            one = summary(
                {"chat": {"steady": faster}},
                started_at=datetime.fromtimestamp(begins, timezone.utc).isoformat().replace("+00:00", "Z"),
                phases=[phase("steady", starts_s=0.0, duration_s=60.0)],
                healthy=not problems,
                problems=list(problems),
            )
            (folder / f"{host}.json").write_text(json.dumps(one))
        samples = [
            {
                "at": begins + 30 * half,
                "endpoint": "explainer",
                "memory_bytes": memory(2 * number + half),
                "queue_lag_s": lag(2 * number + half),
                "queue_depth": 1.0,
                "process_start": process_start(number),
            }
            for half in range(2)
        ]
        (folder / record.SAMPLES_FILE).write_text(json.dumps({"endpoints": ["explainer"], "samples": samples, "missed": 0}))
    return directory
