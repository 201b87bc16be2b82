# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time limits: they end what hangs, they nest, and they leave no trace."""

from __future__ import annotations

import signal
import socket
import threading
import time

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils import time_limit
from ansible_collections.hypergraph.sidecar.plugins.module_utils.time_limit import interrupted_after


class Late(BaseException):
    pass


class Later(BaseException):
    pass


def hang() -> None:
    """Wait in a system call for what never comes."""
    one, other = socket.socketpair()
    with one, other:
        one.recv(1)


def armed() -> bool:
    return signal.getitimer(signal.ITIMER_REAL)[0] > 0


def test_a_system_call_is_interrupted() -> None:
    with pytest.raises(Late), interrupted_after(0.05, Late):
        hang()
    assert not armed()


def test_what_ends_in_time_is_left_alone() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with interrupted_after(60, Late):
        assert armed()
        assert signal.getsignal(signal.SIGALRM) is not before
    assert not armed()
    assert signal.getsignal(signal.SIGALRM) is before


def test_an_exception_of_the_body_passes_and_disarms() -> None:
    with pytest.raises(KeyError), interrupted_after(60, Late):
        raise KeyError
    assert not armed()


@pytest.mark.parametrize(("outer", "inner", "raised"), [(60, 0.05, Late), (0.05, 60, Later)])
def test_the_nearest_end_counts(outer: float, inner: float, raised: type[BaseException]) -> None:
    with pytest.raises(raised), interrupted_after(outer, Later), interrupted_after(inner, Late):
        hang()
    assert not armed()


def test_the_outer_limit_goes_on_after_the_inner_one() -> None:
    with pytest.raises(Later), interrupted_after(0.3, Later):
        with pytest.raises(Late), interrupted_after(0.05, Late):
            hang()
        assert armed()
        hang()


def test_an_outer_limit_that_passed_meanwhile_ends_at_once() -> None:
    def stubborn() -> None:
        with pytest.raises(Late), interrupted_after(0.05, Late):
            try:
                hang()
            finally:
                time.sleep(0.3)

    with pytest.raises(Later), interrupted_after(0.2, Later):
        stubborn()
        hang()


def test_who_catches_the_interruption_is_interrupted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "AGAIN", 0.05)
    caught = []
    with pytest.raises(Late), interrupted_after(0.05, Late):
        try:
            hang()
        except Late as first:
            caught.append(first)
            hang()
    assert len(caught) == 1


def test_other_threads_are_not_bounded() -> None:
    done = []

    def work() -> None:
        with interrupted_after(0.01, Late):
            time.sleep(0.05)
            done.append(armed())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [False]
