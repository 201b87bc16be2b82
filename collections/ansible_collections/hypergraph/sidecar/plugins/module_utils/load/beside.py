# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module ``load_beside`` on the generator: a load that lasts as long as something else does, and what it measured of that in phases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ..connection import connect, refuse_short_tokens, secrets_in
from ..faults import CheckError
from ..rfc3339 import parse_utc
from . import plan
from .engine import Run, run
from .files import SUMMARY_FILE, replace
from .rebuild import begun
from .report import in_short, sentence
from .splitting import Window, split

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

SPLIT_FILE = "phases.json"
_WINDOW = {
    "phase": {"type": "str", "required": True},
    "begins_at": {"type": "float", "required": True},
    "ends_at": {"type": "float", "required": True},
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    **{
        name: plan.ARGUMENTS[name]
        for name in (
            "directory",
            "environment",
            "run_id",
            "featureset",
            "model",
            "explanation_timeout",
            "slo_ms",
            "clock_offset_ms",
            "clock_uncertainty_ms",
            "watched_within",
        )
    },
    "state": {"type": "str", "choices": ["started", "watched", "stopped"], "required": True},
    "rate": {"type": "float", "default": 20.0},
    "concurrency": {"type": "int", "default": 32},
    "attach_rate": {"type": "float", "default": 0.05},
    "longest": {"type": "float", "default": 7200.0},
    "job": {"type": "str"},
    "trials": {"type": "list", "elements": "dict", "default": []},
    "windows": {"type": "list", "elements": "dict", "default": [], "options": _WINDOW},
}


def act(module: AnsibleModule) -> NoReturn:
    """Do what the state asks for, and exit."""
    module.no_log_values.update(secrets_in(module.params))
    if module.check_mode:
        module.exit_json(changed=False, skipped=True, msg="check mode: no load was sent")
    try:
        result = _driven(module.params) if module.params["state"] == "started" else _split(module.params)
    except CheckError as fault:
        module.fail_json(msg=f"{fault.reason}. {fault.action}", reason_code=fault.reason_code, action=fault.action)
    module.exit_json(changed=True, **result)


def _driven(params: dict[str, Any]) -> dict[str, Any]:
    refuse_short_tokens(params)
    connection = connect(params)
    usual = {name: spec.get("default") for name, spec in plan.ARGUMENTS.items()}
    told = {**usual, **{name: value for name, value in params.items() if name in usual}}
    told.update(load_model="open", granularity=plan.SENTENCE, warmup=0.0, duration=params["longest"])
    short = in_short(run(plan.plan(told, connection), connection, Run.told(told)))
    return {"load": short, "msg": sentence(short)}


def _split(params: dict[str, Any]) -> dict[str, Any]:
    """Raises CheckError."""
    directory = Path(params["directory"])
    summary = begun(directory / SUMMARY_FILE)
    # Both are by the clock of the host that started the play.
    began = parse_utc(summary["run"]["started_at"]).timestamp()
    windows = [Window(one["phase"], one["begins_at"] - began, one["ends_at"] - began) for one in params["windows"]]
    found = split(directory, windows)
    replace(directory / SPLIT_FILE, found)
    phases = len(found["plan"]["phases"])
    return {"split_path": str(directory / SPLIT_FILE), "msg": f"{phases} phases of {sum(_counts(found))} chats"}


def _counts(summary: dict[str, Any]) -> list[int]:
    return [measured["count"] for measured in summary["classes"].get(plan.CHAT, {}).values()]
