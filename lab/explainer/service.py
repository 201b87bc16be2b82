"""The explainer as a service: workers on the queue, webhook deliveries, expiry, and its metrics."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lab import timestamps
from lab.backpressure import Ladder, Level
from lab.chaos import Chaos
from lab.database import Database
from lab.doorbell import Doorbell, ring
from lab.explainer.delivery import Deliverer
from lab.explainer.hif import GraphWriter
from lab.explainer.worker import Worker, WorkerParts
from lab.graph_store import graph_store
from lab.metrics import ExplainerMetrics, exposition
from lab.places import database_path, delivery_bell_path, queue_bell_path
from lab.queue import Job, Queue
from lab.settings import Settings
from lab.status_store import StatusStore, status_store
from lab.traces import EXPIRED, IllegalTransition, TraceRecord
from lab.webhooks import Webhooks

_LOG = logging.getLogger("explainer")
# How often a lease that ran out is looked for, the chaos file looked at, and an overdue trace looked for.
_IDLE_SECONDS = 1.0
_CHAOS_SECONDS = 0.25
_LEVELS = {"": Level.NORMAL, "soft": Level.SOFT, "hard": Level.HARD}


@dataclass(frozen=True)
class Parts:
    """What an explainer is made of."""

    settings: Settings
    queue: Queue
    store: StatusStore
    webhooks: Webhooks
    ladder: Ladder
    chaos: Chaos
    metrics: ExplainerMetrics
    worker: Worker
    deliverer: Deliverer


class Explainer:
    """Hands jobs to workers, and sees to what is overdue."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._busy: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def running(self, _app: Starlette) -> AsyncIterator[None]:
        """Work while the block runs."""
        settings = self._parts.settings
        duties = [
            asyncio.create_task(duty)
            for duty in (self._dispatch(), self._heed_chaos(), self._expire(), self._parts.deliverer.run(delivery_bell_path(settings)))
        ]
        for duty in duties:
            duty.add_done_callback(_report)
        try:
            yield
        finally:
            for task in (*duties, *self._busy):
                task.cancel()
            await asyncio.gather(*duties, *self._busy, return_exceptions=True)

    async def _dispatch(self) -> None:
        settings = self._parts.settings
        bell = Doorbell(queue_bell_path(settings))
        while True:
            while len(self._busy) < settings.EXPLAINER_WORKERS and (job := self._parts.queue.lease()):
                task = asyncio.create_task(self._explain(job))
                self._busy.add(task)
                task.add_done_callback(self._busy.discard)
                task.add_done_callback(lambda _: bell.wake())
            await bell.wait(_IDLE_SECONDS)

    async def _explain(self, job: Job) -> None:
        record = await self._parts.worker.explain(job)
        if record:
            self._announce(record)
        self._parts.queue.finish(job)

    def _announce(self, record: TraceRecord) -> None:
        if self._parts.webhooks.announce(record):
            ring(delivery_bell_path(self._parts.settings))

    async def _heed_chaos(self) -> None:
        forced: Level | None = None
        while True:
            wanted = _LEVELS[self._parts.chaos.spike()]
            if wanted is not forced:
                self._parts.ladder.force(wanted)
                forced = wanted
            await asyncio.sleep(_CHAOS_SECONDS)

    async def _expire(self) -> None:
        lifetime = timedelta(seconds=self._parts.settings.TRACE_TTL_SECONDS)
        while True:
            for record in await self._parts.store.unfinished(timestamps.text(datetime.now(UTC) - lifetime)):
                with contextlib.suppress(IllegalTransition):
                    expired = await self._parts.store.transition(record.trace_id, EXPIRED, error="not explained in time")
                    self._parts.metrics.ended(EXPIRED)
                    self._announce(expired)
            await asyncio.sleep(_IDLE_SECONDS)

    def scraped(self) -> Response:
        """The metrics, with the gauges of this moment."""
        backlog = self._parts.queue.backlog()
        self._parts.metrics.waiting(backlog.depth, backlog.lag, self._parts.ladder.pressure())
        return exposition(self._parts.metrics.expose())


def _report(duty: asyncio.Task[None]) -> None:
    if not duty.cancelled() and (problem := duty.exception()):
        _LOG.critical("a duty ended", exc_info=problem)


@dataclass(frozen=True)
class Kit:
    """What makes the parts; ``defects.faulty_explainer`` has another one."""

    metrics: Callable[[], ExplainerMetrics] = ExplainerMetrics
    store: Callable[[Settings], StatusStore] = status_store
    writer: Callable[[], GraphWriter] = GraphWriter
    chaos: Callable[[Path, random.Random, Callable[[str], None]], Chaos] = Chaos
    worker: Callable[[WorkerParts], Worker] = Worker
    deliverer: Callable[[Settings, Webhooks, ExplainerMetrics], Deliverer] = Deliverer
    ladder: Callable[[Settings, Database, Queue], Ladder] = Ladder


def _parts(settings: Settings, kit: Kit) -> Parts:
    database = Database(database_path(settings))
    queue = Queue(database, settings.QUEUE_LEASE_SECONDS)
    store, graphs = kit.store(settings), graph_store(settings)
    webhooks, ladder, metrics = Webhooks(database), kit.ladder(settings, database, queue), kit.metrics()
    chaos = kit.chaos(settings.CHAOS_CONTROL_PATH, random.Random(), lambda fault: metrics.faults.labels(fault).inc())  # noqa: S311  # chance, no secret
    worker = kit.worker(WorkerParts(settings, queue, store, graphs, webhooks, ladder, chaos, metrics, kit.writer()))
    return Parts(settings, queue, store, webhooks, ladder, chaos, metrics, worker, kit.deliverer(settings, webhooks, metrics))


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


def application(settings: Settings, kit: Kit | None = None) -> Starlette:
    """The service, made from a kit; by default the healthy one."""
    explainer = Explainer(_parts(settings, kit or Kit()))

    async def metrics(_request: Request) -> Response:
        return explainer.scraped()

    routes = [Route("/healthz", _healthz)]
    if settings.ENABLE_OTEL:
        routes.append(Route("/metrics", metrics))
    return Starlette(routes=routes, lifespan=explainer.running)
