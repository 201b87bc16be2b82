#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: slo_check
short_description: Judge what a load run measured against the objectives
version_added: 0.1.0
description:
  - Reads the summaries that the generators of one load run wrote, merges them, and judges each class (chat, sentence, token) in each phase
    but warm-up.
  - An objective such as "p95 of at most 500 ms" is kept only where the exact upper bound on the share of requests that take longer, or
    fail, is at most 5 %, and broken only where the lower bound is above. In between, the verdict is inconclusive and says how many more
    samples would decide. Requests that depend on their neighbours count for less than independent ones. Errors and timeouts exceed.
    The guide on load derives the formulas and names their sources.
  - A phase of a minute or longer is also judged in segments, so that a late failure is not diluted by a long run.
  - Fails with C(slo-broken), C(slo-broken-in-segment), and against a baseline C(slo-regression).
  - Is inconclusive with C(too-few-samples), C(too-near-the-objective), C(no-load-run), C(no-explanations), C(class-not-measured),
    C(run-interrupted), C(generator-unhealthy), C(baseline-not-comparable), C(baseline-not-sound) or C(regression-undecided).
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
options:
  summaries:
    description: Files C(summary.json) of one run, one of each generator, on the host where the module runs. Without any it is inconclusive.
    type: list
    elements: path
    required: true
  slo_ms:
    description:
      - Objectives in milliseconds. A class that has one here must have been measured. They must be those that the run counted by.
      - Other classes that the load asked for are judged by the objectives of its plan.
    type: dict
    suboptions:
      chat:
        description: Milliseconds from a chat's intended start to the end of its answer.
        type: float
      sentence:
        description: Milliseconds from the chat to the end of its explanation by sentence.
        type: float
      token:
        description: The same by token.
        type: float
  quantile:
    description: The share of requests that has to keep the objective.
    type: float
    default: 0.95
  confidence:
    description: One minus the chance of a wrong pass, and of a wrong fail.
    type: float
    default: 0.95
  correlation_seconds:
    description:
      - Requests within this time may all share one fate, also where too few exceed to see it. A pass therefore takes a phase of 59 times
        as long, for a p95 with a confidence of 95 %.
    type: float
    default: 1.0
  sequential:
    description:
      - Whether the run may be judged again and again while it goes on and end as soon as it is decided. The bounds then hold at every look,
        and are wider. So it is for a run that was to end by itself then (O(hypergraph.sidecar.load#module:stop_early)), whatever this says.
    type: bool
    default: false
  refusals_expected:
    description: Whether the load was to drive the service into refusing, so that answers of 429 are no errors and do not count.
    type: bool
    default: false
  generators:
    description: How many generators took part. With fewer summaries than that the verdict is inconclusive.
    type: int
  absent:
    description: Names of the generators that took part and left no summary. With any, the verdict is inconclusive and names them.
    type: list
    elements: str
    default: []
  baseline:
    description: Summaries of an earlier run of the same environment and plan, to hold this one against.
    type: list
    elements: path
    default: []
  max_regression:
    description: By how much the percentile may rise since O(baseline); 0.2 is 20 %.
    type: float
    default: 0.2
  max_age:
    description:
      - Seconds since the run's end after which it says nothing of the service any more, so that the check is skipped.
      - A run of any age is judged, where it is not given.
    type: float
  deadline:
    description: Seconds the check may take.
    type: float
    default: 60.0
extends_documentation_fragment:
  - hypergraph.sidecar.attributes
author:
  - hypergraph.sidecar contributors (@hypergraph)
"""

EXAMPLES = r"""
- name: The objectives are kept under load
  hypergraph.sidecar.slo_check:
    summaries: [results/staging/load/generator-1/summary.json, results/staging/load/generator-2/summary.json]
    generators: 2
    slo_ms: {chat: 500, sentence: 2000, token: 8000}
  register: sidecar_verdict_slo

- name: The deploy made nothing slower by more than a tenth
  hypergraph.sidecar.slo_check:
    summaries: [results/staging/load/after/summary.json]
    baseline: [results/staging/load/before/summary.json]
    max_regression: 0.1
  register: sidecar_verdict_slo
"""

RETURN = r"""
verdict:
  description:
    - The verdict on C(slo_adherence), schema C(verdict-1).
    - C(evidence.judged) has a row for each class and phase, with counts, effective samples and bounds, in lists of at most 100.
    - C(evidence.comparison) likewise has a row for each class and phase compared with the baseline.
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: slo_adherence
    status: fail
    reason: "chat in steady: at most 5% take longer than 500 ms or fail: expected at most 5%, observed 8.13% of 24000 (1951); worth 17921
      independent ones, the share is between 7.41% and 8.59%"
    reason_code: slo-broken
    examined: {generators: 1, requests: 24000, phases: 1, segments: 4}
    metrics: {chat_steady_p95_ms: 912.3, chat_steady_exceeding_ratio: 0.081292}
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
  sample: "pass: 2 assertions hold, 2 controls held; examined 1 generators, 24000 requests, 1 phases, 4 segments"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import inspect
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.adherence import examine


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "summaries": {"type": "list", "elements": "path", "required": True},
            "slo_ms": {
                "type": "dict",
                "options": {"chat": {"type": "float"}, "sentence": {"type": "float"}, "token": {"type": "float", "no_log": False}},
            },
            "quantile": {"type": "float", "default": 0.95},
            "confidence": {"type": "float", "default": 0.95},
            "correlation_seconds": {"type": "float", "default": 1.0},
            "sequential": {"type": "bool", "default": False},
            "refusals_expected": {"type": "bool", "default": False},
            "generators": {"type": "int"},
            "absent": {"type": "list", "elements": "str", "default": []},
            "baseline": {"type": "list", "elements": "path", "default": []},
            "max_regression": {"type": "float", "default": 0.2},
            "max_age": {"type": "float"},
            "deadline": {"type": "float", "default": 60.0},
        },
        supports_check_mode=True,
    )
    inspect(module, "slo_adherence", examine)


if __name__ == "__main__":
    main()
