# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads with autoscalers of every kind, sound but for what a test edits."""

from __future__ import annotations

from types import ModuleType

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.registry import RULES
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.bundle import Bundle, Versions
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.rules import Outcome, Rule
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import Edit, objects

REFERENCE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: web:1.0.0, resources: {requests: {cpu: 500m}, limits: {memory: 1Gi}}}
        - {name: proxy, image: proxy:1.0.0, resources: {requests: {cpu: 100m}}}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web}
spec:
  scaleTargetRef: {name: web}
  minReplicaCount: 2
  maxReplicaCount: 10
  pollingInterval: 15
  fallback: {failureThreshold: 3, replicas: 4, behavior: currentReplicasIfHigher}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown:
          stabilizationWindowSeconds: 300
          selectPolicy: Min
          policies: [{type: Percent, value: 25, periodSeconds: 60}]
  triggers:
    - {type: cpu, metricType: Utilization, metadata: {value: "65"}}
    - type: prometheus
      name: requests
      useCachedMetrics: true
      metadata: {serverAddress: "http://prometheus:9090", query: "sum(rate(r[2m]))", threshold: "40", ignoreNullValues: "false"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker}
spec:
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec:
      containers: [{name: worker, image: worker:1.0.0}]
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: worker}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  minReplicaCount: 0
  maxReplicaCount: 12
  cooldownPeriod: 600
  triggers:
    - type: kafka
      metadata: {bootstrapServers: "kafka:9092", consumerGroup: worker, topic: jobs, lagThreshold: "20", offsetResetPolicy: earliest}
      authenticationRef: {name: kafka}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: {name: kafka}
spec: {secretTargetRef: [{parameter: password, name: kafka, key: password}]}
---
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaTopic
metadata: {name: jobs}
spec: {partitions: 12}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: cache}
spec:
  selector: {matchLabels: {app: cache}}
  template:
    metadata: {labels: {app: cache}}
    spec:
      containers: [{name: cache, image: cache:1.0.0, resources: {limits: {memory: 1Gi}}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: cache}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: cache}
  maxReplicas: 6
  metrics: [{type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 70}}}]
  behavior: {scaleUp: {policies: [{type: Pods, value: 2, periodSeconds: 15}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: mixer}
spec:
  selector: {matchLabels: {app: mixer}}
  template:
    metadata: {labels: {app: mixer}}
    spec:
      containers: [{name: mixer, image: mixer:1.0.0, resources: {requests: {cpu: 100m}}}]
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: mixer}
spec:
  scaleTargetRef: {name: mixer}
  minReplicaCount: 1
  maxReplicaCount: 5
  fallback: {failureThreshold: 3, replicas: 2}
  advanced:
    scalingModifiers:
      formula: 'let share = table / max(list, 1); share > 0.5 && "idle" != "busy" ? list + table : list'
      target: "5"
  triggers:
    - {type: redis, name: list, metadata: {address: "redis:6379", listName: jobs}}
    - {type: postgresql, name: table, metadata: {connectionFromEnv: DATABASE, query: SELECT 1}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: nights}
spec:
  selector: {matchLabels: {app: nights}}
  template:
    metadata: {labels: {app: nights}}
    spec:
      containers: [{name: nights, image: nights:1.0.0, resources: {requests: {cpu: 100m}}}]
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: nights}
spec:
  scaleTargetRef: {name: nights}
  minReplicaCount: 1
  maxReplicaCount: 5
  triggers:
    - {type: cpu, metricType: Utilization, metadata: {value: "80"}}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: {name: report}
spec:
  jobTargetRef: {template: {spec: {containers: [{name: report, image: report:1.0.0}]}}}
  triggers:
    - type: aws-sqs-queue
      metadata: {queueURL: "https://sqs.eu-central-1.amazonaws.com/444455556666/reports", awsRegion: eu-central-1}
    - {type: cron, name: night, metadata: {start: 0 1 * * *, end: 0 4 * * 1-5, timezone: Europe/Berlin, desiredReplicas: "2"}}
    - {type: rabbitmq, metadata: {queueName: reports, hostFromEnv: RABBITMQ, mode: QueueLength, value: "20"}}
    - {type: redis-streams, metadata: {addressesFromEnv: REDIS, stream: reports, consumerGroup: report}}
    - {type: custom-made, metadata: {anything: goes}}
"""
WEB, WORKER, MIXER, NIGHTS, CACHE = (
    "ScaledObject/web",
    "ScaledObject/worker",
    "ScaledObject/mixer",
    "ScaledObject/nights",
    "HorizontalPodAutoscaler/cache",
)
JOB = "ScaledJob/report"


def bundle(*edits: Edit, keda: tuple[int, ...] = (2, 20), kubernetes: tuple[int, ...] = (1, 33), argocd: str = "") -> Bundle:
    """The reference with the edits applied."""
    deployed = objects(argocd) if argocd else ()
    return Bundle(objects(REFERENCE, *edits), deployed, (), {}, "lab", True, Versions(kubernetes, keda, (1, 14), (3, 5)))


def broken(rule: str, judged: Bundle) -> list[Outcome]:
    """What does not hold."""
    return [outcome for outcome in RULES.rules[rule].judge(judged) if not outcome.ok]


def told(rule: str, judged: Bundle) -> list[str]:
    """What does not hold, in words."""
    return [str(outcome) for outcome in broken(rule, judged)]


def rules_of(*rooms: ModuleType) -> list[Rule]:
    """The rules of these modules."""
    names = {room.__name__ for room in rooms}
    return [rule for rule in RULES if rule.judge.__module__ in names]
