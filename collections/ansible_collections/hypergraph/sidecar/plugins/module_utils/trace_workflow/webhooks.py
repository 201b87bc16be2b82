# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Webhooks: a registered callback hears of a complete trace, signed so that it can be trusted, and again if it did not answer well."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .. import strict_json
from ..connection import Token
from ..examination import Examination
from ..http_client import Answer
from ..traces import TERMINAL_STATES, canary
from ..verdict import Verdict
from ..webhook_listener import Delivery, WebhookListener, is_loopback
from ..webhook_removal import WEBHOOKS, is_gone, remove_webhook, webhook_id, webhook_path
from .lifecycle import Trace

SIGNATURE = "x-hypergraph-signature"
TIMESTAMP = "x-hypergraph-timestamp"
# How old a signed timestamp may be, in seconds: the usual bound against replay is five minutes, a fresh delivery is far below it.
FRESHNESS = 60.0


@dataclass(frozen=True)
class Webhook:
    """A registered callback and the listener behind it."""

    listener: WebhookListener
    secret: str = field(repr=False)

    def told_of(self, trace: Trace) -> bool:
        """Whether the trace's end was delivered and taken."""
        return any(
            delivery.answered == 200 and stated_state(delivery) in (None, *TERMINAL_STATES)
            for delivery in self.listener.deliveries(trace.id)
        )


@contextmanager
def registered(run: Examination, token: Token | None) -> Iterator[Webhook | None]:
    """A webhook for as long as the body lasts; None, with the verdict saying why, where there can be none. It is always deleted again."""
    if not run.params["webhook"]:
        run.verdict.skip("disabled_by_config", "webhook deliveries, since webhook is false", "Set sidecar_webhook to true.")
        yield None
        return
    listen, public_url = str(run.params["webhook_listen"]), run.params["webhook_public_url"]
    gateway = urlsplit(run.connection.base_url).hostname or ""
    secret = canary("secret")
    run.verdict.redactor.learn([secret])
    listener = WebhookListener(listen, canary("hook"), public_url)
    try:
        if is_loopback(urlsplit(listener.url).hostname or "") and not is_loopback(gateway):
            run.verdict.skip(
                "dependency_missing",
                f"webhook deliveries, since the gateway at {gateway} cannot reach a listener on {listen}",
                "Set sidecar_webhook_listen and sidecar_webhook_public_url to an address of the probe that the gateway reaches.",
            )
            yield None
            return
        answer = run.client.post(WEBHOOKS, token, json={"url": listener.url, "secret": secret})
        identity = ""
        try:
            identity = webhook_id(answer)
            _judge_registration(run.verdict, answer, identity, secret)
            yield Webhook(listener, secret) if identity else None
        finally:
            # Behind a proxy a 5xx may come after all was done.
            if not 400 <= answer.status < 500:
                _delete(run, token, identity, listener.url)
    finally:
        listener.close()


def _judge_registration(verdict: Verdict, answer: Answer, identity: str, secret: str) -> None:
    verdict.expect(
        "webhook: a callback can be registered",
        bool(identity),
        expected="a 2xx status and an id",
        observed=answer.status,
        reason_code="webhook-refused",
        action="Accept webhooks from callers with traces:write, and answer with the id to delete them by.",
    )
    verdict.expect(
        "webhook: the answer does not show the secret",
        secret not in answer.text,
        expected="no secret",
        observed="the secret" if secret in answer.text else "no secret",
        reason_code="webhook-secret-shown",
        action="Leave the secret out of every answer.",
    )


def _delete(run: Examination, token: Token | None, identity: str, url: str) -> None:
    """Delete it as an owner may, which is examined; where that leaves it, or its id is not known, take it back all the same."""

    def ask(method: str, path: str) -> Answer:
        return run.client.request(method, path, token)

    gone = False
    try:
        if identity:
            answer = ask("DELETE", webhook_path(identity))
            gone = is_gone(answer)
            run.verdict.expect(
                "webhook: the callback can be deleted",
                200 <= answer.status < 300,
                expected="a 2xx status",
                observed=answer.status,
                reason_code="webhook-not-deleted",
                action="Find out why its owner cannot delete it.",
            )
    finally:
        if not gone:
            remove_webhook(ask, identity, url, run.verdict, token.tenant_id if token else "(none)")


def judge_webhook(verdict: Verdict, webhook: Webhook, trace: Trace, tenant_id: str | None, within: float, tolerance: float) -> None:
    """Wait for word of a complete trace, at most ``within`` seconds, and examine what came. ``tolerance`` is clock skew in seconds."""
    delivered = webhook.listener.wait(lambda: webhook.told_of(trace), within)
    deliveries = webhook.listener.deliveries(trace.id)
    unreadable = list(dict.fromkeys(webhook.listener.unreadable()))
    refused = [delivery for delivery in deliveries if delivery.answered != 200]
    verdict.expect(
        "webhook: the end of the trace is delivered",
        bool(deliveries),
        expected=f"a delivery within {within:g} s",
        observed=unreadable or f"{len(deliveries)} deliveries",
        reason_code="webhook-not-delivered",
        action="Check that the explainer reaches the callback address, and that it looks up webhooks by the trace's tenant.",
    )
    if not deliveries:
        return
    verdict.examine("webhook deliveries", len(deliveries))
    _judge_signatures(verdict, deliveries, webhook.secret)
    _judge_freshness(verdict, deliveries, trace, tolerance)
    _judge_bodies(verdict, deliveries, trace, tenant_id)
    if not refused:
        verdict.inconclusive(
            "webhook-retry-not-tested",
            "the delivery arrived before the chat was answered, so that none could be refused",
            "Run the check again.",
        )
        return
    verdict.expect(
        "webhook: a delivery answered with 500 is tried again",
        delivered,
        expected=f"a second delivery within {within:g} s",
        observed=[*(f"answered {delivery.answered}" for delivery in deliveries), *unreadable],
        reason_code="webhook-not-retried",
        action="Retry deliveries that are not answered with 2xx, with backoff.",
    )
    if delivered:
        verdict.measure("webhook_retry_seconds", round(deliveries[-1].received - refused[0].received, 3))


def signature_problem(delivery: Delivery, secret: str) -> str:
    """Why a delivery cannot be trusted; empty where its signature is HMAC-SHA256 over timestamp, a full stop and the body."""
    stamp, signature = delivery.headers.get(TIMESTAMP), delivery.headers.get(SIGNATURE)
    if not stamp or not signature:
        return f"no {TIMESTAMP if not stamp else SIGNATURE} header"
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + delivery.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"sha256={digest}".encode(), signature.encode()):
        return "the signature is not that of timestamp and body"
    return ""


def stated_state(delivery: Delivery) -> Any:
    """The state a delivery tells of; None where it tells none."""
    document = _document(delivery)
    return document.get("state") if document else None


def _document(delivery: Delivery) -> dict[str, Any] | None:
    try:
        document = strict_json.loads(delivery.body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _judge_signatures(verdict: Verdict, deliveries: list[Delivery], secret: str) -> None:
    problems = [problem for problem in (signature_problem(delivery, secret) for delivery in deliveries) if problem]
    verdict.expect(
        "webhook: every delivery is signed",
        not problems,
        expected=f"{SIGNATURE}: sha256= and the HMAC-SHA256 of timestamp, full stop and body",
        observed=problems or "signed",
        reason_code="webhook-signature-invalid",
        action="Sign the bytes that are sent, with the secret of the registration.",
    )


def _judge_freshness(verdict: Verdict, deliveries: list[Delivery], trace: Trace, tolerance: float) -> None:
    # The gateway's clock is taken for the service's: how far it is from ours shows in the latest status answer.
    allowed = FRESHNESS + tolerance
    stale = []
    for delivery in deliveries:
        stamp = delivery.headers.get(TIMESTAMP)
        if stamp is None:
            continue
        try:
            age = delivery.received + trace.last.clock_offset - float(stamp)
        except ValueError:
            stale.append(f"{stamp[:40]!r} is no number")
            continue
        if not abs(age) <= allowed:
            stale.append(f"{age:.0f} s old")
    verdict.expect(
        "webhook: the signed timestamp is fresh",
        not stale,
        expected=f"Unix seconds within {allowed:g} s of the delivery",
        observed=stale or "fresh",
        reason_code="webhook-timestamp-stale",
        action=f"Write the time of each attempt, in Unix seconds, into {TIMESTAMP}.",
    )


def _judge_bodies(verdict: Verdict, deliveries: list[Delivery], trace: Trace, tenant_id: str | None) -> None:
    expected = {"trace_id": trace.id, **({"tenant_id": tenant_id} if tenant_id is not None else {})}
    wrong: list[Any] = []
    for delivery in deliveries:
        document = _document(delivery)
        if document is None:
            wrong.append("not a JSON object")
            continue
        stated = {name: document[name] for name in expected if name in document}
        if stated.get("trace_id") != trace.id or any(stated[name] != expected[name] for name in stated):
            wrong.append(stated or "no trace_id")
    told = {stated_state(delivery) for delivery in deliveries if isinstance(stated_state(delivery), str)}
    if told and trace.last.state not in told:
        wrong.append({"state": sorted(told)})
    verdict.expect(
        "webhook: the body agrees with the trace",
        not wrong,
        expected={**expected, "state": trace.last.state},
        observed=wrong or "it agrees",
        reason_code="webhook-body-mismatch",
        action="Send the trace record as it was when the trace ended.",
    )
