"""Delivering webhook events: signed, and again with growing pauses while they are not taken."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import httpx

from lab.doorbell import Doorbell
from lab.metrics import ExplainerMetrics
from lab.settings import Settings
from lab.webhooks import Delivery, Webhooks, signature

_LOG = logging.getLogger("webhooks")
SIGNATURE_HEADER = "x-hypergraph-signature"
TIMESTAMP_HEADER = "x-hypergraph-timestamp"
_ATTEMPT_SECONDS = 5.0
# Longer than an attempt, so that nobody else makes it too.
_CLAIM_SECONDS = 3 * _ATTEMPT_SECONDS
_AT_ONCE = 8
_MAX_PAUSE = 30.0
_IDLE_SECONDS = 30.0


class Deliverer:
    """Delivers what is due until it is canceled."""

    def __init__(self, settings: Settings, webhooks: Webhooks, metrics: ExplainerMetrics) -> None:
        self._settings = settings
        self._webhooks = webhooks
        self._metrics = metrics
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self, bell_path: Path) -> None:
        """Deliver for ever; the bell tells of new deliveries."""
        bell = Doorbell(bell_path)
        async with httpx.AsyncClient(timeout=_ATTEMPT_SECONDS, follow_redirects=False, trust_env=False) as client:
            try:
                while True:
                    self._start_due(client, bell)
                    next_due = self._webhooks.next_due()
                    if len(self._under_way) >= _AT_ONCE:
                        await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
                    else:
                        await bell.wait(_IDLE_SECONDS if next_due is None else min(next_due, _IDLE_SECONDS))
            finally:
                bell.close()

    def _start_due(self, client: httpx.AsyncClient, bell: Doorbell) -> None:
        while len(self._under_way) < _AT_ONCE and (delivery := self._webhooks.claim(_CLAIM_SECONDS)):
            task = asyncio.create_task(self.attempt(client, delivery))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            # What failed is due again sooner than the claim ends.
            task.add_done_callback(lambda _: bell.wake())

    async def attempt(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        """Try once, and remember what came of it."""
        try:
            answer = await client.post(delivery.url, content=delivery.body.encode(), headers=self.headers(delivery))
            taken = answer.is_success
        except (httpx.HTTPError, httpx.InvalidURL):
            taken = False
        self._metrics.delivery(taken=taken)
        if taken:
            self._webhooks.delivered(delivery)
        elif delivery.attempts + 1 >= self.tries():
            _LOG.warning("delivery %s given up after %d attempts", delivery.id, delivery.attempts + 1)
            self._webhooks.delivered(delivery)
        else:
            self._webhooks.postpone(delivery, min(_MAX_PAUSE, self._settings.WEBHOOK_BACKOFF_SECONDS * 2**delivery.attempts))

    def tries(self) -> int:
        """How often a delivery is tried."""
        return self._settings.WEBHOOK_ATTEMPTS

    def headers(self, delivery: Delivery) -> dict[str, str]:
        """Headers of an attempt made now."""
        timestamp = str(int(time.time()))
        return {
            "content-type": "application/json",
            "user-agent": "hypergraph-lab",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: f"sha256={self.signed(delivery.secret, timestamp, delivery.body.encode())}",
        }

    def signed(self, secret: str, timestamp: str, body: bytes) -> str:
        """The signature of an attempt."""
        return signature(secret, timestamp, body)
