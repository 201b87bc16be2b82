# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new document breaks for those who rely on a released one, in the manner of oasdiff.

Operations are matched by what a client calls: the method and the whole path, with the servers' base path in front and whatever its
parameters are named. An operation that was announced as deprecated may go once its ``x-sunset`` date has passed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from .operation_rules import OPERATION_RULES, OperationPair, schema_changes
from .operations import Operation, operations
from .schema_comparison import ALTERNATIVE_ADDED, ALTERNATIVE_REMOVED, Change, SchemaComparison
from .schema_rules import SCHEMA_RULES

OPERATION_REMOVED = "operation-removed"
RULES = frozenset(
    {
        OPERATION_REMOVED,
        ALTERNATIVE_ADDED,
        ALTERNATIVE_REMOVED,
        *(rule.id for rule in OPERATION_RULES),
        *(name for rule in SCHEMA_RULES for name in (rule.request, rule.response) if name),
    }
)


@dataclass(frozen=True)
class Comparison:
    """Every break with the operations it was seen in, and how much was compared."""

    breaks: Mapping[Change, tuple[str, ...]]
    operations: int
    schemas: int

    @property
    def lines(self) -> list[str]:
        """The breaks for a reader, one a line."""
        return [
            f"{change} (in {names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''})" for change, names in self.breaks.items()
        ]


def compare(released: Mapping[str, Any], candidate: Mapping[str, Any], today: date) -> Comparison:
    """Compare every released operation with its successor. Raises shapes.TooLarge."""
    successors = {key: operation for operation in operations(candidate) for key in operation.keys}
    schemas = SchemaComparison(released, candidate)
    seen_in: dict[Change, list[str]] = {}
    compared = 0
    for old in operations(released):
        compared += 1
        for change in _breaks(old, successors, schemas, today):
            names = seen_in.setdefault(change, [])
            if old.name not in names:
                names.append(old.name)
    return Comparison({change: tuple(names) for change, names in seen_in.items()}, compared, schemas.pairs)


def major(document: Mapping[str, Any]) -> int | None:
    """The major number of ``info.version``, or None where it is not a semantic version."""
    info = document.get("info")
    found = re.match(r"v?([0-9]+)\.[0-9]+", str(info.get("version"))) if isinstance(info, Mapping) else None
    return int(found.group(1)) if found else None


def _breaks(old: Operation, successors: Mapping[str, Operation], schemas: SchemaComparison, today: date) -> Iterator[Change]:
    gone = sorted(key for key in old.keys if key not in successors)
    if gone and not _has_set(old, today):
        told = f", deprecated but with x-sunset {old.place.child('x-sunset').value}" if old.place.child("deprecated").value is True else ""
        yield Change(OPERATION_REMOVED, old.place.pointer, f"{', '.join(gone)} was taken away{told}")
    for new in dict.fromkeys(successors[key] for key in sorted(old.keys) if key in successors):
        pair = OperationPair(old, new, schemas)
        for rule in OPERATION_RULES:
            yield from (Change(rule.id, pointer, detail) for pointer, detail in rule.find(pair))
        yield from schema_changes(pair)


def _has_set(operation: Operation, today: date) -> bool:
    """Whether the operation was deprecated and the date of its sunset is past."""
    sunset = operation.place.child("x-sunset").value
    try:
        return operation.place.child("deprecated").value is True and date.fromisoformat(str(sunset)[:10]) <= today
    except ValueError:
        return False
