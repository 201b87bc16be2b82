# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service says when it refuses: how often, and after how long it wants to be asked again."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any


class Ladder:
    """Answers of 429 and their Retry-After, in seconds."""

    def __init__(self) -> None:
        self.refusals = 0
        self.missing = 0
        self.min_s: float | None = None
        self.max_s: float | None = None

    def refused(self, retry_after: str | None) -> None:
        """Add one. What is neither seconds nor a date counts as missing."""
        self.refusals += 1
        seconds = _seconds(retry_after)
        if seconds is None:
            self.missing += 1
            return
        self.min_s = seconds if self.min_s is None else min(self.min_s, seconds)
        self.max_s = seconds if self.max_s is None else max(self.max_s, seconds)

    def document(self) -> dict[str, Any]:
        """As in the summary."""
        return {"429": self.refusals, "retry_after_s": {"min": self.min_s, "max": self.max_s, "missing": self.missing}}


def _seconds(retry_after: str | None) -> float | None:
    """RFC 9110 section 10.2.3: seconds, or a date."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10:
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
