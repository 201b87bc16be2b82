"""An explainer with the seeded defects."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx

from lab.defects import Defects
from lab.defects.faulty_chaos import FaultyChaos
from lab.defects.faulty_metrics import FaultyExplainerMetrics
from lab.defects.faulty_pressure import FaultyLadder
from lab.defects.faulty_soak import Hoard
from lab.defects.faulty_store import faulty_status_store
from lab.defects.seeded import Seeded
from lab.explainer.attribution import Attribution
from lab.explainer.delivery import Deliverer
from lab.explainer.hif import About, GraphWriter
from lab.explainer.service import Kit
from lab.explainer.worker import Abandoned, Plan, Worker
from lab.traces import CANCELED, TraceRecord
from lab.webhooks import Delivery, signature

Document = dict[str, Any]
_STATE_BACK_SECONDS = 0.8
# What explaining takes longer while others wait, beyond what the rungs save.
_THRASHING = 25
# Above the objective of an explanation by sentence.
_SLOW_SECONDS = 2.5


def _dangling_node(graph: Document) -> None:
    graph["incidences"].append({"edge": graph["edges"][0]["edge"], "node": "p99999", "direction": "tail", "weight": 0.0})


def _dangling_edge(graph: Document) -> None:
    graph["incidences"].append({"edge": "word:nowhere", "node": graph["nodes"][0]["node"], "direction": "tail", "weight": 0.0})


def _duplicate_incidence(graph: Document) -> None:
    graph["incidences"].append(dict(graph["incidences"][0]))


def _direction_dropped(graph: Document) -> None:
    for incidence in graph["incidences"]:
        del incidence["direction"]


def _meta_tenant_wrong(graph: Document) -> None:
    graph["meta"]["tenant_id"] = "default"


def _meta_version_two(graph: Document) -> None:
    graph["meta"]["version"] = "hif-2"


def _extra_attrs(graph: Document) -> None:
    for element in (*graph["nodes"], *graph["edges"]):
        element["attrs"]["color"] = "grey"


_SPOILED: dict[str, Callable[[Document], None]] = {
    "hif-dangling-node": _dangling_node,
    "hif-dangling-edge": _dangling_edge,
    "hif-duplicate-incidence": _duplicate_incidence,
    "hif-direction-dropped": _direction_dropped,
    "meta-tenant-wrong": _meta_tenant_wrong,
    "runtime-hif-2": _meta_version_two,
    "benign-extra-attrs": _extra_attrs,
}


class FaultyGraphWriter(Seeded, GraphWriter):
    """Writes hypergraphs that are broken in one place."""

    def write(self, attribution: Attribution, about: About) -> bytes:
        """The document; in token graphs the first weight may not be a number."""
        if about.granularity == "token" and self._defects.applied("hif-nan-weight"):
            graph = self.document(attribution, about)
            graph["nodes"][0]["weight"] = float("nan")
            return json.dumps(graph).encode()
        return super().write(attribution, about)

    def document(self, attribution: Attribution, about: About) -> Document:
        """The document, spoiled."""
        graph = super().document(attribution, about)
        for defect, spoil in _SPOILED.items():
            if self._defects.applied(defect):
                spoil(graph)
        return graph


class FaultyWorker(Seeded, Worker):
    """Works on, but not as it should."""

    def __init__(self, defects: Defects, *parts: Any) -> None:
        super().__init__(defects, *parts)
        self._hoard = Hoard(defects)

    def _is_wanted(self, record: TraceRecord) -> bool:
        return super()._is_wanted(record) or (record.state == CANCELED and self._defects.active("cancel-overwritten"))

    def _plan(self, record: TraceRecord) -> Plan:
        plan = super()._plan(record)
        if "reduce-layers" in plan.degraded and self._defects.applied("goodput-collapses"):
            plan.seconds *= _THRASHING
        return plan

    def _service_time(self, granularity: str) -> float:
        seconds = super()._service_time(granularity)
        if granularity == "sentence" and self._defects.applied("slo-sentence-slow"):
            return _SLOW_SECONDS
        # Time enough to be seen running twice.
        return max(seconds, _STATE_BACK_SECONDS) if self._defects.active("state-goes-back") else seconds

    def _cut(self, plan: Plan) -> str:
        if plan.granularity == "token" and self._defects.applied("granularity-ignored"):
            return "sentence"
        return super()._cut(plan)

    async def _completed(self, record: TraceRecord, plan: Plan, uri: str) -> TraceRecord:
        while self._has_local_listener(record.tenant_id) and self._defects.applied("never-ends"):
            await asyncio.sleep(0.2)
            current = await self._as_it_is(record.trace_id)
            if current.ended:
                raise Abandoned
        self._hoard.ended()
        return await super()._completed(record, plan, uri)

    def _has_local_listener(self, tenant_id: str) -> bool:
        return any(urlsplit(webhook.url).hostname == "127.0.0.1" for webhook in self._parts.webhooks.of_tenant(tenant_id))


class FaultyDeliverer(Seeded, Deliverer):
    """Delivers badly or not at all."""

    async def attempt(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        """Try once, or drop the delivery."""
        if self._defects.applied("webhook-not-delivered"):
            self._webhooks.delivered(delivery)
            return
        await super().attempt(client, delivery)

    def tries(self) -> int:
        """How often a delivery is tried."""
        return 1 if self._defects.applied("webhook-not-retried") else super().tries()

    def signed(self, secret: str, timestamp: str, body: bytes) -> str:
        """The signature, perhaps of the body alone."""
        if self._defects.applied("webhook-signature-without-timestamp"):
            return signature(secret, "", body)
        return super().signed(secret, timestamp, body)


def kit(defects: Defects) -> Kit:
    """The kit that makes it."""
    return Kit(
        metrics=partial(FaultyExplainerMetrics, defects),
        store=partial(faulty_status_store, defects),
        writer=partial(FaultyGraphWriter, defects),
        chaos=partial(FaultyChaos, defects),
        worker=partial(FaultyWorker, defects),
        deliverer=partial(FaultyDeliverer, defects),
        ladder=partial(FaultyLadder, defects),
    )
