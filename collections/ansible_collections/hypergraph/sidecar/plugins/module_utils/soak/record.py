# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of a soak on the controller: its plan, and a folder for each segment with a summary of each generator and the samples.

A segment that is whole is kept when the soak is run again; one that is not is driven again.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import strict_json
from ..faults import CheckError
from ..load.files import replace
from ..load.reading import CLASSES, read
from .samples import Sample, Watched, watched_of

PLAN_FILE, SAMPLES_FILE, SUMMARY_FILE = "plan.json", "samples.json", "soak_summary.json"
PLAN_SCHEMA = "soak-plan-1"
_SEGMENT_NAME = re.compile(r"\d{4,9}")


@dataclass(frozen=True)
class Segment:
    """One segment: what was planned, the summaries by generator, and which endpoints were sampled meanwhile, with what they said."""

    plan: Mapping[str, Any]
    summaries: Mapping[str, Mapping[str, Any]]
    watched: tuple[str, ...]
    samples: tuple[Sample, ...]
    problem: str

    @property
    def whole(self) -> bool:
        """Whether every generator left a summary of a run that went to its end, counted by the plan's objectives, and there are samples."""
        return not self.problem

    @property
    def late(self) -> tuple[str, ...]:
        """What was wrong with its generators: latencies of a segment in which they did not keep up are their own."""
        told = [problem for summary in self.summaries.values() for one in summary["generators"] for problem in one["problems"]]
        return tuple(dict.fromkeys(told))


def begin(directory: Path, plan: Mapping[str, Any]) -> None:
    """Write the plan, or see that the soak in the directory is of the same one. Raises CheckError."""
    path = directory / PLAN_FILE
    if path.exists():
        begun = plan_in(directory)
        if begun != plan:
            reason = f"{path}: a soak with another plan was begun in this directory: {_difference(begun, plan)}"
            remedy = "Name another soak (sidecar_soak_id), repeat the arguments it was begun with, or remove the directory."
            raise CheckError("soak-differs", reason, remedy)
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
        replace(path, plan)
    except OSError as problem:
        raise CheckError("results-unwritable", f"{path} cannot be written: {problem.strerror}", "Name another directory.") from None


def plan_in(directory: Path) -> dict[str, Any]:
    """The plan of the soak in a directory. Raises CheckError where there is none."""
    path = directory / PLAN_FILE
    try:
        plan = strict_json.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise CheckError("soak-unreadable", f"{path}: {problem}, expected the plan of a soak", "Run playbooks/soak.yml first.") from None
    if not isinstance(plan, dict) or plan.get("schema") != PLAN_SCHEMA:
        raise CheckError("soak-unreadable", f"{path}: not of schema {PLAN_SCHEMA}", "Give the directory that playbooks/soak.yml made.")
    wrong = _wrong_in(plan)
    if wrong:
        reason = f"{path}: {wrong} is not as a plan has it"
        raise CheckError("soak-unreadable", reason, "Remove the directory and soak anew, or give another (sidecar_soak_id).")
    return plan


def segments_in(directory: Path, plan: Mapping[str, Any]) -> list[Segment]:
    """Every planned segment with what there is of it."""
    return [_segment(directory / segment["name"], segment, plan) for segment in plan["segments"]]


def clear(directory: Path, segments: Sequence[Segment]) -> None:
    """Empty the segments' folders, and take back what was said of them: it must not be taken for part of the next attempt.

    Raises CheckError.
    """
    for segment in segments:
        folder = directory / segment.plan["name"]
        try:
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir()
            (directory / SUMMARY_FILE).unlink(missing_ok=True)
        except OSError as problem:
            raise CheckError("results-unwritable", f"{problem.filename} cannot be emptied: {problem.strerror}", "Remove it.") from None


def _difference(begun: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """What of a plan is otherwise than in the other; the segments follow from the rest, but for their number."""
    one, other = ({**told, "segments": len(told["segments"])} for told in (begun, plan))
    told = [f"{name} was {one.get(name)!r}, is {other[name]!r}" for name in other if one.get(name) != other[name]]
    return ", ".join(told) or "its segments are otherwise"


def _wrong_in(plan: Mapping[str, Any]) -> str:
    """The first member of a plan that cannot be read; empty where there is none."""
    for name in ("id", "environment", "profile"):
        if not isinstance(plan.get(name), str):
            return name
    for name in ("rate_per_s", "segment_seconds"):
        if not _is_number(plan.get(name)) or plan[name] <= 0:
            return name
    objectives = plan.get("slo_ms")
    if not isinstance(objectives, dict) or objectives.keys() != set(CLASSES) or not all(map(_is_number, objectives.values())):
        return "slo_ms"
    generators, segments = plan.get("generators"), plan.get("segments")
    if not isinstance(generators, list) or not generators or not all(isinstance(host, str) for host in generators):
        return "generators"
    if not isinstance(segments, list) or not segments or not all(map(_is_planned, segments)):
        return "segments"
    return "" if len({segment["name"] for segment in segments}) == len(segments) else "segments"


def _is_planned(segment: Any) -> bool:
    named = isinstance(segment, dict) and isinstance(segment.get("name"), str) and _SEGMENT_NAME.fullmatch(segment["name"])
    return bool(named) and _is_number(segment.get("attach_rate"))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _segment(folder: Path, planned: Mapping[str, Any], plan: Mapping[str, Any]) -> Segment:
    try:
        summaries = {host: _summary(folder / f"{host}.json", host, plan["slo_ms"]) for host in plan["generators"]}
        if len({summary["run"]["id"] for summary in summaries.values()}) > 1:
            raise ValueError("its generators' summaries are not of one run")
        watched = _watched(folder / SAMPLES_FILE)
    except CheckError as problem:
        return Segment(planned, {}, (), (), problem.reason)
    except (ValueError, OSError) as problem:
        return Segment(planned, {}, (), (), str(problem))
    return Segment(planned, summaries, watched.endpoints, watched.samples, "")


def _summary(path: Path, host: str, slo_ms: Mapping[str, float]) -> dict[str, Any]:
    if not path.exists():
        raise ValueError(f"generator {host} left no summary")
    summary = read(str(path))
    if summary["run"]["interrupted"] is not None:
        raise ValueError(f"the run of generator {host} was ended early by {summary['run']['interrupted']}")
    if summary["plan"]["slo_ms"] != slo_ms:
        raise ValueError(f"generator {host} counted by objectives of {_told(summary['plan']['slo_ms'])}, the plan has {_told(slo_ms)}")
    return summary


def _told(slo_ms: Mapping[str, float]) -> str:
    return ", ".join(f"{kind} {limit:g} ms" for kind, limit in slo_ms.items())


def _watched(path: Path) -> Watched:
    if not path.exists():
        raise ValueError("no samples of memory and queue were kept")
    try:
        return watched_of(strict_json.loads(path.read_bytes()))
    except ValueError as problem:
        raise ValueError(f"{path.name}: {problem}") from None
