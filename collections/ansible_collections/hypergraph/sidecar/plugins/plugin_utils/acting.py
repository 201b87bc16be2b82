# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions share that change or drive something, and whose results are judged later rather than at once."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleError

from ansible_collections.hypergraph.sidecar.plugins.plugin_utils.module_action import ModuleAction, not_started


class ActingAction(ModuleAction):
    """Runs the module of the same name; a failure always has a reason code, so that a play which goes on can tell it by that."""

    def ran(self, task_vars: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
        """The module's result."""
        try:
            result: dict[str, Any] = self._execute_module(module_args=arguments, task_vars=task_vars)
        except AnsibleError as problem:
            result = failed(*not_started(problem))
        if result.get("failed") and not result.get("reason_code"):
            result.update(reason_code="module-failed", action="Correct the argument or the host's Python it names.")
        result["host"] = str(task_vars.get("inventory_hostname", ""))
        return result

    def variable(self, task_vars: dict[str, Any], name: str) -> Any:
        """A variable of the host, resolved; None where it is not set."""
        return self._templar.template(task_vars[name]) if name in task_vars else None


def failed(reason_code: str, reason: str, action: str) -> dict[str, Any]:
    """A failure as the modules return it."""
    return {"failed": True, "changed": False, "msg": f"{reason}. {action}", "reason_code": reason_code, "action": action}


def moment(ago: float) -> float:
    """The controller's monotonic clock so many seconds ago; processes of one machine share it."""
    return time.monotonic() - ago
