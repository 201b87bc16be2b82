# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what tasks registered as ``sidecar_verdict_*``. Nothing is lost: a result that brings no verdict becomes a record of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..catalog import find
from ..redaction import Redactor
from ..verdict import Verdict
from .scrub import scrubbed

PREFIX = "sidecar_verdict_"


@dataclass(frozen=True)
class Heard:
    """A ``verdict-1`` document and the inventory host on which it was registered."""

    host: str
    document: Mapping[str, Any]

    @property
    def check(self) -> str:
        """The check the document names."""
        return str(self.document.get("check") or "unknown")


def collect(registered: Mapping[str, Mapping[str, Any]], checks: Mapping[str, str], redactor: Redactor) -> list[Heard]:
    """Every verdict in the variables of every host, by host name and variable name.

    ``checks`` names the check of a variable (without its prefix) for results that cannot name it themselves: of failed and skipped tasks.
    A task with ``run_once`` registers its one result on each host of its play, each of which counts as heard; ``distinct`` counts it once.
    """
    return [
        Heard(host, document)
        for host, variables in sorted(registered.items())
        for name, value in sorted(variables.items())
        for document in _Reading(name, host, _check_of(name, checks, registered), redactor).documents(value)
    ]


def distinct(heard: list[Heard]) -> list[Mapping[str, Any]]:
    """The documents, each run of a check once however many hosts hold its result."""
    by_content = {json.dumps(item.document, sort_keys=True, default=str): item.document for item in heard}
    return list(by_content.values())


def findings(registered: Mapping[str, Mapping[str, Any]], redactor: Redactor) -> dict[str, list[Mapping[str, Any]]]:
    """What checks of artifacts found, by check, each finding once however many hosts hold it.

    A check that looked and found nothing has an empty list; one that brings no list of findings is not there.
    """
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for _host, variables in sorted(registered.items()):
        for name, value in sorted(variables.items()):
            for result in _results(value):
                verdict, told = result.get("verdict"), result.get("findings")
                if name.startswith(PREFIX) and isinstance(verdict, Mapping) and isinstance(told, list):
                    of_check = found.setdefault(str(verdict.get("check") or "unknown"), {})
                    plain = (scrubbed(finding, redactor) for finding in told if isinstance(finding, Mapping))
                    of_check.update((json.dumps(finding, sort_keys=True), finding) for finding in plain)
    return {check: list(of_check.values()) for check, of_check in found.items()}


def _check_of(name: str, checks: Mapping[str, str], registered: Mapping[str, Mapping[str, Any]]) -> str:
    """The check of a variable: as mapped, else as a verdict registered under the same name says, else the name itself."""
    short = name[len(PREFIX) :]
    if short in checks or find(short):
        return checks.get(short, short)
    for variables in registered.values():
        for result in _results(variables.get(name)):
            verdict = result.get("verdict")
            if isinstance(verdict, Mapping) and verdict.get("check"):
                return str(verdict["check"])
    return short


def _results(value: Any) -> Iterator[Mapping[str, Any]]:
    """The results in a registered variable, which are several where the task looped."""
    if not isinstance(value, Mapping):
        return
    items = value.get("results")
    looped = isinstance(items, list) and items and all(isinstance(item, Mapping) and "ansible_loop_var" in item for item in items)
    if looped and "verdict" not in value:
        for item in items or ():
            yield from _results(item)
    else:
        yield value


@dataclass(frozen=True)
class _Reading:
    """Reads one registered variable of one host."""

    variable: str
    host: str
    check: str
    redactor: Redactor

    def documents(self, value: Any) -> Iterator[Mapping[str, Any]]:
        if not isinstance(value, Mapping):
            said = f"{self.variable} holds a {type(value).__name__}, expected the registered result of a task"
            yield self._error("verdict-missing", said, "Register the result of the task that returns the verdict under this name.")
        for result in _results(value):
            yield self._document(result)

    def _document(self, result: Mapping[str, Any]) -> Mapping[str, Any]:
        verdict = result.get("verdict")
        if isinstance(verdict, Mapping):
            document = scrubbed({**verdict, "host": verdict.get("host") or self.host}, self.redactor)
            return self._with_attempts(document, result.get("attempts"))
        said = str(result.get("msg") or result.get("module_stderr") or result.get("exception") or "it says nothing more")
        if result.get("unreachable"):
            return self._error("host-unreachable", f"{self.host} could not be reached: {said}", "Bring the host up, or take it out.")
        if result.get("failed"):
            return self._error("task-failed", f"the task behind {self.variable} failed: {said}", "Correct the task, or what it names.")
        if result.get("skipped"):
            return self._skip(result)
        if "ansible_job_id" in result and not result.get("finished"):
            said = f"the task behind {self.variable} was started with async, and nobody waited for its end"
            return self._error("task-unfinished", said, "Wait for it with ansible.builtin.async_status, registered under the same name.")
        return self._error(
            "verdict-missing",
            f"the task behind {self.variable} ended well but returned no verdict",
            "Register results of this collection's modules, or of its verdict action, under this name.",
        )

    def _with_attempts(self, document: Mapping[str, Any], attempts: Any) -> Mapping[str, Any]:
        """A task with ``until`` keeps its last result only. What the earlier ones said is unknown, and a retry is no cure for an error."""
        shortfalls = document.get("shortfalls")
        if not isinstance(attempts, int) or attempts < 2 or not isinstance(shortfalls, list):
            return document
        retried = {
            "reason_code": "retried",
            "reason": f"{self.variable} was tried {attempts} times, and only the last verdict is known",
            "action": "Wait for readiness in a task of its own, with until, and examine once.",
            "samples_needed": None,
            "samples_have": None,
        }
        return {**document, "shortfalls": [*shortfalls, retried]}

    def _skip(self, result: Mapping[str, Any]) -> Mapping[str, Any]:
        condition = result.get("false_condition")
        reason = str(result.get("skip_reason") or result.get("msg") or result.get("skipped_reason") or "no reason given")
        if isinstance(condition, str):
            reason = f"its condition is false: {condition}"
        verdict = self._verdict()
        reason = f"the task behind {self.variable} was skipped: {reason}"
        verdict.skip("disabled_by_config", reason, "Give the task what its condition or loop asks for.")
        return verdict.to_dict()

    def _error(self, reason_code: str, reason: str, action: str) -> Mapping[str, Any]:
        verdict = self._verdict()
        verdict.error(reason_code, reason, action)
        return verdict.to_dict()

    def _verdict(self) -> Verdict:
        return Verdict(self.check, self.redactor, host=self.host)
