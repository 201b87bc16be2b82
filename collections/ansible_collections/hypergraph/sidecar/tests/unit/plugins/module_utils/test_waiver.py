# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: what a file may say, what is refused and why, and that a waiver can only ever accept a failure."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.algebra import merge, read
from ansible_collections.hypergraph.sidecar.plugins.module_utils.catalog import CATALOG
from ansible_collections.hypergraph.sidecar.plugins.module_utils.gate import Policy, decide
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import STATUSES
from ansible_collections.hypergraph.sidecar.plugins.module_utils.waiver import Waiver, WaiverProblem, judge, lay, load, used_by
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.verdicts import CHECKS, law, verdict_of, verdicts

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
ENTRY = {
    "check": "observability",
    "assertion": "buckets *",
    "owner": "ada",
    "ticket": "OPS-12",
    "reason": "the histogram is being reworked",
    "expires": "2026-12-10",
}


def judged(*entries: Any, now: datetime = NOW) -> Any:
    return judge(entries, now=now, known_checks=[*CHECKS, "audit_pii"])


def in_force(**changes: str) -> Waiver:
    waivers = judged({**ENTRY, **changes})
    assert waivers.refused == ()
    return waivers.in_force[0]


waivers = st.lists(
    st.builds(
        Waiver,
        check=st.sampled_from(CHECKS),
        assertion=st.sampled_from(("*", "the states*", "buckets straddle the SLO", "nothing")),
        owner=st.just("ada"),
        ticket=st.just("OPS-12"),
        reason=st.just("known"),
        expires=st.just(NOW),
        id=st.sampled_from(("OPS-12", "OPS-13")),
    ),
    max_size=4,
)


def test_a_complete_entry_is_in_force_until_the_first_instant_of_its_date() -> None:
    waiver = in_force()
    assert (waiver.expires, waiver.id) == (datetime(2026, 12, 10, tzinfo=timezone.utc), "OPS-12")
    assert in_force(id="histogram").id == "histogram"


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        *(pytest.param({name: None}, "waiver-malformed", name, id=f"no-{name}") for name in ENTRY),
        pytest.param({"owner": ""}, "waiver-malformed", "owner", id="empty-owner"),
        pytest.param({"expire": "2026-12-10"}, "waiver-malformed", "unknown fields: expire", id="misspelt-field"),
        pytest.param({"ticket": 12}, "waiver-malformed", "ticket is a int", id="number-for-text"),
        pytest.param({"reason": ["a", "b"]}, "waiver-malformed", "reason is a list", id="list-for-text"),
        pytest.param({"check": "observabilty"}, "waiver-unknown-check", "'observabilty'", id="unknown-check"),
        pytest.param({"check": "tenant_isolation"}, "waiver-not-allowed", "tenant_isolation", id="tenant-isolation"),
        pytest.param({"check": "audit_pii"}, "waiver-not-allowed", "audit_pii", id="audit-pii"),
        pytest.param({"expires": "2026-11-21"}, "waiver-expired", "2026-11-21", id="today-began-already"),
        pytest.param({"expires": "2026-11-21T12:00:00Z"}, "waiver-expired", "2026-11-21T12:00:00Z", id="this-instant"),
        pytest.param({"expires": "2026-11-21T13:00:00+02:00"}, "waiver-expired", "+02:00", id="past-in-utc"),
        pytest.param({"expires": "2026-12-21T12:00:01Z"}, "waiver-too-long", "30 days", id="a-second-too-long"),
        pytest.param({"expires": "9999-12-31T23:59:59-23:00"}, "waiver-too-long", "9999", id="beyond-the-calendar"),
        pytest.param({"expires": "2026-12-01T00:00:00"}, "waiver-malformed", "no time zone", id="no-zone"),
        pytest.param({"expires": "soon"}, "waiver-malformed", "'soon' is not a time", id="no-time"),
        pytest.param({"expires": "2026-02-30"}, "waiver-malformed", "is not a time", id="no-such-day"),
    ],
)
def test_what_is_wrong_is_refused_and_named(changes: dict[str, Any], code: str, says: str) -> None:
    entry = {name: value for name, value in {**ENTRY, **changes}.items() if value is not None}
    waivers = judged(entry)
    assert waivers.in_force == ()
    refusal = waivers.refused[0]
    assert (refusal.position, refusal.reason_code) == (1, code)
    assert says in refusal.problem
    assert refusal.action


@pytest.mark.parametrize("entry", ["observability", None, 3, ["a"]])
def test_an_entry_that_is_no_waiver_is_refused(entry: Any) -> None:
    waivers = judged(ENTRY, entry)
    assert [refusal.position for refusal in waivers.refused] == [2]
    assert len(waivers.in_force) == 1


def test_checks_that_must_not_be_waived_cannot_be() -> None:
    locked = [check.id for check in CATALOG if not check.waivable]
    assert {"tenant_isolation", "audit_pii"} <= set(locked)
    waivers = judge([{**ENTRY, "check": check} for check in locked], now=NOW, known_checks=locked)
    assert waivers.in_force == ()


@law
@given(st.timedeltas(timedelta(days=-400), timedelta(days=400)), st.integers(-14, 14))
def test_a_waiver_is_in_force_for_the_thirty_days_before_its_end(ahead: timedelta, offset: int) -> None:
    zone = timezone(timedelta(hours=offset))
    waivers = judged({**ENTRY, "expires": (NOW + ahead).astimezone(zone).isoformat()})
    assert bool(waivers.in_force) is (timedelta(0) < ahead <= timedelta(days=30))


def test_a_file_keeps_its_times_as_written(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yml"
    path.write_text("- {check: observability, assertion: '*', owner: a, ticket: b, reason: c, expires: 2026-12-10T01:00:00+02:00}\n")
    assert load(path)[0]["expires"] == "2026-12-10T01:00:00+02:00"


@pytest.mark.parametrize("content", ["", "# none yet\n", "[]\n"])
def test_an_empty_file_holds_no_waivers(tmp_path: Path, content: str) -> None:
    path = tmp_path / "waivers.yml"
    path.write_text(content)
    assert load(path) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"- {check: [}\n", "line 1", id="not-yaml"),
        pytest.param(b"check: observability\n", "holds a dict, expected a list", id="mapping"),
        pytest.param(b"\xff\xfe\x00", "not YAML", id="binary"),
        pytest.param(b"- assertion: *\n", "line 1", id="unquoted-star"),
        pytest.param(b"- !!python/object/apply:os.system ['true']\n", "line 1", id="python-object"),
        pytest.param(b"[" * 1500, "not YAML", id="too-deep"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "waivers.yml"
    path.write_bytes(content)
    with pytest.raises(WaiverProblem) as problem:
        load(path)
    assert says in problem.value.problem
    assert "waivers.yml" in problem.value.problem


def test_a_missing_file_is_a_problem_and_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(WaiverProblem, match="No such file"):
        load(tmp_path / "waivers.yml")


def test_an_alias_bomb_is_refused_without_being_unrolled(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yml"
    rows = ["a0: &a0 [lol]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    path.write_text("- {" + ", ".join(rows) + "}\n- {check: observability, assertion: *a11}\n")
    assert {refusal.reason_code for refusal in judged(*load(path)).refused} == {"waiver-malformed"}


def test_only_the_assertions_it_names_are_covered() -> None:
    result = merge(
        [
            verdict_of("observability", "fail", name="buckets straddle the SLO"),
            verdict_of("observability", "fail", name="labels stay bounded"),
        ]
    )["observability"]
    laid = lay([in_force()], result)
    assert {item.name: item.waiver for item in laid.records.assertions} == {"buckets straddle the SLO": "OPS-12", "labels stay bounded": ""}
    assert laid.status == "fail"
    assert lay([in_force(assertion="*")], result).status == "waived"
    assert used_by(in_force(), {"observability": result}) == ("buckets straddle the SLO",)
    assert used_by(in_force(), {}) == ()


def test_what_holds_needs_no_waiver() -> None:
    result = read(verdict_of("observability", "pass"))
    assert lay([in_force(assertion="*")], result) == result
    assert used_by(in_force(assertion="*"), {"observability": result}) == ()


def test_case_and_other_checks_are_not_covered() -> None:
    result = read(verdict_of("gateway_rbac", "fail", name="buckets straddle the SLO"))
    assert lay([in_force()], result).status == "fail"
    assert lay([in_force(assertion="BUCKETS *")], read(verdict_of("observability", "fail", name="buckets a"))).status == "fail"


@pytest.mark.parametrize("status", ["error", "inconclusive", "skip"])
def test_nothing_but_a_failure_is_waived(status: str) -> None:
    assert lay([in_force(assertion="*")], read(verdict_of("observability", status))).status == status


def test_a_fault_left_behind_is_never_waived() -> None:
    result = read(verdict_of("observability", "fail", name="buckets are back", reason_code="revert-failed"))
    assert lay([in_force(assertion="*")], result).status == "fail"


def test_what_a_task_claims_of_waivers_is_dropped() -> None:
    document = verdict_of("observability", "fail")
    document["assertions"][0]["waiver"] = "OPS-99"
    assert read(document).status == "waived"
    assert lay([], read(document)).status == "fail"


@law
@given(verdicts(), waivers)
def test_a_waiver_turns_failures_to_waived_and_nothing_else(document: dict[str, Any], in_force: list[Waiver]) -> None:
    before = read(document)
    after = lay(in_force, before)
    assert STATUSES.index(after.status) <= STATUSES.index(before.status)
    if before.status != "fail":
        assert after.status == before.status
    assert after.status != "pass" or before.status == "pass"
    assert lay(in_force, after) == after


@law
@given(st.lists(verdicts(), max_size=6), waivers, st.lists(st.sampled_from(CHECKS), unique=True))
def test_a_waiver_never_closes_an_open_gate(found: list[dict[str, Any]], in_force: list[Waiver], required: list[str]) -> None:
    results = merge(found)
    policy = Policy(tuple(required))
    laid = {check: lay(in_force, result) for check, result in results.items()}
    if decide(results, policy, {}).open:
        assert decide(laid, policy, {}).open


@law
@given(st.lists(verdicts(), max_size=6), st.lists(st.fixed_dictionaries({"check": st.sampled_from([*CHECKS, "audit_pii"])}), max_size=4))
def test_a_check_that_must_not_be_waived_stays_as_red_as_it_was(found: list[dict[str, Any]], entries: list[dict[str, str]]) -> None:
    waivers = judged(*({**ENTRY, "assertion": "*", **entry} for entry in entries))
    for check, result in merge(found).items():
        if check in ("tenant_isolation", "preflight"):
            assert lay(waivers.in_force, result).status == result.status
