# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks declared in YAML: what their arguments come to, and what is said of arguments that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.declared import PROBLEM, record
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import Redactor
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict

CONDITIONS = {"it holds": True, "it does not": False}


def holds(condition: Any) -> bool:
    if isinstance(condition, bool):
        return condition
    if condition not in CONDITIONS:
        raise CheckError("condition-not-evaluable", f"{condition!r} is undefined", "Define it.")
    return CONDITIONS[condition]


def declared(**arguments: Any) -> dict[str, Any]:
    verdict = Verdict("queue_depth", Redactor(["s3cret-value-1234"]))
    record(verdict, {"check": "queue_depth", **arguments}, holds)
    return verdict.to_dict()


def test_everything_declared_is_in_the_verdict() -> None:
    document = declared(
        title="The queue is short",
        references=["https://wiki.example.org/queues"],
        examined={"queues": "2"},
        metrics={"depth_jobs": "17.5"},
        evidence={"answer": "token s3cret-value-1234"},
        assertions=[{"name": "short", "that": "it holds", "expected": 1, "observed": {"depth": 1}}],
        controls=[{"name": "reachable", "that": True}],
        needs=[{"what": "polls", "samples": "3", "have": 3}],
    )
    assert document["status"] == "pass"
    assert document["title"] == "The queue is short"
    assert document["references"] == ["https://wiki.example.org/queues"]
    assert document["examined"] == {"queues": 2}
    assert document["metrics"] == {"depth_jobs": 17.5}
    assert "s3cret" not in str(document["evidence"])
    assert document["assertions"][0]["observed"] == {"depth": 1}
    assert document["controls"][0]["ok"] is True


def test_all_conditions_of_an_assertion_must_hold() -> None:
    document = declared(
        assertions=[{"name": "both", "that": ["it holds", "it does not"], "reason_code": "queue-too-long", "action": "Add."}]
    )
    failed = document["assertions"][0]
    assert (document["status"], document["reason_code"], document["action"]) == ("fail", "queue-too-long", "Add.")
    assert (failed["expected"], failed["observed"]) == ("it holds and it does not", "false: it does not")


def test_a_failure_without_a_code_has_one_all_the_same() -> None:
    assert declared(assertions=[{"name": "short", "that": "it does not"}])["reason_code"] == "assertion-does-not-hold"


def test_a_control_that_does_not_hold_makes_it_inconclusive() -> None:
    document = declared(assertions=[{"name": "short", "that": True}], controls=[{"name": "seen", "that": False, "reason_code": "unseen"}])
    assert (document["status"], document["reason_code"]) == ("inconclusive", "unseen")


def test_a_condition_that_cannot_be_evaluated_is_an_error_and_the_others_count() -> None:
    document = declared(assertions=[{"name": "short", "that": "nonesuch > 1"}, {"name": "read", "that": "it holds"}])
    assert (document["status"], document["reason_code"]) == ("error", "condition-not-evaluable")
    assert document["reason"] == "short: 'nonesuch > 1' is undefined"
    assert [assertion["name"] for assertion in document["assertions"]] == ["read"]


def test_an_entry_whose_templates_cannot_be_filled_in_is_an_error() -> None:
    document = declared(assertions=[{"name": "short", PROBLEM: "'queue' is undefined"}])
    assert (document["status"], document["reason"]) == ("error", "short: 'queue' is undefined")


@pytest.mark.parametrize("arguments", [{}, {"assertions": []}, {"assertions": [{"name": "a", "that": True}], "examined": {"queues": 0}}])
def test_nothing_looked_at_is_not_a_pass(arguments: dict[str, Any]) -> None:
    assert declared(**arguments)["reason_code"] == "nothing-examined"


def test_too_few_samples_are_inconclusive() -> None:
    document = declared(
        assertions=[{"name": "a", "that": True}], needs=[{"what": "polls", "samples": 3, "have": 2, "action": "Poll more."}]
    )
    assert (document["status"], document["action"]) == ("inconclusive", "Poll more.")
    assert document["shortfalls"][0]["samples_needed"] == 3


def test_a_skip_says_what_is_absent() -> None:
    document = declared(skip={"class": "blocked_by:preflight", "reason": "no host", "action": "Name one."})
    assert (document["status"], document["reason_code"]) == ("skip", "blocked_by:preflight")


@pytest.mark.parametrize("empty", [None, {}, ""])
def test_an_empty_skip_is_none(empty: Any) -> None:
    assert declared(skip=empty, assertions=[{"name": "a", "that": True}])["status"] == "pass"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"asertions": []}, "unknown fields asertions"),
        ({"assertions": {"name": "a", "that": True}}, "assertions is a dict, expected a list"),
        ({"assertions": ["it holds"]}, "an entry of assertions is a str"),
        ({"assertions": [{"that": True}]}, "has no name"),
        ({"assertions": [{"name": "a"}]}, "'a' has no that"),
        ({"assertions": [{"name": "a", "that": []}]}, "'a' has no that"),
        ({"assertions": [{"name": "a", "that": 3}]}, "that of 'a' is not a condition"),
        ({"assertions": [{"name": "a", "that": ["it holds", " "]}]}, "that of 'a' is not a condition"),
        ({"assertions": [{"name": "a", "that": True, "resaon": "b"}]}, "unknown fields resaon"),
        ({"assertions": [{"name": "a", "that": True, "reason_code": "Too Long"}]}, "reason_code of 'a' is 'Too Long'"),
        ({"examined": {"queues": "many"}}, "examined 'queues' is 'many'"),
        ({"examined": {"queues": -1}}, "examined 'queues' is -1"),
        ({"examined": {"queues": True}}, "examined 'queues' is True"),
        ({"examined": ["queues"]}, "examined is a list"),
        ({"metrics": {"depth": "deep"}}, "metric 'depth' is 'deep'"),
        ({"metrics": {"depth": "inf"}}, "metric 'depth' is 'inf'"),
        ({"metrics": {"depth": False}}, "metric 'depth' is False"),
        ({"needs": [{"what": "polls", "samples": 3}]}, "needs 'polls' has no have"),
        ({"skip": {"class": "bored", "reason": "a", "action": "b"}}, "'bored'"),
        ({"skip": {"class": "not_applicable", "reason": "a"}}, "skip has no action"),
    ],
)
def test_an_argument_that_cannot_be_read_is_named(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(CheckError) as fault:
        declared(**arguments)
    assert fault.value.reason_code == "bad-argument"
    assert says in fault.value.reason
