# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the whole check leaves to others or cannot examine: it says so, and what remains is judged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import Examination
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi import check
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.examined_site import (
    READER,
    WRITER,
    Site,
    asked_for_unknown_traces,
    failing,
    skipped,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.stand_in import (
    GRAPH,
    STATUS,
    Gateway,
    Reply,
    graph,
    refusal,
)

# Findings of other checks: they leave this one green, and it says what it could not examine.
OF_OTHERS: list[tuple[str, Reply, str]] = [
    (GRAPH, Reply(200, json.dumps(graph()).replace("0.5", "NaN").encode()), ""),
    (GRAPH, Reply(200, graph(trace_id="another")), ""),
    (GRAPH, refusal(500), "blocked_by:trace_workflow: the answer to GET /v1/traces/{trace_id}/graph, which was 500 where 200 was meant"),
    (
        STATUS,
        Reply(200, {"trace_id": "0f3a9c", "state": "running"}),
        "blocked_by:trace_workflow: the graph, since its trace did not complete",
    ),
    (STATUS, Reply(200, {"trace_id": "0f3a9c", "state": "failed"}), "the graph, since its trace did not complete: failed"),
    (STATUS, refusal(403), "the answer to GET /v1/traces/{trace_id}/status, which was 403 where 200 was meant"),
    ("POST /v1/chat/completions", refusal(502), "the answer to POST /v1/chat/completions, which was 502 where 200 was meant"),
    ("POST /v1/chat/completions", Reply(200, {"id": "c", "choices": [{}]}), "trace answers, since the chat carried no x-trace-id"),
    ("GET /v1/models", refusal(403), "an unknown version, since /v1/models itself answered 403"),
]


@pytest.mark.parametrize(("line", "reply", "said"), OF_OTHERS)
def test_a_defect_of_another_check_leaves_this_one_green(site: Site, line: str, reply: Reply, said: str) -> None:
    verdict = site.verdict(Gateway(**{line: reply}))
    assert (verdict["status"], failing(verdict)) == ("pass", [])
    assert said in skipped(verdict)


@pytest.mark.parametrize("status", [200, 500])
def test_an_unknown_trace_that_is_found_is_left_to_trace_workflow(site: Site, status: int) -> None:
    verdict = site.verdict(asked_for_unknown_traces(Reply(status, {})))
    assert verdict["status"] == "pass"
    assert f"status of an unknown trace, which was {status} where 404 was meant" in skipped(verdict)


def test_an_open_door_is_left_to_gateway_rbac(site: Site) -> None:
    verdict = site.verdict(Gateway(open_door=True))
    assert verdict["status"] == "pass"
    assert "blocked_by:gateway_rbac: the answer to GET /v1/models without token, which was 200 where 401 was meant" in skipped(verdict)


def test_without_token_only_what_needs_none_is_examined(site: Site) -> None:
    verdict = site.verdict(tokens=())
    assert (verdict["status"], verdict["examined"]["live answers"]) == ("pass", 1)
    assert "dependency_missing: the served document and answers to callers with a token, since there is no token" in skipped(verdict)


def test_an_open_door_without_tokens_leaves_the_artifacts_judged(site: Site) -> None:
    verdict = site.verdict(Gateway(open_door=True), tokens=())
    assert (verdict["status"], "live answers" in verdict["examined"]) == ("pass", False)
    assert "since there is no token" in skipped(verdict)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tokens": (READER,)}, "the check needs tokens with traces:write and traces:read"),
        ({"check_mode": True}, "check mode: no chat was sent"),
    ],
)
def test_where_no_chat_may_be_sent_the_rest_is_examined(site: Site, options: dict[str, Any], said: str) -> None:
    gateway = Gateway()
    verdict = site.verdict(gateway, **options)
    assert (verdict["status"], verdict["examined"]["live answers"]) == ("pass", 2)
    assert said in skipped(verdict)
    assert not any(line.startswith("POST") for line in gateway.asked)


def test_without_enforced_tokens_everything_but_the_refusal_is_examined(site: Site) -> None:
    verdict = site.verdict(Gateway(open_door=True), tokens=(), auth_mode="none")
    assert (verdict["status"], verdict["skips"]) == ("pass", [])
    assert verdict["examined"]["live answers"] == 5


def test_a_service_that_is_down_is_an_error_beside_what_the_artifacts_say(site: Site) -> None:
    verdict = Verdict("api_versioning")
    connection = Connection("http://127.0.0.1:1", (WRITER,), timeout=1.0)
    with pytest.raises(CheckError) as fault:
        check.examine(Examination(verdict, connection, site.params))
    assert fault.value.reason_code == "service-unreachable"
    assert len(verdict.records.assertions) == 8


def test_no_live_answer_is_no_pass(site: Site) -> None:
    gateway = Gateway()
    gateway.reply = lambda asked, token: refusal(503)  # type: ignore[method-assign]
    verdict = site.verdict(gateway, served_path="")
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "no-live-answer")
    assert "none of 4 live calls" in verdict["reason"]
