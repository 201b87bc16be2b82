#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: chaos_reaper
short_description: Take back what an earlier chaos run left in force
version_added: 0.1.0
author:
  - hypergraph.sidecar contributors (@hypergraph)
description:
  - Looks at an explainer's chaos control file for faults whose run is over without having taken them back, and takes them back.
  - A run that is going on is left alone. Since what is examined meanwhile would be the fault, the verdict is inconclusive then, and also
    where a fault was put in force by hand.
  - Fails where a fault that was left cannot be taken back (C(revert-failed)). A host without the control file's directory is skipped.
  - Never fails a play. What it finds is in RV(verdict), of the check C(preflight), which the report role gathers.
options:
  control_path:
    description: The control file, absolute; what C(CHAOS_CONTROL_PATH) says to the explainer.
    type: path
    default: /tmp/hif/chaos.json
  environment:
    description: The environment, for the journal. Not given is C(sidecar_environment).
    type: str
  deadline:
    description: Seconds it may take.
    type: float
    default: 60
attributes:
  check_mode:
    description: Skips, since it would change something.
    support: full
seealso:
  - module: hypergraph.sidecar.chaos
"""

EXAMPLES = r"""
- name: No fault of an earlier chaos run is in force
  hypergraph.sidecar.chaos_reaper:
    control_path: /tmp/hif/chaos.json
  register: sidecar_verdict_chaos_leftovers
"""

RETURN = r"""
verdict:
  description: The verdict on C(preflight), schema C(verdict-1).
  returned: always
  type: dict
  sample: {schema: verdict-1, check: preflight, status: pass, examined: {chaos control files: 1}}
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 1 assertion holds; examined 1 chaos control files"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos import reaping
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import inspect


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "control_path": {"type": "path", "default": "/tmp/hif/chaos.json"},  # noqa: S108
            "environment": {"type": "str"},
            "deadline": {"type": "float", "default": 60},
        },
        supports_check_mode=True,
    )
    inspect(module, "preflight", reaping.skip if module.check_mode else reaping.examine)


if __name__ == "__main__":
    main()
