# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching a service that does what a test tells it."""

from __future__ import annotations

import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.symptoms import Steadiness, Symptom, TraceSeen
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.watching import Plan, Watch
from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection
from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_client import Client

GOOD = {"state": "complete", "created_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:00:00.2Z", "degraded": []}
SLOW = {**GOOD, "finished_at": "2026-01-01T00:00:01.2Z"}
BAD = {"state": "failed", "error": "attribution failed"}
QUEUED = {"state": "queued"}
FAILING = Symptom("failed")


class Service:
    """Answers chats, 429 for those that ask for an explanation where ``refuses``, and gives the n-th trace the n-th fate."""

    def __init__(self, fates, refuses=False, chat_status=200, exposes=None):
        service = self
        self.exposes = exposes or itertools.repeat("")
        self.fates = iter(fates)
        self.statuses = {}
        ids = itertools.count()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def answer(self, status, body, **headers):
                raw = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(raw)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                if not self.headers.get("x-explain-mode"):
                    return self.answer(chat_status, {})
                if refuses:
                    return self.answer(429, {})
                trace_id = f"t{next(ids)}"
                service.statuses[trace_id] = next(service.fates)
                return self.answer(200, {}, **{"x-trace-id": trace_id})

            def do_GET(self):
                if self.path == "/metrics":
                    raw = next(service.exposes).encode()
                    self.send_response(200)
                    self.send_header("Content-Type", "text/plain; version=0.0.4")
                    self.send_header("Content-Length", str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw)
                else:
                    fate = service.statuses[self.path.split("/")[3]]
                    self.answer(*((200, fate) if isinstance(fate, dict) else (fate, {})))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def watch(self):
        connection = Connection(self.url, auth_mode="none", timeout=5.0)
        return Watch(Client(connection), None, "m", "sentence")


@pytest.fixture
def serve():
    services = []

    def start(*arguments, **options):
        services.append(Service(*arguments, **options))
        return services[-1].watch()

    yield start
    for service in services:
        service.server.shutdown()
        service.server.server_close()


def plan(**changes):
    wanted = {
        "traces": 4,
        "chats": 3,
        "trace_deadline": 5.0,
        "steadiness": Steadiness(2.0),
        "symptom": FAILING,
        "within": 5.0,
        "patience": 5.0,
        "usual_seconds": 0.2,
    }
    return Plan(**{**wanted, **changes})


def test_a_healthy_service_is_steady(serve):
    seen = serve(itertools.repeat(GOOD)).before(plan())
    assert (seen["steady"], seen["usual_seconds"], len(seen["traces"]), len(seen["chats"])) == (True, 0.2, 4, 3)
    assert seen["summary"]["outcomes"] == {"complete": 4}


@pytest.mark.parametrize(
    "fate",
    [BAD, {**GOOD, "finished_at": "2026-01-01T00:00:02.1Z"}, {**GOOD, "degraded": ["reduce-topk"]}, 500, GOOD | {"finished_at": "then"}],
)
def test_one_bad_trace_is_not_steady(serve, fate):
    assert not serve([GOOD, GOOD, fate, GOOD]).before(plan())["steady"]


def test_a_trace_that_does_not_end_is_unfinished(serve):
    seen = serve([QUEUED] * 4).before(plan(trace_deadline=0.2))
    assert seen["summary"]["outcomes"] == {"unfinished": 4}
    assert not seen["steady"]


def test_a_fault_is_looked_for_until_it_shows_and_only_that_round_is_told(serve):
    seen = serve([GOOD] * 8 + [BAD] * 4).during(plan())
    assert (seen["seen"], seen["summary"]["outcomes"], len(seen["chats"])) == (True, {"failed": 4}, 3)
    assert seen["summary"]["said"] == "attribution failed"


def test_a_fault_that_does_not_show_is_given_up(serve):
    seen = serve(itertools.repeat(GOOD)).during(plan(within=0.3))
    assert not seen["seen"]


def test_refusals_are_seen_and_chats_are_not_traces(serve):
    seen = serve([], refuses=True).during(plan(symptom=Symptom("refused")))
    assert (seen["seen"], seen["summary"]["outcomes"]) == (True, {"refused": 4})
    assert [chat["status"] for chat in seen["chats"]] == [200] * 3
    assert [chat["status"] for chat in serve([], refuses=True, chat_status=503).during(plan(symptom=Symptom("refused")))["chats"]] == [
        503
    ] * 3


def test_an_absent_service_is_lost_not_crashed(serve):
    watch = serve([])
    watch.client._connection = Connection("http://127.0.0.1:1", auth_mode="none")
    seen = watch.before(plan(traces=2, chats=2))
    assert (seen["steady"], seen["summary"]["outcomes"]) == (False, {"lost": 2})
    assert [chat["status"] for chat in seen["chats"]] == [0, 0]


def test_recovery_is_the_first_of_three_in_a_row(serve):
    seen = serve([BAD, GOOD, BAD, GOOD, GOOD, GOOD]).after(plan())
    traces = [TraceSeen.read(item) for item in seen["traces"]]
    assert [trace.outcome for trace in traces] == ["complete" if good else "failed" for good in (0, 1, 0, 1, 1, 1)]
    assert seen["recovered"] == traces[3].ended
    assert not seen["lasting"]


def test_a_lasting_fault_is_told_from_another_trouble(serve):
    brief = {"within": 0.2, "patience": 0.2}
    assert serve(itertools.repeat(BAD)).after(plan(**brief))["lasting"]
    other = serve(itertools.repeat({"state": "canceled"})).after(plan(**brief))
    assert (other["recovered"], other["lasting"]) == (None, False)


@pytest.mark.parametrize(("usual", "slow"), [(0.2, True), (0.8, False)])
def test_slower_is_by_comparison(usual, slow):
    trace = TraceSeen("complete", 0.0, 1.0, seconds=1.2)
    assert Symptom("slower", by_seconds=0.5).shown_by(trace, usual) is slow


def test_degraded_is_what_the_status_says(serve):
    fate = {**GOOD, "degraded": ["attribution-fallback"]}
    assert serve([fate] * 2 + [GOOD] * 2).during(plan(symptom=Symptom("degraded")))["seen"]
    assert not serve(itertools.cycle([fate, GOOD, GOOD, GOOD])).during(plan(symptom=Symptom("degraded"), within=0.1))["seen"]


def injected(*counts):
    """What an endpoint exposes at one look after the other; None where it does not expose the family."""
    head = "# TYPE faults_total counter\n"
    for count in counts:
        yield "up 1\n" if count is None else f'{head}faults_total{{fault="drop-s3"}} {count}\nfaults_total{{fault="slow-sae"}} 7\n'


@pytest.mark.parametrize(
    ("counts", "where_exposed", "seen", "counted"),
    [
        ((3, 5), False, True, True),
        ((3, 3, 3, 3, 3, 3), False, False, False),
        ((3, 3, 4), False, True, True),
        ((9, 2), False, True, True),
        ((None, 2), False, True, True),
        ((None,) * 6, True, True, None),
        ((None,) * 6, False, False, False),
    ],
)
def test_a_counter_has_to_rise_too(counts, where_exposed, seen, counted):
    symptom = Symptom.read(
        {"symptom": "failed", "metric": {"name": "faults_total", "labels": {"fault": "drop-s3"}, "where_exposed": where_exposed}}
    )
    service = Service([BAD] * 8, exposes=itertools.chain(injected(*counts), itertools.repeat("")))
    # With three readings the second round has to be looked at.
    wanted = plan(symptom=symptom, endpoints=(f"{service.url}/metrics",), within=5.0 if len(counts) == 3 else 0.0)
    try:
        found = service.watch().during(wanted)
    finally:
        service.server.shutdown()
        service.server.server_close()
    assert (found["seen"], found["counted"]) == (seen, counted)


def test_a_watch_lasts_as_long_as_it_is_held(serve):
    watch = serve(itertools.repeat(GOOD))
    assert watch.before(plan(hold=0.8))["duration"] >= 0.8
    assert serve(itertools.repeat(GOOD)).after(plan(hold=1.0))["duration"] >= 1.0
    assert serve(itertools.repeat(BAD)).during(plan(hold=0.9))["duration"] >= 0.9
