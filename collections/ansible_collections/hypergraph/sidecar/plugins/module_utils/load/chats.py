# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sending chats: in a closed loop as fast as they are answered or as a limit allows, in an open loop when they are due.

In an open loop latency counts from the moment a request was due, also where it had to wait for a connection to be free: a service that
stalls is charged for everything that would have been asked meanwhile.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import ssl
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from itertools import cycle
from time import monotonic_ns

from .backpressure import Ladder
from .channel import Channel
from .codec import chat_reader
from .histogram import Histogram
from .http1 import Head
from .measures import Measured
from .pacing import Timer
from .plan import CHAT, Plan
from .polling import Followed, Follower
from .records import BATCH, Records
from .schedule import Arrival, arrivals, concurrency_at, rate_at, shapes
from .target import Target

_NS = 1_000_000_000
_TRACE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:-]{0,199}")
_MAX_BACKOFF = 1.0
_OPENING_AT_ONCE = 32
# A closed loop under a limit may make up for so much lateness of the generator's own, and no more.
_CATCH_UP_NS = 10_000_000


class Exchange:
    """A chat on its way. One object a channel, used again and again."""

    __slots__ = ("caller", "delay_us", "explains", "measured", "phase", "request_id", "started_ns")

    def __init__(self) -> None:
        self.started_ns = 0
        self.delay_us = 0
        self.request_id = ""
        self.explains: str | None = None
        self.caller = 0
        self.measured: Measured
        self.phase = 0


class Chats:
    """The chats of a run. ``measured(class, phase)`` gives what they are counted in."""

    def __init__(self, plan: Plan, target: Target, measured: Callable[[str, int], Measured], records: Records, follower: Follower) -> None:
        self._plan = plan
        self._target = target
        self._measured = measured
        self._records = records
        self._add, self._line = records.add, records.line
        self._follower = follower
        self._open_model = plan.model == "open"
        self._known: dict[bytes, Head] = {}
        self._shapes = [cycle(shapes(plan, phase, target)) for phase in plan.phases]
        self._chat: list[Measured | None] = [None] * len(plan.phases)
        self._request_prefix = f"load-{secrets.token_hex(4)}-"
        self._is_chat = chat_reader()
        self._timeout_ns = int(plan.chat_timeout * _NS)
        self._timeout_us = self._timeout_ns // 1000
        self._channels: set[Channel] = set()
        self._idle: deque[Channel] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(_OPENING_AT_ONCE)
        self._refusal: str | None = None
        self._arrivals: Iterator[Arrival] = iter(())
        self._next: Arrival | None = None
        self._next_limited_ns = 0
        self._late = False
        self._sending = False
        self._timer: Timer | None = None
        self._phase = 0
        self._limit = 0
        # Whether an answered channel is sent on at once.
        self._free = False
        self._numbers = 0
        self.began_ns = 0
        self.planned = self.sent = self.dropped = self.waited = 0
        self.bytes_sent = self.bytes_received = 0
        self.codes: defaultdict[int, int] = defaultdict(int)
        self.ladder = Ladder()
        self.send_error = Histogram()

    @property
    def under_way(self) -> int:
        """How many are not answered yet."""
        return sum(channel.busy for channel in self._channels)

    @property
    def arriving(self) -> bool:
        """Whether an open loop has requests that are not sent yet."""
        return self._next is not None

    @property
    def timer_kind(self) -> str:
        """How precisely requests are sent when due."""
        return self._timer.kind if self._timer else "not paced"

    def prepare(self) -> None:
        """Open the connections of the beginning."""
        self._limit = concurrency_at(self._plan.phases[0], 0.0)
        self._fill(self._plan.concurrency if self._open_model else self._limit)

    def start(self, began_ns: int) -> None:
        """Begin to send. The run begins at this moment of the monotonic clock."""
        self.began_ns = began_ns
        self._sending = True
        if self._open_model:
            self._arrivals = arrivals(self._plan)
            self._next = next(self._arrivals, None)
        if self._open_model or any(phase.rate_per_s is not None for phase in self._plan.phases):
            self._timer = Timer(asyncio.get_running_loop(), self._due)
        self.enter(0)

    def enter(self, phase: int) -> None:
        """Go over to a phase."""
        self._phase = phase
        self._next_limited_ns = 0
        self.adjust(monotonic_ns())
        self._due()

    def adjust(self, now: int) -> None:
        """Follow a ramp of concurrency: open more connections, or let go of some as they become idle."""
        phase = self._plan.phases[self._phase]
        self._limit = self._plan.concurrency if self._open_model else concurrency_at(phase, (now - self.began_ns) / _NS)
        self._fill(self._limit)
        self._free = self._sending and not self._open_model and phase.rate_per_s is None and len(self._channels) <= self._limit
        if not self._open_model:
            self._due()

    def stop(self) -> None:
        """Send no more; what is on its way is awaited."""
        self._sending = self._free = False
        self._next = None
        if self._timer:
            self._timer.close()

    def close(self) -> None:
        """Close the connections. What is not answered is left out of all counts but ``sent``."""
        for task in self._opening:
            task.cancel()
        for channel in list(self._channels):
            channel.busy = False
            channel.close(at_once=True)

    def flush(self) -> None:
        """Write the records there are, and count what was measured."""
        self._records.flush()
        for measured in self._chat:
            if measured:
                measured.digest()

    def sweep(self, now: int) -> None:
        """End what is overdue: requests on their way, and those still waiting for a connection."""
        for channel in [channel for channel in self._channels if channel.busy and channel.deadline_ns < now]:
            channel.fail("timeout")
        while self._next and self.began_ns + self._next.due_ns + self._timeout_ns < now and not self._idle:
            self._unsent(self._next, "timeout", now)

    def _due(self) -> None:
        """Send what is due, as far as connections are free."""
        if not self._sending or not self.began_ns:
            return
        if self._open_model:
            self._due_arrivals()
        elif self._plan.phases[self._phase].rate_per_s is None:
            while self._idle and self._below_limit():
                self._launch(self._idle.popleft(), monotonic_ns(), 0, self._phase)
        else:
            self._due_limited()

    def _below_limit(self) -> bool:
        """Whether one more may be sent."""
        return len(self._channels) - len(self._idle) < self._limit

    def _due_arrivals(self) -> None:
        while self._next:
            due = self.began_ns + self._next.due_ns
            now = monotonic_ns()
            if due > now:
                self._late = False
                if self._timer:
                    self._timer.at(due)
                return
            if not self._idle:
                if not self._channels and self._refusal:
                    self._unsent(self._next, self._refusal, now)
                    continue
                self._late = True
                return
            if now - due > self._timeout_ns:
                # With a connection free nobody but the generator is to blame.
                self.dropped += 1
                self._advance()
                continue
            if self._late:
                self.waited += 1
            else:
                self.send_error.record((now - due) // 1000)
            phase = self._next.phase
            self._advance()
            self._launch(self._idle.popleft(), due, (now - due) // 1000, phase)

    def _due_limited(self) -> None:
        while self._idle and self._below_limit():
            now = monotonic_ns()
            if self._next_limited_ns > now:
                if self._timer:
                    self._timer.at(self._next_limited_ns)
                return
            rate = rate_at(self._plan.phases[self._phase], (now - self.began_ns) / _NS) or 1.0
            if self._next_limited_ns:
                self.send_error.record((now - self._next_limited_ns) // 1000)
            self._next_limited_ns = max(self._next_limited_ns, now - _CATCH_UP_NS) + int(_NS / rate)
            self._launch(self._idle.popleft(), now, 0, self._phase)

    def _advance(self) -> None:
        self.planned += 1
        self._next = next(self._arrivals, None)

    def _unsent(self, arrival: Arrival, error: str, now: int) -> None:
        """Count an arrival that could not be sent: no connection could be opened, or none became free before its time was over."""
        self._advance()
        started = self.began_ns + arrival.due_ns
        self._numbers += 1
        self._record(started, now, 0, error, arrival.phase, None, 0, (now - started) // 1000, f"{self._request_prefix}{self._numbers}")
        self._measured(CHAT, arrival.phase).bad(error)

    def _launch(self, channel: Channel, started: int, delay_us: int, phase: int) -> None:
        number = self._numbers
        self._numbers = number + 1
        self.sent += 1
        if not number & (BATCH - 1):
            self.flush()
        exchange = channel.exchange
        explains, rest, caller, start = next(self._shapes[phase])
        exchange.request_id = request_id = self._request_prefix + str(number)
        request = start + request_id.encode() + rest
        exchange.started_ns = started
        exchange.delay_us = delay_us
        exchange.explains = explains
        exchange.caller = caller
        exchange.phase = phase
        exchange.measured = self._chat[phase] or self._first(phase)
        self.bytes_sent += len(request)
        channel.send(request, started + self._timeout_ns)

    def _first(self, phase: int) -> Measured:
        """What the chats of a phase are counted in, from the first on."""
        self._chat[phase] = measured = self._measured(CHAT, phase)
        return measured

    def opened(self, channel: Channel) -> None:
        """See ``channel.Owner``."""
        self._refusal = None
        channel.exchange = Exchange()
        self._channels.add(channel)
        self._idle.append(channel)
        self._due()

    def answered(self, channel: Channel, head: Head, body: bytes, received: int) -> None:
        """See ``channel.Owner``. Every request goes through here, so nothing is done that can be done for many at once."""
        now = monotonic_ns()
        exchange = channel.exchange
        measured = exchange.measured
        started = exchange.started_ns
        latency = (now - started) // 1000 or 1
        self.bytes_received += received
        error = trace_id = None
        if head.status == 200 and latency <= self._timeout_us and (_is_complete(body) if head.event_stream else self._is_chat(body)):
            measured.good(latency)
            if exchange.explains:
                trace_id = self._explained(exchange, head, now)
        else:
            error = self._error(head, latency)
            measured.bad(error)
        self._add(
            self._line(
                (started - self.began_ns) // 1000 / 1_000_000,
                latency,
                head.status,
                error,
                measured.phase,
                trace_id,
                received,
                exchange.delay_us,
                exchange.request_id,
            )
        )
        if not head.keep_alive:
            channel.close()
        elif self._free:
            self._launch(channel, now, 0, self._phase)
        else:
            self._release(channel)

    def failed(self, channel: Channel, error: str, received: int) -> None:
        """See ``channel.Owner``."""
        exchange = channel.exchange
        self.bytes_received += received
        exchange.measured.bad(error)
        now = monotonic_ns()
        self._record(exchange.started_ns, now, 0, error, exchange.phase, None, received, exchange.delay_us, exchange.request_id)

    def lost(self, channel: Channel) -> None:
        """See ``channel.Owner``."""
        self._channels.discard(channel)
        if channel in self._idle:
            self._idle.remove(channel)
        if self._sending or not self.began_ns:
            self._fill(self._limit)

    def _release(self, channel: Channel) -> None:
        if len(self._channels) > self._limit:
            channel.close()
            return
        self._idle.append(channel)
        self._due()

    def _explained(self, exchange: Exchange, head: Head, now: int) -> str | None:
        explains = exchange.explains or ""
        measured = self._measured(explains, exchange.phase)
        if head.trace_id is None or not _TRACE_ID.fullmatch(head.trace_id):
            self._follower.missing(exchange.started_ns, explains, measured, now)
            return None
        self._follower.follow(Followed(head.trace_id, exchange.started_ns, explains, measured, exchange.caller))
        return head.trace_id

    def _error(self, head: Head, latency_us: int) -> str:
        status = head.status
        self.codes[status] += 1
        if status == 429:
            self.ladder.refused(head.retry_after)
            return "status_429"
        if 300 <= status < 400:
            return "redirected"
        if status >= 400:
            return "status_4xx" if status < 500 else "status_5xx"
        return "timeout" if latency_us > self._timeout_us else "malformed"

    def _record(
        self,
        started: int,
        now: int,
        status: int,
        error: str,
        phase: int,
        trace_id: str | None,
        received: int,
        delay_us: int,
        request_id: str,
    ) -> None:
        offset = (started - self.began_ns) // 1000 / 1_000_000
        name = self._plan.phases[phase].name
        latency = (now - started) // 1000
        self._add(self._line(offset, latency, status, error, name, trace_id, received, delay_us, request_id))

    def _fill(self, wanted: int) -> None:
        """Open as many connections as are wanted and neither there nor being opened."""
        for number in range(len(self._channels) + len(self._opening), wanted):
            task = asyncio.get_running_loop().create_task(self._connecting(number))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _connecting(self, number: int) -> None:
        after = 0.0
        while True:
            began = monotonic_ns()
            try:
                async with self._gate:
                    await self._target.connect(lambda: Channel(self, self._known, number), number, self._plan.connect_timeout)
            except OSError as problem:
                self._refused("tls" if isinstance(problem, ssl.SSLError) else "connect", began)
                await asyncio.sleep(after)
                after = min(2 * after + 0.1, _MAX_BACKOFF)
            else:
                return

    def _refused(self, error: str, began: int) -> None:
        """A connection could not be opened: in a closed loop that is a request that failed, in an open one it fails those that are due."""
        self._refusal = error
        if not self._sending or not self.began_ns:
            return
        if self._open_model:
            self._due()
            return
        self._numbers += 1
        self.sent += 1
        self._measured(CHAT, self._phase).bad(error)
        started = max(began, self.began_ns)
        self._record(started, monotonic_ns(), 0, error, self._phase, None, 0, 0, f"{self._request_prefix}{self._numbers}")


def _is_complete(body: bytes) -> bool:
    """Whether a stream of events came to its end, by its last bytes."""
    return body.rstrip().endswith(b"data: [DONE]")
