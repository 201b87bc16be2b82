# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small gateway over real HTTP that behaves as sidecar.yaml says, unless a route is given another answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import sidecar

TOKEN = "writer-token-0123456789"
TRACE = "0f3a9c"
STATUS = f"GET /v1/traces/{TRACE}/status"
GRAPH = f"GET /v1/traces/{TRACE}/graph"


@dataclass
class Reply:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def refusal(status: int) -> Reply:
    return Reply(status, {"error": {"message": "no", "type": "invalid_request_error", "code": None}})


def graph(**meta: Any) -> dict[str, Any]:
    meta = {"version": "hif-1", "trace_id": TRACE, **meta}
    return {"meta": meta, "incidences": [{"node": "n1", "edge": "e1", "weight": 0.5}, {"node": "gone", "edge": "e1"}]}


class Gateway:
    """Answers by ``METHOD path``; ``open_door`` lets everybody in."""

    def __init__(self, *, open_door: bool = False, **answers: Reply) -> None:
        self.open_door = open_door
        self.asked: list[str] = []
        self.url = ""
        self.answers = {
            "GET /v1/openapi.json": Reply(200, {**sidecar(), "servers": [{"url": "http://127.0.0.1"}]}),
            "GET /v1/models": Reply(200, {"object": "list", "data": [{"id": "m"}]}),
            "POST /v1/chat/completions": Reply(200, {"id": "c", "choices": [{}]}, {"x-trace-id": TRACE}),
            STATUS: Reply(200, {"trace_id": TRACE, "state": "complete", "error": None}),
            GRAPH: Reply(200, graph()),
            **answers,
        }

    def reply(self, line: str, token: str | None) -> Reply:
        self.asked.append(line)
        if not self.open_door and token != f"Bearer {TOKEN}":
            return refusal(403 if token else 401)
        return self.answers.get(line, refusal(404))


@contextmanager
def serving(gateway: Gateway) -> Iterator[Gateway]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One send an answer, or the kernel waits for the acknowledgement of the first part.
        wbufsize = -1

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = gateway.reply(f"{self.command} {self.path}", self.headers.get("Authorization"))
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Type": reply.content_type, "Content-Length": str(len(reply.content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.content)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    gateway.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
