# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules: for each a document that breaks it and a near miss that does not, and hostile documents that must not break them."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.hif.adapter import to_public
from ansible_collections.hypergraph.sidecar.plugins.module_utils.hif.rules import MAX_SAFE_INTEGER, RULES, SHOWN, Hypergraph, findings
from ansible_collections.hypergraph.sidecar.plugins.module_utils.hif.schema import hif_violations, profile_violations

UNDIRECTED = {
    "network-type": "undirected",
    "nodes": [{"node": "a", "weight": 1.0, "attrs": {"kind": "sentence"}}, {"node": "b"}],
    "edges": [{"edge": "e", "weight": 0.5}],
    "incidences": [{"edge": "e", "node": "a", "weight": 0.25}, {"edge": "e", "node": "b"}],
}
DIRECTED = {
    "network-type": "directed",
    "nodes": [{"node": 1}, {"node": 2}],
    "edges": [{"edge": 7}],
    "incidences": [{"edge": 7, "node": 1, "direction": "tail"}, {"edge": 7, "node": 2, "direction": "head"}],
}


def changed(document, *changes):
    """The document with members replaced: each change is a path and a value, and a path that ends in "+" appends."""
    result = copy.deepcopy(document)
    for *path, last, value in changes:
        place = result
        for step in path:
            place = place[step]
        if last == "+":
            place.append(value)
        else:
            place[last] = value
    return result


def broken(document):
    return {finding.rule.reason_code: finding.count for finding in findings(Hypergraph.read(document)) if not finding.ok}


VIOLATIONS = [
    ("hif-empty", changed(UNDIRECTED, ("nodes", []), ("edges", []), ("incidences", [])), 3),
    ("hif-duplicate-id", changed(UNDIRECTED, ("nodes", "+", {"node": "a"})), 1),
    ("hif-duplicate-id", changed(UNDIRECTED, ("edges", "+", {"edge": "e", "weight": 0.1})), 1),
    ("hif-mixed-id-types", changed(UNDIRECTED, ("nodes", "+", {"node": 3})), 1),
    ("hif-mixed-id-types", changed(UNDIRECTED, ("edges", "+", {"edge": 3})), 1),
    ("hif-mixed-id-types", changed(DIRECTED, ("incidences", 0, "node", "1")), 1),
    ("hif-id-unusable", changed(UNDIRECTED, ("nodes", "+", {"node": ""})), 1),
    ("hif-id-unusable", changed(DIRECTED, ("nodes", "+", {"node": MAX_SAFE_INTEGER + 1})), 1),
    ("hif-dangling-node", changed(UNDIRECTED, ("incidences", 0, "node", "ghost")), 1),
    ("hif-dangling-edge", changed(UNDIRECTED, ("incidences", 0, "edge", "ghost")), 1),
    ("hif-duplicate-incidence", changed(UNDIRECTED, ("incidences", "+", {"edge": "e", "node": "b", "weight": 0.9})), 1),
    ("hif-duplicate-incidence", changed(DIRECTED, ("incidences", "+", {"edge": 7, "node": 2, "direction": "head"})), 1),
    ("hif-weight-not-finite", changed(UNDIRECTED, ("incidences", 0, "weight", float("inf"))), 1),
    ("hif-weight-not-finite", changed(UNDIRECTED, ("nodes", 0, "weight", float("nan"))), 1),
    ("hif-weight-not-finite", changed(UNDIRECTED, ("edges", 0, "weight", 10**400)), 1),
    ("hif-direction-missing", changed(DIRECTED, ("incidences", 0, {"edge": 7, "node": 1})), 1),
    ("hif-direction-missing", changed(DIRECTED, ("incidences", 0, "direction", "head")), 1),
    ("hif-direction-missing", changed(DIRECTED, ("incidences", 1, "direction", "tail")), 1),
    ("hif-direction-unexpected", changed(UNDIRECTED, ("incidences", 0, "direction", "head")), 1),
    ("hif-direction-unexpected", changed(UNDIRECTED, ("network-type", "asc"), ("incidences", 0, "direction", "tail")), 1),
]
NEAR_MISSES = [
    ("hif-empty", changed(UNDIRECTED, ("nodes", "+", {"node": "isolated"}))),
    ("hif-duplicate-id", changed(UNDIRECTED, ("nodes", "+", {"node": "e"}))),
    ("hif-duplicate-id", changed(UNDIRECTED, ("nodes", "+", {"node": "A"}))),
    ("hif-mixed-id-types", changed(DIRECTED, ("edges", 0, "edge", "x"), ("incidences", 0, "edge", "x"), ("incidences", 1, "edge", "x"))),
    ("hif-mixed-id-types", changed(DIRECTED, ("nodes", 0, "node", 1.0))),
    ("hif-id-unusable", changed(UNDIRECTED, ("nodes", "+", {"node": " "}))),
    ("hif-id-unusable", changed(DIRECTED, ("nodes", "+", {"node": -MAX_SAFE_INTEGER}))),
    ("hif-dangling-node", changed(DIRECTED, ("incidences", 0, "node", 1.0))),
    ("hif-dangling-edge", changed(UNDIRECTED, ("edges", "+", {"edge": "unused"}))),
    ("hif-duplicate-incidence", changed(DIRECTED, ("incidences", "+", {"edge": 7, "node": 2, "direction": "tail"}))),
    ("hif-weight-not-finite", changed(UNDIRECTED, ("edges", 0, "weight", -1.7e308))),
    ("hif-weight-not-finite", changed(UNDIRECTED, ("edges", 0, "weight", 10**300))),
    ("hif-direction-missing", changed(DIRECTED, ("edges", "+", {"edge": 8}))),
    ("hif-direction-unexpected", changed(UNDIRECTED, ("incidences", 0, "attrs", {"direction": "head"}))),
]


@pytest.mark.parametrize(("reason_code", "document", "count"), VIOLATIONS)
def test_a_violation_is_found_by_its_own_rule_and_no_other(reason_code, document, count):
    assert broken(document) == {reason_code: count}


@pytest.mark.parametrize(("reason_code", "document"), NEAR_MISSES)
def test_a_near_miss_is_valid(reason_code, document):
    assert reason_code in {rule.reason_code for rule in RULES}
    assert not broken(document)
    assert not hif_violations(document)


def test_every_rule_has_a_violation_and_a_near_miss():
    codes = {rule.reason_code for rule in RULES}
    assert codes == {row[0] for row in VIOLATIONS} == {row[0] for row in NEAR_MISSES}


@pytest.mark.parametrize(("document", "not_judged"), [(UNDIRECTED, "hif-direction-missing"), (DIRECTED, "hif-direction-unexpected")])
def test_direction_rules_follow_the_network_type(document, not_judged):
    assert {rule.reason_code for rule in RULES} - {f.rule.reason_code for f in findings(Hypergraph.read(document))} == {not_judged}


def test_an_edge_with_one_side_names_the_other():
    graph = Hypergraph.read(changed(DIRECTED, ("incidences", 0, "direction", "head")))
    finding = next(f for f in findings(graph) if not f.ok)
    assert str(finding) == "edges[0] 7 has no tail"


def test_offenders_are_counted_all_and_shown_a_few():
    ghosts = [{"edge": "e", "node": f"ghost{n}"} for n in range(20)]
    finding = next(f for f in findings(Hypergraph.read({**UNDIRECTED, "incidences": ghosts})) if not f.ok)
    assert finding.count == 20
    assert len(finding.shown) == SHOWN
    assert str(finding).endswith(f"and {20 - SHOWN} more")


def test_an_ill_typed_direction_is_left_to_the_schema():
    for direction in ("up", None, 1, ["head"]):
        document = changed(DIRECTED, ("incidences", 0, "direction", direction))
        assert hif_violations(document)
        assert not broken(document)


@pytest.mark.parametrize(("declared", "named"), [("1", 1), (1, "1"), ("-7", -7), (-7, "-7")])
def test_a_reference_of_another_type_is_mixed_and_not_dangling(declared, named):
    document = {
        "nodes": [{"node": declared}],
        "edges": [{"edge": "e"}],
        "incidences": [{"edge": "e", "node": declared}, {"edge": "e", "node": named}],
    }
    assert set(broken(document)) == {"hif-mixed-id-types"}


@pytest.mark.parametrize(
    ("declared", "named"), [("a", "b"), (1, 2), ("1", 2), (1, "2"), (1, "x"), (1, "٢"), (1, "9" * 5000), ("x", 10**400), (1, "-")]
)
def test_a_reference_to_nothing_is_dangling_whatever_its_type(declared, named):
    document = {"nodes": [{"node": declared}], "edges": [{"edge": "e"}], "incidences": [{"edge": "e", "node": named}]}
    assert "hif-dangling-node" in broken(document)


def test_a_boolean_is_no_identifier_and_so_not_a_second_one():
    assert not broken(changed(DIRECTED, ("nodes", "+", {"node": True})))


def test_kinds_are_counted_where_they_are_texts():
    nodes = [{"node": "a", "attrs": {"kind": "token"}}, {"node": "b", "attrs": {"kind": 3}}, {"node": "c", "attrs": []}]
    assert Hypergraph.read({"nodes": nodes}).kinds() == {"token": 1}


def test_identifiers_are_shown_short_and_printable():
    for identity in ("\ud800" + "x" * 500, 10**4000):
        document = changed(UNDIRECTED, ("incidences", 0, "node", identity))
        said = str(next(f for f in findings(Hypergraph.read(document)) if f.rule.reason_code == "hif-dangling-node"))
        assert len(said) < 200
        said.encode()


# A busy machine is no finding.
STEADY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(["head", "tail", "directed", "undirected", "asc", "", "a", "1", "\ud800", "\x00", 10**400]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["node", "edge", "weight", "direction", "attrs", "kind", "nodes", "edges", "incidences", "network-type", "meta"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)
ITEMS = st.lists(
    st.dictionaries(st.sampled_from(["node", "edge", "weight", "direction", "attrs", "extra"]), ODD, max_size=5) | ODD, max_size=5
)
DOCUMENTS = (
    st.fixed_dictionaries(
        {},
        optional={"network-type": ODD, "nodes": ITEMS | ODD, "edges": ITEMS | ODD, "incidences": ITEMS | ODD, "meta": ODD, "metadata": ODD},
    )
    | ODD
)


@STEADY
@given(DOCUMENTS)
def test_no_json_value_breaks_the_rules(document):
    for finding in findings(Hypergraph.read(document)):
        assert finding.ok == (finding.count == 0)
        str(finding).encode()
    for violation in (*hif_violations(document), *profile_violations(document)):
        violation.encode()


def test_deep_nesting_and_huge_values_are_judged_like_shallow_ones():
    deep = json.loads("[" * 700 + "]" * 700)
    document = changed(UNDIRECTED, ("nodes", 0, "attrs", {"kind": deep}), ("incidences", 0, "weight", deep), ("edges", 0, "edge", deep))
    assert hif_violations(document) == [
        "edges[0].edge: expected string or integer, found array",
        "incidences[0].weight: expected number, found array",
    ]
    assert set(broken(document)) == {"hif-dangling-edge"}
    assert profile_violations({**document, "meta": {"trace_id": deep}})
    assert to_public({**document, "meta": {"x": deep}})["metadata"]["x"] is deep
