# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schemas of Karpenter and Argo CD take what their definitions take, and refuse what those refuse."""

from __future__ import annotations

import copy

import jsonschema
import pytest
import yaml

from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.schemas import argocd, karpenter
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit, apply

SCHEMAS = {**karpenter.SCHEMAS, **argocd.SCHEMAS}
VALID = """
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: gpu, labels: {a: b}, annotations: null}
spec:
  weight: 10
  limits: {cpu: 64, memory: 256Gi, nvidia.com/gpu: "8", nodes: 4}
  disruption:
    consolidateAfter: 1h30m
    consolidationPolicy: Balanced
    budgets: [{nodes: 10%}, {nodes: "0", schedule: 0 9 * * mon-fri, duration: 8h, reasons: [Drifted]}, {reasons: [Empty]}]
  template:
    metadata: {labels: {example.org/pool: gpu}}
    spec:
      expireAfter: Never
      terminationGracePeriod: 1h
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: gpu}
      taints: [{key: nvidia.com/gpu, value: "true", effect: NoSchedule}]
      startupTaints: [{key: a, effect: NoExecute}]
      requirements: [{key: karpenter.k8s.aws/instance-cpu, operator: Gte, values: ["4"], minValues: 1}, {key: x, operator: Exists}]
---
apiVersion: karpenter.sh/v1
kind: NodeClaim
metadata: {name: claim}
spec: {nodeClassRef: {group: g, kind: k, name: n}, requirements: [], resources: {requests: {cpu: 1}}}
---
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: gpu}
spec:
  role: nodes
  amiSelectorTerms: [{alias: al2023@v20260801}]
  subnetSelectorTerms: [{tags: {a: b}}]
  securityGroupSelectorTerms: [{id: sg-0a}]
  kubelet: {maxPods: 20, anything: goes}
  metadataOptions: {httpTokens: required, httpPutResponseHopLimit: 1}
  blockDeviceMappings: [{deviceName: /dev/xvda, ebs: {volumeSize: 50Gi, volumeType: gp3, encrypted: true}}]
  tags: {team: a}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: app, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}
spec:
  project: default
  destination: {server: "https://kubernetes.default.svc", namespace: a}
  source:
    repoURL: https://git.example.org/a
    path: a
    targetRevision: v1.0.0
    helm: {releaseName: a, valueFiles: [a.yaml], valuesObject: {any: [thing]}, parameters: [{name: a, value: b, forceString: true}]}
  syncPolicy: {automated: {prune: true, selfHeal: true}, syncOptions: [CreateNamespace=true], retry: {limit: 5, backoff: {factor: 2}}}
  ignoreDifferences: [{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}]
---
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: set}
spec:
  goTemplate: true
  generators:
    - list: {elements: [{a: 1}]}
    - matrix: {generators: [{clusters: {}}]}
    - git: {repoURL: a, revision: HEAD, directories: [{path: a, exclude: true}]}
    - scmProvider: {github: {organization: a}}
  template:
    metadata: {name: "{{.a}}"}
    spec: {project: "{{.a}}", destination: {name: "{{.a}}"}, sources: [{repoURL: a, chart: b, targetRevision: "1"}]}
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: project}
spec:
  sourceRepos: ["*"]
  destinations: [{server: "*", namespace: "*"}]
  clusterResourceWhitelist: [{group: "*", kind: "*"}]
  syncWindows: [{kind: allow, schedule: "0 1 * * *", duration: 1h, applications: ["*"]}]
"""
POOL, CLAIM, CLASS = "NodePool/gpu", "NodeClaim/claim", "EC2NodeClass/gpu"
APP, SET, PROJECT = "Application/app", "ApplicationSet/set", "AppProject/project"
NODES = ("spec", "template", "spec")


def refusals(*edits: Edit) -> list[str]:
    bodies = {f"{body['kind']}/{body['metadata']['name']}": body for body in yaml.safe_load_all(VALID)}
    apply(bodies, edits)
    return [
        error.message
        for body in bodies.values()
        for error in jsonschema.Draft202012Validator(SCHEMAS[body["apiVersion"], body["kind"]]).iter_errors(body)
    ]


def test_every_schema_is_a_schema() -> None:
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(copy.deepcopy(schema))
    assert len(SCHEMAS) == 7


def test_what_is_valid_is_taken() -> None:
    assert refusals() == []


@pytest.mark.parametrize(
    "edit",
    [
        (POOL, ("spec", "limits"), None),
        (POOL, ("spec", "limits", "memory"), "512e9"),
        (POOL, ("spec", "disruption", "consolidationPolicy"), None),
        (POOL, ("metadata", "labels"), None),
        (CLASS, ("spec", "userData"), None),
        (APP, ("status",), {"any": "thing"}),
        (SET, ("spec", "generators", 0, "list", "elements"), ["any", {"thing": []}]),
    ],
)
def test_nulls_and_what_is_left_open_are_taken(edit: Edit) -> None:
    assert refusals(edit) == []


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ((POOL, ("spec", "limit"), {}), "limit"),
        ((POOL, ("spec", "weight"), 101), "101"),
        ((POOL, ("spec", "weight"), "10"), "'10'"),
        ((POOL, ("spec", "limits", "memory"), "512GB"), "'512GB' does not match"),
        ((POOL, ("spec", "limits", "cpu"), 0.5), "0.5 is not of type"),
        ((CLAIM, ("spec", "resources", "requests", "cpu"), "one"), "'one' does not match"),
        ((POOL, ("spec", "disruption", "consolidateAfter"), GONE), "consolidateAfter"),
        ((POOL, ("spec", "disruption", "consolidateAfter"), "30 s"), "30 s"),
        ((POOL, ("spec", "disruption", "consolidateAfter"), None), "None"),
        ((POOL, ("spec", "disruption", "budgets", 0, "nodes"), 0), "0"),
        ((POOL, ("spec", "disruption", "budgets", 0, "nodes"), "110%"), "110%"),
        ((POOL, ("spec", "disruption", "budgets", 1, "schedule"), "daily"), "daily"),
        ((POOL, ("spec", "template", "metadata", "labels", "a"), True), "True"),
        ((POOL, ("spec", "template", "metadata", "name"), "a"), "name"),
        ((POOL, (*NODES, "nodeClassRef", "group"), "karpenter.k8s.aws/v1"), "karpenter.k8s.aws/v1"),
        ((POOL, (*NODES, "nodeClassRef", "name"), GONE), "name"),
        ((POOL, (*NODES, "requirements", 0, "operator"), "in"), "in"),
        ((POOL, (*NODES, "requirements", 0, "values"), [4]), "4"),
        ((POOL, (*NODES, "taints", 0, "effect"), GONE), "effect"),
        ((POOL, (*NODES, "kubelet"), {}), "kubelet"),
        ((POOL, ("metadata", "name"), "GPU"), "GPU"),
        ((POOL, ("metadata", "annotations"), {"a": True}), "True"),
        ((POOL, ("spec",), GONE), "spec"),
        ((CLASS, ("spec", "amiSelectorTerms"), GONE), "amiSelectorTerms"),
        ((CLASS, ("spec", "amiSelectorTerms"), []), "[]"),
        ((CLASS, ("spec", "amiSelectorTerms", 0, "owners"), ["a"]), "owners"),
        ((CLASS, ("spec", "amiFamily"), "Ubuntu"), "Ubuntu"),
        ((CLASS, ("spec", "subnetSelector"), {}), "subnetSelector"),
        ((CLASS, ("spec", "metadataOptions", "httpPutResponseHopLimit"), 0), "0"),
        ((CLASS, ("spec", "blockDeviceMappings", 0, "ebs", "volumeSize"), "50GB"), "50GB"),
        ((CLASS, ("spec", "tags", "team"), 7), "7"),
        ((APP, ("spec", "project"), GONE), "project"),
        ((APP, ("spec", "destination", "cluster"), "a"), "cluster"),
        ((APP, ("spec", "source", "repoUrl"), "a"), "repoUrl"),
        ((APP, ("spec", "source", "targetRevision"), 1.0), "1.0"),
        ((APP, ("spec", "source", "helm", "valuesFiles"), ["a"]), "valuesFiles"),
        ((APP, ("spec", "source", "helm", "parameters", 0, "value"), True), "True"),
        ((APP, ("spec", "syncPolicy", "automated"), True), "True"),
        ((APP, ("spec", "syncPolicy", "automated", "selfheal"), True), "selfheal"),
        ((APP, ("spec", "syncPolicy", "syncOptions"), "CreateNamespace=true"), "CreateNamespace=true"),
        ((APP, ("spec", "ignoreDifferences", 0, "kind"), GONE), "kind"),
        ((SET, ("spec", "generators", 0, "lists"), {}), "lists"),
        ((SET, ("spec", "generators", 2, "git", "revision"), GONE), "revision"),
        ((SET, ("spec", "template", "spec", "destination"), GONE), "destination"),
        ((SET, ("spec", "syncPolicy"), {"applicationsSync": "create"}), "create"),
        ((SET, ("spec", "syncPolicy"), {"automated": {}}), "automated"),
        ((PROJECT, ("spec", "sourceRepos"), "*"), "*"),
        ((PROJECT, ("spec", "clusterResourceWhitelist", 0, "group"), GONE), "group"),
        ((PROJECT, ("spec", "sources"), []), "sources"),
    ],
)
def test_what_the_definitions_refuse_is_refused(edit: Edit, told: str) -> None:
    found = refusals(edit)
    assert len(found) == 1, found
    assert told in found[0]
