"""The hypergraph as a ``hif-1`` document: public HIF (Hypergraph Interchange Format, schema 0.1.0) with a top-level ``meta``.

Moving ``meta`` into ``metadata`` gives a document that is valid under the public schema; no member is in both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lab.explainer.attribution import Attribution, Feature, Unit

VERSION = "hif-1"
GENERATOR = {"name": "hypergraph-lab", "version": "1", "method": "shared-vocabulary"}


@dataclass(frozen=True)
class About:
    """What a graph is about: the members of ``meta``. ``created_at`` is the trace's, so that the same job makes the same bytes."""

    trace_id: str
    tenant_id: str
    model: str
    granularity: str
    featureset: str
    created_at: str


class GraphWriter:
    """Writes attributions as HIF documents."""

    def write(self, attribution: Attribution, about: About) -> bytes:
        """The document in UTF-8. Strict JSON: a weight that is not finite raises ValueError."""
        return json.dumps(self.document(attribution, about), allow_nan=False, ensure_ascii=False).encode("utf-8", "replace")

    def document(self, attribution: Attribution, about: About) -> dict[str, Any]:
        """The document."""
        return {
            "network-type": "directed",
            "metadata": {"generator": GENERATOR, "truncated": attribution.truncated},
            "meta": self.meta(about),
            "nodes": [self.node(unit, attribution.weights[unit.id]) for unit in attribution.units],
            "edges": [self.edge(feature) for feature in attribution.features],
            "incidences": [incidence for feature in attribution.features for incidence in self.incidences(feature)],
        }

    def meta(self, about: About) -> dict[str, Any]:
        """What the document says about itself."""
        return {
            "version": VERSION,
            "trace_id": about.trace_id,
            "tenant_id": about.tenant_id,
            "model": about.model,
            "granularity": about.granularity,
            "featureset": about.featureset,
            "created_at": about.created_at,
        }

    def node(self, unit: Unit, weight: float) -> dict[str, Any]:
        """A unit as a node."""
        attrs = {"kind": unit.kind, "side": unit.side, "position": unit.position, "text": unit.text}
        return {"node": unit.id, "weight": weight, "attrs": attrs}

    def edge(self, feature: Feature) -> dict[str, Any]:
        """A feature as a hyperedge."""
        return {"edge": feature.id, "weight": feature.weight, "attrs": {"kind": "feature", "layer": feature.layer, "label": feature.label}}

    def incidences(self, feature: Feature) -> Iterator[dict[str, Any]]:
        """Who takes part in a feature: prompt units are its tail, answer units its head."""
        for direction, side in (("tail", feature.tail), ("head", feature.head)):
            for node, weight in side.items():
                yield {"edge": feature.id, "node": node, "direction": direction, "weight": weight}
