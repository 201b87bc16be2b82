# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that keeps an audit log, over real HTTP: right by default, and wrong where a test changes what it is about to write."""

from __future__ import annotations

import json
import os
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.patterns import find
from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Token

BOTH = frozenset(("traces:write", "traces:read"))
WRITER = Token("alpha-writer", "alpha-writer-token-0123456789abcdef", "alpha", BOTH, "alice")
READER = Token("alpha-reader", "alpha-reader-token-0123456789abcdef", "alpha", frozenset(("traces:read",)), "bob")
TOKENS = (WRITER, READER)
# Who calls where no token is asked for.
EVERYBODY = Token("", "", "default", BOTH, "anonymous")

_ACTIONS = (
    ("POST", r"/v1/chat/completions", "chat.create", ""),
    ("GET", r"/v1/models", "models.list", ""),
    ("GET", r"/v1/traces", "trace.list", "traces:read"),
    ("GET", r"/v1/traces/([^/]+)/status", "trace.status", "traces:read"),
    ("GET", r"/v1/traces/([^/]+)/graph", "trace.graph", "traces:read"),
    ("POST", r"/v1/traces/([^/]+)/cancel", "trace.cancel", "traces:write"),
    ("POST", r"/v1/webhooks", "webhook.create", "traces:write"),
    ("GET", r"/v1/webhooks", "webhook.list", "traces:read"),
    ("DELETE", r"/v1/webhooks/([^/]+)", "webhook.delete", "traces:write"),
)


@dataclass
class Call:
    """A request as it was understood, and what it is answered with."""

    headers: Any
    action: str = ""
    identity: Token | None = None
    target: str = ""
    trace_id: str | None = None
    prompt: str = ""
    body: Any = None
    status: int = 404
    request_id: str = field(default_factory=lambda: f"req_{secrets.token_hex(8)}")

    @property
    def outcome(self) -> str:
        if self.status < 400:
            return "allowed"
        return f"denied:{self.status}" if self.status in (401, 403) else f"error:{self.status}"

    def entry(self) -> dict[str, Any]:
        return {
            "ts": datetime.now(timezone.utc).isoformat().replace("+00:00", "Z"),
            "request_id": self.request_id,
            "tenant_id": self.identity.tenant_id if self.identity else None,
            "subject": self.identity.subject if self.identity else None,
            "action": self.action,
            "trace_id": self.trace_id,
            "outcome": self.outcome,
            "snippet": scrubbed(self.prompt)[:200] if self.identity else "",
        }


def scrubbed(text: str) -> str:
    for match in sorted(find(text), key=lambda match: -match.start):
        text = f"{text[: match.start]}[{match.rule}]{text[match.end :]}"
    return text


def as_line(entry: Any) -> bytes:
    return (json.dumps(entry) + "\n").encode()


class AuditedGateway(ThreadingHTTPServer):
    """``written(call)`` gives the bytes that a call leaves in the log, ``served(call)`` the status it is answered with."""

    daemon_threads = True
    request_ids = True
    enforced = True
    mode = 0o600
    reads_until_complete = 2

    def __init__(self, log: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.log = log
        self.calls: list[Call] = []
        self.written: Callable[[Call], bytes] = lambda call: as_line(call.entry())
        self.served: Callable[[Call], int] = lambda call: call.status
        self.after: Callable[[Call], None] = lambda call: None
        self.offered: Callable[[Call], bool] = lambda call: True
        self.reads: dict[str, int] = {}
        self.hook_id: Callable[[int], Any] = lambda number: f"wh_{number}"
        self.hooks: dict[str, str] = {}
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def append(self, data: bytes) -> None:
        if data:
            descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, self.mode)
            os.write(descriptor, data)
            os.close(descriptor)

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[Call, Any]:
        call = Call(headers)
        for known_method, pattern, action, scope in _ACTIONS:  # noqa: B007  # used after the loop
            match = re.fullmatch(pattern, path)
            if match and known_method == method:
                call.action = action
                call.target = unquote(match.group(1)) if match.groups() else ""
                call.trace_id = call.target or None if action != "webhook.delete" else None
                break
        else:
            return call, {}
        if not self.offered(call):
            return call, {}
        answer = self._examined(call, scope, body)
        call.status = self.served(call)
        self.calls.append(call)
        self.append(self.written(call))
        self.after(call)
        return call, answer

    def _examined(self, call: Call, scope: str, body: bytes) -> Any:
        sent = (call.headers.get("Authorization") or "").partition(" ")[2]
        call.identity = next((token for token in TOKENS if token.value == sent), None) if self.enforced else EVERYBODY
        call.body = json.loads(body) if body else None
        if call.action == "chat.create":
            call.prompt = call.body["messages"] if isinstance(call.body["messages"], str) else call.body["messages"][-1]["content"]
            scope = "traces:write" if "x-explain-mode" in call.headers else ""
        if call.identity is None:
            call.status = 403 if sent else 401
        elif scope and not call.identity.has(scope):
            call.status = 403
        elif call.action == "chat.create" and isinstance(call.body["messages"], str):
            call.status = 400
        elif call.action == "chat.create" and call.body["model"] != "gpt-4o-mini":
            call.status = 404
        else:
            return self._served(call)
        return {"error": {"message": "no", "type": "invalid_request_error"}}

    def _served(self, call: Call) -> Any:
        call.status = 201 if call.action == "webhook.create" else 200
        if call.action == "chat.create" and "x-explain-mode" in call.headers:
            call.trace_id = f"tr_{secrets.token_hex(8)}"
        if call.action == "trace.status":
            reads = self.reads[call.trace_id or ""] = self.reads.get(call.trace_id or "", 0) + 1
            return {"trace_id": call.trace_id, "state": "complete" if reads >= self.reads_until_complete else "running"}
        if call.action == "webhook.create":
            identity = self.hook_id(len(self.hooks) + 1)
            self.hooks[str(identity)] = call.body["url"]
            return {} if identity is None else {"id": identity}
        if call.action == "webhook.delete" and self.served(call) == call.status:
            del self.hooks[call.target]
        listed = self.hooks.items() if call.action == "webhook.list" else ()
        return {"object": "list", "data": [{"id": identity, "url": url} for identity, url in listed]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: in two, the second waits for the other side's delayed acknowledgement.
    wbufsize = 65536
    server: AuditedGateway

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call, answer = self.server.answer(self.command, self.path, self.headers, body)
        content = json.dumps(answer).encode()
        self.send_response(call.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.server.request_ids:
            self.send_header("x-request-id", call.request_id)
        if call.action == "chat.create" and call.trace_id and call.status == 200:
            self.send_header("x-trace-id", call.trace_id)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815  # http.server's names

    def log_message(self, *_arguments: Any) -> None:
        """Keep quiet."""
