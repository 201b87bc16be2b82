# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What actions share that run a module of the collection: neither one that cannot start nor what it leaves behind ends a host's play.

``failed_when`` does not see what an action raises; the host would leave the play, and what is judged later would be judged without it.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from contextlib import suppress

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase


class ModuleAction(ActionBase):
    """An action whose result is what it returned, whatever becomes of the connection afterwards."""

    _supports_check_mode = True

    def cleanup(self, force: bool = False) -> None:
        """Remove what Ansible put on the host; one that is out of reach keeps it, which must not take the place of the result."""
        with suppress(AnsibleError):
            super().cleanup(force)


def not_started(problem: AnsibleError) -> tuple[str, str, str]:
    """Reason code, reason and action for what kept a module from running."""
    if isinstance(problem, AnsibleConnectionFailure):
        return "host-unreachable", f"the host cannot be reached: {problem.message}", "Bring the host up, or take it out of the inventory."
    return "module-not-started", f"the module could not start: {problem.message}", "Correct the task or the host."
