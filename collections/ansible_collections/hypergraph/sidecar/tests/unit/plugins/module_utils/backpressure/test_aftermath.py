# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of every accepted explanation, and whether sampled graphs are whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.backpressure.aftermath import follow, problem_of, sample
from ansible_collections.hypergraph.sidecar.plugins.module_utils.backpressure.driving import Driven, Explained
from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection
from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_client import Client
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.service import answer, explaining, saying, serving

META = {
    "version": "hif-1",
    "trace_id": "tr-1",
    "tenant_id": "alpha",
    "model": "gpt-4o-mini",
    "granularity": "sentence",
    "featureset": "sae-gpt4-2m",
    "created_at": "2026-11-21T09:00:00Z",
}
GRAPH: dict[str, Any] = {
    "network-type": "undirected",
    "metadata": {},
    "nodes": [{"node": "a"}, {"node": "b"}],
    "edges": [{"edge": "e"}],
    "incidences": [{"edge": "e", "node": "a"}, {"edge": "e", "node": "b"}],
    "meta": META,
}


def ended(*explained: tuple[str | None, str | None]) -> Driven:
    return Driven({}, tuple(Explained(1.0, trace_id, error) for trace_id, error in explained))


def test_what_was_under_way_when_the_search_ended_is_asked_for() -> None:
    with serving(explaining(lambda polls: "running" if polls < 2 else "complete")) as service:
        found = follow(
            Client(Connection(service.url)),
            None,
            (
                ended(("tr-1", None), ("tr-2", "unfinished")),
                ended(("tr-3", "trace_failed"), ("tr-4", "trace_expired"), (None, "malformed")),
            ),
            ["tr-5"],
            5.0,
        )
    assert found.ends == {"complete": 3, "failed": 1, "expired": 1}
    assert (found.accepted, found.open, found.unnamed) == (5, {}, 1)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (explaining(lambda _polls: "running"), "running"),
        (explaining(lambda _polls: "404"), "its status is unknown to the service"),
        (explaining(lambda _polls: "500"), "its status answers 500"),
        (saying(answer(b"no JSON")), "its status is unreadable"),
    ],
)
def test_what_does_not_end_is_named_with_what_was_last_told_of_it(script: Any, said: str) -> None:
    with serving(script) as service:
        client = Client(Connection(service.url))
        held = ended(("tr-2", "trace_lost"), ("tr-3", "unfinished"))
        found = follow(client, None, (ended(("tr-1", "unfinished")), held), [], 0.0)
    assert found.open["tr-1"].startswith(said)
    assert (found.open["tr-2"], found.open["tr-3"]) == ("its status is unknown to the service", "not ended after 0 s")
    assert found.accepted == 3


def test_a_whole_graph_has_no_problem() -> None:
    assert problem_of(json.dumps(GRAPH).encode(), "tr-1") == ""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"\xff", "utf-8"),
        (b"{", ""),
        (b"[]", ""),
        (json.dumps({**GRAPH, "incidences": [{"edge": "e", "node": "z"}]}).encode(), "z"),
        (json.dumps({**GRAPH, "meta": {**META, "version": 7}}).encode(), "version"),
        (json.dumps({**GRAPH, "meta": {**META, "trace_id": "tr-2"}}).encode(), "meta.trace_id is 'tr-2'"),
        (json.dumps({name: value for name, value in GRAPH.items() if name != "meta"}).encode(), "meta"),
    ],
)
def test_the_first_problem_of_a_graph_is_told(body: bytes, said: str) -> None:
    problem = problem_of(body, "tr-1")
    assert problem
    assert said in problem


def test_the_sample_is_spread_over_the_run_and_names_what_cannot_be_read() -> None:
    driven = ended(*((f"tr-{number}", None) for number in range(100)), ("tr-x", "trace_failed"))
    with serving(saying(answer(b"{}", status="404 Not Found"))) as service:
        found = sample(Client(Connection(service.url)), None, driven, 4)
    assert found.sampled == 4
    assert found.problems == {f"tr-{number}": "complete, and its graph answers 404" for number in (0, 25, 50, 75)}
