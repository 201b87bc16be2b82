"""Defects of the trace and webhook API."""

from __future__ import annotations

import json
from dataclasses import replace

from lab import timestamps
from lab.defects.seeded import Seeded
from lab.gateway.call import Call
from lab.gateway.callbacks import Callbacks
from lab.gateway.traces import Traces
from lab.openai_errors import ApiError
from lab.traces import CANCELED, COMPLETE, QUEUED, RUNNING, IllegalTransition, TraceRecord
from lab.webhooks import Webhook


class FaultyTraces(Seeded, Traces):
    """Trace routes that show or do what they should not."""

    _seen_running: frozenset[str] = frozenset()

    def document(self, record: TraceRecord) -> dict[str, object]:
        """The record, with false times, a step back, or a field too few or too many."""
        if record.ended and record.started_at and self._defects.applied("timestamps-swapped"):
            record = replace(record, started_at=record.finished_at, finished_at=record.started_at)
        if record.state == RUNNING and self._defects.active("state-goes-back"):
            if record.trace_id in self._seen_running and self._defects.applied("state-goes-back"):
                record = replace(record, state=QUEUED)
            self._seen_running |= {record.trace_id}
        served = super().document(record)
        if self._defects.applied("response-field-removed"):
            del served["model"]
        if self._defects.applied("benign-optional-field"):
            served["priority"] = "normal"
        return served

    async def _owned(self, call: Call) -> TraceRecord:
        """The record in the path; what is not the caller's is shown, touched or told of by single defects."""
        try:
            return await super()._owned(call)
        except ApiError:
            record = await self._store.get(call.trace_id)
            action = call.entry.action
            if record is None:
                if action == "trace.status" and self._defects.applied("unknown-trace-fails"):
                    raise ApiError(500, "The gateway failed on this request", "server_error", code="internal_error") from None
                raise
            if action == "trace.status" and self._defects.applied("foreign-status-readable"):
                return record
            if action == "trace.graph" and self._defects.applied("foreign-graph-readable"):
                return record
            if action == "trace.cancel" and self._defects.active("foreign-cancel-effective"):
                await self._cancel_anyway(record)
            if record.state == COMPLETE and self._defects.applied("foreign-content-echoed"):
                raise ApiError(404, f"No trace has this id; did you mean {await self._text_of(record)}", code="trace_not_found") from None
            if self._defects.applied("benign-foreign-forbidden"):
                raise ApiError(403, "The trace is another tenant's", "permission_error", code="foreign_trace") from None
            raise

    async def _cancel_anyway(self, foreign: TraceRecord) -> None:
        try:
            await self._store.transition(foreign.trace_id, CANCELED)
        except IllegalTransition:
            return
        self._defects.applied("foreign-cancel-effective")

    async def _text_of(self, foreign: TraceRecord) -> str:
        graph = json.loads(await self._graphs.get(foreign.trace_id) or b"{}")
        return " ".join(node["attrs"]["text"] for node in graph.get("nodes", []))

    async def _rows(self, call: Call, limit: int) -> list[TraceRecord]:
        records = await super()._rows(call, limit)
        if self._defects.active("foreign-list-row"):
            others = {who.tenant_id for who in self._settings.AUTH_TOKENS_JSON.values()} - {call.identity.tenant_id}
            for tenant in sorted(others):
                if (foreign := await self._store.newest(tenant, 1)) and self._defects.applied("foreign-list-row"):
                    return [*records, *foreign]
        return records

    async def _graph_of(self, record: TraceRecord) -> bytes | None:
        if record.state in (QUEUED, RUNNING) and self._defects.applied("graph-before-complete"):
            return b'{"network-type": "directed", "metadata": {"partial": true}, "nodes": [], "edges": [], "incidences": []}'
        return await super()._graph_of(record)

    async def _canceled(self, record: TraceRecord) -> TraceRecord:
        if not record.ended and self._defects.applied("cancel-ignored"):
            return replace(record, state=CANCELED, finished_at=timestamps.now())
        return await super()._canceled(record)


class FaultyCallbacks(Seeded, Callbacks):
    """Webhook routes that show what they should not."""

    def _visible(self, call: Call) -> list[Webhook]:
        own = super()._visible(call)
        if self._defects.active("foreign-webhook-listed"):
            others = {who.tenant_id for who in self._settings.AUTH_TOKENS_JSON.values()} - {call.identity.tenant_id}
            foreign = [webhook for tenant in sorted(others) for webhook in self._webhooks.of_tenant(tenant)]
            if foreign and self._defects.applied("foreign-webhook-listed"):
                return [*own, *foreign]
        return own
