# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schemas, and that condensing a document before validating it never changes the answer."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.hypergraph.sidecar.plugins.module_utils.hif.schema import (
    HIF_SCHEMA,
    MAX_VIOLATIONS,
    PROFILE_SCHEMA,
    hif_violations,
    profile_violations,
)

MINIMAL = {"incidences": []}
FULL = {
    "network-type": "directed",
    "metadata": {"anything": [1, {"goes": None}]},
    "nodes": [{"node": "a", "weight": 1, "attrs": {"deep": {"er": 1}}}, {"node": 2}],
    "edges": [{"edge": "e", "weight": -0.5, "attrs": {}}],
    "incidences": [{"edge": "e", "node": "a", "weight": 0, "direction": "head", "attrs": {}}],
}
META = {
    "version": "hif-1",
    "trace_id": "t-1",
    "tenant_id": "alpha",
    "model": "gpt-4o-mini",
    "granularity": "token",
    "featureset": "sae-gpt4-2m",
    "created_at": "2026-01-31T12:00:00.5Z",
}
PROFILE = {**FULL, "meta": META}


@pytest.mark.parametrize(
    "document",
    [
        MINIMAL,
        FULL,
        {"incidences": [{"edge": 1.0, "node": 2**70}]},
        {"network-type": "asc", "incidences": [{"edge": "", "node": "ghost"}, {"edge": "", "node": "ghost"}]},
    ],
)
def test_what_the_public_schema_accepts(document):
    assert hif_violations(document) == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "the document: expected object, found array"),
        (None, "the document: expected object, found null"),
        ("head", "the document: expected object, found string"),
        ({}, "the document: missing incidences"),
        ({**MINIMAL, "meta": {}}, "the document: unknown 'meta'"),
        ({**MINIMAL, "a": 1, "b": 1, "c": 1, "d": 1}, "the document: unknown 'a', 'b', 'c' ..."),
        ({**MINIMAL, "k" * 99: 1}, f"the document: unknown '{'k' * 40}...'"),
        ({**MINIMAL, "network-type": "hyper"}, "network-type: expected undirected or directed or asc"),
        ({**MINIMAL, "metadata": []}, "metadata: expected object, found array"),
        ({**MINIMAL, "nodes": {}}, "nodes: expected array, found object"),
        ({**MINIMAL, "nodes": [{"node": 1}, {"node": 1.5}]}, "nodes[1].node: expected string or integer, found number"),
        ({**MINIMAL, "nodes": [{"node": True}]}, "nodes[0].node: expected string or integer, found boolean"),
        ({**MINIMAL, "nodes": [{"node": "a"}, "head"]}, "nodes[1]: expected object, found string"),
        ({**MINIMAL, "nodes": [{"weight": 1}]}, "nodes[0]: missing node"),
        ({**MINIMAL, "edges": [{"edge": 1, "attrs": None}]}, "edges[0].attrs: expected object, found null"),
        ({"incidences": [{"weight": 1}]}, "incidences[0]: missing edge, node"),
        ({"incidences": [{"edge": 1, "node": 1, "direction": "up"}]}, "incidences[0].direction: expected head or tail"),
        ({"incidences": [{"edge": 1, "node": 1, "weight": "1"}]}, "incidences[0].weight: expected number, found string"),
        ({"incidences": [{"edge": 1, "node": 1, "weight": True}]}, "incidences[0].weight: expected number, found boolean"),
    ],
)
def test_what_the_public_schema_refuses(document, said):
    assert hif_violations(document) == [said]


def test_a_violation_is_placed_in_the_whole_document_not_the_condensed_one():
    incidences = [{"edge": 1, "node": n} for n in range(1000)] + [{"edge": 1, "node": 1, "weight": None}]
    assert hif_violations({"incidences": incidences}) == ["incidences[1000].weight: expected number, found null"]


def test_violations_are_bounded_however_many_there_are():
    incidences = [{"edge": 1, "node": 1, f"unknown{n}": 1} for n in range(5000)]
    assert len(hif_violations({"incidences": incidences})) == MAX_VIOLATIONS


def test_the_profile_holds():
    assert profile_violations(PROFILE) == []
    assert profile_violations({**PROFILE, "meta": {**META, "model": None, "featureset": None, "extra": {"a": 1}}}) == []
    assert profile_violations({**PROFILE, "meta": {**META, "version": "hif-2"}}) == []


def without(document, name):
    return {key: value for key, value in document.items() if key != name}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (7, "the document: expected object, found integer"),
        *((without(PROFILE, name), f"the document: missing {name}") for name in ("network-type", "nodes", "edges", "incidences", "meta")),
        *(({**PROFILE, "meta": without(META, name)}, f"meta: missing {name}") for name in META),
        *(
            ({**PROFILE, "meta": {**META, name: 7}}, f"meta.{name}: expected string, found integer")
            for name in ("version", "trace_id", "tenant_id", "created_at")
        ),
        ({**PROFILE, "meta": []}, "meta: expected object, found array"),
        ({**PROFILE, "meta": {**META, "trace_id": ""}}, "meta.trace_id: empty"),
        ({**PROFILE, "meta": {**META, "model": 7}}, "meta.model: expected string or null, found integer"),
        ({**PROFILE, "meta": {**META, "granularity": "word"}}, "meta.granularity: expected sentence or token"),
        (
            {**PROFILE, "meta": {**META, "created_at": "yesterday"}},
            "meta.created_at: it is not an RFC 3339 time in UTC, such as 2026-01-31T12:00:00.000000Z",
        ),
    ],
)
def test_what_the_profile_refuses(document, said):
    assert profile_violations(document) == [said]


def test_the_schemas_are_schemas():
    for schema in (HIF_SCHEMA, PROFILE_SCHEMA):
        jsonschema.Draft7Validator.check_schema(schema)


# A busy machine is no finding.
STEADY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["head", "tail", "asc", "", "x", "token"])
)
VALUES = SCALARS | st.just({}) | st.just([]) | st.just({"a": [1]})
RIGHT = {
    "node": st.sampled_from(["a", "", "head", 1, 2.0]),
    "edge": st.sampled_from(["a", "", "tail", 1, 2.0]),
    "weight": st.sampled_from([0, 1, 0.5, -2.0]),
    "direction": st.sampled_from(["head", "tail"]),
    "attrs": st.sampled_from([{}, {"a": [1]}]),
}
LISTS = {"nodes": ("node",), "edges": ("edge",), "incidences": ("edge", "node")}


def items(required):
    optional = {name: RIGHT[name] for name in ("weight", "attrs", *(("direction",) if len(required) == 2 else ()))}
    return st.lists(st.fixed_dictionaries({name: RIGHT[name] for name in required}, optional=optional), max_size=5)


VALID = st.fixed_dictionaries(
    {"incidences": items(LISTS["incidences"])},
    optional={
        "nodes": items(LISTS["nodes"]),
        "edges": items(LISTS["edges"]),
        "metadata": st.just({"a": 1}),
        "network-type": st.sampled_from(["undirected", "directed", "asc"]),
    },
)


@st.composite
def spoiled(draw):
    """A valid document with one member of it, or of one of its items, put out of order."""
    document = draw(VALID)
    place = draw(st.sampled_from([document, *(item for name in LISTS for item in document.get(name, []))]))
    place[draw(st.sampled_from([*place, "extra", "network-type", "direction"]))] = draw(VALUES)
    return document


@settings(STEADY, max_examples=500)
@given(VALID | spoiled() | VALUES)
def test_condensing_never_changes_the_answer(document):
    assert (hif_violations(document) == []) == jsonschema.Draft7Validator(HIF_SCHEMA).is_valid(document)


MEMBERS = {name: st.sampled_from([META[name], None, "", 7]) for name in META}


@STEADY
@given(st.fixed_dictionaries({}, optional=MEMBERS), st.sampled_from(sorted(PROFILE)), VALUES)
def test_condensing_never_changes_the_answer_on_the_profile(meta, name, value):
    document = {**PROFILE, "meta": {**META, **meta}, **({name: value} if name != "meta" else {})}
    assert (profile_violations(document) == []) == jsonschema.Draft7Validator(PROFILE_SCHEMA).is_valid(document)


def test_the_given_document_is_left_as_it_is():
    before = copy.deepcopy(PROFILE)
    hif_violations(PROFILE)
    profile_violations(PROFILE)
    assert before == PROFILE


def test_a_hundred_thousand_incidences_reach_the_validator_as_a_few(monkeypatch):
    seen = []
    original = jsonschema.Draft7Validator.iter_errors

    def counted(self, instance, *args, **kwargs):
        seen.append(len(json.dumps(instance)))
        return original(self, instance, *args, **kwargs)

    monkeypatch.setattr(jsonschema.Draft7Validator, "iter_errors", counted)
    incidences = [{"edge": n % 100, "node": str(n), "weight": n / 7, "attrs": {"n": n}} for n in range(100_000)]
    assert hif_violations({"incidences": incidences}) == []
    assert seen
    assert max(seen) < 1000
