# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Submitting traces, as every probe of the runtime needs to: a chat with an explanation attached, and waiting for its end."""

from __future__ import annotations

import re
import secrets
import string
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .connection import Token
from .faults import CheckError, CheckInconclusive
from .http_client import Answer, Client
from .redaction import excerpt

TERMINAL_STATES = frozenset({"complete", "failed", "expired", "canceled"})
POLL_INTERVAL = 0.05
_TRACE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:-]{0,199}")


@dataclass(frozen=True)
class Submission:
    """An attached chat that was accepted."""

    trace_id: str
    answer: Answer


class UnnamedTrace(CheckError):
    """An attached chat was answered without an id to ask for its trace by: what a check of traces fails a service for."""


def canary(purpose: str) -> str:
    """A word that occurs nowhere else: 96 random bits, named for its purpose so that a find explains itself."""
    return f"canary{purpose}{secrets.token_hex(12)}"


def sibling(trace_id: str) -> str:
    """An id of the same form that names no trace: its last twelve letters and digits are drawn anew, each from its own kind.

    What is before them stays: a prefix drawn at random can be that of an API key, and would be found as one in the audit log.
    """
    kinds = (string.digits, "abcdef", "ABCDEF", string.ascii_lowercase, string.ascii_uppercase)
    characters = list(trace_id)
    drawn = [place for place, character in enumerate(characters) if character.isalnum()][-12:]
    for place in drawn:
        characters[place] = next((secrets.choice(kind) for kind in kinds if characters[place] in kind), characters[place])
    return "".join(characters)


def chat_body(prompt: str, model: str) -> dict[str, Any]:
    """The smallest OpenAI chat body."""
    return {"model": model, "messages": [{"role": "user", "content": prompt}]}


def attach_headers(granularity: str = "sentence", extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Headers that ask for an explanation of a chat."""
    return {"x-explain-mode": "hypergraph", "x-explain-granularity": granularity, **(extra or {})}


def submit(
    client: Client, token: Token | None, prompt: str, *, model: str, granularity: str = "sentence", headers: Mapping[str, str] | None = None
) -> Submission:
    """Post a chat with an explanation attached; ``token`` is None where the environment enforces none.

    Raises CheckError where the chat is not accepted, UnnamedTrace where it was and its answer carries no usable trace id.
    """
    answer = client.post("/v1/chat/completions", token, json=chat_body(prompt, model), headers=attach_headers(granularity, headers))
    if answer.status != 200:
        raise CheckError(
            "chat-refused",
            f"POST /v1/chat/completions with {f'token {token.name!r}' if token else 'no token'} answered {answer.status}, expected 200",
            "Check the gateway, its upstream, and that the token carries traces:write.",
        )
    trace_id = answer.headers.get("x-trace-id", "")
    if not trace_id:
        raise UnnamedTrace(
            "trace-id-missing",
            "an attached chat was answered without x-trace-id",
            "Check that the interceptor is in the path and that x-explain-mode reaches it.",
        )
    if not _TRACE_ID.fullmatch(trace_id):
        raise UnnamedTrace(
            "trace-id-unusable",
            f"x-trace-id is {excerpt(trace_id, 60)!r}, expected letters, digits and . _ ~ : - as a segment of a path may hold",
            "Let the gateway make ids that can stand in the paths of the trace API.",
        )
    return Submission(trace_id, answer)


def status_path(trace_id: str) -> str:
    """Path of a trace's status."""
    return f"/v1/traces/{trace_id}/status"


def graph_path(trace_id: str) -> str:
    """Path of a trace's graph."""
    return f"/v1/traces/{trace_id}/graph"


def read_status(client: Client, token: Token | None, trace_id: str) -> tuple[Answer, dict[str, Any]]:
    """The status of a trace, as answered and as parsed: an object with a state. Raises CheckError where it cannot be read as one."""
    answer = client.get(status_path(trace_id), token)
    if answer.status != 200:
        raise CheckError(
            "status-unreadable",
            f"GET /v1/traces/{{id}}/status answered {answer.status} to the trace's owner, expected 200",
            "Check the trace API and its StatusStore.",
        )
    status = answer.json()
    if not isinstance(status, dict) or not isinstance(status.get("state"), str):
        raise CheckError("status-unreadable", "the trace status is no object with a state that is a string", "Check the trace API.")
    return answer, status


def cancel_would_show(state: str) -> bool:
    """Whether a cancel that was answered just before this state was read could act: states go only forward, so the trace had not ended."""
    return state not in TERMINAL_STATES or state == "canceled"


def wait_for_end(
    client: Client,
    token: Token | None,
    trace_id: str,
    *,
    within: float,
    observe: Callable[[Mapping[str, Any]], None] = lambda _status: None,
) -> dict[str, Any]:
    """Poll a trace until it is in a terminal state, at most ``within`` seconds, showing each status to ``observe``; return the last one.

    Raises CheckInconclusive where it does not end in time, CheckError where its status cannot be read.
    """
    give_up = time.monotonic() + within
    while True:
        _answer, status = read_status(client, token, trace_id)
        observe(status)
        if status.get("state") in TERMINAL_STATES:
            return status
        if time.monotonic() > give_up:
            raise CheckInconclusive(
                "deadline-exceeded",
                f"the trace was still {status.get('state')!r} after {within:g} s",
                "Check that an explainer is running and its queue is moving, or raise the deadline.",
            )
        time.sleep(POLL_INTERVAL)
