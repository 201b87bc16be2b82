# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounding how long something takes, whatever it is waiting for. Socket timeouts start anew with each byte; this one does not."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

# A body that caught the interruption, or is still tidying up after it, is interrupted again after so many seconds.
AGAIN = 5.0


@contextmanager
def interrupted_after(seconds: float, fault: Callable[[], BaseException]) -> Iterator[None]:
    """Raise ``fault()`` in the body after so many seconds, also in the middle of a system call. Limits nest: the nearest end counts.

    Signals reach only the main thread; in any other the body is not bounded.
    """

    def expire(_signal: int, _frame: Any) -> NoReturn:
        raise fault()

    outer, outer_again = signal.getitimer(signal.ITIMER_REAL)
    if threading.current_thread() is not threading.main_thread() or 0 < outer <= seconds:
        yield
        return
    started = time.monotonic()
    handler = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if outer:
            # At once, not never: zero would switch the outer limit off.
            signal.setitimer(signal.ITIMER_REAL, max(outer - (time.monotonic() - started), 0.001), outer_again)
