# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking for what earlier chaos left in force on this machine, and taking it back."""

from __future__ import annotations

from typing import Any

from ..examination import Inspection
from ..faults import CheckError
from ..rfc3339 import parse_utc
from ..verdict import REVERT_FAILED
from .faults import FAULTS
from .lease import Clock
from .toggling import Holder, Outcome, checked_place, reap


def examine(inspection: Inspection) -> None:
    """Take back what an abandoned run left; tell of one that is going on, and of faults that were put in force by hand.

    Whether a run of another user is going on this one may not know; that matters only where a fault is in force.
    """
    verdict, path = inspection.verdict, inspection.params["control_path"]
    place = checked_place(path)
    if not place.control.path.parent.is_dir():
        verdict.skip("not_applicable", f"no chaos control file: {place.control.path.parent} does not exist", "Nothing, without chaos.")
        return
    verdict.examine("chaos control files", 1)
    closed = place.directory.is_closed()
    standing = in_force(place.control.read().document) if closed else []
    if standing:
        verdict.inconclusive(
            "fault-in-force",
            f"{path} has {', '.join(standing)} in force; whose it is {place.directory.path} tells, which this user may not read",
            "Run as the user that chaos runs as (become_user), or take it back as that one: module chaos with state=absent.",
        )
        return
    holder = Holder("reaper", inspection.params["environment"] or "")
    failure = ""
    outcome = Outcome(False, "", "")
    try:
        outcome = outcome if closed else reap(place, holder)
    except CheckError as fault:
        if fault.reason_code != REVERT_FAILED:
            raise
        failure = fault.reason
    inspection.changed = outcome.changed
    verdict.expect(
        "no fault that an earlier chaos run left is in force",
        not failure,
        expected="none, or taken back",
        observed=failure or (f"taken back: {', '.join(outcome.reverted)}" if outcome.reverted else "none"),
        reason_code=REVERT_FAILED,
        action="Take the fault out of the control file by hand, now.",
    )
    if failure:
        return
    standing = in_force(place.control.read().document)
    if outcome.dead_man_pid and standing:
        verdict.inconclusive(
            "chaos-under-way",
            f"a chaos run is under way on {path}: {', '.join(standing)}",
            "Verify when it has ended; what is examined now is the fault.",
        )
    elif standing:
        verdict.inconclusive(
            "fault-in-force",
            f"{path} has {', '.join(standing)} in force, which no chaos run put there",
            "Take it back: ansible sidecar_explainers -m hypergraph.sidecar.chaos -a state=absent",
        )


def in_force(document: dict[str, Any]) -> list[str]:
    """The faults that a control file's document has in force now."""
    return [name for name in FAULTS if isinstance(document.get(name), dict) and not _is_over(document[name])]


def _is_over(flag: dict[str, Any]) -> bool:
    try:
        return "expires_at" in flag and parse_utc(flag["expires_at"]) <= Clock.read().now
    except ValueError:
        return False


def skip(inspection: Inspection) -> None:
    """In check mode nothing is taken back."""
    inspection.verdict.skip("disabled_by_config", "check mode: leftovers of chaos were not looked for", "Run without --check.")
