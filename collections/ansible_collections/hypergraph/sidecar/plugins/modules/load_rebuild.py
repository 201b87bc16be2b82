#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load_rebuild
short_description: Make the summary of a load run that died from its records
version_added: 0.3.0
description:
  - A load run writes a line for every request as it ends. Where its process was killed or its host went down, this reads the lines and
    writes the summary that the run could not, marked as interrupted, so that M(hypergraph.sidecar.slo_check) never passes it.
  - A last line that was cut is left out. Nothing is known of bytes sent, of C(Retry-After), or of how the generator did.
  - Changes nothing where the run wrote its summary itself, or where it was rebuilt already. Refuses a run that is under way.
  - Works on the generator, and anywhere else that the directory was copied to.
options:
  directory:
    description: The directory that was given to M(hypergraph.sidecar.load).
    type: path
    required: true
extends_documentation_fragment:
  - hypergraph.sidecar.attributes
author:
  - hypergraph.sidecar contributors (@hypergraph)
seealso:
  - module: hypergraph.sidecar.load
  - module: hypergraph.sidecar.slo_check
"""

EXAMPLES = r"""
- name: What was measured until the generator died
  hypergraph.sidecar.load_rebuild:
    directory: /var/tmp/hypergraph.sidecar/20261121T090000Z/generator-1
  register: load_rebuilt
"""

RETURN = r"""
summary_path:
  description: Where the summary is.
  returned: success
  type: str
  sample: /var/tmp/hypergraph.sidecar/20261121T090000Z/generator-1/summary.json
load:
  description: The figures of the summary a reader asks for first, as M(hypergraph.sidecar.load) returns them.
  returned: when it was rebuilt
  type: dict
  sample: {requests: 812, errors: 0, interrupted: rebuilt from records, healthy: false}
msg:
  description: The same in one line, or what is wrong.
  returned: always
  type: str
  sample: 812 requests in 41 s (19.8/s), 0 errors, 240 of 244 explanations complete, ended early by rebuilt from records
reason_code:
  description: Stable name of what was wrong.
  returned: when there is nothing to rebuild from
  type: str
  sample: no-load-run
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.files import SUMMARY_FILE
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.rebuild import died, rebuild
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.report import in_short, sentence


def main() -> None:
    module = AnsibleModule(argument_spec={"directory": {"type": "path", "required": True}}, supports_check_mode=True)
    directory = Path(module.params["directory"])
    path = str(directory / SUMMARY_FILE)
    try:
        if not died(directory):
            module.exit_json(changed=False, summary_path=path, msg=f"{path} is as the run left it, there is nothing to rebuild")
        if module.check_mode:
            module.exit_json(changed=True, summary_path=path, msg=f"check mode: {path} was not rebuilt")
        short = in_short(rebuild(directory))
    except CheckError as fault:
        module.fail_json(msg=f"{fault.reason}. {fault.action}", reason_code=fault.reason_code)
    except OSError as problem:
        why = (problem.strerror or type(problem).__name__).lower()
        module.fail_json(msg=f"{path} cannot be written: {why}. Copy the directory to where it can.", reason_code="results-unwritable")
    module.exit_json(changed=True, summary_path=path, load=short, msg=sentence(short))


if __name__ == "__main__":
    main()
