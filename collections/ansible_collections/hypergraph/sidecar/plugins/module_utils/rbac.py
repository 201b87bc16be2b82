# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gateway_rbac: the scope matrix. Every route is asked without token, with an unknown one, and with each token of the environment.

A deny counts only beside an allow of the same request, else a broken route would look well guarded; and it must leave nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .connection import Token
from .examination import Examination
from .faults import CheckError
from .http import Answer
from .traces import attach_headers, canary, chat_body, submit, wait_for_end

UNAUTHENTICATED = "no token"
UNKNOWN = "unknown token"


@dataclass(frozen=True)
class Route:
    """A row of the matrix. ``effect`` says what a success would leave behind, and so what a deny must not."""

    method: str
    path: str
    scope: str = ""
    effect: str = ""
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How a reader knows the route."""
        return f"{self.method} {self.path}" + (" (attached)" if self.headers else "")

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Route:
        """A further read-only route from the module's ``routes`` argument."""
        return cls(params["method"], params["path"], params["scope"] or "", body=params["body"])


def contract_routes(model: str) -> tuple[Route, ...]:
    """The routes of the API contract with the scope each asks for; an empty scope means any known token."""
    hello = chat_body("Name one property of a hypergraph. It has edges of any size.", model)
    return (
        Route("GET", "/v1/models"),
        Route("GET", "/v1/traces", "traces:read"),
        Route("GET", "/v1/traces/{trace_id}/status", "traces:read"),
        Route("GET", "/v1/traces/{trace_id}/graph", "traces:read"),
        Route("GET", "/v1/webhooks", "traces:read"),
        Route("GET", "/v1/openapi.json"),
        Route("POST", "/v1/chat/completions", "", body=hello),
        Route("POST", "/v1/chat/completions", "traces:write", "trace", hello, attach_headers()),
        Route("POST", "/v1/traces/{trace_id}/cancel", "traces:write", "cancel"),
        Route("POST", "/v1/webhooks", "traces:write", "webhook"),
        Route("DELETE", "/v1/webhooks/{webhook_id}", "traces:write", "webhook-gone"),
    )


@dataclass(frozen=True)
class Caller:
    """A column of the matrix."""

    name: str
    token: Token | str | None
    tenant_id: str
    scopes: frozenset[str] = frozenset()
    known: bool = False

    def may(self, route: Route) -> bool:
        """Whether the contract lets this caller through."""
        return self.known and (not route.scope or route.scope in self.scopes)


def callers(tokens: tuple[Token, ...]) -> tuple[Caller, ...]:
    """Nobody, a stranger, and each token. The first two are tried on the resources of the first token's tenant."""
    tenant = tokens[0].tenant_id
    return (
        Caller(UNAUTHENTICATED, None, tenant),
        Caller(UNKNOWN, canary("token"), tenant),
        *(Caller(token.name, token, token.tenant_id, token.scopes, known=True) for token in tokens),
    )


@dataclass(frozen=True)
class Cell:
    """One answer of the matrix."""

    route: Route
    caller: Caller
    status: int
    shaped: bool

    @property
    def allowed(self) -> bool:
        """Whether the gateway let the request through; 409 is the state of the resource speaking, behind the guard."""
        return 200 <= self.status < 300 or self.status == 409

    @property
    def denied(self) -> bool:
        """Whether authentication or authorisation refused it."""
        return self.status in (401, 403)


class Matrix:
    """Walks the matrix against a live gateway and leaves the environment as it was: what it registers it deletes."""

    def __init__(self, run: Examination, owners: Mapping[str, Token]) -> None:
        self._run = run
        self._client = run.client
        self._model = str(run.params["model"])
        self._owners = owners
        self._finished: dict[str, str] = {}
        self._pending: list[tuple[Cell, Token, str]] = []
        self.effects: list[Cell] = []
        self.effects_examined = 0
        self.cancel_seen = False

    def cell(self, route: Route, caller: Caller) -> Cell:
        """Ask once, and look for what a denied request may have left behind."""
        owner = self._owners[caller.tenant_id]
        place = self._place(route, owner)
        before = self._trace_ids(owner) if route.effect == "trace" and not caller.may(route) else frozenset()
        answer = self._client.request(
            route.method, route.path.format(**place), caller.token, json=self._body(route, place), headers=route.headers
        )
        cell = Cell(route, caller, answer.status, _openai_error(answer))
        if caller.may(route):
            self._after_allow(cell, owner, place, answer)
        elif route.effect:
            self.effects_examined += 1
            self._after_deny(cell, owner, place, before)
        return cell

    def settle(self) -> None:
        """Wait for the traces that denied cancels were aimed at; one that ends canceled was not protected."""
        for cell, owner, trace_id in self._pending:
            if wait_for_end(self._client, owner, trace_id, within=self._run.params["trace_deadline"])["state"] == "canceled":
                self.effects.append(cell)

    def _place(self, route: Route, owner: Token) -> dict[str, str]:
        place: dict[str, str] = {"marker": f"https://{canary('hook')}.invalid/"}
        if route.effect == "cancel":
            place["trace_id"] = self._submit(owner, "token")
        elif "{trace_id}" in route.path:
            place["trace_id"] = self._finished_trace(owner)
        if "{webhook_id}" in route.path:
            place["webhook_id"] = self._register(owner, place["marker"])
        return place

    def _body(self, route: Route, place: Mapping[str, str]) -> Any:
        return _hook(place["marker"]) if route.effect == "webhook" else route.body

    def _after_allow(self, cell: Cell, owner: Token, place: Mapping[str, str], answer: Answer) -> None:
        if cell.route.effect == "webhook" and cell.allowed:
            self._delete_marked(owner, place["marker"])
        if cell.route.effect == "webhook-gone" and not cell.allowed:
            self._delete_marked(owner, place["marker"])
        if cell.route.effect == "cancel" and 200 <= answer.status < 300:
            self.cancel_seen = True

    def _after_deny(self, cell: Cell, owner: Token, place: Mapping[str, str], before: frozenset[str]) -> None:
        effect = cell.route.effect
        if effect == "cancel":
            self._pending.append((cell, owner, place["trace_id"]))
        elif effect == "trace":
            if self._left_a_trace(cell, owner, before):
                self.effects.append(cell)
        elif self._delete_marked(owner, place["marker"]) != (effect == "webhook-gone"):
            self.effects.append(cell)

    def _left_a_trace(self, cell: Cell, owner: Token, before: frozenset[str]) -> bool:
        """Whether the tenant has a trace more. Other traffic of the tenant may add one too, so only three times in a row is an effect."""
        for _again in range(3):
            after = self._trace_ids(owner)
            if after <= before:
                return False
            before = after
            self._client.request(cell.route.method, cell.route.path, cell.caller.token, json=cell.route.body, headers=cell.route.headers)
        return not self._trace_ids(owner) <= before

    def _submit(self, owner: Token, granularity: str) -> str:
        prompt = "A hypergraph joins several nodes by one edge. An edge of two nodes is an ordinary one."
        return submit(self._client, owner, prompt, model=self._model, granularity=granularity).trace_id

    def _finished_trace(self, owner: Token) -> str:
        """A complete trace of the tenant, made once: its status and graph answer 200 to whoever may read them."""
        if owner.tenant_id not in self._finished:
            trace_id = self._submit(owner, "sentence")
            wait_for_end(self._client, owner, trace_id, within=self._run.params["trace_deadline"])
            self._finished[owner.tenant_id] = trace_id
        return self._finished[owner.tenant_id]

    def _trace_ids(self, owner: Token) -> frozenset[str]:
        return frozenset(str(row.get("trace_id")) for row in self._rows("/v1/traces", owner))

    def _register(self, owner: Token, marker: str) -> str:
        answer = self._client.post("/v1/webhooks", owner, json=_hook(marker))
        identity = answer.json().get("id") if 200 <= answer.status < 300 else None
        if not identity:
            raise CheckError(
                "webhook-refused",
                f"POST /v1/webhooks with token {owner.name!r} answered {answer.status} without an id",
                "Check that the token carries traces:write and that the answer names the webhook's id.",
            )
        return str(identity)

    def _delete_marked(self, owner: Token, marker: str) -> bool:
        """Delete the webhook registered for the marker; whether there was one."""
        marked = [row for row in self._rows("/v1/webhooks", owner) if row.get("url") == marker]
        for row in marked:
            self._client.request("DELETE", f"/v1/webhooks/{row['id']}", owner)
        return bool(marked)

    def _rows(self, path: str, owner: Token) -> Iterator[Mapping[str, Any]]:
        """The rows of a list answer, which is ``{"data": [...]}`` as OpenAI lists are."""
        answer = self._client.get(path, owner)
        listed = answer.json()
        rows = listed.get("data") if isinstance(listed, dict) else None
        if answer.status != 200 or not isinstance(rows, list):
            raise CheckError("list-unreadable", f"GET {path} answered {answer.status}, expected 200 with a data list", "Check the API.")
        return (row for row in rows if isinstance(row, dict))


def examine(run: Examination) -> None:
    """Walk the matrix and judge it."""
    if not run.has_tokens("traces:write", "traces:read") or not run.may_submit():
        return
    routes = (*contract_routes(str(run.params["model"])), *map(Route.from_params, run.params["routes"]))
    owners = _owners(run.connection.tokens)
    columns = [c for c in callers(run.connection.tokens) if c.tenant_id in owners]
    run.verdict.redactor.learn(str(c.token) for c in columns if isinstance(c.token, str))
    matrix = Matrix(run, owners)
    cells = [matrix.cell(route, caller) for route in routes for caller in columns]
    matrix.settle()
    run.verdict.examine("routes", len(routes))
    run.verdict.examine("callers", len(columns))
    run.verdict.examine("cells", len(cells))
    judge(run, cells, matrix)
    _judge_coverage(run, routes)
    run.verdict.record(matrix={route.name: {c.caller.name: c.status for c in cells if c.route is route} for route in routes})


def judge(run: Examination, cells: list[Cell], matrix: Matrix) -> None:
    """One assertion a cell; per route, the control that somebody was let through; and one assertion on what denies left behind."""
    verdict = run.verdict
    expected_deny: dict[str, list[int]] = {
        UNAUTHENTICATED: run.params["unauthenticated_status"],
        UNKNOWN: run.params["unknown_token_status"],
    }
    for cell in cells:
        name = f"{cell.route.name} with {cell.caller.name}"
        if cell.caller.may(cell.route):
            _judge_allow(run, cell, name)
        else:
            _judge_deny(run, cell, name, expected_deny.get(cell.caller.name, run.params["missing_scope_status"]))
    for route in dict.fromkeys(cell.route.name for cell in cells):
        let_through = [c.caller.name for c in cells if c.route.name == route and c.allowed and c.caller.known]
        verdict.control(
            f"{route} lets somebody through",
            bool(let_through),
            expected="an authorised caller",
            observed=", ".join(let_through) or "nobody",
            reason_code="allow-not-seen",
            action="Give sidecar_tokens a token that carries the route's scope.",
        )
    verdict.control("an authorised cancel is accepted", matrix.cancel_seen, reason_code="cancel-not-seen", observed=matrix.cancel_seen)
    verdict.examine("denied writes read back", matrix.effects_examined)
    verdict.expect(
        "a denied request leaves nothing behind",
        not matrix.effects,
        expected="no side effect",
        observed=[f"{cell.route.name} with {cell.caller.name} ({cell.status})" for cell in matrix.effects],
        reason_code="deny-side-effect",
        action="Authorise before acting: move the scope check in front of the handler.",
    )
    bare = [f"{cell.route.name} with {cell.caller.name}" for cell in cells if cell.denied and not cell.shaped]
    verdict.expect(
        "a deny carries an OpenAI error body",
        not bare,
        expected='{"error": {"message", "type", ...}}',
        observed=bare,
        reason_code="error-shape",
        action="Answer denies in the error shape that OpenAI clients parse.",
    )


def _judge_allow(run: Examination, cell: Cell, name: str) -> None:
    if cell.allowed or cell.denied:
        run.verdict.expect(
            name,
            cell.allowed,
            expected="let through",
            observed=cell.status,
            reason_code="authorised-refused",
            action=f"Grant {cell.route.scope or 'any known token'} this route, or correct the scopes in sidecar_tokens.",
        )
    else:
        run.verdict.inconclusive(
            "allow-unexplained",
            f"{name}: answered {cell.status} where it should be let through",
            "Make the route work first; until then its denies prove nothing.",
        )


def _judge_deny(run: Examination, cell: Cell, name: str, expected: list[int]) -> None:
    if not cell.denied and not cell.allowed:
        run.verdict.inconclusive(
            "deny-unexplained",
            f"{name}: answered {cell.status}, which neither lets it through nor refuses it",
            "Answer 401 or 403 before anything else looks at the request.",
        )
        return
    kinds: dict[str, tuple[str, Callable[[], str]]] = {
        UNAUTHENTICATED: ("anonymous", lambda: "Ask for a token on this route (AUTH_MODE=static)."),
        UNKNOWN: ("unknown-token", lambda: "Refuse tokens that AUTH_TOKENS_JSON does not list."),
    }
    kind, action = kinds.get(cell.caller.name, ("missing-scope", lambda: f"Ask for {cell.route.scope} on this route."))
    run.verdict.expect(
        name,
        cell.status in expected,
        expected=" or ".join(map(str, expected)),
        observed=cell.status,
        reason_code=f"{kind}-allowed" if cell.allowed else f"{kind}-wrong-status",
        action=action(),
    )


def _judge_coverage(run: Examination, routes: tuple[Route, ...]) -> None:
    """Every documented operation under /v1 has a row: a route nobody examined is not known to be guarded."""
    answer = run.client.get("/v1/openapi.json", run.connection.tokens[0])
    if answer.status != 200:
        run.verdict.skip(
            "not_applicable",
            "coverage of documented routes, since no OpenAPI document is served at /v1/openapi.json",
            "Serve the document, so that a new route without a row is noticed.",
        )
        return
    document = answer.json()
    paths = document.get("paths") if isinstance(document, dict) else None
    documented = {
        f"{method.upper()} {path}"
        for path, item in (paths.items() if isinstance(paths, dict) else ())
        if path.startswith("/v1/") and isinstance(item, dict)
        for method in item
        if method in ("get", "post", "put", "patch", "delete")
    }
    rows = {_anonymous(f"{route.method} {route.path}") for route in routes}
    missing = sorted(operation for operation in documented if _anonymous(operation) not in rows)
    run.verdict.examine("documented operations", len(documented))
    run.verdict.expect(
        "every documented route has a row in the matrix",
        not missing,
        expected="a row for each",
        observed=missing,
        reason_code="route-unexamined",
        action="Add the route with its scope to the routes argument of rbac_probe.",
    )


def _anonymous(operation: str) -> str:
    """The operation with every path parameter named alike."""
    return "/".join("{}" if part.startswith("{") else part for part in operation.split("/"))


def _owners(tokens: tuple[Token, ...]) -> dict[str, Token]:
    """Per tenant a token that may do everything: it prepares what the others are tried on, and reads back what they left."""
    able = [token for token in tokens if token.has("traces:write", "traces:read")]
    return {token.tenant_id: token for token in reversed(able)}


def _hook(url: str) -> dict[str, str]:
    return {"url": url, "secret": canary("secret")}


def _openai_error(answer: Answer) -> bool:
    try:
        document = answer.json()
    except CheckError:
        return False
    error = document.get("error") if isinstance(document, dict) else None
    return isinstance(error, dict) and isinstance(error.get("message"), str) and isinstance(error.get("type"), str)
