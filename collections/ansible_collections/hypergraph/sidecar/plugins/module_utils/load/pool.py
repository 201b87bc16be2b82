# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connections that chats are sent on: opened as many as wanted, opened anew when they are lost."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from time import monotonic_ns

from .channel import Channel, Owner
from .http1 import Head
from .target import Target

_MAX_BACKOFF = 1.0
_OPENING_AT_ONCE = 32
# Of the time after which the service was seen to close an idle connection: one is given up before, since a request that is sent just as the
# service closes is lost. Seldom is that time less than the second below which nothing is concluded: those may be closed for other reasons.
_IDLE_SHARE = 0.8
_LEAST_IDLE_NS = 1_000_000_000


class Pool:
    """Channels of one owner, who takes them from ``idle``, the one that was idle for longest first, and gives them back by ``release``.

    ``refused`` is told of each connection that cannot be opened: "tls" or "connect", and when it was tried (monotonic nanoseconds). Each is
    tried again, ever more slowly, until it can.
    """

    def __init__(self, target: Target, owner: Owner, connect_timeout: float, refused: Callable[[str, int], None]) -> None:
        self._target = target
        self._owner = owner
        self._timeout = connect_timeout
        self._refused = refused
        self._known: dict[bytes, Head] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(_OPENING_AT_ONCE)
        self.channels: set[Channel] = set()
        self.idle: deque[Channel] = deque()
        # How many are wanted.
        self.limit = 0
        self._idle_ns: float | None = None

    @property
    def busy(self) -> int:
        """How many have a request on its way."""
        return sum(channel.busy for channel in self.channels)

    @property
    def below_limit(self) -> bool:
        """Whether one more may be sent on."""
        return len(self.channels) - len(self.idle) < self.limit

    def resize(self, limit: int) -> None:
        """Open as many as are wanted and neither there nor being opened. Those too many are let go of by the owner, as they become idle."""
        self.limit = limit
        self.fill()

    def fill(self) -> None:
        """Open what is missing."""
        for number in range(len(self.channels) + len(self._opening), self.limit):
            task = asyncio.get_running_loop().create_task(self._connecting(number))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def opened(self, channel: Channel) -> None:
        """Take in what was opened."""
        self.channels.add(channel)
        self.release(channel)

    def release(self, channel: Channel) -> None:
        """Take back a channel, which is idle from now on."""
        channel.idle_since_ns = monotonic_ns()
        self.idle.append(channel)

    def lost(self, channel: Channel) -> None:
        """Forget what is gone; one that was idle the service has closed."""
        self.channels.discard(channel)
        if channel in self.idle:
            self.idle.remove(channel)
            idle_ns = monotonic_ns() - channel.idle_since_ns
            if idle_ns >= _LEAST_IDLE_NS:
                self._idle_ns = max(min(self._idle_ns or idle_ns, _IDLE_SHARE * idle_ns), _LEAST_IDLE_NS)

    def retire(self, now: int) -> None:
        """Close what the service would close soon."""
        while self._idle_ns and self.idle and now - self.idle[0].idle_since_ns > self._idle_ns:
            self.idle.popleft().close()

    def fail_overdue(self, now: int) -> None:
        """End the requests that should have been answered by now."""
        for channel in [channel for channel in self.channels if channel.busy and channel.deadline_ns < now]:
            channel.fail("timeout")

    def close(self) -> None:
        """Close all, without telling of requests on their way."""
        for task in self._opening:
            task.cancel()
        for channel in list(self.channels):
            channel.busy = False
            channel.close(at_once=True)

    async def _connecting(self, number: int) -> None:
        after = 0.0
        while True:
            began = monotonic_ns()
            try:
                async with self._gate:
                    await self._target.connect(lambda: Channel(self._owner, self._known, number), number, self._timeout)
            except OSError as problem:
                self._refused("tls" if isinstance(problem, ssl.SSLError) else "connect", began)
                await asyncio.sleep(after)
                after = min(2 * after + 0.1, _MAX_BACKOFF)
            else:
                return
