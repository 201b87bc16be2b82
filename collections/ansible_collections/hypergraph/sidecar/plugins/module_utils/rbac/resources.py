# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What requests of the matrix are tried on, tenant by tenant: made beforehand, read back afterwards, and tidied away in the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Any

from ..connection import Token
from ..faults import CheckError, CheckFault, CheckInconclusive
from ..http_client import Answer, Client
from ..traces import canary, read_status, submit, wait_for_end
from ..verdict import Verdict
from ..webhook_removal import WEBHOOKS, is_gone, remove_webhook, webhook_id, webhook_path

# Long enough for a trace to appear in a list after the request that made it was answered, by far.
SETTLE_SECONDS = 0.2
# A request after which a trace appears so often, and none without it, is what made them.
_TIMES = 4
_TRIES = 12


class Resources:
    """The traces and webhooks of one tenant. ``deadline`` is how many seconds its traces may take to end, all in all."""

    def __init__(self, client: Client, owner: Token, model: str, deadline: float) -> None:
        self._client = client
        self._owner = owner
        self._model = model
        self._left = deadline
        self._finished = ""
        self._refused: CheckFault | None = None
        self._own: set[str] = set()
        self._before: frozenset[str] = frozenset()
        self._hooks: set[str] = set()
        self._addresses: set[str] = set()
        self._hooks_listed: bool | None = None

    def finished_trace(self) -> str:
        """A trace that was given time to complete, made once: its status and graph answer to whoever may read them."""
        if not self._finished:
            trace_id = self.pending_trace("sentence")
            self.state_of(trace_id)
            self._finished = trace_id
        return self._finished

    def pending_trace(self, granularity: str = "token") -> str:
        """A trace that was accepted just now. Raises CheckError where the owner's chat is refused, and is not sent again after that."""
        if self._refused:
            raise self._refused
        prompt = "A hypergraph joins several nodes by one edge. An edge of two nodes is an ordinary one."
        try:
            trace_id = submit(self._client, self._owner, prompt, model=self._model, granularity=granularity).trace_id
        except CheckFault as fault:
            self._refused = fault
            raise
        self._own.add(trace_id)
        return trace_id

    def state_of(self, trace_id: str) -> str:
        """The state in which a trace ends, or is still when the tenant's time is used up."""
        last = {"state": ""}
        began = time.monotonic()
        try:
            wait_for_end(self._client, self._owner, trace_id, within=max(self._left, 0), observe=last.update)
        except CheckInconclusive:
            pass
        finally:
            self._left -= time.monotonic() - began
        return last["state"]

    def state_now(self, trace_id: str) -> str:
        """The state a trace is in."""
        return str(read_status(self._client, self._owner, trace_id)[1]["state"])

    def accepted(self, trace_id: str) -> None:
        """Note a trace that a caller was let through to make."""
        self._own.add(trace_id)

    def note_traces(self) -> None:
        """Note which traces there are, before requests that may add one."""
        self._before = self._trace_ids()

    def lists_own_traces(self) -> bool:
        """Whether reading back would see a trace: one that was accepted is in the list."""
        return bool(self._own & self._trace_ids())

    def has_strange_traces(self) -> bool:
        """Whether there are traces that nobody was let through to make; other traffic of the tenant makes some too."""
        return bool(self._trace_ids() - self._before - self._own)

    def are_made_by(self, request: Callable[[], object]) -> bool | None:
        """Whether traces appear each time after the request, and none without it. None where too many appear without it to say."""
        seen = 0
        for _again in range(_TRIES):
            if self._grows(lambda: None):
                continue
            if not self._grows(request):
                return False
            seen += 1
            if seen == _TIMES:
                return True
        return None

    def _grows(self, request: Callable[[], object]) -> bool:
        before = self._trace_ids()
        request()
        time.sleep(SETTLE_SECONDS)
        return bool(self._trace_ids() - before)

    def _trace_ids(self) -> frozenset[str]:
        return frozenset(str(row.get("trace_id")) for row in self._rows("/v1/traces"))

    def new_address(self) -> str:
        """An address that no other webhook has and that leads nowhere."""
        url = f"https://{canary('hook')}.invalid/"
        self._addresses.add(url)
        return url

    def register(self, url: str) -> str:
        """Register a webhook and return its id. Raises CheckError where it is refused."""
        answer = self._client.post(WEBHOOKS, self._owner, json=hook(url))
        identity = webhook_id(answer)
        if not identity:
            raise CheckError(
                "webhook-refused",
                f"POST {WEBHOOKS} with token {self._owner.name!r} answered {answer.status} without an id",
                "Check that the token carries traces:write and that the answer names the webhook's id.",
            )
        self._hooks.add(identity)
        return identity

    def lists_webhooks(self) -> bool:
        """Whether reading back would see a webhook: one registered for the purpose is in the list, by its id and its address."""
        if self._hooks_listed is None:
            url = self.new_address()
            identity = self.register(url)
            self._hooks_listed = (identity, url) in self._webhooks().items()
            self.drop_webhook(identity)
        return self._hooks_listed

    def has_webhook(self, identity: str) -> bool:
        """Whether the webhook is still there."""
        return identity in self._webhooks()

    def take_webhook_of(self, url: str) -> bool:
        """Delete the webhooks registered for the address, and say whether there were any."""
        found = [identity for identity, of in self._webhooks().items() if of == url]
        self._hooks.update(found)
        for identity in found:
            self.drop_webhook(identity)
        return bool(found)

    def tidy(self, verdict: Verdict) -> None:
        """Delete what webhooks of the probe remain; each that stays becomes an error of the verdict."""
        with ExitStack() as removals:
            # Each has its turn also where the deadline ends the one before, or the list.
            for identity in self._hooks:
                removals.callback(remove_webhook, self._ask, identity, "", verdict, self._owner.tenant_id)
            with suppress(CheckError):
                for identity, url in self._webhooks().items():
                    # Also those whose id never came back.
                    if url in self._addresses and identity not in self._hooks:
                        removals.callback(remove_webhook, self._ask, identity, url, verdict, self._owner.tenant_id)

    def drop_webhook(self, identity: str) -> None:
        """Delete a webhook of the probe, or leave it for the end where that is refused."""
        if is_gone(self._ask("DELETE", webhook_path(identity))):
            self._hooks.discard(identity)

    def _ask(self, method: str, path: str) -> Answer:
        return self._client.request(method, path, self._owner)

    def _webhooks(self) -> dict[str, str]:
        return {str(row.get("id")): str(row.get("url")) for row in self._rows(WEBHOOKS)}

    def _rows(self, path: str) -> list[Mapping[str, Any]]:
        """The rows of a list answer, which is ``{"data": [...]}`` as OpenAI lists are."""
        answer = self._client.get(path, self._owner)
        listed = answer.json()
        rows = listed.get("data") if isinstance(listed, dict) else None
        if answer.status != 200 or not isinstance(rows, list):
            raise CheckError("list-unreadable", f"GET {path} answered {answer.status}, expected 200 with a data list", "Check the API.")
        return [row for row in rows if isinstance(row, dict)]


def hook(url: str) -> dict[str, str]:
    """Body of a registration."""
    return {"url": url, "secret": canary("secret")}
