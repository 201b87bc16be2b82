# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries by which KEDA scales.

Format: https://keda.sh/docs/latest/scalers/prometheus/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..manifests.objects import Object, mapping, mappings
from .queries import SCALER, Query, query

KINDS = ("ScaledObject", "ScaledJob")


def scaler_queries(objects: Iterable[Object]) -> Iterator[Query]:
    """The queries of all prometheus triggers among the objects."""
    for one in objects:
        if one.kind not in KINDS:
            continue
        for position, trigger in mappings(one.at("spec", "triggers")):
            text = mapping(trigger.get("metadata")).get("query")
            if trigger.get("type") == "prometheus" and isinstance(text, str):
                path = ("spec", "triggers", position, "metadata", "query")
                yield query(SCALER, f"{one}, trigger {trigger.get('name') or position}", text, one.place_of(path), path)
