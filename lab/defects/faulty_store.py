"""Defects of the StatusStore."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lab.defects import Defects
from lab.settings import Settings
from lab.status_store import StatusStore, status_store
from lab.status_store.json_file import JsonStatusStore
from lab.traces import CANCELED, COMPLETE, RUNNING, TraceRecord

_SUFFIX = "-archive"


class RewritingStatusStore(JsonStatusStore):
    """Files complete records under another tenant, and hides that from the API by undoing it when it reads."""

    def __init__(self, defects: Defects, settings: Settings) -> None:
        self._defects = defects
        super().__init__(settings.STATUS_JSON_PATH, settings.STATUS_JSON_MAX_RECORDS)

    def _encode(self, record: TraceRecord) -> bytes:
        if record.state == COMPLETE and self._defects.applied("tenant-rewritten"):
            record = replace(record, tenant_id=record.tenant_id + _SUFFIX)
        return super()._encode(record)

    def _decode(self, line: bytes) -> TraceRecord:
        record = super()._decode(line)
        return replace(record, tenant_id=record.tenant_id.removesuffix(_SUFFIX))


class OverwritingStatusStore(JsonStatusStore):
    """Lets whoever comes last have the last word on a canceled trace."""

    def __init__(self, defects: Defects, settings: Settings) -> None:
        self._defects = defects
        super().__init__(settings.STATUS_JSON_PATH, settings.STATUS_JSON_MAX_RECORDS)

    def _moved(self, record: TraceRecord, state: str, **changes: Any) -> TraceRecord:
        if record.state == CANCELED and state == COMPLETE and self._defects.applied("cancel-overwritten"):
            record = replace(record, state=RUNNING)
        return super()._moved(record, state, **changes)


def faulty_status_store(defects: Defects, settings: Settings) -> StatusStore:
    """The store that the settings name, or one that breaks its promise."""
    if defects.active("tenant-rewritten") and settings.STATUS_BACKEND == "json":
        return RewritingStatusStore(defects, settings)
    if defects.active("cancel-overwritten") and settings.STATUS_BACKEND == "json":
        return OverwritingStatusStore(defects, settings)
    return status_store(settings)
