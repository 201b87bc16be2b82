#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: soak_check
short_description: Judge what a soak measured, and what grew meanwhile
version_added: 0.3.0
description:
  - Reads the segments of a soak, as C(playbooks/soak.yml) brings them home, and writes C(soak_summary.json) beside them, with a row for
    each segment and the trends.
  - Each class must keep its objective over all segments together, by the bounds of M(hypergraph.sidecar.slo_check), and no segment may
    break it surely. Fails with C(slo-broken) and C(slo-broken-in-segment).
  - The p95 of steady phases, the share of requests that fail, resident memory and queue lag must not rise by more than they may. A rise
    is a slope over the time under load with a confidence interval that takes dependence into account; memory counts from when a fifth of
    the soak is over, since caches fill first. Fails with C(soak-p95-rises), C(soak-errors-rise),
    C(soak-memory-rises) and C(soak-queue-rises) where it is surely more; C(trend-undecided) where nobody can say.
  - Is inconclusive with C(soak-incomplete), C(no-load-run), C(generator-unhealthy), C(process-restarted), C(samples-missing),
    C(class-not-measured) and C(too-few-samples).
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
options:
  directory:
    description: Where the soak was brought home to, on the host where the module runs.
    type: path
    required: true
  quantile:
    description: The share of requests that has to keep the objective.
    type: float
    default: 0.95
  confidence:
    description: One minus the chance of a wrong pass, and of a wrong fail.
    type: float
    default: 0.95
  correlation_seconds:
    description: Requests within this time may all share one fate.
    type: float
    default: 1.0
  max_p95_rise:
    description: By how much the p95 of a class may rise over the soak; 0.2 is 20 % of its mean.
    type: float
    default: 0.2
  max_error_rise:
    description: By how much the share of requests that fail may rise over the soak; 0.01 is one in a hundred.
    type: float
    default: 0.01
  max_memory_rise:
    description: By how much resident memory may rise over the soak; 0.1 is 10 % of its mean.
    type: float
    default: 0.1
  max_lag_rise:
    description: By how many seconds the queue lag may rise over the soak.
    type: float
    default: 2.0
  max_age:
    description:
      - Seconds the soak may have stood still, between its segments as well as after them. Beyond, it says nothing of the service any more,
        and the check is skipped.
      - A soak of any age is judged, where it is not given.
    type: float
  deadline:
    description: Seconds the check may take.
    type: float
    default: 120.0
extends_documentation_fragment:
  - hypergraph.sidecar.attributes
author:
  - hypergraph.sidecar contributors (@hypergraph)
seealso:
  - module: hypergraph.sidecar.soak_plan
  - module: hypergraph.sidecar.slo_check
"""

EXAMPLES = r"""
- name: Nothing grew in eight hours
  hypergraph.sidecar.soak_check:
    directory: results/staging/soak/2026-11-21
    max_memory_rise: 0.05
  register: sidecar_verdict_soak
"""

RETURN = r"""
verdict:
  description: The verdict on C(slo_adherence), schema C(verdict-1).
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: slo_adherence
    status: fail
    reason: "resident memory of explainer does not rise by more than 10.0% over the soak: expected at most +10.0%, observed between +31.2%
      and +33.0%, from 480 points"
    reason_code: soak-memory-rises
    examined: {segments: 12, requests: 144000, curves: 7}
findings:
  description: Always empty; places of files are not what this check is about.
  returned: always
  type: list
  elements: dict
  sample: []
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 10 assertions hold; examined 12 segments, 144000 requests, 7 curves"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import inspect
from ansible_collections.hypergraph.sidecar.plugins.module_utils.soak.check import examine


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "quantile": {"type": "float", "default": 0.95},
            "confidence": {"type": "float", "default": 0.95},
            "correlation_seconds": {"type": "float", "default": 1.0},
            "max_p95_rise": {"type": "float", "default": 0.2},
            "max_error_rise": {"type": "float", "default": 0.01},
            "max_memory_rise": {"type": "float", "default": 0.1},
            "max_lag_rise": {"type": "float", "default": 2.0},
            "max_age": {"type": "float"},
            "deadline": {"type": "float", "default": 120.0},
        },
        supports_check_mode=True,
    )
    inspect(module, "slo_adherence", examine)


if __name__ == "__main__":
    main()
