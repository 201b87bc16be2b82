# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored trace records: reading one, surveying all in memory that grows only with their number, and judging what was seen."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..faults import CheckError
from ..traces import TERMINAL_STATES
from ..verdict import Verdict

KNOWN_STATES = TERMINAL_STATES | {"queued", "running"}
_EXAMPLES = 5


class TornRead(CheckError):
    """The store could not be parsed to its end: half-written, or not what it should be. Reading it again tells which."""


@dataclass(frozen=True)
class StoredRecord:
    """What the check needs of one record. A field that is absent or no text is empty; ``key`` is None where the store keeps no key."""

    key: str | None
    trace_id: str
    tenant_id: str
    state: str

    @property
    def id(self) -> str:
        """The id it is known by: its key, else the trace id it states."""
        return self.trace_id if self.key is None else self.key

    @classmethod
    def read(cls, key: str | None, document: Mapping[str, Any]) -> StoredRecord:
        """The record of a document. A keyed one need not repeat its trace id."""
        tenant = sys.intern(_text(document, "tenant_id"))
        return cls(key, _text(document, "trace_id"), tenant, sys.intern(_text(document, "state")))


class Store(Protocol):
    """A StatusStore. Reading raises CheckError where it cannot be read, and TornRead where it could once it has changed."""

    @property
    def place(self) -> str:
        """The store as messages name it."""

    def records(self) -> Iterator[StoredRecord]:
        """Every record."""

    def find(self, trace_id: str) -> StoredRecord | None:
        """The record of one trace."""

    def version(self) -> object:
        """Something that is equal as long as nothing was written."""


@dataclass
class Offenders:
    """How many records break a rule, and the first few of them."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, example: str) -> None:
        """Count one more."""
        self.count += 1
        if self.count <= _EXAMPLES:
            self.examples.append(example)

    @property
    def observed(self) -> Any:
        """Count and examples, or ``none``."""
        return {"records": self.count, "examples": self.examples} if self.count else "none"


@dataclass
class Survey:
    """One reading of the whole store. ``tenants`` maps trace id to tenant."""

    records: int = 0
    tenants: dict[str, str] = field(default_factory=dict)
    states: Counter[str] = field(default_factory=Counter)
    without_tenant: Offenders = field(default_factory=Offenders)
    unknown_state: Offenders = field(default_factory=Offenders)
    ambiguous: Offenders = field(default_factory=Offenders)


def survey(records: Iterable[StoredRecord]) -> Survey:
    """Read every record once. Of several with one id the first counts for its tenant."""
    seen = Survey()
    for number, record in enumerate(records, start=1):
        seen.records = number
        name = record.id or f"record {number}"
        if not record.tenant_id.strip():
            seen.without_tenant.add(name)
        if record.state in KNOWN_STATES:
            seen.states[record.state] += 1
        else:
            seen.unknown_state.add(f"{name}: {record.state or 'no state'}")
        if not record.id:
            seen.ambiguous.add(f"{name} has no trace_id")
        elif record.id in seen.tenants:
            seen.ambiguous.add(f"{name} occurs again")
        elif record.trace_id not in ("", record.id):
            seen.ambiguous.add(f"{name} holds trace_id {record.trace_id}")
        seen.tenants.setdefault(record.id, record.tenant_id)
    return seen


def judge_survey(verdict: Verdict, seen: Survey) -> None:
    """The rules that every record must keep."""
    verdict.examine("stored records", seen.records)
    if not seen.records:
        return
    verdict.expect(
        "every stored record names its tenant",
        not seen.without_tenant.count,
        expected="a tenant_id that is not empty",
        observed=seen.without_tenant.observed,
        reason_code="status-store-tenant-missing",
        action="Write tenant_id when the record is created: a record without owner cannot be kept from anybody.",
    )
    verdict.expect(
        "every stored record has one id of its own",
        not seen.ambiguous.count,
        expected="each trace_id once, and the same as its key",
        observed=seen.ambiguous.observed,
        reason_code="status-store-id-ambiguous",
        action="Find out which writer stores a trace twice or under another's id: readers will disagree on whose it is.",
    )
    verdict.expect(
        "every stored record is in a known state",
        not seen.unknown_state.count,
        expected=", ".join(sorted(KNOWN_STATES)),
        observed=seen.unknown_state.observed,
        reason_code="status-store-state-unknown",
        action="Write only the states of the contract.",
    )


def judge_changes(verdict: Verdict, first: Survey, last: Survey) -> None:
    """Between two readings no record may change its tenant. Records that come or go in between do not count."""
    changed = Offenders()
    compared = 0
    for trace_id, tenant in last.tenants.items():
        before = first.tenants.get(trace_id)
        if before is not None:
            compared += 1
            if before != tenant:
                changed.add(f"{trace_id}: {before or 'no tenant'} then {tenant or 'no tenant'}")
    if compared:
        verdict.examine("records read twice", compared)
        verdict.expect(
            "no stored record changes its tenant between two readings",
            not changed.count,
            expected="the same tenant_id both times",
            observed=changed.observed,
            reason_code="tenant-changed",
            action="Find out which writer rewrites tenant_id; it is set once, when the trace is accepted.",
        )


def judge_own(verdict: Verdict, tenant: str, sightings: Sequence[StoredRecord]) -> None:
    """The check's own trace is stored under the tenant that submitted it, whenever it was looked at."""
    tenants = list(dict.fromkeys(record.tenant_id or "no tenant" for record in sightings))
    story = [f"{record.state or 'no state'}: {record.tenant_id or 'no tenant'}" for record in sightings]
    what = "the check's own trace"
    told = (
        f"{what} was filed under {', then '.join(tenants)}"
        if tenants[0] == tenant
        else f"{what} was filed under {tenants[0]} from the start"
    )
    verdict.expect(
        f"{what} is filed under its tenant, from first sight to completion",
        all(record.tenant_id == tenant for record in sightings),
        expected=tenant,
        observed=list(dict.fromkeys(story)),
        reason_code="tenant-changed",
        reason=f"{told}; it was submitted by {tenant}",
        action="Find out which writer sets tenant_id; it comes from the token and never changes. "
        "If it is another from the start, check tenant_id of the token in sidecar_tokens.",
    )


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""
