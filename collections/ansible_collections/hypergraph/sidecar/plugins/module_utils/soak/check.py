# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""slo_adherence over hours: reads what a soak left, writes its summary, and judges it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ..examination import Inspection
from ..faults import CheckError, CheckInconclusive
from ..load.exceedance import STATISTICS, Rule
from ..load.files import replace
from ..ranges import hold_within
from . import curves, judging, naming, record, telling
from .samples import LAG, MEMORY

_RANGES = {
    **STATISTICS,
    "max_p95_rise": (0.0, 100.0),
    "max_error_rise": (0.0, 1.0),
    "max_memory_rise": (0.0, 100.0),
    "max_lag_rise": (0.0, 3600.0),
}


def examine(run: Inspection) -> None:
    """Judge the soak in a directory."""
    params, verdict = run.params, run.verdict
    hold_within(params, _RANGES)
    directory = Path(params["directory"])
    plan = record.plan_in(directory)
    segments = record.segments_in(directory, plan)
    whole = [segment for segment in segments if segment.whole]
    if not whole:
        raise CheckInconclusive("no-load-run", f"{directory} has no segment that is whole: {segments[0].problem}", "Run the soak again.")
    stale = naming.stale(whole, params["max_age"], time.time())
    if stale:
        verdict.skip("dependency_missing", f"a soak of today's service: {stale}", "Run playbooks/soak.yml under a new sidecar_soak_id.")
        return
    driven = curves.together(whole)
    most = {
        curves.P95: params["max_p95_rise"],
        curves.ERRORS: params["max_error_rise"],
        curves.MEMORY: params["max_memory_rise"],
        curves.LAG: params["max_lag_rise"],
    }
    found = curves.curves(driven, plan["segment_seconds"], most)
    restarted = curves.restarts(whole)
    found = [curve for curve in found if curve.kind != curves.MEMORY or not any(curve.name.endswith(f" {name}") for name in restarted)]
    path = directory / record.SUMMARY_FILE
    try:
        replace(path, telling.document(plan, segments, driven, found, params["confidence"]))
    except OSError as problem:
        reason = f"{path} cannot be written: {os.strerror(problem.errno or 0).lower()}"
        raise CheckError("results-unwritable", reason, "Let the user of the run write there.") from None
    verdict.record(summary=str(path))
    verdict.examine("segments", len(whole))
    _hold_whole(run, segments, restarted)
    _hold_watched(run, whole, found)
    judged = found
    late = [segment for segment in whole if segment.late]
    if late:
        names = ", ".join(segment.plan["name"] for segment in late[:3]) + ", …" * (len(late) > 3)
        problems = dict.fromkeys(problem for segment in late for problem in segment.late)
        verdict.inconclusive(
            "generator-unhealthy",
            f"in {len(late)} of {len(whole)} segments ({names}) the load generators did not keep up, so latencies say nothing about the "
            f"service: {'; '.join(problems)}",
            "Run the soak again when the generators have room, which drives those segments again; or soak anew from more or larger ones.",
        )
        judged = [curve for curve in found if curve.kind in (curves.MEMORY, curves.LAG)]
    else:
        judging.judge_objectives(verdict, driven, Rule.told(params))
    judging.judge_trends(verdict, judged, params["confidence"])
    verdict.record(soak=telling.evidence(plan, segments, driven, found, judged, params["confidence"]))


def _hold_watched(run: Inspection, whole: list[record.Segment], found: list[curves.Curve]) -> None:
    """Whether what should have been watched was: where nobody looked, nothing grew."""
    missing = curves.unseen(whole)
    if missing:
        told = "; ".join(
            f"{endpoint} in {len(names)} ({', '.join(names[:3])}{', …' * (len(names) > 3)})" for endpoint, names in missing.items()
        )
        run.verdict.inconclusive(
            "samples-missing",
            f"in some of {len(whole)} segments a service did not answer when its memory and queue were to be sampled: {told}",
            "See whether its metrics answer under load, and soak anew.",
        )
    elif not any(curve.kind == curves.MEMORY for curve in found) and not any(segment.samples for segment in whole):
        run.verdict.skip("disabled_by_config", "memory and queue: no metrics endpoint is declared", "Declare sidecar_metrics_endpoints.")
    samples = [sample for one in whole for sample in one.samples]
    seen = {sample.endpoint for sample in samples}
    silent = sorted(seen - {sample.endpoint for sample in samples if sample.memory_bytes})
    if silent:
        reason = f"memory: {', '.join(silent)} does not expose {MEMORY}"
        run.verdict.skip("not_applicable", reason, "Expose the process metrics of Prometheus's client library.")
    if seen and not any(curve.kind == curves.LAG for curve in found):
        reason = f"queue lag: none of {', '.join(sorted(seen))} exposes {LAG}"
        run.verdict.skip("not_applicable", reason, "Declare the endpoint that does in sidecar_metrics_endpoints.")


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
