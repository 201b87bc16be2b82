# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A counter of the service as evidence that a fault strikes: it has to rise while the fault is in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ..faults import CheckError, CheckFault
from ..http_client import Client
from ..metrics.scrape import Family, Flaw, scrape

_MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Counter:
    """A family by its exposed name, and the labels of the series that count. ``where_exposed``: an environment may be without it."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    where_exposed: bool = False

    @classmethod
    def read(cls, document: Any) -> Counter:
        """From the data of an experiment. Raises CheckError."""
        known = {"name", "labels", "where_exposed"}
        labels = document.get("labels", {}) if isinstance(document, Mapping) else None
        if not isinstance(labels, Mapping) or not document.keys() <= known or not str(document.get("name") or ""):
            said = f"metric of seen is {document!r}, expected name, and optionally labels and where_exposed"
            raise CheckError("bad-experiment", said, "Correct the entry of chaos_recovery_experiments.")
        optional = document.get("where_exposed", False)
        if not isinstance(optional, bool):
            said = f"where_exposed of metric {document['name']} is {optional!r}, expected true or false"
            raise CheckError("bad-experiment", said, "Correct the entry of chaos_recovery_experiments.")
        return cls(str(document["name"]), {str(label): str(value) for label, value in labels.items()}, optional)

    def of(self, family: Family) -> float:
        """The sum of the series that count; a series that is not there yet has counted nothing."""
        return sum(
            float(sample.value)
            for sample in family.samples
            if sample.name == self.name and all(sample.labels.get(label) == value for label, value in self.labels.items())
        )


Reading = Mapping[str, Optional[float]]


def reading(client: Client, counter: Counter, urls: Iterable[str]) -> Reading:
    """What the counter is at by each endpoint, None where it does not expose it; an endpoint that cannot be read is left out."""
    found: dict[str, float | None] = {}
    for url in urls:
        try:
            family = scrape(client, url, (counter.name,), _MAX_BYTES).families.get(counter.name)
        except (CheckFault, Flaw):
            continue
        found[url] = None if family is None else counter.of(family)
    return found


def rose(counter: Counter, before: Reading, after: Reading) -> bool | None:
    """Whether it rose by any endpoint; None where none exposes it, and it may be so. A restarted service has counted since."""
    now = {url: value for url, value in after.items() if value is not None}
    if not now and counter.where_exposed:
        return None
    return any(value > 0 and value != before[url] for url, value in now.items() if url in before)
