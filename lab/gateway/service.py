"""The gateway as a service: its routes with what each asks for, and the order in which a call is examined.

Authenticate, then scope, then look anything up; whatever comes of it is audited before it is answered.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lab.audit import AuditEntry, AuditLog, NoAuditLog
from lab.backpressure import Ladder
from lab.database import Database
from lab.gateway.call import Call, read_body
from lab.gateway.callbacks import Callbacks
from lab.gateway.chat import Chat, prompt_of, wants_explanation
from lab.gateway.documents import Documents
from lab.gateway.guard import Guard
from lab.gateway.traces import Traces
from lab.graph_store import GraphStore, graph_store
from lab.metrics import GatewayMetrics, exposition
from lab.openai_errors import ApiError, error_answer
from lab.places import database_path, openapi_path
from lab.queue import Queue
from lab.scrub import scrub
from lab.settings import Identity, Settings
from lab.status_store import StatusStore, status_store
from lab.webhooks import Webhooks

_LOG = logging.getLogger("gateway")
_TIMEOUT = httpx.Timeout(70.0, connect=3.0)
CHAT = "chat.create"


@dataclass(frozen=True)
class Operation:
    """A route: the action it is audited as, the scope it asks for (empty for any known token), and who handles it."""

    method: str
    path: str
    action: str
    scope: str
    handler: Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True)
class Parts:
    """What a gateway is made of."""

    guard: Guard
    audit: AuditLog
    metrics: GatewayMetrics
    chat: Chat
    traces: Traces
    callbacks: Callbacks
    documents: Documents

    def operations(self) -> tuple[Operation, ...]:
        """The public API."""
        read, write = "traces:read", "traces:write"
        return (
            Operation("POST", "/v1/chat/completions", CHAT, "", self.chat.create),
            Operation("GET", "/v1/models", "models.list", "", self.documents.models),
            Operation("GET", "/v1/openapi.json", "openapi.read", "", self.documents.openapi),
            Operation("GET", "/v1/traces", "trace.list", read, self.traces.listed),
            Operation("GET", "/v1/traces/{trace_id}/status", "trace.status", read, self.traces.status),
            Operation("GET", "/v1/traces/{trace_id}/graph", "trace.graph", read, self.traces.graph),
            Operation("POST", "/v1/traces/{trace_id}/cancel", "trace.cancel", write, self.traces.cancel),
            Operation("POST", "/v1/webhooks", "webhook.create", write, self.callbacks.create),
            Operation("GET", "/v1/webhooks", "webhook.list", read, self.callbacks.listed),
            Operation("DELETE", "/v1/webhooks/{webhook_id}", "webhook.delete", write, self.callbacks.delete),
        )


class Gateway:
    """Examines calls and keeps the books."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def operations(self) -> tuple[Operation, ...]:
        """The public API."""
        return self._parts.operations()

    async def handle(self, operation: Operation, request: Request) -> Response:
        """Answer one call and audit it."""
        entry = AuditEntry(request_id=request.scope["request_id"], action=operation.action)
        if "trace_id" in request.path_params:
            entry.trace_id = scrub(str(request.path_params["trace_id"])[:64])
        status = 500
        try:
            response = await self._examined(operation, request, entry)
            status = response.status_code
        except ApiError as refusal:
            response = refusal.answer()
            status = refusal.status
        finally:
            entry.outcome = _outcome(status)
            self._parts.audit.write(entry)
            if operation.action == CHAT:
                self._parts.metrics.chat(attached=wants_explanation(request), status=status)
        return response

    async def _examined(self, operation: Operation, request: Request, entry: AuditEntry) -> Response:
        identity = self._identified(operation, request)
        entry.tenant_id, entry.subject = identity.tenant_id, identity.subject
        body = b""
        if operation.action == CHAT:
            body = await read_body(request)
            entry.prompt = prompt_of(body)
        call = Call(request, identity, entry, body)
        await self._authorise(operation, call)
        return await operation.handler(call)

    def _identified(self, operation: Operation, request: Request) -> Identity:
        return self._parts.guard.authenticate(request.headers.get("authorization"), operation.action)

    async def _authorise(self, operation: Operation, call: Call) -> None:
        attached = operation.action == CHAT and wants_explanation(call.request)
        scope = "traces:write" if attached else operation.scope
        self._parts.guard.authorise(call.identity, scope, operation.action)

    def endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        """The operation as Starlette wants it."""

        async def endpoint(request: Request) -> Response:
            return await self.handle(operation, request)

        return endpoint


def _outcome(status: int) -> str:
    if status < 400:
        return "allowed"
    if status in (401, 403):
        return f"denied:{status}"
    return "not_found" if status == 404 else f"error:{status}"


class Instrument:
    """Gives each request an id, counts and logs its answer by the route's template, never by what was in its path."""

    def __init__(self, app: ASGIApp, metrics: GatewayMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = f"req_{secrets.token_hex(12)}"
        begun = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # uvicorn's own Date is made by a timer and may lag; this one is of this answer.
                message["headers"] += [(b"date", formatdate(usegmt=True).encode()), (b"x-request-id", scope["request_id"].encode())]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = scope.get("route_template", "unmatched")
            seconds = time.perf_counter() - begun
            method = scope["method"] if scope["method"] in ("GET", "POST", "DELETE", "HEAD", "PUT", "PATCH", "OPTIONS") else "other"
            self._metrics.answered(method, route, status, seconds, scope["path"])
            _LOG.info("%s %s %d %.1f ms %s", method, route, status, seconds * 1000, scope["request_id"])


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _no_such_route(_request: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    message = {404: "There is nothing at this path", 405: "This path does not take this method"}.get(status, "The request failed")
    headers = dict(problem.headers or {}) if isinstance(problem, HTTPException) else {}
    return error_answer(status, message, "invalid_request_error", code=f"http_{status}", headers=headers)


async def _broken(_request: Request, _problem: Exception) -> Response:
    return error_answer(500, "The gateway failed on this request", "server_error", code="internal_error")


@dataclass(frozen=True)
class Kit:
    """What makes the parts; ``defects.faulty_gateway`` has another one."""

    guard: Callable[[Settings], Guard] = Guard
    audit: Callable[[Path], AuditLog] = AuditLog
    metrics: Callable[[], GatewayMetrics] = GatewayMetrics
    store: Callable[[Settings], StatusStore] = status_store
    traces: Callable[[Settings, StatusStore, GraphStore, Webhooks], Traces] = Traces
    callbacks: Callable[[Settings, Webhooks], Callbacks] = Callbacks
    documents: Callable[[Settings, httpx.AsyncClient, Path], Documents] = Documents
    ladder: Callable[[Settings, Database, Queue], Ladder] = Ladder
    chat: Callable[[Settings, httpx.AsyncClient, Ladder, GatewayMetrics], Chat] = Chat
    gateway: Callable[[Parts], Gateway] = Gateway


def _parts(settings: Settings, kit: Kit) -> Parts:
    limits = httpx.Limits(max_connections=1000, max_keepalive_connections=200, keepalive_expiry=4.0)
    interceptor = httpx.AsyncClient(base_url=settings.url("interceptor"), timeout=_TIMEOUT, limits=limits, trust_env=False)
    database = Database(database_path(settings))
    queue = Queue(database, settings.QUEUE_LEASE_SECONDS)
    webhooks = Webhooks(database)
    metrics = kit.metrics()
    return Parts(
        guard=kit.guard(settings),
        audit=kit.audit(settings.AUDIT_LOG_PATH) if settings.AUDIT_ENABLED else NoAuditLog(),
        metrics=metrics,
        chat=kit.chat(settings, interceptor, kit.ladder(settings, database, queue), metrics),
        traces=kit.traces(settings, kit.store(settings), graph_store(settings), webhooks),
        callbacks=kit.callbacks(settings, webhooks),
        documents=kit.documents(settings, interceptor, openapi_path(settings)),
    )


def application(settings: Settings, kit: Kit | None = None) -> ASGIApp:
    """The service, made from a kit; by default the healthy one."""
    kit = kit or Kit()
    made = _parts(settings, kit)
    gateway = kit.gateway(made)

    async def metrics(_request: Request) -> Response:
        made.chat.show_pressure()
        return exposition(made.metrics.expose())

    routes = [Route(o.path, _templated(o.path, gateway.endpoint(o)), methods=[o.method]) for o in gateway.operations()]
    routes.append(Route("/healthz", _templated("/healthz", _healthz)))
    if settings.ENABLE_OTEL:
        routes.append(Route("/metrics", _templated("/metrics", metrics)))
    handlers = {404: _no_such_route, 405: _no_such_route, 500: _broken}
    return Instrument(Starlette(routes=routes, exception_handlers=handlers), made.metrics)


def _templated(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def noted(request: Request) -> Response:
        request.scope["route_template"] = path
        return await endpoint(request)

    return noted
