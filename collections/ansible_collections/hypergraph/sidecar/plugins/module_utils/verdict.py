# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict: what one run of one check says, and the evidence for it. Schema ``verdict-1``.

Status is derived from what was recorded, never assigned. The statuses form a chain, and a verdict has the worst status that any of
its records calls for::

    skip < pass < waived < inconclusive < error < fail

Nothing recorded is not a pass: an empty verdict, or one that looked at zero objects, records that shortfall itself when it is closed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timezone
from typing import Any, TypeVar

from .catalog import find
from .redaction import Redactor, clipped

SCHEMA = "verdict-1"
STATUSES = ("skip", "pass", "waived", "inconclusive", "error", "fail")
SKIP_CLASSES = ("not_applicable", "dependency_missing", "disabled_by_config")
BLOCKED_BY = "blocked_by:"
# Reason code of a fault that was injected and could not be taken back. It outranks whatever else was found, and no waiver covers it.
REVERT_FAILED = "revert-failed"


@dataclass(frozen=True)
class Assertion:
    """One examined expectation. ``waiver`` names the waiver in force that covers it, if it does not hold."""

    name: str
    ok: bool
    expected: Any = None
    observed: Any = None
    reason_code: str = ""
    reason: str = ""
    action: str = ""
    waiver: str = ""


@dataclass(frozen=True)
class Shortfall:
    """The check ran but saw too little to say: a positive control that did not hold, too few samples, a deadline that passed."""

    reason_code: str
    reason: str
    action: str = ""
    samples_needed: int | None = None
    samples_have: int | None = None


@dataclass(frozen=True)
class Breakdown:
    """The check itself broke."""

    reason_code: str
    reason: str
    action: str = ""


@dataclass(frozen=True)
class Skip:
    """A stated precondition is absent. ``skip_class`` is one of SKIP_CLASSES or ``blocked_by:<check>``."""

    skip_class: str
    reason: str
    action: str = ""

    def __post_init__(self) -> None:
        if self.skip_class not in SKIP_CLASSES and not str(self.skip_class).startswith(BLOCKED_BY):
            raise ValueError(f"skip class {self.skip_class!r}: expected one of {', '.join(SKIP_CLASSES)} or {BLOCKED_BY}<check>")


@dataclass(frozen=True)
class Records:
    """Everything a status is derived from. Records of several runs join by concatenation; derivation is a maximum over them."""

    assertions: tuple[Assertion, ...] = ()
    controls: tuple[Assertion, ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()
    errors: tuple[Breakdown, ...] = ()
    skips: tuple[Skip, ...] = ()

    def __add__(self, other: Records) -> Records:
        return Records(
            self.assertions + other.assertions,
            self.controls + other.controls,
            self.shortfalls + other.shortfalls,
            self.errors + other.errors,
            self.skips + other.skips,
        )

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Records:
        """Read the five lists of a ``verdict-1`` document.

        Raises KeyError, TypeError or ValueError where a record lacks or adds a field, or a field is not of its declared type.
        """
        return cls(
            _listed(Assertion, document, "assertions"),
            _listed(Assertion, document, "controls"),
            _listed(Shortfall, document, "shortfalls"),
            _listed(Breakdown, document, "errors"),
            _listed(Skip, document, "skips"),
        )

    def closed(self, examined: Mapping[str, int]) -> Records:
        """These records plus the shortfall of having examined nothing, where that is so; closing twice is closing once.

        A run that only skipped, or broke before it could look, has said why already and needs no second reason.
        """
        empty_scopes = sorted(unit for unit, count in examined.items() if count == 0)
        blind = not self.assertions and not (self.errors or self.skips or self.shortfalls)
        if not blind and not empty_scopes:
            return self
        what = ", ".join(empty_scopes) if empty_scopes else "objects"
        shortfall = Shortfall("nothing-examined", f"0 {what} examined", "Find out why the check had nothing to look at.")
        return self if shortfall in self.shortfalls else replace(self, shortfalls=(*self.shortfalls, shortfall))


_Record = TypeVar("_Record", Assertion, Shortfall, Breakdown, Skip)
_FIELD_TYPES: dict[Any, tuple[type, ...]] = {"Any": (object,), "bool": (bool,), "int | None": (int, type(None)), "str": (str,)}


def _listed(kind: type[_Record], document: Mapping[str, Any], member: str) -> tuple[_Record, ...]:
    items = document[member]
    if not isinstance(items, list):
        raise TypeError(f"{member} is a {type(items).__name__}, expected a list")
    return tuple(_typed(kind, item) for item in items)


def _typed(kind: type[_Record], item: Mapping[str, Any]) -> _Record:
    """One record of a document. Types are held to, since an ``ok`` that is the text "false" would count as true."""
    record = kind(**item)
    for attribute in fields(record):
        value = getattr(record, attribute.name)
        if not isinstance(value, _FIELD_TYPES[attribute.type]):
            raise TypeError(f"{attribute.name} of a record is a {type(value).__name__}, expected {attribute.type}")
    return record


@dataclass(frozen=True)
class Headline:
    """The one line that explains a status."""

    status: str
    reason: str
    reason_code: str = ""
    action: str = ""


def status_of(records: Records) -> str:
    """The worst status the records call for; ``inconclusive`` where there are none."""
    return _headline_source(records)[0]


def headline_of(records: Records, examined: Mapping[str, int]) -> Headline:
    """The status with its reason, taken from the first record that calls for it, and how many more there are."""
    status, sources = _headline_source(records)
    if status == "pass":
        return Headline(status, _pass_reason(records, examined))
    if not sources:
        return Headline(status, "nothing was recorded", "nothing-examined", "Run the check.")
    first = sources[0]
    more = f" (+{len(sources) - 1} more)" if len(sources) > 1 else ""
    code = first.skip_class if isinstance(first, Skip) else first.reason_code
    reason = first.reason
    if isinstance(first, Assertion):
        reason = first.reason or f"{first.name}: expected {first.expected}, observed {first.observed}"
        if status == "waived":
            reason = f"waived by {first.waiver}: {reason}"
    return Headline(status, clipped(" ".join(reason.split())) + more, code, first.action)


def _headline_source(records: Records) -> tuple[str, tuple[Any, ...]]:
    broken = tuple(a for a in records.assertions if not a.ok)
    unwaived = tuple(sorted((a for a in broken if not a.waiver), key=lambda a: a.reason_code != REVERT_FAILED))
    unproven = tuple(c for c in records.controls if not c.ok)
    if unwaived:
        return "fail", unwaived
    if records.errors:
        return "error", records.errors
    if records.shortfalls or unproven:
        return "inconclusive", (*records.shortfalls, *unproven)
    if broken:
        return "waived", broken
    if records.assertions:
        return "pass", records.assertions
    if records.skips:
        return "skip", records.skips
    return "inconclusive", ()


def _pass_reason(records: Records, examined: Mapping[str, int]) -> str:
    scope = ", ".join(f"{count} {unit}" for unit, count in examined.items())
    said = _counted(len(records.assertions), "assertion holds", "assertions hold")
    if records.controls:
        said += ", " + _counted(len(records.controls), "control held", "controls held")
    if scope:
        said += f"; examined {scope}"
    if records.skips:
        said += "; not examined: " + "; ".join(skip.reason for skip in records.skips)
    return said


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


@dataclass
class Verdict:
    """Records what a check sees, redacted and bounded as it comes in.

    ``expect`` examines, ``control`` proves the probe could have seen a defect, ``need`` counts samples, ``examine`` counts objects;
    ``skip``, ``error`` and ``inconclusive`` say why something was not examined.
    """

    check: str
    redactor: Redactor = field(default_factory=Redactor)
    title: str = ""
    host: str = ""
    records: Records = field(default_factory=Records)
    examined: dict[str, int] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    started: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    _clock: float = field(default_factory=time.monotonic, repr=False)

    def expect(
        self,
        name: str,
        ok: bool,
        *,
        reason_code: str,
        expected: Any = None,
        observed: Any = None,
        reason: str = "",
        action: str = "",
    ) -> bool:
        """Examine one expectation; ``reason`` and ``action`` are shown only where it does not hold. Returns ``ok``."""
        self._append("assertions", self._assertion(name, ok, expected, observed, reason_code, reason, action))
        return ok

    def control(
        self,
        name: str,
        ok: bool,
        *,
        reason_code: str,
        expected: Any = None,
        observed: Any = None,
        reason: str = "",
        action: str = "",
    ) -> bool:
        """A positive control: proof that the probe could have seen a defect. One that does not hold makes the verdict inconclusive."""
        self._append("controls", self._assertion(name, ok, expected, observed, reason_code, reason, action))
        return ok

    def need(self, what: str, samples: int, have: int, *, action: str = "") -> bool:
        """State how many samples the check needs and has; too few makes the verdict inconclusive. Returns whether there are enough."""
        if have < samples:
            reason = self._line(f"{what}: {have} of {samples} samples needed")
            self._append("shortfalls", Shortfall("too-few-samples", reason, self._line(action), samples, have))
        return have >= samples

    def inconclusive(self, reason_code: str, reason: str, action: str = "") -> None:
        """The check ran but cannot say."""
        self._append("shortfalls", Shortfall(reason_code, self._line(reason), self._line(action)))

    def error(self, reason_code: str, reason: str, action: str = "") -> None:
        """The check itself broke."""
        self._append("errors", Breakdown(reason_code, self._line(reason), self._line(action)))

    def skip(self, skip_class: str, reason: str, action: str) -> None:
        """A stated precondition is absent. Raises ValueError for an unknown class."""
        self._append("skips", Skip(skip_class, self._line(reason), self._line(action)))

    def examine(self, unit: str, count: int) -> None:
        """Add to the number of objects looked at, named in the plural (``audit lines``). Zero of a unit is not a pass."""
        unit = self._line(unit)
        self.examined[unit] = self.examined.get(unit, 0) + count

    def record(self, **evidence: Any) -> None:
        """Keep evidence, redacted and bounded."""
        self.evidence.update(self.redactor.value(evidence))

    def measure(self, name: str, value: float) -> None:
        """Keep a number for trends; the name ends in its unit (``trace_complete_seconds``). Raises ValueError for NaN and infinities."""
        if not math.isfinite(value):
            raise ValueError(f"{name} is {value}, expected a finite number")
        self.metrics[self._line(name)] = value

    @property
    def failed(self) -> bool:
        """Whether an examined assertion does not hold."""
        return any(not assertion.ok for assertion in self.records.assertions)

    def to_dict(self) -> dict[str, Any]:
        """The closed verdict as a ``verdict-1`` document."""
        records = self.records.closed(self.examined)
        headline = headline_of(records, self.examined)
        known = find(self.check)
        return {
            "schema": SCHEMA,
            "check": self.check,
            "title": self._line(self.title) or (known.title if known else self.check),
            "host": self._line(self.host),
            **asdict(headline),
            "references": [self._line(reference) for reference in self.references] or ([known.runbook] if known else []),
            **{name: [asdict(item) for item in getattr(records, name)] for name in Records.__dataclass_fields__},
            "examined": dict(self.examined),
            "evidence": self.evidence,
            "metrics": self.metrics,
            "started": self.started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "duration_ms": round((time.monotonic() - self._clock) * 1000, 1),
        }

    def _append(self, kind: str, item: Any) -> None:
        self.records = replace(self.records, **{kind: (*getattr(self.records, kind), item)})

    def _assertion(self, name: str, ok: bool, expected: Any, observed: Any, reason_code: str, reason: str, action: str) -> Assertion:
        told = not ok
        return Assertion(
            self._line(name),
            bool(ok),
            self.redactor.value(expected),
            self.redactor.value(observed),
            reason_code if told else "",
            self._line(reason) if told else "",
            self._line(action) if told else "",
        )

    def _line(self, text: str) -> str:
        """The text on one line, safe for a terminal: what an examined service made up may hold escape sequences."""
        line = " ".join(self.redactor.text(str(text)).split())
        printable = "".join(character if character.isprintable() else "\ufffd" for character in line)
        # Once more, since a secret may have white space that was written otherwise.
        return str(self.redactor.value(printable))
