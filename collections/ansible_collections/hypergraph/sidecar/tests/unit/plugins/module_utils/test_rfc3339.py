# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timezone

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.rfc3339 import parse_utc


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, 0, 0, 0, timezone.utc)),
        ("2026-01-31t12:00:00.25z", datetime(2026, 1, 31, 12, 0, 0, 250_000, timezone.utc)),
        ("2026-01-31T12:00:00.123456789+00:00", datetime(2026, 1, 31, 12, 0, 0, 123_456, timezone.utc)),
        ("2026-01-31T12:00:00-00:00", datetime(2026, 1, 31, 12, 0, 0, 0, timezone.utc)),
        ("2026-06-30T23:59:60Z", datetime(2026, 6, 30, 23, 59, 59, 999_999, timezone.utc)),
    ],
)
def test_instants_in_utc(text, expected):
    assert parse_utc(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00",
        "2026-01-31T12:00:00+01:00",
        "2026-01-31 12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-01-31T25:00:00Z",
        "2026-01-31T12:00:00.Z",
        "20260131T120000Z",
        "٢٠٢٦-01-31T12:00:00Z",
        "",
        1769860800,
        None,
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_utc(text)
