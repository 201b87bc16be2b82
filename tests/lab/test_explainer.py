"""The explainer of a running lab: lost workers, expiry, backpressure, chaos, webhooks."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from lab.process import lifecycle
from lab.process.state_directory import StateDirectory
from lab.webhooks import signature
from tests.lab.client import Api, eventually
from tests.lab.listener import listening

SLOW = ("--set", "EXPLAIN_SENTENCE_MS=2000", "--set", "EXPLAIN_TOKEN_MS=2000")


def pid_of(api: Api, service: str) -> int:
    rows = lifecycle.status(StateDirectory(Path(api.facts["state_dir"])))["services"]
    return next(row["pid"] for row in rows if row["service"] == service and row["answers"])


@contextmanager
def halted_explainer(api: Api) -> Iterator[None]:
    """Keep the explainer from running, so that what waits for it stays as it is; never while it holds the database the gateway needs."""
    pid, state_dir = pid_of(api, "explainer"), Path(api.facts["state_dir"])

    def halted() -> bool:
        os.kill(pid, signal.SIGSTOP)
        try:
            with closing(sqlite3.connect(state_dir / "sidecar.db", timeout=1, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                database.execute("ROLLBACK")
        except sqlite3.OperationalError:
            os.kill(pid, signal.SIGCONT)
            return False
        return True

    eventually(halted)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_jobs_outlive_an_explainer_that_is_killed(start_api: Callable[..., Api]) -> None:
    api = start_api(*SLOW, "--set", "QUEUE_LEASE_SECONDS=1", "--set", "EXPLAINER_WORKERS=2")
    traces = [api.submit() for _ in range(3)]
    running = eventually(lambda: [t for t in traces if api.status(t)["state"] == "running"])
    before = api.status(running[0])
    os.kill(pid_of(api, "explainer"), signal.SIGKILL)
    done = {trace: api.ended(trace, within=40) for trace in traces}
    assert {status["state"] for status in done.values()} == {"complete"}
    assert done[running[0]]["started_at"] == before["started_at"], "a trace that is run again does not go back"
    for trace in traces:
        assert api.ask("GET", f"/v1/traces/{trace}/graph").json()["meta"]["trace_id"] == trace


def test_job_whose_worker_is_lost_again_and_again_fails(start_api: Callable[..., Api]) -> None:
    api = start_api(*SLOW, "--set", "QUEUE_LEASE_SECONDS=0.5", "--set", "QUEUE_MAX_ATTEMPTS=1")
    trace = api.submit()
    eventually(lambda: api.status(trace)["state"] == "running")
    os.kill(pid_of(api, "explainer"), signal.SIGKILL)
    failed = api.ended(trace, within=40)
    assert (failed["state"], failed["error"]) == ("failed", "its worker was lost 1 times")
    assert api.ask("GET", f"/v1/traces/{trace}/graph").status_code == 409


def test_trace_that_is_not_finished_in_time_expires(start_api: Callable[..., Api]) -> None:
    api = start_api("--set", "EXPLAIN_SENTENCE_MS=60000", "--set", "TRACE_TTL_SECONDS=1")
    trace = api.submit()
    expired = api.ended(trace)
    assert (expired["state"], expired["error"]) == ("expired", "not explained in time")
    assert api.ask("GET", f"/v1/traces/{trace}/graph").status_code == 410
    assert api.ask("POST", f"/v1/traces/{trace}/cancel").status_code == 409
    assert api.metric("explainer", 'explainer_jobs_total{state="expired"}') == 1


def test_ladder_gives_way_step_by_step_and_loses_nothing(start_api: Callable[..., Api]) -> None:
    depths = ("--set", "QUEUE_SOFT_DEPTH=2", "--set", "QUEUE_HARD_DEPTH=8", "--set", "EXPLAINER_WORKERS=1")
    api = start_api(*depths, "--set", "EXPLAIN_TOKEN_MS=300", "--set", "EXPLAIN_SENTENCE_MS=200")
    with halted_explainer(api):
        accepted = [api.submit(granularity="token") for _ in range(8)]
        refused = api.chat(granularity="token")
        assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rate_limit_error")
        assert int(refused.headers["retry-after"]) >= 1
        assert api.metric("gateway", "backpressure_level") == 2
        assert api.chat(granularity=None).status_code == 200, "chat itself is still served"
    ended = [api.ended(trace, within=60) for trace in accepted]
    assert {status["state"] for status in ended} == {"complete"}
    taken = {rung for status in ended for rung in status["degraded"]}
    assert taken == {"reduce-topk", "reduce-layers", "downgrade-granularity"}
    for status in ended:
        downgraded = "downgrade-granularity" in status["degraded"]
        assert status["granularity"] == ("sentence" if downgraded else "token")
    for rung in taken:
        assert api.metric("explainer", f'backpressure_actions_total{{action="{rung}"}}') >= 1
    assert api.metric("gateway", 'backpressure_actions_total{action="refuse-attach"}') == 1
    assert api.chat().status_code == 200


def control(api: Api, flags: object) -> None:
    path = Path(api.facts["paths"]["chaos_control"])
    path.with_suffix(".new").write_text(json.dumps(flags))
    path.with_suffix(".new").replace(path)


def test_chaos(start_api: Callable[..., Api]) -> None:
    api = start_api("--set", "EXPLAIN_SENTENCE_MS=50")

    def outcome() -> tuple[str, str | None, list[str]]:
        status = api.ended(api.submit())
        return status["state"], status["error"], status["degraded"]

    healthy = ("complete", None, [])
    assert outcome() == healthy
    control(api, {"fail-attribution": {"percent": 100, "mode": "fail"}})
    assert outcome() == ("failed", "attribution failed", [])
    control(api, {"fail-attribution": {"percent": 100, "mode": "fallback"}})
    assert outcome() == ("complete", None, ["attribution-fallback"])
    control(api, {"drop-s3": {"percent": 100}})
    assert outcome() == ("failed", "the graph could not be stored", [])
    control(api, {"slow-sae": {"percent": 100, "jitter_ms": 3000}})
    assert outcome() == healthy
    slow = api.metric("explainer", 'explainer_stage_duration_seconds_sum{stage="extract"}')
    assert slow >= 1.5
    control(api, {"rate-limit-spike": {"severity": "hard"}})
    eventually(lambda: api.chat().status_code == 429)
    assert api.chat(granularity=None).status_code == 200
    control(api, {"rate-limit-spike": {"severity": "soft"}})
    eventually(lambda: api.chat().status_code == 200)
    assert outcome() == ("complete", None, ["reduce-topk", "reduce-layers"])
    control(api, {})
    eventually(lambda: outcome() == healthy)
    assert api.metric("explainer", "backpressure_level") == 0
    for fault, count in {"fail-attribution": 2, "drop-s3": 3, "slow-sae": 1}.items():
        assert api.metric("explainer", f'chaos_faults_injected_total{{fault="{fault}"}}') == count


@pytest.mark.parametrize("breaker", ["upstream", "caller"])
def test_broken_off_stream_fails_its_trace(breaker: str, start_api: Callable[..., Api]) -> None:
    api = start_api("--set", "LLM_LATENCY_MS=4000")
    body = {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": "One. Two. Three."}]}
    headers = {"authorization": f"Bearer {api.tokens['alpha-writer']}", "x-explain-mode": "hypergraph"}
    with api.client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer:
        trace = answer.headers["x-trace-id"]
        assert api.status(trace)["state"] == "queued"
        if breaker == "upstream":
            os.kill(pid_of(api, "llm"), signal.SIGKILL)
            answer.read()
    failed = api.ended(trace)
    assert (failed["state"], failed["error"]) == ("failed", "the answer was broken off before its end")


def test_webhook_is_signed_and_retried_until_taken(start_api: Callable[..., Api]) -> None:
    api = start_api()
    with listening(500, 302, 200) as hook:
        made = api.ask("POST", "/v1/webhooks", json={"url": hook.url, "secret": "a-secret-of-mine", "events": ["trace.complete"]})
        foreign = api.ask("POST", "/v1/webhooks", "beta-writer", json={"url": hook.url, "secret": "a-secret-of-beta"})
        assert (made.status_code, foreign.status_code) == (201, 201)
        done = api.ended(api.submit())
        eventually(lambda: len(hook.received) == 3)
        canceled = api.submit(granularity="token")
        api.ask("POST", f"/v1/traces/{canceled}/cancel")
        second = api.ended(api.submit())
        eventually(lambda: len(hook.received) == 4)
    bodies = [json.loads(body) for _, body in hook.received]
    assert [body["trace_id"] for body in bodies] == [done["trace_id"]] * 3 + [second["trace_id"]]
    assert {body["id"] for body in bodies[:3]} == {bodies[0]["id"]}
    assert bodies[0] == {"id": bodies[0]["id"], "event": "trace.complete", **done}
    for headers, body in hook.received:
        expected = signature("a-secret-of-mine", headers["x-hypergraph-timestamp"], body)
        assert headers["x-hypergraph-signature"] == f"sha256={expected}"
    assert eventually(lambda: api.metric("explainer", 'webhook_deliveries_total{outcome="delivered"}') == 2)
    assert api.metric("explainer", 'webhook_deliveries_total{outcome="failed"}') == 2


@pytest.mark.parametrize("event", ["trace.canceled", "trace.expired", "trace.failed"])
def test_every_end_is_announced(event: str, start_api: Callable[..., Api]) -> None:
    settings = {"trace.expired": ("--set", "TRACE_TTL_SECONDS=1")}.get(event, ())
    api = start_api(*SLOW, *settings)
    with listening(200) as hook:
        api.ask("POST", "/v1/webhooks", json={"url": hook.url, "secret": "a-secret-of-mine"})
        if event == "trace.failed":
            control(api, {"fail-attribution": {"percent": 100, "mode": "fail"}})
        trace = api.submit()
        if event == "trace.canceled":
            api.ask("POST", f"/v1/traces/{trace}/cancel")
        eventually(lambda: hook.received)
    assert json.loads(hook.received[0][1])["event"] == event


def test_delivery_outlives_an_explainer_that_is_killed(start_api: Callable[..., Api]) -> None:
    api = start_api("--set", "WEBHOOK_BACKOFF_SECONDS=1", "--set", "WEBHOOK_ATTEMPTS=10")
    with listening(500, 500, 200) as hook:
        api.ask("POST", "/v1/webhooks", json={"url": hook.url, "secret": "a-secret-of-mine"})
        api.ended(api.submit())
        eventually(lambda: hook.received)
        os.kill(pid_of(api, "explainer"), signal.SIGKILL)
        eventually(lambda: len(hook.received) == 3, 40)
