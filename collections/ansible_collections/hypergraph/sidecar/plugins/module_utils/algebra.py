# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merging verdicts: several runs of one check (hosts, tasks, tools) become one result.

Merging concatenates records and takes the status anew, which is a maximum over the chain of statuses. Hence the laws that the property
tests hold: order and grouping do not matter, more evidence never turns worse into better, and an error stays an error however often the
check is tried again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .verdict import SCHEMA, Assertion, Breakdown, Headline, Records, headline_of, status_of


@dataclass(frozen=True)
class CheckResult:
    """What all runs of one check say together. ``parts`` are the ``verdict-1`` documents it was merged from."""

    check: str
    title: str
    records: Records = field(default_factory=Records)
    examined: Mapping[str, int] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    parts: tuple[Mapping[str, Any], ...] = ()

    @property
    def status(self) -> str:
        """The derived status of all records."""
        return status_of(self.records)

    @property
    def headline(self) -> Headline:
        """The status with its one-line reason."""
        return headline_of(self.records, self.examined)

    def with_assertions(self, change: Callable[[Assertion], Assertion]) -> CheckResult:
        """The same result with each assertion changed, which is how a waiver is laid over it."""
        changed = tuple(change(assertion) for assertion in self.records.assertions)
        return replace(self, records=replace(self.records, assertions=changed))


def read(document: Mapping[str, Any]) -> CheckResult:
    """One ``verdict-1`` document as a result. Its stated status is not believed but derived again.

    A document that is not a readable verdict becomes an error of the check it names, so that nothing a task returned is lost.
    """
    check = str(document.get("check") or "unknown")
    examined: Mapping[str, int] = {}
    metrics: Mapping[str, float] = {}
    references: Iterable[str] = ()
    try:
        if document.get("schema") != SCHEMA:
            raise ValueError(f"schema is {document.get('schema')!r}, expected {SCHEMA!r}")
        examined = _numbers(document, "examined", _is_count)
        metrics = _numbers(document, "metrics", _is_finite)
        references = _texts(document, "references")
        records = Records.from_dict(document).closed(examined)
    except (KeyError, TypeError, ValueError) as problem:
        examined, metrics, references = {}, {}, ()
        said = f"{problem} is missing" if isinstance(problem, KeyError) else str(problem)
        reason = f"the verdict of {check} cannot be read: {said}"
        records = Records(errors=(Breakdown("verdict-unreadable", reason, "Return a verdict-1 document from the task."),))
    host = str(document.get("host") or "")
    return CheckResult(
        check=check,
        title=str(document.get("title") or check),
        records=records,
        examined=dict(examined),
        metrics=dict(metrics),
        references=tuple(references),
        hosts=(host,) if host else (),
        parts=(document,),
    )


def join(one: CheckResult, other: CheckResult) -> CheckResult:
    """Two results of one check as one. Counts add up; of two measurements the larger stands. Raises ValueError for different checks."""
    if one.check != other.check:
        raise ValueError(f"cannot merge {one.check} with {other.check}: they are different checks")
    return CheckResult(
        check=one.check,
        title=min(one.title, other.title),
        records=one.records + other.records,
        examined={unit: one.examined.get(unit, 0) + other.examined.get(unit, 0) for unit in {**one.examined, **other.examined}},
        metrics={name: _larger(name, one.metrics, other.metrics) for name in {**one.metrics, **other.metrics}},
        references=tuple(dict.fromkeys((*one.references, *other.references))),
        hosts=tuple(sorted({*one.hosts, *other.hosts})),
        parts=(*one.parts, *other.parts),
    )


def merge(documents: Iterable[Mapping[str, Any]]) -> dict[str, CheckResult]:
    """All ``verdict-1`` documents of a run as one result a check, by check id."""
    results: dict[str, CheckResult] = {}
    for document in documents:
        result = read(document)
        known = results.get(result.check)
        results[result.check] = join(known, result) if known else result
    return results


def _numbers(document: Mapping[str, Any], member: str, usable: Callable[[Any], bool]) -> Mapping[str, Any]:
    numbers: Mapping[str, Any] = document.get(member) or {}
    if not isinstance(numbers, Mapping):
        raise TypeError(f"{member} is a {type(numbers).__name__}, expected names with numbers")
    for name, number in numbers.items():
        if isinstance(number, bool) or not usable(number):
            raise ValueError(f"{member} {name!r} is {number!r}, expected a {'count' if usable is _is_count else 'finite number'}")
    return numbers


def _is_count(number: Any) -> bool:
    return isinstance(number, int) and number >= 0


def _is_finite(number: Any) -> bool:
    return isinstance(number, int) or (isinstance(number, float) and math.isfinite(number))


def _texts(document: Mapping[str, Any], member: str) -> Iterable[str]:
    texts = document.get(member) or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{member} is not a list of texts")
    return texts


def _larger(name: str, one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return max(measures[name] for measures in (one, other) if name in measures)
