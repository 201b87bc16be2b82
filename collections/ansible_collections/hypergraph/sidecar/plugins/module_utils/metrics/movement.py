# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what counts does count: counters move by at least what the probe drove, and never back.

A service may expose NaN, and the difference of two infinities is one. No comparison with it is true, so each rule asks whether what should
hold does, and none whether the opposite does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..verdict import Verdict
from .drive import Round
from .expectations import CHATS, Expectation
from .scrape import Family, Scrape

Series = tuple[tuple[str, str], ...]

# The suffixes of samples that only ever grow.
_GROWING = {"counter": ("_total",), "histogram": ("_bucket", "_count"), "summary": ("_count",)}
_COUNTED = {"counter": "_total", "histogram": "_count", "summary": "_count"}


@dataclass(frozen=True)
class Span:
    """The first and the last scrape of one endpoint, with the chats of the probe in between."""

    first: Scrape
    last: Scrape


def driven(expected: Expectation, rounds: Iterable[Round]) -> int:
    """By how much the rounds should have moved the family at least."""
    return sum(done.chats if expected.driven == CHATS else done.explanations for done in rounds)


def moved(expected: Expectation, selection: Mapping[str, str], spans: Iterable[Span]) -> float:
    """By how much the selected series of a family moved, over all replicas. A series that was not there before began at zero."""
    return sum(_total(span.last, expected, selection) - _total(span.first, expected, selection) for span in spans)


def short(expected: Expectation, spans: Iterable[Span], rounds: Iterable[Round]) -> list[tuple[dict[str, str], float]]:
    """The parts of the family that moved by less than what was driven, with how far they moved."""
    at_least, over = driven(expected, rounds), list(spans)
    movements = [(selection, moved(expected, selection, over)) for selection in expected.selections()]
    return [(selection, by) for selection, by in movements if not at_least <= by < math.inf]


def judge_movement(verdict: Verdict, service: str, expected: Expectation, spans: list[Span], rounds: list[Round], settle: float) -> bool:
    """Judge that the family moved with the chats; returns whether it did."""
    behind = short(expected, spans, rounds)
    at_least = driven(expected, rounds)
    seen = {
        label: sorted(set().union(*(_values(span.last, expected.name, label) for span in spans)))
        for label in {label for selection, _missing in behind for label in selection}
    }
    said = [f"{_shown(expected.name, selection)} by {by:g}{_absent(selection, seen)}" for selection, by in behind]
    counts = [f"{_shown(expected.name, selection)} by {moved(expected, selection, spans):g}" for selection in expected.selections()]
    return verdict.expect(
        f"{expected.name} of {service} counts the {expected.driven} of the probe",
        not behind,
        expected=f"moved by at least {at_least}",
        observed=said or counts,
        reason_code="counter-frozen",
        reason=f"{at_least} {expected.driven} of the probe moved {', '.join(said)} within {settle:g} s, expected at least {at_least}",
        action="Find out why the service does not count this; where its metrics lag behind what they count, raise settle.",
    )


def judge_durations(verdict: Verdict, service: str, expected: Expectation, spans: list[Span], rounds: list[Round]) -> None:
    """Judge that no stage took longer than the explanations it is a part of, as they were seen from outside, and that not all took none.

    It can be told only where the histogram counted the explanations of the probe and no others. The limit is twice the time seen, which
    tells milliseconds from seconds and leaves clocks their differences. A stage may be too short for the service's clock, but not all are.
    """
    explanations = sum(done.explanations for done in rounds)
    limit = 2 * sum(done.complete_seconds for done in rounds)
    seconds = {
        _shown(expected.name, selection): sum(
            _seconds(span.last, expected, selection) - _seconds(span.first, expected, selection) for span in spans
        )
        for selection in expected.selections()
        if moved(expected, selection, spans) == explanations
    }
    if not explanations or expected.type == "counter":
        return
    if not seconds:
        verdict.skip(
            "not_applicable",
            f"durations in {expected.name}, since {service} counted other explanations beside those of the probe",
            "Run the check when nobody else asks for explanations, to have durations held against the time they took.",
        )
        return
    beyond = {name: round(took, 3) for name, took in seconds.items() if not took <= limit}
    verdict.expect(
        f"{expected.name} of {service} is no longer than the explanations took",
        not beyond,
        expected=f"at most {limit:.3g} s for {explanations} explanations",
        observed=beyond or {name: round(took, 3) for name, took in seconds.items()},
        reason_code="duration-exceeds-wall-time",
        action="Observe seconds, as the name says; look for a duration that is taken twice or in milliseconds.",
    )
    if not beyond:
        verdict.expect(
            f"{expected.name} of {service} measures time",
            sum(seconds.values()) > 0,
            expected=f"more than 0 s for {explanations} explanations",
            observed=seconds,
            reason_code="duration-not-measured",
            action="Observe what the stage took, in seconds with fractions; whole seconds of a short stage are 0.",
        )


def judge_monotone(verdict: Verdict, label: str, names: Iterable[str], scrapes: Sequence[Scrape]) -> set[str]:
    """Judge that no counter of the families went back from one scrape to the next; returns the families of which one did."""
    fallen: dict[str, str] = {}
    looked_at = 0
    for name in names:
        series = [_growing_series(scrape.families[name]) for scrape in scrapes if name in scrape.families]
        for earlier, later in zip(series, series[1:]):
            looked_at += len(earlier.keys() & later.keys())
            for which in earlier.keys() & later.keys():
                if not later[which] >= earlier[which]:
                    fallen[name] = f"{_shown(which[0], dict(which[1]))} from {earlier[which]:g} to {later[which]:g}"
    if looked_at:
        verdict.expect(
            f"no counter of {label} goes back",
            not fallen,
            expected="the same or more",
            observed=list(fallen.values()) or f"{looked_at} values the same or more",
            reason_code="counter-decreased",
            action="Count upwards only; if several processes answer under one url, give each an endpoint of its own.",
        )
    return set(fallen)


def _total(scrape: Scrape, expected: Expectation, selection: Mapping[str, str]) -> float:
    return _sum(scrape, expected, selection, _COUNTED.get(expected.type, ""))


def _seconds(scrape: Scrape, expected: Expectation, selection: Mapping[str, str]) -> float:
    return _sum(scrape, expected, selection, "_sum")


def _sum(scrape: Scrape, expected: Expectation, selection: Mapping[str, str], suffix: str) -> float:
    family = scrape.families.get(expected.name)
    return sum(
        float(sample.value)
        for sample in (family.samples if family else ())
        if sample.name.endswith(suffix) and selection.items() <= sample.labels.items()
    )


def _growing_series(family: Family) -> dict[tuple[str, Series], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): float(sample.value)
        for sample in family.samples
        if sample.name.endswith(_GROWING.get(family.type, ("\n",)))
    }


def _values(scrape: Scrape, name: str, label: str) -> set[str]:
    family = scrape.families.get(name)
    return family.label_values.get(label, set()) if family else set()


def _shown(name: str, selection: Mapping[str, str]) -> str:
    return name + (f"{{{', '.join(f'{label}={value}' for label, value in selection.items())}}}" if selection else "")


def _absent(selection: Mapping[str, str], seen: Mapping[str, list[str]]) -> str:
    for label, value in selection.items():
        if value not in seen[label]:
            return f" (absent; {label} is {', '.join(seen[label][:8])})" if seen[label] else " (absent)"
    return ""
