#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load_prune
short_description: Remove old load runs
version_added: 0.3.0
description:
  - Keeps the newest runs in a directory and removes the older ones, on generators as well as where summaries are brought home to.
  - Removes only what the load playbooks made there. That is directories named by the time of a run that hold nothing but what
    M(hypergraph.sidecar.load) writes, or summaries that were fetched. A directory with anything else in it stays and does not count.
  - Never removes a run that is under way. Follows no symbolic link.
  - Warns, and does not fail, where a run cannot be removed.
options:
  directory:
    description: Where the runs are.
    type: path
    required: true
  run_id:
    description: Name of the run that room is made for. It counts as one of those kept, whether or not it has a directory yet.
    type: str
    required: true
  keep:
    description: How many runs stay.
    type: int
    default: 10
  spare:
    description: Files of runs that stay whatever their age, such as the baseline of comparisons.
    type: list
    elements: path
    default: []
extends_documentation_fragment:
  - hypergraph.sidecar.attributes
author:
  - hypergraph.sidecar contributors (@hypergraph)
seealso:
  - module: hypergraph.sidecar.load
"""

EXAMPLES = r"""
- name: Make room for the next run
  hypergraph.sidecar.load_prune:
    directory: /var/tmp/hypergraph.sidecar
    run_id: 20261121T090000Z
    keep: 5
"""

RETURN = r"""
removed:
  description: Names of the runs removed, or in check mode, of those that would be.
  returned: success
  type: list
  elements: str
  sample: [20261101T090000Z]
msg:
  description: How many they are, or what is wrong.
  returned: always
  type: str
  sample: 1 load run removed
reason_code:
  description: Stable name of what was wrong.
  returned: failure
  type: str
  sample: bad-argument
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.retention import prune


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "run_id": {"type": "str", "required": True},
            "keep": {"type": "int", "default": 10},
            "spare": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    params = module.params
    removed: list[str] = []
    try:
        removed = prune(Path(params["directory"]), params["run_id"], params["keep"], params["spare"], remove=not module.check_mode)
    except CheckError as fault:
        if fault.reason_code == "bad-argument":
            module.fail_json(msg=f"{fault.reason}. {fault.action}", reason_code=fault.reason_code)
        module.warn(f"{fault.reason}. {fault.action}")
    module.exit_json(changed=bool(removed), removed=removed, msg=f"{len(removed)} load run{'' if len(removed) == 1 else 's'} removed")


if __name__ == "__main__":
    main()
