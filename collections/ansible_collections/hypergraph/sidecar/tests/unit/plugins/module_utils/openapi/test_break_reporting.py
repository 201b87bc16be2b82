# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a break is told: once, where it is defined, and in words that name before and after."""

from __future__ import annotations

from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi.compare import compare
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.comparisons import TODAY
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import (
    NUMBER,
    STRING,
    around,
    obj,
    of_request,
    of_response,
    operation,
    parameter,
    secured,
    sidecar,
)


def test_a_shared_schema_is_told_once_where_it_is_defined_with_the_operations_it_is_seen_in() -> None:
    candidate = sidecar()
    candidate["components"]["responses"]["Error"]["content"]["application/json"]["schema"]["properties"]["error"]["required"].remove("type")
    comparison = compare(sidecar(), candidate, TODAY)
    (change,) = comparison.breaks
    assert change.pointer == "#/components/responses/Error/content/application~1json/schema/properties/error/properties/type"
    assert len(comparison.breaks[change]) == 4
    assert comparison.lines == [f"{change} (in GET /v1/models and 3 more)"]
    assert (comparison.operations, comparison.schemas > 10) == (4, True)


def test_a_break_beneath_a_schema_that_contains_itself_is_found() -> None:
    candidate = sidecar()
    candidate["components"]["schemas"]["TraceStatus"]["properties"]["state"]["enum"].append("paused")
    (line,) = compare(sidecar(), candidate, TODAY).lines
    assert line.startswith('response-enum-widened at #/components/schemas/TraceStatus/properties/state: "paused" added')


def test_a_lost_alternative_is_told_by_its_name_and_not_as_changes_of_another() -> None:
    schemas = {"Cat": obj("meow", meow=STRING), "Dog": obj("bark", bark=STRING)}
    both = {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]}
    fewer = {"oneOf": [{"$ref": "#/components/schemas/Dog"}]}
    (line,) = compare(of_request(both, components={"schemas": schemas}), of_request(fewer, components={"schemas": schemas}), TODAY).lines
    assert "no alternative takes Cat any more" in line


def test_an_alternative_of_the_same_name_is_compared_with_its_successor() -> None:
    before = {"Cat": obj("kind", kind={"const": "cat"}), "Dog": obj("kind", kind={"const": "dog"}, bark=STRING)}
    after = {**before, "Dog": obj("kind", kind={"const": "dog"})}
    both = {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]}
    (line,) = compare(of_response(both, components={"schemas": before}), of_response(both, components={"schemas": after}), TODAY).lines
    assert line.startswith("response-property-removed at #/components/schemas/Dog/properties/bark")


def test_a_break_is_told_in_words_that_name_before_and_after() -> None:
    def told(old: Any, new: Any) -> str:
        (change,) = compare(of_request(old), of_request(new), TODAY).breaks
        return change.detail

    assert told(NUMBER, {"type": ["integer", "null"]}) == "type was number, is integer or null"
    assert told({}, {"type": ["null", "boolean", "integer", "string", "array", "object"]}).startswith("type was any, is ")
    assert told(STRING, False) == "type was string, is nothing"
    assert told({"enum": [1, 2, 3]}, {"enum": [2]}) == "1, 3 no longer allowed"
    assert told({"enum": list(range(10))}, {"enum": []}).startswith("type was ")
    assert told(STRING, {"const": "a"}) == 'any value may occur where only "a" may'
    assert told({**STRING, "format": "uuid"}, {**STRING, "format": "date"}) == "format was uuid, is date"
    assert told(STRING, {"allOf": [{**STRING, "pattern": "b"}, {"pattern": "a"}]}) == "pattern was any, is a and b"
    assert told({**NUMBER, "minimum": 0}, {**NUMBER, "exclusiveMinimum": 0.5}) == "minimum was 0, is 0.5 (exclusive)"
    assert told(STRING, {**STRING, "maxLength": 7}) == "maxLength was open, is 7"
    assert told(NUMBER, {**NUMBER, "multipleOf": 2}) == "multipleOf was any, is [2]"
    assert told({**STRING, "default": "a"}, {**STRING, "default": "b"}).startswith('default was "a", is "b"')
    (change,) = compare(secured({"bearer": []}), secured({"bearer": ["a"]}), TODAY).breaks
    assert change.detail == "bearer [] no longer suffices"
    for before, how in (([], "is new and required"), ([parameter()], "became required")):
        (change,) = compare(around(operation(parameters=before)), around(operation(parameters=[parameter(required=True)])), TODAY).breaks
        assert change.detail == f"query parameter limit {how}"
    (change,) = compare(secured(), secured({"key": []}), TODAY).breaks
    assert change.detail == "no credentials no longer suffices"
