# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules as data: one rule, one function, and what came of holding a bundle of objects to it.

A rule's function yields one Outcome for everything it looked at. It yields nothing where there is nothing of its kind, and then the rule
is *not applicable*: counted as such, and never as a pass. What it looked at and could not judge it says too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..examination import Inspection
from ..faults import CheckError
from ..verdict import Shortfall, Verdict
from .objects import Object, Path, Place

ERROR = "error"
WARNING = "warning"
# Findings shown with an assertion; all of them are counted, and the SARIF file holds them all.
_SHOWN = 10


@dataclass(frozen=True)
class Outcome:
    """One look of a rule at one object. ``path`` leads to the part looked at; ``place`` is for what is no part of an object.

    Where ``open`` says why it could not be judged, it is neither examined nor broken.
    """

    subject: Object | str
    ok: bool
    expected: str = ""
    observed: str = ""
    path: Path = ()
    place: Place | None = None
    open: Shortfall | None = None

    @property
    def where(self) -> Place | None:
        """File and line, as far as known."""
        if self.place is not None:
            return self.place
        return self.subject.place_of(self.path) if isinstance(self.subject, Object) else None

    def __str__(self) -> str:
        at = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.path).lstrip(".")
        said = " ".join(part for part in (str(self.subject), at) if part)
        said += f": expected {self.expected}, observed {self.observed}"
        return f"{said} ({self.where})" if self.where else said


_Input = TypeVar("_Input")
Judge = Callable[[_Input], Iterable[Outcome]]


@dataclass(frozen=True)
class Rule:
    """One rule. An ERROR fails the check; a WARNING does where the environment asks for it.

    Its ``id`` is also its reason code. ``examines`` names in the plural what it looks at, ``source`` says who says so, ``fix`` what to do.
    """

    id: str
    title: str
    severity: str
    examines: str
    source: str
    fix: str
    judge: Judge[Any]


@dataclass
class Registry:
    """Rules in the order they are judged and told: root causes before consequences."""

    rules: dict[str, Rule] = field(default_factory=dict)

    def rule(
        self, rule_id: str, title: str, *, examines: str, source: str, fix: str, severity: str = ERROR
    ) -> Callable[[Judge[Any]], Judge[Any]]:
        """Register the decorated function. Raises ValueError for an id that is taken."""

        def register(judge: Judge[Any]) -> Judge[Any]:
            if rule_id in self.rules:
                raise ValueError(f"rule {rule_id} is registered twice")
            self.rules[rule_id] = Rule(rule_id, title, severity, examines, source, fix, judge)
            return judge

        return register

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules.values())


@dataclass(frozen=True)
class Ruling:
    """What came of one rule: how much it judged, what of that does not hold, and what it could not judge."""

    rule: Rule
    examined: int
    broken: tuple[Outcome, ...]
    open: tuple[Shortfall, ...]


def hold(run: Inspection, rules: Iterable[Rule], bundle: Any) -> None:
    """Hold a bundle to every rule and record an assertion for each, or where a rule found nothing to look at, its id as not applicable.

    What a rule could not judge is a shortfall. Findings below ``fail_on`` are evidence and do not fail, and neither does what rules of that
    kind could not judge. ``disabled_rules`` are named in the evidence too: what was switched off is never silently absent. Raises
    CheckError for a disabled rule that there is none of.
    """
    chosen = _enabled(run, list(rules))
    rulings = [_ruling(rule, bundle) for rule in chosen]
    failing = (ERROR, WARNING) if run.params["fail_on"] == WARNING else (ERROR,)
    warnings = {}
    for ruling in rulings:
        run.findings += [_finding(ruling.rule, outcome) for outcome in ruling.broken]
        if ruling.rule.severity not in failing and (ruling.broken or ruling.open):
            warnings[ruling.rule.id] = [*map(str, ruling.broken[:_SHOWN]), *(one.reason for one in ruling.open[:_SHOWN])]
            continue
        if ruling.examined:
            _record(run.verdict, ruling)
        for one in ruling.open:
            run.verdict.inconclusive(one.reason_code, one.reason, one.action)
    run.verdict.examine("rules", sum(1 for ruling in rulings if ruling.examined))
    run.verdict.record(
        rules_examined={ruling.rule.id: ruling.examined for ruling in rulings if ruling.examined},
        rules_not_applicable=[ruling.rule.id for ruling in rulings if not (ruling.examined or ruling.open)],
        rules_disabled=sorted(run.params["disabled_rules"]),
        warnings=warnings,
    )


def _enabled(run: Inspection, rules: list[Rule]) -> list[Rule]:
    unknown = sorted(set(run.params["disabled_rules"]) - {rule.id for rule in rules})
    if unknown:
        reason = f"disabled_rules: there is no rule {', '.join(unknown)} in this check"
        raise CheckError("unknown-rule", reason, f"Name rules of this check: {', '.join(sorted(rule.id for rule in rules))}.")
    return [rule for rule in rules if rule.id not in run.params["disabled_rules"]]


def _ruling(rule: Rule, bundle: Any) -> Ruling:
    outcomes = list(rule.judge(bundle))
    judged = [outcome for outcome in outcomes if outcome.open is None]
    broken = tuple(outcome for outcome in judged if not outcome.ok)
    return Ruling(rule, len(judged), broken, tuple(outcome.open for outcome in outcomes if outcome.open is not None))


def _record(verdict: Verdict, ruling: Ruling) -> None:
    rule = ruling.rule
    shown = [str(outcome) for outcome in ruling.broken[:_SHOWN]]
    more = f" (and {len(ruling.broken) - 1} more)" if len(ruling.broken) > 1 else ""
    verdict.expect(
        rule.title,
        not ruling.broken,
        expected=f"holds for {ruling.examined} {rule.examines}",
        observed=shown or "holds",
        reason_code=rule.id,
        reason=f"{rule.title}: {shown[0]}{more}" if shown else "",
        action=rule.fix,
    )


def _finding(rule: Rule, outcome: Outcome) -> dict[str, Any]:
    """A broken outcome as the modules return it and SARIF is made of."""
    where = outcome.where
    return {
        "rule": rule.id,
        "title": rule.title,
        "severity": rule.severity,
        "object": str(outcome.subject),
        "path": list(outcome.path),
        "file": where.file if where else None,
        "line": where.line if where else None,
        "expected": outcome.expected,
        "observed": outcome.observed,
        "fix": rule.fix,
        "source": rule.source,
    }
