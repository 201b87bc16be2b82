"""The durable queue between interceptor and explainer: at least once, by lease.

A job is leased, not taken: its worker renews the lease while it works and deletes the job when it is done. When a worker dies, its lease
runs out and the job is given to another. Finishing a job needs the lease one was given, so a worker that was thought dead cannot finish
what another works on.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from lab.database import Database


@dataclass(frozen=True)
class Job:
    """A leased job. ``enqueued_at`` is in Unix seconds; ``attempts`` counts leases, this one included."""

    trace_id: str
    payload: dict[str, Any]
    enqueued_at: float
    attempts: int
    lease: str


@dataclass(frozen=True)
class Backlog:
    """How much waits: jobs that nobody works on, and the age of the oldest in seconds."""

    depth: int
    lag: float


class Queue:
    """The queue of explanation jobs."""

    def __init__(self, database: Database, lease_seconds: float) -> None:
        self._database = database
        self._lease_seconds = lease_seconds

    def put(self, trace_id: str, payload: dict[str, Any]) -> None:
        """Add a job."""
        self._database.execute(
            "INSERT INTO jobs (trace_id, payload, enqueued_at) VALUES (?, ?, ?)", (trace_id, json.dumps(payload), time.time())
        )

    def lease(self) -> Job | None:
        """The oldest job that nobody works on, now leased; None where there is none."""
        now = time.time()
        lease = secrets.token_hex(8)
        with self._database.transaction():
            row = self._database.execute(
                "UPDATE jobs SET lease = ?, lease_until = ?, attempts = attempts + 1"
                " WHERE id = (SELECT id FROM jobs WHERE lease_until < ? ORDER BY id LIMIT 1) RETURNING *",
                (lease, now + self._lease_seconds, now),
            ).fetchone()
        if row is None:
            return None
        return Job(row["trace_id"], json.loads(row["payload"]), row["enqueued_at"], row["attempts"], lease)

    def renew(self, job: Job) -> bool:
        """Hold on to a job; False where it is no longer this worker's."""
        cursor = self._database.execute(
            "UPDATE jobs SET lease_until = ? WHERE trace_id = ? AND lease = ?", (time.time() + self._lease_seconds, job.trace_id, job.lease)
        )
        return cursor.rowcount == 1

    def finish(self, job: Job) -> bool:
        """Delete a job that is done; False where it is no longer this worker's."""
        cursor = self._database.execute("DELETE FROM jobs WHERE trace_id = ? AND lease = ?", (job.trace_id, job.lease))
        return cursor.rowcount == 1

    def backlog(self) -> Backlog:
        """What waits at this moment."""
        now = time.time()
        depth, oldest = self._database.execute("SELECT count(*), min(enqueued_at) FROM jobs WHERE lease_until < ?", (now,)).fetchone()
        return Backlog(depth, max(0.0, now - oldest) if depth else 0.0)
