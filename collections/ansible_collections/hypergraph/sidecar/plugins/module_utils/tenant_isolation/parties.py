# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tenant as the service knows it: what it may ask with its token, what it owns there, and every answer it was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..connection import Token
from ..faults import CheckError
from ..http_client import Answer, Client
from ..traces import attach_headers, canary, chat_body, submit
from ..verdict import Verdict
from ..webhook_removal import WEBHOOKS, remove_webhook, webhook_id
from .looks import TENANT_HEADER

# Long enough, at token granularity, that its explanation is still under way when the next request arrives.
_PROMPT = (
    "{mark} A hypergraph joins any number of nodes by one edge. A graph joins two nodes by one edge, and so every graph is a hypergraph. "
    "An incidence says that a node belongs to an edge. Edges may overlap, nest, or share no node at all. A node without any edge is "
    "isolated. The dual of a hypergraph swaps the roles of nodes and edges."
)


@dataclass(frozen=True)
class Webhook:
    """A registered callback whose URL and secret occur nowhere else."""

    id: str
    url: str


@dataclass
class Party:
    """One tenant with a token that may read and write.

    ``heard`` holds every answer given to it, ``marks`` every canary it planted. ``tenant`` is what the service calls it, or before that is
    known, what the token is declared to be. ``trace_id`` is its finished trace, once it has one.
    """

    token: Token
    client: Client
    model: str
    verdict: Verdict
    tenant: str = ""
    trace_id: str = ""
    heard: list[Answer] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    _prompt_mark: str = field(default_factory=lambda: canary("prompt"))

    def __post_init__(self) -> None:
        self.tenant = self.tenant or self.token.tenant_id
        self.marks.append(self._prompt_mark)

    def ask(self, method: str, path: str, *, json: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request with the tenant's token and keep the answer."""
        answer = self.client.request(method, path, self.token, json=json, headers=headers)
        self.heard.append(answer)
        return answer

    def submit(self, granularity: str) -> str:
        """Submit a trace whose prompt carries the tenant's canary; returns its id. Raises CheckError where it is not accepted."""
        submission = submit(self.client, self.token, self._prompt(), model=self.model, granularity=granularity)
        self.heard.append(submission.answer)
        return submission.trace_id

    def submit_labelled(self, tenant: str) -> Answer:
        """Submit a trace under another tenant's label; returns the answer, accepted or not."""
        body = chat_body(self._prompt(), self.model)
        return self.ask("POST", "/v1/chat/completions", json=body, headers=attach_headers(extra={TENANT_HEADER: tenant}))

    @contextmanager
    def webhook(self) -> Iterator[Webhook]:
        """A webhook of the tenant for as long as the body runs; deleted again whatever happens, also where its registration was cut off.

        Raises CheckError where it cannot be registered; one that cannot be deleted becomes an error of the verdict.
        """
        mark, secret = canary("hook"), canary("secret")
        self.verdict.redactor.learn([secret])
        self.marks += [mark, secret]
        url = f"https://{mark}.invalid/"
        identity = ""
        try:
            answer = self.ask("POST", WEBHOOKS, json={"url": url, "secret": secret})
            identity = webhook_id(answer)
            if not identity:
                raise CheckError(
                    "webhook-refused",
                    f"POST /v1/webhooks with token {self.token.name!r} answered {answer.status} without an id",
                    "Check that the token carries traces:write and that the answer names the webhook's id.",
                )
            yield Webhook(identity, url)
        finally:
            remove_webhook(self.ask, identity, url, self.verdict, self.tenant)

    def _prompt(self) -> str:
        return _PROMPT.format(mark=self._prompt_mark)
