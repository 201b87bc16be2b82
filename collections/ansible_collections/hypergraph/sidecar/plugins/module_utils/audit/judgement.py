# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log as evidence, judged: whether it is this gateway's, whole, complete, and says the truth."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..verdict import Verdict
from .actions import Action, Matching
from .entries import ALLOWED, FIELDS, Entry, Outcomes, kind_of
from .scan import Findings

_PLAIN = re.compile(r"[a-z][a-z0-9_:.-]{0,39}")


@dataclass(frozen=True)
class Driven:
    """What the check did, when by this host's clock, and what the log made of it. ``lost`` says that lines vanished in a rotation."""

    actions: Sequence[Action]
    matching: Matching
    began: datetime
    ended: datetime
    lost: bool = False

    def recorded(self) -> Iterator[tuple[Action, Entry]]:
        """The actions that have an entry, with it."""
        return ((self.actions[index], entry) for index, entry in sorted(self.matching.entries.items()))


@dataclass(frozen=True)
class Expectations:
    """How strictly entries are judged. ``enforced`` says whether the environment has tokens, and so denials."""

    outcomes: Outcomes
    tolerance: timedelta
    enforced: bool = True
    open_modes: Sequence[str] = field(default_factory=tuple)


def judge_controls(verdict: Verdict, driven: Driven, expectations: Expectations) -> bool:
    """Whether the check could have seen a defect: its own actions are in the log, and all the paths were taken."""
    seen = verdict.control(
        "the check's own actions are in the log",
        bool(driven.matching.entries),
        expected=f"an entry for each of {len(driven.actions)} actions",
        observed=f"{len(driven.matching.entries)} entries",
        reason_code="control-not-seen",
        action="Set path to the log of the gateway that base_url leads to; with several gateways set sidecar_gateway_local_url per host.",
    )
    chats = [action for action in driven.actions if action.name == "chat.create"]
    attached = [action for action in chats if action.trace_id]
    verdict.control(
        "an attached chat is answered with a trace id",
        bool(attached),
        expected="200 and x-trace-id",
        observed=[str(action) for action in chats if "attached" in action.label],
        reason_code="chat-refused",
        action="Check the gateway and its upstream: until chats are answered, what is logged of them cannot be judged.",
    )
    rejected = [action.status for action in chats if 400 <= action.status < 500 and action.status not in (401, 403, 429)]
    verdict.control(
        "a wrong request is rejected, so that the error path was taken",
        bool(rejected),
        expected="a 4xx answer",
        observed=[str(action) for action in chats],
        reason_code="error-path-not-seen",
        action="Answer a chat whose messages are no list with 400.",
    )
    if expectations.enforced:
        denied = [action.status for action in driven.actions if action.status in (401, 403)]
        verdict.control(
            "an unauthorised request is denied, so that the path of denials was taken",
            bool(denied),
            expected="401 or 403",
            observed=sorted({action.status for action in driven.actions}),
            reason_code="denial-not-seen",
            action="Check that the gateway enforces tokens, or set sidecar_auth_mode to none.",
        )
    return seen


def judge_form(verdict: Verdict, audit: Findings, expectations: Expectations) -> None:
    """Every line an entry, every entry complete, in order, and nobody else's to read."""
    verdict.expect(
        "every line is a JSON object in UTF-8",
        not audit.not_json,
        expected="JSON Lines",
        observed=audit.not_json.told() or f"{audit.lines} lines",
        reason=f"a line is no JSON object: {audit.not_json.first()}",
        reason_code="audit-not-json",
        action="Write an entry in one write of one line; escape what is in it with a JSON library.",
    )
    if audit.fresh_lines:
        verdict.expect(
            "every new entry has the fields of the contract",
            not audit.fields,
            expected=", ".join(FIELDS),
            observed=audit.fields.told() or f"{audit.fresh_lines} entries",
            reason=f"an entry lacks a field of the contract: {audit.fields.first()}",
            reason_code="audit-field-missing",
            action="Write all fields in every entry; those without a value as null, where the contract lets them.",
        )
        verdict.expect(
            "new entries are in the order of their time",
            not audit.backwards,
            expected=f"within {expectations.tolerance.total_seconds():g} s",
            observed=audit.backwards.told() or "in order",
            reason=f"an entry is older than one before it: {audit.backwards.first()}",
            reason_code="audit-ts-not-monotone",
            action="Take the time when the entry is written, from a clock that is synchronised.",
        )
    verdict.expect(
        "the log is closed to other users of its host",
        not expectations.open_modes,
        expected="no permission for others",
        observed=list(expectations.open_modes) or "none",
        reason_code="audit-world-readable",
        action="Create the log with mode 0600 or 0640, also after rotation.",
    )


def judge_entries(verdict: Verdict, driven: Driven, expectations: Expectations) -> None:
    """Every action of the check has its entry, and the entry says what happened."""
    wrong = [_wrong_tenant(action, entry) for action, entry in driven.recorded() if _other_tenant(action, entry)]
    verdict.expect(
        "entries name the tenant of the token",
        not wrong,
        expected="the tenant whose token was sent",
        observed=_told(wrong) or "as sent",
        reason=f"an entry does not name the tenant of the token: {_first(wrong)}",
        reason_code="audit-tenant-mismatch",
        action="Take the tenant of an entry from the token that was authenticated.",
    )
    foreign = [f"{action}: another than {action.subject}" for action, entry in driven.recorded() if _other_subject(action, entry)]
    verdict.expect(
        "entries name the subject of the token",
        not foreign,
        expected="the subject that sidecar_tokens names",
        observed=_told(foreign) or "as sent",
        reason=f"an entry does not name the subject of the token: {_first(foreign)}",
        reason_code="audit-subject-mismatch",
        action="Take the subject of an entry from the token that was authenticated, or correct sidecar_tokens.",
    )
    missing = driven.matching.missing(driven.actions)
    if missing and driven.lost:
        verdict.inconclusive(
            "rotation-lost",
            "the log was truncated during the check and no copy of it was found, so entries may have been there",
            "Keep a rotated copy beside the log for as long as a check takes, or rotate by renaming.",
        )
    else:
        verdict.expect(
            "every action of the check has its entry",
            not missing,
            expected=f"{len(driven.actions)} entries",
            observed=_told(map(str, missing)) or f"{len(driven.actions)} entries",
            reason=f"no entry was written for {_first(map(str, missing))}",
            reason_code="audit-entry-missing",
            action="Audit the action named, whatever its outcome. With several gateways set sidecar_gateway_local_url per host.",
        )
    verdict.expect(
        "no action has a second entry",
        not driven.matching.duplicates,
        expected="one entry an action",
        observed=_told(f"{entry.action}, byte {entry.offset}" for entry in driven.matching.duplicates) or "one each",
        reason_code="audit-entry-duplicate",
        action="Write the entry where the answer is sent, once.",
    )
    untold = [f"{a}: {_shown(e.outcome)}" for a, e in driven.recorded() if not expectations.outcomes.tells(e.outcome or "", a.status)]
    verdict.expect(
        "entries tell the outcome that was answered",
        not untold,
        expected="denied for 401 and 403, allowed for 2xx, neither for other errors",
        observed=_told(untold) or "as answered",
        reason=f"an entry tells another outcome than was answered: {_first(untold)}",
        reason_code="audit-outcome-wrong",
        action="Write the entry after the answer is known. Where outcomes are named otherwise, set allowed_outcomes and denied_outcomes.",
    )
    bare = [str(a) for a, e in driven.recorded() if a.name == "chat.create" and a.status < 300 and not e.snippet]
    verdict.expect(
        "entries of answered chats quote the prompt",
        not bare,
        expected="a snippet",
        observed=_told(bare) or "a snippet each",
        reason=f"an entry has no snippet: {_first(bare)}",
        reason_code="snippet-missing",
        action="Write the scrubbed beginning of the prompt into the snippet: scrubbed is not emptied.",
    )
    _judge_clock(verdict, driven, expectations.tolerance)


def _judge_clock(verdict: Verdict, driven: Driven, tolerance: timedelta) -> None:
    moments = [entry.moment for _action, entry in driven.recorded()]
    off = [m for m in moments if m and not driven.began - tolerance <= m <= driven.ended + tolerance]
    verdict.expect(
        "entries tell the time at which they were written",
        not off,
        expected=f"{driven.began:%H:%M:%S} to {driven.ended:%H:%M:%S} UTC, give or take {tolerance.total_seconds():g} s",
        observed=_told(moment.isoformat() for moment in off) or "within",
        reason_code="audit-ts-wrong",
        action="Write UTC, and synchronise the clock of the gateway's host; or raise clock_skew.",
    )


def _wrong_tenant(action: Action, entry: Entry) -> str:
    return f"{action}: {_shown(entry.tenant_id)}, expected {action.tenant_id}"


def _other_tenant(action: Action, entry: Entry) -> bool:
    return action.tenant_id not in ("", entry.tenant_id) and not _lacks("tenant_id", entry.tenant_id, action, entry)


def _other_subject(action: Action, entry: Entry) -> bool:
    same_tenant = action.tenant_id == entry.tenant_id
    return same_tenant and action.subject not in ("", entry.subject) and not _lacks("subject", entry.subject, action, entry)


def _lacks(name: str, value: str | None, action: Action, entry: Entry) -> bool:
    """Whether the entry lacks a field that it must have, which is said of it already."""
    return name in entry.absent or (value is None and kind_of(action.status) == ALLOWED)


def _told(items: Iterable[str]) -> list[str]:
    """Each once, in order."""
    return list(dict.fromkeys(items))


def _first(items: Iterable[str]) -> str:
    """The first in one line, and how many more."""
    told = _told(items)
    return f"{told[0]} and {len(told) - 1} more" if len(told) > 1 else "".join(told)


def _shown(value: str | None) -> str:
    """A value from the log for a reader, if it is a plain name; anything else might be what must not be shown."""
    return value if value and _PLAIN.fullmatch(value) else "(no plain name)" if value else "null"
