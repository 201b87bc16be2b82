#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: chart_check
short_description: Hold a Helm chart, as it renders for an environment, to what Kubernetes takes and to what production needs
version_added: 0.1.0
description:
  - Renders the chart at O(chart_path) with the helm CLI, and holds every object to rules. It asks no cluster.
  - Values. Fails with C(values-key-undefined) where a template prints a key that nothing defines. Warns of C(values-key-unused).
  - What the API server takes. Kubernetes' own kinds are validated by the schemas of O(kube_version), those of KEDA, Karpenter, Argo CD
    and Prometheus Operator by strict ones. Fails with C(expected-kind-missing), C(api-version-not-served), C(schema-broken),
    C(name-invalid), C(port-name-invalid), C(pod-count-invalid), C(label-invalid), C(key-rendered-twice) or
    C(object-rendered-twice). Warns of C(api-version-deprecated). A custom resource that there is no schema for makes the verdict
    inconclusive (C(schema-unknown)), unless O(kinds_without_schema) names its kind.
  - What selects what. Fails with C(selector-mismatch), C(selectors-overlap), C(service-selects-nothing), C(service-port-not-offered),
    C(monitor-selects-nothing), C(monitor-port-missing) or C(ingress-port-missing). Warns of C(service-port-undeclared),
    C(service-port-ambiguous) and C(ingress-service-missing). A selector that may mean pods of an operator makes the verdict inconclusive
    (C(selector-not-judged)), unless O(selects_operator_pods) names its object.
  - What refers to what. Fails with C(reference-missing), C(reference-key-missing) or C(volume-missing).
  - What the network lets through. Fails with C(policy-selects-nothing), C(metrics-blocked), C(service-blocked), C(scaler-source-blocked),
    C(dns-blocked), C(webhooks-blocked), and in production with C(network-policy-missing). Warns of C(dns-truncated),
    C(metadata-service-reachable) and C(policy-peer-unknown). Nothing is said of it where policies of another kind are rendered, such as
    Cilium's.
  - How pods begin and end. Fails with C(readiness-missing), C(probe-port-missing) or C(pre-stop-outlasts-grace). Warns of
    C(liveness-missing), C(liveness-before-readiness), C(grace-period-too-short) and C(progress-deadline-too-short).
  - What containers ask for and are made of. Fails with C(requests-missing), C(memory-limit-missing), C(request-exceeds-limit),
    C(image-not-pinned), and in production with C(image-without-digest).
  - Disruption. Fails with C(budget-ambiguous), C(budget-selects-nothing), C(budgets-overlap), C(budget-blocks-eviction), and in production
    with C(budget-missing). Warns of C(budget-spans-workloads) and C(budget-protects-nothing).
  - Security. Fails with C(pod-breaks-baseline), C(pod-breaks-restricted) or C(secret-in-plain-text). Warns of
    C(root-filesystem-writable), C(token-mounted-unused) and C(secret-rendered). No finding quotes what may be a secret.
  - Fails with C(nothing-rendered) where the chart renders no object. Test hooks are not rendered.
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.artifacts
  - hypergraph.sidecar.artifacts.chart
  - hypergraph.sidecar.artifacts.versions
  - hypergraph.sidecar.attributes
author:
  - hypergraph.sidecar contributors (@hypergraph)
options:
  expected_kinds:
    description: Kinds of which the chart must render at least one object.
    type: list
    elements: str
    default: [Deployment, Service, PodDisruptionBudget, NetworkPolicy, ScaledObject]
  kinds_without_schema:
    description: Kinds of custom resources that need not be validated here.
    type: list
    elements: str
    default: []
  existing_objects:
    description:
      - Objects that are in the namespace already, as C(Kind/name), such as V(Secret/hypergraph-secrets).
      - Where it is empty, Secrets and claims that pods refer to and the chart does not render are taken as there, and RV(verdict) names
        them. ConfigMaps and service accounts never are.
      - Secrets that External Secrets, Sealed Secrets or cert-manager make of what the chart renders need not be named.
    type: list
    elements: str
    default: []
  selects_operator_pods:
    description:
      - Objects of the release that select pods or Services which an operator makes, as C(Kind/name), such as V(NetworkPolicy/kafka).
      - Where custom resources are rendered that an operator may make pods of, an object that selects nothing that is rendered makes the
        verdict inconclusive unless it is named here.
    type: list
    elements: str
    default: []
  pod_security:
    description: The Pod Security Standard that pods must keep.
    type: str
    choices: [restricted, baseline, privileged]
    default: restricted
  prometheus_namespace:
    description: Namespace that Prometheus scrapes from. Where it is empty, a policy that lets in pods of anybody else is enough.
    type: str
    default: ""
  webhook_senders:
    description: Patterns of the names of workloads that deliver webhooks to addresses outside the cluster.
    type: list
    elements: str
    default: ["*explainer*"]
  webhook_port:
    description: Port that webhooks are delivered to.
    type: int
    default: 443
  stage_p99_seconds:
    description: 'The p99 of the longest stage in seconds, by patterns of the names of workloads, such as C({"*-explainer-gpu": 8}).'
    type: dict
    default: {}
requirements:
  - helm >= 3.17
  - jsonschema
  - kubernetes-validate
  - PyYAML
seealso:
  - module: hypergraph.sidecar.argocd_check
  - module: hypergraph.sidecar.autoscaling_check
"""

EXAMPLES = r"""
- name: The chart of a release is fit for production
  hypergraph.sidecar.chart_check:
    chart_path: /srv/release/manifests/helm/hypergraph
    values_files: [/srv/release/manifests/helm/hypergraph/values-production.yaml]
    kube_version: "1.33"
    production: true
    existing_objects: [Secret/hypergraph-secrets, PersistentVolumeClaim/hypergraph-audit]
    prometheus_namespace: monitoring
    stage_p99_seconds: {"*-explainer-cpu": 2, "*-explainer-gpu": 8}
  register: sidecar_verdict_chart

- name: A chart without autoscaling, for a cluster with looser rules
  hypergraph.sidecar.chart_check:
    chart_path: /srv/release/chart
    expected_kinds: [Deployment, Service]
    pod_security: baseline
    disabled_rules: [token-mounted-unused]
  register: sidecar_verdict_chart
"""

RETURN = r"""
verdict:
  description:
    - The verdict on C(deploy_artifacts), schema C(verdict-1).
    - C(evidence.objects_by_kind) counts what was rendered, C(evidence.taken_as_there) names Secrets and claims that must be in the cluster.
    - C(evidence.rules_examined) counts what each rule looked at, C(evidence.rules_not_applicable) names rules that had nothing to look at.
    - C(evidence.values_not_examined) says why the values were not compared with the templates, where they were not.
    - C(evidence.kubernetes_schemas) names the version whose schemas were used, where there are none of O(kube_version).
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: deploy_artifacts
    status: fail
    reason: "Every port that a Service names is one of the pods it selects: Service/hypergraph-gateway spec.ports[0].targetPort: expected
      the name of a container's port, observed targetPort web; containers have http, intercept
      (/srv/release/manifests/helm/hypergraph/templates/gateway/service.yaml)"
    reason_code: service-port-not-offered
    examined: {rendered objects: 24, rules: 39}
findings:
  description: What does not hold, one by one, with C(rule), C(severity), C(object), C(path), C(file), C(line), C(expected), C(observed)
    and C(fix).
  returned: always
  type: list
  elements: dict
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 40 assertions hold; examined 24 rendered objects, 39 rules"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart import check
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import inspect
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.arguments import CHART, STRICTNESS, VERSIONS


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **CHART,
            **VERSIONS,
            **STRICTNESS,
            "expected_kinds": {
                "type": "list",
                "elements": "str",
                "default": ["Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy", "ScaledObject"],
            },
            "kinds_without_schema": {"type": "list", "elements": "str", "default": []},
            "existing_objects": {"type": "list", "elements": "str", "default": []},
            "selects_operator_pods": {"type": "list", "elements": "str", "default": []},
            "pod_security": {"type": "str", "choices": ["restricted", "baseline", "privileged"], "default": "restricted"},
            "prometheus_namespace": {"type": "str", "default": ""},
            "webhook_senders": {"type": "list", "elements": "str", "default": ["*explainer*"]},
            "webhook_port": {"type": "int", "default": 443},
            "stage_p99_seconds": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    inspect(module, "deploy_artifacts", check.examine)


if __name__ == "__main__":
    main()
