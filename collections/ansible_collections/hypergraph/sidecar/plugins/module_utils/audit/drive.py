# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Doing what ought to be audited: one of each action, with canaries wherever text of a user goes in, on good paths and on bad ones."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..connection import Token
from ..examination import Examination
from ..faults import CheckError
from ..http_client import Answer
from ..traces import TERMINAL_STATES, attach_headers, canary, chat_body, graph_path, status_path
from ..webhook_removal import WEBHOOKS, is_gone, remove_webhook, webhook_id, webhook_path
from .actions import Action
from .canaries import seed
from .needles import Needle, canary_needles, secret_needle, word_needle

# Actions of the contract that leave an audit entry.
ACTIONS = (
    "chat.create",
    "models.list",
    "trace.list",
    "trace.status",
    "trace.graph",
    "trace.cancel",
    "webhook.create",
    "webhook.list",
    "webhook.delete",
)
# What a gateway answers on a route that it has not.
_NOT_OFFERED = (404, 405, 501)
_POLL_INTERVAL = 0.2


class Driver:
    """Sends the check's own requests, and keeps what must be looked for. ``after_each`` is called after every answer."""

    def __init__(self, run: Examination, names: Mapping[str, str], after_each: Callable[[], None]) -> None:
        self.actions: list[Action] = []
        self.needles: list[Needle] = token_needles(run.connection.tokens)
        self.words: list[Needle] = []
        self.not_offered: list[str] = []
        self._run = run
        self._client = run.client
        self._names = names
        self._after_each = after_each
        self._model = str(run.params["model"])
        self._enforced = run.connection.auth_mode != "none"
        self._writer = run.connection.token_with("traces:write", "traces:read") if self._enforced else None
        self._stranger = secrets.token_urlsafe(32)
        if self._enforced:
            self._know({self._stranger: secret_needle("authorization", "an unknown token", self._stranger)})

    def chats(self) -> None:
        """Chats that are answered, rejected and refused, each with canaries of its own."""
        self._chat("a plain chat", self._writer)
        self._chat("a streamed chat", self._writer, stream=True)
        self._chat("a chat with an unknown model", self._writer, model=canary("model"))
        self._chat("a malformed chat", self._writer, malformed=True)
        if self._enforced:
            self._chat("a chat with an unknown token", self._stranger)
            self._chat("a chat without token", None)

    def traces(self, within: float) -> None:
        """A trace that is read, for ``within`` seconds or until it ends, and one that is canceled."""
        trace_id = self._chat("an attached chat", self._writer, attached="sentence")
        if trace_id:
            self._follow(trace_id, within)
            self._send("trace.graph", "the graph of the check's trace", "GET", graph_path(trace_id), self._writer, trace_id=trace_id)
            if self._enforced:
                self._denied(trace_id)
        to_cancel = self._chat("a chat whose trace is canceled", self._writer, attached="token")
        if to_cancel:
            path = f"/v1/traces/{to_cancel}/cancel"
            self._send("trace.cancel", "the check's second trace", "POST", path, self._writer, trace_id=to_cancel)

    def lists(self) -> None:
        """Everything that is listed."""
        for name, path in (("models.list", "/v1/models"), ("trace.list", "/v1/traces"), ("webhook.list", "/v1/webhooks")):
            self._send(name, path, "GET", path, self._writer)

    def webhook(self) -> None:
        """A webhook with a secret, registered and deleted; where deleting is not audited, by a request that is no action."""
        secret = f"whsec_{secrets.token_urlsafe(24)}"
        self._know({secret: secret_needle("key", "a webhook's secret", secret)})
        url = f"https://{canary('hook')}.invalid/"
        identity, left = "", True
        try:
            answer = self._send("webhook.create", "a webhook", "POST", WEBHOOKS, self._writer, body={"url": url, "secret": secret})
            # Behind a proxy a 5xx may come after all was done.
            left = answer is not None and not 400 <= answer.status < 500
            if answer and 200 <= answer.status < 300:
                identity = self._webhook_id(answer)
            if identity:
                deletion = self._send("webhook.delete", "the webhook", "DELETE", webhook_path(identity), self._writer)
                left = deletion is None or not is_gone(deletion)
        finally:
            if left:
                tenant = self._writer.tenant_id if self._writer else "(none)"
                remove_webhook(self._unaudited, identity, url, self._run.verdict, tenant)

    def _unaudited(self, method: str, path: str) -> Answer:
        """A request that is no action: tidying up, of which no entry is expected."""
        return self._client.request(method, path, self._writer)

    def _webhook_id(self, answer: Answer) -> str:
        """The id, or nothing, with the verdict saying so: what was logged by now is to be judged nonetheless."""
        try:
            identity = webhook_id(answer)
        except CheckError:
            identity = ""
        if not identity:
            reason = f"POST {WEBHOOKS} answered {answer.status} without the webhook's id"
            self._run.verdict.error("webhook-unreadable", reason, "Check the webhook API.")
        return identity

    def _follow(self, trace_id: str, within: float) -> None:
        give_up = time.monotonic() + within
        while True:
            answer = self._send(
                "trace.status", "the status of the check's trace", "GET", status_path(trace_id), self._writer, trace_id=trace_id
            )
            if answer is None or answer.status != 200 or time.monotonic() > give_up or _ended(answer):
                return
            time.sleep(_POLL_INTERVAL)

    def _denied(self, trace_id: str) -> None:
        path = status_path(trace_id)
        self._send("trace.status", "without token", "GET", path, None, trace_id=trace_id)
        self._send("trace.status", "with an unknown token", "GET", path, self._stranger, trace_id=trace_id)
        limited = next((token for token in self._run.connection.tokens if not token.has("traces:write")), None)
        if limited:
            cancel = f"/v1/traces/{trace_id}/cancel"
            self._send("trace.cancel", f"with {limited.name}, which may not", "POST", cancel, limited, trace_id=trace_id)

    def _chat(
        self, label: str, sender: Token | str | None, *, attached: str = "", stream: bool = False, malformed: bool = False, model: str = ""
    ) -> str:
        """Send a chat with canaries; the id of its trace, if it has one."""
        canaries = seed(label, len(self.words))
        values = canaries.secrets().values()
        self._know(dict(zip(values, canary_needles(canaries))))
        self.words.append(word_needle(canaries))
        body: dict[str, Any] = chat_body(canaries.prompt, model or self._model)
        if stream:
            body["stream"] = True
        if malformed:
            body["messages"] = canaries.prompt
        headers = attach_headers(attached) if attached else {}
        answer = self._send("chat.create", label, "POST", "/v1/chat/completions", sender, body=body, headers=headers, word=canaries.word)
        return answer.headers.get("x-trace-id", "") if answer else ""

    def _send(
        self,
        name: str,
        label: str,
        method: str,
        path: str,
        sender: Token | str | None,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        trace_id: str = "",
        word: str = "",
    ) -> Answer | None:
        """Send one request and keep it as an action; None where the environment says that such are not audited."""
        if not self._names[name]:
            return None
        answer = self._client.request(method, path, sender, json=body, headers=headers)
        if answer.status in _NOT_OFFERED and not trace_id and name != "chat.create":
            self.not_offered.append(f"{method} {path}")
        else:
            known = sender if isinstance(sender, Token) else None
            self.actions.append(
                Action(
                    name,
                    label,
                    answer.status,
                    known.tenant_id if known else "",
                    known.subject if known else "",
                    trace_id or answer.headers.get("x-trace-id", ""),
                    answer.headers.get("x-request-id", ""),
                    word,
                )
            )
        self._after_each()
        return answer

    def _know(self, needles: Mapping[str, Needle]) -> None:
        """Redact these values before anything is said, and look for them."""
        self._run.verdict.redactor.learn(needles)
        self.needles.extend(needles.values())


def token_needles(tokens: Iterable[Token]) -> list[Needle]:
    """The environment's own tokens, which old lines may hold too."""
    return [secret_needle("authorization", f"token {token.name}", token.value, lasting=True) for token in tokens]


def _ended(answer: Answer) -> bool:
    try:
        document = answer.json()
    except CheckError:
        return True
    return not isinstance(document, dict) or document.get("state") in TERMINAL_STATES
