# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tenant_isolation over HTTP, against a real service that is sound or leaks in one way."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection, Token
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import Examination
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_client import Answer
from ansible_collections.hypergraph.sidecar.plugins.module_utils.tenant_isolation import judgement, looks, parties, probe
from ansible_collections.hypergraph.sidecar.plugins.module_utils.time_limit import interrupted_after
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.tenant_service import TENANTS, TenantService, serving

READ_WRITE = frozenset(["traces:read", "traces:write"])


def tokens(*tenants: str) -> tuple[Token, ...]:
    return tuple(Token(f"{tenant}-writer", value, tenant, READ_WRITE) for value, tenant in TENANTS.items() if tenant in tenants)


def examination(url: str, *, who: tuple[Token, ...] = tokens("alpha", "beta"), deadline: float = 3.0, **options: Any) -> Examination:
    connection = Connection(url, who, timeout=5.0, auth_mode=options.pop("auth_mode", "static"))
    return Examination(Verdict("tenant_isolation"), connection, {"model": "m", "trace_deadline": deadline}, **options)


def verdict_on(service: TenantService, **options: Any) -> dict[str, Any]:
    """The verdict of one probe run against the service, which must be left without webhooks."""
    with serving(service):
        run = examination(service.url, **options)
        try:
            probe.examine(run)
        except CheckError as fault:
            run.verdict.error(fault.reason_code, fault.reason, fault.action)
    if "webhook-stays" not in service.leaks:
        assert service.hooks == {}
    return run.verdict.to_dict()


def failing(document: dict[str, Any]) -> set[str]:
    return {item["reason_code"] for item in document["assertions"] if not item["ok"]}


@pytest.fixture(scope="module")
def sound() -> dict[str, Any]:
    return verdict_on(TenantService())


def test_a_sound_service_passes_and_says_what_was_examined(sound: dict[str, Any]) -> None:
    assert (sound["status"], sound["reason_code"]) == ("pass", "")
    assert sound["examined"]["tenants"] == 2
    assert sound["examined"]["foreign requests"] == 28
    assert sound["examined"]["answers searched for canaries"] > 40
    asked = sound["evidence"]["answers"]["beta asking for alpha's"]
    assert asked["/v1/traces/{trace_id}/graph"] == {"plain": 404, "x-tenant-id: alpha": 404, "?tenant_id=alpha": 404}
    assert (asked["cancel"], asked["delete"]) == (404, 404)


def test_both_directions_are_examined(sound: dict[str, Any]) -> None:
    names = [item["name"] for item in sound["assertions"]]
    assert len(set(names)) == len(names)
    for name in ("beta is not shown the graph of alpha's trace", "alpha is not shown the graph of beta's trace"):
        assert names.count(name) == 1
    assert len(names) == 2 * 12


@pytest.mark.parametrize("benign", ["forbidden", "query-refused", "integer-ids"])
def test_other_ways_to_refuse_and_to_name_pass(benign: str) -> None:
    assert verdict_on(TenantService((benign,)))["status"] == "pass"


@pytest.mark.parametrize(
    ("leak", "reason_code"),
    [
        ("status", "foreign-status-readable"),
        ("graph", "foreign-graph-readable"),
        ("list", "foreign-list-row"),
        ("webhooks", "foreign-webhook-visible"),
        ("cancel", "foreign-cancel-effective"),
        ("cancel-acts", "foreign-cancel-effective"),
        ("delete-acts", "foreign-webhook-deleted"),
        ("delete-acknowledged", "foreign-webhook-deleted"),
        ("header-authority", "header-overrides-tenant"),
        ("label-filed", "header-overrides-tenant"),
        ("label-refused", "header-overrides-tenant"),
        ("label-loses-trace", "header-overrides-tenant"),
        ("query-authority", "query-overrides-tenant"),
        ("graph-conflict", "foreign-state-revealed"),
        ("cancel-conflict", "foreign-state-revealed"),
        ("delete-conflict", "foreign-state-revealed"),
        ("echo", "canary-leaked"),
        ("echo-in-header", "canary-leaked"),
    ],
)
def test_each_leak_is_named_and_nothing_else_with_it(leak: str, reason_code: str) -> None:
    document = verdict_on(TenantService((leak,)))
    assert (document["status"], document["reason_code"]) == ("fail", reason_code), document["reason"]
    assert failing(document) == {reason_code}


@pytest.mark.parametrize(
    ("leak", "reason_code"),
    [
        ("status-unavailable", "deny-unexplained"),
        ("graph-unavailable", "deny-unexplained"),
        ("cancel-unavailable", "deny-unexplained"),
        ("delete-unavailable", "deny-unexplained"),
        ("list-broken", "deny-unexplained"),
        ("list-shapeless", "deny-unexplained"),
        ("label-unavailable", "deny-unexplained"),
        ("owner-graph-broken", "owner-not-shown"),
        ("owner-cancel-broken", "owner-not-shown"),
        ("tenant-untold", "tenant-not-told"),
    ],
)
def test_what_proves_nothing_is_inconclusive(leak: str, reason_code: str) -> None:
    document = verdict_on(TenantService((leak,)))
    codes = {item["reason_code"] for kind in ("shortfalls", "controls") for item in document[kind]}
    assert document["status"] == "inconclusive", document["reason"]
    assert reason_code in codes
    assert failing(document) == set()


@pytest.mark.parametrize(("leak", "refusal"), [("owner-graph-broken", "is not shown the graph"), ("owner-cancel-broken", "cannot cancel")])
def test_a_refusal_without_a_serving_owner_is_not_counted(leak: str, refusal: str) -> None:
    document = verdict_on(TenantService((leak,)))
    assert not [item for item in document["assertions"] if refusal in item["name"]]


@pytest.mark.parametrize(("filed", "fails"), [("alpha", False), ("beta", True)])
def test_where_a_labelled_trace_is_filed_counts_by_itself(filed: str, fails: bool) -> None:
    verdict = Verdict("tenant_isolation")
    chat = judgement.LabelledChat(200, filed, {"the trace it sent so": 200})
    judgement.judge_labelled_chat(verdict, judgement.Pair("alpha", "beta"), chat)
    assert verdict.failed is fails


def test_a_trace_that_ends_at_once_cannot_show_a_cancel() -> None:
    document = verdict_on(TenantService(("cancel-acts",), reads=0))
    assert (document["status"], document["reason_code"]) == ("inconclusive", "cancel-too-late")
    assert not [item for item in document["assertions"] if "cannot cancel" in item["name"]]


def test_a_trace_that_fails_cannot_show_a_cancel() -> None:
    document = verdict_on(TenantService(ends="failed"))
    assert document["status"] == "inconclusive"
    assert "cancel-target-lost" in {item["reason_code"] for item in document["shortfalls"]}
    assert not [item for item in document["assertions"] if "cannot cancel" in item["name"]]


def test_traces_that_never_end_are_inconclusive() -> None:
    document = verdict_on(TenantService(reads=1000), deadline=0.2)
    assert document["status"] == "inconclusive"
    assert document["reason_code"] == "deadline-exceeded"


def test_a_status_that_breaks_is_an_error() -> None:
    document = verdict_on(TenantService(("owner-status-broken",), reads=0))
    assert (document["status"], document["reason_code"]) == ("error", "status-unreadable")


def test_a_status_that_breaks_later_proves_nothing() -> None:
    document = verdict_on(TenantService(("owner-status-broken",), reads=1))
    assert document["status"] == "inconclusive"
    assert not [item for item in document["assertions"] if "is not shown the status" in item["name"]]


def test_three_tenants_try_every_ordered_pair() -> None:
    document = verdict_on(TenantService(), who=tokens("alpha", "beta", "gamma"))
    assert document["status"] == "pass"
    assert len(document["evidence"]["answers"]) == 6


def test_the_first_able_token_of_a_tenant_speaks_for_it() -> None:
    reader = Token("alpha-reader", "alpha-reader-0123456789", "alpha", frozenset(["traces:read"]))
    second = Token("alpha-second", "alpha-second-0123456789", "alpha", READ_WRITE)
    document = verdict_on(TenantService(), who=(reader, *tokens("alpha", "beta"), second))
    assert document["status"] == "pass"
    assert document["examined"]["tenants"] == 2


def test_a_token_of_another_tenant_than_declared_is_noticed() -> None:
    value = next(iter(TENANTS))
    document = verdict_on(TenantService(), who=(Token("mine", value, "omega", READ_WRITE), *tokens("beta")))
    control = next(item for item in document["controls"] if not item["ok"])
    assert document["status"] == "inconclusive"
    assert (control["reason_code"], control["expected"], control["observed"]) == ("token-tenant-mismatch", "omega", "alpha")


def test_tokens_of_one_tenant_are_no_two_tenants() -> None:
    document = verdict_on(TenantService(("one-tenant",)))
    assert (document["status"], document["reason_code"]) == ("error", "tenants-not-distinct")
    assert failing(document) == set()


def test_a_tenant_that_no_header_can_carry_is_an_error() -> None:
    document = verdict_on(TenantService(), who=(Token("odd", "odd-token-0123456789", "al\npha", READ_WRITE), *tokens("beta")))
    assert (document["status"], document["reason_code"]) == ("error", "bad-tenant")


@pytest.mark.parametrize(
    ("options", "skip_class"),
    [
        ({"who": tokens("alpha")}, "dependency_missing"),
        ({"who": ()}, "dependency_missing"),
        ({"auth_mode": "none"}, "disabled_by_config"),
        ({"check_mode": True}, "disabled_by_config"),
    ],
)
def test_absent_preconditions_skip_without_a_request(options: dict[str, Any], skip_class: str) -> None:
    service = TenantService()
    document = verdict_on(service, **options)
    assert (document["status"], document["reason_code"]) == ("skip", skip_class)
    assert service.traces == {}


@pytest.mark.parametrize("leak", ["webhook-refused", "webhook-unnamed"])
def test_a_webhook_that_is_not_registered_properly_is_an_error_and_gone(leak: str) -> None:
    document = verdict_on(TenantService((leak,)))
    assert (document["status"], document["reason_code"]) == ("error", "webhook-refused")
    assert len(document["assertions"]) > 8, "what was examined before stays examined"


def test_a_webhook_that_cannot_be_deleted_is_named() -> None:
    service = TenantService(("webhook-stays",))
    document = verdict_on(service)
    assert (document["status"], document["reason_code"]) == ("error", "webhook-left-behind")
    assert set(service.hooks) == {"wh-1", "wh-2"}
    assert all(any(hook in item["reason"] for item in document["errors"]) for hook in service.hooks)


def test_a_webhook_outlives_no_interruption() -> None:
    with serving(TenantService()) as service:
        run = examination(service.url)
        party = parties.Party(tokens("alpha")[0], run.client, "m", run.verdict)
        with pytest.raises(CheckError, match="deadline"), party.webhook() as hook:
            assert hook.id in service.hooks
            raise CheckError("deadline-exceeded", "the deadline passed")
        assert service.hooks == {}


class Interruption(BaseException):
    """What ends a check at its deadline."""


def test_a_webhook_outlives_no_interruption_of_its_deletion() -> None:
    with serving(TenantService(("delete-stalls-once",))) as service:
        run = examination(service.url)
        party = parties.Party(tokens("alpha")[0], run.client, "m", run.verdict)
        with pytest.raises(Interruption), interrupted_after(0.75, Interruption), party.webhook() as hook:
            assert hook.id in service.hooks
        assert service.hooks == {}
        assert service.stalls == 0
    assert run.verdict.records.errors == ()


def test_the_webhook_secret_is_searched_for_and_never_shown() -> None:
    with serving(TenantService()) as service:
        run = examination(service.url)
        party = parties.Party(tokens("alpha")[0], run.client, "m", run.verdict)
        with party.webhook() as hook:
            secret = service.hooks[hook.id]["secret"]
        assert secret in party.marks
        assert secret not in run.verdict.redactor.text(f"leaked {secret}")


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    return Answer(
        "GET", "http://gateway/v1/traces?limit=100", status, {name.replace("_", "-"): v for name, v in headers.items()}, body, 0.0
    )


@pytest.mark.parametrize(
    "spell",
    [
        str,
        lambda mark: mark.encode().hex(),
        lambda mark: base64.b64encode(mark.encode()).decode(),
        lambda mark: base64.b64encode(b"x" + mark.encode()).decode(),
        lambda mark: base64.b64encode(b"xy" + mark.encode() + b"z").decode(),
    ],
)
@pytest.mark.parametrize("status", [200, 404, 500])
def test_canaries_are_found_in_any_spelling_and_status(spell: Callable[[str], str], status: int) -> None:
    mark = "canaryprompt0123456789abcdef"
    clean = answer(200, b"canaryprompt but another")
    in_body = answer(status, f"<p>{spell(mark)}</p>".encode())
    in_header = answer(status, x_note=f"about {spell(mark)}")
    assert looks.canary_places([clean, in_body, in_header], [mark]) == [
        f"body of GET /v1/traces?limit=100 ({status})",
        f"header x-note of GET /v1/traces?limit=100 ({status})",
    ]


@pytest.mark.parametrize(
    ("row", "foreign"),
    [
        ({"trace_id": "t1", "tenant_id": "beta"}, False),
        ({"trace_id": "t1"}, False),
        ({"trace_id": "t1", "tenant_id": "gamma"}, True),
        ({"trace_id": "t1", "tenant_id": ""}, True),
        ({"trace_id": "of-alpha", "tenant_id": "beta"}, True),
        ({"id": "of-alpha"}, True),
        ({"trace_id": "t1", "note": {"deep": ["a canary1 b"]}}, True),
    ],
)
def test_foreign_rows(row: dict[str, Any], foreign: bool) -> None:
    target = looks.Target(frozenset(["of-alpha"]), ("canary1",))
    assert bool(looks.foreign_rows([{"trace_id": "mine", "tenant_id": "beta"}, row], target, "beta")) is foreign


@pytest.mark.parametrize("status", [301, 400, 401, 405, 429, 500, 503])
def test_only_403_and_404_refuse_a_plain_request(status: int) -> None:
    assert looks.outcome(answer(status)) is looks.Outcome.UNCLEAR


def test_a_list_that_is_no_json_is_an_error() -> None:
    with pytest.raises(CheckError, match="expected JSON"):
        answer(200, b"<html>").rows()
