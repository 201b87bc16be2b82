#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: trace_probe
short_description: Follow a chat through its trace to a valid hypergraph
version_added: 0.1.0
description:
  - Posts chats with an explanation attached, one for each of O(granularities), and follows their traces to the end.
  - Life of a trace. Fails on an unknown state or a step back, a missing field, timestamps that are unreadable, out of order or at odds
    with the gateway's own clock, a record of another trace or tenant, a trace that ends other than complete. A trace that does not
    end within O(trace_deadline) is inconclusive.
  - Graph. Fails on anything but strict JSON, on what the public HIF schema refuses once C(meta) has moved into C(metadata), on a C(meta)
    that is incomplete or about something else, and on each semantic rule by itself, which are empty lists, ids repeated, of
    mixed type or unusable, incidences that dangle or repeat, weights that are not finite, directions missing or unexpected, and a
    granularity that was not honoured. Also on a graph served before its trace is complete.
  - Cancel. Fails where canceling an unfinished trace is refused, ignored or undone, and where it changes a finished one. The canceled
    trace is as fine as the finest of O(granularities), and watched for as long as its work would have taken, which is four times as long
    as the slowest like it that completed, and never longer than O(trace_deadline).
  - Webhook. Listens for as long as the check runs, registers itself with a random secret, answers the first delivery with 500, and fails
    where none comes, its signature, timestamp or body is wrong, or it is not tried again. The registration is always deleted.
  - Reads. Fails where the same status or graph differs between two reads, and where an unknown id is answered other than 404.
  - With O(auth_mode=none) the workflow is examined without regard to the tenant, with a token where there is one.
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.connection
requirements:
  - jsonschema
options:
  model:
    description: Model name to send with chats.
    type: str
    default: gpt-4o-mini
  granularities:
    description: Granularities to ask for. Only with both can graphs be compared whose nodes carry no C(attrs.kind).
    type: list
    elements: str
    choices: [sentence, token]
    default: [sentence, token]
  features:
    description: Feature set to name in C(x-explain-features). Without it the header is not sent.
    type: str
  trace_deadline:
    description: Seconds a trace of the probe may take to end.
    type: float
    default: 15.0
  clock_skew:
    description:
      - Seconds by which timestamps of the service may differ from its gateway's clock, which the Date header of its answers shows.
      - The clock of the machine the probe runs on does not matter.
    type: float
    default: 5.0
  cancel_attempts:
    description: How many fresh traces to cancel until one was still unfinished when the cancel arrived.
    type: int
    default: 5
  graph_max_bytes:
    description: Largest graph to read, in bytes. A larger one ends the check as an error.
    type: int
    default: 33554432
  webhook:
    description: Whether to examine webhooks. Where the service cannot reach the probe, they have to be left out.
    type: bool
    default: true
  webhook_listen:
    description:
      - Address of the probe's machine to listen on, as C(HOST) for a free port or C(HOST:PORT).
      - A loopback address serves only where the gateway is on the same machine; elsewhere webhooks are skipped, and the verdict says so.
    type: str
    default: 127.0.0.1
  webhook_public_url:
    description: How the service reaches O(webhook_listen), where that differs. Needs a port in O(webhook_listen).
    type: str
  webhook_deadline:
    description: Seconds that delivery and second delivery may take together, from the moment the probe has nothing else to do.
    type: float
    default: 10.0
seealso:
  - module: hypergraph.sidecar.tenant_probe
  - name: Hypergraph Interchange Format
    description: The standard that graphs are exchanged in.
    link: https://github.com/HIF-org/HIF-standard
"""

EXAMPLES = r"""
- name: A chat becomes a trace and ends in a valid hypergraph
  hypergraph.sidecar.trace_probe:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    webhook_listen: 0.0.0.0:8099
    webhook_public_url: http://runner.example.org:8099
  register: sidecar_verdict_trace

- name: The same by sentence only, where nothing can call back
  hypergraph.sidecar.trace_probe:
    base_url: https://gateway.production.example.org
    tokens: "{{ sidecar_tokens }}"
    granularities: [sentence]
    webhook: false
  register: sidecar_verdict_trace
"""

RETURN = r"""
verdict:
  description:
    - The verdict on C(trace_workflow), schema C(verdict-1).
    - Its evidence tells for each graph C(hif_valid), by the public schema, from C(hif1_profile_valid), which is that and more.
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: trace_workflow
    status: fail
    reason: "token: every incidence names a declared node: expected no dangling reference, observed incidences[3] names node 'n9'"
    reason_code: hif-dangling-node
    examined: {traces: 3, graphs: 2, status readings: 14, cancels: 1, unknown ids: 1, webhook deliveries: 2}
    metrics: {chat_seconds: 0.021, trace_complete_sentence_seconds: 0.131, trace_complete_token_seconds: 0.262}
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 57 assertions hold; examined 3 traces, 14 status readings, 2 graphs, 1 cancels, 1 unknown ids, 2 webhook deliveries"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import ARGUMENTS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.trace_workflow import workflow


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "model": {"type": "str", "default": "gpt-4o-mini"},
            "granularities": {
                "type": "list",
                "elements": "str",
                "choices": ["sentence", "token"],
                "default": ["sentence", "token"],
            },
            "features": {"type": "str"},
            "trace_deadline": {"type": "float", "default": 15.0},
            "clock_skew": {"type": "float", "default": 5.0},
            "cancel_attempts": {"type": "int", "default": 5},
            "graph_max_bytes": {"type": "int", "default": 33554432},
            "webhook": {"type": "bool", "default": True},
            "webhook_listen": {"type": "str", "default": "127.0.0.1"},
            "webhook_public_url": {"type": "str"},
            "webhook_deadline": {"type": "float", "default": 10.0},
        },
        supports_check_mode=True,
    )
    run(module, "trace_workflow", workflow.examine)


if __name__ == "__main__":
    main()
