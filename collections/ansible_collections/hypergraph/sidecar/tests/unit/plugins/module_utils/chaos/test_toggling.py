# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switching faults on and off with a real dead-man, and what becomes of them when nobody switches off."""

from __future__ import annotations

import json
import os
import signal

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos import control_file, dead_man, journal, toggling
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.faults import FAULTS, flag_of
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.lease import read_lease, write_lease
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.toggling import Holder, checked_place, switch_off, switch_on
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.chaos.processes import eventually, runs

ME, YOU = Holder("me", "lab"), Holder("you", "lab")
SLOW = flag_of("slow-sae", {"percent": 50})
DROP = flag_of("drop-s3", {"percent": 5})
EVERY = tuple(FAULTS)


@pytest.fixture
def place(tmp_path):
    found = checked_place(str(tmp_path / "chaos.json"))
    yield found
    if found.control.path.is_file() and os.access(found.control.path, os.W_OK):
        found.control.path.chmod(0o644)
    lease = toggling._lease_or_none(found)
    if lease is not None and runs(lease.dead_man_pid):
        os.kill(lease.dead_man_pid, signal.SIGKILL)


def refusal(act):
    with pytest.raises(CheckError) as refused:
        act()
    return refused.value


def steps(place):
    return [entry["step"] for entry in journal.entries(place.directory)]


def test_on_and_off_again(place):
    place.control.path.write_text('{"theirs":1}')
    on = switch_on(place, "slow-sae", SLOW, ME, 60, None)
    held = json.loads(place.control.path.read_text())
    assert held == {"theirs": 1, "slow-sae": {**SLOW, "expires_at": on.expires_at}}
    assert (on.changed, runs(on.dead_man_pid), os.getsid(on.dead_man_pid) != os.getsid(0)) == (True, True, True)
    off = switch_off(place, EVERY, ME)
    assert (off.changed, off.reverted, place.control.path.read_text()) == (True, ("slow-sae",), '{"theirs":1}')
    assert eventually(lambda: not runs(on.dead_man_pid))
    assert not place.directory.lease.exists()
    assert steps(place) == ["intent", "armed", "injected", "reverted", "verified"]


def test_a_file_that_was_not_there_is_not_there_again(place):
    switch_on(place, "slow-sae", SLOW, ME, 60, None)
    switch_off(place, ("slow-sae",), ME)
    assert not place.control.path.exists()


def test_asking_again_changes_nothing_and_asking_otherwise_does(place):
    first = switch_on(place, "slow-sae", SLOW, ME, 60, 30)
    lease = read_lease(place.directory)
    again = switch_on(place, "slow-sae", SLOW, ME, 60, 30)
    assert (again.changed, again.expires_at, again.lease_id) == (False, first.expires_at, first.lease_id)
    assert read_lease(place.directory).renew_by > lease.renew_by
    other = switch_on(place, "slow-sae", {**SLOW, "percent": 10}, ME, 60, 30)
    assert other.changed and other.dead_man_pid == first.dead_man_pid
    assert json.loads(place.control.path.read_text())["slow-sae"]["percent"] == 10
    off = switch_off(place, EVERY, ME)
    assert not switch_off(place, EVERY, ME).changed and off.changed


def test_a_fault_that_somebody_took_out_is_put_in_again(place):
    switch_on(place, "slow-sae", SLOW, ME, 60, None)
    place.control.path.write_text("{}")
    assert switch_on(place, "slow-sae", SLOW, ME, 60, None).changed
    switch_off(place, EVERY, ME)


def test_two_faults_share_a_lease_and_end_one_by_one(place):
    one = switch_on(place, "slow-sae", SLOW, ME, 60, None)
    two = switch_on(place, "drop-s3", DROP, ME, 60, None)
    assert (one.lease_id, one.dead_man_pid) == (two.lease_id, two.dead_man_pid)
    switch_off(place, ("slow-sae",), ME)
    assert list(json.loads(place.control.path.read_text())) == ["drop-s3"]
    assert runs(one.dead_man_pid)
    switch_off(place, EVERY, ME)
    assert eventually(lambda: not runs(one.dead_man_pid))


def test_another_holder_may_switch_off_but_not_on(place):
    on = switch_on(place, "slow-sae", SLOW, ME, 60, None)
    fault = refusal(lambda: switch_on(place, "drop-s3", DROP, YOU, 60, None))
    assert fault.reason_code == "chaos-lease-held"
    assert "slow-sae by me" in fault.reason
    assert refusal(lambda: toggling.preview(place, ("drop-s3",), DROP, YOU, 60)).reason_code == "chaos-lease-held"
    assert switch_off(place, EVERY, YOU).reverted == ("slow-sae",)
    assert eventually(lambda: not runs(on.dead_man_pid))
    assert switch_on(place, "drop-s3", DROP, YOU, 60, None).changed
    switch_off(place, EVERY, YOU)


@pytest.mark.parametrize("still_held", [True, False], ids=["still held", "over again"])
def test_a_holder_may_switch_off_only_its_own(place, still_held):
    on = switch_on(place, "slow-sae", SLOW, ME, 1, None)
    assert eventually(lambda: not runs(on.dead_man_pid))
    switch_on(place, "slow-sae", SLOW, YOU, 60, None)
    held = place.control.path.read_text()
    if not still_held:
        switch_off(place, EVERY, YOU)
        held = ""
    assert not toggling.preview(place, ("slow-sae",), None, ME, 60, own=True).changed
    mine = switch_off(place, ("slow-sae",), ME, own=True)
    assert (mine.changed, mine.reverted, mine.reverted_by) == (False, (), "dead-man")
    assert (place.control.path.read_text() if place.control.path.exists() else "") == held
    assert still_held == switch_off(place, EVERY, YOU, own=True).changed


def test_what_is_its_own_is_switched_off(place):
    switch_on(place, "slow-sae", SLOW, ME, 60, None)
    assert toggling.preview(place, ("slow-sae",), None, ME, 60, own=True).changed
    assert switch_off(place, ("slow-sae",), ME, own=True).reverted == ("slow-sae",)
    assert switch_off(place, ("slow-sae",), ME, own=True).reverted_by == ME.name


@pytest.mark.parametrize(("ttl", "renew_within"), [(1, None), (60, 1)], ids=["ttl", "silence"])
def test_the_dead_man_takes_back_what_is_left(place, ttl, renew_within):
    place.control.path.write_text('{"theirs":1}')
    on = switch_on(place, "slow-sae", SLOW, ME, ttl, renew_within)
    assert eventually(lambda: not runs(on.dead_man_pid), 1 + 5)
    assert place.control.path.read_text() == '{"theirs":1}'
    assert not place.directory.lease.exists()
    off = switch_off(place, EVERY, ME)
    assert (off.changed, off.reverted_by) == (False, "dead-man")


def test_the_dead_man_takes_everything_back_when_told_to_end(place):
    on = switch_on(place, "slow-sae", SLOW, ME, 60, None)
    os.kill(on.dead_man_pid, signal.SIGTERM)
    assert eventually(lambda: not runs(on.dead_man_pid))
    assert not place.control.path.exists()


def test_the_dead_man_outlives_a_lease_that_became_unreadable(place):
    on = switch_on(place, "slow-sae", SLOW, ME, 1, None)
    place.directory.lease.write_text("{")
    assert eventually(lambda: not runs(on.dead_man_pid))
    assert not place.control.path.exists()


def test_no_fault_stays_without_its_dead_man(place):
    on = switch_on(place, "slow-sae", SLOW, ME, 60, 30)
    os.kill(on.dead_man_pid, signal.SIGKILL)
    assert eventually(lambda: not place.directory.has_dead_man())
    fault = refusal(lambda: switch_on(place, "slow-sae", SLOW, ME, 60, 30))
    assert fault.reason_code == "dead-man-missing"
    assert not place.control.path.exists()


def test_what_a_dead_run_left_is_reaped_by_the_next(place):
    on = switch_on(place, "slow-sae", SLOW, ME, 60, None)
    assert not toggling.reap(place, YOU).changed
    os.kill(on.dead_man_pid, signal.SIGKILL)
    assert eventually(lambda: not place.directory.has_dead_man())
    reaped = toggling.reap(place, YOU)
    assert (reaped.changed, reaped.reverted, place.control.path.exists()) == (True, ("slow-sae",), False)
    assert not toggling.reap(place, YOU).changed


def test_another_holder_takes_over_what_a_dead_run_left(place):
    on = switch_on(place, "slow-sae", SLOW, ME, 60, None)
    os.kill(on.dead_man_pid, signal.SIGKILL)
    assert eventually(lambda: not place.directory.has_dead_man())
    switch_on(place, "drop-s3", DROP, YOU, 60, None)
    assert list(json.loads(place.control.path.read_text())) == ["drop-s3"]
    switch_off(place, EVERY, YOU)


def test_after_a_boot_the_lease_is_over(place):
    on = switch_on(place, "slow-sae", SLOW, ME, 60, None)
    lease = read_lease(place.directory)
    assert lease.due(toggling.Clock.read()) == ()
    write_lease(place.directory, toggling.replace(lease, boot="another"))
    assert eventually(lambda: not runs(on.dead_man_pid))
    assert not place.control.path.exists()


def test_an_unreadable_lease_is_named_and_switching_off_removes_it(place):
    place.directory.prepare()
    place.directory.lease.write_text('{"schema": "chaos-lease-0"}')
    assert refusal(lambda: switch_on(place, "slow-sae", SLOW, ME, 60, None)).reason_code == "chaos-lease-unreadable"
    place.control.path.write_text(json.dumps({"slow-sae": SLOW}))
    assert switch_off(place, EVERY, ME).changed
    assert not place.directory.lease.exists()


def test_nothing_is_left_where_the_fault_cannot_be_written(place, monkeypatch):
    def refuse(*_arguments, **_options):
        raise CheckError("disk-full", "no space", "Free some.")

    monkeypatch.setattr(type(place.control), "update", refuse)
    assert refusal(lambda: switch_on(place, "slow-sae", SLOW, ME, 60, None)).reason_code == "disk-full"
    assert not place.directory.lease.exists()
    assert eventually(lambda: not place.directory.has_dead_man())
    assert steps(place) == ["intent", "armed"]


def unsynchronised(monkeypatch, times):
    """Let the control file's directory fail to synchronise so many times, after the file was written. Returns the list of failures."""
    real, failures = control_file._synchronise, []

    def fail(directory):
        if len(failures) < times:
            failures.append(directory)
            raise OSError(5, "Input/output error")
        real(directory)

    monkeypatch.setattr(control_file, "_synchronise", fail)
    return failures


def test_a_fault_that_was_written_though_writing_failed_is_taken_back(place, monkeypatch):
    place.control.path.write_text('{"theirs":1}')
    failures = unsynchronised(monkeypatch, 1)
    assert refusal(lambda: switch_on(place, "slow-sae", SLOW, ME, 60, None)).reason_code == "control-file-unreadable"
    assert failures and place.control.path.read_text() == '{"theirs":1}'
    assert not place.directory.lease.exists()
    assert eventually(lambda: not place.directory.has_dead_man())
    assert steps(place) == ["intent", "armed", "reverted", "verified"]


def test_a_fault_that_was_written_and_cannot_be_taken_back_keeps_its_lease_and_its_dead_man(place, monkeypatch):
    unsynchronised(monkeypatch, 2)
    assert refusal(lambda: switch_on(place, "slow-sae", SLOW, ME, 1, None)).reason_code == "revert-failed"
    assert list(read_lease(place.directory).grants) == ["slow-sae"]
    assert eventually(lambda: not place.directory.lease.exists())
    assert not place.control.path.exists()
    assert steps(place)[-1] == "verified"


def test_a_fault_that_cannot_be_changed_does_not_stay_as_it_was(place, monkeypatch):
    on = switch_on(place, "slow-sae", SLOW, ME, 60, None)
    real = type(place.control)._written
    wrote = []

    def once(control, before, text, in_place):
        wrote.append(text)
        if len(wrote) == 1:
            raise CheckError("disk-full", "no space", "Free some.")
        return real(control, before, text, in_place)

    monkeypatch.setattr(type(place.control), "_written", once)
    assert refusal(lambda: switch_on(place, "slow-sae", {**SLOW, "percent": 10}, ME, 60, None)).reason_code == "disk-full"
    assert not place.control.path.exists()
    assert not place.directory.lease.exists()
    assert eventually(lambda: not runs(on.dead_man_pid))


def test_what_was_put_in_by_hand_stays_where_it_cannot_be_replaced(place, monkeypatch):
    place.control.path.write_text('{"slow-sae":{"percent":1}}')

    def refuse(*_arguments, **_options):
        raise CheckError("disk-full", "no space", "Free some.")

    monkeypatch.setattr(type(place.control), "_written", refuse)
    assert refusal(lambda: switch_on(place, "slow-sae", SLOW, ME, 60, None)).reason_code == "disk-full"
    assert place.control.path.read_text() == '{"slow-sae":{"percent":1}}'
    assert not place.directory.lease.exists()


def test_a_fault_in_force_that_cannot_be_noted_is_no_failure(place, monkeypatch):
    real = journal.note

    def full(directory, step, *what, **facts):
        if step in (journal.INJECTED, journal.OBSERVED):
            raise CheckError("disk-full", "journal: no space", "Free some.")
        real(directory, step, *what, **facts)

    monkeypatch.setattr(journal, "note", full)
    on = switch_on(place, "slow-sae", SLOW, ME, 60, None)
    assert (on.changed, runs(on.dead_man_pid), "slow-sae" in place.control.path.read_text()) == (True, True, True)
    assert on.warnings == ("journal: no space",)
    assert toggling.note_observed(place, "slow-sae") == ("journal: no space",)
    assert switch_off(place, EVERY, ME).warnings == ()


def test_nothing_is_in_force_where_no_dead_man_comes_up(place, monkeypatch):
    monkeypatch.setattr(dead_man, "_watch", lambda *_arguments: None)
    assert refusal(lambda: switch_on(place, "slow-sae", SLOW, ME, 60, None)).reason_code == "dead-man-missing"
    assert not place.control.path.exists()
    assert not place.directory.lease.exists()


def test_a_failed_revert_is_told_above_all(place):
    on = switch_on(place, "slow-sae", SLOW, ME, 60, None)
    place.control.path.write_text("{")
    fault = refusal(lambda: switch_off(place, EVERY, ME))
    assert fault.reason_code == "revert-failed"
    assert place.control.path.read_text() == "{"
    assert steps(place)[-1] == "failed"
    place.control.path.write_text("{}")
    switch_off(place, EVERY, ME)
    assert eventually(lambda: not runs(on.dead_man_pid))


def test_a_failed_revert_is_tried_again_by_the_dead_man(place):
    on = switch_on(place, "slow-sae", SLOW, ME, 1, None)
    held = place.control.path.read_text()
    place.control.path.chmod(0o444)
    assert eventually(lambda: "failed" in steps(place))
    assert place.control.path.read_text() == held
    place.control.path.chmod(0o644)
    assert eventually(lambda: not runs(on.dead_man_pid))
    assert not place.control.path.exists()


@pytest.mark.parametrize(("ttl", "renew_within"), [(0.5, None), (3601, None), (10, 11), (10, 0.5)])
def test_times_out_of_range_are_refused(ttl, renew_within):
    assert refusal(lambda: toggling.checked_times(ttl, renew_within)).reason_code == "bad-fault"


def test_a_relative_path_is_refused():
    assert refusal(lambda: checked_place("chaos.json")).reason_code == "control-file-misplaced"


def test_preview_changes_nothing(place):
    seen = toggling.preview(place, ("slow-sae",), SLOW, ME, 60)
    assert seen.changed and '"slow-sae"' in seen.after and seen.before == ""
    assert not place.control.path.exists() and not place.directory.exists()
    switch_on(place, "slow-sae", SLOW, ME, 60, None)
    assert not toggling.preview(place, ("slow-sae",), SLOW, ME, 60).changed
    off = toggling.preview(place, EVERY, None, ME, 60)
    assert off.changed and off.after == ""
    switch_off(place, EVERY, ME)
    assert not toggling.preview(place, EVERY, None, ME, 60).changed


def test_the_journal_bears_a_line_cut_short_and_a_full_disk(place, monkeypatch):
    place.directory.prepare()
    journal.note(place.directory, journal.INTENT, "a")
    with place.directory.journal.open("a") as file:
        file.write('{"step": "arm')
    journal.note(place.directory, journal.OBSERVED, "b")
    assert [entry["lease"] for entry in journal.entries(place.directory)] == ["a", "b"]
    assert [entry["step"] for entry in journal.entries(place.directory, "b")] == ["observed"]
    size = place.directory.journal.stat().st_size

    def fail(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal.os, "fsync", fail)
    assert refusal(lambda: journal.note(place.directory, journal.ARMED, "c")).reason_code == "disk-full"
    assert place.directory.journal.stat().st_size == size


def test_a_journal_that_is_long_begins_anew_with_a_fault_and_not_at_its_end(place, monkeypatch):
    monkeypatch.setattr(journal, "_MAX_BYTES", 100)
    for _time in range(2):
        on = switch_on(place, "slow-sae", SLOW, ME, 1, None)
        assert place.directory.journal.stat().st_size > 100
        assert eventually(lambda on=on: not runs(on.dead_man_pid))
        assert switch_off(place, EVERY, ME).reverted_by == "dead-man"
        assert steps(place) == ["intent", "armed", "injected", "reverted", "verified"]
    before = place.directory.journal.with_suffix(".1.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in before] == steps(place)
