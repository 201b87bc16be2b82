# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: failures an environment accepts for a while, each with an owner, a ticket and an end.

A waived check still runs; a waiver covers failing assertions, never an error, a shortfall or a skip. It is in force until ``expires``,
which lies at most 30 days ahead of the run that reads it; one that reaches further is refused until then, so no failure is waived for
longer without a new decision. Times are UTC. A date stands for its first instant, 00:00 UTC, so the named day itself is not covered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .algebra import CheckResult
from .catalog import find
from .verdict import REVERT_FAILED, Assertion

LONGEST = timedelta(days=30)
REQUIRED_FIELDS = ("check", "assertion", "owner", "ticket", "reason", "expires")
FIELDS = (*REQUIRED_FIELDS, "id")

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class WaiverProblem(Exception):
    """A waiver, or the file of them, cannot be applied: a stable ``reason_code``, what is wrong, and the remedy."""

    def __init__(self, reason_code: str, problem: str, action: str) -> None:
        super().__init__(problem)
        self.reason_code = reason_code
        self.problem = problem
        self.action = action


@dataclass(frozen=True)
class Waiver:
    """An accepted failure. ``assertion`` is a pattern of assertion names as shells write them: ``*``, ``?`` and ``[...]``."""

    check: str
    assertion: str
    owner: str
    ticket: str
    reason: str
    expires: datetime
    id: str

    def covers(self, assertion: Assertion) -> bool:
        """Whether this failing assertion is accepted. A fault that could not be taken back never is."""
        return not assertion.ok and assertion.reason_code != REVERT_FAILED and fnmatchcase(assertion.name, self.assertion)


@dataclass(frozen=True)
class Refusal:
    """An entry that is not applied, with the fields a reader recognises it by."""

    position: int
    named: Mapping[str, str]
    reason_code: str
    problem: str
    action: str


@dataclass(frozen=True)
class Waivers:
    """What a waivers file came to: the waivers in force and the entries refused."""

    in_force: tuple[Waiver, ...] = ()
    refused: tuple[Refusal, ...] = ()


def load(path: Path) -> list[Any]:
    """The entries of a waivers file, unjudged. Raises WaiverProblem where it is absent, not YAML or not a list."""
    import yaml

    class PlainLoader(yaml.SafeLoader):
        """YAML without its own timestamps: some of its versions turn an offset into a time without zone."""

    PlainLoader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        entries = yaml.load(path.read_bytes(), Loader=PlainLoader)  # noqa: S506
    except OSError as problem:
        raise WaiverProblem("waivers-unreadable", f"{path.name}: {problem.strerror}", "Correct the path of the waivers file.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "it"
        said = getattr(problem, "problem", None) or type(problem).__name__
        raise WaiverProblem("waivers-unreadable", f"{path.name}: {where} is not YAML: {said}", "Correct the waivers file.") from None
    if entries is None:
        return []
    if not isinstance(entries, list):
        kind = type(entries).__name__
        raise WaiverProblem("waivers-unreadable", f"{path.name} holds a {kind}, expected a list of waivers", "Begin each waiver with '- '.")
    return entries


def judge(entries: Iterable[Any], *, now: datetime, known_checks: Iterable[str]) -> Waivers:
    """Tell the waivers in force at ``now`` (with a time zone) from the entries to refuse, each for the first thing wrong with it."""
    known = frozenset(known_checks)
    judged = [_judged(position, entry, now, known) for position, entry in enumerate(entries, start=1)]
    return Waivers(
        tuple(waiver for waiver in judged if isinstance(waiver, Waiver)),
        tuple(refusal for refusal in judged if isinstance(refusal, Refusal)),
    )


def lay(waivers: Iterable[Waiver], result: CheckResult) -> CheckResult:
    """The result with each failing assertion naming the waiver that covers it, and no other: what a task claims of waivers is dropped."""
    own = [waiver for waiver in waivers if waiver.check == result.check]

    def covered(assertion: Assertion) -> Assertion:
        return replace(assertion, waiver=next((waiver.id for waiver in own if waiver.covers(assertion)), ""))

    return result.with_assertions(covered)


def used_by(waiver: Waiver, results: Mapping[str, CheckResult]) -> tuple[str, ...]:
    """Names of the failing assertions that the waiver covers."""
    result = results.get(waiver.check)
    if result is None:
        return ()
    return tuple(dict.fromkeys(assertion.name for assertion in result.records.assertions if waiver.covers(assertion)))


def _judged(position: int, entry: Any, now: datetime, known_checks: frozenset[str]) -> Waiver | Refusal:
    try:
        return _waiver(entry, now, known_checks)
    except WaiverProblem as refusal:
        shown = entry if isinstance(entry, Mapping) else {}
        named = {name: shown[name] for name in FIELDS if isinstance(shown.get(name), str)}
        return Refusal(position, named, refusal.reason_code, refusal.problem, refusal.action)


def _waiver(entry: Any, now: datetime, known_checks: frozenset[str]) -> Waiver:
    if not isinstance(entry, Mapping):
        kind = type(entry).__name__
        raise WaiverProblem("waiver-malformed", f"it is a {kind}, expected fields", f"Give it {', '.join(REQUIRED_FIELDS)}.")
    missing = [name for name in REQUIRED_FIELDS if entry.get(name) in (None, "")]
    if missing:
        raise WaiverProblem("waiver-malformed", f"it has no {' and no '.join(missing)}", f"Add {' and '.join(missing)}.")
    strange = [str(name)[:40] for name in entry if name not in FIELDS]
    if strange:
        raise WaiverProblem("waiver-malformed", f"it has unknown fields: {', '.join(strange)}", f"Fields are {', '.join(FIELDS)}.")
    for name, value in entry.items():
        if not isinstance(value, str):
            kind = type(value).__name__
            raise WaiverProblem("waiver-malformed", f"its {name} is a {kind}, expected text", f"Put the {name} in quotes.")
    check = entry["check"]
    if check not in known_checks:
        raise WaiverProblem("waiver-unknown-check", f"there is no check {check!r}", "Correct the check's id.")
    catalogued = find(check)
    if catalogued is not None and not catalogued.waivable:
        raise WaiverProblem("waiver-not-allowed", f"{check} cannot be waived", "Mend what it found.")
    fields = {name: " ".join(entry[name].split()) for name in REQUIRED_FIELDS[:-1]}
    return Waiver(**fields, expires=_expiry(entry["expires"], now), id=entry.get("id") or fields["ticket"])


def _expiry(text: str, now: datetime) -> datetime:
    """The instant a waiver ends. Raises WaiverProblem where it cannot be told, lies behind, or too far ahead."""
    written = text.strip()
    try:
        expires = datetime.fromisoformat(written[:-1] + "+00:00" if written[-1:] in ("Z", "z") else written)
    except ValueError:
        raise WaiverProblem(
            "waiver-malformed", f"its expires {written[:40]!r} is not a time", "Write it as 2026-12-31 or 2026-12-31T18:00:00Z."
        ) from None
    if _DATE.fullmatch(written):
        expires = expires.replace(tzinfo=timezone.utc)
    if expires.tzinfo is None:
        raise WaiverProblem("waiver-malformed", f"its expires {written!r} names no time zone", "End it in Z for UTC.")
    if expires <= now:
        raise WaiverProblem("waiver-expired", f"it expired at {written}", "Mend the failure, or decide anew and set expires.")
    if expires - now > LONGEST:
        last = (now + LONGEST).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        problem = f"it expires at {written}, more than {LONGEST.days} days ahead"
        raise WaiverProblem("waiver-too-long", problem, f"Set expires to {last} or earlier.")
    return expires
