# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The laws of the verdict algebra, on random trees of results."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import FrozenInstanceError, replace
from functools import cache, reduce
from random import Random
from typing import Any, Union

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.algebra import CheckResult, join, merge, read
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import STATUSES, Records, Verdict, status_of

Document = dict[str, Any]
Tree = Union[Document, list["Tree"]]
Record = Callable[[Verdict], Any]


def recorded(method: str, *arguments: Any, **options: Any) -> Record:
    return lambda verdict: getattr(verdict, method)(*arguments, **options)


HOLDS = recorded("expect", "it holds", True, reason_code="broken")
FAILS = recorded("expect", "it fails", False, reason_code="broken", expected=1, observed=2)
PROVEN = recorded("control", "seen", True, reason_code="not-seen")
UNPROVEN = recorded("control", "seen", False, reason_code="not-seen")
ENOUGH = recorded("need", "requests", 59, 60)
TOO_FEW = recorded("need", "requests", 59, 20)
LATE = recorded("inconclusive", "deadline-exceeded", "too late")
BROKE = recorded("error", "check-crashed", "it broke")
SKIPPED = recorded("skip", "dependency_missing", "no tokens", "Give tokens.")
BLOCKED = recorded("skip", "blocked_by:preflight", "no host", "Name a host.")
LOOKED = recorded("examine", "objects", 3)
BLIND = recorded("examine", "objects", 0)
MEASURED = recorded("measure", "trace_complete_seconds", 0.25)
EVERY = (HOLDS, FAILS, PROVEN, UNPROVEN, ENOUGH, TOO_FEW, LATE, BROKE, SKIPPED, BLOCKED, LOOKED, BLIND, MEASURED)
# What a verdict may hold and pass: no adversity, but also nothing that makes it one.
HARMLESS = (HOLDS, PROVEN, ENOUGH, SKIPPED, LOOKED, MEASURED)

WAIVED = "waived"


@cache
def document_of(records: tuple[Record, ...], host: str = "", waived: bool = False) -> Document:
    verdict = Verdict("gateway_rbac", host=host)
    for record in records:
        record(verdict)
    document = verdict.to_dict()
    if waived:
        for assertion in document["assertions"]:
            assertion["waiver"] = "" if assertion["ok"] else "OPS-1"
    return document


def planted(seed: bytes) -> Tree:
    """A tree that grows from bytes, which is many times faster than to draw it part by part.

    A byte adds a record to the leaf at hand, or begins the next leaf, or opens or closes a branch; two of its bits are the leaf's host and
    waiver.
    """
    branches: list[list[Any]] = [[]]
    leaf: list[Record] = []
    for byte in seed:
        kind = byte % (len(EVERY) + 3)
        if kind < len(EVERY):
            leaf.append(EVERY[kind])
            continue
        if leaf or not branches[-1]:
            branches[-1].append(document_of(tuple(leaf), "ab"[byte >> 7], bool(byte & 64)))
            leaf = []
        if kind == len(EVERY):
            branches.append([])
            branches[-2].append(branches[-1])
        elif kind == len(EVERY) + 1 and len(branches) > 1:
            branches.pop()
    if leaf or not branches[-1]:
        branches[-1].append(document_of(tuple(leaf)))
    return branches[0]


trees = st.binary(max_size=20).map(planted)
documents = st.tuples(st.binary(max_size=5), st.booleans()).map(
    lambda drawn: document_of(tuple(EVERY[byte % len(EVERY)] for byte in drawn[0]), "ab"[drawn[1]], drawn[1])
)
record_lists = st.binary(min_size=1, max_size=6).map(lambda seed: tuple(EVERY[byte % len(EVERY)] for byte in seed))
harmless_lists = st.binary(max_size=4).map(lambda seed: tuple(HARMLESS[byte % len(HARMLESS)] for byte in seed))


def law(examples: int) -> Callable[[Any], Any]:
    # No deadline, since a busy machine is no reason for a law to be broken; no database, since the tests leave no file behind.
    return settings(max_examples=examples, deadline=None, database=None)


def leaves(tree: Tree) -> Iterator[Document]:
    if isinstance(tree, dict):
        yield tree
    else:
        for branch in tree:
            yield from leaves(branch)


def joined(tree: Tree) -> CheckResult:
    return read(tree) if isinstance(tree, dict) else reduce(join, map(joined, tree))


def worse(one: str, other: str) -> str:
    return max(one, other, key=STATUSES.index)


def everything_in(result: CheckResult) -> tuple[Any, ...]:
    """What a result says, whatever the order it came in."""
    kinds = ("assertions", "controls", "shortfalls", "errors", "skips")
    records = tuple(Counter(map(repr, getattr(result.records, kind))) for kind in kinds)
    return (
        result.check,
        result.title,
        records,
        dict(result.examined),
        dict(result.metrics),
        set(result.references),
        result.hosts,
        Counter(map(repr, result.parts)),
        result.status,
    )


@law(2500)
@given(trees, st.integers(0, 2**32))
def test_order_and_grouping_do_not_matter(tree: Tree, seed: int) -> None:
    shuffled = list(leaves(tree))
    Random(seed).shuffle(shuffled)
    assert everything_in(joined(tree)) == everything_in(merge(shuffled)["gateway_rbac"])


@law(2500)
@given(trees)
def test_the_status_of_the_whole_is_the_worst_of_its_parts(tree: Tree) -> None:
    """On the chain skip < pass < waived < inconclusive < error < fail; so a skipped part does not outweigh one that passed."""
    assert joined(tree).status == reduce(worse, (read(leaf).status for leaf in leaves(tree)))


@law(2000)
@given(trees, documents)
def test_more_evidence_never_makes_it_better(tree: Tree, more: Document) -> None:
    before, after = joined(tree), join(joined(tree), read(more))
    assert worse(before.status, after.status) == after.status
    if before.status == "skip" and after.status == "pass":
        assert after.records.skips[0].reason in after.headline.reason


@law(1500)
@given(trees, harmless_lists)
def test_a_retry_cures_nothing(tree: Tree, retried: tuple[Record, ...]) -> None:
    before = joined(tree).status
    assume(before in ("inconclusive", "error", "fail"))
    better = read(document_of((HOLDS, *retried)))
    assert better.status == "pass"
    assert join(joined(tree), better).status == join(better, joined(tree)).status == before


@law(1000)
@given(record_lists, st.sampled_from(EVERY), st.integers(0, 6))
def test_no_record_makes_what_was_recorded_better(records: tuple[Record, ...], one_more: Record, position: int) -> None:
    before = Verdict("gateway_rbac")
    for record in records:
        record(before)
    said = before.records
    assume(said.assertions or said.shortfalls or said.errors or said.skips)
    after = document_of((*records[:position], one_more, *records[position:]))
    assume(not (one_more is LOOKED and BLIND in records))  # counting up what was counted as zero is the same count, corrected
    assert worse(before.to_dict()["status"], after["status"]) == after["status"]


@law(400)
@given(harmless_lists, st.sampled_from((UNPROVEN, BLIND, BROKE, LATE, TOO_FEW, FAILS)))
def test_nothing_passes_beside_one_adversity(records: tuple[Record, ...], adversity: Record) -> None:
    assume(not (adversity is BLIND and LOOKED in records))
    assert document_of((*records, adversity))["status"] not in ("pass", "skip")
    assert document_of((adversity, *records))["status"] not in ("pass", "skip")


@pytest.mark.parametrize("records", [(), (PROVEN,), (ENOUGH,), (LOOKED,), (LOOKED, PROVEN, MEASURED), (BLIND,), (HOLDS, BLIND)])
def test_empty_is_not_pass(records: tuple[Record, ...]) -> None:
    document = document_of(records)
    assert (document["status"], document["reason_code"]) == ("inconclusive", "nothing-examined")
    assert read(document).status == "inconclusive"


def test_without_any_result_there_is_none() -> None:
    assert merge([]) == {}
    assert status_of(Records()) == "inconclusive"
    assert CheckResult("gateway_rbac", "").headline.reason == "nothing was recorded"


@law(1500)
@given(trees)
def test_a_waiver_turns_only_fail_into_waived(tree: Tree) -> None:
    bare = joined(tree).with_assertions(lambda assertion: replace(assertion, waiver=""))
    waived = bare.with_assertions(lambda assertion: replace(assertion, waiver="" if assertion.ok else "OPS-1"))
    adversities = replace(bare.records, assertions=tuple(a for a in bare.records.assertions if a.ok))
    if bare.status == "fail":
        others = adversities.errors or adversities.shortfalls or not all(control.ok for control in adversities.controls)
        assert waived.status == (status_of(adversities) if others else WAIVED)
    else:
        assert waived.status == bare.status
    if waived.status == WAIVED:
        assert waived.headline.reason.startswith("waived by OPS-1: ")


@law(800)
@given(documents)
def test_a_verdict_survives_being_written_and_read(document: Document) -> None:
    text = json.dumps(document, allow_nan=False)
    result = read(json.loads(text))
    assert everything_in(result) == everything_in(read(document))
    claimed = {name: document[name] for name in ("status", "reason", "reason_code", "action")}
    if not any(assertion["waiver"] for assertion in document["assertions"]):
        assert claimed == {name: getattr(result.headline, name) for name in claimed}
    assert len(result.records.shortfalls) == len(document["shortfalls"])


@law(200)
@given(documents, st.sampled_from(STATUSES))
def test_a_status_written_by_hand_is_not_believed(document: Document, claimed: str) -> None:
    assert read({**document, "status": claimed, "reason": "all is well"}).status == read(document).status


JUNK = (None, "", "false", 1, 0, -1, True, 1.5, float("nan"), [], ["x"], {}, {"x": 1}, [{}], [[]])
# What a document may lack or hold in another way without being another document.
FREE = (
    "status",
    "reason",
    "reason_code",
    "action",
    "title",
    "host",
    "check",
    "evidence",
    "started",
    "duration_ms",
    "references",
    "metrics",
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every member of a document, outermost first."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*path, name)
        yield from places(inner, (*path, name))


@law(1500)
@given(documents, st.integers(0, 10_000), st.sampled_from(JUNK))
def test_junk_anywhere_in_a_document_makes_an_error_or_no_difference(document: Document, position: int, junk: Any) -> None:
    broken = json.loads(json.dumps(document))
    everywhere = list(places(broken))
    path = everywhere[position % len(everywhere)]
    holder = reduce(lambda inner, name: inner[name], path[:-1], broken)
    usable = type(junk) is type(holder[path[-1]]) or (not junk and path == ("examined",)) or path[-1] in ("samples_needed", "samples_have")
    holder[path[-1]] = junk
    result = read(broken)
    assert result.parts == (broken,)
    if not (usable or path[0] in FREE or path[-1] in ("expected", "observed")):
        assert (result.status, result.headline.reason_code) == ("error", "verdict-unreadable")


@law(400)
@given(documents, st.integers(0, 10_000))
def test_what_is_missing_in_a_document_never_makes_it_better(document: Document, position: int) -> None:
    broken = json.loads(json.dumps(document))
    everywhere = [path for path in places(broken) if isinstance(path[-1], str) and path[-1] not in ("waiver", "examined", "objects")]
    path = everywhere[position % len(everywhere)]
    del reduce(lambda inner, name: inner[name], path[:-1], broken)[path[-1]]
    assert worse(read(document).status, read(broken).status) == read(broken).status or read(broken).status == "error"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": "verdict-2"}, "schema is 'verdict-2', expected 'verdict-1'"),
        ({"assertions": None}, "assertions is a NoneType, expected a list"),
        ({"errors": {}}, "errors is a dict, expected a list"),
        ({"assertions": ["none"]}, "must be a mapping"),
        ({"assertions": [{"name": "x", "ok": "false"}]}, "ok of a record is a str, expected bool"),
        ({"assertions": [{"name": "x", "ok": 1}]}, "ok of a record is a int, expected bool"),
        ({"assertions": [{"name": "x"}]}, "ok"),
        ({"assertions": [{"name": "x", "ok": True, "status": "pass"}]}, "status"),
        ({"skips": [{"skip_class": "bored", "reason": ""}]}, "skip class 'bored'"),
        ({"skips": [{"skip_class": 5, "reason": ""}]}, "skip class 5"),
        ({"shortfalls": [{"reason_code": "x", "reason": "y", "samples_have": "many"}]}, "samples_have"),
        ({"examined": {"objects": -1}}, "examined 'objects' is -1, expected a count"),
        ({"examined": {"objects": True}}, "examined 'objects' is True"),
        ({"examined": ["objects"]}, "examined is a list"),
        ({"metrics": {"x": float("inf")}}, "metrics 'x' is inf, expected a finite number"),
        ({"metrics": {"x": "1"}}, "metrics 'x' is '1'"),
        ({"references": "docs"}, "references is not a list of texts"),
        ({"references": [1]}, "references is not a list of texts"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_says_why(change: Mapping[str, Any], said: str) -> None:
    result = read({**document_of((HOLDS, LOOKED), host="web-1"), **change})
    assert (result.status, result.headline.reason_code) == ("error", "verdict-unreadable")
    assert said in result.headline.reason
    assert "gateway_rbac" in result.headline.reason
    assert (result.check, result.hosts) == ("gateway_rbac", ("web-1",))


@pytest.mark.parametrize("member", ["assertions", "controls", "shortfalls", "errors", "skips", "schema"])
def test_a_missing_list_is_an_error_that_names_it(member: str) -> None:
    result = read({name: value for name, value in document_of((HOLDS,)).items() if name != member})
    assert result.status == "error"
    assert member in result.headline.reason


def test_a_document_that_names_no_check_is_not_lost() -> None:
    result = merge([{}, {"check": "", "schema": "verdict-1"}])["unknown"]
    assert (result.status, len(result.records.errors), len(result.parts)) == ("error", 2, 2)


def test_results_of_different_checks_stay_apart() -> None:
    other = {**document_of((FAILS,)), "check": "observability"}
    results = merge([document_of((HOLDS,)), other, document_of((SKIPPED,))])
    assert {check: result.status for check, result in results.items()} == {"gateway_rbac": "pass", "observability": "fail"}
    with pytest.raises(ValueError, match="cannot merge gateway_rbac with observability"):
        join(results["gateway_rbac"], results["observability"])


def test_counts_add_up_and_the_larger_measurement_stands() -> None:
    first = document_of((HOLDS, LOOKED, recorded("measure", "a_seconds", 2.0)), host="b")
    second = document_of((HOLDS, LOOKED, recorded("examine", "routes", 2), recorded("measure", "a_seconds", 1)), host="a")
    result = merge([first, second])["gateway_rbac"]
    assert (result.examined, result.metrics, result.hosts) == ({"objects": 6, "routes": 2}, {"a_seconds": 2.0}, ("a", "b"))
    assert result.headline.reason == "2 assertions hold; examined 6 objects, 2 routes"


def test_a_host_that_saw_nothing_is_not_outvoted() -> None:
    assert merge([document_of((HOLDS, LOOKED)), document_of((HOLDS, BLIND))])["gateway_rbac"].status == "inconclusive"


def test_a_status_cannot_be_assigned() -> None:
    with pytest.raises((AttributeError, FrozenInstanceError)):
        read(document_of((FAILS,))).status = "pass"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Verdict("gateway_rbac", status="pass")  # type: ignore[call-arg]
