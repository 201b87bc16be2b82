# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a load run's summary (schema ``load-summary-1``) and believes nothing in it that does not add up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from .. import strict_json
from ..faults import CheckError
from ..rfc3339 import parse_utc
from .histogram import Histogram

SCHEMA = "load-summary-1"
CLASSES = ("chat", "sentence", "token")
WARMUP = "warmup"
MAX_BYTES = 64 * 1024 * 1024
_REMEDY = "Give the summary.json that a load run of this collection wrote; run load again if that is what this is."


@dataclass(frozen=True)
class _Each:
    """A mapping of any keys to values of one shape."""

    of: Any


_SPREAD = {"p50": "number?", "p99": "number?", "max": "number?"}
_BATCHES = {"width_s": "number", "count": ["count"], "exceeding": ["count"]}
_MEASURED = {
    "count": "count",
    "ok": "count",
    "errors": _Each("count"),
    "exceeding": "count",
    "batches": _BATCHES,
    "latency_ms": {name: "number?" for name in ("p50", "p95", "p99", "p999", "mean", "max")},
    "intervals_ms": _Each("interval"),
    "histogram": {},
    "censored": "count",
}
_PHASE = {"name": "text", "kind": "text", "starts_s": "number", "duration_s": "number", "rate_per_s": "number?", "concurrency": "count"}
_SERIES = {
    **_BATCHES,
    "starts_s": "number",
    "errors": ["count"],
    "p50_ms": ["number?"],
    "p95_ms": ["number?"],
}
_GENERATOR = {
    "host": "text",
    "python": "text",
    "loop": "text",
    "parser": "text",
    "cpu_share": "number",
    "loop_lag_ms": _SPREAD,
    "clock_offset_ms": "number?",
    "healthy": "flag",
    "problems": ["text"],
}
_SHAPE = {
    "schema": "text",
    "run": {
        "id": "text",
        "environment": "text",
        "started_at": "time",
        "ended_at": "time",
        "duration_s": "number",
        "interrupted": "text?",
    },
    "plan": {
        "model": "text",
        "concurrency": "count",
        "rate_per_s": "number?",
        "attach_rate": "number",
        "granularity": "text",
        "featureset": "text",
        "seed": "count",
        "phases": [_PHASE],
        "timeouts": {"chat_s": "number", "explanation_s": "number", "connect_s": "number"},
        "slo_ms": _Each("number"),
    },
    "classes": _Each(_Each(_MEASURED)),
    "traces": {name: "count" for name in ("accepted", "complete", "failed", "expired", "canceled", "lost", "unfinished")},
    "offered": {
        "planned": "count",
        "sent": "count",
        "dropped": "count",
        "rate_per_s": "number",
        "achieved_per_s": "number",
        "send_error_us": _SPREAD,
    },
    "bytes": {"sent": "count", "received": "count"},
    "status_codes": _Each("count"),
    "ladder": {"429": "count", "retry_after_s": {"min": "number?", "max": "number?", "missing": "count"}},
    "generators": [_GENERATOR],
    "series": _Each(_SERIES),
}


def read(path: str) -> dict[str, Any]:
    """The summary in a file. Raises CheckError naming the file, the member, what was expected of it, and the remedy."""
    try:
        if Path(path).stat().st_size > MAX_BYTES:
            raise CheckError("summary-unreadable", f"{path}: it is larger than {MAX_BYTES} bytes, expected a summary", _REMEDY)
        content = Path(path).read_bytes()
    except OSError as problem:
        why = (problem.strerror or type(problem).__name__).lower()
        raise CheckError("summary-unreadable", f"{path}: {why}, expected the summary of a load run", _REMEDY) from None
    try:
        return validated(strict_json.loads(content), path)
    except (UnicodeDecodeError, ValueError) as problem:
        raise CheckError("summary-unreadable", f"{path}: it is no JSON document: {problem}", _REMEDY) from None


def validated(document: Any, name: str) -> dict[str, Any]:
    """The document, if it is a summary whose numbers add up; ``name`` is what messages call it. Raises CheckError where it is not."""
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        told = document.get("schema") if isinstance(document, dict) else type(document).__name__
        raise CheckError("summary-malformed", f"{name}: schema is {told!r}, expected {SCHEMA!r}", _REMEDY)
    _hold(document, _SHAPE, "", name)
    phases = [phase["name"] for phase in document["plan"]["phases"]]
    if not phases or len(set(phases)) < len(phases):
        _refuse(name, "plan.phases", "empty, or has a name twice", "phases with names of their own")
    if not document["generators"]:
        _refuse(name, "generators", "empty", "the generator that measured")
    for kind, measured in document["classes"].items():
        _known(name, "classes", [kind], CLASSES)
        _known(name, f"classes.{kind}", measured, phases)
        _known(name, "plan.slo_ms, which lacks a class measured,", [kind], document["plan"]["slo_ms"])
        for phase, one in measured.items():
            _adds_up(one, f"classes.{kind}.{phase}", name)
    _known(name, "series", document["series"], CLASSES)
    for kind, series in document["series"].items():
        _parallel(series, ("count", "exceeding", "errors", "p50_ms", "p95_ms"), f"series.{kind}", name)
    return document


def _adds_up(measured: dict[str, Any], where: str, name: str) -> None:
    failed = sum(measured["errors"].values())
    batches = measured["batches"]
    _parallel(batches, ("count", "exceeding"), f"{where}.batches", name)
    try:
        histogram = Histogram.from_document(measured["histogram"])
    except ValueError as problem:
        _refuse(name, f"{where}.histogram", f"not one: {problem}", "a histogram as the load engine writes it")
    sums = (
        ("count", measured["count"], "ok and errors together", measured["ok"] + failed),
        ("ok", measured["ok"], "what the histogram holds", histogram.count),
        ("count", measured["count"], "the sum of batches.count", sum(batches["count"])),
        ("exceeding", measured["exceeding"], "the sum of batches.exceeding", sum(batches["exceeding"])),
    )
    for member, told, what, counted in sums:
        if told != counted:
            _refuse(name, f"{where}.{member}", str(told), f"{what}, which is {counted}")
    if not failed <= measured["exceeding"] <= measured["count"]:
        _refuse(name, f"{where}.exceeding", str(measured["exceeding"]), f"from {failed}, since errors exceed, to {measured['count']}")
    if any(exceeding > count for count, exceeding in zip(batches["count"], batches["exceeding"])):
        _refuse(name, f"{where}.batches.exceeding", "more than batches.count somewhere", "no more than that")


def _hold(value: Any, shape: Any, where: str, name: str) -> None:
    """Hold a value to a shape: a mapping with these members at least, a list of one shape, or a kind of plain value."""
    if isinstance(shape, _Each):
        if not isinstance(value, dict):
            _refuse(name, where, repr(value)[:60], "an object")
        for key, item in value.items():
            _hold(item, shape.of, f"{where}.{key}", name)
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            _refuse(name, where or "the document", repr(value)[:60], "an object")
        for key, inner in shape.items():
            inside = f"{where}.{key}".lstrip(".")
            if key not in value:
                _refuse(name, inside, "absent", "a member of that name")
            _hold(value[key], inner, inside, name)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            _refuse(name, where, repr(value)[:60], "a list")
        for place, item in enumerate(value):
            _hold(item, shape[0], f"{where}[{place}]", name)
    elif not _is(value, shape):
        _refuse(name, where, repr(value)[:60], _KINDS[shape.rstrip("?")] + (" or null" if shape.endswith("?") else ""))


_KINDS = {
    "count": "a whole number, 0 or more",
    "number": "a finite number",
    "text": "a text",
    "time": "a time in UTC such as 2026-01-31T12:00:00Z",
    "flag": "true or false",
    "interval": "null, or two of a number or null",
}


def _is(value: Any, kind: str) -> bool:
    if kind.endswith("?"):
        return value is None or _is(value, kind[:-1])
    if kind == "interval":
        return value is None or (isinstance(value, list) and len(value) == 2 and all(_is(side, "number?") for side in value))
    if kind == "time":
        return _is_time(value)
    if kind in ("text", "flag"):
        return isinstance(value, str if kind == "text" else bool)
    if isinstance(value, bool) or not isinstance(value, int if kind == "count" else (int, float)):
        return False
    return bool(value >= 0) if kind == "count" else math.isfinite(value)


def _is_time(value: Any) -> bool:
    try:
        parse_utc(value)
    except ValueError:
        return False
    return True


def _parallel(value: dict[str, Any], members: tuple[str, ...], where: str, name: str) -> None:
    lengths = {member: len(value[member]) for member in members}
    if len(set(lengths.values())) > 1:
        _refuse(name, where, f"of lists of different lengths {lengths}", "lists of one length")
    if value["width_s"] <= 0:
        _refuse(name, f"{where}.width_s", str(value["width_s"]), "more than 0")


def _known(name: str, where: str, told: Iterable[str], expected: Iterable[str]) -> None:
    known = list(expected)
    for item in told:
        if item not in known:
            _refuse(name, where, f"about {item!r}", "one of " + ", ".join(map(repr, known[:20])))


def _refuse(name: str, where: str, told: str, expected: str) -> NoReturn:
    raise CheckError("summary-malformed", f"{name}: {where} is {told}, expected {expected}", _REMEDY)
