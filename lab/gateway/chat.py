"""Chats: checked, admitted, and handed to the interceptor, with an explanation attached where one is asked for."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lab import timestamps
from lab.backpressure import REFUSE, Ladder, Level
from lab.gateway.call import Call, parsed
from lab.interceptor_protocol import HOP_HEADER, TRACE_HEADER
from lab.metrics import GatewayMetrics
from lab.openai_errors import ApiError
from lab.settings import Settings
from lab.text import last_user_text

MODE_HEADER = "x-explain-mode"
GRANULARITIES = ("sentence", "token")
DEFAULT_FEATURESET = "sae-gpt4-2m"
_FEATURESET = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_PASSED_ON = ("content-type", "retry-after")
_ROLES = ("system", "developer", "user", "assistant", "tool")


@dataclass(frozen=True)
class Explanation:
    """An explanation as asked for in the headers."""

    granularity: str
    featureset: str


def wants_explanation(request: Request) -> bool:
    """Whether a chat asks for an explanation, rightly or not."""
    return MODE_HEADER in request.headers


def explanation_of(headers: Mapping[str, str]) -> Explanation | None:
    """The explanation that the headers ask for, if any. Raises ApiError 400."""
    if MODE_HEADER not in headers:
        return None
    granularity = headers.get("x-explain-granularity", "sentence")
    featureset = headers.get("x-explain-features", DEFAULT_FEATURESET)
    for name, fits, expected in (
        (MODE_HEADER, headers[MODE_HEADER] == "hypergraph", "hypergraph"),
        ("x-explain-granularity", granularity in GRANULARITIES, " or ".join(GRANULARITIES)),
        ("x-explain-features", bool(_FEATURESET.fullmatch(featureset)), f"the name of a feature set such as {DEFAULT_FEATURESET}"),
    ):
        if not fits:
            raise ApiError(400, f"Header {name}: expected {expected}", code="invalid_header", param=name)
    return Explanation(granularity, featureset)


def chat_of(body: bytes) -> dict[str, Any]:
    """The chat of a body. Raises ApiError 400 naming what is wrong."""
    chat = parsed(body)
    if not isinstance(chat.get("model"), str) or not chat["model"]:
        raise _bad("model", "expected the name of a model")
    messages = chat.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _bad("messages", "expected a list of at least one message")
    for position, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise _bad(f"messages[{position}].role", f"expected one of {', '.join(_ROLES)}")
        if not isinstance(message.get("content"), str | list | None):
            raise _bad(f"messages[{position}].content", "expected a text or a list of parts")
    if not isinstance(chat.get("stream", False), bool | None):
        raise _bad("stream", "expected true or false")
    return chat


def prompt_of(body: bytes) -> str:
    """The user's prompt in a body that may be anything; empty where there is none."""
    with contextlib.suppress(ApiError):
        messages = parsed(body).get("messages")
        if isinstance(messages, list):
            return last_user_text([message for message in messages if isinstance(message, dict)])
    return ""


class Chat:
    """The chat route."""

    def __init__(self, settings: Settings, interceptor: httpx.AsyncClient, ladder: Ladder, metrics: GatewayMetrics) -> None:
        self._settings = settings
        self._interceptor = interceptor
        self._ladder = ladder
        self._metrics = metrics

    def show_pressure(self) -> None:
        """Set the gauge to the level of this moment: set only where chats are judged, it would stay up when no more of them come."""
        self._metrics.level.set(self._ladder.pressure().level)

    async def create(self, call: Call) -> Response:
        """POST /v1/chat/completions."""
        explanation = explanation_of(call.headers)
        chat = chat_of(call.body)
        trace = self._admitted(call, explanation) if explanation else None
        if trace:
            call.entry.trace_id = trace["trace_id"]
        answer = await self._forwarded(call.body, trace)
        headers = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
        if trace and answer.status_code == 200:
            headers["x-trace-id"] = trace["trace_id"]
        elif trace:
            call.entry.trace_id = None
        if chat.get("stream") and answer.status_code == 200:
            return StreamingResponse(_relayed(answer), headers=headers)
        try:
            return Response(await answer.aread(), answer.status_code, headers=headers)
        except httpx.HTTPError:
            raise _interceptor_lost() from None
        finally:
            await answer.aclose()

    def _admitted(self, call: Call, explanation: Explanation) -> dict[str, str]:
        """What the interceptor is told of a trace. Raises ApiError 429 where the ladder refuses it."""
        pressure = self._ladder.pressure()
        if pressure.level is Level.HARD:
            self._metrics.actions.labels(REFUSE).inc()
            raise ApiError(
                429,
                "Too many explanations wait; try again later, or send the chat without x-explain-mode",
                "rate_limit_error",
                code="explanations_overloaded",
                headers={"retry-after": str(pressure.retry_after)},
            )
        return {
            "trace_id": f"tr_{secrets.token_hex(16)}",
            "tenant_id": call.identity.tenant_id,
            "granularity": explanation.granularity,
            "featureset": explanation.featureset,
            "created_at": timestamps.now(),
        }

    async def _forwarded(self, body: bytes, trace: Mapping[str, str] | None) -> httpx.Response:
        headers = {"content-type": "application/json", HOP_HEADER: self._settings.SIDECAR_HOP_SECRET}
        if trace:
            headers[TRACE_HEADER] = json.dumps(trace)
        try:
            outgoing = self._interceptor.build_request("POST", "/v1/chat/completions", content=body, headers=headers)
            return await self._interceptor.send(outgoing, stream=True)
        except httpx.HTTPError:
            raise _interceptor_lost() from None


async def _relayed(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


def _bad(param: str, expected: str) -> ApiError:
    return ApiError(400, f"{param}: {expected}", code="invalid_value", param=param)


def _interceptor_lost() -> ApiError:
    return ApiError(502, "The interceptor cannot be reached", "upstream_error", code="interceptor_unreachable")
