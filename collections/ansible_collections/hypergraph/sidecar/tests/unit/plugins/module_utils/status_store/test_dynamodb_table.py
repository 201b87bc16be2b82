# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The StatusStore check on a table behind a real DynamoDB API."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.status_store.judged_store import (
    examination,
    read_only,
    verdict_of,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.tenant_service import Reply, TenantService, serving


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
