#!/usr/bin/python
# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: argocd_check
short_description: Hold Argo CD's applications to what their repository and their chart hold
version_added: 0.1.0
description:
  - Reads the Applications, ApplicationSets and AppProjects in files, validates them by strict schemas, and expands list generators. It
    asks no Argo CD and no cluster.
  - Where they come from. Fails with C(source-ambiguous), C(source-path-missing), C(value-file-missing), and in production with
    C(revision-not-pinned).
  - Where they go, and whether their project lets them. Fails with C(destination-ambiguous), C(project-missing),
    C(project-forbids-source), C(project-forbids-destination), C(project-forbids-kind), C(namespace-missing) or
    C(namespace-metadata-inert). Warns of C(chart-deployed-otherwise).
  - How they are synchronised. Fails with C(sync-option-unknown), C(sync-wave-invalid), C(self-heal-fights-autoscaler),
    C(custom-resource-before-definition) or C(resource-in-two-applications). Warns of C(automation-inert), C(prune-may-empty) and
    C(deletion-unsaid).
  - Fails with C(argocd-schema-broken) for what the definitions of Argo CD refuse, and with C(no-applications) where the files hold none.
  - Renders the chart at O(chart_path) with the helm CLI, to know which workloads are autoscaled and what an application deploys. Folders
    of the repository that hold plain manifests are read for the same reason. Kustomize and plugins are not run.
  - What a generator makes that depends on a cluster or on a repository is judged as a template, and what a C(templatePatch) changes is not
    judged; RV(verdict) names those ApplicationSets.
  - Never fails a play. What it finds is in RV(verdict), which the report role gathers.
extends_documentation_fragment:
  - hypergraph.sidecar.artifacts
  - hypergraph.sidecar.artifacts.chart
  - hypergraph.sidecar.artifacts.versions
  - hypergraph.sidecar.attributes
author:
  - hypergraph.sidecar contributors (@hypergraph)
options:
  argocd_paths:
    description: Files with the objects of Argo CD, and directories with such, at any depth. Where it is empty, the check is skipped.
    type: list
    elements: path
    default: []
  repo_root:
    description: A checkout of the repository that the applications point into. Where it is empty, paths and value files are not looked for.
    type: path
  repo_folder:
    description: The folder of the repository that O(repo_root) is, such as V(deploy), where it is not the whole of it.
    type: str
    default: ""
  repo_url:
    description: The C(repoURL) of that repository. Needed where sources with a path name more than one.
    type: str
    default: ""
requirements:
  - helm >= 3.17, where O(chart_path) is given
  - jsonschema
  - kubernetes-validate
  - PyYAML
seealso:
  - module: hypergraph.sidecar.autoscaling_check
"""

EXAMPLES = r"""
- name: What Argo CD is told to deploy is what was meant
  hypergraph.sidecar.argocd_check:
    argocd_paths: [/srv/release/manifests/argocd]
    repo_root: /srv/release
    chart_path: /srv/release/manifests/helm/hypergraph
    values_files: [/srv/release/manifests/helm/hypergraph/values-production.yaml]
    namespace: hypergraph
    production: true
  register: sidecar_verdict_argocd

- name: Applications whose sources are in several repositories, one of which is at hand
  hypergraph.sidecar.argocd_check:
    argocd_paths: [/srv/apps/applications.yaml]
    repo_root: /srv/release
    repo_url: https://git.example.org/sidecar/release.git
    fail_on: warning
  register: sidecar_verdict_argocd
"""

RETURN = r"""
verdict:
  description:
    - The verdict on C(deploy_artifacts), schema C(verdict-1).
    - C(evidence.applications) names the applications that were judged, C(evidence.application_sets_not_expanded) the ApplicationSets that
      only Argo CD can expand, C(evidence.kinds_without_schema) what else is in the files and is held to no schema.
    - C(evidence.rules_examined) counts what each rule looked at, C(evidence.rules_not_applicable) names rules that had nothing to look at.
  returned: always
  type: dict
  sample:
    schema: verdict-1
    check: deploy_artifacts
    status: fail
    reason: "The namespace an application goes to is there, or is made: Application/pools spec.syncPolicy.syncOptions: expected
      CreateNamespace=true or a Namespace, observed nothing makes namespace shop-pools of pools (argocd/apps.yaml:31)"
    reason_code: namespace-missing
    examined: {Argo CD objects: 5, applications: 6, rules: 19}
msg:
  description: Status and reason in one line.
  returned: always
  type: str
  sample: "pass: 20 assertions hold; examined 5 Argo CD objects, 6 applications, 19 rules"
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.argocd import check
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import inspect
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.arguments import CHART, STRICTNESS, VERSIONS


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **CHART,
            **VERSIONS,
            **STRICTNESS,
            "argocd_paths": {"type": "list", "elements": "path", "default": []},
            "repo_root": {"type": "path"},
            "repo_folder": {"type": "str", "default": ""},
            "repo_url": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    inspect(module, "deploy_artifacts", check.examine)


if __name__ == "__main__":
    main()
