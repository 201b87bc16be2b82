# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second net under secrets: what verdicts redacted when they were recorded is redacted once more when it is gathered and written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..redaction import Redactor

MAX_DEPTH = 24


def scrubbed(value: Any, redactor: Redactor, depth: int = 0) -> Any:
    """A plain, JSON-ready copy without secrets. Lengths are kept, nesting beyond 24 levels is not.

    Lone surrogates, which no UTF-8 file can hold, become question marks; numbers that JSON does not know become their text.
    """
    if depth > MAX_DEPTH:
        return "[nested deeper than shown]"
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping):
        return {_text(key, redactor): scrubbed(item, redactor, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrubbed(item, redactor, depth + 1) for item in value]
    return _text(value, redactor)


def _text(value: Any, redactor: Redactor) -> str:
    return redactor.text(str(value).encode("utf-8", "replace").decode())
