# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small gateway that guards the routes of the contract, faithfully unless told otherwise. Every defect is one word in ``defects``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.tenant_service import Reply, refusal, serving

READ, WRITE = "traces:read", "traces:write"
TOKENS: list[dict[str, Any]] = [
    {"name": "alpha-reader", "token": "alpha-reader-0123456789", "tenant_id": "alpha", "scopes": [READ], "subject": None},
    {"name": "alpha-writer", "token": "alpha-writer-0123456789", "tenant_id": "alpha", "scopes": [READ, WRITE], "subject": None},
    {"name": "alpha-submitter", "token": "alpha-submitter-01234567", "tenant_id": "alpha", "scopes": [WRITE], "subject": None},
    {"name": "beta-writer", "token": "beta-writer-0123456789", "tenant_id": "beta", "scopes": [READ, WRITE], "subject": None},
]
# Method and path pattern: scope, and what a success does.
ROUTES = {
    "GET /v1/models": "",
    "GET /v1/traces": READ,
    "GET /v1/traces/{trace_id}/status": READ,
    "GET /v1/traces/{trace_id}/graph": READ,
    "GET /v1/webhooks": READ,
    "GET /v1/openapi.json": "",
    "POST /v1/chat/completions": "",
    "POST /v1/chat/completions (attached)": WRITE,
    "POST /v1/traces/{trace_id}/cancel": WRITE,
    "POST /v1/webhooks": WRITE,
    "DELETE /v1/webhooks/{webhook_id}": WRITE,
    "GET /v1/usage/{trace_id}": READ,
}
DOCUMENTED = [name for name in ROUTES if "(attached)" not in name and "usage" not in name]
_PATTERNS = {name: re.compile(re.sub(r"\{\w+\}", "([^/]+)", name.replace(" (attached)", ""))) for name in ROUTES}


@dataclass
class Trace:
    tenant: str
    reads_left: int
    state: str = "running"


@dataclass
class Gateway:
    """The gateway and what it stores. Traces end when their status has been read so many times: no clock decides what a test sees."""

    defects: frozenset[str] = frozenset()
    url: str = ""
    traces: dict[str, Trace] = field(default_factory=dict)
    hooks: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def has(self, defect: str) -> bool:
        return defect in self.defects

    def answer(self, method: str, target: str, headers: Any, body: Any) -> Reply:
        path = target.partition("?")[0]
        attached = " (attached)" if headers.get("x-explain-mode") else ""
        name, found = next(
            (name, match)
            for name, pattern in _PATTERNS.items()
            if name.endswith(attached) and (match := pattern.fullmatch(f"{method} {path}"))
        )
        who = self._who(headers.get("authorization"))
        self.asked.append(f"{name} by {who['name'] if who else 'a stranger'}")
        status = self._refusal_of(name, headers.get("authorization"), who)
        if self.has("guards-finished-only") and name.endswith("/cancel") and self.traces[found[1]].reads_left > 0:
            status = 0
        tenant = who["tenant_id"] if who else "alpha"
        if status:
            if self.has(f"acts:{name}"):
                self._act(name, tenant, found, body)
            return Reply(status, "no") if self.has("bare-deny") else refusal(status)
        return self._act(name, tenant, found, body)

    def _who(self, authorization: str | None) -> dict[str, Any] | None:
        value = (authorization or "").removeprefix("Bearer ")
        return next((token for token in TOKENS if token["token"] == value), None)

    def _refusal_of(self, name: str, authorization: str | None, who: dict[str, Any] | None) -> int:
        """The status of the deny, or 0."""
        if self.has("all-allowed"):
            return 0
        if self.has("all-denied"):
            return 403 if authorization else 401
        status = 0
        if not authorization:
            status = 0 if self.has(f"anonymous:{name}") else 403 if self.has(f"forbids-anonymous:{name}") else 401
        elif who is None:
            status = 0 if self.has(f"unknown:{name}") else 401 if self.has("unknown-401") else 403
        elif self.has(f"refuses:{who['name']}:{name}"):
            status = 403
        elif ROUTES[name] and ROUTES[name] not in who["scopes"]:
            status = 0 if self.has(f"unscoped:{name}") else 403
        for defect in self.defects:
            if status and defect.startswith("denies-as:"):
                status = int(defect.rpartition(":")[2])
        return status

    def _act(self, name: str, tenant: str, found: re.Match[str], body: Any) -> Reply:
        if self.has(f"fails:{name}"):
            return Reply(503, None)
        if name.startswith("POST /v1/chat"):
            return self._chat(tenant, attached=name.endswith("(attached)"))
        if name == "GET /v1/traces":
            return self._list_traces(tenant)
        if name == "GET /v1/openapi.json":
            return self._openapi()
        if "/traces/" in name or "usage" in name:
            return self._trace(name, tenant, found[1])
        if "webhooks" in name:
            return self._webhook(name, tenant, found, body)
        return Reply(200, {"object": "list", "data": []})

    def _chat(self, tenant: str, *, attached: bool) -> Reply:
        if self.has("upstream-down"):
            return refusal(502)
        if not attached:
            return Reply(200, {"choices": []})
        trace_id = f"tr-{len(self.traces)}"
        at_once = self.has("instant") or (self.has("every-other-instant") and len(self.traces) % 2 == 0)
        self.traces[trace_id] = Trace(tenant, 0 if at_once else 1_000_000 if self.has("never-ends") else 2)
        return Reply(200, {"choices": []}, {} if self.has("no-trace-id") else {"x-trace-id": trace_id})

    def _list_traces(self, tenant: str) -> Reply:
        if self.has("busy"):
            self.traces[f"tr-{len(self.traces)}"] = Trace(tenant, 0)
        if self.has("other-traffic-once") and len(self.asked) > 60 and "other" not in self.traces:
            self.traces["other"] = Trace(tenant, 0)
        if self.has("list-broken"):
            return refusal(500)
        mine = [{"trace_id": trace_id} for trace_id, trace in self.traces.items() if trace.tenant == tenant]
        return Reply(200, {"object": "list", "data": [] if self.has("hides-traces") else mine[::-1][:20]})

    def _trace(self, name: str, tenant: str, trace_id: str) -> Reply:
        trace = self.traces.get(trace_id)
        if trace is None or trace.tenant != tenant:
            return refusal(404)
        if name.endswith("/cancel"):
            if trace.state == "running" and trace.reads_left > 0:
                trace.state = "canceled"
                return Reply(200, {"trace_id": trace_id, "state": "canceled"})
            return Reply(200, {"trace_id": trace_id}) if self.has("late-cancels-accepted") else refusal(409)
        if name.endswith("/status"):
            trace.reads_left -= 1
        if trace.reads_left <= 0 and trace.state == "running":
            trace.state = "complete"
        if name.endswith("/graph"):
            return Reply(200, {"nodes": []}) if trace.state == "complete" else refusal(409)
        return Reply(200, {"trace_id": trace_id, "state": trace.state})

    def _webhook(self, name: str, tenant: str, found: re.Match[str], body: Any) -> Reply:
        mine = {identity: hook for identity, hook in self.hooks.items() if hook["tenant"] == tenant}
        if name.startswith("GET"):
            listed = [{"id": identity, "url": "***" if self.has("masks-urls") else hook["url"]} for identity, hook in mine.items()]
            return Reply(200, {"object": "list", "data": [] if self.has("hides-webhooks") else listed})
        if name.startswith("POST"):
            identity = f"wh-{len(self.asked)}"
            self.hooks[identity] = {"url": body["url"], "tenant": tenant}
            return Reply(201, {"url": body["url"]} if self.has("nameless-webhooks") else {"id": identity})
        if found[1] not in mine:
            return refusal(404)
        if self.has("webhook-stays"):
            return Reply(500, None)
        del self.hooks[found[1]]
        return Reply(204, None)

    def _openapi(self) -> Reply:
        if self.has("openapi-html"):
            return Reply(200, "<html>")
        operations = [*DOCUMENTED, *(["PATCH /v1/secrets/{id}"] if self.has("undocumented-row") else []), "GET /healthz"]
        paths: dict[str, dict[str, Any]] = {}
        for operation in () if self.has("openapi-empty") else operations:
            method, path = operation.split(" ", 1)
            paths.setdefault(path.replace("{trace_id}", "{id}"), {"parameters": []})[method.lower()] = {}
        return Reply(200, {"openapi": "3.1.0", "paths": paths})


@contextmanager
def gateway(*defects: str) -> Iterator[Gateway]:
    """A running gateway with these defects."""
    with serving(Gateway(frozenset(defects))) as running:  # type: ignore[type-var]
        yield running
