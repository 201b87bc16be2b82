# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the gateway's trace API over real HTTP: right by default, and wrong where a test overrides one of its members.

A trace moves on each time its status is read: queued, running, and complete after as many reads as its granularity takes. So what a probe
gets to see does not depend on how busy the machine is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import urllib.request
import uuid
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from urllib.error import URLError

TOKEN = "alpha-writer-0123456789abcdef"
TENANT = "alpha"
RETRY_AFTER = 0.02


def now():
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


def failing(verdict):
    return [(assertion["name"], assertion["reason_code"]) for assertion in verdict["assertions"] if not assertion["ok"]]


class Trace:
    def __init__(self, granularity, model):
        self.id = str(uuid.uuid4())
        self.granularity = granularity
        self.model = model
        self.reads = 0
        self.state = "queued"
        self.created_at = self.queued_at = now()
        self.started_at = self.finished_at = None

    def start(self):
        if self.state == "queued":
            self.state, self.started_at = "running", now()

    def end(self, state):
        if self.state in ("queued", "running"):
            self.state, self.finished_at = state, now()
            return True
        return False


class StandIn(ThreadingHTTPServer):
    """Serves from ``start`` to ``stop``. ``takes`` is how many reads see an explanation unfinished."""

    daemon_threads = True
    takes = MappingProxyType({"sentence": 2, "token": 3})
    unknown_status = 404
    early_graph_status = 409
    graph_status = 200
    register_status = 201
    delete_status = 204
    # How many deletions leave the webhook where it is.
    stuck = 0
    delivery_attempts = 2
    chat_status = 200
    answers_date = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.traces = {}
        self.webhooks = {}
        self.seen = []
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self):
        self.thread.start()

    def stop(self):
        self.shutdown()
        self.server_close()

    def submitted(self, granularity, model):
        trace = Trace(granularity, model)
        self.traces[trace.id] = trace
        self.advance(trace)
        return trace

    def advance(self, trace):
        """Move a trace on as far as the reads of its status let it."""
        if trace.reads > 1 or trace.reads >= self.takes[trace.granularity]:
            trace.start()
        if trace.reads >= self.takes[trace.granularity] and trace.end("complete"):
            threading.Thread(target=self.deliver, args=[trace], daemon=True).start()
        trace.reads += 1

    def record(self, trace):
        """The status as served."""
        return {
            "trace_id": trace.id,
            "tenant_id": TENANT,
            "state": trace.state,
            "granularity": trace.granularity,
            "model": trace.model,
            "created_at": trace.created_at,
            "queued_at": trace.queued_at,
            "started_at": trace.started_at,
            "finished_at": trace.finished_at,
            "error": None,
            "degraded": [],
        }

    def kind(self, trace):
        """What the nodes of its graph are called."""
        return trace.granularity

    def document(self, trace):
        """The graph as an object."""
        count = {"sentence": 3, "token": 9}[trace.granularity]
        kind = self.kind(trace)
        return {
            "network-type": "directed",
            "meta": {
                "version": "hif-1",
                "trace_id": trace.id,
                "tenant_id": TENANT,
                "model": trace.model,
                "granularity": trace.granularity,
                "featureset": "sae-gpt4-2m",
                "created_at": trace.created_at,
            },
            "nodes": [{"node": f"n{i}", "attrs": {"kind": kind} if kind else {}} for i in range(count)],
            "edges": [{"edge": "e0", "weight": 0.5}],
            "incidences": [
                {"edge": "e0", "node": f"n{i}", "direction": "tail" if i else "head", "weight": i / count} for i in range(count)
            ],
        }

    def graph(self, trace):
        """The graph as served."""
        return json.dumps(self.document(trace)).encode()

    def cancel(self, trace):
        """Cancel, and the status to answer with."""
        return 200 if trace.end("canceled") else 409

    def chat(self, trace):
        """The answer to a chat."""
        return {"model": trace.model, "choices": [{"message": {"role": "assistant", "content": "An edge of any size."}}]}

    def trace_id(self, trace):
        """The header that names the trace."""
        return trace.id

    def registered(self, identity, body):
        """The answer to a registration."""
        return {"id": identity, "url": body["url"]}

    def date(self, right):
        """The Date header."""
        return right

    def delivery(self, trace):
        """The body of a delivery."""
        return json.dumps({"trace_id": trace.id, "tenant_id": TENANT, "state": "complete"}).encode()

    def signed(self, secret, stamp, body):
        """The headers of a delivery."""
        digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {"x-hypergraph-timestamp": stamp, "x-hypergraph-signature": f"sha256={digest}"}

    def stamp(self):
        return str(int(time.time()))

    def deliver(self, trace):
        """Tell each webhook, again where it did not take it."""
        for hook in list(self.webhooks.values()):
            body = self.delivery(trace)
            for _attempt in range(self.delivery_attempts):
                headers = self.signed(hook["secret"], self.stamp(), body)
                try:
                    with urllib.request.urlopen(urllib.request.Request(hook["url"], body, headers, method="POST"), timeout=5):
                        break
                except URLError:
                    time.sleep(RETRY_AFTER)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: StandIn

    def handle_one(self):
        gateway = self.server
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        gateway.seen.append((self.command, self.path, dict(self.headers)))
        parts = self.path.strip("/").split("/")
        if self.path == "/v1/chat/completions":
            trace = gateway.submitted(self.headers["x-explain-granularity"], body["model"])
            return self.reply(gateway.chat_status, gateway.chat(trace), {"x-trace-id": gateway.trace_id(trace)})
        if parts[:2] == ["v1", "traces"]:
            return self.trace(gateway.traces.get(parts[2]), parts[3])
        if self.command == "POST":
            identity = uuid.uuid4().hex
            if gateway.register_status < 300:
                gateway.webhooks[identity] = body
            return self.reply(gateway.register_status, gateway.registered(identity, body))
        if self.command == "GET":
            return self.reply(200, {"data": [{"id": identity, "url": hook["url"]} for identity, hook in gateway.webhooks.items()]})
        if gateway.stuck:
            gateway.stuck -= 1
            return self.reply(500, b"")
        gateway.webhooks.pop(parts[2], None)
        return self.reply(gateway.delete_status, b"")

    do_GET = do_POST = do_DELETE = handle_one  # noqa: N815

    def trace(self, trace, what):
        gateway = self.server
        if trace is None:
            return self.reply(gateway.unknown_status, {"error": {"message": "no such trace", "type": "not_found"}})
        if what == "cancel":
            return self.reply(gateway.cancel(trace), {})
        if what == "status":
            gateway.advance(trace)
            return self.reply(200, gateway.record(trace))
        if trace.state == "complete":
            return self.reply(gateway.graph_status, gateway.graph(trace))
        return self.reply(gateway.early_graph_status, {})

    def reply(self, status, document, headers=None):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response_only(status)
        if self.server.answers_date:
            self.send_header("Date", self.server.date(self.date_time_string()))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass
