#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: recovery_check
short_description: Judge chaos experiments by what was seen in their trials
version_added: 0.1.0
author:
  - hypergraph.sidecar contributors (@hypergraph)
description:
  - Judges what the role C(hypergraph.sidecar.chaos_recovery) gathered with M(hypergraph.sidecar.chaos) and
    M(hypergraph.sidecar.chaos_watch).
  - Fails where a fault could not be taken back, or shows in the service for good after it was (C(revert-failed)); where the dead-man did
    not take back what was left to it, or is gone while a fault is in force (C(dead-man-missing)); where chats are not served in time while
    a fault is in force (C(blast-radius-exceeded)); where the service is not steady again in time (C(recovery-over-budget)).
  - Where a O(load) ran beside the experiments, fails too where its chats do not keep their objective while a fault is in force
    (C(blast-radius-under-load)), or are slower after it than they were before (C(chat-slower-after)). The bounds are those of
    M(hypergraph.sidecar.slo_check). Is inconclusive where the load did not last, or has too few chats to tell.
  - Is inconclusive where the service was not steady before, the fault did not show, there were too few trials, or chats too few to tell.
  - The chat lane passes where the chats of all trials show at 95 % confidence that less than 5 % of them fail or exceed O(chat_seconds).
    Time to recover is told as mean with a 95 % confidence interval by Student's t, whose upper end has to be within O(budget).
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
options:
  allowed:
    description: Whether the environment lets faults in. Where not, the check is skipped.
    type: bool
    default: true
  experiments:
    description: The experiments, as C(chaos_recovery_experiments) of the role has them.
    type: list
    elements: dict
    required: true
  drill:
    description: Results of taking back what was left to the dead-man, a host each.
    type: list
    elements: dict
    default: []
  trials:
    description: The trials, each with the C(experiment) it is one of, and the results of its steps.
    type: list
    elements: dict
    default: []
  min_trials:
    description: Trials that each experiment needs.
    type: int
    default: 3
  budget:
    description: Seconds within which the service has to be steady again.
    type: float
    default: 10.0
  chat_seconds:
    description: Seconds within which 95 % of chats have to be served while a fault is in force.
    type: float
    default: 0.5
  ended_early:
    description:
      - What ended the experiments before they could be judged, which is an error then. C(host), C(task) and C(msg) tell where and why,
        C(reverted) is the result of taking back what was in force; where that failed, so does the check.
    type: dict
  load:
    description:
      - The load that ran beside the experiments. C(started) and C(split) are results of M(hypergraph.sidecar.load_beside), C(summary) is
        the file C(split_path) of the latter, on the host where this module runs. Without it only the trials are judged.
    type: dict
  correlation_seconds:
    description: Chats of the O(load) within this time may all share one fate, also where too few exceed to see it.
    type: float
    default: 1.0
  max_regression:
    description:
      - By how much the p95 of the load's chats may be higher after a fault than before it; 0.2 is 20 %. What is below this share of the
        objective after the fault is no worse to anybody, however low it was before.
    type: float
    default: 0.2
  deadline:
    description: Seconds that judging may take.
    type: float
    default: 60
seealso:
  - module: hypergraph.sidecar.chaos
  - module: hypergraph.sidecar.chaos_watch
  - module: hypergraph.sidecar.load_beside
"""

EXAMPLES = r"""
- name: The service recovers from each fault
  hypergraph.sidecar.recovery_check:
    experiments: "{{ chaos_recovery_experiments }}"
    drill: "{{ chaos_recovery_drill }}"
    trials: "{{ chaos_recovery_made }}"
  register: sidecar_verdict_chaos_recovery
"""

RETURN = r"""
verdict:
  description: The verdict on C(chaos_recovery), schema C(verdict-1).
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: chaos_recovery
    status: fail
    reason: "drop-s3: the service recovers within its budget: expected steady again within 10 s, observed 0.41 s, 12.02 s, 0.38 s"
    reason_code: recovery-over-budget
    examined: {experiments: 4, dead-man drills: 1, trials: 12, traces: 108, chats: 480}
    metrics: {drop_s3_recovery_seconds: 4.27}
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 13 assertions hold; examined 4 experiments, 1 dead-man drills, 12 trials, 108 traces, 480 chats"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos import recovery
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import inspect


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "allowed": {"type": "bool", "default": True},
            "experiments": {"type": "list", "elements": "dict", "required": True},
            "drill": {"type": "list", "elements": "dict", "default": []},
            "trials": {"type": "list", "elements": "dict", "default": []},
            "min_trials": {"type": "int", "default": 3},
            "budget": {"type": "float", "default": 10.0},
            "chat_seconds": {"type": "float", "default": 0.5},
            "ended_early": {"type": "dict"},
            "load": {"type": "dict"},
            "correlation_seconds": {"type": "float", "default": 1.0},
            "max_regression": {"type": "float", "default": 0.2},
            "deadline": {"type": "float", "default": 60},
        },
        supports_check_mode=True,
    )
    inspect(module, "chaos_recovery", recovery.examine)


if __name__ == "__main__":
    main()
