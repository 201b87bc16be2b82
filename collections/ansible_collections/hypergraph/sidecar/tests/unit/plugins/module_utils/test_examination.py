# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever happens inside a check, a verdict comes out of its module, in time and without a secret."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils import time_limit
from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import ARGUMENTS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import Examination, run
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError, CheckInconclusive
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.wire import answering, http, talking
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

SECRET = "Zq8vX3c9K1m2n3p4Q5r6"
WRITER = {"name": "alpha-writer", "token": SECRET, "tenant_id": "alpha", "scopes": ["traces:write", "traces:read"]}
Examine = Callable[[Examination], None]


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Callable[..., dict[str, Any]]:
    """Run a check as a module and return what the module printed."""

    def examined(examine: Examine, secrets: tuple[str, ...] = (), **arguments: Any) -> dict[str, Any]:
        def main() -> None:
            run(AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True), "gateway_rbac", examine, secrets)

        given = {"base_url": "http://127.0.0.1:9", "tokens": [WRITER], **arguments}
        return run_main(main, given, monkeypatch, capsys)

    return examined


def hold(run: Examination) -> None:
    run.verdict.expect("it holds", True, reason_code="broken")


def raising(problem: BaseException, after: Examine = lambda run: None) -> Examine:
    def examine(run: Examination) -> None:
        after(run)
        raise problem

    return examine


def test_a_verdict_is_the_result_of_the_module(outcome: Any) -> None:
    result = outcome(hold)
    assert (result["changed"], "failed" in result) == (False, False)
    assert result["verdict"]["check"] == "gateway_rbac"
    assert result["msg"] == "pass: 1 assertion holds"


@pytest.mark.parametrize(
    ("problem", "status", "code"),
    [
        (CheckError("service-unreachable", "nothing there", "Start it."), "error", "service-unreachable"),
        (CheckInconclusive("deadline-exceeded", "too late", "Wait."), "inconclusive", "deadline-exceeded"),
        (ModuleNotFoundError("No module named 'jsonschema'", name="jsonschema"), "skip", "dependency_missing"),
        (ModuleNotFoundError("something"), "skip", "dependency_missing"),
        (ZeroDivisionError("division by zero"), "error", "check-crashed"),
        (RecursionError("too deep"), "error", "check-crashed"),
        (ImportError("cannot import name 'x'"), "error", "check-crashed"),
    ],
)
def test_what_a_check_raises_becomes_a_record(outcome: Any, problem: BaseException, status: str, code: str) -> None:
    result = outcome(raising(problem))
    assert "failed" not in result
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == (status, code)
    assert result["verdict"]["action"]


def test_a_missing_library_is_named(outcome: Any) -> None:
    result = outcome(raising(ModuleNotFoundError("No module named 'jsonschema'", name="jsonschema")))
    assert result["verdict"]["reason"] == "Python library jsonschema is not installed where the check runs"


def test_a_missing_library_does_not_let_half_a_check_pass(outcome: Any) -> None:
    result = outcome(raising(ModuleNotFoundError("No module named 'jsonschema'", name="jsonschema"), after=hold))
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("inconclusive", "dependency-missing")


def test_what_was_found_before_a_fault_stands(outcome: Any) -> None:
    def find(run: Examination) -> None:
        run.verdict.expect("it is shut", False, reason_code="open")

    result = outcome(raising(ZeroDivisionError(), after=find))
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("fail", "open")
    assert [error["reason_code"] for error in result["verdict"]["errors"]] == ["check-crashed"]


def test_a_crash_leaves_a_traceback_without_secrets(outcome: Any) -> None:
    other = "of-another\nkind of secret"
    result = outcome(raising(ValueError(f"cannot parse {SECRET} and {other}")), secrets=(other,))
    shown = json.dumps(result["verdict"])
    assert result["verdict"]["reason"].startswith("ValueError: cannot parse [redacted ")
    assert any("in examine" in line for line in result["verdict"]["evidence"]["traceback"])
    assert not [half for half in (SECRET, "of-another", "kind of secret") if half in shown]


def test_the_client_speaks_to_the_base_url(outcome: Any) -> None:
    def ask(run: Examination) -> None:
        assert run.client is run.client
        token = run.connection.tokens[0]
        run.verdict.expect("it answers", run.client.get("/x", token).json() == {"a": 1}, reason_code="broken")

    with talking(http(b'{"a": 1}')) as peer:
        assert outcome(ask, base_url=peer.url)["verdict"]["status"] == "pass"


# The deadline


def test_a_check_that_hangs_is_ended(outcome: Any) -> None:
    def hang(run: Examination) -> None:
        hold(run)
        one, other = socket.socketpair()
        with one, other:
            one.recv(1)

    verdict = outcome(hang, deadline=0.2)["verdict"]
    assert (verdict["status"], verdict["reason"]) == ("error", "the check did not finish within its deadline of 0.2 s")
    assert verdict["reason_code"] == "deadline-exceeded"


def test_a_gateway_that_drips_is_ended_by_the_deadline_before_the_timeout(outcome: Any) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)

    with talking(drip) as peer:
        verdict = outcome(lambda run: run.client.get("/") and None, base_url=peer.url, deadline=0.3, timeout=30)["verdict"]
    assert verdict["reason_code"] == "deadline-exceeded"


@pytest.mark.parametrize("swallowed", [CheckError, Exception])
def test_a_check_that_goes_on_after_faults_does_not_go_on_after_its_deadline(outcome: Any, swallowed: type[Exception]) -> None:
    def stubborn(run: Examination) -> None:
        while True:
            with suppress(swallowed):
                run.client.get("/")

    with talking(answering()) as peer:
        assert outcome(stubborn, base_url=peer.url, deadline=0.3)["verdict"]["reason_code"] == "deadline-exceeded"


def test_tidying_up_after_the_deadline_cannot_hang_either(outcome: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "AGAIN", 0.2)
    tidied = []

    def untidy(run: Examination) -> None:
        try:
            time.sleep(30)
        finally:
            tidied.append(1)
            time.sleep(30)

    assert outcome(untidy, deadline=0.2)["verdict"]["reason_code"] == "deadline-exceeded"
    assert tidied == [1]


def test_judging_what_was_seen_may_follow_the_deadline(outcome: Any) -> None:
    def late(run: Examination) -> None:
        try:
            time.sleep(30)
        finally:
            run.verdict.expect("it is shut", False, reason_code="open")

    verdict = outcome(late, deadline=0.2)["verdict"]
    assert (verdict["status"], len(verdict["errors"])) == ("fail", 1)


# Bad arguments


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"base_url": f"https://admin:{SECRET}@gateway.example.org"}, "bad-url"),
        ({"base_url": f"https://admin:{SECRET}/x@gateway.example.org"}, "bad-url"),
        ({"base_url": f"https://h:{SECRET[::-1]}"}, "bad-url"),
        ({"base_url": "https://h:99999"}, "bad-url"),
        ({"base_url": ""}, "bad-url"),
        ({"tokens": [{**WRITER, "token": f"{SECRET}\n"}]}, "bad-token"),
        ({"tokens": [WRITER, WRITER]}, "bad-token"),
        ({"tokens": [{**WRITER, "tenant_id": ""}]}, "bad-token"),
        ({"deadline": 0}, "bad-timeout"),
        ({"timeout": "inf"}, "bad-timeout"),
        ({"deadline": "nan"}, "bad-timeout"),
        ({"timeout": 1e300}, "bad-timeout"),
    ],
)
def test_a_bad_argument_is_an_error_that_keeps_secrets(outcome: Any, arguments: dict[str, Any], code: str) -> None:
    result = outcome(hold, **arguments)
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("error", code)
    shown = json.dumps(result)
    assert not [secret for secret in (SECRET, SECRET[::-1]) if secret in shown]


# Preconditions


def test_check_mode_submits_nothing_and_says_so(outcome: Any) -> None:
    def submit(run: Examination) -> None:
        assert run.check_mode
        if run.may_submit():
            hold(run)

    verdict = outcome(submit, _ansible_check_mode=True)["verdict"]
    assert (verdict["status"], verdict["reason_code"]) == ("skip", "disabled_by_config")
    assert "check mode" in verdict["reason"]


def test_outside_check_mode_it_may_submit(outcome: Any) -> None:
    assert outcome(lambda run: hold(run) if run.may_submit() else None)["verdict"]["status"] == "pass"


READER = {"name": "alpha-reader", "token": f"{SECRET}r", "tenant_id": "alpha", "scopes": ["traces:read"]}
OTHER = {"name": "beta-writer", "token": f"{SECRET}b", "tenant_id": "beta", "scopes": ["traces:write", "traces:read"]}
ABSENT = {"name": "gamma-writer", "token": "", "tenant_id": "gamma", "scopes": ["traces:write", "traces:read"]}


@pytest.mark.parametrize(
    ("tokens", "tenants", "enough"),
    [
        ([WRITER], 1, True),
        ([WRITER, OTHER], 2, True),
        ([WRITER], 2, False),
        ([WRITER, {**WRITER, "name": "twin", "token": f"{SECRET}t"}], 2, False),
        ([READER], 1, False),
        ([ABSENT], 1, False),
        ([], 1, False),
    ],
)
def test_tokens_are_counted_by_tenant(outcome: Any, tokens: list[Any], tenants: int, enough: bool) -> None:
    def look(run: Examination) -> None:
        if run.has_tokens("traces:write", "traces:read", tenants=tenants):
            hold(run)

    verdict = outcome(look, tokens=tokens)["verdict"]
    assert verdict["status"] == ("pass" if enough else "skip")
    if not enough:
        assert verdict["reason_code"] == "dependency_missing"
        assert f"for {tenants} tenant(s)" in verdict["reason"]
        assert verdict["reason"].endswith("; empty: gamma-writer") == (tokens == [ABSENT])


def test_without_enforcement_there_is_no_authority_to_examine(outcome: Any) -> None:
    verdict = outcome(lambda run: hold(run) if run.has_tokens("traces:read") else None, auth_mode="none")["verdict"]
    assert (verdict["status"], verdict["reason_code"]) == ("skip", "disabled_by_config")
