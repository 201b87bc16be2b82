# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The StatusStore in a DynamoDB table whose partition key is the trace id. Needs boto3, which is imported when a table is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..faults import CheckError
from .records import StoredRecord

_FIELDS = ("trace_id", "tenant_id", "state")


class DynamoTable:
    """A table, read consistently. Only the three fields that the check needs leave the database; a scan is charged for whole items."""

    def __init__(self, table: str, *, endpoint_url: str | None, region: str | None, timeout: float) -> None:
        """Prepare a client; ``timeout`` is seconds per request. Raises CheckError where the region is unknown."""
        import boto3  # type: ignore[import-untyped]
        from botocore.config import Config  # type: ignore[import-untyped]

        self._table = table
        patience = Config(connect_timeout=timeout, read_timeout=timeout, retries={"max_attempts": 2, "mode": "standard"})
        with self._faults():
            self._client = boto3.client("dynamodb", endpoint_url=endpoint_url, region_name=region, config=patience)

    @property
    def place(self) -> str:
        """The store as messages name it."""
        return f"DynamoDB table {self._table}"

    def records(self) -> Iterator[StoredRecord]:
        """Every record, by a consistent scan. Raises CheckError where the table cannot be read."""
        names = {f"#{name}": name for name in _FIELDS}
        with self._faults():
            pages = self._client.get_paginator("scan").paginate(
                TableName=self._table, ConsistentRead=True, ProjectionExpression=", ".join(names), ExpressionAttributeNames=names
            )
            for page in pages:
                yield from map(_record, page["Items"])

    def find(self, trace_id: str) -> StoredRecord | None:
        """The record of the trace. Raises CheckError where the table cannot be read, or its key is not the trace id."""
        with self._faults():
            answer = self._client.get_item(TableName=self._table, Key={"trace_id": {"S": trace_id}}, ConsistentRead=True)
        item = answer.get("Item")
        return _record(item) if item else None

    def version(self) -> object:
        """Nothing to wait for: an item is read whole or not at all."""
        return None

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Say what an error of the database means here."""
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

        try:
            yield
        except ClientError as problem:
            raise self._refusal(problem.response.get("Error", {})) from None
        except BotoCoreError as problem:
            raise CheckError(
                "status-store-unreadable",
                f"{self.place} cannot be read: {problem}",
                "Check endpoint_url, region, and the AWS credentials of the user that runs the check.",
            ) from None

    def _refusal(self, error: Mapping[str, Any]) -> CheckError:
        code = str(error.get("Code", ""))
        said = f"{self.place}: {code}: {error.get('Message', '')}"
        if code == "ResourceNotFoundException":
            return CheckError("status-store-missing", said, "Correct table, region and endpoint_url: no such table is there.")
        if code.startswith("AccessDenied") or code in ("UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException"):
            return CheckError(
                "status-store-forbidden", said, "Allow the check's AWS identity dynamodb:Scan and dynamodb:GetItem on the table."
            )
        if code == "ValidationException":
            return CheckError("status-store-unreadable", said, "The table's partition key must be the text trace_id, and its only key.")
        return CheckError("status-store-unreadable", said, "Try again, or ask the database's own health.")


def _record(item: Mapping[str, Mapping[str, Any]]) -> StoredRecord:
    """An item's record, of its text attributes."""
    return StoredRecord.read(None, {name: value.get("S") for name, value in item.items()})
