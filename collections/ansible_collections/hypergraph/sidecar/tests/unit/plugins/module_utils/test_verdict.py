# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a verdict records, derives and says of itself."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.redaction import Redactor
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import REVERT_FAILED, SKIP_CLASSES, Assertion, Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.leaks import leaks, texts_in

TOKEN = "hg.Zq8-_v3~A/b+c9K1m2n3p4Q5r6s7"


def said(verdict: Verdict) -> tuple[str, str, str, str]:
    document = verdict.to_dict()
    return document["status"], document["reason"], document["reason_code"], document["action"]


def test_a_failing_assertion_is_the_headline() -> None:
    verdict = Verdict("gateway_rbac")
    assert verdict.expect("first", True, reason_code="one", reason="unseen", action="unseen") is True
    assert verdict.expect("second", False, reason_code="two", expected=[403], observed=200, action="Mend it.") is False
    assert verdict.expect("third", False, reason_code="three", reason="it is bad") is False
    assert said(verdict) == ("fail", "second: expected [403], observed 200 (+1 more)", "two", "Mend it.")
    assert verdict.failed


def test_what_holds_keeps_its_reason_to_itself() -> None:
    verdict = Verdict("gateway_rbac")
    verdict.expect("first", True, reason_code="one", reason="unseen", action="unseen", observed=200)
    assert not verdict.failed
    (assertion,) = verdict.records.assertions
    assert assertion == Assertion("first", True, None, 200)


def test_a_reason_of_its_own_comes_before_the_comparison() -> None:
    verdict = Verdict("gateway_rbac")
    verdict.expect("first", False, reason_code="one", reason="it is bad", observed=1)
    assert said(verdict)[1] == "it is bad"


def test_a_pass_says_what_it_rests_on() -> None:
    verdict = Verdict("gateway_rbac")
    verdict.expect("first", True, reason_code="one")
    verdict.control("seen", True, reason_code="not-seen")
    verdict.examine("routes", 3)
    verdict.examine("routes", 2)
    verdict.examine("cells", 1)
    verdict.skip("not_applicable", "the moon", "Wait.")
    assert said(verdict) == ("pass", "1 assertion holds, 1 control held; examined 5 routes, 1 cells; not examined: the moon", "", "")


def test_a_control_that_does_not_hold_makes_it_inconclusive() -> None:
    verdict = Verdict("gateway_rbac")
    verdict.expect("first", True, reason_code="one")
    assert verdict.control("seen", False, reason_code="not-seen", expected="one", observed="none", action="Look.") is False
    assert said(verdict) == ("inconclusive", "seen: expected one, observed none", "not-seen", "Look.")


def test_too_few_samples_say_how_many_are_missing() -> None:
    verdict = Verdict("slo_adherence")
    assert verdict.need("requests", 59, 59) is True
    assert verdict.records.shortfalls == ()
    assert verdict.need("requests", 59, 20, action="Send 39 more.") is False
    assert said(verdict) == ("inconclusive", "requests: 20 of 59 samples needed", "too-few-samples", "Send 39 more.")
    (shortfall,) = verdict.to_dict()["shortfalls"]
    assert (shortfall["samples_needed"], shortfall["samples_have"]) == (59, 20)


@pytest.mark.parametrize("skip_class", [*SKIP_CLASSES, "blocked_by:preflight"])
def test_a_skip_names_its_class(skip_class: str) -> None:
    verdict = Verdict("gateway_rbac")
    verdict.skip(skip_class, "no tokens", "Give tokens.")
    assert said(verdict) == ("skip", "no tokens", skip_class, "Give tokens.")


@pytest.mark.parametrize("skip_class", ["", "bored", "blocked_by"])
def test_an_unknown_skip_class_is_refused(skip_class: str) -> None:
    with pytest.raises(ValueError, match="skip class"):
        Verdict("gateway_rbac").skip(skip_class, "no tokens", "Give tokens.")


def test_a_revert_that_failed_is_told_first() -> None:
    verdict = Verdict("chaos_recovery")
    verdict.expect("recovered", False, reason_code="not-recovered")
    verdict.expect("reverted", False, reason_code=REVERT_FAILED, reason="the fault is still in")
    assert said(verdict)[1:3] == ("the fault is still in (+1 more)", REVERT_FAILED)


@pytest.mark.parametrize(("scopes", "reason"), [({"b": 0, "a": 0, "c": 1}, "0 a, b examined"), ({}, "0 objects examined")])
def test_nothing_examined_is_said_once_however_often_it_is_closed(scopes: dict[str, int], reason: str) -> None:
    verdict = Verdict("gateway_rbac")
    for unit, count in scopes.items():
        verdict.examine(unit, count)
    once = verdict.records.closed(verdict.examined)
    assert once.closed(verdict.examined) == once
    assert [shortfall.reason for shortfall in once.shortfalls] == [reason]
    assert said(verdict)[1] == reason


@pytest.mark.parametrize("reason", ["several\nlines\tand   spaces", "a list of offenders: " + "x, " * 1000])
def test_a_reason_is_one_line_of_bounded_length(reason: str) -> None:
    verdict = Verdict("gateway_rbac")
    verdict.error("broken", reason)
    verdict.expect("offenders", False, reason_code="one", observed=[reason] * 60)
    for text in (said(verdict)[1], verdict.to_dict()["errors"][0]["reason"]):
        assert text.isprintable()
        assert len(text) < 560


def test_control_characters_of_a_service_do_not_reach_a_terminal() -> None:
    verdict = Verdict("gateway_rbac")
    verdict.error("broken", "\x1b[2J\x1b]0;owned\x07 all is well \u202e\x9b31m")
    assert said(verdict)[1] == "\ufffd[2J\ufffd]0;owned\ufffd all is well \ufffd\ufffd31m"


def test_a_secret_with_white_space_is_found_however_it_is_wrapped() -> None:
    verdict = Verdict("gateway_rbac", Redactor(["correct horse battery"]))
    verdict.error("broken", "the password is correct\n   horse battery")
    assert "horse" not in said(verdict)[1]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_measurement_is_a_number(value: float) -> None:
    verdict = Verdict("gateway_rbac")
    with pytest.raises(ValueError, match="x_seconds is"):
        verdict.measure("x_seconds", value)
    verdict.measure("x_seconds", 1.5)
    assert verdict.to_dict()["metrics"] == {"x_seconds": 1.5}


def test_evidence_adds_up_and_is_copied() -> None:
    verdict = Verdict("gateway_rbac")
    seen = {"ids": [1]}
    verdict.record(first=seen, second=2)
    verdict.record(second=3)
    seen["ids"].append(2)
    assert verdict.to_dict()["evidence"] == {"first": {"ids": [1]}, "second": 3}


def test_the_document_names_check_title_runbook_and_time() -> None:
    document = Verdict("gateway_rbac", host="web-1").to_dict()
    assert (document["schema"], document["check"], document["host"]) == ("verdict-1", "gateway_rbac", "web-1")
    assert document["title"] == "Every route asks for the scope it should, and a deny changes nothing"
    assert document["references"] == ["docs/runbooks/checks.md#gateway_rbac"]
    assert datetime.fromisoformat(document["started"].replace("Z", "+00:00")).utcoffset() is not None
    assert document["duration_ms"] >= 0


def test_a_check_of_a_team_has_its_own_title_and_references() -> None:
    document = Verdict("our_queue", title="The queue drains", references=["docs/ours.md"]).to_dict()
    assert (document["title"], document["references"]) == ("The queue drains", ["docs/ours.md"])
    assert (Verdict("our_queue").to_dict()["title"], Verdict("our_queue").to_dict()["references"]) == ("our_queue", [])


def test_no_secret_enters_by_any_door() -> None:
    """Every text that a caller hands over, which may quote what an examined service said."""
    secret = f"<{TOKEN}>"
    inner: Any = {"list": [secret, {secret: [secret, 1]}], secret: secret}
    verdict = Verdict("our_queue", Redactor([TOKEN]), title=secret, host=secret, references=[secret])
    for record in (verdict.expect, verdict.control):
        for ok in (True, False):
            record(secret, ok, reason_code="broken", expected=inner, observed=secret, reason=secret, action=secret)
    verdict.need(secret, 2, 1, action=secret)
    verdict.inconclusive("late", secret, secret)
    verdict.error("broken", secret, secret)
    verdict.skip("not_applicable", secret, secret)
    verdict.examine(secret, 1)
    verdict.record(**{"seen": inner, secret: inner})
    verdict.measure(secret, 1.0)
    document = verdict.to_dict()
    found = [text for text in texts_in(document) if leaks(text, TOKEN)]
    assert not found
    assert json.dumps(document).count("[redacted ") > 30


def test_a_secret_learnt_late_is_kept_out_from_then_on() -> None:
    verdict = Verdict("our_queue")
    verdict.redactor.learn([TOKEN])
    verdict.error("broken", f"it said {TOKEN}")
    assert TOKEN not in json.dumps(verdict.to_dict())
