# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""slo_adherence over hours: reads what a soak left, writes its summary, and judges it."""

from __future__ import annotations

import math
import os
from pathlib import Path

from ..examination import Inspection
from ..faults import CheckError, CheckInconclusive
from ..load.exceedance import Rule
from ..load.files import replace
from . import judging, record

_BOUNDS = (
    ("quantile", 0.5, 0.9999),
    ("confidence", 0.5, 0.9999),
    ("correlation_seconds", 0.001, 3600.0),
    ("max_p95_rise", 0.0, 100.0),
    ("max_error_rise", 0.0, 1.0),
    ("max_memory_rise", 0.0, 100.0),
    ("max_lag_rise", 0.0, 3600.0),
)


def examine(run: Inspection) -> None:
    """Judge the soak in a directory."""
    params, verdict = run.params, run.verdict
    for name, low, high in _BOUNDS:
        if not (math.isfinite(params[name]) and low <= params[name] <= high):
            raise CheckError("bad-argument", f"{name} is {params[name]}, expected {low:g} to {high:g}", "Correct the argument.")
    directory = Path(params["directory"])
    plan = record.plan_in(directory)
    segments = record.segments_in(directory, plan)
    whole = [segment for segment in segments if segment.whole]
    if not whole:
        raise CheckInconclusive("no-load-run", f"{directory} has no segment that is whole: {segments[0].problem}", "Run the soak again.")
    summaries = judging.together(whole)
    most = {
        judging.P95: params["max_p95_rise"],
        judging.ERRORS: params["max_error_rise"],
        judging.MEMORY: params["max_memory_rise"],
        judging.LAG: params["max_lag_rise"],
    }
    curves = judging.curves(whole, summaries, most)
    restarted = judging.restarts(whole)
    curves = [curve for curve in curves if curve.kind != judging.MEMORY or not any(curve.name.endswith(f" {name}") for name in restarted)]
    path = directory / record.SUMMARY_FILE
    try:
        replace(path, judging.document(plan, segments, summaries, curves, params["confidence"]))
    except OSError as problem:
        reason = f"{path} cannot be written: {os.strerror(problem.errno or 0).lower()}"
        raise CheckError("results-unwritable", reason, "Let the user of the run write there.") from None
    verdict.record(soak={name: plan[name] for name in ("id", "profile", "segment_seconds", "generators")}, summary=str(path))
    verdict.examine("segments", len(whole))
    _hold_whole(run, segments, restarted)
    problems = [problem for summary in summaries for generator in summary["generators"] for problem in generator["problems"]]
    if problems:
        verdict.inconclusive(
            "generator-unhealthy",
            f"the load generators did not keep up, so latencies say nothing about the service: {'; '.join(dict.fromkeys(problems))}",
            "Use more or larger generators, or a lower rate, and soak again.",
        )
        curves = [curve for curve in curves if curve.kind in (judging.MEMORY, judging.LAG)]
    else:
        alpha = 1 - params["confidence"]
        judging.judge_objectives(verdict, summaries, Rule(round(1 - params["quantile"], 9), alpha, alpha, params["correlation_seconds"]))
    judging.judge_trends(verdict, curves, params["confidence"])


def _hold_whole(run: Inspection, segments: list[record.Segment], restarted: list[str]) -> None:
    missing = [segment for segment in segments if not segment.whole]
    if missing:
        told = "; ".join(f"{segment.plan['name']}: {segment.problem}" for segment in missing[:3])
        run.verdict.inconclusive(
            "soak-incomplete",
            f"{len(missing)} of {len(segments)} segments are not whole ({told})",
            "Run the soak again with the same arguments: it goes on where it ended.",
        )
    if restarted:
        run.verdict.inconclusive(
            "process-restarted",
            f"{', '.join(restarted)} was started anew during the soak, so its memory says nothing",
            "See why: a process that is killed for its memory never shows a leak.",
        )
