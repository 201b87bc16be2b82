# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release whose parts are valid and find each other, but for what a test edits."""

from __future__ import annotations

from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.release import Demands, Release
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle, Versions
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.rules import Outcome, Registry
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import Edit, objects

REFERENCE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web, app.kubernetes.io/version: "1.0"}}
spec:
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 25%}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      volumes:
        - {name: scratch, emptyDir: {}}
        - {name: settings, configMap: {name: settings}}
        - {name: certificate, secret: {secretName: certificate}}
        - name: mixed
          projected: {sources: [{configMap: {name: kube-root-ca.crt}}, {secret: {name: keys, optional: true}}]}
        - {name: audit, persistentVolumeClaim: {claimName: audit}}
      initContainers:
        - {name: migrate, image: web:1.0.0, args: [migrate, --token, $(TOKEN)], volumeMounts: [{name: scratch, mountPath: /tmp}]}
      containers:
        - name: web
          image: web:1.0.0
          command: [web, --port=8080]
          args: [--password-file=/etc/password, --log, info]
          env:
            - {name: LEVEL, valueFrom: {configMapKeyRef: {name: settings, key: LEVEL}}}
            - {name: TOKEN, valueFrom: {secretKeyRef: {name: keys, key: token}}}
            - {name: GREETING, value: hello}
          envFrom: [{configMapRef: {name: settings}}]
          ports: [{name: http, containerPort: 8080}, {name: metrics, containerPort: 9090}]
          volumeMounts: [{name: settings, mountPath: /etc/web}, {name: certificate, mountPath: /etc/tls}, {name: audit, mountPath: /audit}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  replicas: 3
  serviceName: store
  selector: {matchLabels: {app: store}}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]
  template:
    metadata: {labels: {app: store}}
    spec:
      containers:
        - name: store
          image: store:1.0.0
          ports: [{name: query, containerPort: 6379}]
          volumeMounts: [{name: data, mountPath: /data}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: 0 3 * * *
  jobTemplate:
    spec:
      template:
        metadata: {labels: {app: nightly}}
        spec: {restartPolicy: Never, containers: [{name: nightly, image: web:1.0.0, envFrom: [{secretRef: {name: keys}}]}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {LEVEL: INFO, URL: "http://store:6379/", web.conf: "listen 8080\\n"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
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
  clusterIP: None
  selector: {app: store}
  ports: [{name: query, port: 6379, targetPort: query}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  defaultBackend: {service: {name: web, port: {number: 80}}}
  rules:
    - host: shop.example.org
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web}
spec: {selector: {matchLabels: {app: web}}, endpoints: [{port: metrics}]}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: store}
spec: {selector: {matchExpressions: [{key: app, operator: In, values: [store]}]}, podMetricsEndpoints: [{port: query}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: "web:reader"}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web}
spec: {scaleTargetRef: {name: web}, triggers: [{type: cpu, metricType: Utilization, metadata: {value: "60"}}]}
---
apiVersion: v1
kind: Secret
metadata: {name: filled-later}
type: kubernetes.io/service-account-token
"""
WEB, STORE, NIGHTLY, SETTINGS = "Deployment/web", "StatefulSet/store", "CronJob/nightly", "ConfigMap/settings"
WEB_SERVICE, STORE_SERVICE, INGRESS = "Service/web", "Service/store", "Ingress/web"
MONITOR, POD_MONITOR, SCALED = "ServiceMonitor/web", "PodMonitor/store", "ScaledObject/web"
POD = ("spec", "template", "spec")
CONTAINER = (*POD, "containers", 0)
EXISTING = ("Secret/keys", "Secret/certificate", "PersistentVolumeClaim/audit")
# What the environment asks of the release.
DEMANDS: dict[str, Any] = {"expected_kinds": ("Deployment", "Service"), "existing_objects": EXISTING}


def release(*edits: Edit, kubernetes: tuple[int, ...] = (1, 33), **demands: Any) -> Release:
    """The reference with the edits applied, as an environment with the demands would have it."""
    bundle = Bundle(rendered=objects(REFERENCE, *edits), namespace="shop", versions=Versions(kubernetes, (2, 20), (1, 14), (3, 5)))
    return Release(bundle, Demands(**{**DEMANDS, **demands}))


def made(api_version: str, kind: str, name: str, **body: Any) -> Edit:
    """Puts an object in."""
    return f"{kind}/{name}", (), {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **body}


def unjudged(rules: Registry, rule: str, judged: Release) -> list[str]:
    """What could not be judged, in words."""
    return [outcome.open.reason for outcome in rules.rules[rule].judge(judged) if outcome.open is not None]


def broken(rules: Registry, rule: str, judged: Release) -> list[Outcome]:
    """What does not hold."""
    return [outcome for outcome in rules.rules[rule].judge(judged) if not outcome.ok]


CERTIFICATE = made("cert-manager.io/v1", "Certificate", "tls", spec={"secretName": "certificate"})
OWN_SECRET = made("v1", "Secret", "own", stringData={"token": "a1b2c3d4e5f6"})
