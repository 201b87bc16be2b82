"""A gateway that gives way badly under more load than it can bear."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from time import monotonic, time
from typing import Any

import httpx
from starlette.responses import Response

from lab.backpressure import SOFT_RUNGS, Ladder, Level, Pressure
from lab.defects.faulty_soak import Wear
from lab.defects.seeded import Seeded
from lab.gateway.call import Call
from lab.gateway.chat import Chat, Explanation, wants_explanation
from lab.openai_errors import ApiError

_A_DAY = "86400"
# So far beyond any objective that a generator on a busy machine, whose own lateness it must exceed, still sees it.
SLOW_SECONDS = 5.0
_LATE_AFTER_SECONDS = 75
_LATE_PER_CENT = 20
# How many of the explanations that are accepted under pressure are lost: one in so many.
_LOST_ONE_IN = 5


class FaultyLadder(Seeded, Ladder):
    """A ladder that never comes down all the way."""

    _was_hard = False

    def pressure(self) -> Pressure:
        """The pressure, or what it remembers of it."""
        found = super().pressure()
        self._was_hard = self._was_hard or found.level is Level.HARD
        if found.level is Level.NORMAL and self._was_hard and self._defects.applied("pressure-never-released"):
            return replace(found, level=Level.SOFT, rungs=SOFT_RUNGS)
        return found


class FaultyChat(Seeded, Chat):
    """Chats that refuse rudely, starve, or lose what they promised, or have a tail that is too heavy."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._accepted = itertools.count(1)
        self._chats = 0
        self._first_at = monotonic()
        self._wear = Wear(self._defects)

    async def create(self, call: Call) -> Response:
        """POST /v1/chat/completions, where plain chats may wait for the room of attached ones, or some for nothing."""
        self._chats += 1
        self._first_at = self._first_at if self._chats > 1 else monotonic()
        await asyncio.sleep(self._wear.delay())
        if self._wear.fails():
            raise ApiError(500, "The gateway has run out of something.", "server_error", code="exhausted")
        if self._is_in_tail():
            await asyncio.sleep(SLOW_SECONDS)
        plain = self._defects.active("pressure-starves-chat") and not wants_explanation(call.request)
        if plain and self._ladder.pressure().level is Level.HARD and self._defects.applied("pressure-starves-chat"):
            await asyncio.sleep(SLOW_SECONDS)
        return await super().create(call)

    def _is_in_tail(self) -> bool:
        """Whether this chat is to be slow for no reason."""
        if self._one_of(6) and self._defects.applied("chat-tail-6-percent"):
            return True
        if self._one_of(8) and self._defects.applied("chat-tail-8-percent"):
            return True
        late = monotonic() - self._first_at > _LATE_AFTER_SECONDS
        return late and self._one_of(_LATE_PER_CENT) and self._defects.applied("chat-slow-late")

    def _one_of(self, per_cent: int) -> bool:
        """Whether this chat is one of so many in a hundred, which come at even distances."""
        return self._chats * per_cent // 100 > (self._chats - 1) * per_cent // 100

    def _admitted(self, call: Call, explanation: Explanation) -> dict[str, str]:
        try:
            return super()._admitted(call, explanation)
        except ApiError as refusal:
            if refusal.status != 429:
                raise
            # Where that is seeded, the refusal was counted where nobody sees it.
            self._defects.applied("ladder-counter-frozen")
            if self._defects.applied("retry-after-missing"):
                raise ApiError(429, refusal.message, refusal.kind, code=refusal.code) from None
            if self._defects.applied("retry-after-a-day"):
                refusal.headers["retry-after"] = _A_DAY
            if self._defects.applied("benign-retry-after-date"):
                refusal.headers["retry-after"] = formatdate(time() + int(refusal.headers["retry-after"]), usegmt=True)
            raise

    async def _forwarded(self, body: bytes, trace: Mapping[str, str] | None) -> httpx.Response:
        pressed = trace and self._defects.active("pressure-loses-trace") and self._ladder.pressure().level is not Level.NORMAL
        if pressed and next(self._accepted) % _LOST_ONE_IN == 0 and self._defects.applied("pressure-loses-trace"):
            trace = None
        return await super()._forwarded(body, trace)
