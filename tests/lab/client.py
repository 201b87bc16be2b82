"""Talking to a lab as its users do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

Seen = TypeVar("Seen")
PROMPT = "A hypergraph joins any number of nodes by one edge. A graph joins two nodes by one edge. Every graph is a hypergraph."


def eventually(look: Callable[[], Seen], within: float = 20.0) -> Seen:
    """What ``look`` returns once it is true-ish; an assertion where it never is."""
    give_up = time.monotonic() + within
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < give_up, f"not within {within} s: {look.__doc__ or look}"
        time.sleep(0.02)


class Api:
    """The gateway of a lab, with its tokens by name."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self.tokens = {token["name"]: token["token"] for token in facts["tokens"]}
        self.client = httpx.Client(base_url=facts["urls"]["gateway"], timeout=20, trust_env=False)

    def ask(
        self, method: str, path: str, caller: str = "alpha-writer", headers: dict[str, str] | None = None, **how: Any
    ) -> httpx.Response:
        """A request with the token of a caller; an empty caller sends none."""
        bearer = {"authorization": f"Bearer {self.tokens[caller]}"} if caller else {}
        return self.client.request(method, path, headers={**bearer, **(headers or {})}, **how)

    def chat(self, prompt: str = PROMPT, caller: str = "alpha-writer", granularity: str | None = "sentence", **body: Any) -> httpx.Response:
        """A chat; attached unless the granularity is None."""
        headers = {"x-explain-mode": "hypergraph", "x-explain-granularity": granularity} if granularity else {}
        content = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": prompt}], **body}
        return self.ask("POST", "/v1/chat/completions", caller, headers, json=content)

    def submit(self, prompt: str = PROMPT, caller: str = "alpha-writer", granularity: str = "sentence") -> str:
        """The id of a new trace."""
        answer = self.chat(prompt, caller, granularity)
        assert answer.status_code == 200, answer.text
        return answer.headers["x-trace-id"]

    def status(self, trace_id: str, caller: str = "alpha-writer") -> dict[str, Any]:
        """The status of a trace."""
        answer = self.ask("GET", f"/v1/traces/{trace_id}/status", caller)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def ended(self, trace_id: str, caller: str = "alpha-writer", within: float = 20.0) -> dict[str, Any]:
        """The status of a trace once it is terminal."""
        return eventually(
            lambda: next((s for s in [self.status(trace_id, caller)] if s["state"] not in ("queued", "running")), None), within
        )

    def metric(self, service: str, sample: str) -> float:
        """The value of a sample, written as in the exposition; 0 where there is none."""
        lines = httpx.get(self.facts["metrics"][service], trust_env=False).text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{sample} ")), 0.0)
