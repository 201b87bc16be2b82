# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a module's main() in this process, with arguments as Ansible hands them over."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible.module_utils import basic


def run_main(main: Callable[[], None], arguments: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: Any) -> dict[str, Any]:
    """What the module printed as its result."""
    handed = {"ANSIBLE_MODULE_ARGS": {"_ansible_remote_tmp": "/tmp", "_ansible_keep_remote_files": False, **arguments}}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(handed).encode())
    # ansible-core 2.19 asks how the arguments are encoded; earlier ones know one way only.
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    with pytest.raises(SystemExit):
        main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result
