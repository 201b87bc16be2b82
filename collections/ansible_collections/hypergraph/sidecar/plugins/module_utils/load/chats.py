# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chats: what each asks for, what its answer says, and what is recorded of it. When one is sent is for the loops to decide."""

from __future__ import annotations

import re
import secrets
from collections import defaultdict
from collections.abc import Callable
from itertools import cycle
from time import monotonic_ns

from .backpressure import Ladder
from .channel import Channel
from .closed_loop import ClosedLoop
from .codec import chat_reader
from .http1 import Head
from .measures import Measured
from .open_loop import OpenLoop
from .plan import CHAT, Plan
from .polling import Followed, Follower
from .pool import Pool
from .records import BATCH, Records
from .schedule import shapes
from .target import Target

_NS = 1_000_000_000
_TRACE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:-]{0,199}")


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
    """The chats of a run. ``measured(class, phase)`` gives what they are counted in; ``loop`` decides when they are sent."""

    def __init__(self, plan: Plan, target: Target, measured: Callable[[str, int], Measured], records: Records, follower: Follower) -> None:
        self._plan = plan
        self._measured = measured
        self._records = records
        self._add, self._line = records.add, records.line
        self._follower = follower
        self._shapes = [cycle(shapes(plan, phase, target)) for phase in plan.phases]
        self._chat: list[Measured | None] = [None] * len(plan.phases)
        self._request_prefix = f"load-{secrets.token_hex(4)}-"
        self._is_chat = chat_reader()
        self._timeout_ns = int(plan.chat_timeout * _NS)
        self._timeout_us = self._timeout_ns // 1000
        self._pool = Pool(target, self, plan.connect_timeout, self._refused)
        self._sending = False
        self._phase = 0
        self._numbers = 0
        self.loop: ClosedLoop | OpenLoop
        if plan.model == "open":
            self.loop = OpenLoop(plan, self._pool, self._launch, self._unsent)
        else:
            self.loop = ClosedLoop(plan, self._pool, self._launch)
        self.began_ns = 0
        self.sent = 0
        self.bytes_sent = self.bytes_received = 0
        self.codes: defaultdict[int, int] = defaultdict(int)
        self.ladder = Ladder()

    @property
    def under_way(self) -> int:
        """How many are not answered yet."""
        return self._pool.busy

    def prepare(self) -> None:
        """Open the connections of the beginning."""
        self.loop.prepare()

    def start(self, began_ns: int) -> None:
        """Begin to send. The run begins at this moment of the monotonic clock."""
        self.began_ns = began_ns
        self._sending = True
        self.loop.start(began_ns)

    def enter(self, phase: int) -> None:
        """Go over to a phase."""
        self._phase = phase
        self.loop.enter(phase)

    def adjust(self, now: int) -> None:
        """Follow the plan."""
        self.loop.adjust(now)

    def cut(self) -> None:
        """Send what is due by now, and no more."""
        self.loop.cut(monotonic_ns())

    def stop(self) -> None:
        """Send no more; what is on its way is awaited."""
        self._sending = False
        self.loop.stop()

    def close(self) -> None:
        """Close the connections. What is not answered is left out of all counts but ``sent``."""
        self._pool.close()

    def flush(self) -> None:
        """Write the records there are, and count what was measured."""
        self._records.flush()
        self.loop.digest()
        for measured in self._chat:
            if measured:
                measured.digest()

    def sweep(self, now: int) -> None:
        """End what is overdue: requests on their way, those still waiting for a connection, and connections idle for too long."""
        self._pool.fail_overdue(now)
        self._pool.retire(now)
        self.loop.sweep(now)

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
        channel.exchange = Exchange()
        self._pool.opened(channel)
        self.loop.opened()

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
        elif self.loop.free:
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
        self._pool.lost(channel)
        if self._sending or not self.began_ns:
            self._pool.fill()

    def _release(self, channel: Channel) -> None:
        pool = self._pool
        if len(pool.channels) > pool.limit:
            channel.close()
            return
        pool.release(channel)
        self.loop.released()

    def _explained(self, exchange: Exchange, head: Head, now: int) -> str | None:
        explains = exchange.explains or ""
        measured = self._measured(explains, exchange.phase)
        if head.trace_id is None or not _TRACE_ID.fullmatch(head.trace_id):
            self._follower.missing(exchange.started_ns, explains, measured, now)
            return None
        self._follower.follow(Followed(head.trace_id, exchange.started_ns, now, explains, measured, exchange.caller))
        return head.trace_id

    def _error(self, head: Head, latency_us: int) -> str:
        status = head.status
        self.codes[status] += 1
        if status == 429:
            self.ladder.refused(head.retry_after, head.date)
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

    def _refused(self, error: str, began: int) -> None:
        """A connection could not be opened: in a closed loop that is a request that failed, in an open one it fails those that are due."""
        self.loop.refused(error)
        if self._plan.model == "closed" and self._sending:
            self.sent += 1
            self._unsent(max(began, self.began_ns), monotonic_ns(), error, self._phase)

    def _unsent(self, started: int, now: int, error: str, phase: int) -> None:
        """Count a request that no connection could be had for."""
        self._numbers += 1
        # In a closed loop nothing was due while the connection was being opened.
        delay_us = (now - started) // 1000 if self._plan.model == "open" else 0
        self._record(started, now, 0, error, phase, None, 0, delay_us, f"{self._request_prefix}{self._numbers}")
        self._measured(CHAT, phase).bad(error)


def _is_complete(body: bytes) -> bool:
    """Whether a stream of events came to its end, by its last bytes."""
    return body.rstrip().endswith(b"data: [DONE]")
