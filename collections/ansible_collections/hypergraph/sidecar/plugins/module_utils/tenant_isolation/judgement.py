# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging what one tenant saw and did of another's: pure, from observations to records of the verdict.

A refusal counts only where the owner is shown the same object before and after, and the intruder is served the same route for its own:
else a broken route would look well guarded. Root causes come first, and what follows from one is not told again under another name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..http_client import Answer
from ..traces import cancel_would_show
from ..verdict import Verdict
from .looks import PLAIN, TENANT_HEADER, Look, Outcome, Surface, canary_places, few


@dataclass(frozen=True)
class Pair:
    """Who owns and who intrudes, by tenant."""

    owner: str
    intruder: str


@dataclass(frozen=True)
class OwnerView:
    """What an owner was shown of its own object, before and after somebody else asked for it; ``before`` and ``after`` are statuses."""

    before: int
    after: int
    shown: bool

    @property
    def observed(self) -> str:
        """Both statuses, and whether the object itself was there."""
        return f"{self.before} and {self.after}" + ("" if self.shown else ", without the object")


@dataclass(frozen=True)
class ForeignCancel:
    """A cancel of another tenant's trace: its answer, the state right after, the state at the end, and the answer to the owner's own."""

    answer: Answer
    outcome: Outcome
    state_after: str
    final_state: str
    owner_status: int

    @property
    def timely(self) -> bool:
        """Whether the trace was still moving, so that a cancel could act: states go only forward."""
        return cancel_would_show(self.state_after)


@dataclass(frozen=True)
class LabelledChat:
    """What became of a chat that an owner sent under another tenant's label; ``readable`` maps its own reads to their statuses."""

    status: int
    recorded_tenant: str | None = None
    readable: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ForeignDelete:
    """A delete of another tenant's webhook, and whether the owner still had it before and after."""

    answer: Answer
    outcome: Outcome
    before: bool
    after: bool


def judge_looks(verdict: Verdict, pair: Pair, things: str, looks: Sequence[Look], views: Mapping[Surface, OwnerView]) -> None:
    """One control a surface and one assertion for each that was asked for plainly; then one assertion a disguise, over all surfaces.

    ``things`` says in the plural what the surfaces show.
    """
    for surface, view in views.items():
        verdict.control(
            f"{pair.owner} is shown {surface.name.format(owner=pair.owner)}, before and after {pair.intruder} asks",
            view.shown,
            expected="200 with the object, twice",
            observed=view.observed,
            reason_code="owner-not-shown",
            action="Make the route work for the owner first: until then a refusal to others proves nothing.",
        )
    for look in looks:
        if look.disguise == PLAIN:
            _judge_plain(verdict, pair, look, proven=views[look.surface].shown)
    guarded = {look.surface for look in looks if look.disguise == PLAIN and look.outcome is Outcome.REFUSED}
    for disguise in dict.fromkeys(look.disguise for look in looks if look.disguise != PLAIN):
        _judge_disguised(verdict, pair, things, [look for look in looks if look.disguise == disguise and look.surface in guarded], views)


def _judge_plain(verdict: Verdict, pair: Pair, look: Look, proven: bool) -> None:
    what = look.surface.name.format(owner=pair.owner)
    if look.outcome is Outcome.UNCLEAR:
        _unclear(verdict, f"{pair.intruder} asking for {what}", look.answer.status)
    elif look.outcome is Outcome.REVEALED:
        _revealed(verdict, f"{pair.intruder} asking for {what}", look.answer.status)
    elif look.outcome is Outcome.EXPOSED or proven:
        verdict.expect(
            f"{pair.intruder} is not shown {what}",
            look.outcome is Outcome.REFUSED,
            expected=f"rows of {pair.intruder} only" if look.surface.listing else "403 or 404",
            observed=look.observed,
            reason_code=look.surface.reason_code,
            reason=f"{pair.intruder} was shown {what}: {look.observed}",
            action="Look objects up by tenant and id together, with the tenant taken from the token.",
        )


def _judge_disguised(verdict: Verdict, pair: Pair, things: str, looks: Sequence[Look], views: Mapping[Surface, OwnerView]) -> None:
    """What a claim opens that is closed without it; a surface that is open anyway says nothing about the claim."""
    opened = [look for look in looks if look.outcome in (Outcome.EXPOSED, Outcome.REVEALED)]
    for look in looks:
        if look.outcome is Outcome.UNCLEAR:
            _unclear(verdict, f"{pair.intruder} asking with {look.disguise.name} for {_what(look, pair)}", look.answer.status)
    closed = [look for look in looks if look.outcome is Outcome.REFUSED and views[look.surface].shown]
    if opened or closed:
        disguise = (opened or closed)[0].disguise
        verdict.expect(
            f"{pair.intruder} is shown none of {pair.owner}'s {things} by sending {disguise.name}",
            not opened,
            expected="the same refusal as without it",
            observed=[f"{_what(look, pair)}: {look.observed}" for look in opened] or "refused",
            reason_code=disguise.reason_code,
            reason=f"{pair.intruder} was shown {few([_what(look, pair) for look in opened])} by sending {disguise.name}",
            action="Take the tenant from the token alone; what a request claims is a label.",
        )


def _what(look: Look, pair: Pair) -> str:
    return look.surface.name.format(owner=pair.owner)


def judge_labelled_chat(verdict: Verdict, pair: Pair, chat: LabelledChat) -> None:
    """A label of another tenant on an owner's own requests must change nothing: not where a trace is filed, nor what is shown."""
    answered = {"the chat": chat.status, **chat.readable}
    for what, status in answered.items():
        if status == 429 or status >= 500:
            _unclear(verdict, f"{pair.owner} sending {TENANT_HEADER}: {pair.intruder}, {what}", status)
            return
    wrong = [f"{what}: {status}" for what, status in answered.items() if status != 200]
    if chat.recorded_tenant not in (None, pair.owner):
        wrong.insert(0, f"filed under {chat.recorded_tenant}")
    elif chat.status == 200 and not chat.readable:
        wrong.append("the chat: 200 without x-trace-id")
    if not wrong and chat.recorded_tenant is None:
        verdict.inconclusive(
            "tenant-not-told",
            f"the status of {pair.owner}'s trace names no tenant_id, so where it is filed cannot be told",
            "Answer tenant_id in the trace status.",
        )
        return
    verdict.expect(
        f"{pair.owner} keeps its own when it sends {TENANT_HEADER}: {pair.intruder}",
        not wrong,
        expected=f"filed under {pair.owner} and shown to it",
        observed=wrong or f"filed under {pair.owner}",
        reason_code="header-overrides-tenant",
        reason=f"{pair.owner} sent {TENANT_HEADER}: {pair.intruder} and lost its own: {few(wrong)}",
        action=f"Take the tenant from the token alone; {TENANT_HEADER} is a label.",
    )


def judge_cancel(verdict: Verdict, pair: Pair, cancel: ForeignCancel) -> None:
    """A foreign cancel must be refused, and the trace must go on to its end."""
    effective = "canceled" in (cancel.state_after, cancel.final_state)
    exposed = effective or cancel.outcome is Outcome.EXPOSED
    if not exposed and not _cancel_could_be_seen(verdict, pair, cancel):
        return
    verdict.expect(
        f"{pair.intruder} cannot cancel {pair.owner}'s trace",
        not exposed,
        expected="403 or 404, and the trace completes",
        observed=f"{cancel.answer.status}, and the trace ended {cancel.final_state}",
        reason_code="foreign-cancel-effective",
        reason=f"{pair.intruder} tried to cancel {pair.owner}'s trace: answered {cancel.answer.status}, it ended {cancel.final_state}",
        action="Look the trace up by tenant and id before acting on it.",
    )


def _cancel_could_be_seen(verdict: Verdict, pair: Pair, cancel: ForeignCancel) -> bool:
    """Record what keeps a cancel without visible effect from counting as refused; whether nothing does."""
    timely = verdict.control(
        f"{pair.owner}'s trace was still moving when {pair.intruder} tried to cancel it",
        cancel.timely,
        expected="queued or running right after the attempt",
        observed=cancel.state_after,
        reason_code="cancel-too-late",
        action="Run the probe while explanations take longer: a finished trace cannot show whether a cancel acts.",
    )
    let_through = verdict.control(
        f"{pair.owner} is let through to cancel the same trace",
        200 <= cancel.owner_status < 300 or cancel.owner_status == 409,
        expected="2xx, or 409 since it has ended",
        observed=cancel.owner_status,
        reason_code="owner-not-shown",
        action="Make cancel work for the owner first: until then a refusal to others proves nothing.",
    )
    what = f"{pair.intruder} cancelling {pair.owner}'s trace"
    if cancel.outcome is Outcome.UNCLEAR:
        _unclear(verdict, what, cancel.answer.status)
    elif cancel.outcome is Outcome.REVEALED:
        _revealed(verdict, what, cancel.answer.status)
    elif timely and cancel.final_state != "complete":
        verdict.inconclusive(
            "cancel-target-lost",
            f"{pair.owner}'s trace ended {cancel.final_state}, so whether {pair.intruder}'s cancel acted cannot be told",
            "Make explanations complete first.",
        )
    return timely and let_through and cancel.outcome is Outcome.REFUSED and cancel.final_state == "complete"


def judge_delete(verdict: Verdict, pair: Pair, delete: ForeignDelete) -> None:
    """A foreign delete must be refused, and the webhook must stay."""
    what = f"{pair.intruder} deleting {pair.owner}'s webhook"
    gone = delete.before and not delete.after
    if not gone and delete.outcome is Outcome.UNCLEAR:
        _unclear(verdict, what, delete.answer.status)
    elif not gone and delete.outcome is Outcome.REVEALED:
        _revealed(verdict, what, delete.answer.status)
    elif gone or delete.outcome is Outcome.EXPOSED or delete.before:
        verdict.expect(
            f"{pair.intruder} cannot delete {pair.owner}'s webhook",
            not gone and delete.outcome is Outcome.REFUSED,
            expected="403 or 404, and the webhook stays",
            observed=f"{delete.answer.status}, and the webhook {'is gone' if gone else 'stayed'}",
            reason_code="foreign-webhook-deleted",
            reason=f"{pair.intruder} tried to delete {pair.owner}'s webhook: answered {delete.answer.status}"
            f", it {'is gone' if gone else 'stayed'}",
            action="Look the webhook up by tenant and id before acting on it.",
        )


def judge_canaries(verdict: Verdict, pair: Pair, heard: Iterable[Answer], exposed: Iterable[Answer], marks: Sequence[str]) -> None:
    """No answer to the intruder carries a canary of the owner. Answers that are exposed already are counted where they were judged."""
    known = {id(answer) for answer in exposed}
    searched = [answer for answer in heard if id(answer) not in known]
    places = canary_places(searched, marks)
    verdict.examine("answers searched for canaries", len(searched))
    verdict.expect(
        f"no {'other ' if known else ''}answer to {pair.intruder} carries a canary of {pair.owner}'s",
        not places,
        expected="none",
        observed=list(dict.fromkeys(places)) or "none",
        reason_code="canary-leaked",
        reason=f"{pair.owner}'s canary is in what {pair.intruder} was answered: {few(places)}",
        action="Keep foreign content out of error texts, headers and shared caches.",
    )


def _unclear(verdict: Verdict, what: str, status: int) -> None:
    verdict.inconclusive(
        "deny-unexplained",
        f"{what}: answered {status}, which neither serves nor refuses",
        "Answer 403 or 404 to a request for what another tenant owns.",
    )


def _revealed(verdict: Verdict, what: str, status: int) -> None:
    verdict.expect(
        f"{what} learns nothing of its state",
        False,
        expected="403 or 404",
        observed=status,
        reason_code="foreign-state-revealed",
        action="Look objects up by tenant and id together, before their state is consulted.",
    )
