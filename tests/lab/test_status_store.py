"""The StatusStore: its promises hold whoever writes, on both backends."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab.graph_store import s3
from lab.status_store import StatusStore
from lab.status_store.json_file import JsonStatusStore
from lab.traces import CANCELED, COMPLETE, EXPIRED, FAILED, PREDECESSORS, QUEUED, RUNNING, IllegalTransition, TraceRecord, UnknownTrace
from tests.lab.client import eventually


def record(trace_id: str, tenant: str = "alpha", created_at: str = "2026-01-01T00:00:00.000000Z") -> TraceRecord:
    return TraceRecord.accepted(trace_id, tenant, "sentence", "m", created_at)


def do(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a DynamoDB- and S3-compatible server."""
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        port = candidate.getsockname()[1]
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=output, stderr=subprocess.STDOUT
        )

    def listens() -> bool:
        assert server.poll() is None, log.read_text()
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    try:
        eventually(listens, 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def aws(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }


@pytest.fixture(params=["json", "ddb"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StatusStore:
    """A store of each backend."""
    if request.param == "json":
        return JsonStatusStore(tmp_path / "hif/status.json", 1000)
    for name, value in aws(request.getfixturevalue("moto")).items():
        monkeypatch.setenv(name, value)
    from lab.status_store.dynamodb import DynamoDBStatusStore

    return DynamoDBStatusStore(f"status-{os.urandom(4).hex()}")


def test_record_comes_back_as_it_was(store: StatusStore) -> None:
    made = record("tr_1")
    do(store.create(made))
    assert do(store.get("tr_1")) == made
    assert do(store.get("tr_2")) is None
    with pytest.raises(ValueError, match="exists already"):
        do(store.create(made))


def test_transitions_are_forward_only(store: StatusStore) -> None:
    do(store.create(record("tr_1")))
    running = do(store.transition("tr_1", RUNNING, granularity="token", degraded=("reduce-topk",)))
    assert (running.state, running.granularity, running.degraded) == (RUNNING, "token", ("reduce-topk",))
    complete = do(store.transition("tr_1", COMPLETE, graph_uri="file:///g"))
    assert complete.created_at <= complete.queued_at <= complete.started_at <= complete.finished_at == complete.updated_at
    for state in PREDECESSORS:
        with pytest.raises(IllegalTransition) as refused:
            do(store.transition("tr_1", state))
        assert refused.value.record == complete
    assert do(store.get("tr_1")) == complete
    with pytest.raises(UnknownTrace):
        do(store.transition("tr_2", RUNNING))


def test_tenant_cannot_be_changed(store: StatusStore) -> None:
    do(store.create(record("tr_1")))
    with pytest.raises(TypeError, match="tenant_id"):
        do(store.transition("tr_1", RUNNING, tenant_id="beta"))


@pytest.mark.parametrize("state", [CANCELED, FAILED, EXPIRED])
def test_queued_trace_may_end_without_running(store: StatusStore, state: str) -> None:
    do(store.create(record("tr_1")))
    ended = do(store.transition("tr_1", state, error="why"))
    assert (ended.state, ended.started_at, ended.error) == (state, None, "why")
    assert ended.finished_at


def test_lists_are_the_tenants_own_newest_first(store: StatusStore) -> None:
    for number in range(5):
        do(store.create(record(f"tr_{number}", "alpha" if number % 2 else "beta", f"2026-01-01T00:00:0{number}.000000Z")))
    assert [r.trace_id for r in do(store.newest("beta", 2))] == ["tr_4", "tr_2"]
    assert [r.trace_id for r in do(store.newest("alpha", 9))] == ["tr_3", "tr_1"]
    assert do(store.newest("gamma", 9)) == []


def test_unfinished_are_those_created_before(store: StatusStore) -> None:
    for number in range(4):
        do(store.create(record(f"tr_{number}", created_at=f"2026-01-01T00:00:0{number}.000000Z")))
    do(store.transition("tr_0", CANCELED))
    do(store.transition("tr_1", RUNNING))
    assert {r.trace_id for r in do(store.unfinished("2026-01-01T00:00:03.000000Z"))} == {"tr_1", "tr_2"}


def _race(path: Path, names: list[str], state: str, results: Any) -> None:
    store = JsonStatusStore(path, 1000)
    won = 0
    for name in names:
        try:
            asyncio.run(store.transition(name, state))
            won += 1
        except IllegalTransition:
            pass
    results.put((state, won))


def test_of_two_processes_one_wins_each_transition_and_no_write_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    store = JsonStatusStore(path, 1000)
    names = [f"tr_{number}" for number in range(60)]
    for name in names:
        do(store.create(record(name)))
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    racers = [context.Process(target=_race, args=(path, names, state, results)) for state in (CANCELED, FAILED)]
    for racer in racers:
        racer.start()
    won = dict(results.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join()
    assert sum(won.values()) == len(names)
    states = [line["state"] for line in json.loads(path.read_text()).values()]
    assert {state: states.count(state) for state in won} == won


def test_file_is_plain_json_and_others_may_rewrite_it(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    store = JsonStatusStore(path, 1000)
    assert json.loads(path.read_text()) == {}
    for number in range(3):
        do(store.create(record(f"tr_{number}")))
    document = json.loads(path.read_text())
    assert list(document) == ["tr_0", "tr_1", "tr_2"]
    assert document["tr_1"] == record_document(store, "tr_1")
    path.write_text(json.dumps(document, indent=3))
    assert do(JsonStatusStore(path, 1000).transition("tr_1", RUNNING)).state == RUNNING
    assert json.loads(path.read_text())["tr_2"]["state"] == QUEUED


def record_document(store: JsonStatusStore, trace_id: str) -> dict[str, Any]:
    found: TraceRecord = do(store.get(trace_id))
    return found.as_document()


def test_above_its_limit_the_oldest_finished_records_go(tmp_path: Path) -> None:
    store = JsonStatusStore(tmp_path / "status.json", 10)
    for number in range(10):
        do(store.create(record(f"tr_{number}")))
    do(store.transition("tr_3", CANCELED))
    do(store.transition("tr_5", CANCELED))
    do(store.create(record("tr_10")))
    kept = json.loads((tmp_path / "status.json").read_text())
    assert "tr_3" not in kept
    assert len(kept) == 10
    do(store.create(record("tr_11")))
    do(store.create(record("tr_12")))
    assert len(json.loads((tmp_path / "status.json").read_text())) == 11, "what is unfinished stays, whatever the limit"


def test_a_bucket_that_another_service_makes_first_is_taken_as_it_is(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws(moto).items():
        monkeypatch.setenv(name, value)
    place = s3._place

    def made_meanwhile(region: str) -> dict[str, Any]:
        boto3.client("s3").create_bucket(Bucket="contended", **place(region))
        return place(region)

    monkeypatch.setattr(s3, "_place", made_meanwhile)
    store = s3.S3GraphStore("contended", "")
    do(store.put("tr_1", b"{}"))
    assert do(store.get("tr_1")) == b"{}"


def test_lab_on_dynamodb_and_s3(moto: str, start_api: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws(moto).items():
        monkeypatch.setenv(name, value)
    # Of two that make a bucket at once moto answers both that they have, and keeps what is in one of the two.
    boto3.client("s3").create_bucket(Bucket="graphs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    table = f"lab-{os.urandom(4).hex()}"
    stores = ("STATUS_BACKEND=ddb", f"STATUS_DDB_TABLE={table}", "GRAPH_STORE_URI=s3://graphs/of/lab")
    api = start_api(*(argument for setting in stores for argument in ("--set", setting)))
    assert {"status_store", "graphs"}.isdisjoint(api.facts["paths"])
    assert "testing" not in json.dumps(api.facts)
    trace_id = api.submit(granularity="token")
    complete = api.ended(trace_id)
    assert (complete["state"], complete["graph_uri"]) == ("complete", f"s3://graphs/of/lab/{trace_id}.hif.json")
    assert api.ask("GET", f"/v1/traces/{trace_id}/graph").json()["meta"]["trace_id"] == trace_id
    assert api.ask("GET", f"/v1/traces/{trace_id}/graph", "beta-writer").status_code == 404
    assert [row["trace_id"] for row in api.ask("GET", "/v1/traces").json()["data"]] == [trace_id]
    canceled = api.submit(granularity="token")
    assert api.ask("POST", f"/v1/traces/{canceled}/cancel").json()["state"] == "canceled"
    listed = boto3.client("s3").list_objects_v2(Bucket="graphs")["Contents"]
    assert [item["Key"] for item in listed] == [f"of/lab/{trace_id}.hif.json"]
