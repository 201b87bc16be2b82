# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what the service's metrics say about its ladder, once or again and again beside the load."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..connection import Connection, Token
from ..faults import CheckError, CheckFault
from ..http_client import Client
from ..metrics.scrape import Flaw, Scrape, scrape
from ..traces import attach_headers, chat_body
from .observation import Counted, Recovery

LEVEL, ACTIONS, LAG, REQUESTS = "backpressure_level", "backpressure_actions_total", "explainer_queue_lag_seconds", "http_requests_total"
_FAMILIES = (LEVEL, ACTIONS, LAG, REQUESTS)
_MAX_BYTES = 32 * 1024 * 1024
_REFUSED = "429"


@dataclass(frozen=True)
class Reading:
    """All endpoints at one moment: the highest level and lag, sums of the counters. None, or an empty mapping, where nobody exposes it."""

    level: float | None
    lag_s: float | None
    actions: Mapping[str, float] = field(default_factory=dict)
    refused: float | None = None


def read(client: Client, urls: Sequence[str]) -> Reading:
    """Read all endpoints. Raises CheckError where one cannot be read."""
    try:
        return reading_of([scrape(client, url, _FAMILIES, _MAX_BYTES) for url in urls])
    except Flaw as flaw:
        raise CheckError(flaw.reason_code, flaw.reason, flaw.action) from None


def reading_of(scrapes: Iterable[Scrape]) -> Reading:
    """What several endpoints say together."""
    levels: list[float] = []
    lags: list[float] = []
    actions: dict[str, float] = {}
    refused: list[float] = []
    for one in scrapes:
        levels += [value for _labels, value in _series(one, LEVEL)]
        lags += [value for _labels, value in _series(one, LAG)]
        for labels, value in _series(one, ACTIONS):
            action = labels.get("action", "")
            actions[action] = actions.get(action, 0.0) + value
        if REQUESTS in one.families:
            refused.append(sum(value for labels, value in _series(one, REQUESTS) if labels.get("status") == _REFUSED))
    return Reading(max(levels, default=None), max(lags, default=None), actions, sum(refused) if refused else None)


def _series(one: Scrape, name: str) -> Iterator[tuple[Mapping[str, str], float]]:
    """Labels and value of each series of a family that has one, and not of those beside it that say when a counter was created."""
    for sample in one.families[name].samples if name in one.families else ():
        if sample.name == name and not math.isnan(sample.value):
            yield sample.labels, float(sample.value)


def counted(before: Reading, after: Reading, between: Sequence[Reading]) -> Counted:
    """What happened from one reading to the other."""
    every = [*between, after]
    levels = [reading.level for reading in every if reading.level is not None]
    lags = [reading.lag_s for reading in every if reading.lag_s is not None]
    return Counted(
        # A labelled counter may be there only once it has counted.
        {name: value - before.actions.get(name, 0.0) for name, value in after.actions.items()} or None,
        None if after.refused is None else after.refused - (before.refused or 0.0),
        max(levels, default=None),
        max(lags, default=None),
        len(every),
    )


class Watcher:
    """Reads the metrics beside the load, from a thread of its own, and after it sees when attached chats are accepted and the level is 0.

    ``release`` says that the load has ended. Each look after it also sends one attached chat: a gateway may know its level only when asked
    for an explanation, and a level of 0 is worth nothing where callers are still refused.
    """

    def __init__(
        self, connection: Connection, urls: Sequence[str], token: Token | None, model: str, every_s: float, patience_s: float
    ) -> None:
        self._client = Client(connection)
        self._urls = urls
        self._token = token
        self._model = model
        self._every_s = every_s
        self._patience_s = patience_s
        self._released: float | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="backpressure watcher", daemon=True)
        self.readings: list[Reading] = []
        self.recovery: Recovery | None = None
        self.refused = 0
        self.trace_ids: list[str] = []

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def release(self) -> None:
        """The load has ended at this moment."""
        self._released = time.monotonic()

    def join(self) -> None:
        """Wait until the recovery is seen, or given up."""
        self._thread.join()

    def stop(self) -> None:
        """Watch no longer."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def lag_s(self) -> float:
        """The queue lag last read; 0 where it is not known."""
        return (self.readings[-1].lag_s or 0.0) if self.readings else 0.0

    def _watch(self) -> None:
        while self.recovery is None and not self._stopped.wait(self._every_s):
            released = self._released
            answer = self._attached_chat() if released is not None else ""
            reading = self._read()
            if reading:
                self.readings.append(reading)
            if released is None:
                continue
            after = time.monotonic() - released
            level = reading.level if reading else None
            if answer == "was accepted" and (not self._urls or (reading is not None and not level)):
                self.recovery = Recovery(after, after, level, answer)
            elif after > self._patience_s:
                self.recovery = Recovery(None, after, level, answer)

    def _read(self) -> Reading | None:
        """A reading; none where the service is too busy to answer, which is not what this check is about."""
        if not self._urls:
            return None
        try:
            return read(self._client, self._urls)
        except CheckFault:
            return None

    def _attached_chat(self) -> str:
        try:
            answer = self._client.post(
                "/v1/chat/completions",
                self._token,
                json=chat_body("Is there room for an explanation?", self._model),
                headers=attach_headers(),
            )
        except CheckFault as fault:
            return f"had no answer ({fault.reason})"
        self.refused += answer.status == 429
        if answer.status == 200:
            self.trace_ids += filter(None, [answer.headers.get("x-trace-id")])
            return "was accepted"
        return f"was answered {answer.status}"
