# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what triggers say: each finds what it is for in triggers sound but for one thing, and nothing that only looks like it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling import queues, trigger_rules
from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.scalers import SCALERS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Path
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.autoscaling.scaled import (
    JOB,
    MIXER,
    NIGHTS,
    WEB,
    WORKER,
    broken,
    bundle,
    rules_of,
    told,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit

OURS = rules_of(trigger_rules, queues)
PROMETHEUS: Path = ("spec", "triggers", 1)
FIRST: Path = ("spec", "triggers", 0)
KAFKA: Path = (*FIRST, "metadata")
SQS: Path = (*FIRST, "metadata")
CRON: Path = ("spec", "triggers", 1, "metadata")
RABBIT: Path = ("spec", "triggers", 2, "metadata")
STREAMS: Path = ("spec", "triggers", 3, "metadata")
MODIFIERS: Path = ("spec", "advanced", "scalingModifiers")
CLUSTER = {"apiVersion": "keda.sh/v1alpha1", "kind": "ClusterTriggerAuthentication", "metadata": {"name": "all"}, "spec": {}}

VIOLATIONS: list[tuple[str, list[Edit], str]] = [
    ("trigger-metadata-not-text", [(WEB, (*PROMETHEUS, "metadata", "threshold"), 40)], "threshold is a number"),
    ("trigger-metadata-not-text", [(WEB, (*PROMETHEUS, "metadata", "ignoreNullValues"), False)], "ignoreNullValues is a boolean"),
    ("trigger-metadata-not-text", [(WEB, (*PROMETHEUS, "metadata", "query"), None)], "query is a null"),
    ("trigger-metadata-not-text", [(WEB, ("spec", "triggers"), {"cpu": {"type": "cpu"}})], "a mapping"),
    ("trigger-metadata-not-text", [(WEB, ("spec", "triggers"), [])], "none"),
    ("trigger-parameter-missing", [(WEB, (*PROMETHEUS, "metadata", "threshold"), GONE)], "threshold of trigger requests (prometheus)"),
    ("trigger-parameter-missing", [(WEB, (*PROMETHEUS, "metadata", "query"), " ")], "query of trigger"),
    ("trigger-parameter-missing", [(WEB, (*FIRST, "metadata"), {})], "value of trigger 0 (cpu)"),
    ("trigger-parameter-missing", [(JOB, (*SQS, "awsRegion"), GONE)], "awsRegion"),
    ("trigger-parameter-missing", [(JOB, (*CRON, "timezone"), GONE)], "timezone"),
    ("trigger-parameter-missing", [(JOB, (*RABBIT, "hostFromEnv"), GONE)], "host of trigger 2 (rabbitmq)"),
    ("trigger-parameter-missing", [(JOB, (*STREAMS, "addressesFromEnv"), GONE)], "address or addresses or host+port"),
    ("trigger-parameter-missing", [(JOB, (*STREAMS, "addressesFromEnv"), GONE), (JOB, (*STREAMS, "host"), "redis")], "host+port"),
    ("trigger-parameter-missing", [(MIXER, (*PROMETHEUS, "metadata", "connectionFromEnv"), GONE)], "connection or host+port+userName"),
    ("trigger-parameter-missing", [(MIXER, (*MODIFIERS, "formula"), GONE)], "targetQueryValue"),
    ("trigger-parameter-missing", [(WORKER, (*KAFKA, "consumerGroup"), GONE)], "consumerGroup"),
    ("trigger-parameter-refused", [(WEB, (*PROMETHEUS, "metadata", "threshold"), "40 s")], "a number for threshold"),
    ("trigger-parameter-refused", [(WEB, (*PROMETHEUS, "metadata", "threshold"), "nan")], "'nan'"),
    ("trigger-parameter-refused", [(WEB, (*PROMETHEUS, "metadata", "ignoreNullValues"), "no")], "true or false"),
    ("trigger-parameter-refused", [(WEB, (*FIRST, "metadata", "value"), "500m")], "percent of the request"),
    ("trigger-parameter-refused", [(WEB, (*FIRST, "metadata", "value"), "65%")], "a quantity"),
    ("trigger-parameter-refused", [(WORKER, (*KAFKA, "offsetResetPolicy"), "first")], "one of latest, earliest"),
    ("trigger-parameter-refused", [(WORKER, (*KAFKA, "lagThreshold"), "0")], "a whole number from 1"),
    ("trigger-parameter-refused", [(WORKER, (*KAFKA, "activationLagThreshold"), "-1")], "a whole number from 0"),
    ("trigger-parameter-refused", [(WORKER, (*KAFKA, "sasl"), "plain")], "scram_sha256"),
    (
        "trigger-parameter-refused",
        [(WORKER, (*KAFKA, "allowIdleConsumers"), "true"), (WORKER, (*KAFKA, "limitToPartitionsWithLag"), "True")],
        "allowIdleConsumers or limitToPartitionsWithLag",
    ),
    ("trigger-parameter-refused", [(JOB, (*CRON, "start"), "@daily")], "five fields of cron"),
    ("trigger-parameter-refused", [(JOB, (*CRON, "end"), "0 1 * * *")], "an end of trigger night (cron) that is not its start"),
    ("trigger-parameter-refused", [(JOB, (*CRON, "end"), "0 9 * * 7")], "'0 9 * * 7'"),
    ("trigger-parameter-refused", [(JOB, (*CRON, "desiredReplicas"), "0")], "desiredReplicas"),
    ("trigger-parameter-refused", [(JOB, (*RABBIT, "mode"), "queueLength")], "QueueLength"),
    ("trigger-parameter-refused", [(JOB, (*RABBIT, "queueLength"), "20")], "queueLength or mode"),
    ("trigger-parameter-refused", [(JOB, (*SQS, "queueLength"), "5.5")], "a whole number"),
    ("trigger-parameter-refused", [(MIXER, (*FIRST, "metadata", "databaseIndex"), "one")], "databaseIndex"),
    (
        "trigger-parameter-unknown",
        [(WEB, (*PROMETHEUS, "metadata", "metricName"), "r")],
        "metricName, gone since 2.12; now the trigger's name",
    ),
    ("trigger-parameter-unknown", [(WEB, (*PROMETHEUS, "metadata", "cortexOrgID"), "r")], "gone since 2.15"),
    ("trigger-parameter-unknown", [(WEB, (*FIRST, "metadata", "type"), "Utilization")], "now metricType of the trigger"),
    ("trigger-parameter-unknown", [(WEB, (*PROMETHEUS, "metadata", "treshold"), "5")], "observed treshold"),
    ("trigger-parameter-unknown", [(WORKER, (*KAFKA, "password"), "x")], "read from a TriggerAuthentication alone"),
    ("trigger-parameter-unknown", [(WORKER, (*KAFKA, "lagThresholdFromEnv"), "LAG")], "lagThresholdFromEnv"),
    ("trigger-parameter-unknown", [(WORKER, (*KAFKA, "fullMetadata"), "true")], "which came with 2.21"),
    ("metric-type-refused", [(WEB, (*PROMETHEUS, "metricType"), "Utilization")], "AverageValue or Value for trigger requests"),
    ("metric-type-refused", [(WEB, (*FIRST, "metricType"), "Value")], "Utilization or AverageValue for trigger 0 (cpu)"),
    ("metric-type-refused", [(WEB, (*FIRST, "metricType"), GONE)], "observed none"),
    ("trigger-refused", [(WEB, (*FIRST, "name"), "requests")], "a name of its own"),
    ("trigger-refused", [(WEB, (*FIRST, "useCachedMetrics"), True)], "no cache for trigger 0 (cpu)"),
    ("trigger-refused", [(JOB, (*CRON[:-1], "useCachedMetrics"), True)], "no cache for trigger night (cron)"),
    ("authentication-missing", [(WORKER, (*FIRST, "authenticationRef", "name"), "kafkas")], "there is kafka"),
    ("authentication-missing", [("TriggerAuthentication/kafka", (), GONE)], "there is none"),
    ("authentication-missing", [("TriggerAuthentication/kafka", ("metadata", "namespace"), "other")], "there is none"),
    (
        "authentication-missing",
        [
            ("ClusterTriggerAuthentication/all", (), CLUSTER),
            (WORKER, (*FIRST, "authenticationRef", "kind"), "ClusterTriggerAuthentication"),
        ],
        "there is all",
    ),
    ("formula-refused", [(MIXER, (*MODIFIERS, "target"), "0")], "a number above 0"),
    ("formula-refused", [(MIXER, (*MODIFIERS, "target"), GONE)], "none"),
    ("formula-refused", [(MIXER, (*MODIFIERS, "target"), "five")], "five"),
    ("formula-refused", [(MIXER, (*MODIFIERS, "formula"), "list + tables")], "names of triggers: list, table, observed tables"),
    ("formula-refused", [(MIXER, (*MODIFIERS, "formula"), "")], "a formula"),
    ("formula-refused", [(MIXER, ("spec", "triggers", 1, "type"), "cpu")], "observed table"),
    ("formula-refused", [(WEB, ("spec", "fallback", "behavior"), "scalingModifiers")], "a formula"),
    ("kafka-trigger-refused", [(WORKER, (*KAFKA, "limitToPartitionsWithLag"), "true"), (WORKER, (*KAFKA, "topic"), GONE)], "a topic for"),
    ("kafka-trigger-refused", [(WORKER, (*KAFKA, "fullMetadata"), "false"), (WORKER, (*KAFKA, "topic"), "")], "without fullMetadata"),
    ("kafka-trigger-refused", [(WORKER, (*KAFKA, "partitionLimitation"), "1,2-x")], "1,2-x"),
    ("consumers-exceed-partitions", [(WORKER, ("spec", "maxReplicaCount"), 13)], "at most 12 partitions, observed 13"),
    ("consumers-exceed-partitions", [(WORKER, ("spec", "maxReplicaCount"), GONE)], "observed 100"),
    ("consumers-exceed-partitions", [(WORKER, (*KAFKA, "partitionLimitation"), "0-3, 7")], "at most 5 partitions"),
    ("consumers-exceed-partitions", [("KafkaTopic/jobs", ("spec", "partitions"), 6)], "at most 6"),
    ("queue-url-refused", [(JOB, (*SQS, "queueURL"), "https://sqs.eu-central-1.amazonaws.com/reports")], "a path of account and queue"),
    ("queue-url-refused", [(JOB, (*SQS, "queueURL"), "https://sqs.eu-central-1.amazonaws.com/444455556666/")], "a path of account"),
    ("queue-url-refused", [(JOB, (*SQS, "awsRegion"), "eu-west-1")], "a queue in awsRegion eu-west-1, observed eu-central-1"),
    ("queue-url-refused", [(JOB, (*SQS, "queueURL"), "https://[sqs/1/2")], "a URL"),
]

NEAR_MISSES: list[tuple[str, list[Edit]]] = [
    ("trigger-metadata-not-text", [(WEB, (*PROMETHEUS, "metadata", "threshold"), "40.5")]),
    ("trigger-parameter-missing", [(WORKER, (*KAFKA, "topic"), GONE), (WORKER, (*KAFKA, "lagThreshold"), GONE)]),
    ("trigger-parameter-missing", [(JOB, (*SQS, "awsRegion"), GONE), (JOB, (*FIRST, "authenticationRef"), {"name": "aws"})]),
    ("trigger-parameter-missing", [(JOB, (*SQS, "queueURL"), GONE), (JOB, (*SQS, "queueURLFromEnv"), "QUEUE")]),
    ("trigger-parameter-missing", [(JOB, STREAMS, {"stream": "s", "host": "redis", "portFromEnv": "PORT"})]),
    ("trigger-parameter-missing", [(MIXER, (*MODIFIERS, "formula"), GONE), (MIXER, (*PROMETHEUS, "metadata", "targetQueryValue"), "5")]),
    ("trigger-parameter-missing", [(WEB, (*PROMETHEUS, "metadata", "threshold"), 40)]),
    ("trigger-parameter-refused", [(WEB, (*PROMETHEUS, "metadata", "threshold"), " 1e3 ")]),
    ("trigger-parameter-refused", [(WEB, (*FIRST, "metadata", "value"), "500m"), (WEB, (*FIRST, "metricType"), "AverageValue")]),
    ("trigger-parameter-refused", [(WEB, (*PROMETHEUS, "metadata", "ignoreNullValues"), "")]),
    (
        "trigger-parameter-refused",
        [(WORKER, (*KAFKA, "allowIdleConsumers"), "false"), (WORKER, (*KAFKA, "limitToPartitionsWithLag"), "true")],
    ),
    ("trigger-parameter-refused", [(JOB, RABBIT, {"queueName": "q", "host": "amqp://r", "mode": "Unknown", "queueLength": "5"})]),
    ("trigger-parameter-refused", [(JOB, (*CRON, "start"), "0,30 1-3 */2 JAN ?")]),
    ("trigger-parameter-unknown", [(WORKER, (*KAFKA, "topic"), GONE), (WORKER, (*KAFKA, "topicFromEnv"), "TOPIC")]),
    ("trigger-parameter-unknown", [(WEB, (*PROMETHEUS, "metadata", "authModes"), "bearer")]),
    ("trigger-parameter-unknown", [(WEB, (*PROMETHEUS, "metadata", "awsRegion"), "eu-central-1")]),
    ("metric-type-refused", [(WEB, (*PROMETHEUS, "metricType"), "Value"), (NIGHTS, (*FIRST, "metricType"), "AverageValue")]),
    ("trigger-refused", [(WEB, (*FIRST, "name"), ""), (NIGHTS, (*FIRST, "name"), "requests")]),
    ("authentication-missing", [(WORKER, (*FIRST, "authenticationRef"), {"name": "x", "kind": "ClusterTriggerAuthentication"})]),
    (
        "authentication-missing",
        [
            ("ClusterTriggerAuthentication/all", (), CLUSTER),
            (WORKER, (*FIRST, "authenticationRef"), {"name": "all", "kind": "ClusterTriggerAuthentication"}),
            (WORKER, ("metadata", "namespace"), "other"),
        ],
    ),
    ("formula-refused", [(MIXER, (*MODIFIERS, "formula"), "count([list, table], {# > 1}) + float(list ?? 0)")]),
    ("formula-refused", [(MIXER, (*MODIFIERS, "target"), "0.5")]),
    ("formula-refused", [(WEB, MODIFIERS, {"formula": "", "target": ""})]),
    ("kafka-trigger-refused", [(WORKER, (*KAFKA, "limitToPartitionsWithLag"), "false"), (WORKER, (*KAFKA, "topic"), GONE)]),
    ("kafka-trigger-refused", [(WORKER, (*KAFKA, "partitionLimitation"), " 1, 2-4 ,10 ")]),
    (
        "kafka-trigger-refused",
        [(WORKER, KAFKA, {"ensureEvenDistributionOfPartitions": "true", "topicFromEnv": "TOPIC", "fullMetadata": "false"})],
    ),
    ("consumers-exceed-partitions", [(WORKER, ("spec", "maxReplicaCount"), 13), (WORKER, (*KAFKA, "allowIdleConsumers"), "true")]),
    ("consumers-exceed-partitions", [(WORKER, ("spec", "maxReplicaCount"), 13), (WORKER, ("spec", "triggers", 1), {"type": "cron"})]),
    ("consumers-exceed-partitions", [(WORKER, ("spec", "maxReplicaCount"), 13), ("KafkaTopic/jobs", ("spec", "topicName"), "others")]),
    ("queue-url-refused", [(JOB, (*SQS, "queueURL"), "reports")]),
    ("queue-url-refused", [(JOB, (*SQS, "queueURL"), "http://localhost:4566/000000000000/reports")]),
]


def test_the_reference_keeps_to_every_rule_and_every_rule_looks_at_it() -> None:
    judged = bundle()
    for rule in OURS:
        assert told(rule.id, judged) == [], rule.id
        assert list(rule.judge(judged)), rule.id


@pytest.mark.parametrize(("rule", "edits", "said"), VIOLATIONS)
def test_a_violation_is_found_and_told(rule: str, edits: list[Edit], said: str) -> None:
    found = told(rule, bundle(*edits))
    assert any(said in line for line in found), found


@pytest.mark.parametrize(("rule", "edits"), NEAR_MISSES)
def test_what_only_looks_like_a_violation_is_none(rule: str, edits: list[Edit]) -> None:
    assert told(rule, bundle(*edits)) == []


def test_every_rule_has_a_violation_and_a_near_miss() -> None:
    assert len(OURS) == 11
    assert {rule.id for rule in OURS} == {case[0] for case in VIOLATIONS} == {case[0] for case in NEAR_MISSES}


@pytest.mark.parametrize(
    ("key", "trigger", "keda", "known"),
    [
        ("metricName", PROMETHEUS, (2, 11), True),
        ("metricName", PROMETHEUS, (2, 12), False),
        ("type", FIRST, (2, 17), True),
        ("type", FIRST, (2, 18), False),
        ("timeout", PROMETHEUS, (2, 16), False),
        ("timeout", PROMETHEUS, (2, 17), True),
    ],
)
def test_parameters_come_and_go_with_versions(key: str, trigger: Path, keda: tuple[int, int], known: bool) -> None:
    judged = bundle((WEB, (*trigger, "metadata", key), "Utilization"), keda=keda)
    assert any(key in line for line in told("trigger-parameter-unknown", judged)) is not known


def test_the_type_was_a_parameter_once() -> None:
    edits: list[Edit] = [(NIGHTS, (*FIRST, "metricType"), GONE), (NIGHTS, (*FIRST, "metadata", "type"), "Utilization")]
    assert told("metric-type-refused", bundle(*edits, keda=(2, 17))) == []
    assert told("metric-type-refused", bundle(*edits, keda=(2, 18)))


def test_what_the_check_does_not_know_is_named_and_not_judged() -> None:
    judged = bundle()
    assert trigger_rules.unknown_types(judged) == ["custom-made"]
    looked_at = [str(outcome.path) for outcome in trigger_rules.RULES.rules["trigger-parameter-missing"].judge(judged)]
    assert len(looked_at) == 10
    assert trigger_rules.unknown_types(bundle((JOB, ("spec", "triggers", 4, "type"), "redis-cluster"))) == []


def test_a_secret_in_metadata_is_named_and_not_told() -> None:
    hidden = "c4n4ry-0f-a-p4ssw0rd"
    edits: list[Edit] = [(WORKER, (*KAFKA, "password"), hidden), (JOB, (*RABBIT, "host"), f"amqp://user:{hidden}@rabbitmq")]
    judged = bundle(*edits, (JOB, (*STREAMS, "password"), int("7" * 20)))
    lines = [line for rule in OURS for line in told(rule.id, judged)]
    assert any("password" in line for line in lines)
    assert not any(hidden in line or "7" * 20 in line for line in lines)


def test_every_scaler_has_forms_that_take_something_and_refuse_something() -> None:
    taken = ("1", "true", "latest", "5m", "* * * * *", "enable", "none", "bearer", "pod", "QueueLength", "auto", "sum", "Utilization")
    for scaler_type, scaler in SCALERS.items():
        for name, parameter in scaler.parameters.items():
            assert any(parameter.form.takes(text) for text in taken), (scaler_type, name)
            assert not parameter.form.takes(""), (scaler_type, name)
        for some in (*scaler.either, *scaler.never):
            assert set(some) <= set(scaler.parameters), scaler_type


def test_a_finding_leads_to_its_place() -> None:
    (found,) = broken("trigger-parameter-refused", bundle((WEB, (*PROMETHEUS, "metadata", "threshold"), "much")))
    assert found.path == (*PROMETHEUS, "metadata", "threshold")


@pytest.mark.parametrize("rubbish", [None, 7, 1.5, "text", [], [7, None], {"a": 7}, True, [[]], {"name": []}])
@pytest.mark.parametrize(
    "place",
    [
        (WEB, ("spec", "triggers")),
        (WEB, (*PROMETHEUS, "type")),
        (WEB, (*PROMETHEUS, "name")),
        (WEB, (*PROMETHEUS, "metricType")),
        (WEB, (*PROMETHEUS, "metadata")),
        (WEB, (*PROMETHEUS, "metadata", "query")),
        (WORKER, (*FIRST, "authenticationRef")),
        (WORKER, (*FIRST, "authenticationRef", "name")),
        (WORKER, (*FIRST, "authenticationRef", "kind")),
        (WORKER, (*KAFKA, "partitionLimitation")),
        (WORKER, (*KAFKA, "allowIdleConsumers")),
        (MIXER, MODIFIERS),
        (MIXER, (*MODIFIERS, "formula")),
        (MIXER, (*MODIFIERS, "target")),
        (JOB, (*SQS, "queueURL")),
        (JOB, (*SQS, "awsRegion")),
        ("KafkaTopic/jobs", ("spec", "partitions")),
        ("KafkaTopic/jobs", ("spec", "topicName")),
    ],
)
def test_rubbish_crashes_no_rule(place: tuple[str, Path], rubbish: Any) -> None:
    name, path = place
    judged = bundle((name, path, rubbish))
    for rule in OURS:
        assert all(isinstance(str(outcome), str) for outcome in rule.judge(judged))
