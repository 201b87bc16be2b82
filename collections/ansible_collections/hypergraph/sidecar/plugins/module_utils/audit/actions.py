# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check did to the gateway, and which audit entry records which of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .canaries import WORD
from .entries import DENIED, Entry, Outcomes, kind_of


@dataclass(frozen=True)
class Action:
    """A request that was answered. ``name`` is the contract's for it, ``label`` what a reader is told.

    Empty are ``tenant_id`` and ``subject`` where nobody knows who asked, ``request_id`` where the answer had none, and ``word`` where the
    prompt had no canary.
    """

    name: str
    label: str
    status: int
    tenant_id: str = ""
    subject: str = ""
    trace_id: str = ""
    request_id: str = ""
    word: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.label}, answered {self.status})"

    def same_actor(self, entry: Entry) -> bool:
        """Whether the entry names this action's tenant and subject, as far as they are known."""
        return self.tenant_id in ("", entry.tenant_id) and self.subject in ("", entry.subject)


@dataclass
class Matching:
    """The entry of each action by the action's index, and entries that record an action once more."""

    entries: dict[int, Entry] = field(default_factory=dict)
    duplicates: list[Entry] = field(default_factory=list)

    def missing(self, actions: Sequence[Action]) -> list[Action]:
        """The actions without an entry."""
        return [action for index, action in enumerate(actions) if index not in self.entries]


def match(actions: Sequence[Action], entries: Iterable[Entry], names: Mapping[str, str], outcomes: Outcomes) -> Matching:
    """Give each action the entry that records it; an entry records one action at most.

    By request id where the answer bears one and the log has it; else by trace id; else by the canary in the snippet; else, among the
    entries written since, by action, actor and outcome. Where the log has the ids of some of the actions, an entry with another id is of
    none. ``names`` maps an action's name to that of the log.
    """
    pool = _Pool(entries)
    found = Matching()
    by_request = {(entry.action, entry.request_id): entry for entry in pool.unused if entry.request_id}
    for index, action in enumerate(actions):
        entry = by_request.get((names[action.name], action.request_id))
        if entry is not None and pool.take(entry):
            found.entries[index] = entry
    logs_ids = bool(found.entries)

    def may_record(action: Action, entry: Entry) -> bool:
        another = logs_ids and action.request_id and entry.request_id
        return not another and entry.action == names[action.name] and _concerns(action, entry)

    for fits in _strict_to_lenient(outcomes):
        for index, action in enumerate(actions):
            if index in found.entries:
                continue
            entry = next((entry for entry in pool.unused if may_record(action, entry) and fits(action, entry)), None)
            if entry is not None and pool.take(entry):
                found.entries[index] = entry
    requests = {(names[action.name], action.request_id) for action in actions if action.request_id}
    traces = {(names[action.name], action.trace_id) for action in actions if action.trace_id}
    found.duplicates = [
        entry
        for entry in pool.unused
        if (entry.action, entry.request_id) in requests
        or ((entry.action, entry.trace_id) in traces and not (logs_ids and entry.request_id))
    ]
    return found


class _Pool:
    """Entries that record no action yet, in the order they were written."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.unused = list(entries)

    def take(self, entry: Entry) -> bool:
        """Take it out, unless somebody has."""
        if entry not in self.unused:
            return False
        self.unused.remove(entry)
        return True


def _strict_to_lenient(outcomes: Outcomes) -> tuple[Callable[[Action, Entry], bool], ...]:
    """First what fits in all, so that a wrong entry is left to the action it is wrong for."""

    def told(action: Action, entry: Entry) -> bool:
        return outcomes.tells(entry.outcome or "", action.status)

    return (
        lambda action, entry: action.same_actor(entry) and told(action, entry),
        lambda action, entry: _identified(action, entry) and told(action, entry),
        lambda action, entry: action.same_actor(entry) or _identified(action, entry),
    )


def _identified(action: Action, entry: Entry) -> bool:
    """Whether more than its kind ties the entry to the action."""
    by_trace = bool(action.trace_id) and entry.trace_id == action.trace_id
    return by_trace or (bool(action.word) and action.word in entry.snippet)


def _concerns(action: Action, entry: Entry) -> bool:
    """Whether nothing in the entry says that it is about something else."""
    if action.trace_id and entry.trace_id != action.trace_id and not (kind_of(action.status) == DENIED and not entry.trace_id):
        return False
    return not action.word or action.word in entry.snippet or WORD not in entry.snippet
