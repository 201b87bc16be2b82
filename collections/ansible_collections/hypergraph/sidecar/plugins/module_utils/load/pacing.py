# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A timer of the precision an open loop needs, where the system has one.

Loops round their own timers: stdlib asyncio to the next millisecond, and uvloop keeps the processor busy for less than one. A timer of the
kernel wakes either with an error of some 50 microseconds (timerfd_create(2), Linux).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Callable

_TFD_NONBLOCK, _TFD_CLOEXEC, _TFD_TIMER_ABSTIME = os.O_NONBLOCK, getattr(os, "O_CLOEXEC", 0), 1
_NS = 1_000_000_000


class Timer:
    """Calls back at a moment of ``time.monotonic_ns``; each ``at`` replaces the one before. ``kind`` tells how precise it is."""

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self._kernel = _kernel_timer()
        self._armed = False
        self.kind = "timerfd" if self._kernel else "event loop, to the millisecond"
        if self._kernel:
            loop.add_reader(self._kernel.fd, self._expired)

    def at(self, moment_ns: int) -> None:
        """Call back then, or at once where it has passed."""
        if self._kernel:
            self._armed = True
            self._kernel.arm(max(moment_ns, 1))
            return
        if self._handle:
            self._handle.cancel()
        self._handle = self._loop.call_later(max(moment_ns - time.monotonic_ns(), 0) / _NS, self._callback)

    def close(self) -> None:
        """Never call back again."""
        if self._kernel:
            self._loop.remove_reader(self._kernel.fd)
            os.close(self._kernel.fd)
            self._kernel = None
        if self._handle:
            self._handle.cancel()

    def _expired(self) -> None:
        self._armed = False
        self._callback()
        # Armed anew, which is the rule, it has forgotten that it expired; else it would tell so for ever.
        if self._kernel and not self._armed:
            with contextlib.suppress(BlockingIOError):
                os.read(self._kernel.fd, 8)


class _KernelTimer:
    """A timerfd on the monotonic clock, by Python 3.13 or later."""

    def __init__(self) -> None:
        self.fd: int = os.timerfd_create(time.CLOCK_MONOTONIC, flags=_TFD_NONBLOCK | _TFD_CLOEXEC)  # type: ignore[attr-defined]

    def arm(self, moment_ns: int) -> None:
        os.timerfd_settime_ns(self.fd, flags=_TFD_TIMER_ABSTIME, initial=moment_ns)  # type: ignore[attr-defined]


class _Times(ctypes.Structure):
    """struct itimerspec: interval and value, each in seconds and nanoseconds."""

    _fields_ = [("interval", ctypes.c_long * 2), ("value", ctypes.c_long * 2)]  # ctypes asks for a list


class _LibraryTimer:
    """The same by the C library."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        self._settime = library.timerfd_settime
        self._times = _Times()
        self._reference = ctypes.byref(self._times)
        self.fd: int = library.timerfd_create(time.CLOCK_MONOTONIC, _TFD_NONBLOCK | _TFD_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def arm(self, moment_ns: int) -> None:
        self._times.value[0], self._times.value[1] = divmod(moment_ns, _NS)
        self._settime(self.fd, _TFD_TIMER_ABSTIME, self._reference, None)


def _kernel_timer() -> _KernelTimer | _LibraryTimer | None:
    """A timer of the kernel; None where there is none, as on systems other than Linux."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return _KernelTimer() if hasattr(os, "timerfd_create") else _LibraryTimer()
    except (OSError, AttributeError):
        return None
