# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The StatusStore check, on real files, a real DynamoDB API, and a service that writes its traces as an explainer does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection, Token
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import Examination
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store import check, json_file, records
from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store.json_file import JsonFile
from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store.records import StoredRecord, TornRead, survey
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.tenant_service import Reply, TenantService, serving

ALPHA = Token("alpha-writer", "alpha-token-0123456789", "alpha", frozenset(["traces:write"]))
MIB = 1024 * 1024


def record(tenant: str = "alpha", state: str = "complete", **more: Any) -> dict[str, Any]:
    return {"tenant_id": tenant, "state": state, "degraded": [], "error": None, **more}


OLD = {"old-1": record(), "old-2": record("beta", "failed")}


class Explaining(TenantService):
    """A service that stores its traces in a file by renaming, first queued and a moment later complete.

    ``ending`` and ``rewriting`` may change the own record, and all records, when the trace completes.
    """

    def __init__(
        self,
        path: Path,
        *,
        starts: dict[str, Any] | None = None,
        ending: dict[str, Any] | None = None,
        others: dict[str, Any] | None = None,
        stores: bool = True,
    ) -> None:
        super().__init__()
        self.path = path
        self.content: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        self.starts = starts or record(state="queued")
        self.ending = ending or record()
        self.others = others or {}
        self.stores = stores

    def chat(self, tenant: str, label: str | None, headers: Any, body: Any) -> Reply:
        reply = super().chat(tenant, label, headers, body)
        if self.stores:
            trace_id = reply.headers["x-trace-id"]
            self.write({trace_id: self.starts})
            threading.Timer(0.15, self.write, [{trace_id: self.ending, **self.others}]).start()
        return reply

    def write(self, changes: dict[str, Any]) -> None:
        self.content.update(changes)
        replace(self.path, self.content)


def replace(path: Path, content: Any) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content))
    draft.replace(path)


def examination(url: str, path: Path | str, *, who: tuple[Token, ...] = (ALPHA,), **options: Any) -> Examination:
    params = {
        "model": "m",
        "trace_deadline": options.pop("within", 3.0),
        "backend": "json",
        "path": str(path),
        "max_bytes": options.pop("max_bytes", 256 * MIB),
        "table": None,
        "endpoint_url": None,
        "region": None,
        **options.pop("params", {}),
    }
    connection = Connection(url, who, timeout=2.0, auth_mode=options.pop("auth_mode", "static"))
    return Examination(Verdict("tenant_isolation"), connection, params, **options)


def verdict_of(run: Examination) -> dict[str, Any]:
    try:
        check.examine(run)
    except CheckError as fault:
        run.verdict.error(fault.reason_code, fault.reason, fault.action)
    return run.verdict.to_dict()


def verdict_on(service: Explaining, **options: Any) -> dict[str, Any]:
    with serving(service):
        return verdict_of(examination(service.url, service.path, **options))


def read_only(path: Path | str, **options: Any) -> dict[str, Any]:
    """The verdict of the reading part alone."""
    return verdict_of(examination("http://127.0.0.1:9", path, check_mode=True, **options))


def failing(document: dict[str, Any]) -> set[str]:
    return {item["reason_code"] for item in document["assertions"] if not item["ok"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    replace(tmp_path / "status.json", OLD)
    return tmp_path / "status.json"


def test_a_sound_store_passes_and_says_what_was_examined(path: Path) -> None:
    document = verdict_on(Explaining(path))
    assert document["status"] == "pass", document["reason"]
    assert document["examined"] == {"stored records": 3, "records read twice": 2}
    assert [item["name"] for item in document["controls"]] == ["the check's own trace is found in the store"]
    own = next(item for item in document["assertions"] if "own trace" in item["name"])
    assert own["observed"] == ["queued: alpha", "complete: alpha"]
    assert document["evidence"]["states"] == {"complete": 2, "failed": 1}
    assert document["evidence"]["tenants"] == 2


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ({"ending": record("beta")}, "the check's own trace was filed under alpha, then beta; it was submitted by alpha"),
        ({"starts": record("", "queued")}, "the check's own trace was filed under no tenant from the start; it was submitted by alpha"),
    ],
)
def test_the_story_of_the_own_trace_is_told(path: Path, service: dict[str, Any], reason: str) -> None:
    document = verdict_on(Explaining(path, **service))
    assert reason in [item["reason"] for item in document["assertions"]]


@pytest.mark.parametrize(
    ("service", "reason_code"),
    [
        ({"ending": record("shared")}, "tenant-changed"),
        ({"starts": record("shared", "queued")}, "tenant-changed"),
        ({"starts": record("shared", "queued"), "ending": record("shared")}, "tenant-changed"),
        ({"others": {"old-1": record("beta")}}, "tenant-changed"),
        ({"others": {"old-2": record("", "failed")}}, "status-store-tenant-missing"),
        ({"others": {"old-2": record("beta", "paused")}}, "status-store-state-unknown"),
        ({"others": {"old-2": record("beta", trace_id="old-1")}}, "status-store-id-ambiguous"),
    ],
)
def test_each_defect_is_named(path: Path, service: dict[str, Any], reason_code: str) -> None:
    document = verdict_on(Explaining(path, **service))
    assert (document["status"], document["reason_code"]) == ("fail", reason_code), document["reason"]


def test_a_rewrite_after_the_end_is_seen_by_the_last_reading() -> None:
    verdict = Verdict("tenant_isolation")
    sightings = [StoredRecord("t", "t", "alpha", "queued"), StoredRecord("t", "t", "alpha", "complete")]
    records.judge_own(verdict, "alpha", sightings)
    assert not verdict.failed
    records.judge_own(verdict, "alpha", [*sightings, StoredRecord("t", "t", "beta", "complete")])
    assert verdict.failed


def test_records_that_come_and_go_do_not_count_as_changed(path: Path) -> None:
    service = Explaining(path)
    del service.content["old-2"]
    service.others = {"new-1": record("beta")}
    document = verdict_on(service)
    assert document["status"] == "pass", document["reason"]
    assert document["examined"]["records read twice"] == 1


def test_a_store_that_is_born_with_the_first_trace_passes(tmp_path: Path) -> None:
    document = verdict_on(Explaining(tmp_path / "status.json"))
    assert document["status"] == "pass", document["reason"]
    assert document["examined"] == {"stored records": 1}


def test_a_trace_that_is_not_in_the_store_is_inconclusive(path: Path) -> None:
    document = verdict_on(Explaining(path, stores=False), within=0.2)
    assert (document["status"], document["reason_code"]) == ("inconclusive", "own-trace-not-stored")


def test_a_trace_that_does_not_end_is_inconclusive(path: Path) -> None:
    document = verdict_on(Explaining(path, ending=record(state="running")), within=0.3)
    assert (document["status"], document["reason_code"]) == ("inconclusive", "deadline-exceeded")


def test_without_a_gateway_the_store_is_still_judged(path: Path) -> None:
    replace(path, {**OLD, "bad": record("")})
    with serving(TenantService()) as service:
        url = service.url
    document = verdict_of(examination(url, path))
    assert (document["status"], document["reason_code"]) == ("fail", "status-store-tenant-missing")
    assert [item["reason_code"] for item in document["errors"]] == ["service-unreachable"]


def test_without_gateway_and_store_both_are_named(tmp_path: Path) -> None:
    with serving(TenantService()) as service:
        url = service.url
    document = verdict_of(examination(url, tmp_path / "status.json"))
    assert document["status"] == "error"
    assert {item["reason_code"] for item in document["errors"]} == {"service-unreachable", "status-store-missing"}


@pytest.mark.parametrize(("options", "skip_class"), [({"check_mode": True}, "disabled_by_config"), ({"who": ()}, "dependency_missing")])
def test_without_a_trace_of_its_own_it_still_reads(path: Path, options: dict[str, Any], skip_class: str) -> None:
    service = Explaining(path)
    document = verdict_on(service, **options)
    assert document["status"] == "pass"
    assert [item["skip_class"] for item in document["skips"]] == [skip_class]
    assert document["skips"][0]["reason"] in document["reason"]
    assert document["examined"] == {"stored records": 2, "records read twice": 2}
    assert service.traces == {}


def test_without_authority_there_are_no_tenants_to_examine(path: Path) -> None:
    document = verdict_on(Explaining(path), auth_mode="none")
    assert (document["status"], document["reason_code"]) == ("skip", "disabled_by_config")


def test_an_empty_store_is_no_pass(path: Path) -> None:
    path.write_text("{}")
    document = read_only(path)
    assert (document["status"], document["reason_code"]) == ("inconclusive", "nothing-examined")


def test_offenders_are_counted_and_exemplified(path: Path) -> None:
    replace(path, {f"t{number}": record("") for number in range(1000)})
    document = read_only(path)
    observed = next(item["observed"] for item in document["assertions"] if not item["ok"])
    assert observed == {"records": 1000, "examples": ["t0", "t1", "t2", "t3", "t4"]}


@pytest.mark.parametrize("missing", ["nowhere.json", "no/such/dir/status.json"])
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_missing_store_is_an_error_that_names_it(tmp_path: Path, missing: str, check_mode: bool) -> None:
    service = Explaining(tmp_path / missing, stores=False)
    document = verdict_on(service, within=0.1, check_mode=check_mode)
    assert (document["status"], document["reason_code"]) == ("error", "status-store-missing")
    assert len(document["errors"]) == 1
    assert str(tmp_path / missing) in document["reason"]


@contextmanager
def as_nobody(path: Path) -> Iterator[str]:
    """Act as a user who may not read the file; yields the user's name."""
    import pwd

    if os.geteuid():
        path.chmod(0)
        yield pwd.getpwuid(os.geteuid()).pw_name
        path.chmod(0o600)
        return
    nobody = pwd.getpwnam("nobody")
    path.chmod(0o600)
    os.seteuid(nobody.pw_uid)
    try:
        yield "nobody"
    finally:
        os.seteuid(0)


def test_wrong_permissions_name_path_user_and_remedy(path: Path) -> None:
    with as_nobody(path) as user:
        document = read_only(path)
    assert (document["status"], document["reason_code"]) == ("error", "status-store-forbidden")
    assert str(path) in document["reason"]
    assert f"user {user}" in document["reason"]
    assert "become" in document["action"]


def test_a_user_without_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 2**31 - 7)
    assert json_file._user() == str(2**31 - 7)


def test_a_file_above_the_limit_is_not_read(path: Path) -> None:
    document = read_only(path, max_bytes=100)
    assert (document["status"], document["reason_code"]) == ("error", "status-store-too-large")
    assert str(path.stat().st_size) in document["reason"]


def test_a_file_that_grows_while_it_is_read_is_left(path: Path) -> None:
    with path.open(encoding="utf-8") as file:
        window = json_file._Window(file, path.stat().st_size - 1)
        with pytest.raises(ValueError, match="grows"):
            window.peek()


def test_what_is_no_file_is_an_error_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for odd in (tmp_path, tmp_path / "pipe", tmp_path / ("x" * 300), "nul\0byte"):
        with pytest.raises(CheckError) as fault:
            list(JsonFile(str(odd), MIB).records())
        assert fault.value.reason_code == "status-store-unreadable"
        assert not isinstance(fault.value, TornRead)


def read(content: str | bytes, tmp_path: Path) -> list[StoredRecord]:
    path = tmp_path / "content.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(JsonFile(str(path), 64 * MIB).records())


A, B = {"trace_id": "a", **record()}, {"trace_id": "b", **record("beta")}


@pytest.mark.parametrize(
    "layout",
    [
        {"a": A, "b": B},
        {"a": record(), "b": record("beta")},
        [A, B],
        {"traces": {"a": A, "b": B}},
        {"traces": [A, B]},
        {"schema": 1, "traces": {"a": A, "b": B}, "updated_at": "now"},
        {"about": {"writer": "explainer"}, "traces": [A, B]},
    ],
    ids=["mapping", "bare", "list", "traces-mapping", "traces-list", "schema-first", "object-first"],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_layouts(layout: Any, indent: int | None, tmp_path: Path) -> None:
    found = read(json.dumps(layout, indent=indent) + "\n", tmp_path)
    assert [(item.id, item.tenant_id, item.state) for item in found] == [("a", "alpha", "complete"), ("b", "beta", "complete")]


@pytest.mark.parametrize("empty", ["{}", "[]", " [ ] ", '{"traces": {}}', '{"traces": []}'])
def test_empty_layouts(empty: str, tmp_path: Path) -> None:
    assert read(empty, tmp_path) == []


@pytest.mark.parametrize("layout", [{"a": A, "b": B}, {"schema": 1, "traces": [A, B]}])
def test_every_half_written_file_is_torn(layout: Any, tmp_path: Path) -> None:
    whole = json.dumps(layout)
    assert len(read(whole, tmp_path)) == 2
    for length in range(len(whole)):
        with pytest.raises(TornRead, match="near character"):
            read(whole[:length], tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xef\xbb\xbf{}", "found \ufeff"),
        (b'{"a": {"state": "\xff"}}', "utf-8"),
        ("42", "expected {"),
        ('{"a": {"state": "queued"}} {}', "something follows"),
        ('{"a": {"state": "queued", "tenant_id": "x", "tenant_id": "y"}}', "'tenant_id' occurs twice"),
        ('{"a": {"state": "queued", "score": NaN}}', "NaN is not JSON"),
        ('{"a": {"state": "queued"}, "b": 3}', "record b is a int"),
        ("[3]", "a record is a int"),
        ('{"a": {"state": ' + "[" * 100_000, "nested too deeply"),
        ('{"schema": 1}', "neither records nor"),
        ('{"schema": 1, "traces": [], "traces": []}', "occurs twice"),
        ("{3: 4}", "expected a key"),
        ('{"a" 4}', "expected :"),
        ('{"a": {"state": "queued"} "b": {}}', "expected , or }"),
        ('{"a": {"state": "queued", "error": "' + "x" * 6 * MIB + '"}}', "longer than"),
        ('{"a": {"state": "queued"}, "b": ' + "9" * 5000 + "}", ""),
    ],
)
def test_what_is_no_store_is_torn_for_a_stated_reason(content: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(TornRead) as fault:
        read(content, tmp_path)
    assert fault.value.reason_code == "status-store-unreadable"
    assert said in fault.value.reason


def test_a_torn_file_that_is_repaired_is_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(json.dumps(OLD)[:-20])
    monkeypatch.setattr(check.time, "sleep", lambda _seconds: replace(path, OLD))
    assert read_only(path)["status"] == "pass"


def test_a_torn_file_that_stays_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(check.time, "sleep", pauses.append)
    path.write_text(json.dumps(OLD)[:-20])
    document = read_only(path)
    assert (document["status"], document["reason_code"]) == ("error", "status-store-unreadable")
    assert len(pauses) == 4
    assert document["assertions"] == []


def test_a_file_that_is_torn_each_time_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def tear_again(_seconds: float) -> None:
        written.append("{" * (len(written) + 1))
        path.write_text(written[-1])

    path.write_text("")
    monkeypatch.setattr(check.time, "sleep", tear_again)
    assert read_only(path)["reason_code"] == "status-store-unreadable"
    assert len(written) == 3


def test_records_longer_than_a_read_are_whole(tmp_path: Path) -> None:
    many = {f"t{number}": record(error="é" * 700_000) for number in range(12)}
    found = read(json.dumps(many, ensure_ascii=False), tmp_path)
    assert [item.id for item in found] == list(many)


@pytest.mark.parametrize(
    ("stored", "offence"),
    [
        ([("a", "a"), ("a", "a")], "a occurs again"),
        ([(None, "a"), (None, "a")], "a occurs again"),
        ([(None, "a"), (None, "")], "record 2 has no trace_id"),
        ([("a", "b")], "a holds trace_id b"),
        ([("a", ""), ("b", "b")], ""),
    ],
)
def test_ids_must_be_of_one_record(stored: list[tuple[str | None, str]], offence: str) -> None:
    seen = survey(StoredRecord(key, trace_id, "alpha", "queued") for key, trace_id in stored)
    assert seen.ambiguous.examples == ([offence] if offence else [])


@pytest.mark.parametrize("tenant", ["", "  ", None, 7, ["alpha"]])
def test_a_tenant_must_be_a_text(tenant: Any) -> None:
    assert survey([StoredRecord.read("a", {"tenant_id": tenant, "state": "queued"})]).without_tenant.count == 1


def test_200_mib_are_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    filler = json.dumps("x" * 10_000)
    with path.open("w") as file:
        file.write("{")
        for number in range(21_000):
            comma = "," if number else ""
            file.write(f'{comma}"t{number:06}": {{"tenant_id": "tenant-{number % 50}", "state": "complete", "error": {filler}}}')
        file.write("}")
    assert path.stat().st_size > 200 * MIB
    program = (
        "import resource, sys\n"
        "from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store.json_file import JsonFile\n"
        "from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store.records import survey\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (96 << 20, 96 << 20))\n"
        "seen = survey(JsonFile(sys.argv[1], 256 << 20).records())\n"
        "print(seen.records, len(seen.tenants), seen.without_tenant.count)\n"
    )
    import ansible_collections

    roots = os.pathsep.join(str(Path(root).parent) for root in ansible_collections.__path__)
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], env={**os.environ, "PYTHONPATH": roots}, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["21000", "21000", "0"], done.stderr


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[str]:
    pytest.importorskip("boto3")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def table(dynamodb: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Any]]:
    """An empty table: its service's address and a client."""
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = boto3.client("dynamodb", endpoint_url=dynamodb, region_name="eu-central-1")
    client.create_table(
        TableName="status",
        KeySchema=[{"AttributeName": "trace_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "trace_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield dynamodb, client
    client.delete_table(TableName="status")


def put(client: Any, trace_id: str, tenant: str | None, state: str = "complete") -> None:
    told = {} if tenant is None else {"tenant_id": {"S": tenant}}
    client.put_item(TableName="status", Item={"trace_id": {"S": trace_id}, "state": {"S": state}, "error": {"NULL": True}, **told})


def of_table(endpoint: str, **params: Any) -> dict[str, Any]:
    return {"backend": "ddb", "table": "status", "endpoint_url": endpoint, "region": "eu-central-1", **params}


class TableExplaining(TenantService):
    """A service that stores its traces in a table."""

    def __init__(self, client: Any, ending_tenant: str) -> None:
        super().__init__()
        self.client = client
        self.ending_tenant = ending_tenant

    def chat(self, tenant: str, label: str | None, headers: Any, body: Any) -> Reply:
        reply = super().chat(tenant, label, headers, body)
        put(self.client, reply.headers["x-trace-id"], tenant, "queued")
        threading.Timer(0.15, put, [self.client, reply.headers["x-trace-id"], self.ending_tenant]).start()
        return reply


@pytest.mark.parametrize(("ending", "status", "reason_code"), [("alpha", "pass", ""), ("beta", "fail", "tenant-changed")])
def test_a_table_is_followed_like_a_file(table: tuple[str, Any], ending: str, status: str, reason_code: str) -> None:
    endpoint, client = table
    put(client, "old-1", "beta")
    with serving(TableExplaining(client, ending)) as service:
        document = verdict_of(examination(service.url, "unused", params=of_table(endpoint)))
    assert (document["status"], document["reason_code"]) == (status, reason_code), document["reason"]
    assert document["examined"] == {"stored records": 2, "records read twice": 1}
    assert document["evidence"]["store"] == "DynamoDB table status"


def test_a_table_of_many_pages_is_read_whole(table: tuple[str, Any]) -> None:
    endpoint, client = table
    for number in range(30):
        client.put_item(
            TableName="status",
            Item={
                "trace_id": {"S": f"t{number}"},
                "tenant_id": {"S": "alpha" if number else ""},
                "state": {"S": "complete"},
                "error": {"S": "x" * 200_000},
            },
        )
    document = read_only("unused", params=of_table(endpoint))
    assert document["examined"]["stored records"] == 30
    assert document["reason_code"] == "status-store-tenant-missing"


@pytest.mark.parametrize(
    ("params", "reason_code"),
    [
        ({"table": "elsewhere"}, "status-store-missing"),
        ({"endpoint_url": "http://127.0.0.1:9"}, "status-store-unreadable"),
        ({"endpoint_url": "ftp://127.0.0.1"}, "bad-url"),
        ({"region": None}, "status-store-unreadable"),
    ],
)
def test_a_table_that_cannot_be_read_is_an_error(
    table: tuple[str, Any], params: dict[str, Any], reason_code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    document = read_only("unused", params=of_table(table[0], **params))
    assert (document["status"], document["reason_code"]) == ("error", reason_code), document["reason"]


@pytest.mark.parametrize(
    ("code", "reason_code"),
    [
        ("AccessDeniedException", "status-store-forbidden"),
        ("ExpiredTokenException", "status-store-forbidden"),
        ("ValidationException", "status-store-unreadable"),
        ("InternalServerError", "status-store-unreadable"),
    ],
)
def test_refusals_of_the_database_are_told_apart(table: tuple[str, Any], code: str, reason_code: str) -> None:
    class Refusing(TenantService):
        def answer(self, method: str, target: str, headers: Any, body: Any) -> Reply:
            return Reply(400, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"})

    with serving(Refusing()) as service:
        document = read_only("unused", params=of_table(service.url))
    assert (document["status"], document["reason_code"]) == ("error", reason_code), document["reason"]
    assert code in document["reason"]


def test_without_boto3_a_table_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    document = verdict_of(examination("http://127.0.0.1:9", "unused", params=of_table("http://127.0.0.1:9")))
    assert (document["status"], document["reason_code"]) == ("skip", "dependency_missing")
    assert "boto3" in document["reason"]
