#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: capacity_check
short_description: Hold explainers' replica bounds against the load declared of them
version_added: 0.1.0
description:
  - Computes how many replicas each explainer needs for a declared workload, and compares that with the bounds its chart gives it.
  - Explanations arrive at C(chat rate x attach rate x share of the granularity). By Little's law they keep C(arrivals x service time)
    workers busy, and C(busy workers / concurrency / target utilisation) replicas hold them, rounded up. The optimistic number is by mean
    service times, the conservative one by their p95. A burst adds what is needed to work its backlog off within the backlog target.
    The guide on capacity derives the formulas and names their sources.
  - Service times are measured where O(explainers[].metrics_urls) are given or O(service_times) say so, else they are assumptions. The
    verdict names for each which it is. Measured on fewer than 59 explanations, the p95 cannot be bounded and the verdict is inconclusive.
  - Fails with C(capacity-utilisation-unsafe), C(capacity-cold-start-breaks-slo), C(capacity-backlog-target-breaks-slo),
    C(capacity-max-too-small), C(capacity-burst-not-drained), C(capacity-min-too-small) or C(capacity-saturates-below-peak). Warns with
    C(capacity-overcommitted) and C(capacity-utilisation-wasteful).
  - Is inconclusive with C(too-few-samples), C(p95-beyond-buckets), C(cold-start-unknown) or C(backlog-target-unknown).
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.artifacts
  - hypergraph.sidecar.artifacts.chart
  - hypergraph.sidecar.artifacts.versions
  - hypergraph.sidecar.attributes
options:
  workload:
    description:
      - What is to be served. Without it the check is skipped.
    type: dict
    suboptions:
      base_chat_rate:
        description: Chats per second in quiet hours, which the fewest replicas must hold.
        type: float
        required: true
      peak_chat_rate:
        description: Chats per second at the busiest steady load, which the most replicas must hold.
        type: float
        required: true
      base_attach_rate:
        description: Share of chats that ask for an explanation in quiet hours, from 0 to 1.
        type: float
        required: true
      peak_attach_rate:
        description: The same at the peak.
        type: float
        required: true
      token_fraction:
        description: Share of explanations of granularity token, from 0 to 1. The rest are of sentences.
        type: float
        required: true
      burst_factor:
        description: How many times the peak a burst brings, at least 1.
        type: float
        default: 1.0
      burst_seconds:
        description: How long a burst lasts.
        type: float
        default: 0.0
      slo_seconds:
        description: Objectives for the p95 of an explanation, from the chat to its end, by granularity.
        type: dict
        default: {}
        suboptions:
          sentence:
            description: Seconds.
            type: float
            default: 2.0
          token:
            description: Seconds.
            type: float
            default: 8.0
  service_times:
    description:
      - How long a worker is busy with an explanation, by granularity, where it is not scraped.
    type: dict
    default: {}
    suboptions:
      sentence: &service_time
        description: Of an explanation of this granularity.
        type: dict
        suboptions:
          mean_seconds:
            description: The mean in seconds.
            type: float
            required: true
          p95_seconds:
            description: The p95 in seconds. Of an assumption, at least the mean.
            type: float
            required: true
          basis:
            description: Whether these are an assumption or come from a measurement, such as the summary of a load run.
            type: str
            choices: [assumed, measured]
            default: assumed
          samples:
            description: On how many explanations they were measured. Required where O(service_times.sentence.basis=measured).
            type: int
          origin:
            description: Who says so, for the report.
            type: str
      token: *service_time
  explainers:
    description:
      - The explainers. Each granularity is served by exactly one of them. Without any the check is skipped.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of its Deployment.
        type: str
        required: true
      granularities:
        description: What it serves.
        type: list
        elements: str
        choices: [sentence, token]
        required: true
      concurrency:
        description: Explanations that one replica works on at once. The chart's own statement comes first.
        type: int
      min_replicas:
        description: The fewest replicas. The chart's own statement comes first.
        type: int
      max_replicas:
        description: The most replicas. The chart's own statement comes first.
        type: int
      backlog_seconds_target:
        description:
          - Seconds of queue lag that its autoscaler steers for. The chart's own statement comes first, which is the threshold of a
            Prometheus trigger of metric type Value whose query names C(explainer_queue_lag_seconds).
        type: float
      cold_start_seconds:
        description: Seconds from no replica to a first one that works. Needed where the fewest replicas are 0.
        type: float
      metrics_urls:
        description:
          - Metrics endpoints of its running replicas. Their C(explainer_stage_duration_seconds) are added up and take the place of
            O(service_times). Without a label C(granularity), what they counted stands for each granularity served alike.
        type: list
        elements: str
        default: []
  concurrency_env:
    description:
      - Variable in the explainers' containers that says how many explanations a replica works on at once. It is read from C(env), and from
        rendered ConfigMaps that C(env) or C(envFrom) take it from.
    type: str
    default: EXPLAINER_WORKERS
  target_utilisation:
    description: Share of the time that workers are to be busy at most, above 0 and at most 1.
    type: float
    default: 0.7
  slack:
    description: Share of replicas to keep free above the conservative peak.
    type: float
    default: 0.2
  ca_path:
    description: CA bundle that signed the certificates of O(explainers[].metrics_urls).
    type: path
  validate_certs:
    description: Whether these certificates must be valid.
    type: bool
    default: true
  timeout:
    description: Seconds one scrape may take.
    type: float
    default: 10.0
requirements:
  - helm
  - prometheus_client
  - PyYAML
  - requests
seealso:
  - module: hypergraph.sidecar.autoscaling_check
author:
  - hypergraph.sidecar contributors (@hypergraph)
"""

EXAMPLES = r"""
- name: The explainers are sized for the load of staging
  hypergraph.sidecar.capacity_check:
    chart_path: manifests/helm/hypergraph
    values_files: [manifests/helm/hypergraph/values-staging.yaml]
    workload:
      base_chat_rate: 4
      peak_chat_rate: 40
      base_attach_rate: 0.1
      peak_attach_rate: 0.3
      token_fraction: 0.2
      burst_factor: 2
      burst_seconds: 30
    service_times:
      sentence: {mean_seconds: 0.9, p95_seconds: 1.4, origin: design budget}
      token: {mean_seconds: 2.1, p95_seconds: 3.4, basis: measured, samples: 812, origin: load run of 2026-11-20}
    explainers:
      - {name: hypergraph-explainer-cpu, granularities: [sentence], cold_start_seconds: 20}
      - {name: hypergraph-explainer-gpu, granularities: [token], cold_start_seconds: 240}
  register: sidecar_verdict_capacity

- name: One explainer without a chart, by what it counted itself
  hypergraph.sidecar.capacity_check:
    workload: "{{ sidecar_capacity.workload }}"
    explainers:
      - name: explainer
        granularities: [sentence, token]
        concurrency: 4
        min_replicas: 1
        max_replicas: 6
        backlog_seconds_target: 1
        metrics_urls: ["http://10.0.0.7:9090/metrics", "http://10.0.0.8:9090/metrics"]
  register: sidecar_verdict_capacity
"""

RETURN = r"""
verdict:
  description:
    - The verdict on C(capacity_attach_rate), schema C(verdict-1).
    - C(evidence.service_times) says of each service time whether it was assumed or measured, on how many explanations, and by whom.
    - C(evidence.explainers) has what is deployed, by what each of these numbers is stated, what is recommended, and the replicas that base
      load, peak and burst need.
    - C(evidence.replicas_by_attach_rate) has the curves that reports plot.
    - C(metrics.attach_rate_at_saturation_ratio) is the attach rate at which, at the peak chat rate and by the p95, a first explainer has
      all its replicas used to their target.
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: capacity_attach_rate
    status: fail
    reason: "The most replicas are enough for the peak by the p95, with slack: ScaledObject/hypergraph-explainer-cpu spec.maxReplicaCount:
      expected at least 8 replicas (6 for the peak and 20% slack), observed a maximum of 6"
    reason_code: capacity-max-too-small
    examined: {explainers: 2, assumed service times: 2, rules: 8}
    metrics: {attach_rate_at_saturation_ratio: 0.31}
findings:
  description: What does not hold, errors and warnings. The report role writes them as SARIF.
  returned: always
  type: list
  elements: dict
  contains:
    rule: {description: Id of the rule, type: str}
    title: {description: What should hold, type: str}
    severity: {description: Either V(error) or V(warning), type: str}
    object: {description: "Kind and name of the object, or the explainer's name", type: str}
    path: {description: Keys that lead to the part of the object, type: list, elements: raw}
    file: {description: The template it is rendered from, type: str}
    line: {description: "The line, where it is known", type: int}
    expected: {description: What the rule asks for, type: str}
    observed: {description: What is there, type: str}
    fix: {description: What to do, type: str}
    source: {description: Who says so, type: str}
  sample: []
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 8 assertions hold; examined 2 explainers, 2 assumed service times, 8 rules"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.capacity import check
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import inspect
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.arguments import CHART, STRICTNESS, VERSIONS

_SERVICE_TIME = {
    "type": "dict",
    "options": {
        "mean_seconds": {"type": "float", "required": True},
        "p95_seconds": {"type": "float", "required": True},
        "basis": {"type": "str", "choices": ["assumed", "measured"], "default": "assumed"},
        "samples": {"type": "int"},
        "origin": {"type": "str"},
    },
}
_WORKLOAD = {
    "base_chat_rate": {"type": "float", "required": True},
    "peak_chat_rate": {"type": "float", "required": True},
    "base_attach_rate": {"type": "float", "required": True},
    "peak_attach_rate": {"type": "float", "required": True},
    "token_fraction": {"type": "float", "required": True, "no_log": False},
    "burst_factor": {"type": "float", "default": 1.0},
    "burst_seconds": {"type": "float", "default": 0.0},
    "slo_seconds": {
        "type": "dict",
        "default": {},
        "options": {"sentence": {"type": "float", "default": 2.0}, "token": {"type": "float", "default": 8.0, "no_log": False}},
    },
}
_EXPLAINER = {
    "name": {"type": "str", "required": True},
    "granularities": {"type": "list", "elements": "str", "choices": ["sentence", "token"], "required": True},
    "concurrency": {"type": "int"},
    "min_replicas": {"type": "int"},
    "max_replicas": {"type": "int"},
    "backlog_seconds_target": {"type": "float"},
    "cold_start_seconds": {"type": "float"},
    "metrics_urls": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **CHART,
            **VERSIONS,
            **STRICTNESS,
            "workload": {"type": "dict", "options": _WORKLOAD},
            "service_times": {
                "type": "dict",
                "default": {},
                "options": {"sentence": _SERVICE_TIME, "token": {**_SERVICE_TIME, "no_log": False}},
            },
            "explainers": {"type": "list", "elements": "dict", "default": [], "options": _EXPLAINER},
            "concurrency_env": {"type": "str", "default": "EXPLAINER_WORKERS"},
            "target_utilisation": {"type": "float", "default": 0.7},
            "slack": {"type": "float", "default": 0.2},
            "ca_path": {"type": "path"},
            "validate_certs": {"type": "bool", "default": True},
            "timeout": {"type": "float", "default": 10.0},
        },
        supports_check_mode=True,
    )
    inspect(module, "capacity_attach_rate", check.examine)


if __name__ == "__main__":
    main()
