# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate: its rules one by one, and the laws that hold for any results."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.algebra import merge
from ansible_collections.hypergraph.sidecar.plugins.module_utils.catalog import CATALOG
from ansible_collections.hypergraph.sidecar.plugins.module_utils.gate import (
    NOT_RUN,
    WORST_FIRST,
    Decision,
    Policy,
    decide,
    reading_order,
)
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import STATUSES, Headline, Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.verdicts import CHECKS, law, verdict_of, verdicts

REQUIRED = Policy(required=("gateway_rbac",))

documents = st.lists(verdicts(), max_size=6)
policies = st.builds(Policy, st.lists(st.sampled_from(CHECKS), unique=True).map(tuple), st.sampled_from(("block", "allow")))


def gate(documents: list[dict[str, Any]], policy: Policy = REQUIRED, absences: dict[str, Headline] | None = None) -> Decision:
    return decide(merge(documents), policy, absences or {})


@pytest.mark.parametrize(
    ("skip_class", "required", "opens"),
    [
        ("dependency_missing", True, False),
        ("dependency_missing", False, True),
        ("disabled_by_config", True, True),
        ("not_applicable", True, True),
    ],
)
def test_a_part_that_lacks_its_dependency_is_no_green_of_a_required_check(skip_class: str, required: bool, opens: bool) -> None:
    part = Verdict("gateway_rbac")
    part.skip(skip_class, "tokens of one tenant only", "Add a second tenant's token.")
    policy = REQUIRED if required else Policy()
    decision = gate([verdict_of("gateway_rbac", "pass"), part.to_dict()], policy)
    assert decision.open is opens
    if not opens:
        assert decision.reasons[0].headline == Headline(
            "skip", "pass in part, not examined: tokens of one tenant only", "part-not-examined", "Add a second tenant's token."
        )


@pytest.mark.parametrize(
    ("status", "required", "on_inconclusive", "opens"),
    [
        ("pass", True, "block", True),
        ("skip", True, "block", False),
        ("inconclusive", True, "block", False),
        ("inconclusive", True, "allow", False),
        ("error", True, "allow", False),
        ("fail", True, "allow", False),
        ("pass", False, "block", True),
        ("skip", False, "block", True),
        ("inconclusive", False, "block", False),
        ("inconclusive", False, "allow", True),
        ("error", False, "allow", False),
        ("fail", False, "allow", False),
    ],
)
def test_what_a_status_does_to_the_gate(status: str, required: bool, on_inconclusive: str, opens: bool) -> None:
    policy = Policy(("observability", "gateway_rbac") if required else ("observability",), on_inconclusive)
    decision = gate([verdict_of("observability", "pass"), verdict_of("gateway_rbac", status)], policy)
    assert decision.open is opens
    assert [reason.check for reason in decision.reasons] == ([] if opens else ["gateway_rbac"])


def test_a_required_check_without_result_closes_the_gate_and_says_why() -> None:
    why = Headline(NOT_RUN, "no host in sidecar_probes", "group-empty", "Name a host.")
    told = gate([verdict_of("observability", "pass")], REQUIRED, {"gateway_rbac": why})
    untold = gate([verdict_of("observability", "pass")], REQUIRED)
    assert [reason.headline for reason in told.reasons] == [why]
    assert [(reason.check, reason.headline.reason_code) for reason in untold.reasons] == [("gateway_rbac", "no-result")]


def test_a_check_nobody_requires_may_be_absent() -> None:
    assert gate([verdict_of("gateway_rbac", "pass")], REQUIRED, {"observability": Headline(NOT_RUN, "not here")}).open


@pytest.mark.parametrize("documents", [[], [verdict_of("preflight", "pass")], [verdict_of("our_queue", "skip")]])
def test_a_run_that_passed_nothing_has_shown_nothing(documents: list[dict[str, Any]]) -> None:
    decision = gate(documents, Policy())
    assert [reason.headline.reason_code for reason in decision.reasons] == ["nothing-judged"]


def test_reasons_come_worst_first_then_as_catalogued() -> None:
    found = [
        verdict_of("our_queue", "fail"),
        verdict_of("api_versioning", "skip"),
        verdict_of("observability", "inconclusive"),
        verdict_of("trace_workflow", "fail"),
        verdict_of("audit_pii", "error"),
        verdict_of("zz_chaos", "fail", reason_code="revert-failed"),
    ]
    required = ("api_versioning", "gateway_rbac")
    assert [reason.check for reason in gate(found, Policy(required)).reasons] == [
        "zz_chaos",
        "trace_workflow",
        "our_queue",
        "audit_pii",
        "gateway_rbac",
        "observability",
        "api_versioning",
    ]


def test_checks_are_read_as_catalogued_then_by_name() -> None:
    catalogued = [check.id for check in CATALOG]
    assert sorted(["zebra", "ant", *reversed(catalogued)], key=reading_order) == [*catalogued, "ant", "zebra"]


def test_every_status_has_its_place() -> None:
    assert set(WORST_FIRST) == {*STATUSES, NOT_RUN}


@law
@given(documents, verdicts(), policies)
def test_a_verdict_that_is_not_a_pass_never_opens_the_gate(found: list[dict[str, Any]], more: dict[str, Any], policy: Policy) -> None:
    if not gate(found, policy).open and more["status"] != "pass":
        assert not gate([*found, more], policy).open


@law
@given(documents, st.sampled_from(CHECKS), policies)
def test_a_failure_always_closes_the_gate(found: list[dict[str, Any]], check: str, policy: Policy) -> None:
    assert not gate([*found, verdict_of(check, "fail")], policy).open


@law
@given(documents, policies)
def test_losing_what_a_required_check_said_never_opens_the_gate(found: list[dict[str, Any]], policy: Policy) -> None:
    for check in policy.required:
        assert not gate([document for document in found if document["check"] != check], policy).open


@law
@given(documents, policies, st.sampled_from(CHECKS))
def test_requiring_more_never_opens_the_gate(found: list[dict[str, Any]], policy: Policy, check: str) -> None:
    if not gate(found, policy).open:
        assert not gate(found, Policy((*policy.required, check), policy.on_inconclusive)).open


@law
@given(documents, policies)
def test_allowing_the_inconclusive_never_closes_the_gate(found: list[dict[str, Any]], policy: Policy) -> None:
    if gate(found, Policy(policy.required, "block")).open:
        assert gate(found, Policy(policy.required, "allow")).open


@law
@given(documents.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))), policies)
def test_order_of_results_does_not_matter(orders: tuple[list[dict[str, Any]], list[dict[str, Any]]], policy: Policy) -> None:
    one, other = (gate(found, policy) for found in orders)
    assert [(reason.check, reason.headline.status) for reason in one.reasons] == [
        (reason.check, reason.headline.status) for reason in other.reasons
    ]


@law
@given(documents, policies)
def test_an_open_gate_has_shown_what_it_claims(found: list[dict[str, Any]], policy: Policy) -> None:
    results = merge(found)
    if decide(results, policy, {}).open:
        assert all(results[check].status == "pass" for check in policy.required)
        assert any(result.records.assertions for check, result in results.items() if check != "preflight")
        assert not {result.status for result in results.values()} & {"fail", "error"}
