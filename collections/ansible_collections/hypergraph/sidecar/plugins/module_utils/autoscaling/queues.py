# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on queues that are scaled by: Kafka's partitions bound the consumers, and SQS queues are named by URLs of a form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from ..manifests.bundle import Bundle
from ..manifests.objects import Path, mapping
from ..manifests.rules import Outcome
from .problems import Problem, outcomes
from .registry import RULES
from .scalers import FLAG
from .targets import Autoscaler, scaled_objects, whole
from .triggers import Trigger, triggers, triggers_of

_OF_A_TOPIC = ("limitToPartitionsWithLag", "ensureEvenDistributionOfPartitions")
_RANGE = re.compile(r"\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?", re.ASCII)
_REGION = re.compile(r"(?:sqs\.)([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?", re.ASCII)


@RULES.rule(
    "kafka-trigger-refused",
    "Kafka triggers name a topic where they look at its partitions",
    examines="kafka triggers",
    source="kedacore/keda pkg/scalers/kafka_scaler.go, Validate",
    fix="Name the topic, and partitions as numbers and ranges such as 1,2,10-12.",
)
def _kafka_refused(bundle: Bundle) -> Iterator[Outcome]:
    for trigger in triggers(bundle):
        if trigger.type == "kafka":
            yield from outcomes(trigger.owner, _kafka_problems(trigger))


def _kafka_problems(trigger: Trigger) -> Iterator[Problem]:
    path: Path = (*trigger.path, "metadata")
    topic = trigger.value("topic") or trigger.value("topicFromEnv")
    for key in _OF_A_TOPIC:
        if _true(trigger, key) and not topic:
            yield (*path, key), f"a topic for {key}", "none"
    if trigger.value("fullMetadata") and FLAG.takes(trigger.value("fullMetadata")) and not _true(trigger, "fullMetadata") and not topic:
        yield (*path, "fullMetadata"), "a topic without fullMetadata", "none"
    limitation = trigger.value("partitionLimitation")
    if limitation and _limited_to(limitation) is None:
        yield (*path, "partitionLimitation"), "numbers and ranges such as 1,2,10-12", limitation[:40]


def _limited_to(limitation: str) -> int | None:
    """To how many partitions; None for what is no list of numbers and ranges."""
    found: set[int] = set()
    for part in limitation.split(","):
        bounds = _RANGE.fullmatch(part)
        if not bounds:
            return None
        first = int(bounds[1])
        found.update(range(first, int(bounds[2] or first) + 1))
    return len(found)


@RULES.rule(
    "consumers-exceed-partitions",
    "There are no more consumers than partitions for them",
    examines="ScaledObjects with a kafka trigger whose partitions are known",
    source="KEDA docs, Apache Kafka scaler: replicas are limited to the partitions of the topic; Kafka consumer groups",
    fix="Lower maxReplicaCount to the number of partitions, or add partitions; allowIdleConsumers says that it is meant so.",
)
def _consumers_exceed(bundle: Bundle) -> Iterator[Outcome]:
    topics = _topics(bundle)
    for one in scaled_objects(bundle):
        found = triggers_of(one.object)
        # Another trigger may want more replicas than this topic feeds.
        if len(found) == 1 and found[0].type == "kafka" and not _true(found[0], "allowIdleConsumers"):
            partitions = _limited_to(found[0].value("partitionLimitation")) or topics.get(found[0].value("topic"))
            if partitions:
                yield _against(one, partitions)


def _against(one: Autoscaler, partitions: int) -> Outcome:
    return Outcome(
        one.object, one.max_replicas <= partitions, f"at most {partitions} partitions", str(one.max_replicas), ("spec", one.max_path)
    )


def _topics(bundle: Bundle) -> dict[str, int]:
    """Partitions of the topics that the bundle declares for Strimzi."""
    found = {}
    for one in bundle.of_kind("KafkaTopic", group="kafka.strimzi.io"):
        partitions = whole(one.spec.get("partitions"))
        if partitions:
            found[str(one.spec.get("topicName") or one.name)] = partitions
    return found


@RULES.rule(
    "queue-url-refused",
    "SQS queues are named by their name, or by a URL in the region that is asked",
    examines="aws-sqs-queue triggers",
    source="kedacore/keda pkg/scalers/aws_sqs_queue_scaler.go, parseAwsSqsQueueMetadata",
    fix="Write https://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE with the region of awsRegion.",
)
def _queue_url(bundle: Bundle) -> Iterator[Outcome]:
    for trigger in triggers(bundle):
        url = trigger.value("queueURL")
        if trigger.type == "aws-sqs-queue" and url:
            yield from outcomes(trigger.owner, _url_problems(trigger, url))


def _url_problems(trigger: Trigger, url: str) -> Iterator[Problem]:
    path: Path = (*trigger.path, "metadata", "queueURL")
    if "://" not in url and not url.startswith("/"):
        return
    try:
        parts = urlsplit(url)
    except ValueError:
        yield path, "a URL", "none"
        return
    if len(parts.path.split("/")) != 3 or parts.path.endswith("/"):
        yield path, "a path of account and queue", parts.path or "none"
    region = _REGION.fullmatch(parts.netloc)
    asked = mapping(trigger.metadata).get("awsRegion")
    if region and asked and region[1] != asked:
        yield path, f"a queue in awsRegion {asked}", region[1]


def _true(trigger: Trigger, key: str) -> bool:
    value = trigger.value(key)
    return FLAG.takes(value) and value[0] in "1tT"
