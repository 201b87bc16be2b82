# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Following explanations to their end, on connections and with a budget of their own, so that the chats beside it are not disturbed."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable

from ..traces import TERMINAL_STATES, status_path
from .channel import Channel
from .codec import state_reader
from .http1 import Head
from .measures import Measured
from .plan import Plan
from .records import Records
from .schedule import authorization
from .target import Target

# A trace whose status is unknown for so long after its chat was answered is lost; a store may take a moment to know it.
_LOST_AFTER_NS = 5_000_000_000
# The interval grows with a trace's age: the moment seen is late by at most 5 % or the interval, and slow traces do not eat the budget.
_GROWTH = 20
_TICK = 0.02
_NS = 1_000_000_000
# Some 300 bytes each.
MAX_FOLLOWED = 50_000
_MAX_BACKOFF = 1.0


class Followed:
    """An explanation under way: whose it is, and since when: its chat's intended start (``started_ns``) and answer (``accepted_ns``)."""

    __slots__ = ("accepted_ns", "caller", "explains", "measured", "polls", "started_ns", "trace_id")

    def __init__(self, trace_id: str, started_ns: int, accepted_ns: int, explains: str, measured: Measured, caller: int) -> None:
        self.trace_id = trace_id
        self.started_ns = started_ns
        self.accepted_ns = accepted_ns
        self.explains = explains
        self.measured = measured
        self.caller = caller
        self.polls = 0


class Follower:
    """Polls traces until they end. ``ends`` counts how; their sum and what is still followed is ``accepted``."""

    def __init__(self, plan: Plan, target: Target, records: Records, began_ns: Callable[[], int]) -> None:
        self._plan = plan
        self._target = target
        self._records = records
        self._began_ns = began_ns
        self._known: dict[bytes, Head] = {}
        self._idle: deque[Channel] = deque()
        self._channels: set[Channel] = set()
        self._waiting: list[tuple[int, int, Followed]] = []
        self._order = itertools.count()
        self._under_way = 0
        self._allowance = 0.0
        self._last_ns = 0
        self._opening: set[asyncio.Task[None]] = set()
        self._handle: asyncio.TimerHandle | None = None
        self._closing = False
        self._state_of = state_reader()
        self._interval_ns = int(plan.poll_interval * _NS)
        self._give_up_ns = int(plan.explanation_timeout * _NS)
        self._answer_ns = int(min(plan.chat_timeout, plan.explanation_timeout) * _NS)
        self.accepted = 0
        self.polls = 0
        self.unfollowed = 0
        self.ends: dict[str, int] = dict.fromkeys(("complete", "failed", "expired", "canceled", "lost", "unfinished"), 0)
        self.bytes_sent = self.bytes_received = 0
        # Of all polls, how many were sent later than half an interval after they were due.
        self.late = 0

    @property
    def pending(self) -> int:
        """How many are followed at present."""
        return len(self._waiting) + self._under_way

    def open(self) -> None:
        """Open the connections and begin to poll."""
        self._last_ns = time.monotonic_ns()
        for number in range(self._plan.poll_connections):
            self._connect(number, 0.0)
        self._tick()

    def follow(self, followed: Followed) -> None:
        """Follow an accepted explanation to its end."""
        self.accepted += 1
        if self.pending >= MAX_FOLLOWED:
            self.unfollowed += 1
            self._end(followed, None, "unfinished", time.monotonic_ns())
            return
        heapq.heappush(self._waiting, (time.monotonic_ns() + self._interval_ns, next(self._order), followed))

    def sweep(self, now: int) -> None:
        """Give up polls that are overdue; their traces are polled again."""
        for channel in [channel for channel in self._channels if channel.busy and channel.deadline_ns < now]:
            channel.fail("timeout")

    def close(self) -> None:
        """Stop. What is still followed remains unfinished."""
        self._closing = True
        if self._handle:
            self._handle.cancel()
        for task in self._opening:
            task.cancel()
        for channel in list(self._channels):
            if channel.busy:
                channel.fail("reset")
            else:
                channel.close(at_once=True)
        now = time.monotonic_ns()
        while self._waiting:
            self._end(heapq.heappop(self._waiting)[2], None, "unfinished", now)

    def _tick(self) -> None:
        now = time.monotonic_ns()
        # What was not used is not saved for a burst.
        self._allowance = min(
            self._allowance + (now - self._last_ns) / _NS * self._plan.poll_rate, max(1.0, 2 * _TICK * self._plan.poll_rate)
        )
        self._last_ns = now
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            followed = waiting[0][2]
            if now - followed.started_ns > self._give_up_ns:
                heapq.heappop(waiting)
                self._end(followed, None, "unfinished", now)
                continue
            if self._allowance < 1 or not self._idle:
                break
            self._allowance -= 1
            due = heapq.heappop(waiting)[0]
            if now - due > self._interval_ns // 2 + int(_TICK * _NS):
                self.late += 1
            self._poll(followed, now)
        self._handle = asyncio.get_running_loop().call_later(_TICK, self._tick)

    def _poll(self, followed: Followed, now: int) -> None:
        token = self._plan.readers[followed.caller]
        request = (
            f"GET {self._target.prefix}{status_path(followed.trace_id)} HTTP/1.1\r\nHost: {self._target.host_header}\r\n"
            f"{authorization(token)}User-Agent: hypergraph.sidecar\r\nAccept: application/json\r\n\r\n"
        ).encode("latin-1")
        followed.polls += 1
        self.polls += 1
        self._under_way += 1
        self.bytes_sent += len(request)
        channel = self._idle.popleft()
        channel.exchange = followed
        channel.send(request, now + self._answer_ns)

    def opened(self, channel: Channel) -> None:
        """See ``channel.Owner``."""
        self._channels.add(channel)
        self._idle.append(channel)

    def answered(self, channel: Channel, head: Head, body: bytes, received: int) -> None:
        """See ``channel.Owner``."""
        followed: Followed = channel.exchange
        self._under_way -= 1
        self.bytes_received += received
        now = time.monotonic_ns()
        if head.keep_alive:
            self._idle.append(channel)
        else:
            channel.close()
        state = self._state_of(body) if head.status == 200 else None
        if now - followed.started_ns > self._give_up_ns:
            self._end(followed, state, "unfinished", now)
        elif state in TERMINAL_STATES:
            self._end(followed, state, str(state), now)
        elif head.status == 404 and now - followed.accepted_ns > _LOST_AFTER_NS:
            self._end(followed, None, "lost", now)
        else:
            # Also where the answer was none: a poll that fails says nothing about the explanation.
            self._again(followed, now)

    def failed(self, channel: Channel, _error: str, received: int) -> None:
        """See ``channel.Owner``."""
        self._under_way -= 1
        self.bytes_received += received
        self._again(channel.exchange, time.monotonic_ns())

    def lost(self, channel: Channel) -> None:
        """See ``channel.Owner``."""
        self._channels.discard(channel)
        if channel in self._idle:
            self._idle.remove(channel)
        if not self._closing:
            self._connect(channel.number, 0.0)

    def _again(self, followed: Followed, now: int) -> None:
        wait = max(self._interval_ns, (now - followed.started_ns) // _GROWTH)
        heapq.heappush(self._waiting, (now + wait, next(self._order), followed))

    def _connect(self, number: int, after: float) -> None:
        task = asyncio.get_running_loop().create_task(self._connecting(number, after))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _connecting(self, number: int, after: float) -> None:
        while True:
            await asyncio.sleep(after)
            try:
                await self._target.connect(lambda: Channel(self, self._known, number), number, self._plan.connect_timeout)
            except OSError:
                after = min(2 * after + 0.05, _MAX_BACKOFF)
            else:
                return

    def _end(self, followed: Followed, state: str | None, end: str, now: int) -> None:
        error = {"complete": None, "failed": "trace_failed", "expired": "trace_expired", "lost": "trace_lost"}.get(end, end)
        # A run never cancels; somebody else did, and there is no explanation.
        error = "trace_failed" if end == "canceled" else error
        latency = (now - followed.started_ns) // 1000
        self.ends[end] += 1
        if error:
            followed.measured.bad(error)
        else:
            followed.measured.good(latency)
        began = self._began_ns()
        self._records.add(
            self._records.line(
                (followed.started_ns - began) // 1000 / 1_000_000,
                latency,
                followed.explains,
                state,
                error,
                followed.measured.phase,
                followed.trace_id,
                followed.polls,
            )
        )

    def missing(self, started_ns: int, explains: str, measured: Measured, now: int) -> None:
        """Count an explanation that was asked for, and whose chat was answered well but named no usable trace."""
        measured.bad("malformed")
        line = self._records.line
        offset = (started_ns - self._began_ns()) // 1000 / 1_000_000
        self._records.add(line(offset, (now - started_ns) // 1000, explains, None, "malformed", measured.phase, None, 0))
