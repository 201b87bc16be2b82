# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict JSON (RFC 8259), as a document another program must be able to read: no NaN, no duplicate keys, UTF-8 without a mark."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any


def loads(document: bytes | str) -> Any:
    """Parse strictly. Raises ValueError with a one-line reason; nesting too deep for the parser is one too."""
    text = document.decode("utf-8") if isinstance(document, bytes) else document
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark")
    try:
        return DECODER.decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        repeated = Counter(pair[0] for pair in pairs).most_common(1)[0][0]
        raise ValueError(f"key {repeated!r} occurs twice in one object")
    return members


# For whoever reads a document piece by piece. Raises ValueError, and RecursionError where nesting is too deep for the parser.
DECODER = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_distinct)
