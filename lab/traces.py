"""The trace record: what is known about one explanation, and which states may follow on which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from lab import timestamps

QUEUED, RUNNING, COMPLETE, FAILED, EXPIRED, CANCELED = "queued", "running", "complete", "failed", "expired", "canceled"
TERMINAL = frozenset({COMPLETE, FAILED, EXPIRED, CANCELED})
# States move only forward; what may come before each.
PREDECESSORS: Mapping[str, frozenset[str]] = {
    RUNNING: frozenset({QUEUED}),
    COMPLETE: frozenset({RUNNING}),
    FAILED: frozenset({QUEUED, RUNNING}),
    EXPIRED: frozenset({QUEUED, RUNNING}),
    CANCELED: frozenset({QUEUED, RUNNING}),
}


@dataclass(frozen=True, kw_only=True)
class TraceRecord:
    """One trace. Times are RFC 3339 in UTC with microseconds; ``degraded`` lists the steps of the backpressure ladder taken for it."""

    trace_id: str
    tenant_id: str
    state: str = QUEUED
    granularity: str
    model: str
    created_at: str
    queued_at: str
    started_at: str | None = None
    finished_at: str | None = None
    updated_at: str
    error: str | None = None
    graph_uri: str | None = None
    degraded: tuple[str, ...] = field(default=())

    @classmethod
    def accepted(cls, trace_id: str, tenant_id: str, granularity: str, model: str, created_at: str) -> Self:
        """The record of a trace that has just been put into the queue."""
        queued_at = max(timestamps.now(), created_at)
        return cls(
            trace_id=trace_id,
            tenant_id=tenant_id,
            granularity=granularity,
            model=model,
            created_at=created_at,
            queued_at=queued_at,
            updated_at=queued_at,
        )

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The record of a stored document."""
        return cls(**{**document, "degraded": tuple(document["degraded"])})

    def as_document(self) -> dict[str, Any]:
        """The record as it is stored and served, fields in a fixed order."""
        return {**asdict(self), "degraded": list(self.degraded)}

    @property
    def ended(self) -> bool:
        """Whether its state is terminal."""
        return self.state in TERMINAL

    def moved(self, state: str, *, granularity: str = "", error: str = "", graph_uri: str = "", degraded: tuple[str, ...] = ()) -> Self:
        """The record after a transition that its state allows. Raises IllegalTransition."""
        if self.state not in PREDECESSORS[state]:
            raise IllegalTransition(self, state)
        # Clocks of several processes are one clock here, but it may be set back.
        now = max(timestamps.now(), self.updated_at)
        return replace(
            self,
            state=state,
            started_at=now if state == RUNNING else self.started_at,
            finished_at=now if state in TERMINAL else None,
            updated_at=now,
            granularity=granularity or self.granularity,
            error=error or None,
            graph_uri=graph_uri or None,
            degraded=degraded or self.degraded,
        )


class IllegalTransition(Exception):
    """A transition that the record's state does not allow; ``record`` is what it is instead."""

    def __init__(self, record: TraceRecord, state: str) -> None:
        super().__init__(f"trace {record.trace_id} is {record.state} and cannot become {state}")
        self.record = record


class UnknownTrace(Exception):
    """No record has this trace id."""
