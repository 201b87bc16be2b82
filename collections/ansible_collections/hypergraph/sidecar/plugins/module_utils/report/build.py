# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``report-1`` document: everything a run has to say, in the order it is read. All renderings are made from it alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any

from ..algebra import CheckResult, merge, read
from ..catalog import CATALOG, find
from ..gate import NOT_RUN, WORST_FIRST, Decision, Policy, decide, reading_order, worst_first
from ..rfc3339 import parse_utc
from ..verdict import SCHEMA as VERDICT_SCHEMA
from ..verdict import Headline, Records, Verdict
from ..waiver import Waivers, lay, used_by
from .collect import Heard, distinct
from .headline import SERVE, headline
from .history import changes
from .scope import Scope

SCHEMA = "report-1"
_NO_CATALOGUE_ENTRY = "whatever its own assertions say; it is a check of this environment, written in YAML"


@dataclass(frozen=True)
class Run:
    """The circumstances of a report. ``selected_only`` judges only what --tags selected; ``waivers_problem`` says why a file was unread."""

    environment: str
    run_id: str
    now: datetime
    scope: Scope
    required: tuple[str, ...]
    question: str = SERVE
    on_inconclusive: str = "block"
    selected_only: bool = False
    waivers: Waivers = field(default_factory=Waivers)
    waivers_file: str = ""
    waivers_problem: Mapping[str, str] | None = None

    @property
    def policy(self) -> Policy:
        """The gate's policy: of the required checks, those that this run is to be judged by."""
        required = tuple(check for check in self.required if not self.selected_only or self.scope.selects(check))
        return Policy(required, self.on_inconclusive)


def build(run: Run, heard: list[Heard], previous: list[dict[str, Any]]) -> dict[str, Any]:
    """Merge what was heard, lay waivers over it, decide, and tell it all."""
    documents = [*distinct(heard), *_silences(run.scope, heard)]
    merged = merge(documents)
    results = {check: lay(run.waivers.in_force, merged[check]) for check in sorted(merged, key=reading_order)}
    absences = {check: run.scope.absence(check) for check in _expected(run) if check not in results}
    decision = decide(results, run.policy, absences)
    checks = [_check(run, result) for result in results.values()]
    counts = {status: sum(check["status"] == status for check in checks) for status in WORST_FIRST if status != NOT_RUN}
    missing = [check for check in absences if check in run.policy.required]
    statuses = {check["check"]: check["status"] for check in checks}
    began = min((_instant(check["started"], run.now) for check in checks), default=run.now)
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "environment": run.environment,
        "run_id": run.run_id,
        "started": _timestamp(began),
        "finished": _timestamp(run.now),
        "duration_ms": round((run.now - began).total_seconds() * 1000, 1),
        "gate": {"open": decision.open, "headline": [], "reasons": _reasons(decision)},
        "policy": {
            "required": list(run.required),
            "judged": list(run.policy.required),
            "question": run.question,
            "on_inconclusive": run.on_inconclusive,
            "selected_only": run.selected_only,
        },
        "scope": {"restrictions": list(run.scope.restrictions), "check_mode": run.scope.check_mode},
        "counts": {**counts, NOT_RUN: len(missing)},
        "examined": _total(check["examined"] for check in checks),
        "checks": checks,
        "not_run": {check: _absent(run, check, absences[check]) for check in sorted(absences, key=reading_order)},
        "waivers": _waivers(run, results),
        "history": previous,
        "changes": changes(previous[-1] if previous else None, statuses),
        "next_actions": _next_actions(results, {check: absences[check] for check in missing}),
    }
    report["gate"]["headline"] = headline(report)
    return report


def not_green(report: Mapping[str, Any]) -> list[str]:
    """Ids of the checks that hold the gate closed or are not pass, in catalogue order."""
    closing = {reason["check"] for reason in report["gate"]["reasons"]}
    found = [check["check"] for check in report["checks"] if check["status"] != "pass" or check["check"] in closing]
    found += [check for check, absent in report["not_run"].items() if absent["required"]]
    return sorted(found, key=reading_order)


def _silences(scope: Scope, heard: Iterable[Heard]) -> Iterable[Mapping[str, Any]]:
    """A shortfall for each host that should have answered a check and did not."""
    hosts: dict[str, set[str]] = {}
    for item in heard:
        hosts.setdefault(item.check, set()).add(item.host)
    for check, answered in hosts.items():
        for host, group in scope.silent_hosts(check, answered).items():
            verdict = Verdict(check, host=host)
            reason = f"{host} of group {group} gave no result, though other hosts of the group did"
            verdict.inconclusive("host-without-result", reason, "Look in the output for what ended the host's play, and mend that.")
            yield verdict.to_dict()


def _expected(run: Run) -> list[str]:
    """The checks a reader would miss: those required, and the routine ones of the catalogue."""
    return list(dict.fromkeys((*run.required, *(check.id for check in CATALOG if check.routine))))


def _check(run: Run, result: CheckResult) -> dict[str, Any]:
    known = find(result.check)
    parts = [_part(run, part) for part in result.parts]
    return {
        "check": result.check,
        "title": result.title,
        "required": result.check in run.policy.required,
        **asdict(result.headline),
        "would_fail": known.would_fail if known else _NO_CATALOGUE_ENTRY,
        "references": list(result.references),
        "hosts": list(result.hosts),
        **_records(result.records),
        "examined": dict(result.examined),
        "metrics": dict(result.metrics),
        "started": min(part["started"] for part in parts),
        "duration_ms": _slowest_host(parts),
        "parts": parts,
    }


def _part(run: Run, document: Mapping[str, Any]) -> dict[str, Any]:
    """One run of a check as a ``verdict-1`` document of its own, with the waivers laid over it; its status is derived, not copied."""
    result = lay(run.waivers.in_force, read(document))
    evidence = document.get("evidence")
    duration = document.get("duration_ms")
    return {
        "schema": VERDICT_SCHEMA,
        "check": result.check,
        "title": result.title,
        "host": ", ".join(result.hosts),
        **asdict(result.headline),
        "references": list(result.references),
        **_records(result.records),
        "examined": dict(result.examined),
        "evidence": dict(evidence) if isinstance(evidence, Mapping) else {},
        "metrics": dict(result.metrics),
        "started": _timestamp(_instant(document.get("started"), run.now)),
        "duration_ms": duration if isinstance(duration, (int, float)) and duration >= 0 else 0,
    }


def _records(records: Records) -> dict[str, Any]:
    return {name: [asdict(item) for item in getattr(records, name)] for name in Records.__dataclass_fields__}


def _absent(run: Run, check: str, absence: Headline) -> dict[str, Any]:
    known = find(check)
    return {
        "title": known.title if known else check,
        "required": check in run.policy.required,
        "reason": absence.reason,
        "reason_code": absence.reason_code,
        "action": absence.action,
        "would_fail": known.would_fail if known else _NO_CATALOGUE_ENTRY,
        "references": [known.runbook] if known else [],
    }


def _reasons(decision: Decision) -> list[dict[str, Any]]:
    return [{"check": reason.check, **asdict(reason.headline)} for reason in decision.reasons]


def _waivers(run: Run, results: Mapping[str, CheckResult]) -> dict[str, Any]:
    applied = []
    for waiver in run.waivers.in_force:
        covers = used_by(waiver, results)
        applied.append({**asdict(waiver), "expires": _timestamp(waiver.expires), "state": "used" if covers else "unused", "covers": covers})
    return {
        "file": run.waivers_file,
        "problem": dict(run.waivers_problem) if run.waivers_problem else None,
        "in_force": applied,
        "refused": [asdict(refusal) for refusal in run.waivers.refused],
    }


def _next_actions(results: Mapping[str, CheckResult], missing: Mapping[str, Headline]) -> list[dict[str, Any]]:
    """What to do next, the worst first, each action once with the checks that call for it."""
    calls = [*missing.items(), *((check, call) for check, result in results.items() for call in _calls(result.records))]
    actions: dict[str, dict[str, Any]] = {}
    for check, call in sorted(calls, key=_call_urgency):
        if call.action:
            known = actions.setdefault(call.action, {"action": call.action, "status": call.status, "checks": []})
            if check not in known["checks"]:
                known["checks"].append(check)
    return list(actions.values())


def _calls(records: Records) -> Iterable[Headline]:
    """Each record that is not as it should be, as the headline it would make alone."""
    for assertion in records.assertions:
        if not assertion.ok:
            yield Headline("waived" if assertion.waiver else "fail", assertion.reason, assertion.reason_code, assertion.action)
    for broken in records.errors:
        yield Headline("error", broken.reason, broken.reason_code, broken.action)
    for shortfall in records.shortfalls:
        yield Headline("inconclusive", shortfall.reason, shortfall.reason_code, shortfall.action)
    for control in records.controls:
        if not control.ok:
            yield Headline("inconclusive", control.reason, control.reason_code, control.action)
    for skip in records.skips:
        yield Headline("skip", skip.reason, skip.skip_class, skip.action)


def _call_urgency(call: tuple[str, Headline]) -> tuple[Any, ...]:
    return worst_first(*call)


def _total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for examined in counts:
        for unit, count in examined.items():
            total[unit] = total.get(unit, 0) + count
    return total


def _slowest_host(parts: Iterable[Mapping[str, Any]]) -> float:
    """Milliseconds the check took where it took longest; hosts work side by side, tasks on one host one after the other."""
    by_host: dict[str, float] = {}
    for part in parts:
        by_host[part["host"]] = by_host.get(part["host"], 0.0) + part["duration_ms"]
    return round(max(by_host.values(), default=0.0), 1)


def _instant(text: Any, otherwise: datetime) -> datetime:
    """The instant a timestamp names, if it names one that is past."""
    try:
        return min(parse_utc(text), otherwise)
    except ValueError:
        return otherwise


def _timestamp(instant: datetime) -> str:
    return instant.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
