# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service says when it refuses: how often, and after how long it wants to be asked again."""

from __future__ import annotations

import time
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any


class Ladder:
    """Answers of 429 and their Retry-After (RFC 9110, section 10.2.3): seconds, or a date."""

    def __init__(self) -> None:
        self.refusals = 0
        self.missing = 0
        # The least and the most; those of dates apart, which are not as exact.
        self._seconds: tuple[int, ...] = ()
        self._dated: tuple[int, ...] = ()

    def refused(self, retry_after: str | None, date: str | None = None) -> None:
        """Add one, and when it was said by the service's own clock. What is neither seconds nor a date counts as missing."""
        self.refusals += 1
        if retry_after is not None and retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10:
            self._seconds = _widened(self._seconds, int(retry_after))
            return
        until, said = _moment(retry_after), _moment(date)
        if until is None:
            self.missing += 1
        else:
            self._dated = _widened(self._dated, until - (int(time.time()) if said is None else said))

    def document(self) -> dict[str, Any]:
        """As in the summary."""
        waits = (*self._seconds, *_surely(self._dated))
        least, most = (float(choose(waits)) if waits else None for choose in (min, max))
        return {"429": self.refusals, "retry_after_s": {"min": least, "max": most, "missing": self.missing}}


def _widened(extremes: tuple[int, ...], wait: int) -> tuple[int, ...]:
    waits = (*extremes, wait)
    return min(waits), max(waits)


def _surely(dated: tuple[int, ...]) -> tuple[int, ...]:
    """The least and the most that dates surely ask to wait.

    A date and the moment it was said at are cut off to whole seconds, each by itself: a wait that is always the same shows as two numbers.
    """
    if not dated:
        return ()
    least, most = dated
    least = 1 if least == 0 < most else max(least, 0)
    return least, max(most - 1, least)


def _moment(date: str | None) -> int | None:
    """Seconds since the epoch; None for what is no date. Those of HTTP are in UTC, be it that they do not say so."""
    try:
        moment = parsedate_to_datetime(date or "")
        return int((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp())
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
