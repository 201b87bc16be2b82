#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscaling_check
short_description: Hold autoscaling policies to their values, to KEDA, and to the nodes there are
version_added: 0.1.0
description:
  - Renders the chart at O(chart_path) with the helm CLI, and holds its ScaledObjects and HorizontalPodAutoscalers to what KEDA and
    Kubernetes take and to what they mean. It asks no cluster. KEDA's own webhook lets objects pass where it does not answer.
  - Who scales what. Fails with C(scaled-object-missing), C(scale-target-missing), C(scaled-by-keda-and-hpa), C(scaled-twice),
    C(replicas-owned-twice) or C(autoscaler-name-too-long).
  - What the values set. Bounds, intervals, fallback and C(backlogSecondsTarget) are compared with what is rendered of them. Fails with
    C(values-disagree) or C(backlog-target-disagrees), the latter also where the lag in seconds would be divided by the replicas.
  - How far and how fast. Fails with C(replica-bounds-inverted), C(autoscaler-paused), C(zero-without-external-trigger),
    C(resource-request-missing) or C(scaling-behavior-refused). Warns of C(scaling-setting-inert).
  - What triggers say. Fails with C(trigger-metadata-not-text), C(trigger-parameter-missing), C(trigger-parameter-refused),
    C(metric-type-refused), C(trigger-refused), C(authentication-missing), C(formula-refused), C(kafka-trigger-refused),
    C(consumers-exceed-partitions), C(queue-url-refused), C(scaler-query-invalid), C(scaler-query-returns-many) or
    C(scales-to-zero-by-own-metric). Warns of C(trigger-parameter-unknown) and C(intensive-metric-averaged).
  - What happens without metrics. Fails with C(fallback-without-trigger) or C(fallback-hidden-by-nulls). Warns of C(fallback-outside-bounds)
    and C(keda-too-old).
  - Whether there are nodes for it. Holds the NodePools and EC2NodeClasses at O(karpenter_paths) to Karpenter's rules, and the workloads at
    their most replicas to the limits, labels, taints and GPUs of the NodePools. Fails with C(no-node-pools),
    C(pool-limits-below-full-scale), C(pod-exceeds-node), C(node-label-not-offered), C(taint-not-tolerated), C(gpu-not-offered),
    C(gpu-pool-takes-cpu-pods), C(node-class-missing), C(node-class-refused), C(node-pool-refused), C(instance-label-unknown),
    C(karpenter-taint-misused), C(karpenter-api-outdated), C(karpenter-v1beta1-left-over) or C(karpenter-schema-broken). Warns of
    C(image-floats) in production, C(gpu-pool-unlimited), C(budget-blocks-disruption), C(workload-without-node-pool),
    C(overlapping-node-pools), C(expiry-without-end) and C(spot-ends-work).
  - Parameters of triggers are judged for C(prometheus), C(kafka), C(aws-sqs-queue), C(cpu), C(memory), C(cron), C(redis) and its kinds,
    C(rabbitmq) and C(postgresql). Other types are named in RV(verdict) as not examined.
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.artifacts
  - hypergraph.sidecar.artifacts.chart
  - hypergraph.sidecar.artifacts.versions
  - hypergraph.sidecar.attributes
author:
  - hypergraph.sidecar contributors (@hypergraph)
options:
  karpenter_paths:
    description: Files with NodePools and their node classes, and directories with such, at any depth.
    type: list
    elements: path
    default: []
  argocd_paths:
    description:
      - Files with the objects of Argo CD, and directories with such. An Application that leaves C(/spec/replicas) alone makes it right to
        render them beside an autoscaler.
    type: list
    elements: path
    default: []
  autoscaled_workloads:
    description:
      - Names of the workloads that must have an autoscaler. Where it is empty, at least one workload must, unless the values switch
        autoscaling off everywhere.
    type: list
    elements: str
    default: []
requirements:
  - helm >= 3.17, where O(chart_path) is given
  - promql-parser
  - PyYAML
seealso:
  - module: hypergraph.sidecar.argocd_check
  - module: hypergraph.sidecar.capacity_check
"""

EXAMPLES = r"""
- name: What scales the explainers is what was set, and there are nodes for it
  hypergraph.sidecar.autoscaling_check:
    chart_path: /srv/release/manifests/helm/hypergraph
    values_files: [/srv/release/manifests/helm/hypergraph/values-production.yaml]
    karpenter_paths: [/srv/release/manifests/karpenter]
    argocd_paths: [/srv/release/manifests/argocd]
    autoscaled_workloads: [hypergraph-gateway, hypergraph-explainer-cpu, hypergraph-explainer-gpu]
    production: true
  register: sidecar_verdict_autoscaling

- name: A cluster with an older KEDA, whose nodes are not Karpenter's
  hypergraph.sidecar.autoscaling_check:
    chart_path: /srv/release/manifests/helm/hypergraph
    keda_version: "2.16"
    fail_on: warning
  register: sidecar_verdict_autoscaling
"""

RETURN = r"""
verdict:
  description:
    - The verdict on C(autoscaling_policies), schema C(verdict-1).
    - C(evidence.rules_examined) counts what each rule looked at, C(evidence.rules_not_applicable) names rules that had nothing to look at,
      C(evidence.trigger_types_not_examined) types of triggers whose parameters nobody judged.
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: autoscaling_policies
    status: fail
    reason: "The backlog target is the threshold of a trigger that measures seconds, undivided: ScaledObject/hypergraph-explainer-gpu
      spec.triggers[0].metricType: expected metricType Value, observed AverageValue, divided by the replicas
      (/srv/release/manifests/helm/hypergraph/templates/explainer/scaledobject.yaml)"
    reason_code: backlog-target-disagrees
    examined: {NodePools: 2, autoscalers: 3, triggers: 4, rules: 41}
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 43 assertions hold; examined 2 NodePools, 3 autoscalers, 4 triggers, 41 rules"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling import check
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import inspect
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.arguments import CHART, STRICTNESS, VERSIONS


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **CHART,
            **VERSIONS,
            **STRICTNESS,
            "karpenter_paths": {"type": "list", "elements": "path", "default": []},
            "argocd_paths": {"type": "list", "elements": "path", "default": []},
            "autoscaled_workloads": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    inspect(module, "autoscaling_policies", check.examine)


if __name__ == "__main__":
    main()
