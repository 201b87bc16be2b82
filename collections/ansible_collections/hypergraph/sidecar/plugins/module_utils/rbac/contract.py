# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may ask what: the routes of the API, which are the rows of the matrix, and the callers, which are its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..connection import Token
from ..faults import CheckError
from ..traces import attach_headers, canary, chat_body

ANONYMOUS = "anonymous"
UNKNOWN = "unknown-token"
MISSING_SCOPE = "missing-scope"

# What a success would leave behind, and so what a deny must not.
TRACE = "trace"
CANCEL = "cancel"
WEBHOOK = "webhook"
WEBHOOK_GONE = "webhook-gone"

_PLACEHOLDER = re.compile(r"\{[^{}]*\}|[{}]")
_METHOD = re.compile(r"[A-Z]+")


@dataclass(frozen=True)
class Route:
    """A row of the matrix; ``effect`` is one of the above, or empty where a success leaves nothing behind."""

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

    @property
    def only_reads(self) -> bool:
        """Whether asking it leaves nothing behind, nor asks for anything to be there before."""
        return self.method in ("GET", "HEAD") and "{" not in self.path

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Route:
        """A further read-only route from the module's ``routes`` argument. Raises CheckError where it cannot be asked."""
        method, path = params["method"].upper(), params["path"]
        strange = [placeholder for placeholder in _PLACEHOLDER.findall(path) if placeholder != "{trace_id}"]
        problem = ""
        if not path.startswith("/"):
            problem = "its path does not begin with a slash"
        elif strange:
            problem = f"its path has {strange[0]!r}, expected no other placeholder than {{trace_id}}"
        elif any(character.isspace() for character in path) or not path.isprintable():
            problem = "its path contains white space or control characters"
        elif not _METHOD.fullmatch(method):
            problem = f"its method is {method!r}, expected one like GET"
        if problem:
            raise CheckError("bad-argument", f"route {path!r}: {problem}", "Correct the routes argument (sidecar_extra_routes).")
        return cls(method, path, params["scope"] or "", body=params["body"])


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
        Route("POST", "/v1/traces/{trace_id}/cancel", "traces:write", CANCEL),
        Route("POST", "/v1/webhooks", "traces:write", WEBHOOK),
        Route("DELETE", "/v1/webhooks/{webhook_id}", "traces:write", WEBHOOK_GONE),
        # Last, so that as few traces as can be lie between what it may leave behind and the end, when the newest are listed.
        Route("POST", "/v1/chat/completions", "traces:write", TRACE, hello, attach_headers()),
    )


@dataclass(frozen=True)
class Caller:
    """A column of the matrix, tried on what belongs to ``tenant_id``. ``denied_as`` says what a deny of it is for."""

    name: str
    token: Token | str | None
    tenant_id: str
    denied_as: str
    scopes: frozenset[str] = frozenset()

    @property
    def known(self) -> bool:
        """Whether the gateway was given its token."""
        return isinstance(self.token, Token)

    def may(self, route: Route) -> bool:
        """Whether the contract lets this caller through."""
        return self.known and (not route.scope or route.scope in self.scopes)


def owners(tokens: tuple[Token, ...]) -> dict[str, Token]:
    """Per tenant a token that may do everything: it prepares what the others are tried on, and reads back what they left."""
    able = [token for token in tokens if token.has("traces:write", "traces:read")]
    return {tenant: next(token for token in able if token.tenant_id == tenant) for tenant in dict.fromkeys(t.tenant_id for t in able)}


def callers(tokens: tuple[Token, ...], owned: Mapping[str, Token]) -> tuple[Caller, ...]:
    """Nobody, a stranger, and each token of a tenant that has an owner. The first two are tried on the first such tenant."""
    tenant = next(iter(owned))
    return (
        Caller("no token", None, tenant, ANONYMOUS),
        Caller("unknown token", canary("token"), tenant, UNKNOWN),
        *(Caller(token.name, token, token.tenant_id, MISSING_SCOPE, token.scopes) for token in tokens if token.tenant_id in owned),
    )
