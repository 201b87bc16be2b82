# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schemas that say the same in other words, and schemas that are hard to follow: what comparing them comes to."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi import schema_comparison, shapes
from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi.compare import compare
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.comparisons import TODAY, rules_broken
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import (
    NUMBER,
    STRING,
    obj,
    of_request,
    of_response,
    sidecar,
)


def test_listed_values_are_held_against_new_constraints() -> None:
    listed = {"enum": ["ab", 4, [1]]}
    for kept in ({"pattern": "^a"}, {"minLength": 2}, {"maximum": 4}, {"multipleOf": 2}, {"maxItems": 1}):
        assert rules_broken(of_request(listed), of_request({**listed, **kept})) == set()
    for broken, rule in (
        ({"pattern": "^b"}, "request-pattern-narrowed"),
        ({"pattern": "("}, "request-pattern-narrowed"),
        ({"minLength": 3}, "request-bounds-narrowed"),
        ({"exclusiveMaximum": 4}, "request-bounds-narrowed"),
        ({"multipleOf": 3}, "request-multiple-narrowed"),
        ({"maxItems": 0}, "request-bounds-narrowed"),
    ):
        assert rules_broken(of_request(listed), of_request({**listed, **broken})) == {rule}


def test_types_of_few_values_are_the_list_of_them() -> None:
    for listed, typed in (
        ({"enum": [True, False]}, {"type": "boolean"}),
        ({"enum": [None]}, {"type": "null"}),
        ({"enum": [None, False, True]}, {"type": ["boolean", "null"]}),
    ):
        assert rules_broken(of_request(typed), of_request(listed)) == set()
        assert rules_broken(of_request(listed), of_request(typed)) == set()


def test_of_bounds_stated_together_the_tightest_counts() -> None:
    together = {"allOf": [{**NUMBER, "minimum": 1, "maximum": 8}, {"minimum": 3, "maximum": 5}, {"exclusiveMinimum": 2}]}
    assert rules_broken(of_request({**NUMBER, "minimum": 3, "maximum": 5}), of_request(together)) == set()
    assert rules_broken(of_request(together), of_request({**NUMBER, "minimum": 3, "maximum": 5})) == set()
    for looser in ({"minimum": 2, "maximum": 5}, {"minimum": 3, "maximum": 6}):
        assert rules_broken(of_request({**NUMBER, **looser}), of_request(together)) == {"request-bounds-narrowed"}


def test_a_closed_object_may_be_opened_to_described_values() -> None:
    closed, described = {"type": "object", "additionalProperties": False}, {"type": "object", "additionalProperties": STRING}
    assert rules_broken(of_request(closed), of_request(described)) == set()
    assert rules_broken(of_response(closed), of_response(described)) == set()
    assert rules_broken(of_request(described), of_request(closed)) == {"request-properties-closed"}


def test_openapi_30_says_null_and_exclusive_in_its_own_way() -> None:
    def old(schema: Any) -> dict[str, Any]:
        return {**of_request(schema), "openapi": "3.0.3"}

    assert rules_broken(old({**STRING, "nullable": True}), of_request({"type": ["string", "null"]})) == set()
    assert rules_broken(old({**STRING, "nullable": True}), old(STRING)) == {"request-type-narrowed"}
    assert rules_broken(old({**NUMBER, "minimum": 0, "exclusiveMinimum": True}), of_request({**NUMBER, "exclusiveMinimum": 0})) == set()
    assert rules_broken(old({**NUMBER, "minimum": 0, "exclusiveMinimum": False}), of_request({**NUMBER, "minimum": 0})) == set()
    sibling = {"$ref": "#/components/schemas/T", "maxLength": 3}
    schemas = {"components": {"schemas": {"T": STRING}}}
    assert rules_broken({**old(STRING), **schemas}, {**old(sibling), **schemas}) == set()
    assert rules_broken({**of_request(STRING), **schemas}, {**of_request(sibling), **schemas}) == {"request-bounds-narrowed"}


CYCLES = {
    "own alternative": {"T": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/T"}]}},
    "own part": {"T": {"allOf": [{"$ref": "#/components/schemas/T"}, {"type": "string"}]}},
    "own items": {"T": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/T"}}]}},
    "parent and child": {
        "T": {"type": "object", "oneOf": [{"$ref": "#/components/schemas/U"}]},
        "U": {"allOf": [{"$ref": "#/components/schemas/T"}, obj(name=STRING)]},
    },
    "two that meet": {
        "T": {"allOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}]},
        "A": obj(next={"$ref": "#/components/schemas/A"}),
        "B": obj(next={"$ref": "#/components/schemas/B"}),
    },
}


@pytest.mark.parametrize("schemas", CYCLES.values(), ids=CYCLES)
def test_schemas_that_contain_themselves_are_compared_in_finite_time(schemas: dict[str, Any]) -> None:
    document = of_response({"$ref": "#/components/schemas/T"}, components={"schemas": schemas})
    assert compare(document, document, TODAY).breaks == {}
    number = of_response({"type": "number"}, components={"schemas": schemas})
    assert rules_broken(document, number) & {"response-type-widened", "response-alternative-added"}


@pytest.mark.parametrize("wrapped", [False, True])
def test_schemas_may_refer_to_one_another_in_a_chain_longer_than_the_stack(wrapped: bool) -> None:
    def chain(last: Any) -> dict[str, Any]:
        def link(number: int) -> dict[str, Any]:
            reference = {"$ref": f"#/components/schemas/S{number + 1}"}
            return obj(next={"anyOf": [reference, {"type": "null"}]} if wrapped else reference)

        schemas = {**{f"S{number}": link(number) for number in range(500)}, "S500": last}
        return of_response({"$ref": "#/components/schemas/S0"}, components={"schemas": schemas})

    assert compare(chain(obj(end=STRING)), chain(obj(end=STRING)), TODAY).breaks == {}
    (change,) = compare(chain(obj(end=STRING)), chain(obj()), TODAY).breaks
    assert change.pointer == "#/components/schemas/S500/properties/end"


def test_a_product_of_unions_beyond_reason_is_refused() -> None:
    union = {"oneOf": [{"const": number} for number in range(9)]}
    with pytest.raises(shapes.TooLarge, match="81 alternatives"):
        compare(of_request({"allOf": [union, union]}), of_request(STRING), TODAY)


def test_documents_beyond_reason_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_comparison, "_MAX_PAIRS", 3)
    with pytest.raises(shapes.TooLarge, match="more than 3 pairs"):
        compare(sidecar(), sidecar(), TODAY)


def test_malformed_documents_are_compared_as_far_as_they_go() -> None:
    broken = {
        "openapi": "3.1.0",
        "paths": {"/v1/things": {"post": {"parameters": [1], "requestBody": 2, "responses": {"200": None}, "security": 3}}},
    }
    assert rules_broken(broken, broken) == set()
    lost = of_request({"$ref": "#/nowhere"})
    assert rules_broken(lost, lost) == set()
