#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: soak_plan
short_description: Plan a soak in segments, or find where one is to go on
version_added: 0.3.0
description:
  - Makes the segments of a soak from a profile, and writes the plan into its directory. Where the directory has that plan already, tells
    which segments are still to be driven, so that a soak that was interrupted goes on where it ended. Segments that are broken, or
    whose generators did not keep up, are driven again; what is left of them is removed.
  - Profiles. V(default) takes attach rates of 10, 30 and 50 % in turn, with a burst of token explanations at the end of every third
    segment. V(heavy) offers half as much again at 30, 50 and 70 %, with a longer burst in every second. V(spiky) offers 70 % of the rate,
    with two spikes of three times as much in each segment.
  - All segments are counted by the same O(slo_ms).
  - Old soaks make room. Of those that are named by the time, the newest stay, with those that may still be driven and those that have
    other files in them. A named one is never removed. Warns, and does not fail, where one cannot be removed.
  - Fails where another plan was begun under that name, and with C(soak-over) where nothing is left to be driven. What was measured before
    a deploy says nothing of the service after it.
extends_documentation_fragment:
  - hypergraph.sidecar.attributes
  - hypergraph.sidecar.load.objectives
options:
  directory:
    description:
      - Where the soaks of the environment are, on the host where the module runs. Each has a directory of its name in it, and the link
        C(latest) leads to the one planned last.
    type: path
    required: true
  id:
    description:
      - Name of the soak. Without it, the newest that was begun without one goes on; where that is over, or there is none, a soak begins
        that is named by the time.
    type: str
    default: ''
  max_age:
    description:
      - Seconds a soak may stand still and yet go on, between its segments as well as after them. It is over where it did for longer.
      - Where it is not given, a soak may stand still for any time.
    type: float
  keep:
    description: How many soaks named by the time stay, the one that is planned among them.
    type: int
    default: 10
  environment:
    description: Name of the environment.
    type: str
    default: ''
  generators:
    description: Names of the hosts that drive the load together.
    type: list
    elements: str
    required: true
  profile:
    description: What the segments ask for.
    type: str
    choices: [default, heavy, spiky]
    default: default
  rate:
    description: Chats per second of each generator, of which profiles take multiples.
    type: float
    required: true
  segments:
    description: How many segments. Trends take 8 at least.
    type: int
    default: 12
  segment_seconds:
    description: Seconds of each segment.
    type: float
    default: 600.0
author:
  - hypergraph.sidecar contributors (@hypergraph)
seealso:
  - module: hypergraph.sidecar.soak_check
  - module: hypergraph.sidecar.load
"""

EXAMPLES = r"""
- name: Two hours of rising and falling attach rates
  hypergraph.sidecar.soak_plan:
    directory: results/staging/soak
    id: "2026-11-21"
    generators: [generator-1, generator-2]
    rate: 20
  register: soak
"""

RETURN = r"""
segments:
  description: The segments still to be driven, each with the phases that M(hypergraph.sidecar.load) takes.
  returned: success
  type: list
  elements: dict
  sample:
    - name: '0007'
      number: 7
      seconds: 600.0
      attach_rate: 0.1
      phases:
        - {name: warmup, kind: warmup, duration: 30.0, rate: 20.0, attach_rate: 0.1}
        - {name: steady, kind: steady, duration: 570.0, rate: 20.0, attach_rate: 0.1}
directory:
  description: Where this soak is brought home to.
  returned: success
  type: str
  sample: results/staging/soak/2026-11-21
removed:
  description: Names of the old soaks removed, or in check mode, of those that would be.
  returned: success
  type: list
  elements: str
  sample: [20261101T090000Z]
whole:
  description: How many segments are whole already.
  returned: success
  type: int
  sample: 6
msg:
  description: Where the soak stands, in one line, or what is wrong.
  returned: always
  type: str
  sample: 6 of 12 segments are whole, 6 to be driven
reason_code:
  description: Stable name of what was wrong.
  returned: failure
  type: str
  sample: soak-differs
"""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load import plan as load
from ansible_collections.hypergraph.sidecar.plugins.module_utils.soak import naming, profiles, record, retention


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "id": {"type": "str", "default": ""},
            "max_age": {"type": "float"},
            "keep": {"type": "int", "default": 10},
            "environment": {"type": "str", "default": ""},
            "generators": {"type": "list", "elements": "str", "required": True},
            "profile": {"type": "str", "choices": ["default", "heavy", "spiky"], "default": "default"},
            "rate": {"type": "float", "required": True},
            "segments": {"type": "int", "default": 12},
            "segment_seconds": {"type": "float", "default": 600.0},
            "slo_ms": load.ARGUMENTS["slo_ms"],
        },
        supports_check_mode=True,
    )
    params = module.params
    for name, low, high in (("rate", 0.1, 200_000.0), ("segments", 1, 2000), ("segment_seconds", 5.0, 86_400.0), ("keep", 1, 1_000_000)):
        if not (math.isfinite(params[name]) and low <= params[name] <= high):
            module.fail_json(
                msg=f"{name} is {params[name]}, expected {low:g} to {high:g}. Correct the argument.", reason_code="bad-argument"
            )
    home, now = Path(params["directory"]), time.time()
    try:
        name = naming.soak_id(home, params["id"], params["max_age"], now)
        directory = home / name
        plan = _plan(name, params)
        begun = (directory / record.PLAN_FILE).exists()
        if begun or not module.check_mode:
            record.begin(directory, plan)
        over = naming.over(directory, params["max_age"], now)
        if over:
            raise CheckError("soak-over", f"soak {name} is over: {over}", f"Name a new one (sidecar_soak_id), or remove {directory}.")
        broken = [segment for segment in record.segments_in(directory, plan) if not segment.whole or segment.late]
        if not module.check_mode:
            record.clear(directory, broken)
            naming.point_latest(home, name)
        removed = _pruned(module, home, name, now)
    except CheckError as fault:
        module.fail_json(msg=f"{fault.reason}. {fault.action}", reason_code=fault.reason_code)
    left = [dict(segment.plan) for segment in broken]
    whole = params["segments"] - len(left)
    module.exit_json(
        changed=bool(left or removed),
        segments=left,
        whole=whole,
        directory=str(directory),
        removed=removed,
        msg=f"{whole} of {params['segments']} segments are whole, {len(left)} to be driven",
    )


def _pruned(module: AnsibleModule, home: Path, name: str, now: float) -> list[str]:
    """Names of the old soaks that made room; one that cannot be removed stands in the way of none."""
    told = {option: module.params[option] for option in ("keep", "max_age")}
    try:
        return retention.prune(home, name, module.params["environment"], **told, now=now, remove=not module.check_mode)
    except CheckError as fault:
        module.warn(f"{fault.reason}. {fault.action}")
        return []


def _plan(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "schema": record.PLAN_SCHEMA,
        "id": name,
        "environment": params["environment"],
        "profile": params["profile"],
        "rate_per_s": params["rate"],
        "segment_seconds": params["segment_seconds"],
        "generators": params["generators"],
        "slo_ms": load.objectives(params["slo_ms"]),
        "segments": profiles.segments(profiles.PROFILES[params["profile"]], params["segments"], params["segment_seconds"], params["rate"]),
    }


if __name__ == "__main__":
    main()
