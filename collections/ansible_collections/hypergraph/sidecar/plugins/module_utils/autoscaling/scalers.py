# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What KEDA's scalers take as metadata of a trigger, by version.

Facts from kedacore/keda: ``schema/generated/scalers-schema.json`` and ``pkg/scalers/*_scaler.go`` of v2.20, and CHANGELOG.md for what came
and went since 2.12. Scalers that are not here are not known to the check, which says so by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from ..manifests.bundle import Version
from ..manifests.quantity import quantity
from .cron import is_schedule


@dataclass(frozen=True)
class Form:
    """How the text of a parameter must read; ``name`` is what is told of it."""

    name: str
    takes: Callable[[str], bool]


def _number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _whole(text: str) -> bool:
    return re.fullmatch(r"-?\d{1,18}", text, re.ASCII) is not None


TEXT = Form("a text", bool)
NUMBER = Form("a number", _number)
WHOLE = Form("a whole number", _whole)
POSITIVE = Form("a whole number from 1", lambda text: _whole(text) and int(text) >= 1)
NOT_NEGATIVE = Form("a whole number from 0", lambda text: _whole(text) and int(text) >= 0)
# As strconv.ParseBool of Go reads it.
FLAG = Form("true or false", lambda text: text in ("1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"))
QUANTITY = Form("a quantity", lambda text: quantity(text) is not None)
CRON = Form("five fields of cron within their ranges", is_schedule)


def of(*allowed: str) -> Form:
    """One of a few texts."""
    return Form(f"one of {', '.join(allowed)}", lambda text: text in allowed)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a scaler.

    ``auth``: a TriggerAuthentication may give it. ``env``: it may be named as ``<name>FromEnv``. ``metadata`` is False for what only a
    TriggerAuthentication gives. ``composed``: it is not required where scalingModifiers make one metric of all triggers. ``since`` and
    ``until`` are the first versions that take it, and no longer take it; ``instead`` is what took its place.
    """

    form: Form = TEXT
    required: bool = False
    auth: bool = False
    env: bool = False
    metadata: bool = True
    composed: bool = False
    since: Version = ()
    until: Version = ()
    instead: str = ""

    def known_to(self, keda: Version) -> bool:
        """Whether this version of KEDA reads it."""
        return self.since <= keda and (not self.until or keda < self.until)


@dataclass(frozen=True)
class Scaler:
    """``either`` names sets of parameters of which one at least must be complete, ``never`` pairs of which one at most may be set."""

    parameters: dict[str, Parameter]
    either: tuple[tuple[str, ...], ...] = ()
    never: tuple[tuple[str, str], ...] = ()


_REQUIRED = Parameter(required=True)
_OPTIONAL = Parameter()
_SECRET = Parameter(auth=True, metadata=False)
_OPEN = Parameter(auth=True)
_ANYWHERE = Parameter(auth=True, env=True)
_IS_SET = Parameter(FLAG)
_METRIC_NAME = Parameter(until=(2, 12), instead="the trigger's name")
_AWS = {
    "awsRegion": _OPEN,
    "identityOwner": Parameter(of("pod", "operator")),
    "awsAccessKeyID": Parameter(auth=True, env=True),
    "awsSecretAccessKey": Parameter(auth=True, env=True, metadata=False),
    "awsSessionToken": Parameter(auth=True, env=True, metadata=False),
}
_TLS_SECRETS = {"ca": _SECRET, "cert": _SECRET, "key": _SECRET, "keyPassword": _SECRET}
_RESOURCE = Scaler(
    {
        "value": Parameter(QUANTITY, required=True),
        "containerName": _OPTIONAL,
        "type": Parameter(of("Utilization", "AverageValue"), until=(2, 18), instead="metricType of the trigger"),
    }
)
_REDIS = {
    **dict.fromkeys(("address", "addresses", "host", "hosts", "port", "ports", "username", "password"), _ANYWHERE),
    **dict.fromkeys(("sentinelUsername", "sentinelPassword", "sentinelMaster"), _ANYWHERE),
    "databaseIndex": Parameter(NOT_NEGATIVE),
    "enableTLS": _IS_SET,
    "unsafeSsl": _IS_SET,
    "tls": _SECRET,
    **_TLS_SECRETS,
    "metricName": _METRIC_NAME,
}
_REDIS_PLACES = (("address",), ("addresses",), ("host", "port"), ("hosts", "ports"))
_REDIS_LIST = Scaler(
    {
        "listName": _REQUIRED,
        "listLength": Parameter(WHOLE),
        "activationListLength": Parameter(WHOLE),
        **_REDIS,
    },
    either=_REDIS_PLACES,
)
_REDIS_STREAMS = Scaler(
    {
        "stream": _REQUIRED,
        "consumerGroup": _OPTIONAL,
        "pendingEntriesCount": Parameter(WHOLE),
        "streamLength": Parameter(WHOLE),
        "lagCount": Parameter(WHOLE),
        "activationLagCount": Parameter(WHOLE),
        **_REDIS,
    },
    either=_REDIS_PLACES,
)

SCALERS: dict[str, Scaler] = {
    "prometheus": Scaler(
        {
            "serverAddress": _REQUIRED,
            "query": _REQUIRED,
            "threshold": Parameter(NUMBER, required=True),
            "activationThreshold": Parameter(NUMBER),
            "ignoreNullValues": _IS_SET,
            "namespace": _OPTIONAL,
            "queryParameters": Parameter(since=(2, 13)),
            "customHeaders": _OPTIONAL,
            "unsafeSsl": _IS_SET,
            "timeout": Parameter(since=(2, 17)),
            "authModes": _OPEN,
            "authMode": _OPEN,
            **dict.fromkeys(("bearerToken", "username", "password", "ca", "cert", "key", "customAuthHeader"), _SECRET),
            "customAuthValue": _SECRET,
            **_AWS,
            # Managed Prometheus of Azure and of Google.
            "cloud": _OPTIONAL,
            "azureManagedPrometheusResourceURL": _OPTIONAL,
            "credentials": Parameter(auth=True, env=True, metadata=False),
            "credentialsFromEnvFile": _OPTIONAL,
            "metricName": _METRIC_NAME,
            "cortexOrgID": Parameter(until=(2, 15), instead="customHeaders X-Scope-OrgID"),
        }
    ),
    "kafka": Scaler(
        {
            "bootstrapServers": Parameter(required=True, env=True),
            "consumerGroup": Parameter(required=True, env=True),
            "topic": Parameter(env=True),
            "lagThreshold": Parameter(POSITIVE),
            "activationLagThreshold": Parameter(NOT_NEGATIVE),
            "partitionLimitation": _OPTIONAL,
            "offsetResetPolicy": Parameter(of("latest", "earliest")),
            "allowIdleConsumers": _IS_SET,
            "excludePersistentLag": _IS_SET,
            "scaleToZeroOnInvalidOffset": _IS_SET,
            "limitToPartitionsWithLag": Parameter(FLAG, since=(2, 13)),
            "ensureEvenDistributionOfPartitions": Parameter(FLAG, since=(2, 18)),
            "fullMetadata": Parameter(FLAG, since=(2, 21)),
            "version": _OPTIONAL,
            "tls": Parameter(of("enable", "disable"), auth=True),
            "unsafeSsl": _IS_SET,
            "sasl": Parameter(of("none", "plaintext", "scram_sha256", "scram_sha512", "oauthbearer", "gssapi"), auth=True),
            "saslTokenProvider": Parameter(of("bearer", "aws_msk_iam"), auth=True, since=(2, 14)),
            **dict.fromkeys(("username", "password", "scopes", "oauthTokenEndpointUri", "oauthExtensions"), _SECRET),
            **dict.fromkeys(("keytab", "realm", "kerberosConfig", "kerberosServiceName", "kerberosDisableFAST"), _SECRET),
            **_TLS_SECRETS,
            **_AWS,
            "metricName": _METRIC_NAME,
        },
        never=(("allowIdleConsumers", "limitToPartitionsWithLag"), ("limitToPartitionsWithLag", "ensureEvenDistributionOfPartitions")),
    ),
    "aws-sqs-queue": Scaler(
        {
            **_AWS,
            "queueURL": Parameter(required=True, env=True),
            "awsRegion": Parameter(required=True, auth=True),
            "queueLength": Parameter(WHOLE),
            "activationQueueLength": Parameter(WHOLE),
            "scaleOnInFlight": _IS_SET,
            "scaleOnDelayed": Parameter(FLAG, since=(2, 12)),
            "awsEndpoint": _OPTIONAL,
            "metricName": _METRIC_NAME,
        }
    ),
    "cpu": _RESOURCE,
    "memory": _RESOURCE,
    "cron": Scaler(
        {
            "start": Parameter(CRON, required=True),
            "end": Parameter(CRON, required=True),
            "timezone": _REQUIRED,
            "desiredReplicas": Parameter(POSITIVE, required=True),
            "metricName": _METRIC_NAME,
        }
    ),
    "redis": _REDIS_LIST,
    "redis-cluster": _REDIS_LIST,
    "redis-sentinel": _REDIS_LIST,
    "redis-streams": _REDIS_STREAMS,
    "redis-cluster-streams": _REDIS_STREAMS,
    "redis-sentinel-streams": _REDIS_STREAMS,
    "rabbitmq": Scaler(
        {
            "queueName": _REQUIRED,
            "host": Parameter(required=True, auth=True, env=True),
            "mode": Parameter(
                of("QueueLength", "MessageRate", "DeliverGetRate", "PublishedToDeliveredRatio", "ExpectedQueueConsumptionTime", "Unknown")
            ),
            "value": Parameter(NUMBER),
            "activationValue": Parameter(NUMBER),
            "queueLength": Parameter(NUMBER),
            "protocol": Parameter(of("auto", "amqp", "http"), auth=True),
            "vhostName": _OPEN,
            "useRegex": _IS_SET,
            "excludeUnacknowledged": _IS_SET,
            "pageSize": Parameter(POSITIVE),
            "operation": Parameter(of("sum", "max", "avg")),
            "timeout": _OPTIONAL,
            "unsafeSsl": _IS_SET,
            "username": Parameter(auth=True, env=True, metadata=False),
            "password": Parameter(auth=True, env=True, metadata=False),
            "tls": _SECRET,
            "workloadIdentityResource": _SECRET,
            **_TLS_SECRETS,
            "metricName": _METRIC_NAME,
        },
        never=(("queueLength", "mode"), ("queueLength", "value")),
    ),
    "postgresql": Scaler(
        {
            "query": _REQUIRED,
            "targetQueryValue": Parameter(NUMBER, required=True, composed=True),
            "activationTargetQueryValue": Parameter(NUMBER),
            "connection": Parameter(auth=True, env=True, metadata=False),
            "password": Parameter(auth=True, env=True, metadata=False),
            **dict.fromkeys(("host", "port", "userName", "dbName", "sslmode"), _OPEN),
            "metricName": _METRIC_NAME,
        },
        either=(("connection",), ("host", "port", "userName", "dbName", "sslmode")),
    ),
}


def parameter(scaler: Scaler, key: str) -> Parameter | None:
    """What the scaler knows under a key of the metadata: the parameter itself, or the one that ``<name>FromEnv`` is for."""
    if key in scaler.parameters:
        found = scaler.parameters[key]
        return found if found.metadata else None
    name = key[: -len("FromEnv")] if key.endswith("FromEnv") else ""
    referred = scaler.parameters.get(name)
    return referred if referred is not None and referred.env else None
