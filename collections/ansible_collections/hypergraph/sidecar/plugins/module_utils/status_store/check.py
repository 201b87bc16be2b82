# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check: survey the store, follow a trace of its own from first sight to its end, survey again, and compare."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from ..connection import Token, checked_url
from ..examination import Examination
from ..faults import CheckError
from ..traces import POLL_INTERVAL, TERMINAL_STATES, submit
from .dynamodb import DynamoTable
from .json_file import JsonFile
from .records import Store, StoredRecord, Survey, TornRead, judge_changes, judge_own, judge_survey, survey

_TRIES = 4
_PAUSE = 0.25
_PROMPT = "A stored trace belongs to the tenant that asked for it. Its record says so from the first moment. Nothing may change that later."

_Read = TypeVar("_Read")


def examine(run: Examination) -> None:
    """Survey the store before and after a trace of its own; without a token, or in check mode, only read it twice."""
    token = run.connection.token_with("traces:write")
    able = run.has_tokens("traces:write")
    if run.connection.auth_mode == "none":
        return
    if run.check_mode:
        run.verdict.skip(
            "disabled_by_config",
            "check mode: no trace of its own was followed through the store, which was only read",
            "Run without --check.",
        )
    try:
        store = _store(run)
    except ModuleNotFoundError as missing:
        run.verdict.skip(
            "dependency_missing",
            f"reading a DynamoDB StatusStore needs the Python library {missing.name}, which is not installed where the check runs",
            "Install boto3 there, for the Python that runs the task.",
        )
        return
    watch = Watch(run, store)
    try:
        watch.look(may_be_missing=able and not run.check_mode)
        if token is not None and able and not run.check_mode:
            watch.follow(token)
        else:
            time.sleep(_PAUSE)
        watch.look()
    finally:
        watch.judge(token)


def _store(run: Examination) -> Store:
    params = run.params
    if params["backend"] == "json":
        return JsonFile(params["path"], params["max_bytes"])
    endpoint = params["endpoint_url"]
    return DynamoTable(
        params["table"],
        endpoint_url=checked_url("endpoint_url", endpoint) if endpoint else None,
        region=params["region"],
        timeout=run.connection.timeout,
    )


class Watch:
    """What was seen of the store so far; judged at the end, also where something broke in between."""

    def __init__(self, run: Examination, store: Store) -> None:
        self._run = run
        self._store = store
        self._surveys: list[Survey] = []
        self._sightings: list[StoredRecord] = []
        self._absence: CheckError | None = None

    def look(self, *, may_be_missing: bool = False) -> None:
        """Survey the whole store. Before its first trace a store may not be there yet; should no trace come, that is told at the end."""
        started = time.monotonic()
        self._absence = None
        try:
            self._surveys.append(_steadily(self._store, lambda: survey(self._store.records())))
        except CheckError as fault:
            if not (may_be_missing and fault.reason_code == "status-store-missing"):
                raise
            self._absence = fault
            self._surveys.append(Survey())
        self._run.verdict.measure("status_store_read_seconds", round(time.monotonic() - started, 3))

    def follow(self, token: Token) -> None:
        """Submit a trace and keep each new state it is stored in, until its end or the deadline."""
        within = float(self._run.params["trace_deadline"])
        trace_id = submit(self._run.client, token, _PROMPT, model=str(self._run.params["model"])).trace_id
        give_up = time.monotonic() + within
        while True:
            started = time.monotonic()
            record = _steadily(self._store, lambda: self._find(trace_id))
            if record is not None and record not in self._sightings:
                self._sightings.append(record)
            if record is not None and record.state in TERMINAL_STATES:
                break
            if time.monotonic() > give_up:
                break
            # A large file takes a while to search; spend no more than half of the time on it.
            time.sleep(max(POLL_INTERVAL, time.monotonic() - started))
        self._report(trace_id, within)

    def judge(self, token: Token | None) -> None:
        """Record what the surveys and sightings say."""
        verdict = self._run.verdict
        if self._absence is not None:
            verdict.error(self._absence.reason_code, self._absence.reason, self._absence.action)
        elif self._surveys:
            judge_survey(verdict, self._surveys[-1])
        if token is not None and self._sightings:
            judge_own(verdict, token.tenant_id, [*self._sightings, *self._seen_last()])
        if len(self._surveys) > 1:
            judge_changes(verdict, self._surveys[0], self._surveys[-1])
        if self._surveys:
            last = self._surveys[-1]
            verdict.record(
                store=self._store.place, states=dict(last.states), tenants=len(set(last.tenants.values())), readings=len(self._surveys)
            )

    def _seen_last(self) -> Iterator[StoredRecord]:
        """The own trace once more, by the last survey: a rewrite may come after the end."""
        last = self._sightings[-1]
        tenant = self._surveys[-1].tenants.get(last.id)
        if tenant is not None:
            yield replace(last, tenant_id=tenant)

    def _find(self, trace_id: str) -> StoredRecord | None:
        try:
            return self._store.find(trace_id)
        except CheckError as fault:
            if fault.reason_code == "status-store-missing":
                return None
            raise

    def _report(self, trace_id: str, within: float) -> None:
        """Say whether the trace was followed from its first record to its end."""
        found = self._run.verdict.control(
            "the check's own trace is found in the store",
            bool(self._sightings),
            expected=f"a record of trace {trace_id} in {self._store.place}",
            observed=[record.state for record in self._sightings] or f"none within {within:g} s",
            reason_code="own-trace-not-stored",
            action="Check that path or table is the store this environment's explainer writes, and that the explainer runs.",
        )
        if found and self._sightings[-1].state not in TERMINAL_STATES:
            self._run.verdict.inconclusive(
                "deadline-exceeded",
                f"the check's own trace was still {self._sightings[-1].state!r} in the store after {within:g} s",
                "Check that the explainer's queue is moving, or raise trace_deadline.",
            )


def _steadily(store: Store, read: Callable[[], _Read]) -> _Read:
    """Read, and again where the store was torn and then changed: a moment is no defect, but a torn store that stays is one."""
    tries_left = _TRIES
    while True:
        version = store.version()
        try:
            return read()
        except TornRead:
            tries_left -= 1
            if not tries_left or not _changes(store, version):
                raise


def _changes(store: Store, version: object) -> bool:
    """Whether the store changes within a second."""
    for _pause in range(4):
        time.sleep(_PAUSE)
        if store.version() != version:
            return True
    return False
