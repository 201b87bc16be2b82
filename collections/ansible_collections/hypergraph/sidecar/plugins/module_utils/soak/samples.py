# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service needs while it is under load: resident memory, and how far the queue is behind, read again and again."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..connection import MAX_SECONDS
from ..faults import CheckError, CheckFault
from ..http_client import Client
from ..metrics.expectations import Endpoint, endpoints
from ..metrics.scrape import Flaw, scrape
from ..ranges import hold_within

MEMORY, LAG, DEPTH = "process_resident_memory_bytes", "explainer_queue_lag_seconds", "explainer_queue_depth"
MAX_SAMPLES = 20_000
_MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """An endpoint at one moment, in seconds since the epoch. None where a family is not exposed."""

    at: float
    endpoint: str
    memory_bytes: float | None
    queue_lag_s: float | None
    queue_depth: float | None
    process_start: float | None


@dataclass(frozen=True)
class Watched:
    """The endpoints that were read, and what they said as often as they answered."""

    endpoints: tuple[str, ...]
    samples: tuple[Sample, ...]


def watch(client: Client, params: Mapping[str, Any]) -> dict[str, Any]:
    """Read all endpoints every ``interval`` seconds for ``seconds``. Raises CheckError where nothing could be read at all."""
    hold_within(params, {"seconds": (0.1, MAX_SECONDS), "interval": (0.1, 3600.0)})
    found, _absent = endpoints([{**item, "families": None} for item in params["endpoints"]])
    if params["seconds"] / params["interval"] * max(len(found), 1) > MAX_SAMPLES:
        raise CheckError("bad-argument", f"interval is {params['interval']:g} s, which makes more than {MAX_SAMPLES} samples", "Raise it.")
    samples: list[Sample] = []
    missed = 0
    ends = time.monotonic() + params["seconds"]
    while True:
        read = [_sample(client, endpoint) for endpoint in found]
        samples += filter(None, read)
        missed += read.count(None)
        left = ends - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(params["interval"], left))
    if found and not samples:
        raise CheckError("metrics-unavailable", f"none of {missed} readings of the metrics succeeded", "Check sidecar_metrics_endpoints.")
    return {
        "endpoints": [endpoint.label for endpoint in found],
        "samples": [asdict(sample) for sample in samples],
        "missed": missed,
    }


def _sample(client: Client, endpoint: Endpoint) -> Sample | None:
    """A sample; None where the service is too busy to be scraped, which is a matter of the load and not the end of the samples."""
    try:
        read = scrape(client, endpoint.url, (MEMORY, LAG, DEPTH), _MAX_BYTES)
    except (CheckFault, Flaw):
        return None

    def value(name: str) -> float | None:
        """Of all series, the one that is worst off: one queue that stands is not helped by others that are empty."""
        family = read.families.get(name)
        return max((float(sample.value) for sample in family.samples), default=None) if family else None

    return Sample(time.time(), endpoint.label, value(MEMORY), value(LAG), value(DEPTH), read.process_start)


def watched_of(document: Any) -> Watched:
    """What was sampled, as it was kept. Raises ValueError where it could not be, or where the document is not of that shape."""
    if isinstance(document, dict) and isinstance(document.get("problem"), str):
        raise ValueError(f"memory and queue could not be sampled: {document['problem']}")
    endpoints, samples = (document.get("endpoints"), document.get("samples")) if isinstance(document, dict) else (None, None)
    if not isinstance(endpoints, list) or not isinstance(samples, list):
        raise ValueError("expected an object with lists of endpoints and samples")
    if not all(isinstance(endpoint, str) for endpoint in endpoints):
        raise ValueError("an endpoint is not a name")
    return Watched(tuple(endpoints), tuple(map(_sample_of, samples)))


def _sample_of(item: Any) -> Sample:
    names = {field.name for field in fields(Sample)}
    if not isinstance(item, dict) or item.keys() != names or not isinstance(item["endpoint"], str):
        raise ValueError(f"a sample is not one: expected {', '.join(sorted(names))}")
    numbers = {name: value for name, value in item.items() if name != "endpoint"}
    for name, value in numbers.items():
        absent = value is None and name != "at"
        if not absent and (isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value)):
            raise ValueError(f"a sample is not one: {name} is no number")
    return Sample(endpoint=item["endpoint"], **numbers)
