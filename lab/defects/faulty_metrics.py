"""Defects of the metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from lab.defects import Defects
from lab.metrics import ExplainerMetrics, GatewayMetrics


class FaultyGatewayMetrics(GatewayMetrics):
    """Gateway metrics that mislead."""

    def __init__(self, defects: Defects) -> None:
        self._defects = defects
        super().__init__()
        if defects.applied("family-wrong-type"):
            self.registry.unregister(self.requests)
            self._wrong = Gauge("http_requests_total", "HTTP requests answered.", self.requests_labels, registry=self.registry)
        if defects.applied("benign-bounded-label"):
            self.registry.unregister(self.chats)
            self.chats = Counter("chat_requests_total", "Chat requests.", ("attached", "outcome", "api"), registry=self.registry)
        if defects.active("ladder-counter-frozen"):
            # The family and its label stay where they are; counting goes elsewhere.
            self.actions = Counter("uncounted", "Nobody sees this one.", ("action",), registry=None)

    def answered(self, method: str, route: str, status: int, seconds: float, path: str) -> None:
        """Count the answer, under a label that grows or in a family of another type."""
        if self._defects.active("family-wrong-type"):
            self._wrong.labels(method, route, str(status)).inc()
            self.request_seconds.labels(route).observe(seconds)
            return
        if path != route and self._defects.applied("trace-id-as-label"):
            route = path
        super().answered(method, route, status, seconds, path)

    def chat(self, *, attached: bool, status: int) -> None:
        """Count the chat, or not."""
        if self._defects.applied("counter-frozen"):
            return
        if self._defects.active("benign-bounded-label"):
            self.chats.labels("true" if attached else "false", self.chat_outcome(status), "v1").inc()
            return
        super().chat(attached=attached, status=status)

    def expose(self) -> bytes:
        """The exposition, perhaps with a line that is none."""
        text = super().expose()
        if self._defects.applied("exposition-broken"):
            return text + b'http_requests_total{method="GET",route="/v1/models 1.0\n'
        return text


class FaultyExplainerMetrics(ExplainerMetrics):
    """Explainer metrics that mislead."""

    def __init__(self, defects: Defects) -> None:
        self._defects = defects
        if defects.applied("family-renamed"):
            self.lag_name = "explainer_lag_seconds"
        if defects.active("histogram-in-milliseconds"):
            self.stage_buckets = (50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0)
        super().__init__()
        if defects.applied("queue-lag-without-value"):
            # Exposed by name and type; what is set is another one that nobody sees.
            self.registry.unregister(self.lag)
            Gauge(self.lag_name, "Age of the oldest waiting job.", ("queue",), registry=self.registry)

    def observe_stage(self, name: str, seconds: float) -> None:
        """Count the stage, in the wrong unit perhaps."""
        if self._defects.applied("durations-not-measured"):
            seconds = 0.0
        super().observe_stage(name, seconds * 1000 if self._defects.applied("histogram-in-milliseconds") else seconds)
