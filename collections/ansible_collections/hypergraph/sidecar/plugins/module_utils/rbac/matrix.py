# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walking the matrix against a live gateway: each cell asked once, and each denied write looked for in what it might have left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote

from ..faults import CheckError, CheckFault, CheckInconclusive
from ..http_client import Answer, Client
from ..traces import TERMINAL_STATES, cancel_would_show
from .contract import CANCEL, TRACE, WEBHOOK, WEBHOOK_GONE, Caller, Route
from .resources import Resources, hook

_CANCEL_TRIES = 3


@dataclass(frozen=True)
class Cell:
    """One answer of the matrix; ``shaped`` says whether its body is an OpenAI error."""

    route: Route
    caller: Caller
    status: int
    shaped: bool = True

    @property
    def name(self) -> str:
        """How a reader knows the cell."""
        return f"{self.route.name} with {self.caller.name}"

    @property
    def allowed(self) -> bool:
        """Whether the gateway let the request through; 409 is the state of the resource speaking, behind the guard."""
        return 200 <= self.status < 300 or self.status == 409

    @property
    def rightful(self) -> bool:
        """Whether the contract lets it through."""
        return self.caller.may(self.route)


@dataclass
class Unanswered:
    """A fault, and the cells it kept from being asked or read back."""

    fault: CheckFault
    cells: list[str] = field(default_factory=list)


class Matrix:
    """The answers so far. It stays valid as far as it went where a fault ends it early."""

    def __init__(self, client: Client, resources: Mapping[str, Resources]) -> None:
        self._client = client
        self._resources = resources
        self._denied_cancels: list[tuple[Cell, str]] = []
        self._denied_traces: list[Cell] = []
        self._unanswered: dict[tuple[str, str], Unanswered] = {}
        self.cells: list[Cell] = []
        self.effects: list[Cell] = []
        self.unclear: list[Cell] = []
        self.visible: dict[str, bool] = {}
        self.read_back = 0
        self.cancel_seen = False

    @property
    def unanswered(self) -> tuple[Unanswered, ...]:
        """What could not be examined, each reason once."""
        return tuple(self._unanswered.values())

    def walk(self, routes: Iterable[Route], callers: Iterable[Caller]) -> None:
        """Ask every route as every caller. Raises CheckError where not even the first request is answered."""
        columns = tuple(callers)
        for route in routes:
            if route.effect == TRACE:
                self._note_traces(route)
            for caller in columns:
                with self._noting(f"{route.name} with {caller.name}"):
                    self._ask(route, caller)

    def settle(self) -> None:
        """Look for what denied requests left that takes its time to show."""
        for cell, trace_id in self._denied_cancels:
            with self._noting(cell.name):
                state = self._of(cell).state_of(trace_id)
                if state not in TERMINAL_STATES:
                    raise CheckInconclusive(
                        "deadline-exceeded",
                        f"traces whose cancel was denied were still {state!r} when their tenant's time was up",
                        "Check that an explainer is running and its queue is moving, or raise trace_deadline.",
                    )
                self._conclude(cell, acted=state == "canceled")
        for tenant, resources in self._resources.items():
            cells = [cell for cell in self._denied_traces if cell.caller.tenant_id == tenant]
            with self._noting(f"reading back on tenant {tenant}"):
                self.visible[f"an accepted trace of {tenant}"] = resources.lists_own_traces()
                self.visible[f"a registered webhook of {tenant}"] = resources.lists_webhooks()
                if cells and resources.has_strange_traces():
                    self._find_who_made_traces(cells, resources)
                else:
                    self.read_back += len(cells)

    def _note_traces(self, route: Route) -> None:
        for tenant, resources in self._resources.items():
            with self._noting(f"{route.name} on tenant {tenant}"):
                resources.note_traces()

    def _find_who_made_traces(self, cells: Iterable[Cell], resources: Resources) -> None:
        for cell in cells:
            made = resources.are_made_by(partial(self._send, cell.route, cell.caller, {}))
            if made is None:
                self.unclear.append(cell)
            else:
                self._conclude(cell, acted=made)

    def _ask(self, route: Route, caller: Caller) -> None:
        cell, answer, place = self._answered(route, caller)
        self.cells.append(cell)
        tries = 1
        while self._came_too_late(cell, place):
            if tries == _CANCEL_TRIES:
                raise CheckInconclusive(
                    "cancel-too-late",
                    f"each of {tries} traces had ended before a cancel that is denied could have acted on it",
                    "Run the probe while explanations take longer: a finished trace cannot show whether a cancel acts.",
                )
            self.cells[-1], answer, place = self._answered(route, caller)
            cell = self.cells[-1]
            tries += 1
        if route.effect:
            self._look_after(cell, answer, place)

    def _answered(self, route: Route, caller: Caller) -> tuple[Cell, Answer, dict[str, str]]:
        place = _place(route, self._resources[caller.tenant_id])
        answer = self._send(route, caller, place)
        return Cell(route, caller, answer.status, route.method == "HEAD" or _is_openai_error(answer)), answer, place

    def _came_too_late(self, cell: Cell, place: Mapping[str, str]) -> bool:
        """Whether it is a denied cancel of a trace that had ended, in which nobody could see it act."""
        if cell.route.effect != CANCEL or cell.allowed or cell.rightful:
            return False
        return not cancel_would_show(self._of(cell).state_now(place["trace_id"]))

    def _send(self, route: Route, caller: Caller, place: Mapping[str, str]) -> Answer:
        path = route.path
        for name, value in place.items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        body = hook(place["url"]) if route.effect == WEBHOOK else route.body
        return self._client.request(route.method, path, caller.token, json=body, headers=route.headers)

    def _look_after(self, cell: Cell, answer: Answer, place: Mapping[str, str]) -> None:
        """Tidy up after a cell that was let through, rightly or not; read back one that was not."""
        effect, resources = cell.route.effect, self._of(cell)
        if effect == WEBHOOK:
            there = resources.take_webhook_of(place["url"])
            if not cell.allowed and (there or resources.lists_webhooks()):
                self._conclude(cell, acted=there)
        elif effect == WEBHOOK_GONE:
            if not cell.allowed and resources.lists_webhooks():
                self._conclude(cell, acted=not resources.has_webhook(place["webhook_id"]))
            resources.drop_webhook(place["webhook_id"])
        elif effect == CANCEL:
            self.cancel_seen |= cell.rightful and 200 <= cell.status < 300
            if not cell.allowed and not cell.rightful:
                self._denied_cancels.append((cell, place["trace_id"]))
        elif cell.allowed:
            resources.accepted(answer.headers.get("x-trace-id", ""))
        elif not cell.rightful:
            self._denied_traces.append(cell)

    def _conclude(self, cell: Cell, *, acted: bool) -> None:
        if not cell.rightful:
            self.read_back += 1
            if acted:
                self.effects.append(cell)

    def _of(self, cell: Cell) -> Resources:
        return self._resources[cell.caller.tenant_id]

    @contextmanager
    def _noting(self, cell: str) -> Iterator[None]:
        """Keep a fault beside the cell it concerns and go on; one broken route must not hide an open one."""
        try:
            yield
        except CheckFault as fault:
            if not self.cells:
                raise
            self._unanswered.setdefault((fault.reason_code, fault.reason), Unanswered(fault)).cells.append(cell)


def _place(route: Route, resources: Resources) -> dict[str, str]:
    """What a request names: made for it alone where it would change it. Raises CheckFault where that cannot be made."""
    if route.effect == CANCEL:
        return {"trace_id": resources.pending_trace()}
    if route.effect == WEBHOOK:
        return {"url": resources.new_address()}
    if route.effect == WEBHOOK_GONE:
        return {"webhook_id": resources.register(resources.new_address())}
    return {"trace_id": resources.finished_trace()} if "{trace_id}" in route.path else {}


def _is_openai_error(answer: Answer) -> bool:
    try:
        document: Any = answer.json()
    except CheckError:
        return False
    error = document.get("error") if isinstance(document, dict) else None
    return isinstance(error, dict) and isinstance(error.get("message"), str) and isinstance(error.get("type"), str)
