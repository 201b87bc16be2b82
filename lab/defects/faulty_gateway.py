"""A gateway with the seeded defects."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lab.defects import Defects
from lab.defects.faulty_audit import AUTHORIZATION, FaultyAuditLog
from lab.defects.faulty_chaos import control_flags
from lab.defects.faulty_guard import FaultyGuard
from lab.defects.faulty_metrics import FaultyGatewayMetrics
from lab.defects.faulty_pressure import SLOW_SECONDS, FaultyChat, FaultyLadder
from lab.defects.faulty_store import faulty_status_store
from lab.defects.faulty_traces import FaultyCallbacks, FaultyTraces
from lab.defects.seeded import Seeded
from lab.gateway.call import Call
from lab.gateway.documents import Documents
from lab.gateway.service import CHAT, Gateway, Kit, Operation
from lab.openai_errors import ApiError
from lab.scrub import scrub
from lab.settings import Identity, Settings

_LOG = logging.getLogger("gateway")
# Above the chat lane's objective of half a second.
_COUPLED_SECONDS = 0.7
_HICCUP_SECONDS = 0.3
# Longer than the trial's own chats take to come, also where the machine is slow.
_POOL_LASTS_SECONDS = 11.0


class FaultyGateway(Seeded, Gateway):
    """A gateway that trusts what it should not, acts on what it refuses, talks too much, and lets callers wait."""

    _turns = 0
    _faulty_since: float | None = None

    def operations(self) -> tuple[Operation, ...]:
        """The public API, perhaps with a route of a version that nobody documented."""
        if self._defects.active("version-redirected"):
            return (*super().operations(), Operation("GET", "/v2/models", "models.list", "", self._to_documented_version))
        return super().operations()

    async def _to_documented_version(self, _call: Call) -> Response:
        self._defects.applied("version-redirected")
        return RedirectResponse("/v1/models", 308)

    async def handle(self, operation: Operation, request: Request) -> Response:
        """Answer a call, with its credentials within reach of the audit log."""
        AUTHORIZATION.set(request.headers.get("authorization", ""))
        if operation.action == CHAT:
            await self._keep_waiting()
            if self._unlucky("slo-chat-fails"):
                return ApiError(503, "The gateway is out of luck", "server_error", code="unlucky").answer()
        if operation.action == CHAT and self._explainer_is_slow() and self._defects.applied("chaos-reaches-chat"):
            await asyncio.sleep(_COUPLED_SECONDS)
        return await super().handle(operation, request)

    async def _keep_waiting(self) -> None:
        """Let one chat in seven wait, or all that come within three tenths of a second, every second, or one in three of a long fault."""
        now = time.time()
        if self._pool_ran_dry() and self._turn(3) and self._defects.applied("chaos-drains-pool"):
            await asyncio.sleep(SLOW_SECONDS)
        if self._unlucky("slo-tail-slow") or (now % 1 < _HICCUP_SECONDS and self._defects.applied("slo-hiccup")):
            await asyncio.sleep(SLOW_SECONDS)

    def _unlucky(self, defect: str) -> bool:
        """Whether it is the turn of the defect, which is every seventh time that is asked."""
        return self._defects.active(defect) and self._turn(7) and self._defects.applied(defect)

    def _turn(self, every: int) -> bool:
        """Whether it is one's turn, which is every so many times."""
        self._turns += 1
        return self._turns % every == 0

    def _pool_ran_dry(self) -> bool:
        """Whether a fault that strikes anything has been in force for a while."""
        if not self._defects.active("chaos-drains-pool"):
            return False
        flags = control_flags(Settings.from_environment().CHAOS_CONTROL_PATH)
        if not any(isinstance(flag, dict) and flag.get("percent") != 0 for flag in flags.values()):
            self._faulty_since = None
            return False
        self._faulty_since = self._faulty_since or time.monotonic()
        return time.monotonic() - self._faulty_since > _POOL_LASTS_SECONDS

    def _explainer_is_slow(self) -> bool:
        return self._defects.active("chaos-reaches-chat") and "slow-sae" in control_flags(Settings.from_environment().CHAOS_CONTROL_PATH)

    def _identified(self, operation: Operation, request: Request) -> Identity:
        identity = super()._identified(operation, request)
        label = request.headers.get("x-tenant-id", identity.tenant_id)
        if label != identity.tenant_id and self._defects.applied("tenant-header-trusted"):
            return replace(identity, tenant_id=label)
        return identity

    async def _authorise(self, operation: Operation, call: Call) -> None:
        if operation.action == CHAT and call.entry.prompt and self._defects.applied("prompt-in-service-log"):
            _LOG.info("prompt: %s", scrub(call.entry.prompt))
        try:
            await super()._authorise(operation, call)
        except ApiError:
            if operation.action == CHAT and self._defects.applied("denied-chat-enqueued"):
                await operation.handler(call)
            if operation.action == "trace.cancel" and self._defects.active("denied-cancel-effective"):
                with suppress(ApiError):
                    await operation.handler(call)
                    self._defects.applied("denied-cancel-effective")
            raise


class FaultyDocuments(Seeded, Documents):
    """Routes that serve another document than the one published."""

    def served_openapi(self) -> bytes:
        """The document, perhaps without one of its routes."""
        document = json.loads(super().served_openapi())
        if document["paths"].pop("/v1/webhooks/{webhook_id}", None) and self._defects.applied("served-spec-differs"):
            return json.dumps(document).encode()
        return super().served_openapi()


def kit(defects: Defects) -> Kit:
    """The kit that makes it."""
    return Kit(
        guard=partial(FaultyGuard, defects),
        audit=partial(FaultyAuditLog, defects),
        metrics=partial(FaultyGatewayMetrics, defects),
        store=partial(faulty_status_store, defects),
        traces=partial(FaultyTraces, defects),
        ladder=partial(FaultyLadder, defects),
        chat=partial(FaultyChat, defects),
        callbacks=partial(FaultyCallbacks, defects),
        documents=partial(FaultyDocuments, defects),
        gateway=partial(FaultyGateway, defects),
    )
