# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module of the collection and sees to it that a verdict comes back, also where the module could not even start.

An unreachable host, a missing interpreter or a wrong argument ends a module before it can say anything. Here that becomes an ``error`` of
the check, so that the play goes on, the report names it, and the gate closes for a stated reason.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleError

from ansible_collections.hypergraph.sidecar.plugins.module_utils.catalog import CHECK_OF_MODULE
from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import secrets_in
from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import Redactor
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.plugins.plugin_utils.module_action import ModuleAction, not_started


class VerdictAction(ModuleAction):
    """The action behind every probe and check module; each has a file of its name in plugins/action that leads here."""

    _supports_async = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The module's result with a verdict in it, whatever became of the module."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        try:
            result: dict[str, Any] = self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)
        except AnsibleError as problem:
            result = self._broken(*not_started(problem))
        if "verdict" not in result and "ansible_job_id" not in result:
            sources = ("module_stderr", "msg", "exception", "module_stdout")
            said = next((result[source] for source in sources if result.get(source)), "it ended without a verdict")
            result = self._broken("module-failed", f"the module failed: {said}", "Correct the argument or the host's Python it names.")
        if "verdict" in result:
            result["verdict"]["host"] = str(task_vars.get("inventory_hostname", ""))
        return result

    def _broken(self, reason_code: str, reason: str, action: str) -> dict[str, Any]:
        module = self._task.action.rpartition(".")[2]
        verdict = Verdict(CHECK_OF_MODULE[module], Redactor(secrets_in(self._task.args)))
        verdict.error(reason_code, reason, action)
        document = verdict.to_dict()
        return {"changed": False, "verdict": document, "msg": f"{document['status']}: {document['reason']}"}
