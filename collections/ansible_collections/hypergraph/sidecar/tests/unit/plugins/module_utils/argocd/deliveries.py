# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A delivery that is sound but for what a test edits: the files of Argo CD, the chart, and a checkout of their repository."""

from __future__ import annotations

from pathlib import Path as FilePath

from ansible_collections.hypergraph.sidecar.plugins.module_utils.argocd.delivery import Delivery
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle, Version, Versions
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import Edit, objects

ARGO = """
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: shop, namespace: argocd}
spec:
  sourceRepos: ["https://git.example.org/shop/*", "https://charts.example.org/keda"]
  destinations:
    - {server: "https://kubernetes.default.svc", namespace: "shop*"}
    - {server: "https://kubernetes.default.svc", namespace: keda}
  clusterResourceWhitelist: [{group: karpenter.sh, kind: NodePool}]
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: keda, namespace: argocd, annotations: {argocd.argoproj.io/sync-wave: "-2"}}
spec:
  project: shop
  source: {repoURL: "https://charts.example.org/keda", chart: keda, targetRevision: 2.20.2, helm: {releaseName: keda}}
  destination: {server: "https://kubernetes.default.svc", namespace: keda}
  syncPolicy: {automated: {prune: true}, syncOptions: [CreateNamespace=true, ServerSideApply=true]}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: pools, namespace: argocd, annotations: {argocd.argoproj.io/sync-wave: "-1"}}
spec:
  project: shop
  source: {repoURL: "https://git.example.org/shop/deploy.git", path: pools, targetRevision: v1.4.2}
  destination: {name: in-cluster, namespace: shop-pools}
  syncPolicy: {syncOptions: [CreateNamespace=true], managedNamespaceMetadata: {labels: {team: shop}}}
---
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shop, namespace: argocd}
spec:
  goTemplate: true
  goTemplateOptions: [missingkey=error]
  generators:
    - list:
        elements:
          - {env: staging, revision: v1.5.0-rc.1}
          - {env: production, revision: v1.4.2}
  syncPolicy: {preserveResourcesOnDeletion: true}
  template:
    metadata: {name: "shop-{{.env}}"}
    spec:
      project: shop
      sources:
        - repoURL: https://git.example.org/shop/deploy.git
          path: charts/shop
          targetRevision: "{{.revision}}"
          helm:
            releaseName: shop
            valueFiles: ["values-{{ .env }}.yaml", /common.yaml, $settings/settings.yaml]
        - {repoURL: "https://git.example.org/shop/deploy.git", targetRevision: "{{.revision}}", ref: settings}
      destination: {server: "https://kubernetes.default.svc", namespace: "shop-{{.env}}"}
      syncPolicy:
        automated: {prune: true, selfHeal: true}
        syncOptions: [CreateNamespace=true, RespectIgnoreDifferences=true]
      ignoreDifferences: [{group: apps, kind: Deployment, name: web, jsonPointers: [/spec/replicas]}]
"""
CHART = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web:1.0.0, resources: {requests: {cpu: 1}}}]}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web}
spec:
  scaleTargetRef: {name: web}
  maxReplicaCount: 8
  triggers: [{type: cpu, metricType: Utilization, metadata: {value: "60"}}]
"""
POOL = """
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: cpu}
spec: {}
"""
KEDA, POOLS, SHOP, PROJECT = "Application/keda", "Application/pools", "ApplicationSet/shop", "AppProject/shop"
SPEC = ("spec", "template", "spec")


def made_checkout(root: FilePath) -> FilePath:
    """A checkout of the repository that the applications name, in an empty directory."""
    for name in ("pools/cpu.yaml", "common.yaml", "settings.yaml", "charts/shop/values-staging.yaml", "charts/shop/values-production.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(POOL if name.startswith("pools") else "{}\n")
    (root / "charts/shop/Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 1.0.0\n")
    (root / "empty").mkdir()
    return root


def delivery(root: FilePath | None, *edits: Edit, production: bool = True, argocd: Version = (3, 5)) -> Delivery:
    """The reference with the edits applied, judged from the environment production."""
    of_argo = [edit for edit in edits if edit[0].split("/")[0] in ("Application", "ApplicationSet", "AppProject", "Namespace")]
    of_chart = [edit for edit in edits if edit not in of_argo]
    versions = Versions((1, 33), (2, 20), (1, 14), argocd)
    bundle = Bundle(objects(CHART, *of_chart), objects(ARGO, *of_argo), (), {}, "shop-production", production, versions)
    chart = root / "charts/shop" if root else FilePath("/checkout/charts/shop")
    url = "https://git.example.org/shop/deploy" if root else ""
    return Delivery(bundle, "shop", chart, "shop", root, url, "", {"pools": objects(POOL)} if root else {})
