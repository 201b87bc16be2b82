#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: soak_watch
short_description: Sample memory and queue of the services while they are under load
version_added: 0.3.0
description:
  - Reads C(process_resident_memory_bytes), C(explainer_queue_lag_seconds) and C(explainer_queue_depth) of each endpoint again and again.
    Of a family with several series the highest counts. Run it with C(async) and C(poll=0) beside the load.
  - It judges nothing; M(hypergraph.sidecar.soak_check) does.
extends_documentation_fragment:
  - hypergraph.sidecar.connection
options:
  endpoints:
    description: The metrics endpoints. Those whose O(endpoints[].url) is empty are left out.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The service.
        type: str
        required: true
      url:
        description: Address of the exposition.
        type: str
        required: true
  seconds:
    description: For how long to sample.
    type: float
    required: true
  interval:
    description: Seconds between two samples.
    type: float
    default: 15.0
requirements:
  - prometheus_client >= 0.22
seealso:
  - module: hypergraph.sidecar.soak_check
"""

EXAMPLES = r"""
- name: Watch the services meanwhile
  hypergraph.sidecar.soak_watch:
    base_url: https://gateway.staging.example.org
    endpoints: "{{ sidecar_metrics_endpoints }}"
    seconds: 600
  async: 720
  poll: 0
  register: soak_watching
"""

RETURN = r"""
endpoints:
  description: Names of the endpoints that were read.
  returned: success
  type: list
  elements: str
  sample: [gateway, explainer]
samples:
  description: A row for each endpoint and time; values are null where a family is not exposed.
  returned: success
  type: list
  elements: dict
  sample:
    - at: 1795266193.05
      endpoint: explainer
      memory_bytes: 61341696.0
      queue_lag_s: 0.0
      queue_depth: 0.0
      process_start: 1795260000.0
missed:
  description: How many readings did not succeed.
  returned: success
  type: int
  sample: 0
msg:
  description: What went wrong.
  returned: failure
  type: str
  sample: none of 40 readings of the metrics succeeded. Check sidecar_metrics_endpoints.
reason_code:
  description: Stable name of what was wrong.
  returned: failure
  type: str
  sample: metrics-unavailable
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import ARGUMENTS, connect, secrets_in
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckFault
from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_client import Client
from ansible_collections.hypergraph.sidecar.plugins.module_utils.soak.samples import watch


def main() -> None:
    endpoint = {"name": {"type": "str", "required": True}, "url": {"type": "str", "required": True}}
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "endpoints": {"type": "list", "elements": "dict", "default": [], "options": endpoint},
            "seconds": {"type": "float", "required": True},
            "interval": {"type": "float", "default": 15.0},
        },
        supports_check_mode=True,
    )
    module.no_log_values.update(secrets_in(module.params))
    try:
        found = watch(Client(connect(module.params)), module.params)
    except CheckFault as fault:
        module.fail_json(msg=f"{fault.reason}. {fault.action}", reason_code=fault.reason_code)
    except ModuleNotFoundError as missing:
        module.fail_json(msg=f"Python library {missing.name} is not installed where the check runs.", reason_code="dependency-missing")
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
