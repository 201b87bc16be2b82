# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small multi-tenant trace API over real HTTP, sound unless told to leak. Every leak is one branch, named by a word in ``leaks``."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TENANTS = {"alpha-token-0123456789": "alpha", "beta-token-0123456789": "beta", "gamma-token-0123456789": "gamma"}


@dataclass
class Trace:
    trace_id: str
    tenant: str
    prompt: str
    reads_left: int
    canceled: bool = False


@dataclass
class Reply:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


def refusal(status: int, message: str = "no such object") -> Reply:
    return Reply(status, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}})


class TenantService:
    """The API and what it stores.

    A trace ends, in the state ``ends``, when its status has been read so many times: no clock decides what a test sees.
    """

    def __init__(self, leaks: tuple[str, ...] = (), *, reads: int = 1, ends: str = "complete") -> None:
        self.leaks = frozenset(leaks)
        self.reads = reads
        self.ends = ends
        self.traces: dict[str, Trace] = {}
        self.hooks: dict[str, dict[str, str]] = {}
        self.url = ""
        self.stalls = 1 if "delete-stalls-once" in leaks else 0

    def state(self, trace: Trace) -> str:
        if trace.canceled:
            return "canceled"
        return self.ends if trace.reads_left <= 0 else "running"

    def answer(self, method: str, target: str, headers: Any, body: Any) -> Reply:
        url = urlsplit(target)
        tenant = TENANTS.get((headers.get("authorization") or "").removeprefix("Bearer "), "")
        if not tenant:
            return refusal(401)
        if "one-tenant" in self.leaks:
            tenant = "shared"
        label = headers.get("x-tenant-id")
        if "header-authority" in self.leaks and label:
            tenant = label
        if "query-authority" in self.leaks and "tenant_id" in url.query:
            tenant = parse_qs(url.query)["tenant_id"][0]
        if "query-refused" in self.leaks and "tenant_id" in url.query:
            return refusal(422)
        parts = url.path.strip("/").split("/")[1:]
        if parts == ["chat", "completions"]:
            return self.chat(tenant, label, headers, body)
        if parts == ["traces"]:
            return self.list_traces(tenant)
        if parts == ["webhooks"]:
            return self.register(tenant, body) if method == "POST" else self.list_hooks(tenant)
        if parts[0] == "webhooks":
            return self.delete_hook(tenant, parts[1])
        return self.trace(tenant, parts[1], parts[2])

    def chat(self, tenant: str, label: str | None, headers: Any, body: Any) -> Reply:
        if label and label != tenant:
            if "label-refused" in self.leaks:
                return refusal(403)
            if "label-unavailable" in self.leaks:
                return refusal(503)
            if "label-loses-trace" in self.leaks:
                return Reply(200, {"choices": []})
        reads = self.reads * (2 if headers.get("x-explain-granularity") == "token" else 1)
        trace = Trace(f"tr-{len(self.traces)}", tenant, body["messages"][0]["content"], reads)
        if "label-filed" in self.leaks and label:
            trace.tenant = label
        self.traces[trace.trace_id] = trace
        return Reply(200, {"choices": []}, {"x-trace-id": trace.trace_id})

    def record(self, trace: Trace) -> dict[str, Any]:
        told = {} if "tenant-untold" in self.leaks else {"tenant_id": trace.tenant}
        return {"trace_id": trace.trace_id, "state": self.state(trace), **told}

    def list_traces(self, tenant: str) -> Reply:
        if "list-broken" in self.leaks:
            return refusal(500)
        if "list-shapeless" in self.leaks:
            return Reply(200, {"traces": []})
        mine = [self.record(trace) for trace in self.traces.values() if trace.tenant == tenant]
        if "list" in self.leaks:
            mine += [self.record(trace) for trace in self.traces.values() if trace.tenant != tenant][:1]
        return Reply(200, {"object": "list", "data": mine[::-1]})

    def list_hooks(self, tenant: str) -> Reply:
        shown = self.hooks.values() if "webhooks" in self.leaks else [hook for hook in self.hooks.values() if hook["tenant"] == tenant]
        return Reply(200, {"object": "list", "data": [self.told(hook) for hook in shown]})

    def told(self, hook: dict[str, str]) -> dict[str, Any]:
        return {"id": int(hook["id"]) if "integer-ids" in self.leaks else hook["id"], "url": hook["url"]}

    def register(self, tenant: str, body: Any) -> Reply:
        if "webhook-refused" in self.leaks:
            return refusal(400)
        number = len(self.hooks) + 1
        hook = {
            "id": str(number) if "integer-ids" in self.leaks else f"wh-{number}",
            "url": body["url"],
            "secret": body["secret"],
            "tenant": tenant,
        }
        self.hooks[hook["id"]] = hook
        return Reply(201, {"url": hook["url"]} if "webhook-unnamed" in self.leaks else self.told(hook))

    def delete_hook(self, tenant: str, hook_id: str) -> Reply:
        if self.stalls:
            self.stalls -= 1
            time.sleep(1.5)
            return refusal(503)
        hook = self.hooks.get(hook_id)
        foreign = hook is None or hook["tenant"] != tenant
        if foreign and "delete-conflict" in self.leaks:
            return refusal(409)
        if foreign and "delete-unavailable" in self.leaks:
            return refusal(503)
        if foreign and "delete-acts" not in self.leaks:
            return Reply(204, None) if "delete-acknowledged" in self.leaks else refusal(404)
        if not foreign and "webhook-stays" in self.leaks:
            return refusal(500)
        self.hooks.pop(hook_id, None)
        return refusal(404) if foreign else Reply(204, None)

    def trace(self, tenant: str, trace_id: str, what: str) -> Reply:
        trace = self.traces.get(trace_id)
        if trace is None:
            return refusal(404)
        foreign = trace.tenant != tenant
        state = self.state(trace)
        if foreign and what not in self.leaks:
            return self.deny(trace, what, state)
        if what == "status":
            trace.reads_left -= 1
            return refusal(500) if "owner-status-broken" in self.leaks and state != "running" else Reply(200, self.record(trace))
        if what == "graph":
            if "owner-graph-broken" in self.leaks:
                return refusal(404)
            return Reply(200, {"nodes": [{"node": trace.prompt.split()[0]}]}) if state == "complete" else refusal(409)
        return self.cancel(trace, state)

    def deny(self, trace: Trace, what: str, state: str) -> Reply:
        if what == "cancel" and "cancel-acts" in self.leaks and state == "running":
            trace.canceled = True
        if f"{what}-conflict" in self.leaks:
            return refusal(409)
        if f"{what}-unavailable" in self.leaks:
            return refusal(503)
        if "echo" in self.leaks:
            return refusal(404, f"cannot show {trace.prompt[:200]!r}")
        if "echo-in-header" in self.leaks:
            reply = refusal(404)
            reply.headers["x-debug"] = base64.b64encode(f"prompt={trace.prompt[:60]}".encode()).decode()
            return reply
        return refusal(403 if "forbidden" in self.leaks else 404)

    def cancel(self, trace: Trace, state: str) -> Reply:
        if "owner-cancel-broken" in self.leaks:
            return refusal(404)
        if state == "running":
            trace.canceled = True
            return Reply(200, self.record(trace))
        return refusal(409)


@contextmanager
def serving(service: TenantService) -> Iterator[TenantService]:
    """Serve on a free port of the loopback interface; ``service.url`` says where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece: in two, the kernel holds back the second for 40 ms

        def handle_one(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            reply = service.answer(self.command, self.path, self.headers, body)
            content = b"" if reply.body is None else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"content-type": "application/json", "content-length": str(len(content)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = handle_one  # noqa: N815  # the names are http.server's

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
