"""An LLM's API over HTTP that answers as it is told, and compresses as servers do: where that is accepted, or whether it is or not."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOLD = "A graph joins two nodes. Every graph is a hypergraph."


@dataclass
class Upstream:
    """What to answer: a status, headers, and for a status other than 200 a body."""

    url: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    compresses_always: bool = False

    def content(self, path: str, asked: Any) -> tuple[str, bytes]:
        """Media type and body."""
        if self.status != 200:
            return "application/json", self.body
        if path.endswith("/models"):
            return "application/json", json.dumps({"object": "list", "data": []}).encode()
        if asked.get("stream"):
            deltas = [{"choices": [{"index": 0, "delta": {"content": f"{word} "}}]} for word in TOLD.split()]
            return "text/event-stream", b"".join(f"data: {part}\n\n".encode() for part in (*map(json.dumps, deltas), "[DONE]"))
        return "application/json", json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": TOLD}}]}).encode()


@contextmanager
def answering() -> Iterator[Upstream]:
    """An upstream on a free port of loopback."""
    upstream = Upstream()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
            kind, body = upstream.content(self.path, asked)
            self.send_response(upstream.status)
            if upstream.compresses_always or "gzip" in self.headers.get("accept-encoding", ""):
                body = gzip.compress(body)
                self.send_header("content-encoding", "gzip")
            for name, value in {"content-type": kind, "content-length": str(len(body)), **upstream.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815  # http.server's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    upstream.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield upstream
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
