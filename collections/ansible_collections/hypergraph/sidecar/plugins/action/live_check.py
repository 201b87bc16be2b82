# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the cluster by kubernetes.core.k8s_info, and has the module hold it against the rendered chart.

It is done here, and not in tasks, since a task that names a module of a collection that is not installed keeps the whole play from loading;
and since what is read holds values of Secrets, which are digested before anything is handed on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.hypergraph.sidecar.plugins.module_utils.live.digests import digested
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import mappings
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.plugins.plugin_utils.verdict_action import VerdictAction

_READER = "kubernetes.core.k8s_info"


class ActionModule(VerdictAction):
    """The action of live_check."""

    _supports_async = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The module's result, on what ``reads`` holds or, without it, on what is read now."""
        given = self._task.args.get("reads")
        if given is None:
            asked = super().run(tmp, task_vars)
            questions = asked["verdict"]["evidence"].get("to_read")
            if not questions:
                return asked
            try:
                given = [self._read(item, task_vars or {}) for item in _items(questions)]
            except AnsibleConnectionFailure as unreachable:
                return self._broken("host-unreachable", f"the host cannot be reached: {unreachable.message}", "Bring the host up.")
            except AnsibleError as missing:
                return self._skipped(f"{_READER} cannot be run: {missing.message}", task_vars or {})
        own = self._task.args
        self._task.args = {**own, "reads": _digested(given)}
        try:
            return super().run(tmp, task_vars)
        finally:
            # A task that is tried again reads again.
            self._task.args = own

    def _read(self, item: dict[str, str], task_vars: dict[str, Any]) -> dict[str, Any]:
        connection = {name: self._task.args[name] for name in ("kubeconfig", "context") if self._task.args.get(name)}
        answer: dict[str, Any] = self._execute_module(module_name=_READER, module_args={**item, **connection}, task_vars=task_vars)
        if answer.get("failed") or not isinstance(answer.get("resources"), list):
            return {"item": item, "msg": _reason(answer)}
        return {"item": item, "resources": answer["resources"], "api_found": answer.get("api_found", True)}

    def _skipped(self, reason: str, task_vars: dict[str, Any]) -> dict[str, Any]:
        verdict = Verdict("deploy_artifacts", host=str(task_vars.get("inventory_hostname", "")))
        verdict.skip("dependency_missing", reason, "ansible-galaxy collection install kubernetes.core, and pip install kubernetes.")
        document = verdict.to_dict()
        return {"changed": False, "verdict": document, "findings": [], "msg": f"{document['status']}: {document['reason']}"}


def _reason(answer: dict[str, Any]) -> str:
    """Why the reader failed. An exception is told by an object from ansible-core 2.19 on, and by the end of a traceback before."""
    raised = getattr(getattr(answer.get("exception"), "event", None), "msg", None)
    traceback = str(answer.get("module_stderr") or "").strip().splitlines()
    return str(raised or (traceback[-1] if traceback else "") or answer.get("msg") or "it gave no answer")


def _items(questions: dict[str, dict[str, list[str]]]) -> Iterator[dict[str, str]]:
    """What to ask the reader, one by one."""
    for api_version, kinds in questions.items():
        for kind, places in kinds.items():
            for place in places:
                namespace, _slash, name = place.partition("/")
                item = {"api_version": api_version, "kind": kind, "namespace": namespace, "name": name}
                yield {key: value for key, value in item.items() if value}


def _digested(reads: Any) -> Any:
    """Reads as they may be handed on. What is no list of reads is the module's to refuse."""
    if not isinstance(reads, list):
        return reads
    return [
        {**read, "resources": [digested(body) for _position, body in mappings(read["resources"])]}
        if isinstance(read, dict) and isinstance(read.get("resources"), list)
        else read
        for read in reads
    ]
