# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds a JSON document to a shape that is written as the document itself would be, with the kinds of its values in their places."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..rfc3339 import parse_utc


class Misfit(Exception):
    """``where`` something else is ``told`` than what is ``expected``."""

    def __init__(self, where: str, told: str, expected: str) -> None:
        super().__init__(f"{where} is {told}, expected {expected}")
        self.where = where
        self.told = told
        self.expected = expected


@dataclass(frozen=True)
class Each:
    """A mapping of any keys to values of one shape."""

    of: Any


def hold(value: Any, shape: Any, where: str = "") -> None:
    """Hold a value to a shape: a mapping with these members at least, a list of one shape, an Each, or a kind of plain value.

    A kind is one of KINDS; with a question mark behind it, null will do as well. Raises Misfit for the first that does not fit.
    """
    if isinstance(shape, str):
        kind = shape.rstrip("?")
        if not (value is None and shape.endswith("?")) and not KINDS[kind][1](value):
            raise Misfit(where, repr(value)[:60], KINDS[kind][0] + (" or null" if shape.endswith("?") else ""))
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise Misfit(where, repr(value)[:60], "a list")
        for place, item in enumerate(value):
            hold(item, shape[0], f"{where}[{place}]")
    elif not isinstance(value, dict):
        raise Misfit(where, repr(value)[:60], "an object")
    else:
        _hold_members(value, shape, where)


def _hold_members(value: dict[str, Any], shape: Any, where: str) -> None:
    members = dict.fromkeys(value, shape.of) if isinstance(shape, Each) else shape
    for key, inner in members.items():
        inside = f"{where}.{key}".lstrip(".")
        if key not in value:
            raise Misfit(inside, "absent", "a member of that name")
        hold(value[key], inner, inside)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_time(value: Any) -> bool:
    try:
        parse_utc(value)
    except ValueError:
        return False
    return True


def _is_interval(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(side is None or _is_number(side) for side in value)


KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "count": ("a whole number, 0 or more", _is_count),
    "number": ("a finite number", _is_number),
    "text": ("a text", lambda value: isinstance(value, str)),
    "time": ("a time in UTC such as 2026-01-31T12:00:00Z", _is_time),
    "flag": ("true or false", lambda value: isinstance(value, bool)),
    "interval": ("two of a number or null", _is_interval),
}
