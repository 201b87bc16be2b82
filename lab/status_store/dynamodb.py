"""Trace records in a DynamoDB table: key ``trace_id``, and an index by tenant and time for lists.

The promises of the store are conditions of its writes: a record is put only where none is, and replaced only while it is as it was read.
boto3 reads where the service is from AWS_* variables.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from anyio.to_thread import run_sync
from boto3.dynamodb.conditions import Attr, Key  # type: ignore[import-untyped]
from boto3.session import Session  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from lab.traces import TERMINAL, TraceRecord, UnknownTrace

_INDEX = "tenant-created"


class DynamoDBStatusStore:
    """Records in a table, which is created where it is missing; see StatusStore."""

    def __init__(self, table: str) -> None:
        resource: Any = Session().resource("dynamodb", config=Config(retries={"max_attempts": 3}, connect_timeout=2, read_timeout=10))
        self._table = resource.Table(table)
        try:
            self._table.load()
        except ClientError as problem:
            if not _is(problem, "ResourceNotFoundException"):
                raise
            self._create(resource, table)

    async def create(self, record: TraceRecord) -> None:
        """See StatusStore."""
        try:
            await run_sync(lambda: self._table.put_item(Item=record.as_document(), ConditionExpression=Attr("trace_id").not_exists()))
        except ClientError as problem:
            if not _is(problem, "ConditionalCheckFailedException"):
                raise
            raise ValueError(f"trace {record.trace_id} exists already") from None

    async def get(self, trace_id: str) -> TraceRecord | None:
        """See StatusStore."""
        answer = await run_sync(lambda: self._table.get_item(Key={"trace_id": trace_id}, ConsistentRead=True))
        return TraceRecord.from_document(answer["Item"]) if "Item" in answer else None

    async def transition(self, trace_id: str, state: str, **changes: Any) -> TraceRecord:
        """See StatusStore."""
        while True:
            record = await self.get(trace_id)
            if record is None:
                raise UnknownTrace(trace_id)
            moved = record.moved(state, **changes)
            if await self._replaced(record, moved):
                return moved

    async def newest(self, tenant_id: str, limit: int) -> list[TraceRecord]:
        """See StatusStore."""
        asked = {"IndexName": _INDEX, "KeyConditionExpression": Key("tenant_id").eq(tenant_id), "ScanIndexForward": False, "Limit": limit}
        answer = await run_sync(lambda: self._table.query(**asked))
        return [TraceRecord.from_document(item) for item in answer["Items"]]

    async def unfinished(self, created_before: str) -> list[TraceRecord]:
        """See StatusStore."""
        condition = Attr("created_at").lt(created_before) & Attr("finished_at").eq(None)
        found: list[TraceRecord] = []
        asked: dict[str, Any] = {"FilterExpression": condition, "ConsistentRead": True}
        while True:
            answer = await run_sync(partial(self._table.scan, **asked))
            found += [TraceRecord.from_document(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return [record for record in found if record.state not in TERMINAL]
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    async def _replaced(self, record: TraceRecord, moved: TraceRecord) -> bool:
        """Replace a record; False where somebody else has moved it meanwhile."""
        unchanged = Attr("state").eq(record.state) & Attr("tenant_id").eq(moved.tenant_id) & Attr("updated_at").eq(record.updated_at)
        try:
            await run_sync(lambda: self._table.put_item(Item=moved.as_document(), ConditionExpression=unchanged))
        except ClientError as problem:
            if not _is(problem, "ConditionalCheckFailedException"):
                raise
            return False
        return True

    def _create(self, resource: Any, name: str) -> None:
        """Create the table; another service may be at it too."""
        try:
            resource.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "trace_id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("trace_id", "tenant_id", "created_at")],
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": _INDEX,
                        "KeySchema": [
                            {"AttributeName": "tenant_id", "KeyType": "HASH"},
                            {"AttributeName": "created_at", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            )
        except ClientError as problem:
            if not _is(problem, "ResourceInUseException"):
                raise
        self._table.wait_until_exists()


def _is(problem: ClientError, code: str) -> bool:
    return bool(problem.response["Error"]["Code"] == code)
