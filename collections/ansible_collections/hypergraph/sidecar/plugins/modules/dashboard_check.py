#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dashboard_check
short_description: Hold the queries of dashboards, alerts and scalers to what the services export
version_added: 0.1.0
description:
  - Reads every query of Grafana dashboards (panels in rows or out of them, library panels, variables, annotations), of Prometheus rules
    (rule files and PrometheusRule objects), and of the ScaledObjects that a chart renders. Parses them as PromQL, with values in the
    places of Grafana's variables.
  - Asks each metrics endpoint once what it exports, and sends it no work. Saved answers in O(scrape_paths) count beside them, or in their
    place before there is an environment.
  - Fails on C(query-invalid), C(metric-not-exported), C(label-not-exported), C(counter-used-raw), C(gauge-used-as-counter),
    C(rate-of-aggregate), C(quantile-without-le), C(bucket-not-exported), C(window-too-short), C(threshold-out-of-reach) and
    C(unit-mismatch), each with the file, the line and the path in it.
  - Rules must be such as Prometheus loads, and alerts must say how severe they are, what is wrong, and where help is written. Fails on
    C(rule-malformed), C(alert-without-severity), C(alert-without-summary) and C(alert-without-runbook). Warns of
    C(template-without-label), a legend or annotation with a label that is always empty.
  - Which values a label has is not examined, except the bounds of buckets. Metrics of other systems are counted and named, and not
    examined; so are labels of families that have no series yet. A query that depends on a variable without a value makes the verdict
    inconclusive, as does an endpoint that does not answer with metrics while a metric is missing.
  - No query at all is inconclusive, no metrics at all is skipped.
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.connection
  - hypergraph.sidecar.artifacts
  - hypergraph.sidecar.artifacts.chart
  - hypergraph.sidecar.artifacts.versions
  - hypergraph.sidecar.attributes
options:
  dashboard_paths:
    description: Dashboards as JSON, and directories with such (C(*.json), at any depth).
    type: list
    elements: path
    default: []
  rules_paths:
    description: Prometheus rule files or PrometheusRule objects as YAML, and directories with such. Rules that the chart renders count too.
    type: list
    elements: path
    default: []
  endpoints:
    description: The metrics endpoints, as M(hypergraph.sidecar.metrics_probe) takes them. Those whose url is empty count as absent.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The service, as letters, digits, C(-) and C(_).
        type: str
        required: true
      url:
        description: Address of the exposition.
        type: str
        required: true
      families:
        description: Not examined here. Taken so that both modules can be given the same endpoints.
        type: list
        elements: dict
  scrape_paths:
    description: Saved answers of metrics endpoints, Prometheus text 0.0.4 or OpenMetrics 1.0.
    type: list
    elements: path
    default: []
  scrape_interval:
    description:
      - Seconds between two scrapes. Windows of rates must span two of them, those of scalers four.
      - V($__rate_interval) counts as four of them, V($__interval) as one.
    type: float
    default: 30.0
  external_metrics:
    description: Shell patterns of metrics that other systems export. A metric that is exported here is examined all the same.
    type: list
    elements: str
    default:
      - up
      - scrape_*
      - ALERTS
      - ALERTS_FOR_STATE
      - kube_*
      - container_*
      - node_*
      - keda_*
      - karpenter_*
      - argocd_*
      - kubelet_*
      - DCGM_*
      - prometheus_*
  target_labels:
    description: Labels that Prometheus gives to what it scrapes, and that no exposition shows.
    type: list
    elements: str
    default: [job, instance, namespace, pod, container, service, endpoint, node, cluster]
  max_bytes:
    description: The largest exposition to read, in bytes.
    type: int
    default: 33554432
requirements:
  - prometheus_client >= 0.22
  - promql-parser >= 0.9
  - PyYAML
seealso:
  - module: hypergraph.sidecar.metrics_probe
  - module: hypergraph.sidecar.autoscaling_check
"""

EXAMPLES = r"""
- name: Dashboards, alerts and scalers ask for what is there
  hypergraph.sidecar.dashboard_check:
    base_url: https://gateway.staging.example.org
    endpoints:
      - name: gateway
        url: https://gateway.staging.example.org/metrics
      - name: explainer
        url: http://explainer.staging.example.org:9090/metrics
    dashboard_paths: [/srv/release/dashboards/grafana]
    rules_paths: [/srv/release/dashboards/prometheus/alerts.yaml]
    chart_path: /srv/release/manifests/helm/hypergraph
    values_files: [/srv/release/manifests/helm/hypergraph/values-staging.yaml]
  register: sidecar_verdict_dashboards

- name: Before there is an environment, against what the release exported in the lab
  hypergraph.sidecar.dashboard_check:
    base_url: https://gateway.staging.example.org
    scrape_paths: [/srv/release/scrapes/gateway.prom, /srv/release/scrapes/explainer.prom]
    dashboard_paths: [/srv/release/dashboards/grafana]
    external_metrics: [up, "kube_*", "keda_*", "istio_*"]
  register: sidecar_verdict_dashboards
"""

RETURN = r"""
verdict:
  description:
    - The verdict on C(observability), schema C(verdict-1).
    - C(evidence.external_metrics) names what was left to other systems, C(evidence.metrics_exported_and_not_queried) what nobody asks for.
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: observability
    status: fail
    reason: "queries name metrics that are exported: panel 'Backlog age', query A .panels[22].targets[0].expr: expected
      explainer_lag_seconds to be exported or recorded, observed no such metric, the nearest is explainer_queue_lag_seconds
      (dashboards/grafana/sidecar-overview.json:1204)"
    reason_code: metric-not-exported
    examined: {dashboards: 1, queries: 66, endpoints: 2, rules: 15, metrics: 21}
findings:
  description: What does not hold, one by one, with C(rule), C(severity), C(object), C(path), C(file), C(line), C(expected), C(observed)
    and C(fix). Missing where the check ended before anything was judged.
  returned: when queries were judged
  type: list
  elements: dict
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: >-
    pass: 15 assertions hold; examined 1 dashboards, 66 queries, 2 endpoints, 15 rules, 21 metrics; not examined: 5 metrics of other
    systems: keda_scaler_detail_errors_total, up
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import ARGUMENTS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards import check
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.arguments import CHART, STRICTNESS, VERSIONS

EXTERNAL = [
    "up",
    "scrape_*",
    "ALERTS",
    "ALERTS_FOR_STATE",
    "kube_*",
    "container_*",
    "node_*",
    "keda_*",
    "karpenter_*",
    "argocd_*",
    "kubelet_*",
    "DCGM_*",
    "prometheus_*",
]
TARGET_LABELS = ["job", "instance", "namespace", "pod", "container", "service", "endpoint", "node", "cluster"]


def main() -> None:
    endpoint = {
        "name": {"type": "str", "required": True},
        "url": {"type": "str", "required": True},
        "families": {"type": "list", "elements": "dict"},
    }
    module = AnsibleModule(
        argument_spec={
            **ARGUMENTS,
            **STRICTNESS,
            **CHART,
            **VERSIONS,
            "dashboard_paths": {"type": "list", "elements": "path", "default": []},
            "rules_paths": {"type": "list", "elements": "path", "default": []},
            "endpoints": {"type": "list", "elements": "dict", "default": [], "options": endpoint},
            "scrape_paths": {"type": "list", "elements": "path", "default": []},
            "scrape_interval": {"type": "float", "default": 30.0},
            "external_metrics": {"type": "list", "elements": "str", "default": EXTERNAL},
            "target_labels": {"type": "list", "elements": "str", "default": TARGET_LABELS},
            "max_bytes": {"type": "int", "default": 33554432},
        },
        supports_check_mode=True,
    )
    run(module, "observability", check.examine)


if __name__ == "__main__":
    main()
