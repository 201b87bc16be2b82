"""The trace API: status, graph, cancel, list. A tenant sees its own traces; to it, another tenant's do not exist."""

from __future__ import annotations

import json

from starlette.responses import Response

from lab.doorbell import ring
from lab.gateway.call import Call
from lab.graph_store import GraphStore
from lab.openai_errors import ApiError
from lab.places import delivery_bell_path
from lab.settings import Settings
from lab.status_store import StatusStore
from lab.traces import CANCELED, COMPLETE, EXPIRED, IllegalTransition, TraceRecord
from lab.webhooks import Webhooks

DEFAULT_LIMIT = 20
MAX_LIMIT = 100


class Traces:
    """The trace routes."""

    def __init__(self, settings: Settings, store: StatusStore, graphs: GraphStore, webhooks: Webhooks) -> None:
        self._settings = settings
        self._store = store
        self._graphs = graphs
        self._webhooks = webhooks

    async def listed(self, call: Call) -> Response:
        """GET /v1/traces."""
        records = await self._rows(call, _limit(call))
        return _json({"object": "list", "data": [self.document(record) for record in records]})

    async def status(self, call: Call) -> Response:
        """GET /v1/traces/{trace_id}/status."""
        return _json(self.document(await self._owned(call)))

    async def graph(self, call: Call) -> Response:
        """GET /v1/traces/{trace_id}/graph."""
        record = await self._owned(call)
        graph = await self._graph_of(record)
        if graph is None:
            raise ApiError(500, "The graph of this trace is lost", "server_error", code="graph_lost")
        return Response(graph, media_type="application/json")

    async def cancel(self, call: Call) -> Response:
        """POST /v1/traces/{trace_id}/cancel."""
        record = await self._owned(call)
        if record.state != CANCELED:
            record = await self._canceled(record)
        return _json(self.document(record))

    def document(self, record: TraceRecord) -> dict[str, object]:
        """A record as it is served."""
        return record.as_document()

    async def _rows(self, call: Call, limit: int) -> list[TraceRecord]:
        return await self._store.newest(call.identity.tenant_id, limit)

    async def _owned(self, call: Call) -> TraceRecord:
        """The record in the path, if it is the caller's. Raises ApiError 404."""
        record = await self._store.get(call.trace_id)
        if record is None or record.tenant_id != call.identity.tenant_id:
            raise self._not_found(record)
        return record

    def _not_found(self, _foreign: TraceRecord | None) -> ApiError:
        return ApiError(404, "No trace has this id", code="trace_not_found", param="trace_id")

    async def _graph_of(self, record: TraceRecord) -> bytes | None:
        if record.state == EXPIRED:
            raise ApiError(410, "The trace expired before it was explained", code="trace_expired")
        if record.state != COMPLETE:
            raise ApiError(409, f"The trace is {record.state}; a graph is there when it is complete", code="trace_not_complete")
        return await self._graphs.get(record.trace_id)

    async def _canceled(self, record: TraceRecord) -> TraceRecord:
        try:
            canceled = await self._store.transition(record.trace_id, CANCELED)
        except IllegalTransition as refusal:
            raise ApiError(409, f"The trace is {refusal.record.state} and beyond canceling", code="trace_ended") from None
        if self._webhooks.announce(canceled):
            ring(delivery_bell_path(self._settings))
        return canceled


def _limit(call: Call) -> int:
    text = call.request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_LIMIT):
        raise ApiError(400, f"limit: expected a whole number from 1 to {MAX_LIMIT}", code="invalid_value", param="limit")
    return int(text)


def _json(document: object) -> Response:
    return Response(json.dumps(document).encode(), media_type="application/json")
