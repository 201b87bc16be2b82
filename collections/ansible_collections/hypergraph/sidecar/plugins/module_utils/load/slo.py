# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a summary against objectives: what is judged for itself, and how often one may be wrong when there is much to judge.

Each class is judged in each phase but warm-up, and a phase also in segments, so that a late failure is not diluted by a long run.

- A pass says that all phases pass. Each has the whole chance of a wrong pass, since a wrong pass of all needs one of the one that is broken
  (an intersection-union test: R. L. Berger, Technometrics 24, 1982).
- A fail says that some phase or segment fails, so each has only its share of the chance of a wrong fail (Bonferroni).
- A segment can fail and not pass: it is too short for that, and its phase has to pass anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .dependence import Batches
from .exceedance import FAIL, Judgement, Rule, judge
from .reading import WARMUP

# A segment has so many slots of time at least, that dependence can be seen in it, and a phase so many segments at most.
SEGMENT_SLOTS = 30
MAX_SEGMENTS = 10
REFUSED = "status_429"
EXPLANATIONS = ("sentence", "token")


@dataclass(frozen=True)
class Judged:
    """A class in a phase: what came out, and the segments that fail by themselves, in seconds since the phase had its first answer."""

    kind: str
    phase: str
    slo_ms: float
    p95_ms: float | None
    errors: Mapping[str, int]
    judgement: Judgement
    failing_segments: tuple[tuple[float, float, Judgement], ...]
    segments: int

    @property
    def label(self) -> str:
        """Class and phase, for a reader."""
        return f"{self.kind} in {self.phase}"


def asked(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """The phases, other than warm-up, in which a plan asks for a class; classes it never asks for are not there."""
    found: dict[str, list[str]] = {}
    for phase in plan["phases"]:
        if phase["kind"] == WARMUP:
            continue
        kinds = ["chat"]
        if phase.get("attach_rate", plan["attach_rate"]) > 0:
            granularity = phase.get("granularity", plan["granularity"])
            kinds += EXPLANATIONS if granularity == "mix" else [granularity]
        for kind in kinds:
            found.setdefault(kind, []).append(phase["name"])
    return found


def judged(summary: Mapping[str, Any], kinds: Iterable[str], rule: Rule, *, refusals_expected: bool) -> list[Judged]:
    """Judge classes in all phases they were asked for in. ``rule.fail_alpha`` is the chance of any wrong fail among them all.

    Where refusals (429) are expected they neither exceed nor count; phases with any are judged as a whole only, since slots of time do not
    tell refusals from other errors.
    """
    phases = asked(summary["plan"])
    parts = [(kind, phase, _measured(summary, kind, phase)) for kind in kinds for phase in phases.get(kind, [])]
    cut = {(kind, phase): _segments(measured, refusals_expected) for kind, phase, measured in parts}
    tests = sum(1 + len(segments) for segments in cut.values())
    each = replace(rule, fail_alpha=rule.fail_alpha / max(tests, 1))
    return [_judged(summary, kind, phase, measured, cut[kind, phase], each, refusals_expected) for kind, phase, measured in parts]


def batches_of(measured: Mapping[str, Any]) -> Batches:
    """The slots of time of a class in a phase."""
    slots = measured["batches"]
    return Batches(slots["width_s"], tuple(slots["count"]), tuple(slots["exceeding"]))


def _judged(
    summary: Mapping[str, Any],
    kind: str,
    phase: str,
    measured: Mapping[str, Any],
    segments: list[tuple[int, int]],
    rule: Rule,
    refusals_expected: bool,
) -> Judged:
    batches = batches_of(measured)
    refused = measured["errors"].get(REFUSED, 0) if refusals_expected else 0
    failing = []
    for begin, end in segments:
        found = judge(batches.segment(begin, end), rule)
        if found.verdict == FAIL:
            failing.append((begin * batches.width_s, end * batches.width_s, found))
    return Judged(
        kind,
        phase,
        summary["plan"]["slo_ms"][kind],
        measured["latency_ms"]["p95"],
        {name: count for name, count in measured["errors"].items() if count},
        judge(_without(batches, refused), rule),
        tuple(failing),
        len(segments),
    )


def _without(batches: Batches, refused: int) -> Batches:
    """The slots without so many refusals, taken from those that exceed as evenly as they came."""
    if not refused:
        return batches
    left, total = refused, batches.events
    count, exceeding = [], []
    for tries, events in zip(batches.count, batches.exceeding):
        taken = round(left * events / total) if total else 0
        left, total = left - taken, total - events
        count.append(tries - taken)
        exceeding.append(events - taken)
    return Batches(batches.width_s, tuple(count), tuple(exceeding))


def _segments(measured: Mapping[str, Any], refusals_expected: bool) -> list[tuple[int, int]]:
    """Positions of the slots where segments of nearly the same length begin and end; none where the phase is too short for two."""
    slots = len(measured["batches"]["count"])
    number = min(slots // SEGMENT_SLOTS, MAX_SEGMENTS)
    if number < 2 or (refusals_expected and measured["errors"].get(REFUSED)):
        return []
    edges = [round(slots * place / number) for place in range(number + 1)]
    return list(zip(edges, edges[1:]))


def _measured(summary: Mapping[str, Any], kind: str, phase: str) -> Mapping[str, Any]:
    nothing = {
        "errors": {},
        "batches": {"width_s": 1.0, "count": [], "exceeding": []},
        "latency_ms": {"p95": None},
    }
    found: Mapping[str, Any] = summary["classes"].get(kind, {}).get(phase, nothing)
    return found
