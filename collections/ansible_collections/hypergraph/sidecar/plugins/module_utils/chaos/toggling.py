# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switching faults on and off on this machine, so that none can be left behind.

On: intent is noted, the lease taken, the dead-man armed, and only then the control file written, with the moment the fault ends in it. Off:
the flag is removed and the file read back. Both are done with the run directory locked.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..faults import CheckError
from . import dead_man, journal
from .control_file import Content, rendered
from .faults import FAULTS
from .lease import Clock, Lease, drop_lease, read_lease, write_lease
from .reverting import Place, take_back

MAX_TTL = 3600
_DEAD_MAN_ENDS_WITHIN = 5.0
# A dead-man that has not acted so long after its time is taken for stuck.
_OVERDUE = 5.0


@dataclass(frozen=True)
class Holder:
    """Who switches: a name that stays the same for one run or person, and the environment it is done in."""

    name: str
    environment: str


@dataclass(frozen=True)
class Outcome:
    """What switching did. ``before`` and ``after`` are the control file's texts, empty where there is no file.

    ``reverted_by`` tells who took the faults back that a call to switch off found gone already; ``warnings`` what could not be noted.
    """

    changed: bool
    before: str
    after: str
    lease_id: str = ""
    expires_at: str = ""
    dead_man_pid: int = 0
    reverted: tuple[str, ...] = ()
    reverted_by: str = ""
    settled: float = 0.0
    warnings: tuple[str, ...] = ()


def checked_place(control_path: str) -> Place:
    """The place of a control file. Raises CheckError for a path that is not absolute."""
    if not Path(control_path).is_absolute():
        said = f"control_path {control_path!r}: expected an absolute path, as the dead-man has no working directory"
        raise CheckError("control-file-misplaced", said, "Give the whole path of the file that CHAOS_CONTROL_PATH names.")
    return Place.of(control_path)


def checked_times(ttl: float, renew_within: float | None, silent_for: float = 0.0) -> None:
    """Raise CheckError for a time to live or a limit of silence that is out of range, or that ends while the holder means to be silent."""
    if not 1 <= ttl <= MAX_TTL:
        raise CheckError("bad-fault", f"ttl is {ttl:g}, expected 1 to {MAX_TTL} seconds", "Give ttl within its range.")
    if renew_within is not None and not 1 <= renew_within <= ttl:
        raise CheckError("bad-fault", f"renew_within is {renew_within:g}, expected 1 to ttl ({ttl:g}) seconds", "Give it within its range.")
    name, limit = ("ttl", ttl) if renew_within is None else ("renew_within", renew_within)
    if silent_for >= limit:
        said = f"{name} is {limit:g} s, but the run may be silent for {silent_for:g} s; the dead-man would take the fault back in between"
        remedy = f"Raise {name} (sidecar_chaos_{name}) above {silent_for:g}, or watch less in a round."
        raise CheckError("lease-too-short", said, remedy)


def preview(
    place: Place, names: tuple[str, ...], flag: Mapping[str, Any] | None, holder: Holder, ttl: float, *, own: bool = False
) -> Outcome:
    """What ``switch_on`` (with a flag) or ``switch_off`` would do, without doing it."""
    content = place.control.read()
    lease = read_lease(place.directory)
    if flag is None:
        left = own and _is_of_another(lease, holder)
        wanted = {name: value for name, value in content.document.items() if left or name not in names}
    else:
        _refuse_foreign(place, lease, holder)
        place.control.refuse_unwritable(content)
        granted = Lease("", "", "", "", None).granting(names[0], flag, ttl, Clock.read()).grants[names[0]].flag
        same = lease is not None and _in_force(place, lease, content, names[0], flag)
        wanted = content.document if same else {**content.document, names[0]: granted}
    changed = wanted != content.document
    restored = lease is not None and flag is None and not wanted and lease.before is None
    return Outcome(changed, content.text or "", (content.text or "") if not changed else "" if restored else rendered(wanted))


def switch_on(place: Place, name: str, flag: Mapping[str, Any], holder: Holder, ttl: float, renew_within: float | None) -> Outcome:
    """Put a fault into force for ``ttl`` seconds, or renew its lease where it is in force as asked; that does not prolong it.

    Raises CheckError, and then the fault is not in force: where another holds the lease, the file cannot be written, or the dead-man is
    gone (``dead-man-missing``, after the fault was taken back). Only with ``revert-failed`` it may be, and is left to the dead-man.
    """
    place.control.refuse_unwritable(place.control.read())
    place.directory.prepare()
    with place.directory.locked():
        lease = read_lease(place.directory)
        _refuse_foreign(place, lease, holder)
        if lease is not None and lease.holder == holder.name and lease.grants and not place.directory.has_dead_man():
            return _refuse_unwatched(place, lease)
        if lease is not None and _is_abandoned(place, lease):
            take_back(place, lease, tuple(lease.grants), "reaper")
            lease = None
        content = place.control.read()
        if lease is not None and _in_force(place, lease, content, name, flag):
            write_lease(place.directory, lease.renewed(renew_within, Clock.read()))
            text = content.text or ""
            return Outcome(False, text, text, lease.id, str(lease.grants[name].flag["expires_at"]), lease.dead_man_pid)
        by_hand = None if lease is not None and name in lease.grants else content.document.get(name)
        return _injected(place, _armed(place, lease, content, name, flag, holder, ttl, renew_within), name, by_hand)


def switch_off(place: Place, names: tuple[str, ...], holder: Holder, *, own: bool = False) -> Outcome:
    """Take faults back, whoever put them in force, and read the file back. With none left in force no lease and no dead-man stay.

    With ``own`` nothing is done where another holds the lease: what this holder had in force is gone since.

    Raises CheckError, ``revert-failed`` where a fault is still in the file.
    """
    if not place.directory.exists():
        if not set(names) & set(place.control.read().document):
            text = place.control.read().text or ""
            return Outcome(False, text, text)
        place.directory.prepare()
    with place.directory.locked():
        lease = _lease_or_none(place)
        content = _content_or_none(place, lease)
        if own and _is_of_another(lease, holder):
            text = content.text or ""
            return Outcome(False, text, text, reverted_by=_last_reverter(place, holder))
        listed = tuple(name for name in names if name in content.document or (lease is not None and name in lease.grants))
        acting = lease or Lease(f"off-{secrets.token_hex(6)}", holder.name, holder.environment, "", content.text)
        change = take_back(place, acting, listed, holder.name) if listed else None
        settled = time.monotonic()
        if lease is None or not set(lease.grants) - set(names):
            drop_lease(place.directory)
    if not place.directory.lease.exists():
        _await_dead_man_end(place, lease)
    before, after = (change.before, change.after) if change else (content, content)
    return Outcome(
        before.text != after.text,
        before.text or "",
        after.text or "",
        lease.id if lease else "",
        reverted=listed,
        reverted_by="" if listed else _last_reverter(place, holder if own else None),
        settled=time.monotonic() - settled,
    )


def note_observed(place: Place, name: str) -> tuple[str, ...]:
    """Note in the journal that the fault was seen; returns why that could not be done."""
    try:
        lease = read_lease(place.directory)
    except CheckError as fault:
        return (fault.reason,)
    return () if lease is None else _noted(place, journal.OBSERVED, lease.id, faults=[name])


def reap(place: Place, holder: Holder) -> Outcome:
    """Take back what an earlier run left in force, and nothing of a run that is going on. Raises CheckError, also ``revert-failed``."""
    if not place.directory.lease.exists():
        text = place.control.read().text or ""
        return Outcome(False, text, text)
    with place.directory.locked():
        lease = _lease_or_none(place)
        if lease is not None and not _is_abandoned(place, lease):
            text = place.control.read().text or ""
            return Outcome(False, text, text, lease.id, dead_man_pid=lease.dead_man_pid)
    # An unreadable lease names no fault, so all there are go.
    return switch_off(place, tuple(lease.grants) if lease else tuple(FAULTS), holder)


def _is_of_another(lease: Lease | None, holder: Holder) -> bool:
    return lease is not None and lease.holder != holder.name


def _refuse_foreign(place: Place, lease: Lease | None, holder: Holder) -> None:
    """Raise CheckError where somebody else's run is going on."""
    if lease is None or not _is_of_another(lease, holder) or _is_abandoned(place, lease):
        return
    said = f"chaos is under way on {place.control.path}: {', '.join(lease.grants)} by {lease.holder}"
    ends = f"for {max(0.0, lease.left(Clock.read())):.0f} s more unless renewed"
    action = "Wait for its end, or take it back with state absent. Two runs never overlap."
    raise CheckError("chaos-lease-held", f"{said}, {ends}", action)


def _refuse_unwatched(place: Place, lease: Lease) -> Outcome:
    """The holder came back, and the dead-man is gone: no fault stays without one."""
    take_back(place, lease, tuple(lease.grants), lease.holder)
    said = f"the dead-man of {place.control.path} (process {lease.dead_man_pid}) is gone while {', '.join(lease.grants)} was in force"
    action = (
        "Find out what ends background processes on the target (KillUserProcesses of logind, a clean-up job); the fault was taken back."
    )
    raise CheckError("dead-man-missing", said, action)


def _is_abandoned(place: Place, lease: Lease) -> bool:
    """Whether nobody looks after a lease any more: it has no dead-man, or one that is long overdue."""
    return not place.directory.has_dead_man() or bool(lease.due(Clock.read()) and lease.left(Clock.read()) < -_OVERDUE)


def _in_force(place: Place, lease: Lease, content: Content, name: str, flag: Mapping[str, Any]) -> bool:
    """Whether the fault is in force as asked: in the file and in the lease, watched, and not over."""
    grant = lease.grants.get(name)
    if grant is None or content.document.get(name) != grant.flag or name in lease.due(Clock.read()):
        return False
    return {key: value for key, value in grant.flag.items() if key != "expires_at"} == flag and place.directory.has_dead_man()


def _armed(
    place: Place,
    lease: Lease | None,
    content: Content,
    name: str,
    flag: Mapping[str, Any],
    holder: Holder,
    ttl: float,
    renew_within: float | None,
) -> Lease:
    """The lease with the fault in it, written, and its dead-man watching; before that the intent is in the journal."""
    clock = Clock.read()
    fresh = lease is None or not lease.grants
    if lease is None:
        lease = Lease(secrets.token_hex(8), holder.name, holder.environment, clock.boot, content.text)
    journal.note(place.directory, journal.INTENT, lease.id, fault=name, flag=dict(flag), ttl=ttl, holder=holder.name)
    earlier, lease = lease, lease.granting(name, flag, ttl, clock).renewed(renew_within, clock)
    write_lease(place.directory, lease)
    try:
        if fresh:
            _await_free_watch(place)
            lease = replace(lease, dead_man_pid=dead_man.start(place, lease.id))
            write_lease(place.directory, lease)
        journal.note(place.directory, journal.ARMED, lease.id, fault=name, dead_man=lease.dead_man_pid)
    except CheckError:
        _stand_down(place, earlier)
        raise
    return lease


def _injected(place: Place, lease: Lease, name: str, by_hand: Any) -> Outcome:
    """Put the fault into the control file; ``by_hand`` is what was there for it without a lease."""
    flag = lease.grants[name].flag
    try:
        change = place.control.update(lambda document: {**document, name: dict(flag)})
    except CheckError:
        if _may_stand(place, name, by_hand):
            take_back(place, lease, (name,), lease.holder)
        # The fault is not in force, so there is nothing to watch.
        _stand_down(place, lease.without((name,)))
        raise
    settled = time.monotonic()
    # It is in force: whoever called has to be told that, and that it can be taken back.
    warnings = _noted(place, journal.INJECTED, lease.id, fault=name, flag=dict(flag))
    return Outcome(
        True,
        change.before.text or "",
        change.after.text or "",
        lease.id,
        str(flag["expires_at"]),
        lease.dead_man_pid,
        settled=time.monotonic() - settled,
        warnings=warnings,
    )


def _may_stand(place: Place, name: str, by_hand: Any) -> bool:
    """Whether a fault that could not be written is in the control file all the same, from before or from a write that failed late."""
    try:
        return bool(place.control.read().document.get(name, by_hand) != by_hand)
    except CheckError:
        return True


def _noted(place: Place, step: str, lease_id: str, **facts: Any) -> tuple[str, ...]:
    """Note a step of a fault that is in force, which does not depend on it; returns why that could not be done."""
    try:
        journal.note(place.directory, step, lease_id, **facts)
    except CheckError as fault:
        return (fault.reason,)
    return ()


def _stand_down(place: Place, lease: Lease) -> None:
    if lease.grants:
        write_lease(place.directory, lease)
    else:
        drop_lease(place.directory)
        dead_man.wake(lease.dead_man_pid)


def _lease_or_none(place: Place) -> Lease | None:
    """The lease, and none where it cannot be read: switching off must not depend on it."""
    try:
        return read_lease(place.directory)
    except CheckError:
        return None


def _content_or_none(place: Place, lease: Lease | None) -> Content:
    """The control file; with faults in force one that cannot be read is left to the attempt to take them back, which says so."""
    try:
        return place.control.read()
    except CheckError:
        if lease is None or not lease.grants:
            raise
        return Content()


def _await_free_watch(place: Place) -> None:
    """Let an older dead-man end, whose lease is gone."""
    give_up = time.monotonic() + _DEAD_MAN_ENDS_WITHIN
    while place.directory.has_dead_man() and time.monotonic() < give_up:
        time.sleep(0.05)


def _await_dead_man_end(place: Place, lease: Lease | None) -> None:
    """See the dead-man end. Raises CheckError where it does not."""
    if lease is not None and place.directory.has_dead_man():
        dead_man.wake(lease.dead_man_pid)
    _await_free_watch(place)
    if place.directory.has_dead_man():
        said = f"the dead-man of {place.control.path} did not end within {_DEAD_MAN_ENDS_WITHIN:g} s of its lease"
        raise CheckError("dead-man-left", said, "End it by hand: lsof its lock file names the process. No fault is in force.")


def _last_reverter(place: Place, holder: Holder | None) -> str:
    """Who last took a fault back, of this holder's if one is given."""
    lines = [*journal.entries(place.directory)]
    leases = {line["lease"] for line in lines if holder is None or line.get("holder") == holder.name}
    return next((str(line.get("by", "")) for line in reversed(lines) if line["step"] == journal.VERIFIED and line["lease"] in leases), "")
