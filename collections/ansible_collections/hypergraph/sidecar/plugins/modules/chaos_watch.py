#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: chaos_watch
short_description: Watch the service before, during and after a fault
version_added: 0.1.0
description:
  - Sends traces and chats of its own, and tells what became of them. It judges nothing; M(hypergraph.sidecar.recovery_check) does.
  - In phase V(before) one round; in phase V(during) rounds until the fault shows or O(within) is over; in phase V(after) trace after
    trace until three in a row are healthy, or O(within) and O(patience) are over.
  - A trace is healthy when it completes within O(trace_seconds), is not degraded, and does not show the fault.
extends_documentation_fragment:
  - hypergraph.sidecar.connection
options:
  phase:
    description: When it watches.
    type: str
    choices: [before, during, after]
    required: true
  seen:
    description:
      - How the fault shows. C(symptom) is C(slower), C(failed), C(refused) or C(degraded); C(share) of the traces, 0.5 where it is not
        given, have to show it; C(by_seconds), 0.5 where it is not given, is by how much slower.
      - C(metric) may name a counter that has to rise besides, C(name) with C(labels), by any of the O(endpoints). With C(where_exposed)
        it does not have to where no endpoint exposes it.
    type: dict
    required: true
  usual_seconds:
    description: How long traces took in phase V(before).
    type: float
    default: 0
  traces:
    description: Traces a round.
    type: int
    default: 6
  chats:
    description: Chats without explanation a round.
    type: int
    default: 40
  trace_seconds:
    description: Seconds within which a healthy trace completes.
    type: float
    default: 2.0
  trace_deadline:
    description: Seconds after which a trace that has not ended is given up.
    type: float
    default: 15.0
  within:
    description: Seconds a fault may take to show, or the service to recover.
    type: float
    default: 10.0
  patience:
    description: Seconds to go on looking, in phase V(after), whether the service recovers at all.
    type: float
    default: 10.0
  endpoints:
    description: Metrics endpoints, as C(sidecar_metrics_endpoints) has them; of each only C(url) is used.
    type: list
    elements: dict
    default: []
  hold:
    description: Seconds to watch at least, so that a load beside it has time to measure.
    type: float
    default: 0
  model:
    description: Model name to send with chats.
    type: str
    default: gpt-4o-mini
  granularity:
    description: Granularity to ask for.
    type: str
    choices: [sentence, token]
    default: sentence
attributes:
  check_mode:
    description: Sends nothing, and is skipped.
    support: full
seealso:
  - module: hypergraph.sidecar.recovery_check
"""

EXAMPLES = r"""
- name: The service is steady
  hypergraph.sidecar.chaos_watch:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    phase: before
    seen: {symptom: slower, by_seconds: 0.5}
  register: steady_state
"""

RETURN = r"""
traces:
  description: What became of each trace; C(submitted) and C(ended) are seconds since the watch began.
  returned: success
  type: list
  elements: dict
  sample: [{outcome: complete, submitted: 0.01, ended: 0.2, seconds: 0.15, degraded: [], said: ""}]
chats:
  description: Status and seconds of each chat; status 0 is no answer.
  returned: success
  type: list
  elements: dict
  sample: [{status: 200, seconds: 0.02}]
summary:
  description: The same in short.
  returned: success
  type: dict
  sample: {outcomes: {complete: 6}, degraded: 0, median_seconds: 0.15, chats: 40, slowest_chat_seconds: 0.04, said: ""}
phase:
  description: The phase watched.
  returned: success
  type: str
  sample: before
steady:
  description: Whether every trace was healthy.
  returned: in phase before
  type: bool
  sample: true
usual_seconds:
  description: Median seconds of its traces.
  returned: in phase before
  type: float
  sample: 0.15
seen:
  description: Whether the fault showed.
  returned: in phase during
  type: bool
  sample: true
counted:
  description: Whether the counter rose that O(seen) names; none where it names none, or no endpoint exposes it.
  returned: in phase during
  type: bool
  sample: true
recovered:
  description: When the first of three healthy traces ended, in seconds since the watch began; none where there were not three.
  returned: in phase after
  type: float
  sample: 0.21
lasting:
  description: Whether the last traces still showed the fault.
  returned: in phase after
  type: bool
  sample: false
duration:
  description: Seconds the watch took.
  returned: success
  type: float
  sample: 1.1
began_at:
  description: When it began on the controller's monotonic clock, in seconds.
  returned: success
  type: float
  sample: 81244.12
reason_code:
  description: Why it failed, for programs.
  returned: failure
  type: str
  sample: bad-url
action:
  description: What to do about it.
  returned: failure
  type: str
  sample: Set base_url to an address like https://gateway.example.org.
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.watch_module import run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import ARGUMENTS


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "phase": {"type": "str", "choices": ["before", "during", "after"], "required": True},
            "seen": {"type": "dict", "required": True},
            "usual_seconds": {"type": "float", "default": 0},
            "traces": {"type": "int", "default": 6},
            "chats": {"type": "int", "default": 40},
            "trace_seconds": {"type": "float", "default": 2.0},
            "trace_deadline": {"type": "float", "default": 15.0},
            "within": {"type": "float", "default": 10.0},
            "patience": {"type": "float", "default": 10.0},
            "endpoints": {"type": "list", "elements": "dict", "default": []},
            "hold": {"type": "float", "default": 0},
            "model": {"type": "str", "default": "gpt-4o-mini"},
            "granularity": {"type": "str", "choices": ["sentence", "token"], "default": "sentence"},
        },
        supports_check_mode=True,
    )
    run(module)


if __name__ == "__main__":
    main()
