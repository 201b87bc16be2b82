# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The principle behind the rules, held against a validator: what passes as compatible loses no value on the way."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi.compare import compare
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import of_request, of_response

EXAMPLES = 100
SCALARS = (None, True, False, 0, 1, 2, 2.5, 4, -1, "", "a", "ab", "abc")
VALUES: tuple[Any, ...] = (
    *SCALARS,
    [],
    [1],
    ["a"],
    [1, 1],
    ["a", 2],
    {},
    *({"p": one} for one in SCALARS),
    *({"p": one, "q": other} for one in (None, 1, "ab") for other in (True, 2, "a")),
    {"r": 1},
)

leaves = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["null", "boolean", "integer", "number", "string", "array", "object", ["string", "null"], ["integer", "string"]]
        ),
        "enum": st.lists(st.sampled_from(SCALARS), min_size=1, max_size=4),
        "minimum": st.integers(0, 3),
        "exclusiveMaximum": st.integers(1, 4),
        "multipleOf": st.sampled_from([1, 2]),
        "maxLength": st.integers(0, 3),
        "pattern": st.sampled_from(["^a", "b$"]),
        "minItems": st.integers(0, 2),
        "uniqueItems": st.booleans(),
        "required": st.lists(st.sampled_from("pq"), unique=True, max_size=2),
    },
)
schemas = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda base, more: {**base, **more},
        leaves,
        st.fixed_dictionaries(
            {},
            optional={
                "properties": st.dictionaries(st.sampled_from("pq"), inner, max_size=2),
                "items": inner,
                "oneOf": st.lists(inner, min_size=1, max_size=2),
                "anyOf": st.lists(inner, min_size=1, max_size=3),
                "allOf": st.lists(inner, min_size=1, max_size=2),
                "additionalProperties": st.one_of(st.booleans(), inner),
                "not": inner,
            },
        ),
    ),
    max_leaves=6,
)


def without_one_of(schema: Any) -> Any:
    """The schema as the rules read it: ``oneOf`` is any of its alternatives."""
    if isinstance(schema, list):
        return [without_one_of(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    read = {name: without_one_of(value) for name, value in schema.items() if name != "oneOf"}
    if "oneOf" in schema:
        read["allOf"] = [*read.get("allOf", []), {"anyOf": without_one_of(schema["oneOf"])}]
    return read


# A schema and one beside it: the same without some keywords, or with some changed.
changes = st.tuples(
    schemas, leaves, st.sets(st.sampled_from(["type", "enum", "minimum", "maxLength", "required", "oneOf", "anyOf", "not"]))
)
neighbours = changes.map(
    lambda drawn: (drawn[0], {name: value for name, value in {**drawn[0], **drawn[1]}.items() if name not in drawn[2]})
)
pairs = st.one_of(neighbours, neighbours.map(lambda pair: pair[::-1]), st.tuples(schemas, schemas))


def mentions(schema: Any, keyword: str) -> bool:
    """Whether the keyword occurs anywhere."""
    if isinstance(schema, list):
        return any(mentions(item, keyword) for item in schema)
    return isinstance(schema, dict) and (keyword in schema or any(mentions(value, keyword) for value in schema.values()))


def lost(before: Any, after: Any) -> list[Any]:
    """The values that are valid before and not after."""
    was, now = Draft202012Validator(without_one_of(before)), Draft202012Validator(without_one_of(after))
    return [value for value in VALUES if was.is_valid(value) and not now.is_valid(value)]


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(pairs)
def test_what_a_client_may_send_stays_valid_after_a_compatible_change(pair: tuple[Any, Any]) -> None:
    old, new = pair
    # A property described anew narrows what an open object took under that name: nobody relied on it, and the rules let it pass.
    if not mentions(new, "properties") and not compare(of_request(old), of_request(new), date(2026, 1, 1)).breaks:
        assert lost(old, new) == []


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(pairs)
def test_what_the_service_may_send_was_valid_before_a_compatible_change(pair: tuple[Any, Any]) -> None:
    old, new = pair
    # A property more in an answer is no break, even where the release closed its objects.
    if not mentions(old, "additionalProperties") and not compare(of_response(old), of_response(new), date(2026, 1, 1)).breaks:
        assert lost(new, old) == []


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(schemas)
def test_a_schema_is_compatible_with_itself(schema: Any) -> None:
    for document in (of_request(schema), of_response(schema)):
        assert compare(document, document, date(2026, 1, 1)).breaks == {}
