# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release that is fit to serve, but for what a test edits."""

from __future__ import annotations

import copy
from typing import Any

import yaml

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.release import Demands, Release
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle, Versions
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Object, Place
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.rules import Registry
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import Edit, apply

REFERENCE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  progressDeadlineSeconds: 600
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: shop}}
    spec:
      serviceAccountName: web
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      terminationGracePeriodSeconds: 60
      volumes: [{name: scratch, emptyDir: {}}]
      initContainers:
        - name: migrate
          image: registry.example.org:5000/shop/web:1.0.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
          resources: {requests: {cpu: 500m, memory: 64Mi}, limits: {memory: 64Mi}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      containers:
        - name: web
          image: registry.example.org:5000/shop/web:1.0.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
          ports: [{name: http, containerPort: 8080}, {name: metrics, containerPort: 9090}]
          resources: {requests: {cpu: 500m, memory: 512Mi}, limits: {memory: 1Gi}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
          startupProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 10, failureThreshold: 30}
          readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 5}
          livenessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 15}
          lifecycle: {preStop: {sleep: {seconds: 10}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  replicas: 3
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store, tier: shop}}
    spec:
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: store
          image: store@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
          ports: [{name: query, containerPort: 6379}]
          resources: {requests: {cpu: 1, memory: 1Gi, nvidia.com/gpu: 1}, limits: {memory: 1Gi, nvidia.com/gpu: 1}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
          readinessProbe: {tcpSocket: {port: query}}
          livenessProbe: {tcpSocket: {port: query}, failureThreshold: 6}
        - name: exporter
          image: exporter@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
          ports: [{name: metrics, containerPort: 9121}]
          resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {memory: 32Mi}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: courier}
spec:
  replicas: 2
  selector: {matchLabels: {app: courier}}
  template:
    metadata: {labels: {app: courier, tier: shop}}
    spec:
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: courier
          image: courier@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
          ports: [{name: metrics, containerPort: 9090}]
          envFrom: [{configMapRef: {name: settings}, prefix: COURIER_}]
          env: [{name: ATTEMPTS, value: "6"}]
          resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {LEVEL: INFO}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}, {name: metrics, port: 9090}]
---
apiVersion: v1
kind: Service
metadata: {name: store, labels: {app: store}}
spec:
  selector: {app: store}
  ports: [{name: query, port: 6379, targetPort: query}, {name: metrics, port: 9121, targetPort: metrics}]
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  endpoints: [{port: metrics}]
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: store}
spec:
  selector: {matchLabels: {app: store}}
  endpoints: [{port: metrics}]
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: courier}
spec:
  selector: {matchLabels: {app: courier}}
  podMetricsEndpoints: [{port: metrics}]
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web}
spec:
  scaleTargetRef: {name: web}
  minReplicaCount: 2
  maxReplicaCount: 10
  triggers:
    - {type: prometheus, metadata: {serverAddress: "http://prometheus.monitoring.svc:9090", query: "sum(q)", threshold: "40"}}
    - {type: metrics-api, metadata: {url: "http://store.shop.svc:6379/queue", valueLocation: length, targetValue: "5"}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: store}
spec: {minAvailable: 50%, selector: {matchExpressions: [{key: app, operator: In, values: [store]}]}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: courier}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: courier}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: nobody}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: names}
spec:
  podSelector: {matchExpressions: [{key: tier, operator: Exists}]}
  policyTypes: [Egress]
  egress:
    - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]
      ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: metrics}
spec:
  podSelector: {matchLabels: {tier: shop}}
  ingress:
    - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
      ports: [{port: metrics}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]
      ports: [{port: 8080}]
  egress:
    - to: [{podSelector: {matchLabels: {app: store}}}]
      ports: [{port: 6379}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: store}
spec:
  podSelector: {matchLabels: {app: store}}
  ingress:
    - from:
        - podSelector: {matchLabels: {app: web}}
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: keda}}
      ports: [{port: query}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: courier}
spec:
  podSelector: {matchLabels: {app: courier}}
  policyTypes: [Egress]
  egress:
    - to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 169.254.0.0/16]}}]
      ports: [{port: 443}]
"""
BODIES: dict[str, Any] = {f"{body['kind']}/{body['metadata']['name']}": body for body in yaml.safe_load_all(REFERENCE)}
WEB, STORE, COURIER = "Deployment/web", "StatefulSet/store", "Deployment/courier"
POD = ("spec", "template", "spec")
CONTAINERS = (*POD, "containers")
# What the environment asks of the release.
DEMANDS: dict[str, Any] = {
    "expected_kinds": ("NetworkPolicy", "PodDisruptionBudget"),
    "prometheus_namespace": "monitoring",
    "webhook_senders": ("courier*",),
    "stage_p99_seconds": {"web": 50, "cour*": 20, "store-*": 900},
}


def release(*edits: Edit, production: bool = True, kubernetes: tuple[int, ...] = (1, 33), **demands: Any) -> Release:
    """The reference with the edits applied, as an environment with the demands would have it."""
    bodies = copy.deepcopy(BODIES)
    apply(bodies, edits)
    rendered = tuple(Object(body, Place("reference.yaml")) for body in bodies.values())
    versions = Versions(kubernetes, (2, 20), (1, 14), (3, 5))
    bundle = Bundle(rendered=rendered, namespace="shop", production=production, versions=versions)
    return Release(bundle, Demands(**{**DEMANDS, **demands}))


def unjudged(rules: Registry, rule: str, judged: Release) -> list[str]:
    """What could not be judged, in words."""
    return [outcome.open.reason for outcome in rules.rules[rule].judge(judged) if outcome.open is not None]


def told(rules: Registry, rule: str, judged: Release) -> list[str]:
    """What does not hold, in words."""
    return [str(outcome) for outcome in rules.rules[rule].judge(judged) if not outcome.ok]
