# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the arguments that checks of artifacts share."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragments named C(artifacts), C(artifacts.chart) and C(artifacts.versions)."""

    DOCUMENTATION = r"""
options:
  production:
    description: Whether rules that only production has to keep are held.
    type: bool
    default: false
  fail_on:
    description: The least severity of a finding that fails the check. Findings below it are told as warnings.
    type: str
    choices: [error, warning]
    default: error
  disabled_rules:
    description: Ids of rules not to hold. The verdict names them.
    type: list
    elements: str
    default: []
  deadline:
    description: Seconds the check may take.
    type: float
    default: 60.0
"""

    CHART = r"""
options:
  chart_path:
    description:
      - Directory of the Helm chart, on the host where the module runs. It is rendered by the C(helm) there, 3.17 or newer, which needs no
        cluster and fetches nothing.
    type: path
  release:
    description: Name of the release.
    type: str
    default: hypergraph
  namespace:
    description: Namespace that is released to.
    type: str
    default: hypergraph
  values_files:
    description: Values files of the environment, in the order in which the later override the earlier.
    type: list
    elements: path
    default: []
  set_values:
    description: Single values as Helm takes them with C(--set).
    type: list
    elements: str
    default: []
  api_versions:
    description: API versions that the cluster offers beside Kubernetes' own, for templates that ask.
    type: list
    elements: str
    default: []
  helm_path:
    description: The helm to render with. Where it is empty, the one on PATH, or beside the Python that runs the module.
    type: path
"""

    VERSIONS = r"""
options:
  kube_version:
    description: Version of Kubernetes that is deployed to.
    type: str
    default: "1.33"
  keda_version:
    description: Version of KEDA there.
    type: str
    default: "2.20"
  karpenter_version:
    description: Version of Karpenter there.
    type: str
    default: "1.14"
  argocd_version:
    description: Version of Argo CD there. From 3.4 on it expands patterns in C(valueFiles).
    type: str
    default: "3.5"
"""
