# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""UTC instants as RFC 3339 writes them. ``datetime.fromisoformat`` takes both more and, before Python 3.11, less than that."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

_SHAPE = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:)(\d\d)(?:\.(\d+))?(?:[Zz]|[+-]00:00)", re.ASCII)


def parse_utc(text: Any) -> datetime:
    """The instant, to the microsecond (finer digits are cut off). Raises ValueError for anything but an RFC 3339 time in UTC.

    A leap second, which RFC 3339 allows and datetime does not, is taken as the last microsecond before it.
    """
    match = _SHAPE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("it is not an RFC 3339 time in UTC, such as 2026-01-31T12:00:00.000000Z")
    day, minute, second, fraction = match.groups()
    leap = second == "60"
    micro = "999999" if leap else ((fraction or "") + "000000")[:6]
    moment = datetime.strptime(f"{day} {minute}{'59' if leap else second}.{micro}", "%Y-%m-%d %H:%M:%S.%f")
    return moment.replace(tzinfo=timezone.utc)
