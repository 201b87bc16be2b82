# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs module ``chaos_watch``, and tells when it began on the controller's clock."""

from __future__ import annotations

from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.plugin_utils.acting import ActingAction, moment


class ActionModule(ActingAction):
    """The watch as seen from the controller."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The module's result, with the moment its watch began."""
        super().run(tmp, task_vars)
        result = self.ran(task_vars or {}, dict(self._task.args))
        if "duration" in result:
            result["began_at"] = moment(float(result["duration"]))
        return result
