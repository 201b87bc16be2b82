"""The interceptor: forwards chats to the LLM, and copies those asking for an explanation into the durable queue.

Only the gateway may call it (see ``interceptor_protocol``). What is kept of an exchange is scrubbed first.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import logging
import math
import time
from collections.abc import AsyncIterator, Collection, Mapping
from email.utils import mktime_tz, parsedate_tz
from typing import Any

import httpx
from anyio import CancelScope
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from lab.database import Database
from lab.doorbell import ring
from lab.interceptor_protocol import HOP_HEADER, TRACE_HEADER
from lab.openai_errors import error_answer
from lab.places import database_path, queue_bell_path
from lab.queue import Queue
from lab.scrub import scrub
from lab.settings import Settings
from lab.status_store import StatusStore, status_store
from lab.text import last_user_text
from lab.traces import FAILED, IllegalTransition, TraceRecord, UnknownTrace

# What of an upstream's answer is passed on.
_PASSED_ON = ("content-type", "retry-after")
# Refusals of a chat that are the caller's to mend, and that the API's document lists. A 401 or 403 is about the key of this service.
_CALLERS = (400, 404, 413, 429)
_TIMEOUT = httpx.Timeout(60.0, connect=3.0)

_LOG = logging.getLogger("interceptor")


class Interceptor:
    """Between gateway and LLM."""

    def __init__(self, settings: Settings, store: StatusStore, queue: Queue, upstream: httpx.AsyncClient) -> None:
        self._settings = settings
        self._store = store
        self._queue = queue
        self._upstream = upstream

    async def models(self, request: Request) -> Response:
        """GET /v1/models."""
        if refusal := self._refusal(request):
            return refusal
        try:
            answer = await self._upstream.get("models")
        except httpx.HTTPError as problem:
            return _unreachable(problem)
        return _passed_on(answer)

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        if refusal := self._refusal(request):
            return refusal
        body = await request.body()
        chat = json.loads(body)
        trace = json.loads(request.headers[TRACE_HEADER]) if TRACE_HEADER in request.headers else None
        outgoing = self._upstream.build_request("POST", "chat/completions", content=body, headers={"content-type": "application/json"})
        try:
            answer = await self._upstream.send(outgoing, stream=True)
            if chat.get("stream") and answer.status_code == 200:
                if trace:
                    await self._accept(trace, chat)
                return StreamingResponse(self._relay(answer, trace, chat), headers=_headers(answer))
            await answer.aread()
        except httpx.HTTPError as problem:
            return _unreachable(problem)
        if trace and answer.status_code == 200:
            told = _message_of(answer)
            if told is None:
                return error_answer(502, "the upstream's answer is no chat completion", "upstream_error", code="upstream_invalid")
            await self._accept(trace, chat)
            self._enqueue(trace, chat, told)
        return _passed_on(answer, _CALLERS)

    async def _relay(self, answer: httpx.Response, trace: Mapping[str, Any] | None, chat: Mapping[str, Any]) -> AsyncIterator[bytes]:
        """Pass a streamed answer on as it comes; explain it once it has come to its end."""
        told: list[str] = []
        finished = False
        rest = b""
        try:
            async for chunk in answer.aiter_bytes():
                yield chunk
                if trace:
                    *events, rest = (rest + chunk).replace(b"\r\n", b"\n").split(b"\n\n")
                    finished = _collect(events, told) or finished
        except httpx.HTTPError as problem:
            _LOG.warning("the upstream broke off a stream: %s", type(problem).__name__)
        finally:
            # A caller that hangs up cancels this task; its trace must come to an end nonetheless.
            with CancelScope(shield=True):
                await self._relayed(answer, trace, chat, "".join(told) if finished else None)

    async def _relayed(self, answer: httpx.Response, trace: Mapping[str, Any] | None, chat: Mapping[str, Any], told: str | None) -> None:
        """Close a stream; explain what was told, or fail the trace where it was broken off (None)."""
        with contextlib.suppress(httpx.HTTPError):
            await answer.aclose()
        if trace and told is not None:
            self._enqueue(trace, chat, told)
        elif trace:
            with contextlib.suppress(IllegalTransition, UnknownTrace):
                await self._store.transition(trace["trace_id"], FAILED, error="the answer was broken off before its end")

    async def _accept(self, trace: Mapping[str, Any], chat: Mapping[str, Any]) -> None:
        record = TraceRecord.accepted(
            trace["trace_id"], trace["tenant_id"], trace["granularity"], model=str(chat["model"]), created_at=trace["created_at"]
        )
        await self._store.create(record)

    def _enqueue(self, trace: Mapping[str, Any], chat: Mapping[str, Any], answer: str) -> None:
        exchange = {"prompt": scrub(last_user_text(chat["messages"])), "answer": scrub(answer)}
        self._queue.put(trace["trace_id"], {**trace, "model": str(chat["model"]), **exchange})
        ring(queue_bell_path(self._settings))

    def _refusal(self, request: Request) -> Response | None:
        if hmac.compare_digest(request.headers.get(HOP_HEADER, "").encode(), self._settings.SIDECAR_HOP_SECRET.encode()):
            return None
        return error_answer(403, "the interceptor answers the gateway only", "permission_error", code="not_the_gateway")


def _collect(events: list[bytes], told: list[str]) -> bool:
    """Add the text of server-sent events; whether they end the stream."""
    for event in events:
        for line in event.split(b"\n"):
            data = line.removeprefix(b"data:").strip()
            if data == b"[DONE]":
                return True
            with contextlib.suppress(ValueError, LookupError, TypeError):
                told.append(json.loads(data)["choices"][0]["delta"].get("content") or "")
    return False


def _message_of(answer: httpx.Response) -> str | None:
    try:
        return str(answer.json()["choices"][0]["message"]["content"] or "")
    except (ValueError, LookupError, TypeError):
        return None


def _headers(answer: httpx.Response) -> dict[str, str]:
    return {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}


def _passed_on(answer: httpx.Response, refusals: Collection[int] = ()) -> Response:
    """A whole answer, if it is a 200 or one of these refusals, worded as such; anything else is a failure of the upstream."""
    if answer.status_code != 200 and not (answer.status_code in refusals and _is_openai_error(answer)):
        _LOG.warning("the upstream answered %d", answer.status_code)
        return error_answer(502, f"the upstream answered {answer.status_code}", "upstream_error", code="upstream_failed")
    headers = _headers(answer)
    if answer.status_code == 429:
        headers["retry-after"] = _whole_seconds(headers.get("retry-after", ""))
    return Response(answer.content, answer.status_code, headers=headers)


def _whole_seconds(retry_after: str) -> str:
    """A Retry-After as the API's document has it. An upstream may name a date (RFC 9110, 10.2.3), or nothing that can be read: 1 then."""
    with contextlib.suppress(ValueError, OverflowError):
        if retry_after.isdecimal():
            return str(max(1, int(retry_after)))
        if date := parsedate_tz(retry_after):
            return str(max(1, math.ceil(mktime_tz(date) - time.time())))
    return "1"


def _is_openai_error(answer: httpx.Response) -> bool:
    try:
        return isinstance(answer.json()["error"]["message"], str)
    except (ValueError, LookupError, TypeError):
        return False


def _unreachable(problem: httpx.HTTPError) -> Response:
    _LOG.warning("the upstream cannot be reached: %s", type(problem).__name__)
    if isinstance(problem, httpx.TimeoutException):
        return error_answer(504, "the upstream did not answer in time", "upstream_error", code="upstream_timeout")
    return error_answer(502, "the upstream cannot be reached", "upstream_error", code="upstream_unreachable")


def upstream_base(settings: Settings) -> str:
    """Base URL of the LLM's API, ending in ``/v1``."""
    base = settings.LLM_PROXY_URL or settings.url("llm")
    return base if base.endswith("/v1") else f"{base}/v1"


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


def application(settings: Settings) -> Starlette:
    """The service."""
    # Compressed, the events of a stream would come when a block is full.
    headers = {"accept-encoding": "identity"}
    if settings.LLM_API_KEY:
        headers["authorization"] = f"Bearer {settings.LLM_API_KEY}"
    limits = httpx.Limits(max_connections=1000, max_keepalive_connections=200, keepalive_expiry=4.0)
    upstream = httpx.AsyncClient(base_url=upstream_base(settings), headers=headers, timeout=_TIMEOUT, limits=limits, trust_env=False)
    queue = Queue(Database(database_path(settings)), settings.QUEUE_LEASE_SECONDS)
    interceptor = Interceptor(settings, status_store(settings), queue, upstream)
    return Starlette(
        routes=[
            Route("/v1/chat/completions", interceptor.chat, methods=["POST"]),
            Route("/v1/models", interceptor.models),
            Route("/healthz", _healthz),
        ]
    )
