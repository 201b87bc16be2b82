#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rbac_probe
short_description: Walk the scope matrix of a gateway
version_added: 0.1.0
description:
  - Asks every route of the API without a token, with an unknown one, and with each of O(tokens), and compares the answers with the
    scopes the contract names.
  - A deny is believed only where another caller is let through by the same request, and every denied write is read back, a
    denied cancel from a trace that had not ended when it came.
  - Submits traces and webhooks of its own with the tokens given, and deletes the webhooks again.
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.connection
options:
  model:
    description: Model name to send with chats.
    type: str
    default: gpt-4o-mini
  routes:
    description: Further read-only routes to examine, beside those of the contract.
    type: list
    elements: dict
    default: []
    suboptions:
      method:
        description: HTTP method.
        type: str
        default: GET
      path:
        description: Path under O(base_url); C({trace_id}) stands for a complete trace of the caller's tenant.
        type: str
        required: true
      scope:
        description: The scope it asks for; empty for any known token.
        type: str
      body:
        description: JSON body to send.
        type: dict
  unauthenticated_status:
    description: Statuses that count as refusing a request without token.
    type: list
    elements: int
    default: [401]
  unknown_token_status:
    description: Statuses that count as refusing an unknown token. Some gateways answer 401 here.
    type: list
    elements: int
    default: [403]
  missing_scope_status:
    description: Statuses that count as refusing a known token without the scope.
    type: list
    elements: int
    default: [403]
  trace_deadline:
    description: Seconds a trace of the probe may take to end.
    type: float
    default: 15.0
seealso:
  - module: hypergraph.sidecar.tenant_probe
"""

EXAMPLES = r"""
- name: Every route asks for the scope it should
  hypergraph.sidecar.rbac_probe:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
  register: sidecar_verdict_rbac

- name: The same against a gateway that answers 401 to unknown tokens, and with a route of our own
  hypergraph.sidecar.rbac_probe:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    unknown_token_status: [401]
    routes:
      - path: /v1/usage
        scope: traces:read
  register: sidecar_verdict_rbac
"""

RETURN = r"""
verdict:
  description: The verdict on C(gateway_rbac), schema C(verdict-1).
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: gateway_rbac
    status: fail
    reason: "POST /v1/traces/{trace_id}/cancel with alpha-reader: expected 403, observed 200"
    reason_code: missing-scope-allowed
    examined: {routes: 11, callers: 6, cells: 66}
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 68 assertions hold, 12 controls held; examined 11 routes, 6 callers, 66 cells"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import ARGUMENTS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.rbac.probe import examine


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "model": {"type": "str", "default": "gpt-4o-mini"},
            "routes": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "method": {"type": "str", "default": "GET"},
                    "path": {"type": "str", "required": True},
                    "scope": {"type": "str"},
                    "body": {"type": "dict"},
                },
            },
            "unauthenticated_status": {"type": "list", "elements": "int", "default": [401]},
            "unknown_token_status": {"type": "list", "elements": "int", "default": [403], "no_log": False},
            "missing_scope_status": {"type": "list", "elements": "int", "default": [403]},
            "trace_deadline": {"type": "float", "default": 15.0},
        },
        supports_check_mode=True,
    )
    run(module, "gateway_rbac", examine)


if __name__ == "__main__":
    main()
