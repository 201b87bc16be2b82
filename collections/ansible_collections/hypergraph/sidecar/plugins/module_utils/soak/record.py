# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of a soak on the controller: its plan, and a folder for each segment with a summary of each generator and the samples.

A segment that is whole is kept when the soak is run again; one that is not is driven again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import strict_json
from ..faults import CheckError
from ..load.files import replace
from ..load.reading import read
from .samples import Sample, samples_of

PLAN_FILE, SAMPLES_FILE, SUMMARY_FILE = "plan.json", "samples.json", "soak_summary.json"
PLAN_SCHEMA = "soak-plan-1"


@dataclass(frozen=True)
class Segment:
    """One segment: what was planned, the summaries by generator, and what was sampled meanwhile."""

    plan: Mapping[str, Any]
    summaries: Mapping[str, Mapping[str, Any]]
    samples: tuple[Sample, ...]
    problem: str

    @property
    def whole(self) -> bool:
        """Whether every generator left a summary of a run that went to its end, and there are samples."""
        return not self.problem


def begin(directory: Path, plan: Mapping[str, Any]) -> None:
    """Write the plan, or see that the soak in the directory is of the same one. Raises CheckError."""
    path = directory / PLAN_FILE
    if path.exists():
        if plan_in(directory) != plan:
            reason = f"{path}: a soak with another plan was begun in this directory"
            raise CheckError("soak-differs", reason, "Name another directory, or repeat the arguments it was begun with.")
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
    if not isinstance(plan, dict) or plan.get("schema") != PLAN_SCHEMA or not isinstance(plan.get("segments"), list):
        raise CheckError("soak-unreadable", f"{path}: not of schema {PLAN_SCHEMA}", "Give the directory that playbooks/soak.yml made.")
    return plan


def segments_in(directory: Path, plan: Mapping[str, Any]) -> list[Segment]:
    """Every planned segment with what there is of it."""
    return [_segment(directory / segment["name"], segment, plan["generators"]) for segment in plan["segments"]]


def _segment(folder: Path, planned: Mapping[str, Any], generators: Sequence[str]) -> Segment:
    summaries = {}
    try:
        for host in generators:
            path = folder / f"{host}.json"
            if not path.exists():
                return Segment(planned, {}, (), f"generator {host} left no summary")
            summaries[host] = read(str(path))
            if summaries[host]["run"]["interrupted"] is not None:
                return Segment(planned, {}, (), f"the run of generator {host} was ended early by {summaries[host]['run']['interrupted']}")
        path = folder / SAMPLES_FILE
        if not path.exists():
            return Segment(planned, {}, (), "no samples of memory and queue were kept")
        return Segment(planned, summaries, samples_of(json.loads(path.read_bytes())), "")
    except (CheckError, ValueError) as problem:
        return Segment(planned, {}, (), str(problem))
