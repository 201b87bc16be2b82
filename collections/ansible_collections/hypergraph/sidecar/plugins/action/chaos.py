# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs module ``chaos`` where the environment allows it; the inventory is known here, not on the host."""

# mypy: allow-untyped-calls
from __future__ import annotations

import getpass
import socket
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.hypergraph.sidecar.plugins.plugin_utils.acting import ActingAction, failed, moment


class ActionModule(ActingAction):
    """Switching off is always allowed."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The module's result, with the moment of the change on the controller's clock."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        arguments = dict(self._task.args)
        if arguments.get("state", "present") != "absent":
            refusal = self._refusal(task_vars)
            if refusal:
                return {**refusal, "host": str(task_vars.get("inventory_hostname", ""))}
        # Given by hand there are no defaults of a play, but the inventory knows.
        for argument, name in (("environment", "sidecar_environment"), ("control_path", "sidecar_chaos_control_path")):
            known = arguments.get(argument) or self.variable(task_vars, name)
            if known:
                arguments[argument] = known
        arguments["holder"] = arguments.get("holder") or f"{getpass.getuser()}@{socket.gethostname()}"
        result = self.ran(task_vars, arguments)
        if "settled" in result:
            result["settled_at"] = moment(float(result["settled"]))
        return result

    def _refusal(self, task_vars: dict[str, Any]) -> dict[str, Any] | None:
        allowed = self.variable(task_vars, "sidecar_chaos_allowed")
        if boolean(self.variable(task_vars, "sidecar_production") or False, strict=False):
            if allowed != "production":
                said = f"chaos in production needs sidecar_chaos_allowed to be 'production', it is {allowed!r}"
                return failed("chaos-not-allowed", said, "Set it in the inventory of this environment if that is what you want.")
        elif not boolean(allowed or False, strict=False):
            said = f"the environment does not allow chaos: sidecar_chaos_allowed is {allowed!r}, expected true"
            return failed("chaos-not-allowed", said, "Set it in the inventory of this environment if that is what you want.")
        return None
