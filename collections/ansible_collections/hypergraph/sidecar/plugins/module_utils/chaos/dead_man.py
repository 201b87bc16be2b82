# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dead-man: a process on the target that takes faults back when nobody else does.

It is started before the first fault, has left the session of whoever started it, and needs neither the controller nor the network. It
ends by itself: when the lease is given up, when all its faults are taken back, or some time after taking back failed for good. SIGTERM
makes it take everything back at once.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
from typing import NoReturn

from ..faults import CheckError
from .lease import Clock, Lease, read_lease
from .reverting import Place, take_back

BY = "dead-man"
WAKE = signal.SIGUSR1
_ORDERS = (signal.SIGTERM, signal.SIGINT)
_HEEDED = (*_ORDERS, signal.SIGHUP, WAKE)
_LOOK_AGAIN = 1.0
_READY = b"ready"
_READY_WITHIN = 10.0
# How long a lock may keep the dead-man from acting, and how long it goes on trying where it cannot.
_LOCK_WAIT = 2.0
_STUBBORN = 300.0


def start(place: Place, lease_id: str) -> int:
    """Start the dead-man of a written lease; returns its process id once it watches. Raises CheckError where it does not come up."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _detach(place, lease_id, writing)
    os.close(writing)
    try:
        os.waitpid(child, 0)
        ready, _writable, _exceptional = select.select([reading], [], [], _READY_WITHIN)
        word, _space, pid = (os.read(reading, 64) if ready else b"").partition(b" ")
    finally:
        os.close(reading)
    if word != _READY:
        said = f"no dead-man came up for {place.control.path}: {pid.decode('utf-8', 'replace') or 'it said nothing'}"
        raise CheckError("dead-man-missing", said, "Look for what ends background processes on the target, or for an older dead-man there.")
    return int(pid)


def wake(pid: int) -> None:
    """Make a dead-man look at its lease now; one of another user looks within a second anyway."""
    if pid > 1:
        with contextlib.suppress(OSError):
            os.kill(pid, WAKE)


def _detach(place: Place, lease_id: str, report: int) -> NoReturn:
    """Leave the session, twice removed from whoever started it, and watch."""
    try:
        os.setsid()
        # A session's leader could be given a terminal again; its child cannot.
        if os.fork() == 0:
            _settle(report)
            _watch(place, lease_id, 3)
    except BaseException as problem:
        with contextlib.suppress(OSError):
            os.write(report, f"failed {type(problem).__name__}: {problem}".encode())
    finally:
        # No exit handler of the module may run here.
        os._exit(0)


def _settle(report: int) -> None:
    """Hold nothing of the module open, so that the connection which brought it can close; the report pipe becomes descriptor 3."""
    os.chdir("/")
    os.umask(0o077)
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEEDED)
    signal.setitimer(signal.ITIMER_REAL, 0)
    os.dup2(report, 3)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(4, min(limit, 65536) if limit > 0 else 65536)


def _watch(place: Place, lease_id: str, report: int) -> None:
    """Be the dead-man of one lease to its end."""
    with place.directory.watched() as alone:
        if not alone:
            os.write(report, b"failed another dead-man watches already")
            return
        os.write(report, f"{_READY.decode()} {os.getpid()}".encode())
        os.close(report)
        ordered = False
        failing_since: float | None = None
        lease = _own(place, lease_id, None)
        while lease is not None:
            clock = Clock.read()
            pause = max(0.01, min(_LOOK_AGAIN, lease.left(clock)))
            if ordered or lease.due(clock):
                pause = _LOOK_AGAIN
                if _taken_back(place, lease, ordered):
                    failing_since = None
                elif failing_since is None:
                    failing_since = clock.since_boot
                elif clock.since_boot - failing_since > _STUBBORN:
                    return
            lease = _own(place, lease_id, lease)
            if lease is not None:
                received = signal.sigtimedwait(_HEEDED, pause)
                ordered = ordered or (received is not None and received.si_signo in _ORDERS)
                lease = _own(place, lease_id, lease)


def _own(place: Place, lease_id: str, known: Lease | None) -> Lease | None:
    """The lease as it stands, None where it is over; one that became unreadable stays as it was last known."""
    try:
        lease = read_lease(place.directory)
    except CheckError:
        return known
    return lease if lease is not None and lease.id == lease_id and lease.grants else None


def _taken_back(place: Place, known: Lease, everything: bool) -> bool:
    """Take back what is due by a look at the lease with the lock held; whether that is done, or was not called for after all."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(CheckError):
            stack.enter_context(place.directory.locked(_LOCK_WAIT))
        lease = _own(place, known.id, known)
        names = () if lease is None else tuple(lease.grants) if everything else lease.due(Clock.read())
        try:
            if lease is not None and names:
                take_back(place, lease, names, BY)
        except CheckError:
            return False
    return True
