"""The metrics of gateway and explainer, in Prometheus text exposition. No label carries an id, a user, or text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response

from lab.backpressure import REFUSE, SOFT_RUNGS, Pressure
from lab.chaos import FAULTS
from lab.traces import TERMINAL

disable_created_metrics()  # type: ignore[no-untyped-call]

STAGES = ("extract", "decode", "attribution", "persist")
# The design budgets (1.5 s, 3.5 s) and the SLOs (2 s, 8 s) are bounds, so that a quantile can be held against them without interpolation.
_STAGE_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.5, 5.0, 8.0, 15.0)
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class GatewayMetrics:
    """What the gateway counts."""

    requests_labels: tuple[str, ...] = ("method", "route", "status")

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter("http_requests_total", "HTTP requests answered.", self.requests_labels, registry=self.registry)
        self.request_seconds = Histogram(
            "http_request_duration_seconds", "Time to answer.", ("route",), buckets=_REQUEST_SECONDS, registry=self.registry
        )
        self.chats = Counter(
            "chat_requests_total", "Chat requests by whether an explanation was asked for.", ("attached", "outcome"), registry=self.registry
        )
        self.level = Gauge("backpressure_level", "0 normal, 1 soft, 2 hard.", registry=self.registry)
        self.actions = Counter("backpressure_actions_total", "Steps of the backpressure ladder taken.", ("action",), registry=self.registry)
        self.actions.labels(REFUSE)
        for attached in ("true", "false"):
            self.chats.labels(attached, "answered")

    def answered(self, method: str, route: str, status: int, seconds: float, path: str) -> None:  # noqa: ARG002  # see defects.faulty_metrics
        """Count one answer. ``path`` is what was asked for in full, and must not become a label."""
        self.requests.labels(method, route, str(status)).inc()
        self.request_seconds.labels(route).observe(seconds)

    def chat(self, *, attached: bool, status: int) -> None:
        """Count one chat request."""
        self.chats.labels("true" if attached else "false", self.chat_outcome(status)).inc()

    def chat_outcome(self, status: int) -> str:
        """What became of a chat, in a word."""
        return "answered" if status == 200 else "refused" if status < 500 else "failed"

    def expose(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)


class ExplainerMetrics:
    """What the explainer counts."""

    stage_buckets: tuple[float, ...] = _STAGE_SECONDS
    lag_name = "explainer_queue_lag_seconds"

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.jobs = Counter("explainer_jobs_total", "Explanations by how they ended.", ("state",), registry=self.registry)
        self.stages = Histogram(
            "explainer_stage_duration_seconds", "Time in each stage.", ("stage",), buckets=self.stage_buckets, registry=self.registry
        )
        self.lag = Gauge(self.lag_name, "Age of the oldest waiting job.", registry=self.registry)
        self.depth = Gauge("explainer_queue_depth", "Jobs that wait.", registry=self.registry)
        self.level = Gauge("backpressure_level", "0 normal, 1 soft, 2 hard.", registry=self.registry)
        self.actions = Counter("backpressure_actions_total", "Steps of the backpressure ladder taken.", ("action",), registry=self.registry)
        self.faults = Counter(
            "chaos_faults_injected_total", "Faults injected for the chaos control file.", ("fault",), registry=self.registry
        )
        self._deliveries = Counter("webhook_deliveries_total", "Webhook attempts by outcome.", ("outcome",), registry=self.registry)
        for state in sorted(TERMINAL):
            self.jobs.labels(state)
        for stage in STAGES:
            self.stages.labels(stage)
        for rung in SOFT_RUNGS:
            self.actions.labels(rung)
        for fault in FAULTS:
            self.faults.labels(fault)
        for outcome in ("delivered", "failed"):
            self._deliveries.labels(outcome)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block as a stage; one that fails or is abandoned is not observed."""
        begun = time.perf_counter()
        yield
        self.observe_stage(name, time.perf_counter() - begun)

    def observe_stage(self, name: str, seconds: float) -> None:
        """Count one stage."""
        self.stages.labels(name).observe(seconds)

    def ended(self, state: str) -> None:
        """Count one explanation that ended."""
        self.jobs.labels(state).inc()

    def delivery(self, *, taken: bool) -> None:
        """Count one attempt to deliver a webhook."""
        self._deliveries.labels("delivered" if taken else "failed").inc()

    def waiting(self, depth: int, lag: float, pressure: Pressure) -> None:
        """Set the gauges."""
        self.depth.set(depth)
        self.lag.set(lag)
        self.level.set(pressure.level)

    def expose(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)


def exposition(body: bytes) -> Response:
    """The answer to a scrape."""
    return Response(body, headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"})
