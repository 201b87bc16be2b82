# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dead-man's watch, in this process where each of its ways to end can be seen."""

from __future__ import annotations

import json
import os
import select
import signal
import time

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos import dead_man
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.lease import Clock, Lease, drop_lease, read_lease, write_lease
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.toggling import checked_place


@pytest.fixture
def place(tmp_path):
    found = checked_place(str(tmp_path / "chaos.json"))
    found.directory.prepare()
    return found


@pytest.fixture(autouse=True)
def signals_wait():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, dead_man._HEEDED)
    yield
    while signal.sigtimedwait(dead_man._HEEDED, 0):
        pass
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leased(place, ttl, **changes):
    clock = Clock.read()
    lease = Lease("one", "me", "lab", clock.boot, None).granting("drop-s3", {"percent": 5}, ttl, clock)
    lease = Lease(**{**lease.__dict__, **changes})
    write_lease(place.directory, lease)
    place.control.path.write_text(json.dumps({name: dict(grant.flag) for name, grant in lease.grants.items()}))
    return lease


def watch(place):
    """Watch to the end; what it reported first."""
    reading, writing = os.pipe()
    dead_man._watch(place, "one", writing)
    ready = select.select([reading], [], [], 0)[0]
    said = os.read(reading, 100) if ready else b""
    os.close(reading)
    return said


def test_it_takes_back_when_the_time_is_over_and_ends(place):
    leased(place, 0.3)
    began = time.monotonic()
    assert watch(place) == f"ready {os.getpid()}".encode()
    assert 0.25 < time.monotonic() - began < 5
    assert not place.control.path.exists()
    assert read_lease(place.directory) is None


def test_the_time_of_day_counts_too(place):
    clock = Clock.read()
    lease = Lease("one", "me", "lab", clock.boot, None).granting("drop-s3", {"percent": 5}, 60, clock)
    over = {**lease.grants["drop-s3"].flag, "expires_at": "2020-01-01T00:00:00Z"}
    leased(place, 60, grants={"drop-s3": type(lease.grants["drop-s3"])(over, lease.grants["drop-s3"].until_boot)})
    watch(place)
    assert not place.control.path.exists()


def test_an_order_to_end_takes_back_at_once(place):
    leased(place, 60)
    signal.raise_signal(signal.SIGTERM)  # to this thread: a test runner has others, which do not hold it back
    watch(place)
    assert not place.control.path.exists()


def test_without_its_lease_it_ends_and_touches_nothing(place):
    leased(place, 60)
    drop_lease(place.directory)
    watch(place)
    assert "drop-s3" in place.control.path.read_text()


def test_another_lease_is_not_its_own(place):
    leased(place, 0.1, id="two")
    watch(place)
    assert "drop-s3" in place.control.path.read_text()


def test_there_is_one_at_most(place):
    leased(place, 0.1)
    with place.directory.watched() as alone:
        assert alone
        assert watch(place).startswith(b"failed another dead-man")
    assert "drop-s3" in place.control.path.read_text()


def test_it_gives_up_in_the_end_where_it_cannot(place, monkeypatch):
    monkeypatch.setattr(dead_man, "_STUBBORN", 0.5)
    monkeypatch.setattr(dead_man, "_LOOK_AGAIN", 0.1)
    leased(place, 0.1)
    place.control.path.write_text("{")
    watch(place)
    assert place.control.path.read_text() == "{"
    assert read_lease(place.directory) is not None


def test_a_lock_that_is_kept_does_not_keep_the_fault(place, monkeypatch):
    monkeypatch.setattr(dead_man, "_LOCK_WAIT", 0.2)
    leased(place, 0.1)
    with place.directory.locked():
        watch(place)
    assert not place.control.path.exists()
