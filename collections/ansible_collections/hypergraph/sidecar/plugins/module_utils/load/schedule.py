# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When requests are due and what each asks for: deterministic under a seed, exact in its shares."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from typing import NamedTuple

from ..connection import Token
from .plan import SENTENCE, SENTENCE_SHARE, TOKEN, Phase, Plan
from .target import Target

# Shares are exact over so many requests in a row, which gives every share in steps of a hundredth of a percent.
PERIOD = 10_000
_NS = 1_000_000_000


class Shape(NamedTuple):
    """What a request asks for beside its id: the class of its explanation, if any, and all bytes that come after the id."""

    explains: str | None
    rest: bytes
    caller: int
    start: bytes


def shapes(plan: Plan, phase: Phase, target: Target) -> list[Shape]:
    """The shapes of ``PERIOD`` requests in a row, shuffled by the seed.

    A request is ``start + id + rest``. Equal shapes share their bytes.
    """
    attached = round(phase.attach_rate * PERIOD)
    sentences = {SENTENCE: attached, TOKEN: 0}.get(phase.granularity, round(attached * SENTENCE_SHARE))
    classes: list[str | None] = [SENTENCE] * sentences + [TOKEN] * (attached - sentences) + [None] * (PERIOD - attached)
    # Not for secrets: a load that can be repeated.
    random.Random(f"{plan.seed}/{phase.name}").shuffle(classes)  # noqa: S311
    starts = [chat_start(plan, target, caller) for caller in range(len(plan.callers))]
    rests = {(explains, prompt): _rest(plan, explains, prompt) for explains in (None, SENTENCE, TOKEN) for prompt in plan.prompts}
    known: dict[tuple[str | None, int, int], Shape] = {}
    found = []
    for number, explains in enumerate(classes):
        prompt, caller = number % len(plan.prompts), number % len(plan.callers)
        key = (explains, prompt, caller)
        if key not in known:
            known[key] = Shape(explains, rests[explains, plan.prompts[prompt]], caller, starts[caller])
        found.append(known[key])
    return found


def chat_start(plan: Plan, target: Target, caller: int) -> bytes:
    """A chat's request up to where its id goes."""
    return (
        f"POST {target.prefix}/v1/chat/completions HTTP/1.1\r\nHost: {target.host_header}\r\n{authorization(plan.callers[caller])}"
        "User-Agent: hypergraph.sidecar\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\nx-request-id: "
    ).encode("latin-1")


def authorization(token: Token | None) -> str:
    """The header line of a token; nothing where the environment enforces none."""
    return f"Authorization: Bearer {token.value}\r\n" if token else ""


def _rest(plan: Plan, explains: str | None, prompt: str) -> bytes:
    chat: dict[str, object] = {"model": plan.chat_model, "messages": [{"role": "user", "content": prompt}]}
    if plan.stream:
        chat["stream"] = True
    body = json.dumps(chat, separators=(",", ":")).encode()
    asked = (
        f"x-explain-mode: hypergraph\r\nx-explain-granularity: {explains}\r\nx-explain-features: {plan.featureset}\r\n" if explains else ""
    )
    return f"\r\n{asked}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body


class Arrival(NamedTuple):
    """An arrival of the open model: nanoseconds since the start of the run, and the position of its phase."""

    due_ns: int
    phase: int


def arrivals(plan: Plan) -> Iterator[Arrival]:
    """All arrivals of an open plan, in order.

    They are drawn in the space of the expected count N(t), the integral of the rate, and carried into time by its inverse: evenly
    spaced steps of 1 there give a constant rate or a straight ramp, exponential steps a Poisson process of the same rate (inversion
    method; Cinlar, Introduction to Stochastic Processes, 1975, chapter 4.7). Steps that begin at ``stagger`` of one fall between those of
    generators that begin elsewhere in it, at any rate and on any ramp that they have in common.
    """
    random_steps = random.Random(plan.seed)  # noqa: S311
    poisson = plan.arrivals == "poisson"
    count = random_steps.expovariate(1.0) if poisson else plan.stagger
    for position, phase in enumerate(plan.phases):
        start, end = phase.rate_from if phase.kind == "ramp" else phase.rate_per_s or 0.0, phase.rate_per_s or 0.0
        expected = (start + end) / 2 * phase.duration_s
        while count < expected:
            yield Arrival(int((phase.starts_s + _time_of(count, start, end, phase.duration_s)) * _NS), position)
            count += random_steps.expovariate(1.0) if poisson else 1.0
        count -= expected


def _time_of(count: float, start: float, end: float, duration: float) -> float:
    """Seconds into a phase by which so many arrivals are expected: the root of ``start t + (end - start) t^2 / (2 duration) = count``."""
    slope = (end - start) / duration
    # The form of the quadratic's root that neither divides by a zero slope nor cancels.
    return 2 * count / (start + math.sqrt(start * start + 2 * slope * count)) if count else 0.0


def concurrency_at(phase: Phase, seconds: float) -> int:
    """How many requests may be on their way so many seconds into the run, in the given phase."""
    if phase.kind != "ramp":
        return phase.concurrency
    share = min(max((seconds - phase.starts_s) / phase.duration_s, 0.0), 1.0)
    return max(1, round(phase.concurrency_from + (phase.concurrency - phase.concurrency_from) * share))


def seconds_for(count: float, phase: Phase, seconds: float) -> float:
    """In how many seconds a closed loop may send so many requests, from so many seconds into the run; 0 where its rate has no limit."""
    end = phase.rate_per_s
    if end is None:
        return 0.0
    left = phase.ends_s - seconds
    if phase.kind != "ramp" or left <= 0:
        return count / end
    rate = end + (phase.rate_from - end) * min(left / phase.duration_s, 1.0)
    if (rate + end) / 2 * left < count:
        # Not in this phase any more: the straight line would fall below nothing.
        return left + count / end
    return _time_of(count, rate, end, left)
