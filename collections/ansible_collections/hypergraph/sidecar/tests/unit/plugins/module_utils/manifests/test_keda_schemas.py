# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schemas of KEDA take what its definitions take, and refuse what those refuse."""

from __future__ import annotations

import jsonschema
import pytest
import yaml

from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.schemas.keda import SCHEMAS
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.autoscaling.scaled import REFERENCE
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit, apply

MORE = """
apiVersion: keda.sh/v1alpha1
kind: ClusterTriggerAuthentication
metadata: {name: all}
spec:
  podIdentity: {provider: aws, roleArn: "arn:aws:iam::444455556666:role/keda", identityOwner: keda}
  env: [{name: KEY, parameter: key, containerName: main}]
  configMapTargetRef: [{name: m, key: k, parameter: p}]
  boundServiceAccountToken: [{parameter: token, serviceAccountName: keda}]
  hashiCorpVault:
    address: https://vault:8200
    authentication: kubernetes
    credential: {serviceAccount: /var/run/token}
    secrets: [{parameter: p, path: a/b, key: k, type: pki, pkiData: {commonName: c}}]
  azureKeyVault: {vaultUri: u, secrets: [{parameter: p, name: n}], podIdentity: {provider: azure-workload}, cloud: {type: AzurePublicCloud}}
  gcpSecretManager:
    secrets: [{parameter: p, id: i}]
    credentials: {clientSecret: {valueFrom: {secretKeyRef: {name: n, key: k}}}}
  awsSecretManager: {region: eu-central-1, secrets: [{parameter: p, name: n, secretKey: k}]}
  oauth2: {type: clientCredentials, clientId: c, tokenUrl: u, scopes: [s], tokenUrlParams: {a: b}}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: {name: job}
spec:
  jobTargetRef: {parallelism: 1, backoffLimit: 3, template: {spec: {anything: goes}}}
  rollout: {strategy: gradual, propagationPolicy: foreground}
  scalingStrategy: {strategy: custom, customScalingQueueLengthDeduction: 1, customScalingRunningJobPercentage: "0.5"}
  successfulJobsHistoryLimit: 0
  triggers: [{type: kafka, metadata: {}}]
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: all, labels: null}
spec:
  scaleTargetRef: {apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: all, envSourceContainerName: main}
  pollingInterval: 1
  initialCooldownPeriod: 0
  idleReplicaCount: 0
  maxReplicaCount: null
  advanced:
    restoreToOriginalReplicaCount: true
    horizontalPodAutoscalerConfig: {name: n, behavior: {scaleUp: {tolerance: "0.1", selectPolicy: Disabled}}}
  triggers: [{type: external, metadata: {}, authenticationRef: {name: a, kind: ClusterTriggerAuthentication}}]
"""
TEXTS = [body for body in yaml.safe_load_all(f"{REFERENCE}\n---{MORE}") if body["apiVersion"].startswith("keda.sh/")]
WEB, ALL, JOB, AUTH = "ScaledObject/web", "ScaledObject/all", "ScaledJob/job", "ClusterTriggerAuthentication/all"
BEHAVIOR = ("spec", "advanced", "horizontalPodAutoscalerConfig", "behavior")


def refused(*edits: Edit) -> set[str]:
    """Names of the objects that their schemas refuse."""
    bodies = {f"{body['kind']}/{body['metadata']['name']}": body for body in yaml.safe_load_all(f"{REFERENCE}\n---{MORE}")}
    apply(bodies, edits)
    found = set()
    for name, body in bodies.items():
        schema = SCHEMAS.get((body["apiVersion"], body["kind"]))
        if schema is not None and not jsonschema.Draft7Validator(schema).is_valid(body):
            found.add(name)
    return found


def test_what_the_definitions_take_is_taken() -> None:
    assert {(body["apiVersion"], body["kind"]) for body in TEXTS} == set(SCHEMAS)
    assert refused((ALL, (*BEHAVIOR, "scaleUp", "tolerance"), 0)) == set()


def test_the_schemas_themselves_are_sound() -> None:
    for schema in SCHEMAS.values():
        jsonschema.Draft7Validator.check_schema(schema)


@pytest.mark.parametrize(
    "edit",
    [
        (WEB, ("spec", "scaleTargetRef"), GONE),
        (WEB, ("spec", "scaleTargetRef", "name"), ""),
        (WEB, ("spec", "triggers"), GONE),
        (WEB, ("spec", "triggers"), []),
        (WEB, ("spec", "triggers"), {"cpu": {}}),
        (WEB, ("spec", "triggers", 0, "type"), GONE),
        (WEB, ("spec", "triggers", 0, "metadata"), GONE),
        (WEB, ("spec", "triggers", 0, "metadata", "value"), 65),
        (WEB, ("spec", "triggers", 0, "metadatas"), {}),
        (WEB, ("spec", "triggers", 0, "authenticationRef"), {"kind": "TriggerAuthentication"}),
        (WEB, ("spec", "triggers", 0, "authenticationRef"), {"name": "a", "kind": "Secret"}),
        (WEB, ("spec", "minReplicas"), 2),
        (WEB, ("spec", "minReplicaCount"), -1),
        (WEB, ("spec", "minReplicaCount"), "2"),
        (WEB, ("spec", "maxReplicaCount"), 0),
        (WEB, ("spec", "pollingInterval"), 0),
        (WEB, ("spec", "cooldownPeriod"), 1.5),
        (WEB, ("spec", "fallback", "replicas"), GONE),
        (WEB, ("spec", "fallback", "behavior"), "dynamic"),
        (WEB, (*BEHAVIOR, "scaleDown", "policies", 0, "periodSeconds"), GONE),
        (WEB, (*BEHAVIOR, "scaledown"), {}),
        (WEB, ("spec", "advanced", "scalingModifiers"), {"metricType": "Utilization"}),
        (WEB, ("spec", "advanced", "scalingModifiers"), {"target": 5}),
        (JOB, ("spec", "jobTargetRef", "template"), GONE),
        (JOB, ("spec", "scalingStrategy", "strategy"), "fast"),
        (JOB, ("spec", "cooldownPeriod"), 5),
        (AUTH, ("spec", "podIdentity", "provider"), "azure"),
        (AUTH, ("spec", "secretTargetRef"), [{"name": "n", "key": "k"}]),
        (AUTH, ("spec", "hashiCorpVault", "secrets"), []),
        (AUTH, ("spec", "oauth2", "tokenUrl"), GONE),
    ],
)
def test_what_the_definitions_refuse_is_refused(edit: Edit) -> None:
    assert refused(edit) == {edit[0]}
