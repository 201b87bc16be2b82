# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests hold queries to: an exposition, and queries of each kind."""

from __future__ import annotations

from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.exported import Exported
from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.prometheus_rules import rules_of
from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.queries import PANEL, Query
from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.questions import Questions
from ansible_collections.hypergraph.sidecar.plugins.module_utils.dashboards.variables import filled, values
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Object, Place
from ansible_collections.hypergraph.sidecar.plugins.module_utils.metrics.exposition import TEXT, parse
from ansible_collections.hypergraph.sidecar.plugins.module_utils.metrics.scrape import Family

EXPOSITION = b"""\
# TYPE http_requests_total counter
http_requests_total{method="GET",status="200"} 3
# TYPE queue_lag_seconds gauge
queue_lag_seconds 0.5
# TYPE full_ratio gauge
full_ratio{queue="a"} 0.5
# TYPE stage_seconds histogram
stage_seconds_bucket{stage="x",le="0.5"} 1
stage_seconds_bucket{stage="x",le="2"} 1
stage_seconds_bucket{stage="x",le="+Inf"} 1
stage_seconds_count{stage="x"} 1
stage_seconds_sum{stage="x"} 0.1
# TYPE gc_seconds summary
gc_seconds{quantile="0.5"} 1
gc_seconds_sum 1
gc_seconds_count 1
# TYPE unused_total counter
something 4
"""


def families(exposition: bytes) -> list[Family]:
    """The families of an exposition."""
    found: dict[str, Family] = {}
    for name, metric in parse(exposition, TEXT):
        found.setdefault(name, Family(name, metric.type)).add(metric, keep=False)
    return list(found.values())


def exported(exposition: bytes = EXPOSITION) -> Exported:
    """What an exposition exports."""
    found = Exported()
    found.add(families(exposition))
    return found


def asked(text: str, kind: str = PANEL, dashboard: Any = None, **more: Any) -> Query:
    """A query of a dashboard, with the variables of that dashboard."""
    done = filled(text, values(dashboard or {}, 30))
    return Query(
        kind, "'test'", text, Place("file.json", 7), ("panels", 0), done.texts, done.trees, done.problem, done.open_variables, **more
    )


def questions(*queries: Query, rules: list[dict[str, Any]] | None = None, **more: Any) -> Questions:
    """Queries, and rules of a rule file, with what is exported."""
    entries = rules_of(Object({"groups": [{"name": "g", "rules": rules or []}]}, Place("rules.yaml"))) or ()
    of_rules = [entry.query for entry in entries if entry.query is not None]
    return Questions((*queries, *of_rules), entries, **{"exported": exported(), "external": ("up", "kube_*"), **OWN, **more})


OWN: dict[str, Any] = {"target_labels": frozenset({"job"}), "scrape_interval": 30.0}
