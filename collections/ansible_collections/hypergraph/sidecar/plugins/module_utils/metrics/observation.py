# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observing: scrape, make the service work, scrape, make it work twice as much, scrape, and once more where that leaves a doubt."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..examination import Examination
from ..faults import CheckFault
from . import cardinality, movement
from .drive import Driver, Round
from .expectations import Endpoint, Expectation
from .movement import Span
from .scrape import Flaw, Scrape, scrape

# Fewer requests do not show a slope.
MIN_CHATS = 3
# Fewer rounds of them do not show whether it levels off.
ROUNDS = 2
_PAUSE = 0.1


@dataclass
class Watch:
    """What was seen of an endpoint: its scrapes in order, or what ended them."""

    endpoint: Endpoint
    scrapes: list[Scrape] = field(default_factory=list)
    flaw: Flaw | None = None
    fault: CheckFault | None = None

    @property
    def broken(self) -> bool:
        """Whether a scrape brought no exposition."""
        return self.flaw is not None or self.fault is not None

    @property
    def readable(self) -> bool:
        """Whether there is a scrape, and every one was an exposition."""
        return bool(self.scrapes) and not self.broken

    @property
    def span(self) -> Span:
        """From the first scrape to the last."""
        return Span(self.scrapes[0], self.scrapes[-1])


@dataclass
class Service:
    """The endpoints of one service, which are its replicas: each chat is counted by one of them."""

    name: str
    replicas: list[Watch]

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What each replica should expose."""
        return self.replicas[0].endpoint.expectations

    @property
    def readable(self) -> bool:
        """Whether every replica is."""
        return all(watch.readable for watch in self.replicas)

    @property
    def spans(self) -> list[Span]:
        """From the first scrape to the last, of each replica."""
        return [watch.span for watch in self.replicas]


class Observation:
    """What is seen of all services. It stays valid as far as it went where a fault ends it early."""

    def __init__(self, run: Examination, endpoints: Iterable[Endpoint]) -> None:
        self._run = run
        self.watches = [Watch(endpoint) for endpoint in endpoints]
        self.rounds: list[Round] = []
        names = dict.fromkeys(watch.endpoint.service for watch in self.watches)
        self.services = [Service(name, [watch for watch in self.watches if watch.endpoint.service == name]) for name in names]

    def observe(self) -> None:
        """Scrape before and after each round of chats, or once where no chats may be sent.

        A third round tells labels that grow with requests from those that merely look so after two. Raises CheckFault where a chat is
        refused or lost; what an endpoint does wrong is kept beside it instead.
        """
        for watch in self.watches:
            self._look(watch)
        driver = self._driver()
        if driver is None or not any(watch.readable for watch in self.watches):
            return
        chats = int(self._run.params["chats"])
        try:
            for count in (chats, 2 * chats, 4 * chats):
                if len(self.rounds) < ROUNDS or any(map(self._suspicious, self.watches)):
                    rounds = [*self.rounds, driver.drive(count)]
                    self._look_until_moved(rounds)
                    self.rounds = rounds
        finally:
            # A round that was not scraped to its end did not move what was seen.
            for watch in self.watches:
                del watch.scrapes[len(self.rounds) + 1 :]

    def _suspicious(self, watch: Watch) -> bool:
        """Whether a label of the endpoint looks like growing, with no id of the probe to prove it."""
        return watch.readable and any(not label.ours for label in self.growing(watch))

    def growing(self, watch: Watch) -> list[cardinality.Growing]:
        """The labels of a readable endpoint that grow with requests, after two rounds or more."""
        identifiers = [identifier for done in self.rounds for identifier in done.identifiers]
        return cardinality.growing(watch.scrapes, [done.chats for done in self.rounds], identifiers)

    def _driver(self) -> Driver | None:
        """Who will send the chats; None, with the reason in the verdict, where nobody may."""
        verdict, connection = self._run.verdict, self._run.connection
        token = connection.token_with("traces:write", "traces:read")
        what = "whether counters move and labels stay bounded"
        if self._run.check_mode:
            verdict.skip("disabled_by_config", f"{what}, since check mode sends no chats", "Run without --check.")
        elif not self._run.params["chats"]:
            verdict.skip("disabled_by_config", f"{what}, since chats is 0", f"Set chats to {MIN_CHATS} or more.")
        elif token is None and connection.auth_mode != "none":
            empty = f"; empty: {', '.join(connection.absent_tokens)}" if connection.absent_tokens else ""
            verdict.skip(
                "dependency_missing",
                f"{what}, since no token carries traces:write and traces:read{empty}",
                "Give sidecar_tokens their values, from vault or from the environment variables the inventory names.",
            )
        else:
            return Driver(self._run, None if connection.auth_mode == "none" else token)
        return None

    def _look_until_moved(self, rounds: list[Round]) -> None:
        """Scrape all; where counters are behind what was driven, again, until they caught up or the time they are given is over."""
        give_up = time.monotonic() + float(self._run.params["settle"])
        for watch in self.watches:
            if not watch.broken:
                self._look(watch)
        while any(self._behind(service, rounds) for service in self.services) and time.monotonic() < give_up:
            time.sleep(_PAUSE)
            for watch in self.watches:
                if not watch.broken:
                    watch.scrapes.pop()
                    self._look(watch)

    def _behind(self, service: Service, rounds: list[Round]) -> bool:
        return service.readable and any(
            expected.driven and movement.short(expected, service.spans, rounds) for expected in service.expectations
        )

    def _look(self, watch: Watch) -> None:
        keep = {expected.name for expected in watch.endpoint.expectations}
        try:
            watch.scrapes.append(scrape(self._run.client, watch.endpoint.url, keep, int(self._run.params["max_bytes"])))
        except Flaw as flaw:
            watch.flaw = flaw
        except CheckFault as fault:
            watch.fault = fault
