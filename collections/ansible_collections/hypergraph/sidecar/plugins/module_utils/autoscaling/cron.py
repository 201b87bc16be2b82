# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules of cron as KEDA's scaler reads them: robfig/cron v3 with five fields, without descriptors such as @daily."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class _Field:
    """The values of a field, from ``least`` to ``most``, and the names that some have, in lower case."""

    least: int
    most: int
    names: Mapping[str, int] = field(default_factory=dict)

    def takes(self, text: str) -> bool:
        """Whether the text is a list of ranges. Empty items of a list say nothing, but not all may be empty."""
        ranges = [item for item in text.split(",") if item]
        return bool(ranges) and all(map(self._is_range, ranges))

    def _is_range(self, text: str) -> bool:
        span, slash, step = text.partition("/")
        low, hyphen, high = span.partition("-")
        if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
            return False
        if span in ("*", "?"):
            return True
        first = self._value(low)
        last = self._value(high) if hyphen else first
        return first is not None and last is not None and self.least <= first <= last <= self.most

    def _value(self, text: str) -> int | None:
        named = self.names.get(text.lower())
        return int(text) if named is None and re.fullmatch(r"\d{1,9}", text, re.ASCII) else named


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Sunday is 0 only; L, W and # of other dialects mean nothing here.
_FIELDS = (
    _Field(0, 59),
    _Field(0, 23),
    _Field(1, 31),
    _Field(1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Field(0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


def is_schedule(text: str) -> bool:
    """Whether the text is a schedule: minute, hour, day of month, month and day of week, perhaps behind a ``TZ=`` of its own."""
    parts = text.split()
    if parts and parts[0].startswith(("TZ=", "CRON_TZ=")):
        parts = parts[1:]
    return len(parts) == len(_FIELDS) and all(one.takes(part) for one, part in zip(_FIELDS, parts))
