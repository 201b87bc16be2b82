# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service times as running explainers count them, in the histogram of their stages.

An explanation goes through each stage once, one after the other, so its mean service time is the sum of the stages' means. The sum of the
stages' p95 is its p95 where stages are slow together, and above it where they are slow independently of each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..connection import Connection, checked_url
from ..faults import CheckError, CheckInconclusive
from ..http_client import Client
from ..metrics.scrape import Flaw, scrape
from .model import MEASURED, ServiceTime

if TYPE_CHECKING:
    from prometheus_client.samples import Sample

FAMILY = "explainer_stage_duration_seconds"
_MAX_BYTES = 16 * 1024 * 1024
_QUANTILE = 0.95
# Of the standard normal distribution, one-sided 95 %.
_Z = 1.6449


@dataclass
class _Stage:
    """The histogram of one stage, replicas added up: observations by upper bound, cumulative."""

    buckets: dict[float, float] = field(default_factory=dict)
    total: float = 0.0
    count: float = 0.0


def scraped_service_times(params: Mapping[str, Any], urls: Iterable[str], granularities: Iterable[str]) -> dict[str, ServiceTime]:
    """Service times by granularity, from the explainers at these URLs together.

    Where the histogram has no label ``granularity``, what it counted stands for each of the granularities alike. Raises CheckError where an
    endpoint cannot be read, CheckInconclusive where its buckets end before the p95.
    """
    addresses = [checked_url("metrics_urls", url) for url in urls]
    connection = Connection(
        base_url=addresses[0], ca_path=params["ca_path"], validate_certs=params["validate_certs"], timeout=params["timeout"]
    )
    client = Client(connection)
    samples = [sample for address in addresses for sample in _samples(client, address)]
    origin = f"{FAMILY} of {len(addresses)} endpoint(s)"
    told_apart = any("granularity" in sample.labels for sample in samples)
    if told_apart:
        return {
            granularity: service_time([one for one in samples if one.labels.get("granularity") == granularity], origin)
            for granularity in granularities
        }
    served = list(granularities)
    blended = service_time(samples, origin if len(served) == 1 else f"{origin}, granularities not told apart")
    return dict.fromkeys(served, blended)


def service_time(samples: Iterable[Sample], origin: str) -> ServiceTime:
    """The service time that a stage histogram tells. Without an observation it has no samples, and a mean and p95 of 0 seconds.

    The p95 is a one-sided 95 % upper confidence bound, the order statistic of rank ``n p + z sqrt(n p (1 - p))`` (Conover 1999, section
    3.2), interpolated within its bucket as PromQL's histogram_quantile does. Raises CheckInconclusive where that is the bucket +Inf.
    """
    stages = _stages(samples)
    observed = [stage.count for stage in stages.values()]
    fewest = int(min(observed, default=0))
    if fewest == 0:
        return ServiceTime(0.0, 0.0, MEASURED, 0, origin)
    mean = sum(stage.total / stage.count for stage in stages.values())
    p95 = sum(_p95_bound(name, stage) for name, stage in stages.items())
    return ServiceTime(mean, p95, MEASURED, fewest, origin)


def _samples(client: Client, url: str) -> list[Sample]:
    try:
        family = scrape(client, url, (FAMILY,), _MAX_BYTES).families.get(FAMILY)
    except Flaw as flaw:
        raise CheckError(flaw.reason_code, str(flaw), flaw.action) from None
    if family is None or family.type != "histogram":
        found = f"is a {family.type}" if family else "is not there"
        raise CheckError(
            "service-time-unreadable",
            f"GET {url}: {FAMILY} {found}, expected a histogram",
            "Point metrics_urls at explainers; observability says what they should expose.",
        )
    return family.samples


def _stages(samples: Iterable[Sample]) -> dict[str, _Stage]:
    stages: dict[str, _Stage] = {}
    for sample in samples:
        stage = stages.setdefault(sample.labels.get("stage", ""), _Stage())
        if sample.name.endswith("_bucket"):
            bound = float(sample.labels["le"])
            stage.buckets[bound] = stage.buckets.get(bound, 0.0) + sample.value
        elif sample.name.endswith("_sum"):
            stage.total += sample.value
        elif sample.name.endswith("_count"):
            stage.count += sample.value
    return stages


def _p95_bound(name: str, stage: _Stage) -> float:
    quantile = min(1.0, _QUANTILE + _Z * math.sqrt(_QUANTILE * (1 - _QUANTILE) / stage.count))
    rank = quantile * stage.count
    lower, below = 0.0, 0.0
    for bound, count in sorted(stage.buckets.items()):
        if count >= rank and count > below:
            if math.isinf(bound):
                break
            return lower + (bound - lower) * (rank - below) / (count - below)
        lower, below = bound, count
    raise CheckInconclusive(
        "p95-beyond-buckets",
        f"the p95 of stage {name} lies above the largest bucket of {FAMILY}, {lower:g} s",
        "Give the histogram a bucket above the slowest explanations, or state service_times.",
    )
