"""The upstream of the lab: an OpenAI-compatible API whose answers are composed from the prompt, the same for the same prompt.

It does not pretend to know anything. It takes up to three sentences of the last user message, those that share most words with the rest
of it, and puts them into one of a few frames. How long it thinks is drawn from LLM_LATENCY_MS.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from lab.settings import Settings
from lab.text import last_user_text, sentences, words

_FRAMES = (
    "In short: {0}",
    "What matters here is this. {0}",
    "Taken together, the text says the following. {0}",
)


def compose(prompt: str) -> str:
    """The answer to a prompt."""
    parts = sentences(prompt)
    if not parts:
        return "There is nothing to answer: the message holds no words."
    counts = Counter(word for part in parts for word in set(words(part)))
    ranked = sorted(range(len(parts)), key=lambda i: (-sum(counts[word] for word in set(words(parts[i]))), i))
    chosen = [parts[i] for i in sorted(ranked[:3])]
    frame = _FRAMES[hashlib.sha256(prompt.encode()).digest()[0] % len(_FRAMES)]
    return frame.format(" ".join(part if part[-1] in ".!?" else f"{part}." for part in chosen))


class Model:
    """The chat endpoint."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._source = random.Random()  # noqa: S311  # simulated time

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        body = await request.json()
        model = body["model"]
        if model not in self._settings.LLM_MODELS:
            message = f"The model {model!r} does not exist. Known: {', '.join(self._settings.LLM_MODELS)}"
            error = {"message": message, "type": "invalid_request_error", "param": "model", "code": "model_not_found"}
            return JSONResponse({"error": error}, 404)
        # JSON may spell half a surrogate pair, which no encoding can write.
        prompt = last_user_text(body["messages"]).encode("utf-8", "replace").decode()
        answer = compose(prompt)
        thinking = self._settings.LLM_LATENCY_MS.sample(self._source)
        head = {"id": f"chatcmpl-{random.getrandbits(96):024x}", "created": int(time.time()), "model": model}  # no secret
        if body.get("stream"):
            return StreamingResponse(self._chunks(head, answer, thinking), media_type="text/event-stream")
        await asyncio.sleep(thinking)
        used = [len(words(prompt)), len(words(answer))]
        return JSONResponse(
            {
                **head,
                "object": "chat.completion",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": used[0], "completion_tokens": used[1], "total_tokens": sum(used)},
            }
        )

    async def _chunks(self, head: Mapping[str, Any], answer: str, thinking: float) -> AsyncIterator[str]:
        pieces = re.findall(r"\S+\s*", answer)
        await asyncio.sleep(thinking / 2)
        for position, piece in enumerate(["", *pieces]):
            delta = {"content": piece} if position else {"role": "assistant", "content": ""}
            yield _event({**head, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
            await asyncio.sleep(thinking / 2 / len(pieces))
        yield _event({**head, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        yield "data: [DONE]\n\n"

    async def models(self, _request: Request) -> Response:
        """GET /v1/models."""
        data = [{"id": name, "object": "model", "created": 1700000000, "owned_by": "lab"} for name in self._settings.LLM_MODELS]
        return JSONResponse({"object": "list", "data": data})


def _event(document: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(document)}\n\n"


async def _healthz(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


def application(settings: Settings) -> Starlette:
    """The service."""
    model = Model(settings)
    return Starlette(
        routes=[
            Route("/v1/chat/completions", model.chat, methods=["POST"]),
            Route("/v1/models", model.models),
            Route("/healthz", _healthz),
        ]
    )
