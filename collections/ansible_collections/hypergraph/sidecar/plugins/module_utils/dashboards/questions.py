# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All queries together with all series there are: what the rules are held to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..promql import METRIC_NAME, Expression, Selector
from .exported import Exported, Series, is_external
from .labels import Labels, LabelUses, Use
from .prometheus_rules import RuleEntry
from .queries import Query
from .usage import SeriesUse, series_uses
from .variables import UNKNOWN


@dataclass
class Questions:
    """``external`` are patterns of metrics of others, ``target_labels`` are given to series by Prometheus and no exposition shows them.

    ``scrape_interval`` is in seconds.
    """

    queries: tuple[Query, ...]
    rule_entries: tuple[RuleEntry, ...]
    exported: Exported
    external: tuple[str, ...] = ()
    target_labels: frozenset[str] = frozenset()
    scrape_interval: float = 30.0
    recorded: dict[str, Query] = field(default_factory=dict)
    _recorded_labels: dict[str, Labels] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.recorded = {query.records: query for query in self.queries if query.records}

    def trees(self) -> Iterator[tuple[Query, Expression]]:
        """Every tree of every query."""
        return ((query, tree) for query in self.queries for tree in query.trees)

    def uses(self, *kinds: str) -> Iterator[tuple[Query, SeriesUse]]:
        """Every selector of every query of these kinds, of all where none is named."""
        return ((query, use) for query, tree in self.trees() if not kinds or query.kind in kinds for use in series_uses(tree))

    def series(self, metric: str | None) -> Series | None:
        """What is exported under a name."""
        return self.exported.series.get(metric or "")

    def is_external(self, metric: str) -> bool:
        """Whether a metric is one of others; what is exported or recorded here is not, whatever the patterns say."""
        return metric not in self.exported.series and metric not in self.recorded and is_external(metric, self.external)

    def is_open(self, metric: str) -> bool:
        """Whether a name stands for a variable without a value."""
        return UNKNOWN in metric

    def exists(self, selector: Selector) -> bool | None:
        """Whether what a selector names is exported or recorded; None where that cannot be known."""
        if selector.metric is not None:
            if selector.metric in self.exported.series or selector.metric in self.recorded:
                return True
            return None if self.is_open(selector.metric) or self.is_external(selector.metric) or not self.exported.complete else False
        patterns = [m.value for m in selector.matchers if (m.label, m.operator) == (METRIC_NAME, "=~")]
        names = [*self.exported.series, *self.recorded]
        try:
            if not patterns or UNKNOWN in patterns[0] or any(re.fullmatch(patterns[0], name) for name in names):
                return True if patterns and UNKNOWN not in patterns[0] else None
        except re.error:
            # Prometheus has another dialect of regular expressions, which the parser has checked.
            return None
        return False if self.exported.complete else None

    def labels_of(self, metric: str) -> Labels:
        """The labels that series of a metric have, with those that Prometheus gives them; None where that is not known."""
        series = self.series(metric)
        if series is not None:
            return None if series.labels is None else series.labels | self.target_labels
        if metric not in self.recorded:
            return None
        if metric not in self._recorded_labels:
            # A rule that is made of itself knows nothing of its labels.
            self._recorded_labels[metric] = None
            query = self.recorded[metric]
            inner = self.labels(query.trees[0])[0] if query.trees else None
            self._recorded_labels[metric] = None if inner is None else inner | set(query.extra_labels)
        return self._recorded_labels[metric]

    def labels(self, tree: Expression) -> tuple[Labels, list[Use]]:
        """The labels of what a tree answers, and all that it names."""
        walk = LabelUses(self.labels_of)
        return walk.labels(tree), walk.uses
