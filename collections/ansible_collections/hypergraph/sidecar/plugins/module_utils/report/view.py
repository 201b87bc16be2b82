# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ``report-1`` document as pages show it: ordered, numbers and times as people read them, the access matrix as a grid."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..gate import worst_first
from ..verdict import Headline
from . import capacity, load_run, soak_run

MATRIX = "matrix"


@dataclass(frozen=True)
class Row:
    """An assertion or control of one part, with the host it was examined on."""

    host: str
    record: Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """An answer in the access matrix. ``kind`` is ``allowed``, ``denied`` or ``other``; ``wrong`` where its assertion does not hold."""

    caller: str
    status: str
    kind: str
    wrong: bool


@dataclass(frozen=True)
class Grid:
    """The access matrix: who asked, in columns, and per route what each got."""

    callers: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def by_urgency(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The checks, those that are not green first, the worst of them at the top."""
    return sorted(checks, key=lambda check: worst_first(check["check"], Headline(check["status"], "", check["reason_code"])))


def rows(check: Mapping[str, Any], kind: str, ok: bool) -> list[Row]:
    """The check's ``assertions`` or ``controls`` that hold, or that do not; in a waived check those waived come last."""
    found = [Row(part["host"], record) for part in check["parts"] for record in part[kind] if record["ok"] is ok]
    return sorted(found, key=lambda row: bool(row.record["waiver"]))


def records(check: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Status, host and record of whatever else the check has to say: errors, shortfalls, skips. Its headline is not said twice."""
    kinds = (("error", "errors"), ("inconclusive", "shortfalls"), ("skip", "skips"))
    found = [(status, part["host"], record) for status, kind in kinds for part in check["parts"] for record in part[kind]]
    return [] if len(found) == 1 and found[0][2]["reason"] == check["reason"] else found


def grid(part: Mapping[str, Any]) -> Grid | None:
    """The access matrix in a part's evidence, if there is one: a mapping of routes to mappings of callers to statuses."""
    matrix = part["evidence"].get(MATRIX)
    if not isinstance(matrix, Mapping):
        return None
    routes = {str(route): answers for route, answers in matrix.items() if isinstance(answers, Mapping)}
    callers = tuple(dict.fromkeys(str(caller) for answers in routes.values() for caller in answers))
    if not callers:
        return None
    broken = {record["name"] for record in part["assertions"] if not record["ok"]}

    def cell(route: str, caller: str) -> Cell:
        status = str(routes[route].get(caller, ""))
        kind = "allowed" if status[:1] == "2" else "denied" if status in ("401", "403") else "other"
        return Cell(caller, status, kind, f"{route} with {caller}" in broken)

    return Grid(callers, tuple((route, tuple(cell(route, caller) for caller in callers)) for route in routes))


def other_evidence(part: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence that is shown as it is, which is all but what is drawn: the matrix, curves of replicas, a load run, a soak."""
    shown = {name for name, drawn in ((MATRIX, grid(part)), (capacity.EVIDENCE, capacity.sizings(part))) if drawn}
    if load_run.load_run(part):
        shown.update((load_run.EVIDENCE, load_run.JUDGED, load_run.COMPARISON))
    if soak_run.soak_run(part):
        shown.add(soak_run.EVIDENCE)
    return {name: value for name, value in part["evidence"].items() if name not in shown}


def pretty(value: Any) -> str:
    """A value as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def duration(milliseconds: float) -> str:
    """A duration with the unit that suits it."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s" if milliseconds < 120_000 else f"{milliseconds / 60_000:.1f} min"


def number(value: float) -> str:
    """A number with at most four significant digits, whole ones and thousands in full."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.0f}" if 9999.5 <= abs(value) < 1e15 else f"{value:.4g}"


def moment(timestamp: str) -> str:
    """A timestamp of the document, to the second."""
    return f"{timestamp[:10]} {timestamp[11:19]} UTC"


def compact(value: Any) -> str:
    """A value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)
