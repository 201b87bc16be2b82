# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks declared in YAML: the arguments of the ``verdict`` action recorded into a verdict.

Arguments come from templates, so a number may arrive as text; what cannot be read becomes an error of the verdict.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .faults import CheckError
from .verdict import Verdict

CHECK_ID = re.compile(r"[a-z][a-z0-9_]*")
EXAMINED = ("assertions", "controls")
ARGUMENTS = ("check", "title", "references", *EXAMINED, "examined", "evidence", "metrics", "needs", "skip", "secrets")
# Stands in an entry whose templates could not be filled in, with the reason.
PROBLEM = "cannot_be_templated"

_ASSERTION = ("name", "that", "expected", "observed", "reason_code", "reason", "action", PROBLEM)
_NEED = ("what", "samples", "have", "action")
_SKIP = ("class", "reason", "action")
_REASON_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DEFAULT_REASON_CODE = "assertion-does-not-hold"

Evaluate = Callable[[Any], bool]


def record(verdict: Verdict, arguments: Mapping[str, Any], holds: Evaluate) -> None:
    """Record everything the arguments declare. Raises CheckError for the first that cannot be read.

    ``holds`` evaluates one condition and raises CheckError where it cannot.
    """
    _only(arguments, ARGUMENTS, "the task")
    verdict.title = str(arguments.get("title") or "")
    verdict.references = [str(reference) for reference in _entries(arguments, "references")]
    _skip(verdict, arguments.get("skip"))
    for need in _entries(arguments, "needs"):
        _need(verdict, need)
    for kind, recorder in (("assertions", verdict.expect), ("controls", verdict.control)):
        for entry in _entries(arguments, kind):
            _examine(verdict, kind, entry, recorder, holds)
    for unit, count in _mapping(arguments, "examined").items():
        verdict.examine(str(unit), _count(count, f"examined {unit!r}"))
    for name, value in _mapping(arguments, "metrics").items():
        verdict.measure(str(name), _number(value, f"metric {name!r}"))
    verdict.record(**{str(name): value for name, value in _mapping(arguments, "evidence").items()})


def _examine(verdict: Verdict, kind: str, entry: Any, recorder: Callable[..., bool], holds: Evaluate) -> None:
    fields = _fields(entry, _ASSERTION, kind)
    name = str(_required(fields, "name", kind))
    if PROBLEM in fields:
        verdict.error("condition-not-evaluable", f"{name}: {fields[PROBLEM]}", "Correct the template, or define what it names.")
        return
    that = _required(fields, "that", f"{kind} {name!r}")
    conditions = that if isinstance(that, list) else [that]
    if not all(isinstance(condition, bool) or (isinstance(condition, str) and condition.strip()) for condition in conditions):
        raise _bad(f"that of {name!r} is not a condition or a list of conditions")
    code = str(fields.get("reason_code") or _DEFAULT_REASON_CODE)
    if not _REASON_CODE.fullmatch(code):
        raise _bad(f"reason_code of {name!r} is {code!r}, expected lower-case words joined by hyphens")
    try:
        failing = [condition for condition in conditions if not holds(condition)]
    except CheckError as fault:
        verdict.error(fault.reason_code, f"{name}: {fault.reason}", fault.action)
        return
    recorder(
        name,
        not failing,
        expected=fields["expected"] if "expected" in fields else _worded(conditions),
        observed=fields["observed"] if "observed" in fields else f"false: {_worded(failing)}" if failing else "true",
        reason_code=code,
        reason=str(fields.get("reason") or ""),
        action=str(fields.get("action") or ""),
    )


def _need(verdict: Verdict, entry: Any) -> None:
    fields = _fields(entry, _NEED, "needs")
    what = str(_required(fields, "what", "needs"))
    samples, have = (_count(_required(fields, name, f"needs {what!r}"), f"{name} of needs {what!r}") for name in ("samples", "have"))
    verdict.need(what, samples, have, action=str(fields.get("action") or ""))


def _skip(verdict: Verdict, entry: Any) -> None:
    if not entry:
        return
    fields = _fields(entry, _SKIP, "skip")
    skip_class, reason, action = (str(_required(fields, name, "skip")) for name in _SKIP)
    try:
        verdict.skip(skip_class, reason, action)
    except ValueError as problem:
        raise _bad(str(problem)) from None


def _entries(arguments: Mapping[str, Any], name: str) -> list[Any]:
    entries = arguments.get(name)
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise _bad(f"{name} is a {type(entries).__name__}, expected a list")
    return entries


def _mapping(arguments: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    entries = arguments.get(name)
    if entries is None:
        return {}
    if not isinstance(entries, Mapping):
        raise _bad(f"{name} is a {type(entries).__name__}, expected names with values")
    return entries


def _fields(entry: Any, known: Iterable[str], where: str) -> Mapping[str, Any]:
    if not isinstance(entry, Mapping):
        raise _bad(f"an entry of {where} is a {type(entry).__name__}, expected fields")
    _only(entry, known, f"an entry of {where}")
    return entry


def _only(fields: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    strange = [str(name) for name in fields if name not in tuple(known)]
    if strange:
        raise _bad(f"{where} has unknown fields {', '.join(strange)}; known are {', '.join(name for name in known if name != PROBLEM)}")


def _required(fields: Mapping[str, Any], name: str, where: str) -> Any:
    value = fields.get(name)
    if value is None or value == "" or value == []:
        raise _bad(f"{where} has no {name}")
    return value


def _count(value: Any, where: str) -> int:
    try:
        count = int(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else -1
    except ValueError:
        count = -1
    if count < 0:
        raise _bad(f"{where} is {value!r}, expected a count")
    return count


def _number(value: Any, where: str) -> float:
    try:
        number = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _bad(f"{where} is {value!r}, expected a finite number")
    return number


def _worded(conditions: Iterable[Any]) -> str:
    return " and ".join(str(condition).lower() if isinstance(condition, bool) else str(condition) for condition in conditions)


def _bad(reason: str) -> CheckError:
    return CheckError("bad-argument", reason, "Correct the argument of the task.")
