#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: status_store_check
short_description: Check that every stored trace keeps its tenant
version_added: 0.1.0
description:
  - Reads the StatusStore of the explainer, on the host where it lies, twice. Every record must name its tenant and a known state, have
    an id of its own, and name the same tenant both times.
  - In between it submits a trace through O(base_url) and follows it in the store from first sight to its end. The trace being found there
    is the proof that this is the store in use; its tenant must be that of the token all along.
  - Without a token that carries C(traces:write), and in check mode, only the reading part runs, and the verdict says so.
  - Would fail on C(status-store-tenant-missing), C(status-store-id-ambiguous), C(status-store-state-unknown) and C(tenant-changed). A
    store that cannot be read is an error, C(status-store-missing), C(status-store-forbidden), C(status-store-unreadable) or
    C(status-store-too-large).
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.connection
options:
  backend:
    description: Where the store is, as C(STATUS_BACKEND) says.
    type: str
    choices: [json, ddb]
    default: json
  path:
    description:
      - The status file of backend V(json), as C(STATUS_JSON_PATH) says.
      - Understood are an object from trace id to record, an object whose member C(traces) is such an object or a list, and a list of
        records. The file is read as a stream, so its size costs time (about 2 to 4 seconds for 100 MiB a reading) but little memory
        (about 150 MiB for 400,000 records).
    type: path
    default: /tmp/hif/status.json
  max_bytes:
    description: The largest status file to read, in bytes. A larger one is an error that says so.
    type: int
    default: 268435456
  table:
    description:
      - The table of backend V(ddb), with C(trace_id) as its only key. It is scanned consistently, which is charged by its size.
    type: str
    default: hypergraph-status
  endpoint_url:
    description: Address of a DynamoDB-compatible service, without path. Without it that of AWS.
    type: str
  region:
    description: Region of the table. Without it that of the AWS configuration of the user that runs the task.
    type: str
  model:
    description: Model name to send with chats.
    type: str
    default: gpt-4o-mini
  trace_deadline:
    description: Seconds the trace of the check may take to end, as seen in the store.
    type: float
    default: 15.0
notes:
  - Backend V(ddb) needs the Python library boto3 where the task runs, and C(dynamodb:Scan) and C(dynamodb:GetItem) on the table for the
    credentials that boto3 finds there.
seealso:
  - module: hypergraph.sidecar.tenant_probe
"""

EXAMPLES = r"""
- name: Every stored trace keeps its tenant
  hypergraph.sidecar.status_store_check:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    path: /var/lib/hypergraph/status.json
  register: sidecar_verdict_status_store

- name: The same for a table
  hypergraph.sidecar.status_store_check:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    backend: ddb
    table: hypergraph-status
    region: eu-central-1
  register: sidecar_verdict_status_store
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
    reason: the check's own trace was filed under alpha, then shared; it was submitted by alpha
    reason_code: tenant-changed
    examined: {stored records: 812, records read twice: 811}
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 5 assertions hold, 1 control held; examined 812 stored records, 811 records read twice"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import ARGUMENTS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store import check


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "backend": {"type": "str", "choices": ["json", "ddb"], "default": "json"},
            "path": {"type": "path", "default": "/tmp/hif/status.json"},  # noqa: S108  # the service's own default
            "max_bytes": {"type": "int", "default": 256 * 1024 * 1024},
            "table": {"type": "str", "default": "hypergraph-status"},
            "endpoint_url": {"type": "str"},
            "region": {"type": "str"},
            "model": {"type": "str", "default": "gpt-4o-mini"},
            "trace_deadline": {"type": "float", "default": 15.0},
        },
        supports_check_mode=True,
    )
    run(module, "tenant_isolation", check.examine)


if __name__ == "__main__":
    main()
