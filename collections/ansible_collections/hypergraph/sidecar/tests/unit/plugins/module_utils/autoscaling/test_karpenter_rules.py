# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule on Karpenter finds what it is for in a deployment that is sound but for one thing, and nothing in what only looks like it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling import (
    karpenter_node_classes,
    karpenter_node_pools,
    karpenter_placement,
    karpenter_versions,
)
from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.registry import RULES
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle, Versions
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.rules import Outcome
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit, objects

POOLS = """
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: cpu}
spec:
  weight: 10
  limits: {cpu: "64", memory: 256Gi, nodes: "16"}
  disruption: {consolidateAfter: 5m, consolidationPolicy: WhenEmptyOrUnderutilized, budgets: [{nodes: 10%}]}
  template:
    metadata: {labels: {example.org/pool: cpu}}
    spec:
      expireAfter: 720h
      terminationGracePeriod: 1h
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: cpu}
      taints: [{key: example.org/pool, value: cpu, effect: NoSchedule}]
      requirements:
        - {key: kubernetes.io/arch, operator: In, values: [amd64]}
        - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand, spot]}
        - {key: karpenter.k8s.aws/instance-category, operator: In, values: [c, m]}
        - {key: karpenter.k8s.aws/instance-cpu, operator: Lt, values: ["17"]}
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: gpu}
spec:
  limits: {cpu: "64", memory: 256Gi, nvidia.com/gpu: "8"}
  disruption: {consolidateAfter: 5m}
  template:
    metadata: {labels: {example.org/pool: gpu}}
    spec:
      expireAfter: 720h
      terminationGracePeriod: 1h
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: gpu}
      taints: [{key: nvidia.com/gpu, effect: NoSchedule}]
      startupTaints: [{key: node.cilium.io/agent-not-ready, value: "true", effect: NoExecute}]
      requirements:
        - {key: karpenter.k8s.aws/instance-gpu-count, operator: In, values: ["1"]}
        - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
---
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: cpu}
spec:
  role: nodes
  amiSelectorTerms: [{alias: al2023@v20260801}]
  subnetSelectorTerms: [{tags: {discovery: lab}}]
  securityGroupSelectorTerms: [{tags: {discovery: lab}}]
  blockDeviceMappings: [{deviceName: /dev/xvda, rootVolume: true, ebs: {volumeSize: 50Gi}}]
  tags: {team: platform}
---
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: gpu}
spec:
  role: nodes
  amiFamily: Bottlerocket
  amiSelectorTerms: [{alias: bottlerocket@v1.40.0}]
  subnetSelectorTerms: [{id: subnet-0a1b}]
  securityGroupSelectorTerms: [{name: nodes}]
"""
WORKLOADS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 60
      nodeSelector: {example.org/pool: cpu}
      tolerations: [{key: example.org/pool, value: cpu, effect: NoSchedule}]
      containers: [{name: web, image: web:1.0.0, resources: {requests: {cpu: "2", memory: 4Gi}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: model}
spec:
  selector: {matchLabels: {app: model}}
  template:
    metadata: {labels: {app: model}, annotations: {karpenter.sh/do-not-disrupt: "true"}}
    spec:
      terminationGracePeriodSeconds: 600
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms: [{matchExpressions: [{key: example.org/pool, operator: In, values: [gpu]}]}]
      tolerations: [{key: nvidia.com/gpu, operator: Exists}]
      containers: [{name: model, image: model:1.0.0, resources: {requests: {cpu: "4", memory: 16Gi}, limits: {nvidia.com/gpu: 1}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: plain}
spec:
  selector: {matchLabels: {app: plain}}
  template:
    metadata: {labels: {app: plain}}
    spec:
      tolerations: [{key: example.org/pool, operator: Exists}]
      containers: [{name: plain, image: plain:1.0.0, resources: {requests: {cpu: 100m, memory: 128Mi}}}]
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: model}
spec:
  scaleTargetRef: {name: model}
  minReplicaCount: 1
  maxReplicaCount: 8
  triggers: [{type: prometheus, metadata: {serverAddress: "http://prometheus:9090", query: sum(lag), threshold: "4"}}]
"""
CPU, GPU = "NodePool/cpu", "NodePool/gpu"
CPU_CLASS, GPU_CLASS = "EC2NodeClass/cpu", "EC2NodeClass/gpu"
WEB, MODEL, PLAIN = "Deployment/web", "Deployment/model", "Deployment/plain"
NODES = ("spec", "template", "spec")
PODS = ("spec", "template", "spec")
ANNOTATIONS = ("spec", "template", "metadata", "annotations")


def bundle(*edits: Edit, karpenter: tuple[int, ...] = (1, 14), production: bool = True) -> Bundle:
    of_pools = [edit for edit in edits if edit[0].startswith(("NodePool", "EC2NodeClass"))]
    others = [edit for edit in edits if edit not in of_pools]
    versions = Versions((1, 33), (2, 20), karpenter, (3, 5))
    return Bundle(objects(WORKLOADS, *others), (), objects(POOLS, *of_pools), {}, "lab", production, versions)


def broken(rule: str, judged: Bundle) -> list[Outcome]:
    return [outcome for outcome in RULES.rules[rule].judge(judged) if not outcome.ok]


OURS = [
    rule
    for rule in RULES
    if rule.judge.__module__
    in {one.__name__ for one in (karpenter_node_classes, karpenter_node_pools, karpenter_placement, karpenter_versions)}
]
TAINTED_TWICE = [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]

MISSPELT = "karpenter.k8s.aws/instance-familly"
AUTO = {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": "default"}
AUTO_CLASS = {"apiVersion": "eks.amazonaws.com/v1", "kind": "NodeClass", "metadata": {"name": "default"}, "spec": {}}

# A DaemonSet that takes four cores of every node.
AGENT: Edit = (
    "DaemonSet/agent",
    (),
    {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent"},
        "spec": {
            "template": {
                "spec": {
                    "tolerations": [{"operator": "Exists"}],
                    "containers": [{"name": "agent", "resources": {"requests": {"cpu": 4}}}],
                }
            }
        },
    },
)

VIOLATIONS: list[tuple[str, list[Edit], str]] = [
    ("karpenter-api-outdated", [(CPU, ("apiVersion",), "karpenter.sh/v1beta1")], "v1beta1"),
    ("karpenter-api-outdated", [(GPU_CLASS, ("apiVersion",), "karpenter.k8s.aws/v1beta1")], "v1beta1"),
    ("karpenter-v1beta1-left-over", [(CPU, ("spec", "disruption", "consolidationPolicy"), "WhenUnderutilized")], "WhenUnderutilized"),
    ("karpenter-v1beta1-left-over", [(CPU, ("spec", "disruption", "expireAfter"), "720h")], "spec.disruption"),
    ("karpenter-v1beta1-left-over", [(CPU, (*NODES, "kubelet"), {"maxPods": 20})], "kubelet in the NodePool"),
    ("karpenter-v1beta1-left-over", [(CPU, (*NODES, "nodeClassRef", "apiVersion"), "karpenter.k8s.aws/v1")], "apiVersion"),
    ("karpenter-v1beta1-left-over", [(CPU, (*NODES, "taints", 0, "key"), "karpenter.sh/disruption")], "karpenter.sh/disruption"),
    ("karpenter-v1beta1-left-over", [(WEB, (*ANNOTATIONS, "karpenter.sh/do-not-evict"), "true")], "do-not-evict"),
    ("karpenter-schema-broken", [(CPU, ("spec", "limit"), {})], "limit"),
    ("karpenter-schema-broken", [(GPU_CLASS, ("spec", "role"), 7)], "7 is not of type"),
    ("node-class-missing", [(CPU, (*NODES, "nodeClassRef", "name"), "cpus")], "there is cpu, gpu"),
    ("node-class-missing", [(CPU, (*NODES, "nodeClassRef", "group"), GONE)], "no group"),
    ("node-class-missing", [(CPU, (*NODES, "nodeClassRef"), GONE)], "no group, kind, name"),
    ("node-class-missing", [(CPU_CLASS, (), GONE)], "there is gpu"),
    (
        "node-class-missing",
        [(CPU, (*NODES, "nodeClassRef"), {**AUTO, "name": "own"}), ("NodePool/auto", (), AUTO_CLASS)],
        "there is default",
    ),
    ("node-class-refused", [(CPU_CLASS, ("spec", "instanceProfile"), "nodes")], "role and instanceProfile"),
    ("node-class-refused", [(CPU_CLASS, ("spec", "role"), GONE)], "neither"),
    ("node-class-refused", [(CPU_CLASS, ("spec", "amiSelectorTerms"), [{"name": "al2023-*"}])], "no amiFamily"),
    ("node-class-refused", [(CPU_CLASS, ("spec", "amiSelectorTerms", 0, "name"), "x")], "alias, name"),
    ("node-class-refused", [(CPU_CLASS, ("spec", "amiSelectorTerms", 1), {"name": "x"})], "2 terms"),
    ("node-class-refused", [(CPU_CLASS, ("spec", "amiSelectorTerms", 0, "alias"), "ubuntu@latest")], "ubuntu"),
    ("node-class-refused", [(GPU_CLASS, ("spec", "amiFamily"), "AL2023")], "AL2023"),
    ("node-class-refused", [(CPU_CLASS, ("spec", "amiSelectorTerms", 0, "alias"), "windows2022@v1")], "windows2022@v1"),
    ("node-class-refused", [(CPU_CLASS, ("spec", "amiSelectorTerms"), [{"owner": "self"}])], "owner"),
    ("node-class-refused", [(CPU_CLASS, ("spec", "subnetSelectorTerms"), [])], "none"),
    ("node-class-refused", [(GPU_CLASS, ("spec", "subnetSelectorTerms", 0, "tags"), {"a": "b"})], "id, tags"),
    ("node-class-refused", [(GPU_CLASS, ("spec", "securityGroupSelectorTerms", 0, "id"), "sg-1")], "id, name"),
    ("node-class-refused", [(CPU_CLASS, ("spec", "securityGroupSelectorTerms"), [{}])], "nothing"),
    ("node-class-refused", [(CPU_CLASS, ("spec", "blockDeviceMappings", 0, "ebs"), {"encrypted": True})], "neither"),
    ("node-class-refused", [(CPU_CLASS, ("spec", "blockDeviceMappings", 1), {"rootVolume": True})], "2"),
    ("node-class-refused", [(CPU_CLASS, ("spec", "tags", "karpenter.sh/nodepool"), "x")], "karpenter.sh/nodepool"),
    ("image-floats", [(CPU_CLASS, ("spec", "amiSelectorTerms", 0, "alias"), "al2023@latest")], "al2023@latest"),
    ("node-pool-refused", [(CPU, (*NODES, "requirements", 0, "values"), [])], "none"),
    ("node-pool-refused", [(CPU, (*NODES, "requirements", 3, "values"), ["16", "32"])], "['16', '32']"),
    ("node-pool-refused", [(CPU, (*NODES, "requirements", 3, "values"), ["many"])], "many"),
    ("node-pool-refused", [(CPU, (*NODES, "requirements", 2, "minValues"), 3)], "3"),
    (
        "node-pool-refused",
        [(CPU, (*NODES, "requirements", 4), {"key": "karpenter.sh/nodepool", "operator": "Exists"})],
        "karpenter.sh/nodepool",
    ),
    ("node-pool-refused", [(CPU, ("spec", "template", "metadata", "labels", "kubernetes.io/hostname"), "x")], "kubernetes.io/hostname"),
    ("node-pool-refused", [(CPU, (*NODES, "requirements", 2, "key"), MISSPELT)], MISSPELT),
    ("node-pool-refused", [(CPU, ("spec", "template", "metadata", "labels", MISSPELT), "c")], MISSPELT),
    ("node-pool-refused", [(CPU, ("spec", "replicas"), 3)], "cpu, memory"),
    ("node-pool-refused", [(CPU, ("spec", "replicas"), 3), (CPU, ("spec", "limits"), {"nodes": 4})], "10"),
    ("node-pool-refused", [(CPU, ("spec", "disruption", "budgets", 0, "schedule"), "@daily")], "schedule alone"),
    ("karpenter-taint-misused", [(GPU, (*NODES, "startupTaints"), TAINTED_TWICE)], "lasting taint"),
    ("karpenter-taint-misused", [(GPU, (*NODES, "startupTaints", 0, "key"), "karpenter.sh/disrupted")], "karpenter.sh/disrupted"),
    (
        "karpenter-taint-misused",
        [(GPU, (*NODES, "startupTaints"), [{"key": "karpenter.sh/unregistered", "effect": "NoSchedule"}])],
        "karpenter.sh/unregistered:NoSchedule",
    ),
    ("budget-blocks-disruption", [(CPU, ("spec", "disruption", "budgets"), [{"nodes": "0"}])], "any time"),
    ("budget-blocks-disruption", [(CPU, ("spec", "disruption", "budgets", 0, "nodes"), "0%")], "any time"),
    ("gpu-pool-unlimited", [(GPU, ("spec", "limits", "nvidia.com/gpu"), GONE)], "cpu, memory"),
    (
        "instance-label-unknown",
        [(CPU, (*NODES, "requirements", 2, "key"), "node.kubernetes.io/instance-family")],
        "node.kubernetes.io/instance-family",
    ),
    ("node-label-not-offered", [(WEB, (*PODS, "nodeSelector", "example.org/pool"), "web")], "example.org/pool in [web]"),
    ("node-label-not-offered", [(WEB, (*PODS, "nodeSelector", "example.org/tier"), "x")], "example.org/tier"),
    ("node-label-not-offered", [(WEB, (*PODS, "nodeSelector", MISSPELT), "c7i")], f"{MISSPELT} in [c7i]"),
    (
        "node-label-not-offered",
        [(WEB, (*PODS, "nodeSelector", "beta.kubernetes.io/arch"), "arm64")],
        "kubernetes.io/arch in [arm64] at cpu",
    ),
    ("node-label-not-offered", [(CPU, ("spec", "template", "metadata", "labels"), {"example.org/pool": "cpus"})], "not offered"),
    ("taint-not-tolerated", [(WEB, (*PODS, "tolerations"), [])], "example.org/pool=cpu:NoSchedule"),
    ("taint-not-tolerated", [(WEB, (*PODS, "tolerations", 0, "value"), "gpu")], "example.org/pool=cpu:NoSchedule"),
    ("taint-not-tolerated", [(WEB, (*PODS, "tolerations", 0, "effect"), "NoExecute")], "example.org/pool=cpu:NoSchedule"),
    ("taint-not-tolerated", [(GPU, (*NODES, "taints", 1), {"key": "team", "value": "ml", "effect": "NoExecute"})], "team=ml:NoExecute"),
    ("gpu-not-offered", [(GPU, ("spec", "limits", "nvidia.com/gpu"), 0)], "gpu without"),
    ("gpu-not-offered", [(GPU, (*NODES, "requirements", 0, "operator"), "DoesNotExist")], "gpu without"),
    (
        "gpu-not-offered",
        [(GPU, (*NODES, "requirements", 0), {"key": "karpenter.k8s.aws/instance-category", "operator": "In", "values": ["c", "m"]})],
        "gpu without",
    ),
    ("gpu-pool-takes-cpu-pods", [(GPU, (*NODES, "taints"), [])], "Deployment/plain"),
    ("gpu-pool-takes-cpu-pods", [(PLAIN, (*PODS, "tolerations"), [{"operator": "Exists"}])], "Deployment/plain"),
    ("workload-without-node-pool", [(PLAIN, (*PODS, "tolerations"), [])], "none of cpu, gpu"),
    ("pool-limits-below-full-scale", [(GPU, ("spec", "limits", "nvidia.com/gpu"), "7")], "7 in gpu"),
    ("pool-limits-below-full-scale", [("ScaledObject/model", ("spec", "maxReplicaCount"), 9)], "8 in gpu"),
    ("pool-limits-below-full-scale", [(GPU, ("spec", "limits", "memory"), "127Gi")], "127Gi in gpu"),
    ("pool-limits-below-full-scale", [(WEB, ("spec", "replicas"), 32)], "64 in cpu"),
    ("pool-limits-below-full-scale", [(CPU, ("spec", "limits", "nodes"), 1), (WEB, ("spec", "replicas"), 9)], "2 for Deployment/web"),
    ("pool-limits-below-full-scale", [AGENT, (GPU, ("spec", "limits", "cpu"), "63")], "32 for DaemonSets on 8 nodes"),
    ("pod-exceeds-node", [(WEB, (*PODS, "containers", 0, "resources", "requests", "cpu"), "17")], "at most 16"),
    ("pod-exceeds-node", [(MODEL, (*PODS, "containers", 0, "resources", "limits", "nvidia.com/gpu"), 2)], "at most 1"),
    (
        "overlapping-node-pools",
        [(GPU, ("spec", "weight"), 10), (PLAIN, (*PODS, "tolerations"), [{"operator": "Exists"}])],
        "cpu 10, gpu 10",
    ),
    ("expiry-without-end", [(GPU, (*NODES, "terminationGracePeriod"), GONE)], "none"),
    ("expiry-without-end", [(GPU, (*NODES, "terminationGracePeriod"), "9m59s")], "9m59s"),
    ("spot-ends-work", [(WEB, (*PODS, "terminationGracePeriodSeconds"), 121)], "121"),
    ("spot-ends-work", [(WEB, ("kind",), "StatefulSet")], "StatefulSet"),
]

NEAR_MISSES: list[tuple[str, list[Edit]]] = [
    ("karpenter-schema-broken", [(CPU, ("spec", "limits"), None), (CPU, ("status",), {"any": "thing"})]),
    ("karpenter-api-outdated", []),
    ("karpenter-v1beta1-left-over", [(WEB, (*ANNOTATIONS, "karpenter.sh/do-not-disrupt"), "true")]),
    ("karpenter-v1beta1-left-over", [(CPU, ("spec", "disruption", "consolidationPolicy"), "WhenEmpty")]),
    ("node-class-missing", [(CPU, (*NODES, "nodeClassRef"), {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": "default"})]),
    ("node-class-refused", [(CPU_CLASS, ("spec", "role"), GONE), (CPU_CLASS, ("spec", "instanceProfile"), "nodes")]),
    (
        "node-class-refused",
        [(CPU_CLASS, ("spec", "amiSelectorTerms"), [{"name": "x", "owner": "self"}]), (CPU_CLASS, ("spec", "amiFamily"), "AL2023")],
    ),
    ("node-class-refused", [(CPU_CLASS, ("spec", "amiFamily"), "Custom")]),
    ("node-class-refused", [(CPU_CLASS, ("spec", "amiSelectorTerms", 0, "alias"), "windows2022@latest")]),
    (
        "node-class-refused",
        [(CPU_CLASS, ("spec", "amiSelectorTerms"), [{"ssmParameter": "/a"}]), (CPU_CLASS, ("spec", "amiFamily"), "AL2")],
    ),
    ("node-class-refused", [(CPU_CLASS, ("spec", "blockDeviceMappings", 1), {"ebs": {"snapshotID": "snap-1"}})]),
    ("image-floats", [(CPU_CLASS, ("spec", "amiSelectorTerms", 0, "alias"), "windows2022@latest")]),
    ("node-pool-refused", [(CPU, (*NODES, "requirements", 2, "minValues"), 2)]),
    ("node-pool-refused", [(CPU, (*NODES, "requirements", 2, "key"), "karpenter.k8s.aws/instance-family")]),
    ("node-pool-refused", [(CPU, ("spec", "template", "metadata", "labels", "karpenter.k8s.aws/ec2nodeclass"), "cpu")]),
    (
        "node-pool-refused",
        [(CPU, (*NODES, "requirements", 3), {"key": "karpenter.k8s.aws/instance-cpu", "operator": "Gte", "values": ["4"]})],
    ),
    ("node-pool-refused", [(CPU, ("spec", "replicas"), 3), (CPU, ("spec", "limits"), {"nodes": 4}), (CPU, ("spec", "weight"), GONE)]),
    ("node-pool-refused", [(CPU, ("spec", "disruption", "budgets", 0), {"nodes": "1", "schedule": "@daily", "duration": "1h"})]),
    ("karpenter-taint-misused", [(GPU, (*NODES, "startupTaints"), [{"key": "karpenter.sh/unregistered", "effect": "NoExecute"}])]),
    ("karpenter-taint-misused", [(GPU, (*NODES, "startupTaints"), [{"key": "nvidia.com/gpu", "effect": "NoExecute"}])]),
    ("budget-blocks-disruption", [(CPU, ("spec", "disruption", "budgets", 0), {"nodes": "0", "schedule": "@daily", "duration": "1h"})]),
    ("budget-blocks-disruption", [(CPU, ("spec", "disruption", "budgets", 0), {"nodes": "0", "reasons": ["Underutilized"]})]),
    ("gpu-pool-unlimited", [(GPU, ("spec", "limits"), {"nodes": 8})]),
    ("instance-label-unknown", [(CPU, (*NODES, "requirements", 2), {"key": "node.kubernetes.io/instance-type", "operator": "Exists"})]),
    ("node-label-not-offered", [(WEB, (*PODS, "nodeSelector", "topology.kubernetes.io/zone"), "eu-central-1a")]),
    ("node-label-not-offered", [(WEB, (*PODS, "nodeSelector", "karpenter.sh/nodepool"), "cpu")]),
    ("node-label-not-offered", [(WEB, (*PODS, "nodeSelector", "karpenter.k8s.aws/instance-family"), "c7i")]),
    (
        "node-label-not-offered",
        [
            (CPU, ("spec", "template", "metadata", "labels"), {}),
            (CPU, (*NODES, "requirements", 4), {"key": "example.org/pool", "operator": "Exists"}),
        ],
    ),
    ("node-label-not-offered", [(WEB, (*PODS, "nodeSelector"), {"eks.amazonaws.com/nodegroup": "system"})]),
    ("taint-not-tolerated", [(WEB, (*PODS, "tolerations"), [{"operator": "Exists"}])]),
    ("taint-not-tolerated", [(WEB, (*PODS, "tolerations"), [{"key": "example.org/pool", "operator": "Exists"}])]),
    ("taint-not-tolerated", [(CPU, (*NODES, "taints", 1), {"key": "team", "effect": "PreferNoSchedule"})]),
    (
        "gpu-not-offered",
        [(GPU, (*NODES, "requirements", 0), {"key": "karpenter.k8s.aws/instance-family", "operator": "In", "values": ["g6", "c7i"]})],
    ),
    (
        "gpu-not-offered",
        [(GPU, (*NODES, "requirements", 0), {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": ["g5.xlarge"]})],
    ),
    ("gpu-pool-takes-cpu-pods", [(PLAIN, (*PODS, "tolerations", 1), {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"})]),
    ("workload-without-node-pool", [(PLAIN, (*PODS, "tolerations", 0, "effect"), "NoSchedule")]),
    ("pool-limits-below-full-scale", [(GPU, ("spec", "limits"), {"nvidia.com/gpu": 8, "memory": "128Gi", "cpu": "32000m"})]),
    ("pool-limits-below-full-scale", [("ScaledObject/model", ("spec", "maxReplicaCount"), 800), (GPU, ("spec", "limits"), {})]),
    ("pool-limits-below-full-scale", [AGENT, (GPU, ("spec", "limits", "cpu"), "64")]),
    ("pod-exceeds-node", [(WEB, (*PODS, "containers", 0, "resources", "requests", "cpu"), "16")]),
    ("overlapping-node-pools", [(PLAIN, (*PODS, "tolerations"), [{"operator": "Exists"}])]),
    ("expiry-without-end", [(GPU, (*NODES, "terminationGracePeriod"), "10m")]),
    ("expiry-without-end", [(GPU, (*NODES, "terminationGracePeriod"), GONE), (GPU, (*NODES, "expireAfter"), "Never")]),
    ("spot-ends-work", [(WEB, (*PODS, "terminationGracePeriodSeconds"), 120)]),
    (
        "spot-ends-work",
        [(WEB, (*PODS, "terminationGracePeriodSeconds"), 900), (WEB, (*PODS, "nodeSelector", "karpenter.sh/capacity-type"), "on-demand")],
    ),
]


def test_the_reference_keeps_to_every_rule_and_every_rule_looks_at_it() -> None:
    judged = bundle()
    for rule in OURS:
        assert broken(rule.id, judged) == [], rule.id
    silent = [rule.id for rule in OURS if not list(rule.judge(judged))]
    # Where no two pools take the same workload there is nothing to overlap.
    assert silent == ["overlapping-node-pools"]


@pytest.mark.parametrize(("rule", "edits", "told"), VIOLATIONS)
def test_a_violation_is_found_and_told(rule: str, edits: list[Edit], told: str) -> None:
    found = broken(rule, bundle(*edits))
    assert any(told in str(outcome) for outcome in found), [str(outcome) for outcome in found]


@pytest.mark.parametrize(("rule", "edits"), NEAR_MISSES)
def test_what_only_looks_like_a_violation_is_none(rule: str, edits: list[Edit]) -> None:
    assert [str(outcome) for outcome in broken(rule, bundle(*edits))] == []


def test_every_rule_has_a_violation_and_a_near_miss() -> None:
    assert len(OURS) == 21
    assert {rule.id for rule in OURS} == {case[0] for case in VIOLATIONS} == {case[0] for case in NEAR_MISSES}


@pytest.mark.parametrize(
    ("karpenter", "written", "served"),
    [
        ((1, 14), "v1", True),
        ((1, 0), "v1", True),
        ((0, 37), "v1", False),
        ((1, 1), "v1beta1", False),
        ((1, 0, 5), "v1beta1", True),
        ((0, 37), "v1beta1", True),
        ((0, 37), "v1alpha5", False),
    ],
)
def test_which_api_is_served_depends_on_the_version(karpenter: tuple[int, ...], written: str, served: bool) -> None:
    found = broken("karpenter-api-outdated", bundle((CPU, ("apiVersion",), f"karpenter.sh/{written}"), karpenter=karpenter))
    assert (CPU in [str(outcome.subject) for outcome in found]) is not served


def test_images_may_float_outside_of_production() -> None:
    floating: Edit = (CPU_CLASS, ("spec", "amiSelectorTerms", 0, "alias"), "al2023@latest")
    assert list(RULES.rules["image-floats"].judge(bundle(floating, production=False))) == []


def test_without_node_pools_no_rule_says_anything_of_workloads() -> None:
    judged = Bundle(objects(WORKLOADS))
    for rule in OURS:
        assert list(rule.judge(judged)) == [], rule.id


@pytest.mark.parametrize("rubbish", [None, 7, "text", [], [7, None], {"a": 7}, True])
@pytest.mark.parametrize(
    "place",
    [
        (CPU, ("spec",)),
        (CPU, ("spec", "limits")),
        (CPU, ("spec", "weight")),
        (CPU, ("spec", "replicas")),
        (CPU, ("spec", "disruption", "budgets")),
        (CPU, NODES),
        (CPU, (*NODES, "requirements")),
        (CPU, (*NODES, "requirements", 0, "key")),
        (CPU, (*NODES, "requirements", 0, "values")),
        (CPU, (*NODES, "requirements", 0, "operator")),
        (CPU, (*NODES, "taints")),
        (CPU, (*NODES, "taints", 0, "key")),
        (CPU, (*NODES, "nodeClassRef")),
        (CPU, (*NODES, "nodeClassRef", "kind")),
        (CPU, (*NODES, "terminationGracePeriod")),
        (CPU, ("spec", "template", "metadata", "labels")),
        (CPU_CLASS, ("spec",)),
        (CPU_CLASS, ("spec", "amiSelectorTerms")),
        (CPU_CLASS, ("spec", "amiSelectorTerms", 0, "alias")),
        (CPU_CLASS, ("spec", "amiFamily")),
        (CPU_CLASS, ("spec", "blockDeviceMappings")),
        (CPU_CLASS, ("spec", "tags")),
        (WEB, PODS),
        (WEB, (*PODS, "nodeSelector")),
        (WEB, (*PODS, "affinity")),
        (WEB, (*PODS, "tolerations")),
        (WEB, (*PODS, "tolerations", 0, "key")),
        (WEB, (*PODS, "containers")),
        (WEB, (*PODS, "terminationGracePeriodSeconds")),
        (WEB, ("spec", "replicas")),
        (MODEL, (*PODS, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")),
    ],
)
def test_no_rule_breaks_over_rubbish(place: tuple[str, Any], rubbish: Any) -> None:
    name, path = place
    judged = bundle((name, path, rubbish))
    for rule in OURS:
        for outcome in rule.judge(judged):
            assert str(outcome)
