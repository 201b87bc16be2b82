# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Confidence intervals of percentiles by order statistics."""

from __future__ import annotations

import math

from .histogram import Histogram


def interval(histogram: Histogram, quantile: float) -> list[float]:
    """95 % interval of a quantile in milliseconds (normal approximation of the binomial ranks)."""
    count = sum(histogram.counts)
    spread = 1.96 * math.sqrt(quantile * (1 - quantile) / count)
    low, high = max(quantile - spread, 0.0), min(quantile + spread, 1.0)
    return [histogram.percentile(low) / 1000, histogram.percentile(high) / 1000]
