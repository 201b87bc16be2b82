# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module ``chaos_watch``: arguments in, what was seen out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ..connection import checked_url, connect, secrets_in
from ..faults import CheckError, CheckFault
from ..redaction import MIN_SECRET, Redactor
from .symptoms import Steadiness, Symptom
from .watching import Plan, Watch

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def run(module: AnsibleModule) -> NoReturn:
    """Watch and exit."""
    if module.check_mode:
        module.exit_json(changed=False, skipped=True, msg="check mode: nothing was sent")
    known = secrets_in(module.params)
    module.no_log_values.update(secret for secret in known if len(secret) >= MIN_SECRET)
    redactor = Redactor(known)
    try:
        seen = _watched(module.params)
    except CheckFault as fault:
        said = {"msg": f"{fault.reason}. {fault.action}", "reason_code": fault.reason_code, "action": fault.action}
        module.fail_json(**redactor.value(said))
    except ModuleNotFoundError as missing:
        module.fail_json(
            msg=f"Python library {missing.name} is not installed where the watch runs",
            reason_code="dependency-missing",
            action="Install the collection's requirements.txt there.",
        )
    module.exit_json(changed=False, **redactor.value(seen))


def _watched(params: dict[str, Any]) -> dict[str, Any]:
    connection = connect(params)
    for name in ("traces", "chats"):
        if not (name == "chats" or params["traces"] >= 1) or not 0 <= params[name] <= 1000:
            raise CheckError(
                "bad-argument", f"{name} is {params[name]}, expected a number up to 1000, of traces at least 1", f"Set {name}."
            )
    for name in ("trace_seconds", "trace_deadline", "within", "patience", "hold"):
        if not 0 <= params[name] <= 3600:
            raise CheckError("bad-argument", f"{name} is {params[name]}, expected 0 to 3600 seconds", f"Set {name}.")
    plan = Plan(
        traces=params["traces"],
        chats=params["chats"],
        trace_deadline=params["trace_deadline"],
        steadiness=Steadiness(params["trace_seconds"]),
        symptom=Symptom.read(params["seen"]),
        within=params["within"],
        patience=params["patience"],
        usual_seconds=params["usual_seconds"],
        hold=params["hold"],
        endpoints=tuple(checked_url("endpoints[].url", endpoint["url"]) for endpoint in params["endpoints"] if endpoint.get("url")),
    )
    token = connection.token_with("traces:write", "traces:read")
    if token is None and connection.auth_mode != "none":
        said = "the watch needs a token with traces:write and traces:read"
        raise CheckError("bad-token", said, "Give sidecar_tokens one.")
    from ..http_client import Client

    watch = Watch(Client(connection), token, params["model"], params["granularity"])
    return {"before": watch.before, "during": watch.during, "after": watch.after}[params["phase"]](plan)
