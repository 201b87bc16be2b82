# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An explainer that is scaled by the lag which it tells itself, with the values it was rendered from."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Path
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit, objects

RELEASE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-explainer, labels: {app.kubernetes.io/component: explainer}}
spec:
  selector: {matchLabels: {app: explainer}}
  template:
    metadata: {labels: {app: explainer, tier: back}}
    spec: {containers: [{name: explainer, image: explainer:1.0.0}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop-explainer, labels: {scraped-as: lag}}
spec: {selector: {app: explainer}, ports: [{name: metrics, port: 9090}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop-gateway}
spec: {selector: {app: gateway}, ports: [{name: http, port: 8080}]}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: shop}
spec: {jobLabel: scraped-as, selector: {matchLabels: {}}, endpoints: [{port: metrics}]}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: shop-explainer}
spec:
  scaleTargetRef: {name: shop-explainer}
  minReplicaCount: 2
  maxReplicaCount: 12
  pollingInterval: 15
  fallback: {failureThreshold: 3, replicas: 6}
  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleDown: {stabilizationWindowSeconds: 300}}}}
  triggers:
    - type: prometheus
      name: backlog
      metricType: Value
      useCachedMetrics: true
      metadata:
        serverAddress: http://prometheus:9090
        query: max(explainer_queue_lag_seconds{job="shop-explainer"})
        threshold: "1.5"
        ignoreNullValues: "false"
"""
VALUES: dict[str, Any] = {
    "image": {"tag": "1.0.0"},
    "explainer": {
        "workers": 4,
        "autoscaling": {
            "enabled": True,
            "minReplicas": 2,
            "maxReplicas": 12,
            "backlogSecondsTarget": 1.5,
            "fallbackReplicas": 6,
            "pollingInterval": 15,
            "cooldownPeriod": 300,
        },
    },
}
SCALER, WORKLOAD = "ScaledObject/shop-explainer", "Deployment/shop-explainer"
TRIGGER: Path = ("spec", "triggers", 0)
SETTINGS = ("explainer", "autoscaling")
# A place in the values, and what to put there.
Setting = tuple[tuple[str, ...], Any]


def release(*edits: Edit, values: Iterable[Setting] = ()) -> Bundle:
    """The release with edits of its objects, and of its values."""
    merged = copy.deepcopy(VALUES)
    for (*way, last), value in values:
        part = merged
        for key in way:
            part = part.setdefault(key, {})
        if value is GONE:
            del part[last]
        else:
            part[last] = value
    return Bundle(objects(RELEASE, *edits), values=merged, namespace="shop")


def asked(query: str) -> Edit:
    """The trigger with another query."""
    return (SCALER, (*TRIGGER, "metadata", "query"), query)
