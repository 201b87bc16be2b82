# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway and an explainer with real Prometheus registries over real HTTP: sound, unless a word in ``wrongs`` says otherwise.

An explanation completes, and is counted, when its status has been read so many times: no clock decides what a test sees.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

TOKEN = "alpha-token-0123456789"
SUBJECT = "ada.lovelace"
GATEWAY = "/metrics"
EXPLAINER = "/explainer/metrics"
STAGES = ("extract", "decode", "attribution", "persist")
SECONDS = (0.5, 1.0, 1.5, 2.0, 3.5, 5.0, 8.0, 15.0)
TEXT = "text/plain; version=0.0.4; charset=utf-8"
CHATS = 5
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass
class Reply:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class MetricsService:
    """The services and what they count. ``instead`` holds answers to give for a path in place of its own."""

    def __init__(self, *wrongs: str, form: str = TEXT, reads: int = 1) -> None:
        self.wrongs = frozenset(wrongs)
        self.form = form
        self.reads = reads
        self.instead: dict[str, Reply] = {}
        self.url = ""
        self.chats_sent = 0
        self.scrapes = 0
        self.reads_left: dict[str, int] = {}
        self._lock = threading.Lock()
        self.gateway = CollectorRegistry()
        self.explainer = CollectorRegistry()
        extra = [wrong for wrong in sorted(self.wrongs) if wrong.endswith("-label")]
        self._extra = extra[0] if extra else ""
        labels = ("code", "extra") if extra else ("code",)
        self.requests = Counter("http_requests_total", "Requests.", labels, registry=self.gateway)
        self.chats = Counter("chat_requests_total", "Chats.", registry=self.gateway)
        self.chats.inc(100)
        self.sizes = Summary("chat_size_bytes", "Size of chats.", registry=self.gateway)
        self.start = Gauge("process_start_time_seconds", "Start.", registry=self.gateway)
        self.start.set(1000)
        self.jobs = Counter("explainer_jobs_total", "Jobs.", ("state",), registry=self.explainer)
        unit = 1000 if "milliseconds" in self.wrongs else 1
        self.stages = Histogram(
            "explainer_stage_duration_seconds", "Stages.", ("stage",), buckets=[unit * bound for bound in SECONDS], registry=self.explainer
        )
        Gauge("explainer_queue_lag_seconds" if "renamed" not in self.wrongs else "explainer_lag_seconds", "Lag.", registry=self.explainer)
        self.level = Gauge("backpressure_level", "Level.", registry=self.explainer)
        Counter("backpressure_actions_total", "Actions.", ("action",), registry=self.explainer)

    def answer(self, method: str, path: str, headers: Any, body: Any) -> Reply:
        with self._lock:
            if path in self.instead:
                return self.instead[path]
            if path in (GATEWAY, EXPLAINER):
                return self.metrics(path)
            if headers.get("authorization") != f"Bearer {TOKEN}" and "open" not in self.wrongs:
                return Reply(401, b"{}")
            self.count_request(headers)
            return self.chat() if method == "POST" else self.status(path.split("/")[3])

    def metrics(self, path: str) -> Reply:
        self.scrapes += 1
        if "restarts" in self.wrongs:
            self.start.set(1000 + self.scrapes)
        if "backwards" in self.wrongs and path == GATEWAY and self.chats_sent == CHATS:
            self.chats.reset()
        text = openmetrics.generate_latest if self.form == OPENMETRICS else generate_latest
        return Reply(200, text(self.gateway if path == GATEWAY else self.explainer), {"content-type": self.form})

    def count_request(self, headers: Any) -> None:
        labels = ["200"]
        if self._extra:
            labels.append(
                {
                    "request-label": headers.get("x-request-id") or "none",
                    "rotating-label": f"shard-{self.chats_sent % 4}",
                    "wide-label": f"shard-{self.chats_sent % 18}",
                    "random-label": str(uuid.uuid4()),
                    "serial-label": f"number-{self.chats_sent}",
                    "subject-label": SUBJECT,
                    "email-label": "ada@example.org",
                    "uuid-label": str(uuid.UUID(int=self.chats_sent % 3)),
                }[self._extra]
            )
        self.requests.labels(*labels).inc()

    def chat(self) -> Reply:
        if "refuses" in self.wrongs:
            return Reply(502, b"{}")
        self.chats_sent += 1
        trace_id = str(uuid.uuid4())
        self.reads_left[trace_id] = self.reads
        if "frozen" not in self.wrongs:
            self.chats.inc()
            self.sizes.observe(100)
        if "new-family" in self.wrongs:
            Gauge(f"chat_{trace_id.replace('-', '_')}_seconds", "Per chat.", registry=self.gateway)
        return Reply(200, b'{"choices": []}', {"x-trace-id": trace_id})

    def status(self, trace_id: str) -> Reply:
        self.reads_left[trace_id] -= 1
        state = "running"
        if self.reads_left[trace_id] == 0:
            state = "failed" if "fails" in self.wrongs else "complete"
            self.count_end(state)
        return Reply(200, json.dumps({"trace_id": trace_id, "state": state}).encode(), {"content-type": "application/json"})

    def count_end(self, state: str) -> None:
        if "foreign-jobs" in self.wrongs:
            self.stages.labels("decode").observe(100.0)
        self.jobs.labels("done" if "other-state" in self.wrongs else state).inc()
        for stage in STAGES:
            if stage != "persist" or "stage-missing" not in self.wrongs:
                self.stages.labels(stage).observe(100.0 if "too-long" in self.wrongs or "milliseconds" in self.wrongs else 0.0001)


@contextmanager
def serving(service: MetricsService) -> Iterator[MetricsService]:
    """Serve on a free port of the loopback interface; ``service.url`` says where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one piece: in two, the kernel holds back the second for 40 ms

        def handle_one(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            reply = service.answer(self.command, self.path, self.headers, body)
            self.send_response(reply.status)
            for name, value in {"content-length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = handle_one  # noqa: N815  # the names are http.server's

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
