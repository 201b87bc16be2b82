# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which endpoints there are and which families each is expected to expose: the contract's, unless the environment says otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..connection import checked_url
from ..faults import CheckError

CHATS = "chats"
EXPLANATIONS = "explanations"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ONLY_FOR = {"slo_seconds": ("histogram",), "values": ("gauge",), "driven": ("counter", "histogram", "summary")}


@dataclass(frozen=True)
class Expectation:
    """A family an endpoint should expose.

    ``labels`` maps each label it must have to the values that must be among its own. ``objectives`` are SLOs in seconds that a histogram's
    buckets must straddle, ``values`` all that a gauge may show. ``driven`` says what moves it: each attached chat that was accepted, or
    each explanation that completed; a label's listed values are each moved by that.
    """

    name: str
    type: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    objectives: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    driven: str = ""

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Expectation:
        """An expectation from the module's ``families`` argument. Raises CheckError for one that cannot hold of its type."""
        for option, types in _ONLY_FOR.items():
            if params[option] and params["type"] not in types:
                raise CheckError(
                    "bad-expectation",
                    f"expected family {params['name']!r} is a {params['type']} with {option}, which only a {' or '.join(types)} can have",
                    f"Correct its type, or drop {option}.",
                )
        labels = {
            str(label): tuple(str(value) for value in (values if isinstance(values, list) else [values] if values else []))
            for label, values in (params["labels"] or {}).items()
        }
        return cls(
            params["name"],
            params["type"],
            labels,
            tuple(params["slo_seconds"] or ()),
            tuple(params["values"] or ()),
            params["driven"] or "",
        )

    def selections(self) -> list[dict[str, str]]:
        """The parts of the family that are each expected to move: one a listed label value, or all of it where none is listed."""
        return [{label: value} for label, values in self.labels.items() for value in values] or [{}]


# Sentence and token SLO (2 s, 8 s) with their design budgets (1.5 s, 3.5 s).
CONTRACT: Mapping[str, tuple[Expectation, ...]] = {
    "gateway": (
        Expectation("http_requests_total", "counter", driven=CHATS),
        Expectation("chat_requests_total", "counter", driven=CHATS),
    ),
    "explainer": (
        Expectation("explainer_jobs_total", "counter", {"state": ("complete",)}, driven=EXPLANATIONS),
        Expectation(
            "explainer_stage_duration_seconds",
            "histogram",
            {"stage": ("extract", "decode", "attribution", "persist")},
            objectives=(1.5, 2.0, 3.5, 8.0),
            driven=EXPLANATIONS,
        ),
        Expectation("explainer_queue_lag_seconds", "gauge"),
        Expectation("backpressure_level", "gauge", values=(0.0, 1.0, 2.0)),
        Expectation("backpressure_actions_total", "counter", {"action": ()}),
    ),
}


@dataclass(frozen=True)
class Endpoint:
    """Where a service exposes its metrics. Several of one ``service`` are its replicas; ``label`` tells them apart."""

    service: str
    label: str
    url: str
    expectations: tuple[Expectation, ...]


def endpoints(items: Iterable[Mapping[str, Any]]) -> tuple[tuple[Endpoint, ...], tuple[str, ...]]:
    """The endpoints of the module's argument, and the names of those whose url is empty.

    Raises CheckError where an argument makes no sense.
    """
    found: list[Endpoint] = []
    absent: list[str] = []
    for item in items:
        service = str(item["name"])
        if not _NAME.fullmatch(service):
            raise CheckError(
                "bad-endpoint",
                f"metrics endpoint name {service!r}: expected letters, digits, - and _, beginning with a letter",
                "Rename it in sidecar_metrics_endpoints.",
            )
        if not item["url"]:
            absent.append(service)
            continue
        url = checked_url(f"the url of metrics endpoint {service}", str(item["url"]))
        if url in {endpoint.url for endpoint in found}:
            raise CheckError("bad-endpoint", f"two metrics endpoints have the url {url}", "Name each endpoint once.")
        given = item["families"]
        expected = CONTRACT.get(service, ()) if given is None else tuple(map(Expectation.from_params, given))
        if any(endpoint.service == service and endpoint.expectations != expected for endpoint in found):
            raise CheckError(
                "bad-endpoint",
                f"the metrics endpoints named {service} are replicas of one service, and expect different families",
                "Give both the same families, or different names.",
            )
        found.append(Endpoint(service, service, url, expected))
    services = [endpoint.service for endpoint in found]
    return tuple(_labelled(endpoint) if services.count(endpoint.service) > 1 else endpoint for endpoint in found), tuple(absent)


def _labelled(endpoint: Endpoint) -> Endpoint:
    return Endpoint(endpoint.service, f"{endpoint.service} at {endpoint.url}", endpoint.url, endpoint.expectations)
