# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers out of a verdict's evidence. Evidence of a check that a team wrote, or what redaction left of it, may hold anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# More is no count, rate or time that anybody measured.
_LIMIT = 1e15


def number(value: Any) -> float:
    """The value, if it is a number from 0 up that can be plotted. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _LIMIT:
        raise ValueError(f"{value!r} is no number to plot")
    return value


def numbers(values: Iterable[Any]) -> tuple[float, ...]:
    """All of them. Raises ValueError where one is no number, TypeError where there is no list of them."""
    return tuple(map(number, values))


def known(value: Any) -> float | None:
    """The value as ``number`` has it; None for anything else, as where nothing was measured."""
    try:
        return number(value)
    except ValueError:
        return None


def signed(value: Any) -> float | None:
    """A number that may be below zero; None for anything else."""
    size = known(abs(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    return None if size is None else float(value)


def rows(listed: Any) -> Iterator[Mapping[str, Any]]:
    """The rows of a list, or of lists in it; redaction may have cut it, and put a text in place of the rest. TypeError for no list."""
    if not isinstance(listed, (list, tuple)):
        raise TypeError("expected a list of rows")
    for row in listed:
        if isinstance(row, list):
            yield from rows(row)
        elif isinstance(row, Mapping):
            yield row
