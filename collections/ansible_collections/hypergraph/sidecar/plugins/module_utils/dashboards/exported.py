# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The series there are: those the services exposed when asked, those of saved scrapes, and those that recording rules make of them."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..faults import CheckError
from ..metrics.exposition import OPENMETRICS, TEXT, InvalidExposition, parse
from ..metrics.scrape import Family

COUNTER = "counter"
GAUGE = "gauge"
UNKNOWN = "unknown"

# Series of each type by suffix, with what they behave as. Text 0.0.4 and OpenMetrics 1.0, "Metric types".
_SERIES: dict[str, dict[str, str]] = {
    "counter": {"": COUNTER},
    "gauge": {"": GAUGE},
    "histogram": {"_bucket": COUNTER, "_sum": COUNTER, "_count": COUNTER},
    "gaugehistogram": {"_bucket": GAUGE, "_gsum": GAUGE, "_gcount": GAUGE},
    "summary": {"": GAUGE, "_sum": COUNTER, "_count": COUNTER},
    "info": {"_info": GAUGE},
    "stateset": {"": GAUGE},
}
_BOUNDS = {"_bucket": "le", "": "quantile"}
_UNLIMITED = frozenset({"le", "quantile"})


@dataclass
class Series:
    """The series of one name: what they behave as, their family with its type, and their labels.

    ``labels`` is None where there is a name and no series yet, so that nothing is known of labels. ``bounds`` are the values of ``le``.
    """

    name: str
    behaves: str
    family: str
    type: str
    labels: frozenset[str] | None
    bounds: frozenset[str] = frozenset()


@dataclass
class Exported:
    """All series by name. ``families`` tells the type of each family; ``complete`` is false where an endpoint is missing."""

    series: dict[str, Series] = field(default_factory=dict)
    families: dict[str, str] = field(default_factory=dict)
    complete: bool = True

    def add(self, families: Iterable[Family]) -> None:
        """Take in what one endpoint or file exposes. What two expose under one name counts together; types that differ count as unknown."""
        for family in families:
            self.families[family.name] = family.type
            suffixes = _SERIES.get(family.type, {"": UNKNOWN})
            base = family.name[: -len("_info")] if family.type == "info" and family.name.endswith("_info") else family.name
            for suffix, behaves in suffixes.items():
                self._add(Series(base + suffix, behaves, family.name, family.type, _labels(family, suffix), _bounds(family, suffix)))

    def _add(self, new: Series) -> None:
        known = self.series.get(new.name)
        if known is None:
            self.series[new.name] = new
            return
        known.behaves = known.behaves if known.behaves == new.behaves else UNKNOWN
        known.labels = new.labels if known.labels is None else known.labels | (new.labels or frozenset())
        known.bounds |= new.bounds


def _labels(family: Family, suffix: str) -> frozenset[str] | None:
    if not family.series:
        return None
    own = {_BOUNDS[suffix]} if suffix in _BOUNDS and family.type in ("histogram", "gaugehistogram", "summary") else set()
    limited = _UNLIMITED if family.type in ("histogram", "gaugehistogram", "summary") else frozenset()
    return frozenset((set(family.label_values) - limited) | own)


def _bounds(family: Family, suffix: str) -> frozenset[str]:
    return frozenset(family.label_values.get("le", ())) if suffix == "_bucket" else frozenset()


def saved_scrape(path: str, max_bytes: int) -> list[Family]:
    """The families of a saved exposition. OpenMetrics is told by the line ``# EOF`` that must end it, anything else is text 0.0.4.

    Raises CheckError for a file that cannot be read or is no exposition.
    """
    try:
        with Path(path).open("rb") as stream:
            body = stream.read(max_bytes + 1)
    except OSError as problem:
        reason = f"saved scrape {path} cannot be read: {problem.strerror or problem}"
        raise CheckError("scrape-unreadable", reason, "Correct sidecar_scrape_paths, or save the answer of /metrics there.") from None
    if len(body) > max_bytes:
        raise CheckError("scrape-unreadable", f"saved scrape {path} is larger than max_bytes, {max_bytes}", "Raise max_bytes.")
    families: dict[str, Family] = {}
    form = OPENMETRICS if body.endswith((b"# EOF\n", b"# EOF")) else TEXT
    try:
        for name, metric in parse(body, form):
            families.setdefault(name, Family(name, metric.type)).add(metric, keep=False)
    except InvalidExposition as problem:
        reason = f"saved scrape {path} is not valid {form}: {problem}"
        raise CheckError("scrape-invalid", reason, "Save the answer of /metrics unchanged.") from None
    if not families:
        raise CheckError("scrape-invalid", f"saved scrape {path} holds no metric", "Save the answer of /metrics unchanged.")
    return list(families.values())


def is_external(metric: str, patterns: Iterable[str]) -> bool:
    """Whether a metric is said to come from others, by shell patterns such as ``kube_*``."""
    return any(fnmatch.fnmatchcase(metric, pattern) for pattern in patterns)
