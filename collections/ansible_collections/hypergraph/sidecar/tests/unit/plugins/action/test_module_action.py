# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that break under an action stay in the play with a result. The connection is local until it breaks as other ones do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.action.playbooks import play, tasks

BREAKING = '''
from ansible.errors import {error}
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: breaking
short_description: breaks
description: Breaks.
extends_documentation_fragment: [connection_pipelining]
options:
  become_success_timeout: {{description: As that of local., type: int, default: 10}}
  become_strip_preamble: {{description: As that of local., type: bool, default: true}}
"""


class Connection(Local):
    transport = "breaking"

    def {method}(self, what, *more, **options):
        if {when}:
            raise {error}("it broke")
        return super().{method}(what, *more, **options)
'''


def results(directory: Path, **breaking: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What switching off and the reaper came to on a host whose connection breaks so."""
    (directory / "connection_plugins").mkdir()
    (directory / "connection_plugins" / "breaking.py").write_text(BREAKING.format(**breaking))
    arguments = {"control_path": str(directory / "chaos.json")}
    ran = play(
        directory,
        [
            tasks(
                "localhost",
                {"hypergraph.sidecar.chaos": {"state": "absent", **arguments}, "register": "off", "failed_when": False},
                {"hypergraph.sidecar.chaos_reaper": arguments, "register": "reaped"},
                {
                    "ansible.builtin.copy": {"content": "{{ [off, reaped] | to_json }}", "dest": str(directory / "found.json")},
                    "vars": {"ansible_connection": "local"},
                },
                vars={"ansible_connection": "breaking"},
            )
        ],
    )
    assert ran.status == 0, ran.output
    off, reaped = json.loads((directory / "found.json").read_text())
    return off, reaped["verdict"]


@pytest.mark.parametrize(("error", "code"), [("AnsibleError", "module-not-started"), ("AnsibleConnectionFailure", "host-unreachable")])
def test_what_cannot_be_started_says_so(error: str, code: str, tmp_path: Path) -> None:
    off, verdict = results(tmp_path, error=error, method="put_file", when="True")
    assert (off["failed"], off["reason_code"], off["host"]) == (False, code, "localhost")
    assert "it broke" in off["msg"]
    assert (verdict["status"], verdict["reason_code"]) == ("error", code)


def test_a_host_that_is_gone_afterwards_does_not_take_the_result_along(tmp_path: Path) -> None:
    off, verdict = results(tmp_path, error="AnsibleConnectionFailure", method="exec_command", when="'rm -f' in str(what)")
    assert (off["changed"], off.get("reason_code")) == (False, None)
    assert verdict["status"] == "pass"
