# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module ``chaos``: arguments in, what was switched out; unlike a check it fails where it cannot do what was asked."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, NoReturn

from ..faults import CheckFault
from .faults import FAULTS, PARAMETERS, flag_of
from .toggling import Holder, Outcome, checked_place, checked_times, note_observed, preview, switch_off, switch_on

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def run(module: AnsibleModule) -> NoReturn:
    """Switch and exit."""
    try:
        outcome = _switched(module)
    except CheckFault as fault:
        module.fail_json(msg=f"{fault.reason}. {fault.action}", reason_code=fault.reason_code, action=fault.action)
    for warning in outcome.warnings:
        module.warn(warning)
    facts = {name: fact for name, fact in asdict(outcome).items() if name != "warnings"}
    before, after = facts.pop("before"), facts.pop("after")
    path = module.params["control_path"]
    diff = {"before": before, "after": after, "before_header": path, "after_header": path}
    module.exit_json(msg=_told(module, outcome), diff=diff, **facts)


def _switched(module: AnsibleModule) -> Outcome:
    params = module.params
    place = checked_place(params["control_path"])
    holder = Holder(params["holder"] or "unnamed", params["environment"] or "")
    name = params["fault"]
    if params["state"] == "absent":
        names = (name,) if name else tuple(FAULTS)
        if module.check_mode:
            return preview(place, names, None, holder, params["ttl"], own=params["own"])
        return switch_off(place, names, holder, own=params["own"])
    flag = flag_of(name, {parameter: params[parameter] for parameter in PARAMETERS})
    checked_times(params["ttl"], params["renew_within"], params["silent_for"])
    if module.check_mode:
        return preview(place, (name,), flag, holder, params["ttl"])
    outcome = switch_on(place, name, flag, holder, params["ttl"], params["renew_within"])
    if params["observed"]:
        outcome = replace(outcome, warnings=(*outcome.warnings, *note_observed(place, name)))
    return outcome


def _told(module: AnsibleModule, outcome: Outcome) -> str:
    name, path = module.params["fault"] or "every fault", module.params["control_path"]
    would = "would be" if module.check_mode and outcome.changed else "is"
    if module.params["state"] == "absent":
        return f"{name} {would} out of {path}"
    return f"{name} {would} in force by {path}{f' until {outcome.expires_at}' if outcome.expires_at else ''}"
