# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a load run's summary (schema ``load-summary-1``) and believes nothing in it that does not add up."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from .. import strict_json
from ..faults import CheckError
from .histogram import Histogram
from .shape import Each, Misfit, hold

SCHEMA = "load-summary-1"
CLASSES = ("chat", "sentence", "token")
WARMUP = "warmup"
MAX_BYTES = 64 * 1024 * 1024
_REMEDY = "Give the summary.json that a load run of this collection wrote; run load again if that is what this is."


_SPREAD = {"p50": "number?", "p99": "number?", "max": "number?"}
_BATCHES = {"width_s": "number", "count": ["count"], "exceeding": ["count"]}
_MEASURED = {
    "count": "count",
    "ok": "count",
    "errors": Each("count"),
    "exceeding": "count",
    "batches": _BATCHES,
    "latency_ms": dict.fromkeys(("p50", "p95", "p99", "p999", "mean", "max"), "number?"),
    "intervals_ms": Each("interval?"),
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
    "clock_uncertainty_ms": "number?",
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
        "slo_ms": Each("number"),
    },
    "classes": Each(Each(_MEASURED)),
    "traces": dict.fromkeys(("accepted", "complete", "failed", "expired", "canceled", "lost", "unfinished"), "count"),
    "offered": {
        "planned": "count",
        "sent": "count",
        "dropped": "count",
        "rate_per_s": "number",
        "achieved_per_s": "number",
        "send_error_us": _SPREAD,
    },
    "bytes": {"sent": "count", "received": "count"},
    "status_codes": Each("count"),
    "ladder": {"429": "count", "retry_after_s": {"min": "number?", "max": "number?", "missing": "count"}},
    "generators": [_GENERATOR],
    "series": Each(_SERIES),
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
    try:
        hold(document, _SHAPE)
    except Misfit as misfit:
        _refuse(name, misfit.where or "the document", misfit.told, misfit.expected)
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
