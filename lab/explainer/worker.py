"""Explaining one job: leased, moved through its stages, persisted, and ended in the StatusStore.

A job may be delivered again after its worker died at any point. Every step bears it: a trace that is running is run again and writes
the same graph, one that has ended is only announced, and the StatusStore refuses whatever would go backwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from lab.backpressure import Ladder
from lab.chaos import Chaos
from lab.explainer.attribution import LAYERS, TOPK, Attribution, attribute, extract
from lab.explainer.hif import About, GraphWriter
from lab.graph_store import GraphStore
from lab.metrics import ExplainerMetrics
from lab.queue import Job, Queue
from lab.settings import Settings
from lab.status_store import StatusStore
from lab.traces import COMPLETE, FAILED, QUEUED, RUNNING, IllegalTransition, TraceRecord, UnknownTrace
from lab.webhooks import Webhooks

_LOG = logging.getLogger("explainer")

# How an explanation's service time is spent.
_SHARES = {"extract": 0.2, "decode": 0.5, "attribution": 0.2, "persist": 0.1}
_REDUCED_TOPK = 6
# What a rung of the ladder leaves of the service time.
_SAVINGS = {"reduce-topk": 0.7, "reduce-layers": 0.6}
_PERSIST_TRIES = 3
FALLBACK = "attribution-fallback"


class JobFailed(Exception):
    """The job cannot be done; the text becomes the trace's error."""


class Abandoned(Exception):
    """Nobody wants the result any more: the trace was canceled or expired."""


@dataclass
class Plan:
    """How a job is served under the pressure of the moment. ``seconds`` is the service time to come."""

    granularity: str
    seconds: float
    layers: tuple[str, ...] = LAYERS
    topk: int = TOPK
    degraded: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class WorkerParts:
    """What a worker works with."""

    settings: Settings
    queue: Queue
    store: StatusStore
    graphs: GraphStore
    webhooks: Webhooks
    ladder: Ladder
    chaos: Chaos
    metrics: ExplainerMetrics
    writer: GraphWriter


class Worker:
    """Explains jobs."""

    def __init__(self, parts: WorkerParts) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._store = parts.store
        self._metrics = parts.metrics
        self._source = random.Random()  # noqa: S311  # simulated service times

    async def explain(self, job: Job) -> TraceRecord | None:
        """Do a leased job; returns the ended trace, or None where it has no record or the job went to another worker."""
        async with self._leased(job):
            record = await self._store.get(job.trace_id)
            if record is None:
                _LOG.warning("job %s has no trace record", job.trace_id)
                return None
            if self._is_wanted(record):
                record = await self._ended(job, record)
            return record
        return None

    def _is_wanted(self, record: TraceRecord) -> bool:
        """Whether somebody still waits for the explanation."""
        return not record.ended

    async def _ended(self, job: Job, record: TraceRecord) -> TraceRecord:
        try:
            if job.attempts > self._settings.QUEUE_MAX_ATTEMPTS:
                raise JobFailed(f"its worker was lost {self._settings.QUEUE_MAX_ATTEMPTS} times")
            plan = self._plan(record)
            if record.state == QUEUED:
                changes = {"granularity": plan.granularity, "degraded": tuple(plan.degraded)}
                record = await self._store.transition(job.trace_id, RUNNING, **changes)
            uri = await self._graph_made(job, record, plan)
            return await self._completed(record, plan, uri)
        except JobFailed as failure:
            return await self._moved(job.trace_id, FAILED, error=str(failure))
        except (Abandoned, IllegalTransition):
            return await self._as_it_is(job.trace_id)
        except (UnknownTrace, asyncio.CancelledError):
            raise
        except Exception as problem:
            _LOG.exception("explaining %s failed", job.trace_id)
            return await self._moved(job.trace_id, FAILED, error=f"internal error ({type(problem).__name__})")

    def _plan(self, record: TraceRecord) -> Plan:
        """How to serve a trace now."""
        rungs = self._parts.ladder.pressure().rungs
        granularity = record.granularity
        degraded = [rung for rung in rungs if rung != "downgrade-granularity" or granularity == "token"]
        if "downgrade-granularity" in degraded:
            granularity = "sentence"
        for rung in degraded:
            self._metrics.actions.labels(rung).inc()
        seconds = self._service_time(granularity)
        for rung in degraded:
            seconds *= _SAVINGS.get(rung, 1.0)
        return Plan(
            granularity,
            seconds,
            LAYERS[:1] if "reduce-layers" in degraded else LAYERS,
            _REDUCED_TOPK if "reduce-topk" in degraded else TOPK,
            degraded,
        )

    def _service_time(self, granularity: str) -> float:
        """Seconds that an explanation is to take."""
        drawn = self._settings.EXPLAIN_TOKEN_MS if granularity == "token" else self._settings.EXPLAIN_SENTENCE_MS
        return drawn.sample(self._source)

    async def _graph_made(self, job: Job, record: TraceRecord, plan: Plan) -> str:
        """Go through the stages; returns the URI of the graph."""
        payload = job.payload
        async with self._stage("extract", plan, record, self._parts.chaos.slowness()):
            exchange = extract(payload["prompt"], payload["answer"], self._cut(plan))
        async with self._stage("decode", plan, record):
            layers = self._layers(plan)
        async with self._stage("attribution", plan, record):
            attribution = attribute(exchange, layers, plan.topk)
        async with self._stage("persist", plan, record):
            return await self._persisted(attribution, self._about(record, plan, payload))

    def _cut(self, plan: Plan) -> str:
        """The units to cut an exchange into."""
        return plan.granularity

    def _layers(self, plan: Plan) -> tuple[str, ...]:
        failure = self._parts.chaos.attribution_failure()
        if failure == "fail":
            raise JobFailed("attribution failed")
        if failure == "fallback":
            plan.degraded.append(FALLBACK)
            return ()
        return plan.layers

    def _about(self, record: TraceRecord, plan: Plan, payload: dict[str, Any]) -> About:
        return About(record.trace_id, record.tenant_id, record.model, plan.granularity, payload["featureset"], record.created_at)

    async def _persisted(self, attribution: Attribution, about: About) -> str:
        """Keep the graph, trying again where the store refuses; its URI. Raises JobFailed."""
        graph = self._parts.writer.write(attribution, about)
        for attempt in range(_PERSIST_TRIES):
            try:
                if self._parts.chaos.drops_graph():
                    raise OSError("dropped by chaos")
                return await self._parts.graphs.put(about.trace_id, graph)
            except OSError as problem:
                _LOG.warning("the graph store refused %s: %s", about.trace_id, type(problem).__name__)
                await asyncio.sleep(0.05 * 2**attempt)
        raise JobFailed("the graph could not be stored")

    @contextlib.asynccontextmanager
    async def _stage(self, name: str, plan: Plan, record: TraceRecord, extra: float = 0.0) -> AsyncIterator[None]:
        current = await self._store.get(record.trace_id)
        if current is None or not self._is_wanted(current):
            raise Abandoned
        begun = time.perf_counter()
        yield
        # What the work itself took belongs to the service time.
        spent = time.perf_counter() - begun
        await asyncio.sleep(max(0.0, _SHARES[name] * plan.seconds - spent) + extra)
        self._metrics.observe_stage(name, time.perf_counter() - begun)

    async def _completed(self, record: TraceRecord, plan: Plan, uri: str) -> TraceRecord:
        return await self._moved(record.trace_id, COMPLETE, graph_uri=uri, degraded=tuple(plan.degraded))

    async def _moved(self, trace_id: str, state: str, **changes: Any) -> TraceRecord:
        try:
            record = await self._store.transition(trace_id, state, **changes)
        except IllegalTransition:
            return await self._as_it_is(trace_id)
        self._metrics.ended(state)
        return record

    async def _as_it_is(self, trace_id: str) -> TraceRecord:
        record = await self._store.get(trace_id)
        if record is None:
            raise UnknownTrace(trace_id)
        return record

    @contextlib.asynccontextmanager
    async def _leased(self, job: Job) -> AsyncIterator[None]:
        """Renew the lease while the block runs; cut the block short where the lease is lost."""
        block = asyncio.current_task()
        lost = False

        async def renew() -> None:
            nonlocal lost
            while True:
                await asyncio.sleep(self._settings.QUEUE_LEASE_SECONDS / 3)
                if not self._parts.queue.renew(job) and block:
                    lost = True
                    block.cancel()
                    return

        renewal = asyncio.create_task(renew())
        try:
            yield
        except asyncio.CancelledError:
            if not lost:
                raise
            _LOG.warning("the lease of %s was lost", job.trace_id)
        finally:
            renewal.cancel()
