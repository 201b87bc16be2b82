# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A load run in few words: what the module returns, and the line that tells how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .plan import CHAT


def in_short(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a summary a reader asks for first."""
    phases = summary["classes"].get(CHAT, {})
    return {
        "id": summary["run"]["id"],
        "duration_s": summary["run"]["duration_s"],
        "interrupted": summary["run"]["interrupted"],
        "requests": sum(measured["count"] for measured in phases.values()),
        "errors": sum(measured["count"] - measured["ok"] for measured in phases.values()),
        "achieved_per_s": summary["offered"]["achieved_per_s"],
        "latency_ms": {name: {**measured["latency_ms"]} for name, measured in phases.items()},
        "traces": summary["traces"],
        "healthy": all(generator["healthy"] for generator in summary["generators"]),
        "problems": [problem for generator in summary["generators"] for problem in generator["problems"]],
    }


def sentence(short: Mapping[str, Any]) -> str:
    """The same in one line."""
    interrupted = f", ended early by {short['interrupted']}" if short["interrupted"] else ""
    traces = short["traces"]
    return (
        f"{short['requests']} requests in {short['duration_s']:.0f} s ({short['achieved_per_s']:.1f}/s), {short['errors']} errors, "
        f"{traces['complete']} of {traces['accepted']} explanations complete{interrupted}"
        + ("" if short["healthy"] else f"; the generator did not keep up: {'; '.join(short['problems'])}")
    )


def progress_line(progress: Mapping[str, Any]) -> str:
    """Where a run is, as its progress file tells."""
    p95 = progress["p95_ms"]
    return (
        f"{_clock(progress['elapsed_s'])}/{_clock(progress['planned_s'])} {progress['phase']:<8} "
        f"{progress['requests']:>9} requests {progress['rate_per_s']:>8.0f}/s  p95 {'-' if p95 is None else f'{p95:.1f} ms':>10}  "
        f"{progress['errors']} errors  explanations {progress['complete']}/{progress['attached']}"
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
