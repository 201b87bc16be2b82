# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading registered results: nothing that a task left is lost, and nothing counts twice."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.algebra import read
from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import Redactor
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.collect import collect, distinct
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.verdicts import verdict_of

SECRET = "s3cret-value-1234"


def heard(value: Any, name: str = "sidecar_verdict_rbac", **checks: str) -> list[tuple[str, str, str, str]]:
    """Host, check, status and reason of what one variable of one host came to."""
    found = collect({"probe": {name: value}}, checks, Redactor([SECRET]))
    results = [(item.host, read(item.document)) for item in found]
    return [(host, result.check, result.status, result.headline.reason) for host, result in results]


def test_a_verdict_is_taken_as_it_is_and_knows_its_host() -> None:
    (found,) = collect({"probe": {"sidecar_verdict_rbac": {"verdict": verdict_of("gateway_rbac", "fail")}}}, {}, Redactor())
    assert (found.host, found.check, found.document["host"]) == ("probe", "gateway_rbac", "probe")
    assert read(found.document).status == "fail"


def test_a_loop_brings_one_verdict_an_item_and_none_is_lost() -> None:
    items = [
        {"ansible_loop_var": "item", "verdict": verdict_of("preflight", "pass")},
        {"ansible_loop_var": "item", "failed": True, "msg": "no such module"},
        {"ansible_loop_var": "item", "skipped": True, "skip_reason": "Conditional result was False", "false_condition": "item == 1"},
    ]
    found = heard({"results": items, "msg": "All items completed"}, "sidecar_verdict_preflight")
    assert [(check, status) for _host, check, status, _reason in found] == [
        ("preflight", "pass"),
        ("preflight", "error"),
        ("preflight", "skip"),
    ]
    assert "no such module" in found[1][3]
    assert "item == 1" in found[2][3]


@pytest.mark.parametrize(
    ("result", "status", "says"),
    [
        pytest.param({"failed": True, "msg": f"refused {SECRET}"}, "error", "failed: refused [redacted", id="failed"),
        pytest.param({"failed": True, "module_stderr": "Traceback"}, "error", "Traceback", id="crashed"),
        pytest.param({"failed": True}, "error", "it says nothing more", id="silent"),
        pytest.param({"unreachable": True, "msg": "Connection refused"}, "error", "could not be reached: Connection", id="unreachable"),
        pytest.param(
            {"skipped": True, "skip_reason": "Conditional result was False", "false_condition": "x | bool"}, "skip", "x | bool", id="when"
        ),
        pytest.param({"skipped": True, "skip_reason": "No items in the list", "results": []}, "skip", "No items", id="empty-loop"),
        pytest.param({"skipped": True, "msg": "remote module does not support check mode"}, "skip", "check mode", id="check-mode"),
        pytest.param(
            {"skipped": True, "false_condition": False, "skip_reason": "Conditional result was False"}, "skip", "was False", id="never"
        ),
        pytest.param({"ansible_job_id": "j1", "started": 1, "finished": 0}, "error", "nobody waited", id="async"),
        pytest.param({"changed": False, "ping": "pong"}, "error", "returned no verdict", id="another-module"),
        pytest.param({"verdict": "pass"}, "error", "returned no verdict", id="text-for-verdict"),
        pytest.param("pass", "error", "holds a str", id="no-result"),
        pytest.param(None, "error", "holds a NoneType", id="nothing"),
        pytest.param({"verdict": {"check": "gateway_rbac", "schema": "verdict-1"}}, "error", "cannot be read", id="broken-verdict"),
    ],
)
def test_a_result_without_a_verdict_becomes_a_record(result: Any, status: str, says: str) -> None:
    ((host, check, found, reason),) = heard(result, rbac="gateway_rbac")
    assert (host, check, found) == ("probe", "gateway_rbac", status)
    assert says in reason
    assert SECRET not in reason


def test_the_check_of_such_a_result_is_mapped_or_learned_or_the_name() -> None:
    failed = {"failed": True, "msg": "broken"}
    names = {"sidecar_verdict_rbac": failed, "sidecar_verdict_gateway_rbac": failed, "sidecar_verdict_queue": failed}
    elsewhere = {
        "other": {"sidecar_verdict_queue": {"results": [{"ansible_loop_var": "item", "verdict": verdict_of("queue_depth", "pass")}]}}
    }
    mapped = collect({"probe": names}, {"rbac": "api_versioning"}, Redactor())
    assert [item.check for item in mapped] == ["gateway_rbac", "queue", "api_versioning"]
    learned = collect({"probe": names, **elsewhere}, {}, Redactor())
    assert [item.check for item in learned] == ["queue_depth", "gateway_rbac", "queue_depth", "rbac"]


def test_a_retry_is_no_cure() -> None:
    ((_host, _check, status, reason),) = heard({"verdict": verdict_of("gateway_rbac", "pass"), "attempts": 3})
    assert status == "inconclusive"
    assert "tried 3 times" in reason
    assert heard({"verdict": verdict_of("gateway_rbac", "pass"), "attempts": 1})[0][2] == "pass"


def test_a_result_of_its_own_named_results_is_not_a_loop() -> None:
    assert heard({"verdict": verdict_of("gateway_rbac", "pass"), "results": [{"a": 1}]})[0][2] == "pass"
    assert "returned no verdict" in heard({"results": ["installed"], "changed": True})[0][3]


def test_what_run_once_registers_everywhere_counts_once_and_as_heard_everywhere() -> None:
    result = {"verdict": verdict_of("gateway_rbac", "pass", host="a")}
    found = collect({"a": {"sidecar_verdict_rbac": result}, "b": {"sidecar_verdict_rbac": result}}, {}, Redactor())
    assert [item.host for item in found] == ["a", "b"]
    assert len(distinct(found)) == 1


def test_secrets_in_a_verdict_are_removed_even_if_its_module_let_them_through() -> None:
    document = verdict_of("gateway_rbac", "pass")
    document["evidence"] = {"header": f"x {SECRET}"}
    (found,) = collect({"probe": {"sidecar_verdict_rbac": {"verdict": document}}}, {}, Redactor([SECRET]))
    assert SECRET not in str(found.document)
