# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scope matrix against a gateway that is sound, and against one for each way not to be."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import connect
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import Examination
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.rbac import resources
from ansible_collections.hypergraph.sidecar.plugins.module_utils.rbac.probe import examine
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.rbac.gateway import ROUTES, TOKENS, Gateway, gateway

CONTRACT = [name for name in ROUTES if "usage" not in name]
GUARDED = [name for name in CONTRACT if ROUTES[name]]
CANCEL = "POST /v1/traces/{trace_id}/cancel"
WRITING = [name for name in GUARDED if ROUTES[name] == "traces:write"]
Document = dict[str, Any]


@pytest.fixture(autouse=True)
def no_need_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway of these tests does what it does before it answers."""
    monkeypatch.setattr(resources, "SETTLE_SECONDS", 0)


def examination(url: str, *, check_mode: bool = False, **changed: Any) -> Examination:
    arguments: dict[str, Any] = {
        "base_url": url,
        "tokens": TOKENS,
        "auth_mode": "static",
        "ca_path": None,
        "validate_certs": True,
        "timeout": 5.0,
        "deadline": 60.0,
        "model": "m",
        "routes": [],
        "unauthenticated_status": [401],
        "unknown_token_status": [403],
        "missing_scope_status": [403],
        "trace_deadline": 5.0,
        **changed,
    }
    return Examination(Verdict("gateway_rbac"), connect(arguments), arguments, check_mode)


def verdict_on(running: Gateway, **options: Any) -> Document:
    run = examination(running.url, **options)
    examine(run)
    return run.verdict.to_dict()


def verdict_with(*defects: str, **options: Any) -> Document:
    with gateway(*defects) as running:
        return verdict_on(running, **options)


def failing(document: Document) -> dict[str, str]:
    return {item["name"]: item["reason_code"] for item in document["assertions"] if not item["ok"]}


def codes(document: Document, kind: str) -> list[str]:
    return [item["skip_class" if kind == "skips" else "reason_code"] for item in document[kind]]


def unproven(document: Document) -> list[str]:
    return [item["name"] for item in document["controls"] if not item["ok"]]


# A sound gateway


def test_a_sound_gateway_passes_and_is_left_as_it_was() -> None:
    with gateway() as running:
        document = verdict_on(running)
        assert running.hooks == {}
    assert (document["status"], document["skips"]) == ("pass", [])
    assert document["examined"] == {
        "routes": 11,
        "callers": 6,
        "cells": 66,
        "denied writes read back": 12,
        "documented operations": 10,
    }
    assert len(document["assertions"]) == 66 + 3
    assert document["evidence"]["matrix"]["POST /v1/traces/{trace_id}/cancel"] == {
        "no token": 401,
        "unknown token": 403,
        "alpha-reader": 403,
        "alpha-writer": 200,
        "alpha-submitter": 200,
        "beta-writer": 200,
    }


def test_every_route_is_asked_as_everybody() -> None:
    with gateway() as running:
        verdict_on(running)
    for name in CONTRACT:
        for who in ("a stranger", *(token["name"] for token in TOKENS)):
            assert f"{name} by {who}" in running.asked


@pytest.mark.parametrize("defect", ["other-traffic-once", "openapi-empty", "openapi-html", "fails:GET /v1/openapi.json"])
def test_what_is_not_about_authority_stays_out_of_it(defect: str) -> None:
    document = verdict_with(defect)
    assert not failing(document)
    assert document["status"] == ("inconclusive" if defect.startswith("fails") else "pass")


# Seeded defects


@pytest.mark.parametrize("name", CONTRACT)
def test_a_route_open_to_anybody_is_found(name: str) -> None:
    document = verdict_with(f"anonymous:{name}")
    assert (document["status"], document["reason_code"]) == ("fail", "anonymous-allowed")
    assert failing(document) == {f"{name} with no token": "anonymous-allowed"}
    assert "AUTH_MODE" in document["action"]


@pytest.mark.parametrize("name", CONTRACT)
def test_a_route_open_to_any_token_is_found(name: str) -> None:
    document = verdict_with(f"unknown:{name}")
    assert failing(document) == {f"{name} with unknown token": "unknown-token-allowed"}
    assert "AUTH_TOKENS_JSON" in document["action"]


@pytest.mark.parametrize("name", GUARDED)
def test_a_scope_that_is_not_asked_for_is_found(name: str) -> None:
    document = verdict_with(f"unscoped:{name}")
    lacking = "alpha-reader" if ROUTES[name] == "traces:write" else "alpha-submitter"
    assert failing(document) == {f"{name} with {lacking}": "missing-scope-allowed"}
    assert document["action"] == f"Ask for the scope {ROUTES[name]} on this route."


@pytest.mark.parametrize("name", WRITING)
@pytest.mark.parametrize("status", [403, 500])
def test_a_deny_that_acts_is_found(name: str, status: int) -> None:
    document = verdict_with(f"acts:{name}", *([] if status == 403 else [f"denies-as:{status}"]))
    assert failing(document) == {"a denied request leaves nothing behind": "deny-side-effect"}
    (found,) = [item["observed"] for item in document["assertions"] if not item["ok"]]
    assert f"{name} with alpha-reader ({status})" in found
    assert document["reason_code"] == "deny-side-effect"


@pytest.mark.parametrize("name", WRITING)
def test_what_an_open_route_does_is_not_reported_twice(name: str) -> None:
    with gateway(f"unscoped:{name}") as running:
        document = verdict_on(running)
        assert running.hooks == {}
    assert list(failing(document).values()) == ["missing-scope-allowed"]


@pytest.mark.parametrize("name", CONTRACT)
def test_a_missing_token_that_is_forbidden_has_the_wrong_status(name: str) -> None:
    document = verdict_with(f"forbids-anonymous:{name}")
    assert failing(document) == {f"{name} with no token": "anonymous-wrong-status"}
    assert document["action"] == "Answer 401, or allow 403 in unauthenticated_status."


def test_other_statuses_may_be_agreed() -> None:
    assert verdict_with("unknown-401")["reason_code"] == "unknown-token-wrong-status"
    assert verdict_with("unknown-401", unknown_token_status=[401, 403])["status"] == "pass"


@pytest.mark.parametrize(
    ("who", "name"),
    [("alpha-reader", "GET /v1/webhooks"), ("alpha-submitter", "POST /v1/webhooks"), ("beta-writer", "GET /v1/models")],
)
def test_a_legitimate_caller_who_is_refused_is_found(who: str, name: str) -> None:
    document = verdict_with(f"refuses:{who}:{name}")
    assert failing(document) == {f"{name} with {who}": "authorised-refused"}


def test_a_gateway_that_refuses_everybody_is_not_well_guarded() -> None:
    document = verdict_with("all-denied")
    assert (document["status"], document["reason_code"]) == ("fail", "authorised-refused")
    assert "GET /v1/models lets somebody through" in unproven(document)


def test_a_gateway_that_refuses_nobody_fails() -> None:
    document = verdict_with("all-allowed")
    assert document["status"] == "fail"
    assert {"anonymous-allowed", "unknown-token-allowed", "missing-scope-allowed"} == set(failing(document).values())


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500])
def test_a_deny_that_is_none_is_inconclusive(status: int) -> None:
    document = verdict_with(f"denies-as:{status}")
    assert (document["status"], document["reason_code"]) == ("inconclusive", "deny-unexplained")
    assert f"answered {status}, which neither lets it through nor refuses it" in document["reason"]


def test_a_hidden_resource_may_be_the_agreed_deny() -> None:
    agreed = {"unauthenticated_status": [404], "unknown_token_status": [404], "missing_scope_status": [404]}
    assert verdict_with("denies-as:404", **agreed)["status"] == "pass"


def test_an_allow_that_is_none_is_inconclusive() -> None:
    document = verdict_with("fails:GET /v1/models")
    assert (document["status"], document["reason_code"]) == ("inconclusive", "allow-unexplained")
    assert unproven(document) == ["GET /v1/models lets somebody through"]


def test_a_deny_in_another_shape_is_found() -> None:
    document = verdict_with("bare-deny")
    assert failing(document) == {"a deny carries an OpenAI error body": "error-shape"}


def test_a_documented_route_without_a_row_is_found() -> None:
    document = verdict_with("undocumented-row")
    assert failing(document) == {"every documented route has a row in the matrix": "route-unexamined"}
    assert "PATCH /v1/secrets/{id}" in document["reason"]


# What could not be seen


@pytest.mark.parametrize(
    ("defect", "control"),
    [
        ("hides-traces", "an accepted trace of alpha is listed"),
        ("hides-webhooks", "a registered webhook of alpha is listed"),
        ("masks-urls", "a registered webhook of alpha is listed"),
        ("instant", "an authorised cancel is accepted"),
    ],
)
@pytest.mark.parametrize("acts", [False, True])
def test_what_reading_back_would_not_show_is_inconclusive(defect: str, control: str, acts: bool) -> None:
    with gateway(defect, *(f"acts:{name}" for name in WRITING if acts)) as running:
        document = verdict_on(running)
    assert control in unproven(document)
    assert document["status"] == ("fail" if acts else "inconclusive")


def test_a_denied_cancel_of_a_trace_that_had_ended_is_tried_on_another() -> None:
    document = verdict_with("every-other-instant", "late-cancels-accepted")
    assert (document["status"], document["examined"]["denied writes read back"]) == ("pass", 12)
    document = verdict_with("every-other-instant", "late-cancels-accepted", f"acts:{CANCEL}")
    (found,) = [item["observed"] for item in document["assertions"] if not item["ok"]]
    assert found == [f"{CANCEL} with {who}" for who in ("no token (401)", "unknown token (403)", "alpha-reader (403)")]


@pytest.mark.parametrize("acts", [False, True])
def test_denied_cancels_that_could_not_act_in_time_are_inconclusive(acts: bool) -> None:
    document = verdict_with("instant", "late-cancels-accepted", *([f"acts:{CANCEL}"] if acts else []))
    assert (document["status"], document["reason_code"]) == ("inconclusive", "cancel-too-late")
    assert f"not examined for it: 3 requests, such as {CANCEL} with no token" in document["reason"]
    assert document["examined"]["denied writes read back"] == 9
    assert document["examined"]["cells"] == 66


def test_denied_cancels_of_traces_that_never_end_are_inconclusive() -> None:
    document = verdict_with("never-ends", trace_deadline=0.2)
    assert (document["status"], document["reason_code"], failing(document)) == ("inconclusive", "deadline-exceeded", {})
    assert f"not examined for it: 3 requests, such as {CANCEL} with no token" in document["reason"]
    assert document["examined"]["denied writes read back"] == 9


def test_an_unfinished_trace_that_anybody_may_cancel_is_found_behind_finished_ones_that_nobody_may() -> None:
    document = verdict_with("every-other-instant", "guards-finished-only")
    assert failing(document) == {
        f"{CANCEL} with no token": "anonymous-allowed",
        f"{CANCEL} with unknown token": "unknown-token-allowed",
        f"{CANCEL} with alpha-reader": "missing-scope-allowed",
    }
    assert document["examined"]["cells"] == 66


def test_hidden_webhooks_are_not_taken_for_deleted_ones() -> None:
    assert not failing(verdict_with("hides-webhooks"))


def test_a_tenant_with_other_traffic_is_not_blamed_on_the_deny() -> None:
    document = verdict_with("busy")
    assert not failing(document)
    assert "effect-unclear" in codes(document, "shortfalls")


def test_webhooks_of_the_probe_that_stay_are_told() -> None:
    with gateway("webhook-stays") as running:
        document = verdict_on(running)
        told = [item["reason"] for item in document["errors"]]
        assert running.hooks and all(
            any(f" {identity} of tenant {hook['tenant']} " in reason for reason in told) for identity, hook in running.hooks.items()
        )
    assert set(codes(document, "errors")) == {"webhook-left-behind"}


def test_webhooks_whose_ids_were_never_told_are_tidied_too() -> None:
    with gateway("nameless-webhooks") as running:
        document = verdict_on(running)
        assert running.hooks == {}
    assert "webhook-refused" in codes(document, "errors")


# One broken part does not hide an open one


def test_with_the_upstream_down_what_needs_no_trace_is_examined() -> None:
    document = verdict_with("upstream-down", "anonymous:GET /v1/webhooks")
    assert (document["status"], document["reason_code"]) == ("fail", "anonymous-allowed")
    assert "chat-refused" in codes(document, "errors")
    assert document["examined"]["cells"] == 66 - 3 * 6
    healthy = verdict_with("upstream-down")
    assert (healthy["status"], healthy["reason_code"]) == ("error", "chat-refused")
    assert "not examined for it: 15 requests, such as GET /v1/traces/{trace_id}/status with no token" in healthy["reason"]


def test_the_refused_chat_is_not_repeated_for_every_request() -> None:
    with gateway("upstream-down") as running:
        verdict_on(running)
    chats = [asked for asked in running.asked if asked.startswith("POST /v1/chat/completions (attached) by alpha-writer")]
    assert len(chats) == 2  # one to prepare, one that is a cell of the matrix


def test_a_list_that_is_broken_is_told_once() -> None:
    document = verdict_with("list-broken", "unknown:GET /v1/models")
    assert document["reason_code"] == "unknown-token-allowed"
    assert "list-unreadable" in codes(document, "errors")


def test_what_was_found_before_the_deadline_stands() -> None:
    class TooLate(BaseException):
        pass

    with gateway("anonymous:GET /v1/models") as running:
        run = examination(running.url)
        ask = run.client.request

        def until_the_webhooks(method: str, path: str, *arguments: Any, **options: Any) -> Any:
            if len(running.hooks) == 1 and method == "DELETE":
                raise TooLate
            return ask(method, path, *arguments, **options)

        run.client.request = until_the_webhooks  # type: ignore[method-assign]
        with pytest.raises(TooLate):
            examine(run)
    document = run.verdict.to_dict()
    assert (document["status"], document["reason_code"]) == ("fail", "anonymous-allowed")


def test_nothing_is_judged_where_nothing_answers() -> None:
    with gateway() as running:
        url = running.url
    run = examination(url)
    with pytest.raises(CheckError, match="nothing accepts connections"):
        examine(run)
    assert run.verdict.records.assertions == ()


# Tokens


def test_the_first_token_need_not_belong_to_a_tenant_that_can_prepare() -> None:
    """Nobody and the stranger are columns whatever the order of the tokens."""
    gamma = {"name": "gamma-reader", "token": "gamma-reader-0123456789", "tenant_id": "gamma", "scopes": ["traces:read"], "subject": None}
    document = verdict_with("anonymous:GET /v1/models", tokens=[gamma, *TOKENS])
    assert document["reason_code"] == "anonymous-allowed"
    assert "gamma-reader of gamma" in document["skips"][0]["reason"]


def test_a_token_without_a_column_is_named() -> None:
    gamma = {"name": "gamma-reader", "token": "gamma-reader-0123456789", "tenant_id": "gamma", "scopes": ["traces:read"], "subject": None}
    absent = {"name": "delta", "token": "", "tenant_id": "delta", "scopes": ["traces:read"], "subject": None}
    document = verdict_with(tokens=[*TOKENS, gamma, absent])
    assert document["status"] == "pass"
    assert "not examined: gamma-reader of gamma, since" in document["reason"]
    assert "delta, since the token is empty" in document["reason"]
    assert "gamma-reader" not in document["evidence"]["matrix"]["GET /v1/models"]


def test_a_scope_that_every_token_carries_was_not_missed_by_anybody() -> None:
    document = verdict_with(tokens=[token for token in TOKENS if token["name"].endswith("-writer")])
    assert document["status"] == "pass"
    assert [skip["reason"].partition(",")[0] for skip in document["skips"]] == [
        "known tokens without traces:read",
        "known tokens without traces:write",
    ]


@pytest.mark.parametrize("tokens", [[], [TOKENS[0]], [TOKENS[0], TOKENS[2]]])
def test_without_a_token_that_can_prepare_it_is_skipped(tokens: list[dict[str, Any]]) -> None:
    document = verdict_with(tokens=tokens)
    assert (document["status"], document["reason_code"]) == ("skip", "dependency_missing")


def test_without_enforcement_it_is_skipped() -> None:
    with gateway() as running:
        document = verdict_on(running, auth_mode="none")
        assert running.asked == []
    assert (document["status"], document["reason_code"]) == ("skip", "disabled_by_config")


def test_a_token_that_is_called_like_nobody_is_judged_as_itself() -> None:
    tokens = [{**TOKENS[0], "name": "no token"}, *TOKENS[1:]]
    document = verdict_with("unscoped:POST /v1/webhooks", tokens=tokens)
    assert list(failing(document).values()) == ["missing-scope-allowed"]


# Check mode


def test_check_mode_changes_nothing_and_examines_what_only_reads() -> None:
    with gateway() as running:
        document = verdict_on(running, check_mode=True)
        assert (running.traces, running.hooks) == ({}, {})
        assert not [asked for asked in running.asked if not asked.startswith("GET ")]
    assert document["status"] == "pass"
    assert document["examined"] == {"routes": 4, "callers": 6, "cells": 24, "documented operations": 10}
    assert "not examined: check mode: 7 routes that change something" in document["reason"]
    assert verdict_with("anonymous:GET /v1/webhooks", check_mode=True)["reason_code"] == "anonymous-allowed"


# Further routes


def test_a_route_of_an_own_api_has_a_row() -> None:
    usage = {"method": "get", "path": "/v1/usage/{trace_id}", "scope": "traces:read", "body": None}
    document = verdict_with("unscoped:GET /v1/usage/{trace_id}", routes=[usage])
    assert failing(document) == {"GET /v1/usage/{trace_id} with alpha-submitter": "missing-scope-allowed"}
    assert document["examined"]["routes"] == 12
    assert verdict_with(routes=[{**usage, "scope": None}])["reason_code"] == "authorised-refused"


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ({"path": "v1/usage"}, "its path does not begin with a slash"),
        ({"path": "/v1/usage/{user}"}, "its path has '{user}', expected no other placeholder"),
        ({"path": "/v1/usage/{}"}, "its path has '{}'"),
        ({"path": "/v1/usage/{trace_id"}, "its path has '{'"),
        ({"path": "/v1/us age"}, "white space"),
        ({"path": "/v1/usage\n"}, "white space"),
        ({"path": "/v1/usage", "method": "GET /x"}, "its method is 'GET /X', expected one like GET"),
    ],
)
def test_a_route_that_cannot_be_asked_is_named(route: dict[str, str], said: str) -> None:
    with gateway() as running, pytest.raises(CheckError) as raised:
        verdict_on(running, routes=[{"method": "GET", "scope": None, "body": None, **route}])
    assert raised.value.reason_code == "bad-argument"
    assert said in raised.value.reason
    assert running.asked == []


@pytest.mark.parametrize("argument", ["unauthenticated_status", "unknown_token_status", "missing_scope_status"])
@pytest.mark.parametrize("statuses", [[], [200], [401, 200], [301], [409], [500]])
def test_a_status_that_lets_through_cannot_be_agreed_as_a_refusal(argument: str, statuses: list[int]) -> None:
    with gateway("all-allowed") as running, pytest.raises(CheckError, match=argument) as raised:
        verdict_on(running, **{argument: statuses})
    assert raised.value.reason_code == "bad-argument"
