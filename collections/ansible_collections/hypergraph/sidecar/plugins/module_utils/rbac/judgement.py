# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers of the matrix mean for the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..connection import Token
from ..faults import CheckError, CheckInconclusive
from ..verdict import Verdict
from .contract import ANONYMOUS, MISSING_SCOPE, UNKNOWN, Caller, Route
from .matrix import Cell, Matrix

_CLOSE = {
    ANONYMOUS: "Ask for a token on this route (AUTH_MODE=static).",
    UNKNOWN: "Refuse tokens that AUTH_TOKENS_JSON does not list.",
    MISSING_SCOPE: "Ask for the scope {scope} on this route.",
}
_AGREED_IN = {ANONYMOUS: "unauthenticated_status", UNKNOWN: "unknown_token_status", MISSING_SCOPE: "missing_scope_status"}
_REFUSALS = (401, 403)


def judge_cells(verdict: Verdict, matrix: Matrix, refusals: Mapping[str, list[int]]) -> None:
    """One assertion a cell, and per route the control that somebody was let through. ``refusals``: the statuses agreed for each deny."""
    asked = matrix.cells
    for cell in asked:
        if cell.rightful:
            _judge_allow(verdict, cell)
        else:
            _judge_deny(verdict, cell, refusals[cell.caller.denied_as])
    verdict.examine("routes", len({cell.route.name for cell in asked}))
    verdict.examine("callers", len({cell.caller.name for cell in asked}))
    verdict.examine("cells", len(asked))
    for route in dict.fromkeys(cell.route.name for cell in asked):
        let_through = [cell.caller.name for cell in asked if cell.route.name == route and cell.allowed and cell.caller.known]
        verdict.control(
            f"{route} lets somebody through",
            bool(let_through),
            expected="an authorised caller",
            observed=", ".join(let_through) or "nobody",
            reason_code="allow-not-seen",
            action="Give sidecar_tokens a token that carries the route's scope.",
        )
    bare = [cell.name for cell in asked if cell.status in _REFUSALS and not cell.shaped]
    verdict.expect(
        "a deny carries an OpenAI error body",
        not bare,
        expected='{"error": {"message", "type", ...}}',
        observed=bare,
        reason_code="error-shape",
        action="Answer denies in the error shape that OpenAI clients parse.",
    )
    for unanswered in matrix.unanswered:
        fault, cells = unanswered.fault, unanswered.cells
        record = verdict.inconclusive if isinstance(fault, CheckInconclusive) else verdict.error
        record(fault.reason_code, f"{fault.reason}; not examined for it: {len(cells)} requests, such as {cells[0]}", fault.action)


def judge_effects(verdict: Verdict, matrix: Matrix) -> None:
    """One assertion on what denied writes left behind, and the controls that it would have been seen."""
    for what, listed in matrix.visible.items():
        verdict.control(
            f"{what} is listed",
            listed,
            expected="in the list",
            observed="in the list" if listed else "not in it",
            reason_code="effect-not-visible",
            action="List what was made, so that reading back could find what a denied request left.",
        )
    verdict.control(
        "an authorised cancel is accepted",
        matrix.cancel_seen,
        expected="2xx",
        observed="2xx" if matrix.cancel_seen else "no 2xx",
        reason_code="cancel-not-seen",
        action="Give the cancel a trace it can reach before it ends; until then a denied one proves nothing.",
    )
    verdict.examine("denied writes read back", matrix.read_back)
    verdict.expect(
        "a denied request leaves nothing behind",
        not matrix.effects,
        expected="no side effect",
        observed=[f"{cell.name} ({cell.status})" for cell in matrix.effects],
        reason_code="deny-side-effect",
        action="Authorise before acting: move the scope check in front of the handler.",
    )
    if matrix.unclear:
        verdict.inconclusive(
            "effect-unclear",
            f"{matrix.unclear[0].name}: traces appear in the tenant without the probe's doing, too many to tell whose they are",
            "Give the probe a tenant of its own.",
        )


def judge_gaps(verdict: Verdict, columns: Iterable[Caller], routes: Iterable[Route]) -> None:
    """Say which scopes no known token lacks, so that nobody was refused for want of them."""
    known = [caller for caller in columns if caller.known]
    for scope in dict.fromkeys(route.scope for route in routes if route.scope):
        if all(scope in caller.scopes for caller in known):
            verdict.skip(
                "dependency_missing",
                f"known tokens without {scope}, since every token given carries it",
                f"Give sidecar_tokens a token that lacks {scope}.",
            )


def judge_tokens(verdict: Verdict, tokens: Iterable[Token], absent: Iterable[str], owned: Mapping[str, Token]) -> None:
    """Say which tokens have no column."""
    unowned = [token for token in tokens if token.tenant_id not in owned]
    if unowned:
        verdict.skip(
            "dependency_missing",
            f"{', '.join(f'{token.name} of {token.tenant_id}' for token in unowned)}, since no token of the tenant can make "
            "what it would be tried on",
            "Give sidecar_tokens a token with traces:write and traces:read of the same tenant.",
        )
    empty = tuple(absent)
    if empty:
        verdict.skip(
            "dependency_missing",
            f"{', '.join(empty)}, since the token is empty",
            "Give sidecar_tokens their values, from vault or from the environment variables the inventory names.",
        )


def _judge_allow(verdict: Verdict, cell: Cell) -> None:
    if cell.allowed or cell.status in _REFUSALS:
        verdict.expect(
            cell.name,
            cell.allowed,
            expected="let through",
            observed=cell.status,
            reason_code="authorised-refused",
            action=f"Grant {cell.route.scope or 'any known token'} this route, or correct the scopes in sidecar_tokens.",
        )
    else:
        verdict.inconclusive(
            "allow-unexplained",
            f"{cell.name}: answered {cell.status} where it should be let through",
            "Make the route work first; until then its denies prove nothing.",
        )


def _judge_deny(verdict: Verdict, cell: Cell, agreed: list[int]) -> None:
    if not cell.allowed and cell.status not in (*_REFUSALS, *agreed):
        verdict.inconclusive(
            "deny-unexplained",
            f"{cell.name}: answered {cell.status}, which neither lets it through nor refuses it",
            "Answer 401 or 403 before anything else looks at the request.",
        )
        return
    kind = cell.caller.denied_as
    mend = f"Answer {' or '.join(map(str, agreed))}, or allow {cell.status} in {_AGREED_IN[kind]}."
    verdict.expect(
        cell.name,
        not cell.allowed and cell.status in agreed,
        expected=" or ".join(map(str, agreed)),
        observed=cell.status,
        reason_code=f"{kind}-allowed" if cell.allowed else f"{kind}-wrong-status",
        action=_CLOSE[kind].format(scope=cell.route.scope) if cell.allowed else mend,
    )


def refusals_in(params: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """The statuses agreed for each kind of deny. Raises CheckError for one that cannot be a refusal."""
    for argument in _AGREED_IN.values():
        strange = [status for status in params[argument] if not 400 <= status < 500 or status == 409]
        if strange or not params[argument]:
            reason = f"{argument} is {params[argument]}, expected statuses from 400 to 499 other than 409"
            raise CheckError("bad-argument", reason, f"Set {argument} to the statuses that refuse.")
    return {kind: list(params[argument]) for kind, argument in _AGREED_IN.items()}
