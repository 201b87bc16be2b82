# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What single answers say: pure reading of what an intruder, or an owner, was told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import quote

from ..http_client import Answer
from ..redaction import spellings

TENANT_HEADER = "x-tenant-id"
# More rows than a quiet environment has new ones, fewer than any paging limit in use.
LIST_LIMIT = 100


class Outcome(Enum):
    """What an answer gave an intruder."""

    REFUSED = "refused"
    """Nothing: not theirs to see (403), or not there for them (404)."""
    EXPOSED = "exposed"
    """The foreign object, or an effect on it."""
    REVEALED = "revealed"
    """The state of the foreign object (409, 410), so it was looked up before the caller was."""
    UNCLEAR = "unclear"
    """Neither: a server error, a rate limit, a redirect."""


@dataclass(frozen=True)
class Surface:
    """A place where another tenant's data could show. ``reason_code`` is what showing it is called."""

    name: str
    path: str
    reason_code: str
    listing: bool = False


STATUS = Surface("the status of {owner}'s trace", "/v1/traces/{trace_id}/status", "foreign-status-readable")
GRAPH = Surface("the graph of {owner}'s trace", "/v1/traces/{trace_id}/graph", "foreign-graph-readable")
TRACES = Surface("a list row of {owner}'s traces", f"/v1/traces?limit={LIST_LIMIT}", "foreign-list-row", listing=True)
WEBHOOKS = Surface("a webhook of {owner}'s", "/v1/webhooks", "foreign-webhook-visible", listing=True)


@dataclass(frozen=True)
class Disguise:
    """A way to claim another tenant beside one's own token. ``reason_code`` is what believing it is called."""

    name: str = ""
    reason_code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    query: str = ""

    def applied_to(self, path: str) -> str:
        """The path with the claim in its query, where it is made there."""
        return path + ("&" if "?" in path else "?") + self.query if self.query else path


PLAIN = Disguise()


def disguises(tenant: str) -> tuple[Disguise, ...]:
    """The ways to claim a tenant in a request."""
    return (
        Disguise(f"{TENANT_HEADER}: {tenant}", "header-overrides-tenant", {TENANT_HEADER: tenant}),
        Disguise(f"?tenant_id={tenant}", "query-overrides-tenant", query=f"tenant_id={quote(tenant, safe='')}"),
    )


@dataclass(frozen=True)
class Look:
    """One answer to an intruder who asked for what belongs to another; ``shown`` names the foreign rows of a list of ``listed`` rows."""

    surface: Surface
    disguise: Disguise
    answer: Answer
    outcome: Outcome
    shown: tuple[str, ...] = ()
    listed: int = 0

    @property
    def observed(self) -> str:
        """The answer in a few words."""
        if self.shown:
            return f"{self.answer.status} with {len(self.shown)} foreign of {self.listed} rows: {few(self.shown)}"
        return f"{self.answer.status}" + (f" with {self.listed} rows" if self.surface.listing and self.answer.status == 200 else "")


@dataclass(frozen=True)
class Target:
    """What an intruder looks for: the ids of what the owner has, and its canaries."""

    ids: frozenset[str]
    marks: tuple[str, ...]


def look(surface: Surface, disguise: Disguise, answer: Answer, target: Target, intruder: str) -> Look:
    """Read one answer to ``intruder``. Raises CheckError where a list answers 200 without being JSON."""
    if not surface.listing:
        return Look(surface, disguise, answer, _outcome(answer.status, disguise))
    if answer.status == 200:
        listed = answer.rows()
        if listed is None:
            return Look(surface, disguise, answer, Outcome.UNCLEAR)
        shown = foreign_rows(listed, target, intruder)
        return Look(surface, disguise, answer, Outcome.EXPOSED if shown else Outcome.REFUSED, shown, len(listed))
    # The caller's own list must be served, unless a contradicting claim is refused outright.
    refused = disguise is not PLAIN and answer.status in (*_REFUSALS, *_REFUSED_CLAIMS)
    return Look(surface, disguise, answer, Outcome.REFUSED if refused else Outcome.UNCLEAR)


_REFUSALS = (403, 404)
_REFUSED_CLAIMS = (400, 401, 422)


def _outcome(status: int, disguise: Disguise) -> Outcome:
    if 200 <= status < 300:
        return Outcome.EXPOSED
    if status in _REFUSALS or (disguise is not PLAIN and status in _REFUSED_CLAIMS):
        return Outcome.REFUSED
    return Outcome.REVEALED if status in (409, 410) else Outcome.UNCLEAR


def outcome(answer: Answer) -> Outcome:
    """What a plain request for one foreign object gave."""
    return _outcome(answer.status, PLAIN)


def foreign_rows(listed: Iterable[Mapping[str, Any]], target: Target, intruder: str) -> tuple[str, ...]:
    """The rows that are not ``intruder``'s: named as another tenant's, or carrying an id or canary of the target."""
    found = []
    for row in listed:
        identity = str(row.get("trace_id") or row.get("id") or "a row without id")
        tenant = row.get("tenant_id")
        told = json.dumps(row)
        if (tenant is not None and tenant != intruder) or identity in target.ids or any(mark in told for mark in target.marks):
            found.append(identity)
    return tuple(found)


def canary_places(answers: Iterable[Answer], marks: Iterable[str]) -> list[str]:
    """Where any of the marks, in any spelling, occurs in the answers: request, status, and whether in the body or a header."""
    needles = [spelling for mark in marks for spelling in spellings(mark)]
    places = []
    for answer in answers:
        parts = {"body": answer.text, **{f"header {name}": value for name, value in answer.headers.items()}}
        for place, text in parts.items():
            if any(needle in text for needle in needles):
                places.append(f"{place} of {answer.method} {_path_of(answer.url)} ({answer.status})")
    return places


def few(items: Sequence[str]) -> str:
    """The first three different ones, and how many there are besides."""
    different = list(dict.fromkeys(items))
    more = f" and {len(different) - 3} more" if len(different) > 3 else ""
    return ", ".join(different[:3]) + more


def _path_of(url: str) -> str:
    return "/" + url.split("://", 1)[-1].partition("/")[2]
