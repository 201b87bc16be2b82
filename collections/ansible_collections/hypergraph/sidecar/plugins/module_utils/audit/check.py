# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check: note where the log ends, do what ought to be audited, wait for the entries, read the log, judge."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from ..examination import Examination
from ..faults import CheckError
from .actions import Action, Matching, match
from .canaries import WORD
from .drive import ACTIONS, Driver, token_needles
from .entries import Entry, Outcomes, read_entry
from .exemptions import Exemption
from .follower import Follower
from .judgement import Driven, Expectations, judge_controls, judge_entries, judge_form
from .leaks import judge_audit, judge_service
from .log_files import NOTHING_FRESH, LogFile, rotated_siblings
from .scan import Findings, Rules, Scan
from .service_logs import ServiceLogs

_POLL_INTERVAL = 0.1
# Once all entries are there, a duplicate or a slower log of another service may still follow.
_LINGER = 0.3
# The parts of the deadline after which older lines are left out, and after which all reading ends, so that there is time to judge.
_HISTORY_SHARE = 0.7
_READING_SHARE = 0.9
# Others' entries that could be the check's own are kept up to this many, so that a busy log does not fill the memory.
_MAX_CANDIDATES = 20_000
_REMEDY = "Set path (sidecar_audit_path) to the audit log of this host's gateway, and see that auditing is on (AUDIT_ENABLED)."


@dataclass(frozen=True)
class Settings:
    """The module's arguments, checked."""

    path: str
    names: Mapping[str, str]
    expectations: Expectations
    exemptions: tuple[Exemption, ...]
    max_bytes: int
    rotated_files: int
    settle: float
    trace_deadline: float

    @classmethod
    def read(cls, params: Mapping[str, Any], *, enforced: bool) -> Settings:
        """Raises CheckError naming the argument, the expectation and the remedy."""
        for name, least in (("max_bytes", 0), ("rotated_files", 0), ("settle", 0.1), ("clock_skew", 0), ("trace_deadline", 0)):
            if not params[name] >= least:
                raise CheckError("bad-argument", f"{name} is {params[name]}, expected at least {least}", f"Correct {name}.")
        unknown = sorted(set(params["action_names"]) - set(ACTIONS))
        if unknown:
            reason = f"action_names names {', '.join(unknown)}, expected of {', '.join(ACTIONS)}"
            raise CheckError("bad-action-name", reason, "Map the contract's names to those of the log.")
        if not params["action_names"].get("chat.create", "chat.create"):
            raise CheckError("bad-action-name", "action_names gives chat.create no name", "Name it as the log does: chats must be audited.")
        if not params["path"]:
            raise CheckError("audit-log-missing", "path is empty, so there is no audit log to read", _REMEDY)
        outcomes = Outcomes(tuple(params["allowed_outcomes"]), tuple(params["denied_outcomes"]))
        return cls(
            path=params["path"],
            names={name: str(params["action_names"].get(name, name) or "") for name in ACTIONS},
            expectations=Expectations(outcomes, timedelta(seconds=params["clock_skew"]), enforced),
            exemptions=tuple(map(Exemption.from_params, params["allow"])),
            max_bytes=params["max_bytes"],
            rotated_files=params["rotated_files"],
            settle=params["settle"],
            trace_deadline=params["trace_deadline"],
        )


def examine(run: Examination) -> None:
    """Drive, read, judge; in check mode only read."""
    enforced = run.connection.auth_mode != "none"
    settings = Settings.read(run.params, enforced=enforced)
    if enforced and not run.has_tokens("traces:write", "traces:read"):
        return
    if not enforced:
        run.verdict.skip(
            "disabled_by_config",
            "the environment declares auth_mode none, so tenants, subjects and denials in the log are not compared",
            "Set sidecar_auth_mode to static where tokens are enforced.",
        )
    if run.check_mode:
        run.verdict.skip(
            "disabled_by_config",
            "check mode: no requests of the check's own were followed into the log, which was only read",
            "Run without --check.",
        )
    follower = Follower(settings.path, _REMEDY)
    services = ServiceLogs(run.params["log_paths"], run.verdict)
    try:
        Check(run, settings, follower, services).walk(driving=not run.check_mode)
    finally:
        follower.close()
        services.close()


class Check:
    """One run over one audit log."""

    def __init__(self, run: Examination, settings: Settings, follower: Follower, services: ServiceLogs) -> None:
        self._run = run
        self._verdict = run.verdict
        self._settings = settings
        self._follower = follower
        self._services = services
        self._candidates: list[Entry] = []
        now = time.monotonic()
        self._give_up = now + _HISTORY_SHARE * run.connection.deadline
        self._stop = now + _READING_SHARE * run.connection.deadline
        self._driver: Driver | None = None

    def walk(self, *, driving: bool) -> None:
        """Do, wait, read and judge, and say so where there is no log."""
        driven = self._drive() if driving else None
        if not self._follower.found:
            raise CheckError("audit-log-missing", f"audit log {self._settings.path} does not exist", _REMEDY)
        rules = self._rules()
        audit = self._read_audit(rules)
        service = self._read_services(rules)
        expectations = self._expectations()
        self._verdict.examine("audit lines", audit.lines)
        seen = False
        if driven:
            self._verdict.examine("driven actions", len(driven.actions))
            seen = judge_controls(self._verdict, driven, expectations)
        seeded = {needle.rule for needle in rules.needles}
        judge_audit(self._verdict, audit, seeded)
        if service:
            judge_service(self._verdict, service, seeded)
        judge_form(self._verdict, audit, expectations)
        if driven and seen:
            judge_entries(self._verdict, driven, expectations)
        self._account(audit, service)

    def _drive(self) -> Driven:
        """Do everything, then wait until it is all in the log, or long enough."""
        self._driver = driver = Driver(self._run, self._settings.names, self._take)
        began = datetime.now(timezone.utc)
        driver.chats()
        driver.traces(self._settings.trace_deadline if self._run.params["log_paths"] else 0)
        driver.lists()
        driver.webhook()
        matching = self._settled(driver.actions)
        return Driven(driver.actions, matching, began, datetime.now(timezone.utc), self._follower.lost)

    def _settled(self, actions: Sequence[Action]) -> Matching:
        """The entries of the actions, as soon as there are all; what is there after ``settle`` seconds otherwise."""
        begun = time.monotonic()
        known = -1
        while True:
            self._take()
            if len(self._candidates) != known:
                known = len(self._candidates)
                matching = match(actions, self._candidates, self._settings.names, self._settings.expectations.outcomes)
            waited = time.monotonic() - begun
            if not matching.missing(actions):
                self._verdict.measure("audit_settle_seconds", round(waited, 3))
                time.sleep(_LINGER)
                self._take()
                return match(actions, self._candidates, self._settings.names, self._settings.expectations.outcomes)
            if waited > self._settings.settle:
                return matching
            time.sleep(_POLL_INTERVAL)

    def _take(self) -> None:
        """Read what is new in the log, and keep what may be the check's own."""
        actions = self._driver.actions if self._driver else []
        tenants = {action.tenant_id for action in actions} - {""}
        ids = {identity for action in actions for identity in (action.trace_id, action.request_id)} - {""}
        for line in self._follower.poll():
            try:
                entry, _document = read_entry(line.path, line.offset, line.data)
            except ValueError:
                continue
            own = {entry.trace_id, entry.request_id} & ids or WORD in entry.snippet
            plausible = entry.tenant_id is None or entry.tenant_id in tenants or not self._settings.expectations.enforced
            if own or (plausible and len(self._candidates) < _MAX_CANDIDATES):
                self._candidates.append(entry)

    def _rules(self) -> Rules:
        """What to look for. Subjects of the environment's own tokens may be in the log, as they must be."""
        tokens = self._run.connection.tokens
        needles = self._driver.needles if self._driver else token_needles(tokens)
        subjects = tuple(Exemption(field="subject", pattern=re.compile(re.escape(t.subject))) for t in tokens if t.subject)
        expectations = self._settings.expectations
        return Rules(needles, expectations.outcomes, (*self._settings.exemptions, *subjects), expectations.tolerance)

    def _read_audit(self, rules: Rules) -> Findings:
        """Search the log and what rotation left of it, newest first, as far as ``max_bytes`` go."""
        scan = Scan(rules, self._give_up, self._stop)
        budget = self._settings.max_bytes
        read: set[tuple[int, int]] = set()
        for log, fresh in self._audit_logs():
            if log.identity in read:
                continue
            read.add(log.identity)
            self._read(scan.audit, log, fresh, budget)
            budget = max(0, self._settings.max_bytes - scan.findings.bytes)
        return scan.findings

    def _read(self, read: Callable[[LogFile, int, int], None], log: LogFile, fresh: int, history: int) -> None:
        """Read a log; one that is broken somewhere is an error, and no reason not to judge the rest."""
        try:
            read(log, fresh, history)
        except CheckError as fault:
            self._verdict.error(fault.reason_code, fault.reason, fault.action)

    def _audit_logs(self) -> Iterator[tuple[LogFile, int]]:
        """The logs written during the check, newest first, then rotated ones that are older; each with where it is fresh."""
        for segment in (*reversed(self._follower.segments), *self._follower.copies):
            yield segment.log, segment.start
        for path in self._rotated():
            try:
                log = LogFile(path, "audit", _REMEDY)
            except CheckError as fault:
                if fault.reason_code != "audit-log-missing":
                    self._verdict.error(fault.reason_code, fault.reason, fault.action)
                continue
            try:
                yield log, NOTHING_FRESH
            finally:
                log.close()

    def _rotated(self) -> list[str]:
        return rotated_siblings(self._settings.path)[: self._settings.rotated_files]

    def _read_services(self, rules: Rules) -> Findings | None:
        """Search the services' own logs for what is known; None where there are none to search."""
        if not self._run.params["log_paths"]:
            return None
        words = self._driver.words if self._driver else []
        scan = Scan(replace(rules, needles=[*rules.needles, *words]), self._give_up, self._stop)
        audit = {segment.log.identity for segment in (*self._follower.segments, *self._follower.copies)}
        count = 0
        for log, fresh in self._services.logs(audit):
            if not _is_audit(log.path, self._settings.path):
                count += 1
                self._read(scan.service, log, fresh, self._settings.max_bytes)
        self._verdict.examine("service logs", count)
        return scan.findings

    def _expectations(self) -> Expectations:
        """As set, and with the files that other users of the host may open."""
        logs = [segment.log for segment in self._follower.segments]
        modes = [f"{log.path} has mode {log.status().st_mode & 0o7777:04o}" for log in logs if log.status().st_mode & 0o007]
        return replace(self._settings.expectations, open_modes=tuple(modes))

    def _account(self, audit: Findings, service: Findings | None) -> None:
        """What was read, and what was not."""
        verdict = self._verdict
        if audit.unfinished or (service and service.unfinished):
            verdict.inconclusive(
                "scan-unfinished",
                f"older lines were read for {_HISTORY_SHARE:.0%} of the deadline, fresh ones for {_READING_SHARE:.0%}; some are left",
                "Lower max_bytes or rotated_files, or raise deadline.",
            )
        left_out = {"audit": audit.left_out, "service": service.left_out if service else Counter[str]()}
        for kind, left in left_out.items():
            if left:
                others = f" and {len(left) - 3} more" if len(left) > 3 else ""
                verdict.skip(
                    "disabled_by_config",
                    f"at least {sum(left.values())} bytes of older {kind} lines, beyond max_bytes: {', '.join(list(left)[:3])}{others}",
                    "Raise max_bytes, and deadline with it, to have them searched too.",
                )
        verdict.record(
            log=self._settings.path,
            files=[segment.log.path for segment in (*self._follower.segments, *self._follower.copies)] + self._rotated(),
            audit_bytes=audit.bytes,
            fresh_lines=audit.fresh_lines,
            exempted=dict(audit.exempted),
            left_out={path: size for left in left_out.values() for path, size in left.items()},
        )
        verdict.measure("audit_read_megabytes", round(audit.bytes / 1e6, 3))
        if self._driver:
            verdict.record(actions=dict(Counter(action.name for action in self._driver.actions)), not_offered=self._driver.not_offered)


def _is_audit(path: str, audit: str) -> bool:
    """Whether a log is the audit log or one of its rotated siblings."""
    return path == audit or path in rotated_siblings(audit)
