# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report-1 document: what it says of a run, and that it always keeps to its schema."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import Redactor
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.build import not_green
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.headline import terminal_lines
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.scope import Scope
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.scrub import scrubbed
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.report.documents import (
    COLLECTION,
    hostile_verdict,
    registered,
    report,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.verdicts import CHECKS, law, verdict_of, verdicts

SCHEMAS = {name: json.loads((COLLECTION / f"docs/schemas/{name}.json").read_text()) for name in ("verdict-1", "report-1")}
VERDICT_1, REPORT_1 = (jsonschema.Draft202012Validator(schema) for schema in SCHEMAS.values())
PASSED = verdict_of("gateway_rbac", "pass", host="probe")
WAIVER = {"check": "observability", "assertion": "*", "owner": "ada", "ticket": "OPS-12", "reason": "known", "expires": "2030-12-10"}


def by_id(document: dict[str, Any]) -> dict[str, Any]:
    return {check["check"]: check for check in document["checks"]}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_the_schemas_are_schemas(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_report_carries_the_verdicts_schema_unchanged() -> None:
    assert SCHEMAS["report-1"]["$defs"]["verdict-1"] == SCHEMAS["verdict-1"]


@law
@given(verdicts())
def test_every_verdict_keeps_to_its_schema(document: dict[str, Any]) -> None:
    VERDICT_1.validate(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("status",), "green"),
        (("status",), "fail"),
        (("status",), "error"),
        (("status",), "skip"),
        (("status",), "waived"),
        (("assertions", 0, "ok"), False),
        (("assertions", 0, "ok"), "yes"),
        (("assertions",), []),
        (("errors",), [{"reason_code": "a", "reason": "b", "action": "c"}]),
        (("errors",), [{"reason": "b"}]),
        (("skips",), [{"skip_class": "bored", "reason": "b", "action": "c"}]),
        (("examined",), {"routes": -1}),
        (("examined",), {"routes": 1.5}),
        (("metrics",), {"p95": "fast"}),
        (("started",), "yesterday"),
        (("duration_ms",), -1),
        (("extra",), 1),
    ],
)
def test_the_schema_refuses_what_is_not_a_verdict(path: tuple[Any, ...], value: Any) -> None:
    document = copy.deepcopy(PASSED)
    VERDICT_1.validate(document)
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not VERDICT_1.is_valid(document)


@pytest.mark.parametrize("member", sorted(PASSED))
def test_the_schema_asks_for_every_member_of_a_verdict(member: str) -> None:
    assert not VERDICT_1.is_valid({name: value for name, value in PASSED.items() if name != member})


@law
@given(
    st.dictionaries(st.sampled_from(("probe", "g1")), st.lists(verdicts(), max_size=4), max_size=2),
    st.lists(st.sampled_from(CHECKS), unique=True).map(tuple),
    st.sampled_from((Scope(), Scope(tags=("security",)), Scope(limit="probe", check_mode=True))),
    st.booleans(),
    st.lists(st.sampled_from((WAIVER, {**WAIVER, "expires": "2030-01-01"}, {}, "text")), max_size=3),
)
def test_every_report_keeps_to_its_schema_and_hides_nothing(
    hosts: dict[str, list[dict[str, Any]]], required: tuple[str, ...], scope: Scope, selected_only: bool, waivers: list[Any]
) -> None:
    results = {host: variables for host, documents in hosts.items() for variables in registered(*documents, host=host).values()}
    document = report(results, required=required, scope=scope, selected_only=selected_only, waivers=waivers)
    REPORT_1.validate(json.loads(json.dumps(document)))
    told = by_id(document)
    assert set(told) == {verdict["check"] for documents in hosts.values() for verdict in documents}
    assert set(document["not_run"]) | set(told) >= {*required, *CHECKS} - {"our_queue"}
    assert not set(document["not_run"]) & set(told)
    assert sum(document["counts"].values()) == len(told) + sum(absent["required"] for absent in document["not_run"].values())
    for check in told.values():
        assert len(check["assertions"]) == sum(len(part["assertions"]) for part in check["parts"])
        assert check["status"] in ("fail", "error") or not {part["status"] for part in check["parts"]} & {"fail", "error"}


@pytest.mark.parametrize(("status", "answer"), [("pass", "OPEN: staging may be"), ("fail", "CLOSED: staging may not be")])
def test_a_gate_that_was_asked_of_a_deployment_says_nothing_of_serving(status: str, answer: str) -> None:
    document = report(registered(verdict_of("gateway_rbac", status, host="probe")), question="deploy")
    assert document["gate"]["headline"][0] == f"GATE {answer} deployed as it is written"
    REPORT_1.validate(json.loads(json.dumps(document)))


def test_the_first_lines_of_an_open_gate_say_so_and_what_was_examined() -> None:
    document = report(registered(PASSED))
    assert document["gate"] == {
        "open": True,
        "headline": ["GATE OPEN: staging is fit to serve", "1 of 1 required checks hold", "1 pass; examined 3 objects"],
        "reasons": [],
    }


def test_the_first_lines_of_a_closed_gate_say_why() -> None:
    document = report(registered(verdict_of("observability", "fail"), verdict_of("our_queue", "error")))
    assert document["gate"]["headline"] == [
        "GATE CLOSED: staging is not fit to serve",
        "observability fail: the states only move forward: expected 1, observed 2; 2 more reasons",
        "1 fail, 1 error, 1 not run; examined 3 objects",
    ]
    assert [reason["check"] for reason in document["gate"]["reasons"]] == ["observability", "our_queue", "gateway_rbac"]


def test_a_restricted_run_does_not_claim_the_whole_environment() -> None:
    scope = Scope(tags=("gateway_rbac",), limit="probe")
    found = registered(PASSED)
    whole = report(found, scope=scope, required=("gateway_rbac", "observability"))
    part = report(found, scope=scope, required=("gateway_rbac", "observability"), selected_only=True)
    assert whole["gate"]["headline"][:2] == [
        "GATE CLOSED (partial: --tags gateway_rbac --limit probe): staging is not fit to serve",
        "observability not run: not selected by --tags gateway_rbac",
    ]
    assert part["gate"]["headline"][:2] == [
        "GATE OPEN (partial: --tags gateway_rbac --limit probe): staging holds in what was examined of it",
        "1 of 2 required checks hold; the others were not selected",
    ]
    assert (part["policy"]["required"], part["policy"]["judged"]) == (["gateway_rbac", "observability"], ["gateway_rbac"])


def test_an_open_gate_names_what_it_forgave() -> None:
    found = registered(PASSED, verdict_of("observability", "fail"), verdict_of("our_queue", "inconclusive"))
    document = report(found, required=("gateway_rbac", "observability"), waivers=[WAIVER], on_inconclusive="allow")
    assert document["gate"]["headline"][1] == (
        "2 of 2 required checks hold, observability by waiver; inconclusive, which this environment allows: our_queue"
    )
    assert report(registered(PASSED), required=())["gate"]["headline"][1] == "no check is required; none failed"


def test_an_empty_run_says_that_nothing_ran() -> None:
    document = report({}, required=())
    assert document["gate"]["open"] is False
    assert document["gate"]["headline"][1:] == ["inconclusive: no check of the environment passed", "no check ran; examined nothing"]


def test_checks_come_as_catalogued_then_by_name() -> None:
    found = [verdict_of(check, "pass") for check in ("zebra", "observability", "ant", "gateway_rbac")]
    assert list(by_id(report(registered(*found)))) == ["gateway_rbac", "observability", "ant", "zebra"]


def test_parts_keep_their_hosts_and_waivers_and_the_check_takes_as_long_as_its_slowest_host() -> None:
    parts = [verdict_of("observability", "fail", host=host) for host in ("a", "b", "b")]
    for part, duration in zip(parts, (500, 200, 400)):
        part["duration_ms"] = duration
    for part, second in zip(parts, ("30.500", "30.250", "31.000")):
        part["started"] = f"2030-11-21T11:59:{second}Z"
    document = report(registered(*parts), waivers=[WAIVER])
    check = by_id(document)["observability"]
    assert (check["status"], check["hosts"], check["duration_ms"]) == ("waived", ["a", "b"], 600)
    assert [(part["host"], part["status"], part["reason_code"]) for part in check["parts"]] == [
        ("a", "waived", "broken"),
        ("b", "waived", "broken"),
        ("b", "waived", "broken"),
    ]
    assert document["started"] == check["started"] == "2030-11-21T11:59:30.250Z"
    assert document["duration_ms"] == 29750
    assert check["would_fail"].startswith("a family missing")


@pytest.mark.parametrize("started", ["yesterday", None, "2030-11-21T11:00:00", "2999-01-01T00:00:00Z", 17])
def test_a_time_that_cannot_be_is_taken_for_now(started: Any) -> None:
    document = report(registered({**PASSED, "started": started, "duration_ms": "long", "evidence": ["a"]}))
    part = document["checks"][0]["parts"][0]
    assert (part["started"], part["duration_ms"], part["evidence"]) == ("2030-11-21T12:00:00.000Z", 0, {})


def test_a_host_that_kept_silent_makes_its_check_inconclusive() -> None:
    document = report(registered(PASSED), groups={"sidecar_probes": ("probe", "gone")})
    check = by_id(document)["gateway_rbac"]
    assert (check["status"], check["reason_code"]) == ("inconclusive", "host-without-result")
    assert "gone of group sidecar_probes" in check["reason"]
    assert document["gate"]["open"] is False


def test_a_check_without_result_says_what_it_would_have_failed_on() -> None:
    absent = report({}, groups={"sidecar_probes": ()})["not_run"]
    assert absent["gateway_rbac"]["required"] is True
    assert absent["gateway_rbac"]["reason"] == "no host in sidecar_probes"
    assert "without token" in absent["gateway_rbac"]["would_fail"]
    assert absent["observability"]["required"] is False


def test_next_actions_are_told_once_and_worst_first() -> None:
    waived = verdict_of("observability", "fail")
    control = Verdict("our_queue")
    control.expect("short", True, reason_code="long")
    control.control("seen", False, reason_code="unseen", action="Look elsewhere.")
    found = [verdict_of("trace_workflow", "skip"), verdict_of("audit_pii", "skip"), waived, control.to_dict()]
    found += [verdict_of("gateway_rbac", status) for status in ("fail", "error", "inconclusive")]
    actions = report(registered(*found), waivers=[WAIVER], required=("api_versioning",))["next_actions"]
    assert [(action["action"], action["status"], action["checks"]) for action in actions] == [
        ("Mend gateway_rbac.", "fail", ["gateway_rbac"]),
        ("Start the service.", "error", ["gateway_rbac"]),
        ("Name a host in sidecar_probes of the inventory.", "not_run", ["api_versioning"]),
        ("Send more.", "inconclusive", ["gateway_rbac"]),
        ("Look elsewhere.", "inconclusive", ["our_queue"]),
        ("Give tokens.", "skip", ["trace_workflow", "audit_pii"]),
        ("Mend observability.", "waived", ["observability"]),
    ]


def test_what_is_not_green_is_what_a_second_look_should_select() -> None:
    found = [PASSED, verdict_of("our_queue", "skip"), verdict_of("observability", "fail")]
    assert not_green(report(registered(*found), required=("api_versioning",))) == ["observability", "api_versioning", "our_queue"]
    assert not_green(report(registered(PASSED))) == []


def test_waivers_are_listed_with_what_became_of_them() -> None:
    unused = {**WAIVER, "assertion": "labels*", "ticket": "OPS-13"}
    refused = {**WAIVER, "expires": "2030-01-01", "ticket": "OPS-14"}
    document = report(
        registered(PASSED, verdict_of("observability", "fail")), waivers=[WAIVER, unused, refused], waivers_file="waivers.yml"
    )
    waivers = document["waivers"]
    assert [(waiver["id"], waiver["state"], waiver["covers"]) for waiver in waivers["in_force"]] == [
        ("OPS-12", "used", ["the states only move forward"]),
        ("OPS-13", "unused", []),
    ]
    assert [(refusal["position"], refusal["reason_code"]) for refusal in waivers["refused"]] == [(3, "waiver-expired")]
    assert document["gate"]["open"] is True


def test_the_terminal_shows_every_check_aligned_and_what_is_wrong_with_waivers() -> None:
    found = registered(PASSED, verdict_of("our_queue", "inconclusive"))
    problem = {"reason_code": "waivers-unreadable", "problem": "waivers.yml: No such file or directory", "action": "Correct it."}
    lines = terminal_lines(
        report(found, required=("gateway_rbac", "audit_pii"), waivers=[WAIVER, {}], waivers_problem=problem), "report: results/x"
    )
    assert lines[3:6] == [
        "pass          gateway_rbac  1 assertion holds; examined 3 objects",
        "inconclusive  our_queue     requests: 20 of 59 samples needed",
        "not run       audit_pii     no host in sidecar_gateways",
    ]
    assert lines[6].startswith("not run and not judged: preflight, trace_workflow, tenant_isolation")
    assert lines[7:] == [
        "waivers not read: waivers.yml: No such file or directory",
        "waiver unused: OPS-12 (observability)",
        "waiver refused: entry 2 (no ticket): it has no check and no assertion and no owner and no ticket and no reason and no expires",
        "report: results/x",
    ]


def test_long_reasons_are_shortened_on_the_terminal_only() -> None:
    verdict = Verdict("gateway_rbac")
    verdict.error("broken", "word " * 80)
    document = report(registered(verdict.to_dict()))
    assert len(document["checks"][0]["reason"]) > 300
    assert max(map(len, terminal_lines(document, ""))) < 200


def test_the_headline_names_some_of_many_kinds_of_objects() -> None:
    verdict = Verdict("gateway_rbac")
    verdict.expect("holds", True, reason_code="broken")
    for number in range(12):
        verdict.examine(f"kinds{number}", 1)
    document = report(registered(verdict.to_dict()))
    assert document["gate"]["headline"][2].endswith("1 kinds6, 1 kinds7, and 4 more kinds of objects")
    assert len(document["examined"]) == 12


def test_changes_since_the_previous_run_are_told() -> None:
    previous = [{"run_id": "x", "finished": "y", "open": False, "partial": False, "statuses": {"gateway_rbac": "fail"}, "metrics": {}}]
    assert report(registered(PASSED), previous=previous)["changes"] == [{"check": "gateway_rbac", "before": "fail", "now": "pass"}]


def test_scrubbing_makes_any_value_plain_and_secretless() -> None:
    secret = "s3cret-value-1234"
    deep: Any = secret
    for _level in range(60):
        deep = [deep]
    value = {secret: (1, True, None, 2.5, float("inf"), b"raw", f"a {secret}", {"nested": {secret}}), "lone": "\ud800", "deep": deep}
    plain = scrubbed(value, Redactor([secret]))
    text = json.dumps(plain, allow_nan=False)
    assert secret not in text
    text.encode()
    assert "nested deeper than shown" in text
    assert plain["lone"] == "?"
    assert plain[next(iter(plain))][:5] == [1, True, None, 2.5, "inf"]


def test_a_hostile_verdict_is_still_a_report() -> None:
    REPORT_1.validate(report(registered(hostile_verdict())))
