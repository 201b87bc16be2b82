#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: live_check
short_description: Hold what a cluster runs against what a Helm chart renders
version_added: 0.1.0
description:
  - Renders the chart at O(chart_path) with the helm CLI, reads its objects from the cluster by M(kubernetes.core.k8s_info), and compares.
    It changes nothing in the cluster.
  - What the render sets must be so in the cluster; what it does not set may be anything there. Defaults, status, C(managedFields), and
    the replicas of a workload that an autoscaler of the chart scales are no drift. Quantities are compared as numbers, and lists whose
    items have names (containers, variables, ports, volumes) by these names.
  - Fails with C(live-object-missing) or C(live-field-differs). Warns of C(live-item-added), which a deployment leaves alone and an
    injecting webhook may have made, and of C(live-object-extra). What cannot be read makes the verdict inconclusive (C(live-unread)), or an
    error (C(cluster-unreadable)) where nothing can.
  - Values of Secrets and ConfigMaps are digested before they leave the action plugin, and are compared by digest. No finding quotes them,
    nor variables and arguments of containers. Secrets are read by name, and only those that the chart renders.
  - Helm hooks are not compared, since they are deleted when they have run.
  - Needs the collection kubernetes.core on the controller, which is not a dependency of this one, and its Python library kubernetes where
    the module runs. Without them the verdict is a skip that says so.
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.artifacts
  - hypergraph.sidecar.artifacts.chart
  - hypergraph.sidecar.artifacts.versions
  - hypergraph.sidecar.attributes
author:
  - hypergraph.sidecar contributors (@hypergraph)
options:
  kubeconfig:
    description:
      - The kubeconfig to reach the cluster with, on the host where the module runs. Where it is empty, C(K8S_AUTH_*) of the environment or
        the account's own, as for M(kubernetes.core.k8s_info).
    type: path
  context:
    description: The context in it. Where it is empty, its current one.
    type: str
    default: ""
  live_ignore:
    description:
      - Patterns of findings that are meant to be, as findings name them, such as V(Deployment/* spec.template.metadata.annotations.*).
    type: list
    elements: str
    default: []
  reads:
    description:
      - What was read of the cluster in a task of your own, such as on another host that reaches it; then nothing is read here.
      - The C(results) of M(kubernetes.core.k8s_info) in a loop over items with C(api_version), C(kind), C(namespace) and, for Secrets,
        C(name). C(evidence.to_read) in the RV(verdict) of a run without it tells what to read.
    type: list
    elements: dict
requirements:
  - helm >= 3.17
  - kubernetes (for M(kubernetes.core.k8s_info))
  - PyYAML
seealso:
  - module: hypergraph.sidecar.chart_check
"""

EXAMPLES = r"""
- name: The cluster runs what is rendered
  hypergraph.sidecar.live_check:
    chart_path: /srv/release/manifests/helm/hypergraph
    values_files: [/srv/release/manifests/helm/hypergraph/values-production.yaml]
    kubeconfig: /etc/sidecar/kubeconfig
    live_ignore: ["Deployment/* spec.template.metadata.annotations.*"]
  register: sidecar_verdict_live
"""

RETURN = r"""
verdict:
  description:
    - The verdict on C(deploy_artifacts), schema C(verdict-1).
    - C(evidence.live_by_kind) counts what was compared, C(evidence.rules_examined) what each rule looked at.
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: deploy_artifacts
    status: fail
    reason: "What the render sets is so in the cluster: Deployment/hypergraph-gateway spec.template.spec.containers[0].image: expected
      'registry.example.org/hypergraph:1.4.2', observed 'registry.example.org/hypergraph:1.4.1'
      (/srv/release/manifests/helm/hypergraph/templates/gateway/deployment.yaml)"
    reason_code: live-field-differs
    examined: {objects looked for: 24, live objects: 24, rules: 4}
findings:
  description: What does not hold, one by one, with C(rule), C(severity), C(object), C(path), C(file), C(expected), C(observed) and C(fix).
  returned: always
  type: list
  elements: dict
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 4 assertions hold; examined 24 objects looked for, 24 live objects, 4 rules"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import inspect
from ansible_collections.hypergraph.sidecar.plugins.module_utils.live import check
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.arguments import CHART, STRICTNESS, VERSIONS


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **CHART,
            **VERSIONS,
            **STRICTNESS,
            "kubeconfig": {"type": "path"},
            "context": {"type": "str", "default": ""},
            "live_ignore": {"type": "list", "elements": "str", "default": []},
            "reads": {"type": "list", "elements": "dict"},
        },
        supports_check_mode=True,
    )
    inspect(module, "deploy_artifacts", check.examine)


if __name__ == "__main__":
    main()
