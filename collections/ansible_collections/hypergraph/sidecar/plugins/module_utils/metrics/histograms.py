# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Histograms: whether they agree with themselves, and whether their buckets can answer the question an SLO asks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric
    from prometheus_client.samples import Sample

# What lies inside a bucket is interpolated, so the share of requests above an SLO is known only as well as its nearest bounds tell.
STRADDLE = 2.0


def by_series(samples: Iterable[Sample]) -> dict[tuple[tuple[str, str], ...], list[Sample]]:
    """The samples grouped by their labels, bucket bounds set aside: one group is one histogram."""
    groups: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for sample in samples:
        groups.setdefault(tuple(sorted((label, value) for label, value in sample.labels.items() if label != "le")), []).append(sample)
    return groups


def inconsistencies(metric: Metric) -> list[str]:
    """How each histogram of the family contradicts itself: a missing ``+Inf`` bucket, one that is not the count, buckets that fall."""
    found = []
    for labels, samples in by_series(metric.samples).items():
        buckets = sorted((float(sample.labels["le"]), sample.value) for sample in samples if "le" in sample.labels)
        counts = [sample.value for sample in samples if sample.name.endswith("_count")]
        problem = _inconsistency(buckets, counts)
        if problem:
            found.append(f"{metric.name}{{{', '.join(f'{label}={value}' for label, value in labels)}}}: {problem}")
    return found


def _inconsistency(buckets: list[tuple[float, float]], counts: list[float]) -> str:
    if not buckets and not counts:
        return ""
    if not buckets or buckets[-1][0] != math.inf:
        return "no +Inf bucket"
    # A NaN is neither less nor more than its neighbours, and no count.
    if not all(upper[1] >= lower[1] for lower, upper in zip(buckets, buckets[1:])):
        return "a bucket holds less than the one below it, or no number"
    if not counts or counts[0] != buckets[-1][1]:
        return f"the +Inf bucket is {buckets[-1][1]:g}, the count {f'{counts[0]:g}' if counts else 'missing'}"
    return ""


def bounds(samples: Iterable[Sample]) -> list[float]:
    """The finite bucket bounds that every histogram among the samples has, ascending."""
    sets = [{float(sample.labels["le"]) for sample in group if "le" in sample.labels} for group in by_series(samples).values()]
    return sorted(bound for bound in set.intersection(*sets) if math.isfinite(bound)) if sets else []


def missed(objectives: Iterable[float], finite_bounds: Iterable[float]) -> list[float]:
    """The objectives that the buckets do not straddle.

    An objective is straddled by a bound at or below it and one at or above it, neither further away than a factor of two. Buckets in
    another unit than the objective, milliseconds for seconds, miss it.
    """
    known = list(finite_bounds)
    return [
        objective
        for objective in objectives
        if not any(objective / STRADDLE <= bound <= objective for bound in known)
        or not any(objective <= bound <= objective * STRADDLE for bound in known)
    ]
