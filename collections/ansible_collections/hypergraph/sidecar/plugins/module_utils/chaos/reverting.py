# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking faults back: the one way that the module, the dead-man and the reaper share."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from ..faults import CheckError
from ..verdict import REVERT_FAILED
from . import journal
from .control_file import Change, ControlFile
from .lease import Lease, drop_lease, write_lease
from .run_directory import RunDirectory


@dataclass(frozen=True)
class Place:
    """A control file with its run directory."""

    control: ControlFile
    directory: RunDirectory

    @classmethod
    def of(cls, control_path: str) -> Place:
        """The place of a control file."""
        return cls(ControlFile(control_path), RunDirectory(control_path))


def take_back(place: Place, lease: Lease, names: tuple[str, ...], by: str) -> Change:
    """Remove flags from the control file, read it back, and keep what is left of the lease, or drop it. Call it with the lock held.

    Raises CheckError ``revert-failed`` where a flag is still there. That the journal or the lease cannot be written does not hinder it.
    """
    try:
        change = place.control.update(
            lambda document: {name: flag for name, flag in document.items() if name not in names}, texts=(lease.before,), in_place=True
        )
        found = [name for name in names if name in place.control.read().document]
        if found:
            raise CheckError("control-file-contended", f"{', '.join(found)} is there again", "Find out what else writes the file.")
    except CheckError as fault:
        with contextlib.suppress(CheckError):
            journal.note(place.directory, journal.FAILED, lease.id, faults=list(names), by=by, reason=fault.reason)
        said = f"{', '.join(names)} could not be taken back from {place.control.path}: {fault.reason}"
        raise CheckError(REVERT_FAILED, said, f"Take it out by hand, now. {fault.action}") from None
    for step in (journal.REVERTED, journal.VERIFIED):
        with contextlib.suppress(CheckError):
            journal.note(place.directory, step, lease.id, faults=list(names), by=by)
    rest = lease.without(names)
    if not rest.grants:
        drop_lease(place.directory)
    else:
        with contextlib.suppress(CheckError):
            write_lease(place.directory, rest)
    return change
