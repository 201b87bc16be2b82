# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate: whether an environment may serve, decided once from the merged results of a run. It is open unless a reason closes it.

- A check that failed or broke closes it, required or not.
- A required check must be pass or waived; one that is inconclusive, skipped or has no result at all closes it. So does one that is green
  for the rest while a part of it was skipped for want of something it depends on: nobody chose to leave that part out.
- Any other check that is inconclusive closes it too, unless the environment allows that.
- A run in which no check of the environment passed has shown nothing, and closes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .algebra import CheckResult
from .catalog import CATALOG
from .verdict import REVERT_FAILED, Headline

NOT_RUN = "not_run"
# As a reader should meet them: what is broken first, then what nobody knows, then what holds.
WORST_FIRST = ("fail", "error", NOT_RUN, "inconclusive", "skip", "waived", "pass")
PREFLIGHT = "preflight"
NO_RESULT = Headline(NOT_RUN, "no task returned a result for it", "no-result", "Look in the output for what ended its play early.")

_GREEN = ("pass", "waived")
_POSITIONS = {check.id: position for position, check in enumerate(CATALOG)}


@dataclass(frozen=True)
class Policy:
    """What an environment asks of its checks. ``on_inconclusive`` is ``block`` or ``allow``, and never lets a required check off."""

    required: tuple[str, ...] = ()
    on_inconclusive: str = "block"


@dataclass(frozen=True)
class Reason:
    """Why the gate is closed: a check (none where nothing was judged at all) and its headline."""

    check: str
    headline: Headline


@dataclass(frozen=True)
class Decision:
    """The gate's decision: its reasons, the worst first. Without any it is open."""

    reasons: tuple[Reason, ...] = ()

    @property
    def open(self) -> bool:
        """Whether the environment may serve."""
        return not self.reasons


def decide(results: Mapping[str, CheckResult], policy: Policy, absences: Mapping[str, Headline]) -> Decision:
    """Judge the merged results, with waivers laid over them already. ``absences`` says of checks without a result why they have none."""
    reasons = [
        Reason(check, result.headline) for check, result in results.items() if _closes(result.status, check in policy.required, policy)
    ]
    reasons += [
        Reason(check, unexamined)
        for check, result in results.items()
        if check in policy.required and result.status in _GREEN
        for unexamined in _unexamined(result)
    ]
    reasons += [Reason(check, absences.get(check, NO_RESULT)) for check in dict.fromkeys(policy.required) if check not in results]
    if not reasons and not any(result.status in _GREEN for check, result in results.items() if check != PREFLIGHT):
        nothing = Headline("inconclusive", "no check of the environment passed", "nothing-judged", "Select a check that examines it.")
        reasons.append(Reason("", nothing))
    return Decision(tuple(sorted(reasons, key=_urgency)))


def reading_order(check: str) -> tuple[int, str]:
    """Sort key of a check: as catalogued, then those that teams added, by name."""
    return _POSITIONS.get(check, len(_POSITIONS)), check


def worst_first(check: str, headline: Headline) -> tuple[bool, int, tuple[int, str]]:
    """Sort key that brings a failed revert to the front, then the worst status, then the catalogue's order."""
    return headline.reason_code != REVERT_FAILED, WORST_FIRST.index(headline.status), reading_order(check)


def _urgency(reason: Reason) -> tuple[bool, int, tuple[int, str]]:
    return worst_first(reason.check, reason.headline)


def _unexamined(result: CheckResult) -> list[Headline]:
    """Why a green result is not enough, if it is not: the first part that lacked what it depends on, and how many more."""
    lacking = [skip for skip in result.records.skips if skip.skip_class == "dependency_missing"]
    if not lacking:
        return []
    more = f" (+{len(lacking) - 1} more)" if len(lacking) > 1 else ""
    return [Headline("skip", f"{result.status} in part, not examined: {lacking[0].reason}{more}", "part-not-examined", lacking[0].action)]


def _closes(status: str, required: bool, policy: Policy) -> bool:
    if required:
        return status not in _GREEN
    return status in ("fail", "error") or (status == "inconclusive" and policy.on_inconclusive != "allow")
