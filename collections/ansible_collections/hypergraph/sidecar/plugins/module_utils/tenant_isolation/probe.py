# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk over all ordered pairs of tenants: what is asked, in which order, and what is left behind (traces; no webhooks)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import permutations
from typing import Any

from ..connection import Token
from ..examination import Examination
from ..faults import CheckError, CheckInconclusive
from ..http_client import Answer
from ..traces import cancel_would_show, read_status, status_path, wait_for_end
from . import judgement
from .judgement import ForeignCancel, ForeignDelete, LabelledChat, OwnerView, Pair
from .looks import (
    GRAPH,
    PLAIN,
    STATUS,
    TENANT_HEADER,
    TRACES,
    WEBHOOKS,
    Look,
    Outcome,
    Surface,
    Target,
    canary_places,
    disguises,
    look,
    outcome,
)
from .parties import Party, Webhook

_CANCEL_TRIES = 3


def examine(run: Examination) -> None:
    """Let every tenant try what every other owns. Traces first, webhooks last, so that no trace of the probe sets off a delivery."""
    if not run.has_tokens("traces:write", "traces:read", tenants=2) or not run.may_submit():
        return
    walk = Walk(run, [_party(run, token) for token in _tokens(run)])
    run.verdict.examine("tenants", len(walk.parties))
    walk.settle()
    for owner, intruder in permutations(walk.parties, 2):
        walk.traces(owner, intruder)
    for owner, intruder in permutations(walk.parties, 2):
        walk.webhooks(owner, intruder)
    walk.canaries()
    run.verdict.record(answers=walk.statuses, traces={party.tenant: party.trace_id for party in walk.parties})


class Walk:
    """One run over the parties; judges each pair as soon as it has been asked, so that a later fault takes nothing back."""

    def __init__(self, run: Examination, parties: list[Party]) -> None:
        self._run = run
        self.parties = parties
        self.statuses: dict[str, Any] = {}
        self._exposed: list[Answer] = []
        self._traces_end = True

    def settle(self) -> None:
        """Give each party a finished trace, and learn what the service calls its tenant.

        A graph is asked for only when it is there: before, 409 would answer for everyone. Raises CheckError where two tokens turn out to be
        of one tenant.
        """
        for party in self.parties:
            party.trace_id = party.submit("sentence")
        for party in self.parties:
            told = self._wait(party, party.trace_id)[0].get("tenant_id")
            self._run.verdict.control(
                f"the service files the trace of token {party.token.name} under its tenant",
                told == party.tenant,
                expected=party.tenant,
                observed=told,
                reason_code="token-tenant-mismatch",
                action=f"Correct tenant_id of {party.token.name} in sidecar_tokens, or find out why the service knows the token otherwise.",
            )
            party.tenant = str(told or party.tenant)
        if len({party.tenant for party in self.parties}) < len(self.parties):
            raise CheckError(
                "tenants-not-distinct",
                f"the service knows the tokens {', '.join(party.token.name for party in self.parties)} as one tenant",
                "Give sidecar_tokens tokens of two tenants; a service with AUTH_MODE=none tells none apart.",
            )

    def traces(self, owner: Party, intruder: Party) -> None:
        """Everything about traces that ``intruder`` may try on ``owner``'s."""
        pair = Pair(owner.tenant, intruder.tenant)
        canceled = self._try_cancel(owner, intruder)
        labelled = owner.submit_labelled(intruder.tenant)
        target = Target(frozenset([owner.trace_id]), tuple(owner.marks))
        surfaces = (STATUS, GRAPH, TRACES)
        before = {surface: owner.ask("GET", _place(surface, owner)) for surface in surfaces}
        looks = [found for surface in surfaces for found in self._looks(surface, target, owner, intruder)]
        after = {surface: owner.ask("GET", _place(surface, owner)) for surface in surfaces}
        judgement.judge_looks(
            self._run.verdict,
            pair,
            "traces",
            looks,
            {surface: _view(before[surface], after[surface], _shows_trace(surface, owner)) for surface in surfaces},
        )
        cancel = self._outcome_of(canceled, owner)
        judgement.judge_cancel(self._run.verdict, pair, cancel)
        judgement.judge_labelled_chat(self._run.verdict, pair, _read_back(owner, intruder.tenant, labelled))
        self._keep(pair, looks, cancel=cancel.answer.status)
        self._note_exposed(looks, cancel)

    def webhooks(self, owner: Party, intruder: Party) -> None:
        """Everything about webhooks that ``intruder`` may try on ``owner``'s."""
        pair = Pair(owner.tenant, intruder.tenant)
        with owner.webhook() as hook:
            target = Target(frozenset([hook.id]), tuple(owner.marks))
            shows = _shows_webhook(hook)
            before = owner.ask("GET", WEBHOOKS.path)
            looks = list(self._looks(WEBHOOKS, target, owner, intruder))
            after = owner.ask("GET", WEBHOOKS.path)
            judgement.judge_looks(self._run.verdict, pair, "webhooks", looks, {WEBHOOKS: _view(before, after, shows)})
            answer = intruder.ask("DELETE", f"/v1/webhooks/{hook.id}")
            delete = ForeignDelete(answer, outcome(answer), shows(after), shows(owner.ask("GET", WEBHOOKS.path)))
            judgement.judge_delete(self._run.verdict, pair, delete)
        self._keep(pair, looks, delete=answer.status)
        self._note_exposed(looks, delete)

    def canaries(self) -> None:
        """Search what every party heard for what the others planted."""
        for owner in self.parties:
            seen = canary_places(owner.heard, owner.marks)
            self._run.verdict.control(
                f"{owner.tenant} is shown canaries of its own",
                bool(seen),
                expected="at least one answer that carries one",
                observed=list(dict.fromkeys(seen)) or "none",
                reason_code="canary-not-seen",
                action="Find out why an owner is shown neither its webhook nor its text: a search that cannot find proves nothing.",
            )
        for owner, intruder in permutations(self.parties, 2):
            pair = Pair(owner.tenant, intruder.tenant)
            judgement.judge_canaries(self._run.verdict, pair, intruder.heard, self._exposed, owner.marks)

    def _looks(self, surface: Surface, target: Target, owner: Party, intruder: Party) -> Iterator[Look]:
        for disguise in (PLAIN, *disguises(owner.tenant)):
            answer = intruder.ask("GET", disguise.applied_to(_place(surface, owner)), headers=disguise.headers)
            yield look(surface, disguise, answer, target, intruder.tenant)

    def _try_cancel(self, owner: Party, intruder: Party) -> tuple[str, Answer, str]:
        """Cancel a moving trace as a stranger: its id, the answer, and its state right after.

        One that ends before it can be seen moving is tried again with another.
        """
        for _again in range(_CANCEL_TRIES):
            trace_id = owner.submit("token")
            answer = intruder.ask("POST", f"/v1/traces/{trace_id}/cancel")
            state = str(read_status(owner.client, owner.token, trace_id)[1].get("state"))
            if cancel_would_show(state) or outcome(answer) is Outcome.EXPOSED:
                break
        return trace_id, answer, state

    def _outcome_of(self, canceled: tuple[str, Answer, str], owner: Party) -> ForeignCancel:
        """Wait for what became of the trace, and see that its owner is let through to cancel it."""
        trace_id, answer, state = canceled
        last = self._wait(owner, trace_id)[-1]
        own = owner.ask("POST", f"/v1/traces/{trace_id}/cancel")
        return ForeignCancel(answer, outcome(answer), state, str(last.get("state")), own.status)

    def _wait(self, party: Party, trace_id: str) -> list[Mapping[str, Any]]:
        """The statuses of a trace, from now to its end. Where one did not end in time, the others are not waited for."""
        seen: list[Mapping[str, Any]] = []
        within = float(self._run.params["trace_deadline"]) if self._traces_end else 0.0
        try:
            wait_for_end(party.client, party.token, trace_id, within=within, observe=seen.append)
        except CheckInconclusive as fault:
            if self._traces_end:
                self._run.verdict.inconclusive(fault.reason_code, f"{party.tenant}: {fault.reason}", fault.action)
            self._traces_end = False
        return seen

    def _keep(self, pair: Pair, looks: list[Look], **others: int) -> None:
        kept = self.statuses.setdefault(f"{pair.intruder} asking for {pair.owner}'s", {})
        for found in looks:
            kept.setdefault(found.surface.path.split("?")[0], {})[found.disguise.name or "plain"] = found.answer.status
        kept.update(others)
        self._run.verdict.examine("foreign requests", len(looks) + len(others))

    def _note_exposed(self, looks: list[Look], act: ForeignCancel | ForeignDelete) -> None:
        self._exposed += [found.answer for found in looks if found.outcome is Outcome.EXPOSED]
        if act.outcome is Outcome.EXPOSED:
            self._exposed.append(act.answer)


def _tokens(run: Examination) -> list[Token]:
    """The first token of each tenant that may read and write."""
    able = [token for token in run.connection.tokens if token.has("traces:write", "traces:read")]
    return list({token.tenant_id: token for token in reversed(able)}.values())[::-1]


def _party(run: Examination, token: Token) -> Party:
    if not (token.tenant_id.isascii() and token.tenant_id.isprintable()):
        raise CheckError(
            "bad-tenant",
            f"token {token.name!r}: its tenant_id {token.tenant_id!r} has characters that the header {TENANT_HEADER} cannot carry",
            "Correct sidecar_tokens in the environment's inventory.",
        )
    return Party(token, run.client, str(run.params["model"]), run.verdict)


def _place(surface: Surface, owner: Party) -> str:
    return surface.path.format(trace_id=owner.trace_id)


def _view(before: Answer, after: Answer, shows: Callable[[Answer], bool]) -> OwnerView:
    return OwnerView(before.status, after.status, shows(before) and shows(after))


def _shows_trace(surface: Surface, owner: Party) -> Callable[[Answer], bool]:
    """How an answer of the surface shows the owner its trace."""

    def shows(answer: Answer) -> bool:
        if surface.listing:
            return any(row.get("trace_id") == owner.trace_id for row in answer.rows() or ())
        return answer.status == 200 and (surface is GRAPH or _status(answer).get("trace_id") == owner.trace_id)

    return shows


def _shows_webhook(hook: Webhook) -> Callable[[Answer], bool]:
    return lambda answer: any(str(row.get("id")) == hook.id for row in answer.rows() or ())


def _status(answer: Answer) -> Mapping[str, Any]:
    """The trace status an answer holds; empty where it holds none."""
    document = answer.json() if answer.status == 200 else None
    return document if isinstance(document, dict) else {}


def _read_back(owner: Party, label: str, chat: Answer) -> LabelledChat:
    """What became of a chat under a foreign label: read without the label, and an unlabelled trace read with it."""
    trace_id = chat.headers.get("x-trace-id", "")
    if chat.status != 200 or not trace_id:
        return LabelledChat(chat.status)
    own = owner.ask("GET", status_path(trace_id))
    relabelled = owner.ask("GET", status_path(owner.trace_id), headers={TENANT_HEADER: label})
    tenant = _status(own).get("tenant_id")
    return LabelledChat(
        chat.status,
        None if tenant is None else str(tenant),
        {"the trace it sent so": own.status, f"its trace read with {TENANT_HEADER}: {label}": relabelled.status},
    )
