# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the metrics of several endpoints say together, and what they counted between two readings."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.backpressure.readings import Reading, Watcher, counted, read
from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_client import Client

GATEWAY = """# TYPE backpressure_level gauge
backpressure_level {level}
# TYPE backpressure_actions_total counter
backpressure_actions_total{{action="refuse-attach"}} 7
# TYPE http_requests_total counter
http_requests_total{{method="POST",route="/v1/chat/completions",status="200"}} 90
http_requests_total{{method="POST",route="/v1/chat/completions",status="429"}} 7
http_requests_total{{method="GET",route="/v1/models",status="429"}} 2
"""
EXPLAINER = """# TYPE backpressure_level gauge
backpressure_level{{queue="a"}} NaN
backpressure_level{{queue="b"}} 2
# TYPE explainer_queue_lag_seconds gauge
explainer_queue_lag_seconds 3.25
# TYPE backpressure_actions_total counter
backpressure_actions_total{{action="reduce-topk"}} 5
"""
# As prometheus_client writes it by default.
OPENMETRICS = """# TYPE backpressure_actions counter
backpressure_actions_total{{action="refuse-attach"}} 7.0
backpressure_actions_created{{action="refuse-attach"}} 1.79e+09
# TYPE http_requests counter
http_requests_total{{status="429"}} 9.0
http_requests_created{{status="429"}} 1.79e+09
# EOF
"""
PAGES = {
    "/gateway": (GATEWAY, "text/plain; version=0.0.4"),
    "/explainer": (EXPLAINER, "text/plain; version=0.0.4"),
    "/openmetrics": (OPENMETRICS, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
}


class Page:
    """What the server exposes and answers to chats; a test changes it while it goes."""

    level = 0
    chat = 200


@contextmanager
def exposing(page: Page) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            text, kind = PAGES.get(self.path, ("", "text/plain"))
            self.answer(200 if text else 503, text.format(level=page.level).encode(), ("Content-Type", kind))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.answer(page.chat, b"{}", *([("x-trace-id", "tr_1")] if page.chat == 200 else []))

        def answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in (*headers, ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_told: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_levels_and_lags_are_the_highest_and_counters_add_up() -> None:
    with exposing(Page()) as url:
        reading = read(Client(Connection(url)), [f"{url}/gateway", f"{url}/explainer"])
    assert reading == Reading(2.0, 3.25, {"refuse-attach": 7.0, "reduce-topk": 5.0}, 9.0)


def test_when_a_counter_was_created_is_no_part_of_what_it_counted() -> None:
    with exposing(Page()) as url:
        assert read(Client(Connection(url)), [f"{url}/openmetrics"]) == Reading(None, None, {"refuse-attach": 7.0}, 9.0)


def test_an_endpoint_that_does_not_answer_is_named() -> None:
    with exposing(Page()) as url, pytest.raises(CheckError, match="/nowhere answered 503"):
        read(Client(Connection(url)), [f"{url}/nowhere"])


def test_counted_is_the_difference_and_the_extremes_between() -> None:
    before = Reading(0.0, 0.0, {"reduce-topk": 2.0}, 1.0)
    after = Reading(0.0, 0.0, {"reduce-topk": 5.0, "refuse-attach": 4.0}, 5.0)
    found = counted(before, after, [Reading(2.0, 3.0), Reading(None, None)])
    assert (found.actions, found.refused, found.level, found.lag_s, found.readings) == (
        {"reduce-topk": 3.0, "refuse-attach": 4.0},
        4.0,
        2.0,
        3.0,
        3,
    )
    assert not found.went_back
    assert counted(after, before, []).went_back
    nothing = counted(Reading(None, None), Reading(None, None), [])
    assert (nothing.actions, nothing.refused, nothing.level, nothing.lag_s) == (None, None, None, None)


@pytest.mark.parametrize(
    ("level", "chat", "recovered", "said"),
    [(0, 200, True, "was accepted"), (1, 200, False, "was accepted"), (0, 429, False, "was answered 429")],
)
def test_recovery_takes_an_accepted_chat_and_a_level_of_0(level: int, chat: int, recovered: bool, said: str) -> None:
    page = Page()
    page.level, page.chat = level, chat
    with exposing(page) as url:
        watcher = Watcher(Connection(url), [f"{url}/gateway"], None, "m", every_s=0.02, patience_s=0.2)
        watcher.start()
        watcher.release()
        watcher.join()
    assert watcher.recovery is not None
    assert (watcher.recovery.seconds is not None, watcher.recovery.level, watcher.recovery.last_answer) == (recovered, level, said)
    assert bool(watcher.trace_ids) == (chat == 200)
    assert bool(watcher.refused) == (chat == 429)


def test_a_watcher_that_is_stopped_before_the_release_saw_no_recovery() -> None:
    with exposing(Page()) as url:
        watcher = Watcher(Connection(url), [f"{url}/gateway"], None, "m", every_s=0.01, patience_s=5.0)
        watcher.start()
        while not watcher.readings:
            pass
        watcher.stop()
    assert watcher.recovery is None
    assert watcher.lag_s == 0.0
