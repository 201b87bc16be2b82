#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backpressure_probe
short_description: Check that the service gives way as it should under more load than it can bear
version_added: 0.3.0
description:
  - Offers attached chats at O(start_rate), then O(growth) times as many in each further step, until the service refuses some or its queue
    lags by O(lag_limit). Then keeps that rate for O(hold) seconds, then O(overload) times as many for as long, with chats without
    explanation beside at O(chat_rate), and lets go.
  - Nothing is judged that was not provoked. Where O(max_rate) is reached and nothing gave way, the verdict is inconclusive with
    C(saturation-not-reached) and says what was offered. It is also inconclusive with C(generator-unhealthy), C(too-few-samples),
    C(run-interrupted), C(counters-reset) and C(no-explanations).
  - Fails with C(ladder-inactive) where the queue lags and nothing is refused.
  - Every refusal must carry a Retry-After that is seconds or a date, within O(retry_after_max). Fails with C(retry-after-missing) and
    C(retry-after-out-of-range).
  - Chats without explanation must keep their objective meanwhile, by exact bounds as in M(hypergraph.sidecar.slo_check), and attached ones
    be served or refused, and not fail. Fails with C(chat-starved) and C(refusal-unclean).
  - Explanations completed per second under overload must keep O(goodput_share) of the most there were at any step. Fails with
    C(goodput-collapsed).
  - Every explanation that was accepted must end within O(trace_budget). Those that do not are named. Fails with C(trace-lost), and with
    C(attachment-dropped) where an attached chat is answered without a trace.
  - The service's metrics must show the pressure, count as many refusals as were seen, and count cheaper explanations before that. Fails
    with C(level-not-raised), C(ladder-miscounted) and C(soft-rungs-unused).
  - A sample of graphs made under pressure must be valid. Fails with C(graph-invalid-under-pressure).
  - After the load an attached chat must be accepted and the level be 0 within O(recovery_within). Fails with C(pressure-not-released).
  - In check mode nothing is sent, and the verdict says so.
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.connection
  - hypergraph.sidecar.load.chats
options:
  endpoints:
    description:
      - The metrics endpoints of all services and replicas that refuse, degrade, or know the level. Without any, what is read from metrics
        is not examined, and the verdict says so.
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
  start_rate:
    description: Attached chats per second of the first step.
    type: float
    default: 5.0
  max_rate:
    description:
      - Attached chats per second of the last step. O(overload) times as many are offered if it is there that the service gives way.
    type: float
    default: 200.0
  growth:
    description: How many times as many each further step offers.
    type: float
    default: 1.5
  step_seconds:
    description: Seconds of each step. Give the queue time to fill.
    type: float
    default: 10.0
  hold:
    description: Seconds at the rate where the service gave way, and again as many beyond it.
    type: float
    default: 40.0
  overload:
    description: How many times the rate where the service gave way is offered in the end.
    type: float
    default: 2.0
  chat_rate:
    description: Chats per second without explanation beside.
    type: float
    default: 10.0
  chat_slo_ms:
    description: Milliseconds that 95 % of chats without explanation must keep to.
    type: float
    default: 500.0
  correlation_seconds:
    description: Chats within this time may share one fate. A pass takes 59 times as long, out of twice O(hold).
    type: float
    default: 1.0
  connections:
    description: Connections of each of the two lanes.
    type: int
    default: 64
  granularity:
    description: What explanations are asked for; a mix is 80 % by sentence and 20 % by token.
    type: str
    choices: [sentence, token, mix]
    default: mix
  trace_budget:
    description: Seconds in which an accepted explanation must end, in whatever state.
    type: float
    default: 60.0
  lag_limit:
    description: Seconds of queue lag that prove saturation where nothing is refused.
    type: float
    default: 60.0
  retry_after_max:
    description: The most seconds a refused caller may be told to wait.
    type: float
    default: 300.0
  refusal_actions:
    description: Values of the label C(action) of C(backpressure_actions_total) that stand for a refusal. All others are softer rungs.
    type: list
    elements: str
    default: [refuse-attach]
  counter_tolerance:
    description: The share by which counted and seen refusals may differ.
    type: float
    default: 0.05
  goodput_share:
    description: The share of its peak that goodput must keep under overload.
    type: float
    default: 0.7
  graphs:
    description: How many graphs to sample.
    type: int
    default: 20
  recovery_within:
    description: Seconds after the load in which everything must be as before.
    type: float
    default: 60.0
  sample_interval:
    description: Seconds between two readings of the metrics.
    type: float
    default: 0.5
  directory:
    description: Where the records of the load are kept, a directory without any yet. Without it they are removed in the end.
    type: path
  deadline:
    description: Seconds the whole check may take. The check refuses to begin where its load may take longer.
    type: float
    default: 900.0
requirements:
  - prometheus_client >= 0.22
  - jsonschema
seealso:
  - module: hypergraph.sidecar.load
  - module: hypergraph.sidecar.slo_check
"""

EXAMPLES = r"""
- name: It refuses politely, serves on, loses nothing and recovers
  hypergraph.sidecar.backpressure_probe:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    endpoints: "{{ sidecar_metrics_endpoints }}"
    start_rate: 20
    max_rate: 300
  register: sidecar_verdict_backpressure
"""

RETURN = r"""
verdict:
  description:
    - The verdict on C(backpressure), schema C(verdict-1).
    - C(evidence.steps) has a row for each step of the load, with what was offered, served, refused and completed.
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: backpressure
    status: fail
    reason: "every 429 says in Retry-After when to try again, as seconds or as a date: expected a whole number of seconds or an HTTP date
      (RFC 9110, section 10.2.3), observed 1204 of 1204 answers without one"
    reason_code: retry-after-missing
    examined: {steps of load: 7, refusals: 1204, chats under pressure: 800, accepted explanations: 2300, graphs: 20}
    metrics: {pressure_chat_p95_ms: 61.2, pressure_goodput_peak_per_second: 31.5, pressure_recovery_seconds: 6.1}
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 11 assertions hold, 1 control held; examined 7 steps of load, 1204 refusals, 800 chats under pressure"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.backpressure import probe
from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import ARGUMENTS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import run


def main() -> None:
    endpoint = {"name": {"type": "str", "required": True}, "url": {"type": "str", "required": True}}
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "endpoints": {"type": "list", "elements": "dict", "default": [], "options": endpoint},
            "start_rate": {"type": "float", "default": 5.0},
            "max_rate": {"type": "float", "default": 200.0},
            "growth": {"type": "float", "default": 1.5},
            "step_seconds": {"type": "float", "default": 10.0},
            "hold": {"type": "float", "default": 40.0},
            "overload": {"type": "float", "default": 2.0},
            "chat_rate": {"type": "float", "default": 10.0},
            "chat_slo_ms": {"type": "float", "default": 500.0},
            "correlation_seconds": {"type": "float", "default": 1.0},
            "connections": {"type": "int", "default": 64},
            "granularity": {"type": "str", "choices": ["sentence", "token", "mix"], "default": "mix"},
            "featureset": {"type": "str", "default": "sae-gpt4-2m"},
            "model": {"type": "str", "default": "gpt-4o-mini"},
            "trace_budget": {"type": "float", "default": 60.0},
            "lag_limit": {"type": "float", "default": 60.0},
            "retry_after_max": {"type": "float", "default": 300.0},
            "refusal_actions": {"type": "list", "elements": "str", "default": ["refuse-attach"]},
            "counter_tolerance": {"type": "float", "default": 0.05},
            "goodput_share": {"type": "float", "default": 0.7},
            "graphs": {"type": "int", "default": 20},
            "recovery_within": {"type": "float", "default": 60.0},
            "sample_interval": {"type": "float", "default": 0.5},
            "directory": {"type": "path"},
            "deadline": {"type": "float", "default": 900.0},
        },
        supports_check_mode=True,
    )
    run(module, "backpressure", probe.examine)


if __name__ == "__main__":
    main()
