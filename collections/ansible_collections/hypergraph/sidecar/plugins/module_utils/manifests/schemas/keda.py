# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schemas of KEDA's resources, ``keda.sh/v1alpha1``, as of v2.20.

Written from the published definitions (``config/crd/bases`` of kedacore/keda). Their CEL rule and what KEDA's webhook refuses are not here
but in ``autoscaling/``, where each has words and a remedy of its own. Left open: the pod template of a ScaledJob, which is the Job's to
know, and ``status``.
"""

from __future__ import annotations

from .parts import COUNT, FLAG, INT_OR_TEXT, NAME, NUMBER, OPEN, TEXT, Schema, list_of, map_of, one_of, record, resource

_POSITIVE: Schema = {"type": "integer", "minimum": 1}
_TRIGGERS = list_of(
    record(
        ("type", "metadata"),
        type=NAME,
        name=TEXT,
        metadata=map_of(TEXT),
        metricType=TEXT,
        useCachedMetrics=FLAG,
        authenticationRef=record(("name",), name=TEXT, kind=one_of("TriggerAuthentication", "ClusterTriggerAuthentication")),
    ),
    minItems=1,
)
_SCALING = record(
    policies=list_of(record(("type", "value", "periodSeconds"), type=TEXT, value=NUMBER, periodSeconds=NUMBER)),
    selectPolicy=TEXT,
    stabilizationWindowSeconds=NUMBER,
    tolerance=INT_OR_TEXT,
)
_SCALED_OBJECT = record(
    ("scaleTargetRef", "triggers"),
    scaleTargetRef=record(("name",), name=NAME, apiVersion=TEXT, kind=TEXT, envSourceContainerName=TEXT),
    pollingInterval=_POSITIVE,
    initialCooldownPeriod=COUNT,
    cooldownPeriod=COUNT,
    idleReplicaCount=COUNT,
    minReplicaCount=COUNT,
    maxReplicaCount=_POSITIVE,
    advanced=record(
        restoreToOriginalReplicaCount=FLAG,
        horizontalPodAutoscalerConfig=record(name=TEXT, behavior=record(scaleUp=_SCALING, scaleDown=_SCALING)),
        scalingModifiers=record(formula=TEXT, target=TEXT, activationTarget=TEXT, metricType=one_of("AverageValue", "Value")),
    ),
    triggers=_TRIGGERS,
    fallback=record(
        ("failureThreshold", "replicas"),
        failureThreshold=COUNT,
        replicas=COUNT,
        behavior=one_of("static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower", "scalingModifiers"),
    ),
)
_JOB = record(
    ("template",),
    activeDeadlineSeconds=NUMBER,
    backoffLimit=NUMBER,
    backoffLimitPerIndex=NUMBER,
    completionMode=TEXT,
    completions=NUMBER,
    managedBy=TEXT,
    manualSelector=FLAG,
    maxFailedIndexes=NUMBER,
    parallelism=NUMBER,
    podFailurePolicy=OPEN,
    podReplacementPolicy=TEXT,
    selector=OPEN,
    successPolicy=OPEN,
    suspend=FLAG,
    template=OPEN,
    ttlSecondsAfterFinished=NUMBER,
)
_SCALED_JOB = record(
    ("jobTargetRef", "triggers"),
    jobTargetRef=_JOB,
    envSourceContainerName=TEXT,
    successfulJobsHistoryLimit=COUNT,
    failedJobsHistoryLimit=COUNT,
    pollingInterval=_POSITIVE,
    minReplicaCount=COUNT,
    maxReplicaCount=_POSITIVE,
    rollout=record(strategy=one_of("gradual", "immediate"), propagationPolicy=one_of("foreground", "background")),
    rolloutStrategy=one_of("gradual", "immediate"),
    scalingStrategy=record(
        strategy=one_of("default", "custom", "accurate", "eager"),
        customScalingQueueLengthDeduction=NUMBER,
        customScalingRunningJobPercentage=TEXT,
        multipleScalersCalculation=one_of("min", "avg", "sum", "max"),
        pendingPodConditions=list_of(TEXT),
    ),
    triggers=_TRIGGERS,
)
_SECRET_KEY = record(("valueFrom",), valueFrom=record(("secretKeyRef",), secretKeyRef=record(("name", "key"), name=TEXT, key=TEXT)))
_POD_IDENTITY = record(
    ("provider",),
    provider=one_of("azure-workload", "gcp", "aws", "aws-eks", "none"),
    identityId=TEXT,
    identityTenantId=TEXT,
    identityAuthorityHost=TEXT,
    identityOwner=one_of("keda", "workload"),
    roleArn=TEXT,
    externalID=TEXT,
)
_FROM_OBJECT = list_of(record(("name", "key", "parameter"), name=TEXT, key=TEXT, parameter=TEXT))
_AUTHENTICATION = record(
    podIdentity=_POD_IDENTITY,
    secretTargetRef=_FROM_OBJECT,
    configMapTargetRef=_FROM_OBJECT,
    env=list_of(record(("name", "parameter"), name=TEXT, parameter=TEXT, containerName=TEXT)),
    filePath=TEXT,
    boundServiceAccountToken=list_of(record(("parameter", "serviceAccountName"), parameter=TEXT, serviceAccountName=TEXT)),
    hashiCorpVault=record(
        ("address", "authentication", "secrets"),
        address=TEXT,
        namespace=TEXT,
        authentication=one_of("token", "kubernetes"),
        role=TEXT,
        mount=TEXT,
        credential=record(token=TEXT, serviceAccount=TEXT, serviceAccountName=TEXT),
        secrets=list_of(
            record(
                ("parameter", "path", "key"),
                parameter=TEXT,
                path=TEXT,
                key=TEXT,
                type=one_of("", "secretV2", "secret", "pki"),
                pkiData=record(commonName=TEXT, altNames=TEXT, ipSans=TEXT, uriSans=TEXT, otherSans=TEXT, ttl=TEXT, format=TEXT),
            ),
            minItems=1,
        ),
    ),
    azureKeyVault=record(
        ("vaultUri", "secrets"),
        vaultUri=TEXT,
        secrets=list_of(record(("parameter", "name"), parameter=TEXT, name=TEXT, version=TEXT), minItems=1),
        credentials=record(("clientId", "clientSecret", "tenantId"), clientId=TEXT, clientSecret=_SECRET_KEY, tenantId=TEXT),
        podIdentity=_POD_IDENTITY,
        cloud=record(("type",), type=TEXT, keyVaultResourceURL=TEXT, activeDirectoryEndpoint=TEXT),
    ),
    gcpSecretManager=record(
        ("secrets",),
        secrets=list_of(record(("parameter", "id"), parameter=TEXT, id=TEXT, version=TEXT), minItems=1),
        credentials=record(("clientSecret",), clientSecret=_SECRET_KEY),
        podIdentity=_POD_IDENTITY,
    ),
    awsSecretManager=record(
        ("secrets",),
        secrets=list_of(
            record(("parameter", "name"), parameter=TEXT, name=TEXT, versionId=TEXT, versionStage=TEXT, secretKey=TEXT), minItems=1
        ),
        credentials=record(("accessKey", "accessSecretKey"), accessKey=_SECRET_KEY, accessSecretKey=_SECRET_KEY, accessToken=_SECRET_KEY),
        podIdentity=_POD_IDENTITY,
        region=TEXT,
    ),
    oauth2=record(
        ("clientId", "tokenUrl"),
        type=one_of("clientCredentials"),
        clientId=TEXT,
        clientSecret=_SECRET_KEY,
        tokenUrl=TEXT,
        scopes=list_of(TEXT),
        tokenUrlParams=map_of(TEXT),
    ),
)

SCHEMAS: dict[tuple[str, str], Schema] = {
    ("keda.sh/v1alpha1", "ScaledObject"): resource(_SCALED_OBJECT),
    ("keda.sh/v1alpha1", "ScaledJob"): resource(_SCALED_JOB),
    ("keda.sh/v1alpha1", "TriggerAuthentication"): resource(_AUTHENTICATION),
    ("keda.sh/v1alpha1", "ClusterTriggerAuthentication"): resource(_AUTHENTICATION),
}
