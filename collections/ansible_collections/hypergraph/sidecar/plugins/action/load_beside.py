# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs module ``load_beside``: begins a load as a job of its own and leaves it, and later ends it and has it split."""

# mypy: allow-untyped-calls
from __future__ import annotations

import time
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.hypergraph.sidecar.plugins.action.load import ActionModule as LoadAction
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.windows import windows
from ansible_collections.hypergraph.sidecar.plugins.plugin_utils.acting import failed

_BEGINS_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.2
# An explanation that begins later before a fault may meet it, by the objective of its class.
_GUARD_S = 2.0


class ActionModule(LoadAction):
    """The action of the module; a failure always has a reason code, so that a play which goes on can tell it by that."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The module's result."""
        ActionBase.run(self, tmp, task_vars)
        variables = task_vars or {}
        arguments = dict(self._task.args)
        state, directory = arguments.get("state"), arguments.get("directory")
        if self._task.check_mode or not directory or state not in ("started", "watched", "stopped"):
            result: dict[str, Any] = self._execute_module(task_vars=variables)
        elif state == "started":
            result = self._started(arguments, variables)
        elif state == "watched":
            said, _progress = self._ask(str(self._remote_expand_user(str(directory))))
            result = {"changed": False, "msg": said.strip()}
        else:
            result = self._stopped(arguments, variables)
        if result.get("failed") and not result.get("reason_code"):
            result.update(reason_code="module-failed", action="Correct the argument or the host's Python it names.")
        return result

    def _started(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("clock_offset_ms") is None:
            arguments.update(self._clock())
        directory = str(self._remote_expand_user(str(arguments["directory"])))
        started = self._start(arguments, variables)
        job = started.get("ansible_job_id")
        if not job or started.get("failed"):
            return started
        give_up = time.monotonic() + _BEGINS_WITHIN_S
        while time.monotonic() < give_up:
            _said, progress = self._ask(directory)
            if progress and progress["state"] == "running":
                return {"changed": True, "job": str(job), "msg": f"load runs, its records are in {directory}"}
            status = self._status(str(job), "status", variables)
            if status.get("finished") or status.get("failed"):
                self._status(str(job), "cleanup", variables)
                return {"msg": "the load ended as it began", **status, "failed": True}
            time.sleep(_LOOK_EVERY_S)
        self._stop(directory)
        return failed("load-not-driven", f"the load did not begin within {_BEGINS_WITHIN_S:g} s", "Look at the load generator.")

    def _stopped(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        directory = str(self._remote_expand_user(str(arguments["directory"])))
        self._stop(directory)
        ended = self._watched(str(arguments.pop("job", "")), directory, str(variables.get("inventory_hostname", "")), variables)
        if ended.get("failed"):
            return ended
        # Trials have their moments on the monotonic clock, which other hosts do not share.
        epoch = time.time() - time.monotonic()
        arguments["windows"] = [
            *(arguments.get("windows") or ()),
            *(
                {"phase": one.phase, "begins_at": one.begins_at + epoch, "ends_at": one.ends_at + epoch}
                for one in windows(arguments.pop("trials", None) or (), _GUARD_S)
            ),
        ]
        split: dict[str, Any] = self._execute_module(module_args=arguments, task_vars=variables)
        return {**split, "load": ended.get("load", {})}
