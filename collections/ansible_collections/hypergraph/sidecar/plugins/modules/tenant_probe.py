#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_probe
short_description: Try to reach one tenant's traces and webhooks as another
version_added: 0.1.0
description:
  - Lets every tenant of O(tokens) ask for what every other owns, which must answer 403 or 404. The status and graph of a finished trace,
    rows of the trace list, and webhooks are asked for plainly, and again while naming the owner's tenant in the header C(x-tenant-id)
    and in the query parameter C(tenant_id). A trace that is still moving is cancelled, a webhook is deleted.
  - A refusal counts only where the owner is shown the same object before and after, and a refused cancel only where the trace was
    still moving and then completed. An answer that neither serves nor refuses, such as a server error, makes the verdict inconclusive.
  - Prompts, webhook addresses and webhook secrets carry random canaries. Every answer to another tenant is searched for them in plain,
    URL, hexadecimal and base64 spelling, headers and refusals included.
  - Would fail on C(foreign-status-readable), C(foreign-graph-readable), C(foreign-list-row), C(foreign-webhook-visible),
    C(foreign-cancel-effective), C(foreign-webhook-deleted), C(header-overrides-tenant), C(query-overrides-tenant),
    C(foreign-state-revealed) (a 409 or 410 tells a stranger that the object exists, and how it is) and C(canary-leaked).
  - Submits traces and registers webhooks of its own with the tokens given, and deletes the webhooks again.
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.connection
options:
  model:
    description: Model name to send with chats.
    type: str
    default: gpt-4o-mini
  trace_deadline:
    description: Seconds a trace of the probe may take to end.
    type: float
    default: 15.0
notes:
  - Needs tokens of two tenants that carry C(traces:read) and C(traces:write). Of several for one tenant it uses the first.
  - Give it tenants made for probing. What a probe of this kind finds, it has seen.
seealso:
  - module: hypergraph.sidecar.status_store_check
  - module: hypergraph.sidecar.rbac_probe
"""

EXAMPLES = r"""
- name: No tenant sees or touches what belongs to another
  hypergraph.sidecar.tenant_probe:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
  register: sidecar_verdict_tenant
"""

RETURN = r"""
verdict:
  description: The verdict on C(tenant_isolation), schema C(verdict-1).
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: tenant_isolation
    status: fail
    reason: "beta was shown the graph of alpha's trace: 200"
    reason_code: foreign-graph-readable
    examined: {tenants: 2, foreign requests: 28, answers searched for canaries: 96}
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "fail: beta was shown the graph of alpha's trace: 200"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import ARGUMENTS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.tenant_isolation import probe


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "model": {"type": "str", "default": "gpt-4o-mini"},
            "trace_deadline": {"type": "float", "default": 15.0},
        },
        supports_check_mode=True,
    )
    run(module, "tenant_isolation", probe.examine)


if __name__ == "__main__":
    main()
