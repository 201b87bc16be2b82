#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: metrics_probe
short_description: Check that metrics exist, move with the work, and stay countable
version_added: 0.1.0
description:
  - Scrapes each endpoint, sends O(chats) chats with an explanation attached and waits for their end, scrapes again, sends twice as many,
    and scrapes a third time. Where a label then looks as though it grew, four times as many and a fourth scrape settle it.
  - An endpoint must answer C(200) with the content type of an exposition and parse strictly as what it says it is, Prometheus text 0.0.4
    or OpenMetrics 1.0. It is asked for in the order that Prometheus asks. Fails on C(metrics-absent) (it answers without metrics),
    C(metrics-unavailable), C(metrics-wrong-content-type), C(exposition-invalid), which names the line, and C(scrape-stale).
  - The expected families must be there with their types, labels and values, gauges with at least one sample that is a number, and
    histogram buckets must straddle the SLO. Labels of a family without series are not examined, and the verdict says so. Fails on
    C(family-missing), C(family-wrong-type), C(label-missing), C(label-value-missing), C(value-missing), C(value-out-of-range),
    C(bucket-misses-slo) and C(histogram-inconsistent).
  - Counters must move by at least what the probe drove, never back, and durations must not exceed what was seen from outside. Fails on
    C(counter-frozen), C(counter-decreased), C(duration-exceeds-wall-time) and C(duration-not-measured).
  - Cardinality is judged as a slope. A label whose new values appear at the same rate in each interval grows with requests, one whose
    values were merely seen for the first time levels off. Fails on C(cardinality-grows), which names the label, also where a label shows
    an id that only a chat of the probe had, and on C(identifier-label) for values that are e-mail addresses, subjects of O(tokens), or
    sets of UUIDs or long hexadecimal numbers.
  - Without a token that carries C(traces:read) and C(traces:write), in check mode, and with O(chats=0), only what can be seen at rest is
    examined, and the verdict says so. An endpoint that breaks does not keep the others from being examined.
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.connection
options:
  endpoints:
    description:
      - The metrics endpoints. Those whose O(endpoints[].url) is empty count as absent; without any the check is skipped.
      - Several with one O(endpoints[].name) are the replicas of one service. Each must expose its families, and what they counted is
        added up. Name every replica, for a chat may reach any.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The service, as letters, digits, C(-) and C(_).
        type: str
        required: true
      url:
        description: Address of the exposition, such as C(http://explainer-1:9090/metrics).
        type: str
        required: true
      families:
        description:
          - The families the endpoint must expose. Where omitted, those of the contract for an endpoint named V(gateway) or V(explainer),
            and none for any other, of which only the exposition and its labels are examined then.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name as exposed, that of a counter with C(_total).
            type: str
            required: true
          type:
            description: Its type.
            type: str
            choices: [counter, gauge, histogram, summary, untyped]
            required: true
          labels:
            description: Labels it must have, each with the list of values that must be among its own.
            type: dict
          slo_seconds:
            description: Objectives that the buckets of a histogram must straddle, with a bound within a factor of two on both sides.
            type: list
            elements: float
          values:
            description: The values a gauge may show.
            type: list
            elements: float
          driven:
            description:
              - What moves it by one or more, each accepted attached chat or each completed explanation. Where values are listed in
                O(endpoints[].families[].labels), each of them is moved so. For counters, histograms and summaries.
            type: str
            choices: [chats, explanations]
  chats:
    description:
      - How many attached chats to send in the first interval; the second has twice as many, and a third, where needed, four times as
        many. At least 3, or 0 for none.
    type: int
    default: 5
  settle:
    description:
      - Seconds that metrics may lag behind what they count. Counters that are behind are read again until then. Raise it beyond the export
        interval where metrics pass through a collector.
    type: float
    default: 2.0
  max_bytes:
    description: The largest exposition to read, in bytes. A larger one is an error that says so. 10 MB take 2 to 4 seconds a scrape.
    type: int
    default: 33554432
  model:
    description: Model name to send with chats.
    type: str
    default: gpt-4o-mini
  trace_deadline:
    description: Seconds the explanations of an interval may take to end. What does not end by then is not counted.
    type: float
    default: 15.0
requirements:
  - prometheus_client >= 0.22
seealso:
  - module: hypergraph.sidecar.trace_probe
"""

EXAMPLES = r"""
- name: The metrics exist, move, and stay countable
  hypergraph.sidecar.metrics_probe:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    endpoints:
      - name: gateway
        url: https://gateway.staging.example.org/metrics
      - name: explainer
        url: http://explainer-1.staging.example.org:9090/metrics
      - name: explainer
        url: http://explainer-2.staging.example.org:9090/metrics
  register: sidecar_verdict_metrics

- name: A service of our own, with the families our dashboards query
  hypergraph.sidecar.metrics_probe:
    base_url: https://gateway.staging.example.org
    tokens: "{{ sidecar_tokens }}"
    endpoints:
      - name: router
        url: http://router.staging.example.org:9100/metrics
        families:
          - name: router_requests_total
            type: counter
            labels: {code: ["200"]}
            driven: chats
          - name: router_latency_seconds
            type: histogram
            slo_seconds: [0.5]
            driven: chats
  register: sidecar_verdict_metrics
"""

RETURN = r"""
verdict:
  description: The verdict on C(observability), schema C(verdict-1).
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: observability
    status: fail
    reason: "gateway: label request_id of http_requests_total: 1.0 new values a request, ids of the probe among them"
    reason_code: cardinality-grows
    examined: {chats: 15, expected families: 7, endpoints: 2, series: 118}
    metrics: {metrics_gateway_series: 58, metrics_gateway_scrape_seconds: 0.0041, metrics_gateway_series_per_chat: 3.0}
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 31 assertion holds, 1 control held; examined 15 chats, 7 expected families, 2 endpoints, 118 series"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import ARGUMENTS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.metrics import probe


def main() -> None:
    family = {
        "name": {"type": "str", "required": True},
        "type": {"type": "str", "choices": ["counter", "gauge", "histogram", "summary", "untyped"], "required": True},
        "labels": {"type": "dict"},
        "slo_seconds": {"type": "list", "elements": "float"},
        "values": {"type": "list", "elements": "float"},
        "driven": {"type": "str", "choices": ["chats", "explanations"]},
    }
    endpoint = {
        "name": {"type": "str", "required": True},
        "url": {"type": "str", "required": True},
        "families": {"type": "list", "elements": "dict", "options": family},
    }
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            "endpoints": {"type": "list", "elements": "dict", "default": [], "options": endpoint},
            "chats": {"type": "int", "default": 5},
            "settle": {"type": "float", "default": 2.0},
            "max_bytes": {"type": "int", "default": 33554432},
            "model": {"type": "str", "default": "gpt-4o-mini"},
            "trace_deadline": {"type": "float", "default": 15.0},
        },
        supports_check_mode=True,
    )
    run(module, "observability", probe.examine)


if __name__ == "__main__":
    main()
