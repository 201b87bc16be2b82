"""The queue, the doorbell and the webhook store: durable, leased, idempotent."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest

from lab.backpressure import Ladder, Level, judged
from lab.database import Database
from lab.doorbell import Doorbell, ring
from lab.queue import Backlog, Queue
from lab.settings import Settings
from lab.traces import COMPLETE, RUNNING, TraceRecord
from lab.webhooks import EVENTS, MAX_PER_TENANT, TooManyWebhooks, Webhooks, signature


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "sidecar.db")


def forget_lease(database: Database) -> None:
    """Make every lease run out, as time would."""
    database.execute("UPDATE jobs SET lease_until = 0")


def test_jobs_are_leased_in_order_and_once(database: Database) -> None:
    queue = Queue(database, 60)
    queue.put("tr_1", {"n": 1})
    queue.put("tr_2", {"n": 2})
    first, second = queue.lease(), queue.lease()
    assert first and second
    assert [(job.trace_id, job.payload, job.attempts) for job in (first, second)] == [("tr_1", {"n": 1}, 1), ("tr_2", {"n": 2}, 1)]
    assert queue.lease() is None
    assert queue.finish(first)
    assert not queue.finish(first)
    with pytest.raises(sqlite3.IntegrityError):
        queue.put("tr_2", {})


def test_job_of_a_lost_worker_is_given_to_another_which_alone_may_finish_it(database: Database) -> None:
    queue = Queue(database, 60)
    queue.put("tr_1", {})
    lost = queue.lease()
    forget_lease(database)
    taken = queue.lease()
    assert lost and taken
    assert taken.attempts == 2
    assert not queue.renew(lost)
    assert not queue.finish(lost)
    assert queue.renew(taken)
    assert queue.finish(taken)


def test_jobs_outlive_their_connection(tmp_path: Path) -> None:
    Queue(Database(tmp_path / "q.db"), 60).put("tr_1", {"text": "é"})
    job = Queue(Database(tmp_path / "q.db"), 60).lease()
    assert job and job.payload == {"text": "é"}


def test_backlog_counts_what_nobody_works_on(database: Database) -> None:
    queue = Queue(database, 60)
    assert queue.backlog() == Backlog(0, 0.0)
    for number in range(3):
        queue.put(f"tr_{number}", {})
    database.execute("UPDATE jobs SET enqueued_at = ? WHERE trace_id = 'tr_1'", (time.time() - 100,))
    queue.lease()
    backlog = queue.backlog()
    assert backlog.depth == 2
    assert backlog.lag == pytest.approx(100, abs=5)


@pytest.mark.parametrize(
    ("depth", "lag", "level", "rungs"),
    [
        (0, 0.0, Level.NORMAL, ()),
        (39, 1.9, Level.NORMAL, ()),
        (40, 0.0, Level.SOFT, ("reduce-topk",)),
        (0, 2.0, Level.SOFT, ("reduce-topk",)),
        (100, 0.0, Level.SOFT, ("reduce-topk", "reduce-layers")),
        (0, 8.0, Level.SOFT, ("reduce-topk", "reduce-layers", "downgrade-granularity")),
        (200, 0.0, Level.HARD, ("reduce-topk", "reduce-layers", "downgrade-granularity")),
        (0, 10.0, Level.HARD, ("reduce-topk", "reduce-layers", "downgrade-granularity")),
    ],
)
def test_ladder(depth: int, lag: float, level: Level, rungs: tuple[str, ...]) -> None:
    pressure = judged(Settings.read({}, Path("/state")), Backlog(depth, lag))
    assert (pressure.level, pressure.rungs) == (level, rungs)
    assert pressure.retry_after >= 1


def test_forced_level_is_seen_by_every_process(database: Database, tmp_path: Path) -> None:
    settings = Settings.read({}, Path("/state"))
    elsewhere = Database(tmp_path / "sidecar.db")
    ladder, other = Ladder(settings, database, Queue(database, 60)), Ladder(settings, elsewhere, Queue(elsewhere, 60))
    assert other.pressure().level is Level.NORMAL
    ladder.force(Level.HARD)
    assert other.pressure().level is Level.HARD
    ladder.force(Level.SOFT)
    assert other.pressure().rungs == ("reduce-topk", "reduce-layers", "downgrade-granularity")
    ladder.force(Level.NORMAL)
    assert other.pressure().level is Level.NORMAL


def test_doorbell_wakes_at_once_and_remembers(tmp_path: Path) -> None:
    async def listen() -> None:
        ring(tmp_path / "bell")  # nobody there: forgotten
        bell = Doorbell(tmp_path / "bell")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(bell.wait(60), 0.2)
        for _ in range(100_000):
            ring(tmp_path / "bell")  # more than a pipe holds: no block, no error
        await asyncio.wait_for(bell.wait(60), 10)
        ring(tmp_path / "bell")
        await asyncio.sleep(0.05)
        await asyncio.wait_for(bell.wait(60), 10)
        bell.close()

    asyncio.run(listen())


def complete(trace_id: str, tenant: str) -> TraceRecord:
    return TraceRecord.accepted(trace_id, tenant, "sentence", "m", "2026-01-01T00:00:00.000000Z").moved(RUNNING).moved(COMPLETE)


def test_events_go_to_the_tenants_webhooks_that_want_them_once_each(database: Database) -> None:
    webhooks = Webhooks(database)
    all_events = webhooks.register("alpha", "http://h/all", "s" * 16, EVENTS)
    webhooks.register("alpha", "http://h/failed", "s" * 16, ["trace.failed"])
    webhooks.register("beta", "http://h/beta", "s" * 16, EVENTS)
    assert webhooks.announce(complete("tr_1", "alpha")) == 1
    assert webhooks.announce(complete("tr_1", "alpha")) == 0
    delivery = webhooks.claim(60)
    assert delivery and delivery.url == all_events.url
    assert webhooks.claim(60) is None
    webhooks.postpone(delivery, 0)
    again = webhooks.claim(60)
    assert again and (again.id, again.attempts) == (delivery.id, 1)
    webhooks.delivered(again)
    assert webhooks.next_due() is None


def test_deleting_a_webhook_takes_its_deliveries_along_and_is_for_its_tenant(database: Database) -> None:
    webhooks = Webhooks(database)
    webhook = webhooks.register("alpha", "http://h/", "s" * 16, EVENTS)
    webhooks.announce(complete("tr_1", "alpha"))
    assert not webhooks.delete("beta", webhook.id)
    assert webhooks.delete("alpha", webhook.id)
    assert not webhooks.delete("alpha", webhook.id)
    assert webhooks.claim(60) is None


def test_secret_is_never_shown(database: Database) -> None:
    webhooks = Webhooks(database)
    shown = webhooks.register("alpha", "http://h/", "very-secret-secret", EVENTS)
    webhooks.announce(complete("tr_1", "alpha"))
    assert "very-secret" not in repr(shown) + str(shown.as_document()) + repr(webhooks.of_tenant("alpha")) + repr(webhooks.claim(60))


def test_tenant_has_so_many_webhooks(database: Database) -> None:
    webhooks = Webhooks(database)
    for _ in range(MAX_PER_TENANT):
        webhooks.register("alpha", "http://h/", "s" * 16, EVENTS)
    with pytest.raises(TooManyWebhooks):
        webhooks.register("alpha", "http://h/", "s" * 16, EVENTS)
    webhooks.register("beta", "http://h/", "s" * 16, EVENTS)


def test_signature_is_what_openssl_makes_of_it() -> None:
    # printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
    expected = "49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
    assert signature("secret", "1700000000", b'{"a":1}') == expected
