# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report in a few lines: three that say gate, why and how much was examined; and one line a check for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..gate import NOT_RUN, WORST_FIRST

MAX_REASON = 160
MAX_UNITS = 8
# What a gate may be asked of an environment, and its answers when it is closed and when it is open. What is to be deployed can be judged
# without knowing how the environment serves.
SERVE = "serve"
DEPLOY = "deploy"
_ANSWERS = {
    SERVE: {True: "is fit to serve", False: "is not fit to serve"},
    DEPLOY: {True: "may be deployed as it is written", False: "may not be deployed as it is written"},
}
_LABELS = {NOT_RUN: "not run"}


def label(status: str) -> str:
    """A status as people read it."""
    return _LABELS.get(status, status)


def headline(report: Mapping[str, Any]) -> list[str]:
    """Three lines: the gate, the first reason for it, and the counts with what was examined."""
    restrictions = report["scope"]["restrictions"]
    partial = f" (partial: {' '.join(restrictions)})" if restrictions else ""
    state = "OPEN" if report["gate"]["open"] else "CLOSED"
    why = _why_open(report) if report["gate"]["open"] else _why_closed(report)
    return [f"GATE {state}{partial}: {report['environment']} {conclusion(report)}", why, counted(report)]


def conclusion(report: Mapping[str, Any]) -> str:
    """What the gate says of the environment; a run that looked at a part only does not say it is fit."""
    if report["gate"]["open"] and report["scope"]["restrictions"]:
        return "holds in what was examined of it"
    return _ANSWERS[report["policy"]["question"]][report["gate"]["open"]]


def counted(report: Mapping[str, Any]) -> str:
    """How many checks ended how, and what they looked at."""
    counts = [f"{report['counts'][status]} {label(status)}" for status in WORST_FIRST if report["counts"][status]]
    scope = [f"{count} {unit}" for unit, count in report["examined"].items()]
    if len(scope) > MAX_UNITS:
        scope[MAX_UNITS:] = [f"and {len(scope) - MAX_UNITS} more kinds of objects"]
    return f"{', '.join(counts) or 'no check ran'}; examined {', '.join(scope) or 'nothing'}"


def terminal_lines(report: Mapping[str, Any], where: str) -> list[str]:
    """What the gate prints: the headline, a line for each check, waivers that are not in order, and where the report is."""
    rows = [(check["check"], check["status"], check["reason"]) for check in report["checks"]]
    rows += [(check, NOT_RUN, absent["reason"]) for check, absent in report["not_run"].items() if absent["required"]]
    wide = max((len(check) for check, _status, _reason in rows), default=0)
    tall = max(map(len, map(label, WORST_FIRST)))
    lines = [f"{label(status):<{tall}}  {check:<{wide}}  {shortened(reason)}".rstrip() for check, status, reason in rows]
    elsewhere = [check for check, absent in report["not_run"].items() if not absent["required"]]
    if elsewhere:
        lines.append(f"not run and not judged: {', '.join(elsewhere)}")
    return [*report["gate"]["headline"], *lines, *_waiver_lines(report["waivers"]), where]


def shortened(text: str) -> str:
    """The text on one line of bearable length."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_REASON else f"{line[: MAX_REASON - 1]}…"


def _why_open(report: Mapping[str, Any]) -> str:
    required = [check for check in report["checks"] if check["required"]]
    waived = [check["check"] for check in required if check["status"] == "waived"]
    allowed = [check["check"] for check in report["checks"] if check["status"] == "inconclusive"]
    asked = len(report["policy"]["required"])
    said = f"{len(required)} of {asked} required checks hold" if asked else "no check is required; none failed"
    if len(required) < asked:
        said += "; the others were not selected"
    if waived:
        said += f", {' and '.join(waived)} by waiver"
    if allowed:
        said += f"; inconclusive, which this environment allows: {', '.join(allowed)}"
    return said


def _why_closed(report: Mapping[str, Any]) -> str:
    first, *others = report["gate"]["reasons"]
    more = f"; {len(others)} more {'reasons' if len(others) > 1 else 'reason'}" if others else ""
    where = f"{first['check']} " if first["check"] else ""
    return f"{where}{label(first['status'])}: {shortened(first['reason'])}{more}"


def _waiver_lines(waivers: Mapping[str, Any]) -> list[str]:
    lines = [f"waiver unused: {waiver['id']} ({waiver['check']})" for waiver in waivers["in_force"] if waiver["state"] == "unused"]
    lines += [
        f"waiver refused: entry {refusal['position']} ({refusal['named'].get('ticket', 'no ticket')}): {refusal['problem']}"
        for refusal in waivers["refused"]
    ]
    if waivers["problem"]:
        lines.insert(0, f"waivers not read: {waivers['problem']['problem']}")
    return lines
