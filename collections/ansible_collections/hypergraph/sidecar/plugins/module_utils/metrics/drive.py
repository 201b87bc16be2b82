# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making the service work, so that its counters have something to count: attached chats, each with ids and words of its own."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..connection import Token
from ..examination import Examination
from ..traces import POLL_INTERVAL, TERMINAL_STATES, canary, read_status, submit

UNENDED = "unended"

_PROMPT = "{mark} A hypergraph joins several nodes by one edge. An edge of two nodes is an ordinary one."


@dataclass(frozen=True)
class Round:
    """A number of chats that were accepted, in which states their explanations ended, and the ids that only they have.

    ``complete_seconds`` is the time from sending each chat to seeing its explanation complete, summed over those that completed.
    """

    chats: int
    ends: Mapping[str, int]
    identifiers: tuple[str, ...]
    complete_seconds: float

    @property
    def explanations(self) -> int:
        """How many explanations completed."""
        return self.ends.get("complete", 0)


class Driver:
    """Sends attached chats as one caller, ``token``, or as nobody where the environment enforces no tokens."""

    def __init__(self, run: Examination, token: Token | None) -> None:
        self._client = run.client
        self._token = token
        self._model = str(run.params["model"])
        self._within = float(run.params["trace_deadline"])

    def drive(self, chats: int) -> Round:
        """Send so many chats, then wait for their explanations to end.

        What does not end within the deadline counts as UNENDED. Raises CheckError where a chat is refused or a status is unreadable.
        """
        sent: list[tuple[str, float]] = []
        identifiers: list[str] = []
        for _chat in range(chats):
            mark, request_id = canary("prompt"), canary("request")
            began = time.monotonic()
            trace_id = submit(
                self._client, self._token, _PROMPT.format(mark=mark), model=self._model, headers={"x-request-id": request_id}
            ).trace_id
            sent.append((trace_id, began))
            identifiers += [mark, request_id, trace_id]
        ends = Counter({UNENDED: chats})
        complete_seconds = 0.0
        for state, began in self._ends(sent):
            ends.update({state: 1, UNENDED: -1})
            if state == "complete":
                complete_seconds += time.monotonic() - began
        return Round(chats, +ends, tuple(identifiers), complete_seconds)

    def _ends(self, sent: Iterable[tuple[str, float]]) -> Iterator[tuple[str, float]]:
        """The state each trace ends in, with when its chat was sent, as soon as it is seen; until the deadline."""
        pending = dict(sent)
        give_up = time.monotonic() + self._within
        while True:
            for trace_id, began in list(pending.items()):
                status = read_status(self._client, self._token, trace_id)[1]
                if status["state"] in TERMINAL_STATES:
                    del pending[trace_id]
                    yield status["state"], began
            if not pending or time.monotonic() > give_up:
                return
            time.sleep(POLL_INTERVAL)
