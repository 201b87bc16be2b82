# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Audit entries: what one must carry to serve as evidence, and how outcomes are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from .. import strict_json
from ..rfc3339 import parse_utc

FIELDS = ("ts", "tenant_id", "subject", "action", "trace_id", "outcome", "snippet")
ALLOWED, DENIED, OTHER = "allowed", "denied", "neither allowed nor denied"
_STATUS = re.compile(r"(?<!\d)[1-5]\d\d(?!\d)")


@dataclass(frozen=True)
class Outcomes:
    """How a log names what became of a request: glob patterns for allowed and for denied; all else is neither."""

    allowed: tuple[str, ...]
    denied: tuple[str, ...]

    def kind(self, outcome: str) -> str:
        """ALLOWED, DENIED or OTHER."""
        if any(fnmatchcase(outcome, pattern) for pattern in self.denied):
            return DENIED
        return ALLOWED if any(fnmatchcase(outcome, pattern) for pattern in self.allowed) else OTHER

    def tells(self, outcome: str, status: int) -> bool:
        """Whether an outcome is right for an answer of this HTTP status. A status that it names must be that one."""
        named = _STATUS.search(outcome)
        return self.kind(outcome) == kind_of(status) and (named is None or int(named.group()) == status)


def kind_of(status: int) -> str:
    """What became of a request that was answered so."""
    if status in (401, 403):
        return DENIED
    return ALLOWED if status < 400 else OTHER


@dataclass(frozen=True)
class Entry:
    """An audit entry as far as it can be read. Fields that are null, ``absent`` or of another type are None."""

    path: str
    offset: int
    action: str | None = None
    tenant_id: str | None = None
    subject: str | None = None
    trace_id: str | None = None
    request_id: str | None = None
    outcome: str | None = None
    ts: str | None = None
    snippet: str = field(default="", repr=False)
    absent: frozenset[str] = frozenset()

    @property
    def moment(self) -> datetime | None:
        """When it says it was, if it says so rightly."""
        try:
            return parse_utc(self.ts)
        except ValueError:
            return None


def read_entry(path: str, offset: int, line: bytes) -> tuple[Entry, Mapping[str, Any]]:
    """The entry in a line, and its document. Raises ValueError where it is not a strict JSON object in UTF-8."""
    document = strict_json.loads(line)
    if not isinstance(document, dict):
        raise ValueError(f"it is a {type(document).__name__}, not an object")
    names = ("action", "tenant_id", "subject", "trace_id", "request_id", "outcome", "ts", "snippet")
    texts = {name: document[name] for name in names if isinstance(document.get(name), str)}
    return Entry(path, offset, **texts, absent=frozenset(FIELDS) - document.keys()), document


def problems(entry: Entry, document: Mapping[str, Any], outcomes: Outcomes) -> list[str]:
    """What an entry lacks, each as ``field: what is wrong``.

    A trace id may be null, as many actions have none; tenant and subject may be where nobody was let in.
    """
    found = [f"{name}: missing" for name in FIELDS if name not in document]
    present = [name for name in FIELDS if name in document]
    nullable = {"trace_id"} if outcomes.kind(entry.outcome or "") == ALLOWED else {"trace_id", "tenant_id", "subject"}
    for name in present:
        value = document[name]
        if value is None and name not in nullable:
            found.append(f"{name}: null")
        elif value is not None and not isinstance(value, str):
            found.append(f"{name}: a {type(value).__name__}, not text")
        elif value == "" and name != "snippet" and name not in nullable:
            found.append(f"{name}: empty")
    if entry.ts and entry.moment is None:
        found.append("ts: not an RFC 3339 time in UTC")
    return found
