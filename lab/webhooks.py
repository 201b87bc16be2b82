"""Webhooks: who wants to hear of the end of traces, and what has still to be delivered to them."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lab import timestamps
from lab.database import Database
from lab.traces import TERMINAL, TraceRecord

EVENTS = tuple(f"trace.{state}" for state in sorted(TERMINAL))
MAX_PER_TENANT = 100


class TooManyWebhooks(Exception):
    """The tenant has as many webhooks as it may."""


@dataclass(frozen=True)
class Webhook:
    """A registration."""

    id: str
    tenant_id: str
    url: str
    events: tuple[str, ...]
    created_at: str

    def as_document(self) -> dict[str, Any]:
        """The registration as it is served; never with the secret."""
        return {"id": self.id, "tenant_id": self.tenant_id, "url": self.url, "events": list(self.events), "created_at": self.created_at}


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one webhook; ``attempts`` were made so far."""

    id: str
    url: str
    secret: str = field(repr=False)
    body: str
    attempts: int


class Webhooks:
    """Registrations and deliveries in the shared database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, tenant_id: str, url: str, secret: str, events: Sequence[str]) -> Webhook:
        """Add a registration. Raises TooManyWebhooks."""
        webhook = Webhook(f"wh_{secrets.token_hex(12)}", tenant_id, url, tuple(events), timestamps.now())
        with self._database.transaction():
            if self._database.execute("SELECT count(*) FROM webhooks WHERE tenant_id = ?", (tenant_id,)).fetchone()[0] >= MAX_PER_TENANT:
                raise TooManyWebhooks(tenant_id)
            self._database.execute(
                "INSERT INTO webhooks VALUES (?, ?, ?, ?, ?, ?)",
                (webhook.id, tenant_id, url, secret, json.dumps(events), webhook.created_at),
            )
        return webhook

    def of_tenant(self, tenant_id: str) -> list[Webhook]:
        """A tenant's registrations, newest first."""
        rows = self._database.execute("SELECT * FROM webhooks WHERE tenant_id = ? ORDER BY created_at DESC, id", (tenant_id,))
        return [Webhook(row["id"], row["tenant_id"], row["url"], tuple(json.loads(row["events"])), row["created_at"]) for row in rows]

    def delete(self, tenant_id: str, webhook_id: str) -> bool:
        """Remove a tenant's registration and what was still to be delivered to it; whether there was one."""
        return self._database.execute("DELETE FROM webhooks WHERE id = ? AND tenant_id = ?", (webhook_id, tenant_id)).rowcount == 1

    def announce(self, record: TraceRecord) -> int:
        """Schedule word of an ended trace to its tenant's webhooks, once each however often it is announced; how many were new."""
        event = f"trace.{record.state}"
        new = 0
        with self._database.transaction():
            for webhook in self.of_tenant(record.tenant_id):
                if event in webhook.events:
                    delivery_id = f"dl_{secrets.token_hex(12)}"
                    body = json.dumps({"id": delivery_id, "event": event, **record.as_document()})
                    new += self._database.execute(
                        "INSERT OR IGNORE INTO deliveries (id, webhook_id, event, trace_id, body, due_at) VALUES (?, ?, ?, ?, ?, ?)",
                        (delivery_id, webhook.id, event, record.trace_id, body, time.time()),
                    ).rowcount
        return new

    def claim(self, seconds: float) -> Delivery | None:
        """A delivery whose time has come, kept from others for so many seconds; None where there is none."""
        now = time.time()
        with self._database.transaction():
            row = self._database.execute(
                "UPDATE deliveries SET due_at = ?"
                " WHERE id = (SELECT id FROM deliveries WHERE due_at <= ? ORDER BY due_at LIMIT 1) RETURNING *",
                (now + seconds, now),
            ).fetchone()
            if row is None:
                return None
            webhook = self._database.execute("SELECT url, secret FROM webhooks WHERE id = ?", (row["webhook_id"],)).fetchone()
        return Delivery(row["id"], webhook["url"], webhook["secret"], row["body"], row["attempts"])

    def next_due(self) -> float | None:
        """Seconds until the next delivery is due, 0 or more; None where nothing waits."""
        due_at = self._database.execute("SELECT min(due_at) FROM deliveries").fetchone()[0]
        return None if due_at is None else max(0.0, due_at - time.time())

    def delivered(self, delivery: Delivery) -> None:
        """Forget a delivery that was taken, or that is given up."""
        self._database.execute("DELETE FROM deliveries WHERE id = ?", (delivery.id,))

    def postpone(self, delivery: Delivery, seconds: float) -> None:
        """Count a failed attempt and try again later."""
        self._database.execute(
            "UPDATE deliveries SET attempts = attempts + 1, due_at = ? WHERE id = ?", (time.time() + seconds, delivery.id)
        )


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over timestamp, full stop and body, in hexadecimal."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
