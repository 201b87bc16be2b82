# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check written in YAML: evaluates the conditions of a task where the play's variables are, and returns a verdict like any module."""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.playbook.conditional import Conditional
from ansible.plugins.action import ActionBase

from ansible_collections.hypergraph.sidecar.plugins.module_utils import declared
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import Redactor
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict


class ActionModule(ActionBase):
    """Evaluates ``that`` as ansible.builtin.assert does; what cannot be evaluated becomes an error of the verdict, not of the play."""

    _requires_connection = False
    _supports_check_mode = True

    @classmethod
    def finalize_task_arg(cls, name: str, value: Any, templar: Any, context: Any) -> Any:
        """Template one argument. Where one entry of a list of assertions cannot be, only that entry is lost, and it says so.

        ansible-core calls this from 2.19 on; before that, such a task fails and the report says it of the check.
        """
        if name in declared.EXAMINED and isinstance(value, list):
            return [_templated(item, templar) for item in value]
        return super().finalize_task_arg(name, value, templar, context)

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The verdict, registered by the task."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        arguments = dict(self._task.args)
        check = arguments.get("check")
        if not isinstance(check, str) or not declared.CHECK_ID.fullmatch(check):
            raise AnsibleActionFail(f"check is {check!r}, expected the id of a check: lower-case letters, digits and underscores")
        secrets = arguments.get("secrets") or []
        verdict = Verdict(str(check), Redactor(map(str, secrets if isinstance(secrets, list) else [secrets])))
        verdict.host = str(task_vars.get("inventory_hostname", ""))
        try:
            declared.record(verdict, arguments, lambda condition: self._holds(condition, task_vars))
        except CheckError as fault:
            verdict.error(fault.reason_code, fault.reason, fault.action)
        document = verdict.to_dict()
        result.update(changed=False, verdict=document, msg=f"{document['status']}: {document['reason']}")
        return result

    def _holds(self, condition: Any, task_vars: Mapping[str, Any]) -> bool:
        """Whether a conditional holds. Raises CheckError with the templating engine's words where it cannot be evaluated."""
        try:
            if hasattr(self._templar, "evaluate_conditional"):
                return bool(self._templar.evaluate_conditional(conditional=condition))
            # ansible-core before 2.19
            conditional: Any = Conditional(loader=self._loader)
            conditional.when = [condition]
            return bool(conditional.evaluate_conditional(templar=self._templar, all_vars=task_vars))
        except AnsibleError as problem:
            raise CheckError("condition-not-evaluable", problem.message, "Correct the condition, or define what it names.") from None


def _templated(item: Any, templar: Any) -> Any:
    try:
        return templar.template(item)
    except AnsibleError as problem:
        return {"name": _name_of(item, templar), declared.PROBLEM: problem.message}


def _name_of(item: Any, templar: Any) -> str:
    try:
        return str(templar.template(item["name"]))
    except (AnsibleError, KeyError, TypeError):
        return "an assertion without a usable name"
