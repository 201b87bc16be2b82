"""The StatusStore: trace records, shared by gateway, interceptor and explainer.

It is the store that keeps the promises of a record, whoever writes: a transition is a compare-and-set on the state, so states move only
forward, and no operation takes a tenant but the one that creates the record.
"""

from __future__ import annotations

from typing import Any, Protocol

from lab.settings import Settings
from lab.status_store.json_file import JsonStatusStore
from lab.traces import TraceRecord


class StatusStore(Protocol):
    """Where trace records are kept."""

    async def create(self, record: TraceRecord) -> None:
        """Keep a new record. Raises ValueError where its id is taken."""

    async def get(self, trace_id: str) -> TraceRecord | None:
        """The record, or None."""

    async def transition(self, trace_id: str, state: str, **changes: Any) -> TraceRecord:
        """Move a record on (see TraceRecord.moved); returns it. Raises IllegalTransition, and UnknownTrace where there is none."""

    async def newest(self, tenant_id: str, limit: int) -> list[TraceRecord]:
        """A tenant's records, newest first."""

    async def unfinished(self, created_before: str) -> list[TraceRecord]:
        """Records in no terminal state that were created before a moment."""


def status_store(settings: Settings) -> StatusStore:
    """The store that the settings name."""
    if settings.STATUS_BACKEND == "ddb":
        from lab.status_store.dynamodb import DynamoDBStatusStore

        return DynamoDBStatusStore(settings.STATUS_DDB_TABLE)
    return JsonStatusStore(settings.STATUS_JSON_PATH, settings.STATUS_JSON_MAX_RECORDS)
