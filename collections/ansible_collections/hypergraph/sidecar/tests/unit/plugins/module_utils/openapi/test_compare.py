# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of compatible change: each with a change that breaks it, and the nearest change that does not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi import schema_comparison, shapes
from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi.compare import RULES, compare, major
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import (
    around,
    of_request,
    of_response,
    sidecar,
)

TODAY = date(2026, 6, 1)
STRING = {"type": "string"}
NUMBER = {"type": "number"}


def obj(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def rules_broken(released: dict[str, Any], candidate: dict[str, Any]) -> set[str]:
    return {change.rule for change in compare(released, candidate, TODAY).breaks}


# Rule in requests, rule in responses, and three schemas: one that allows less, one that allows more, and one beside the first that is as
# wide as it. A request breaks from wide to narrow, a response from narrow to wide; each other way, and to the neighbour, is compatible.
NARROW_AND_WIDE = [
    ("request-type-narrowed", "response-type-widened", {"type": "integer"}, NUMBER, {"type": ["integer"]}),
    ("request-type-narrowed", "response-type-widened", STRING, {"type": ["string", "null"]}, {**STRING, "description": "a word"}),
    ("request-type-narrowed", "response-type-widened", STRING, {}, {"allOf": [STRING, True]}),
    ("request-enum-narrowed", "response-enum-widened", {"enum": ["a"]}, {"enum": ["a", "b"]}, {"const": "a"}),
    ("request-enum-narrowed", "response-enum-widened", {**STRING, "enum": ["a", "b"]}, STRING, {"enum": ["b", "a"]}),
    ("request-enum-narrowed", "response-enum-widened", {"const": True}, {"type": "boolean"}, {"type": "boolean", "enum": [True]}),
    ("request-format-narrowed", "response-format-widened", {**STRING, "format": "uuid"}, STRING, {**STRING, "format": "uuid"}),
    (
        "request-format-narrowed",
        "response-format-widened",
        {"type": "integer", "format": "int32"},
        {"type": "integer"},
        {"type": "integer", "format": "int32", "title": "count"},
    ),
    ("request-pattern-narrowed", "response-pattern-widened", {**STRING, "pattern": "^a"}, STRING, {"allOf": [STRING, {"pattern": "^a"}]}),
    ("request-bounds-narrowed", "response-bounds-widened", {**NUMBER, "minimum": 1}, {**NUMBER, "minimum": 0}, {**NUMBER, "minimum": 1.0}),
    ("request-bounds-narrowed", "response-bounds-widened", {**NUMBER, "maximum": 1}, {**NUMBER, "maximum": 2}, {**NUMBER, "maximum": 1.0}),
    (
        "request-bounds-narrowed",
        "response-bounds-widened",
        {**NUMBER, "exclusiveMinimum": 0},
        {**NUMBER, "minimum": 0},
        {**NUMBER, "exclusiveMinimum": 0.0},
    ),
    (
        "request-bounds-narrowed",
        "response-bounds-widened",
        {"type": "integer", "exclusiveMaximum": 5},
        {"type": "integer", "maximum": 5},
        {"type": "integer", "maximum": 4},
    ),
    ("request-bounds-narrowed", "response-bounds-widened", {**STRING, "maxLength": 5}, STRING, {**STRING, "maxLength": 5, "minLength": 0}),
    (
        "request-bounds-narrowed",
        "response-bounds-widened",
        {"type": "array", "minItems": 1},
        {"type": "array"},
        {"type": "array", "minItems": 1},
    ),
    (
        "request-bounds-narrowed",
        "response-bounds-widened",
        {"type": "object", "maxProperties": 1},
        {"type": "object"},
        {"type": "object", "maxProperties": 1},
    ),
    (
        "request-multiple-narrowed",
        "response-multiple-widened",
        {**NUMBER, "multipleOf": 10},
        {**NUMBER, "multipleOf": 5},
        {**NUMBER, "multipleOf": 10.0},
    ),
    (
        "request-multiple-narrowed",
        "response-multiple-widened",
        {**NUMBER, "multipleOf": 0.3},
        {**NUMBER, "multipleOf": 0.1},
        {**NUMBER, "multipleOf": 0.3},
    ),
    (
        "request-items-made-unique",
        "response-items-not-unique",
        {"type": "array", "uniqueItems": True},
        {"type": "array"},
        {"type": "array", "uniqueItems": True},
    ),
    ("request-constraint-added", "response-constraint-dropped", {"not": {"const": 1}}, {}, {"not": {"const": 1.0}}),
    (
        "request-type-narrowed",
        "response-type-widened",
        {"type": "array", "items": STRING},
        {"type": "array"},
        {"type": "array", "items": {"type": ["string"]}},
    ),
    (
        "request-type-narrowed",
        "response-type-widened",
        {"type": "object", "additionalProperties": STRING},
        {"type": "object"},
        {"type": "object", "additionalProperties": STRING},
    ),
    (
        "request-alternative-removed",
        "response-alternative-added",
        {"oneOf": [STRING, {"type": "integer"}]},
        {"oneOf": [STRING, {"type": "integer"}, {"type": "array"}]},
        {"anyOf": [{"type": "integer"}, STRING]},
    ),
    ("request-alternative-removed", "response-alternative-added", STRING, {"oneOf": [STRING, {"type": "null"}]}, {"oneOf": [STRING]}),
    (
        "request-bounds-narrowed",
        "response-bounds-widened",
        {"oneOf": [{**STRING, "maxLength": 5}, {"type": "integer"}]},
        {"oneOf": [STRING, {"type": "integer"}]},
        {"oneOf": [{"type": "integer"}, {**STRING, "maxLength": 5}]},
    ),
    (
        "request-property-required",
        "response-property-optional",
        obj("a", a=STRING),
        obj(a=STRING),
        {"allOf": [obj(a=STRING), {"required": ["a"]}]},
    ),
]


@pytest.mark.parametrize(("request_rule", "response_rule", "narrow", "wide", "neighbour"), NARROW_AND_WIDE)
def test_what_may_occur_must_have_been_allowed(request_rule: str, response_rule: str, narrow: Any, wide: Any, neighbour: Any) -> None:
    assert rules_broken(of_request(wide), of_request(narrow)) == {request_rule}
    assert rules_broken(of_response(narrow), of_response(wide)) == {response_rule}

    assert rules_broken(of_request(narrow), of_request(wide)) == set()
    assert rules_broken(of_response(wide), of_response(narrow)) == set()

    for one, other in ((narrow, neighbour), (neighbour, narrow)):
        assert rules_broken(of_request(one), of_request(other)) == set()
        assert rules_broken(of_response(one), of_response(other)) == set()


def body(schema: Any = None, media: str = "application/json", **more: Any) -> dict[str, Any]:
    return {"content": {media: {"schema": STRING if schema is None else schema}}, **more}


def operation(**more: Any) -> dict[str, Any]:
    return {"responses": {"200": {"description": "done"}}, **more}


def parameter(name: str = "limit", place: str = "query", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": STRING, **more}


def answering(**answers: Any) -> dict[str, Any]:
    return {"responses": {status.lstrip("_"): {"description": "done", **answer} for status, answer in answers.items()}}


def secured(*alternatives: Any, **schemes: Any) -> dict[str, Any]:
    known = {"bearer": {"type": "http", "scheme": "bearer"}, "key": {"type": "apiKey", "in": "header", "name": "x-key"}, **schemes}
    return around(operation(security=list(alternatives)), components={"securitySchemes": known})


# Rule, the released document, one that breaks it, one that comes close and does not.
ONE_WAY = [
    (
        "request-property-removed",
        of_request(obj(a=STRING, b=STRING)),
        of_request(obj(a=STRING)),
        of_request(obj(a=STRING, b=STRING, c=STRING)),
    ),
    (
        "request-property-removed",
        of_request(obj(a=STRING, b=STRING)),
        of_request(obj(a=STRING, b={**STRING, "readOnly": True})),
        of_request({"allOf": [obj(a=STRING), obj(b=STRING)]}),
    ),
    (
        "request-property-required",
        of_request(obj(a=STRING)),
        of_request(obj("b", a=STRING, b=STRING)),
        of_request(obj("b", a=STRING, b={**STRING, "readOnly": True})),
    ),
    (
        "request-properties-closed",
        of_request(obj(a=STRING)),
        of_request({**obj(a=STRING), "additionalProperties": False}),
        of_request({**obj(a=STRING), "additionalProperties": True}),
    ),
    (
        "request-default-changed",
        of_request({**STRING, "default": "a"}),
        of_request({**STRING, "default": "b"}),
        of_request({**STRING, "examples": ["b"], "default": "a"}),
    ),
    (
        "response-property-removed",
        of_response(obj("a", a=STRING, b=STRING)),
        of_response(obj("a", a=STRING)),
        of_response(obj("a", "c", a=STRING, b=STRING, c=STRING)),
    ),
    (
        "response-property-removed",
        of_response(obj("a", a=STRING)),
        of_response(obj(b=STRING)),
        of_response({**obj("a", a=STRING), "additionalProperties": False}),
    ),
    (
        "response-property-removed",
        of_response(obj(a=STRING)),
        of_response(obj(a={**STRING, "writeOnly": True})),
        of_response(obj(a={**STRING, "readOnly": True})),
    ),
    (
        "request-parameter-removed",
        around(operation(parameters=[parameter()])),
        around(operation()),
        around(operation(parameters=[parameter(), parameter("after")])),
    ),
    (
        "request-parameter-removed",
        around(operation(parameters=[parameter("X-Mode", "header")])),
        around(operation(parameters=[parameter("X-Mode", "query")])),
        around(operation(parameters=[parameter("x-mode", "header")])),
    ),
    (
        "request-parameter-required",
        around(operation()),
        around(operation(parameters=[parameter(required=True)])),
        around(operation(parameters=[parameter(required=False)])),
    ),
    (
        "request-parameter-required",
        around(operation(parameters=[parameter()])),
        around(operation(parameters=[parameter(required=True)])),
        around(operation(parameters=[parameter(description="how many")])),
    ),
    (
        "request-parameter-serialized-otherwise",
        around(operation(parameters=[parameter()])),
        around(operation(parameters=[parameter(style="pipeDelimited")])),
        around(operation(parameters=[parameter(style="form", explode=True)])),
    ),
    (
        "request-parameter-serialized-otherwise",
        around(operation(parameters=[parameter()])),
        around(operation(parameters=[{"name": "limit", "in": "query", **body()}])),
        around(operation(parameters=[parameter(example="3")])),
    ),
    (
        "request-enum-narrowed",
        around(operation(parameters=[parameter(schema={"enum": ["a", "b"]})])),
        around(operation(parameters=[parameter(schema={"enum": ["a"]})])),
        around(operation(parameters=[parameter(schema={"enum": ["a", "b", "c"]})])),
    ),
    (
        "request-body-required",
        around(operation(requestBody=body())),
        around(operation(requestBody=body(required=True))),
        around(operation(requestBody=body(required=False))),
    ),
    (
        "request-body-required",
        around(operation()),
        around(operation(requestBody=body(required=True))),
        around(operation(requestBody=body())),
    ),
    (
        "request-body-removed",
        around(operation(requestBody=body())),
        around(operation()),
        around(operation(requestBody=body(description="it"))),
    ),
    (
        "request-media-type-removed",
        around(operation(requestBody=body())),
        around(operation(requestBody=body(media="application/xml"))),
        around(operation(requestBody=body(media="application/json; charset=utf-8"))),
    ),
    ("request-security-tightened", secured({"bearer": []}), secured({"bearer": ["traces:read"]}), secured({"bearer": []}, {"key": []})),
    (
        "request-security-tightened",
        secured({"bearer": []}),
        secured({"bearer": [], "key": []}),
        secured({"token": []}, token={"type": "http", "scheme": "bearer", "description": "renamed"}),
    ),
    ("request-security-tightened", secured({"bearer": []}, {"key": []}), secured({"bearer": []}), secured({"key": []}, {"bearer": []})),
    ("request-security-tightened", secured(), secured({"key": []}), secured({"key": []}, {})),
    (
        "response-status-removed",
        around(answering(_200={}, _202={})),
        around(answering(_200={})),
        around(answering(_2XX={})),
    ),
    ("response-status-removed", around(answering(_2XX={})), around(answering(_404={})), around(answering(_201={}))),
    (
        "response-media-type-removed",
        around(answering(_200=body())),
        around(answering(_200=body(media="text/plain"))),
        around(answering(_200={"content": {**body()["content"], "text/plain": {}}})),
    ),
    (
        "response-header-removed",
        around(answering(_200={"headers": {"X-Trace-Id": {"schema": STRING}}})),
        around(answering(_200={"headers": {"X-Other": {"schema": STRING}}})),
        around(answering(_200={"headers": {"x-trace-id": {"schema": STRING}}})),
    ),
    (
        "response-header-optional",
        around(answering(_200={"headers": {"X-Trace-Id": {"schema": STRING, "required": True}}})),
        around(answering(_200={"headers": {"X-Trace-Id": {"schema": STRING}}})),
        around(answering(_200={"headers": {"X-Trace-Id": {"schema": STRING, "required": True, "description": "it"}}})),
    ),
    (
        "response-type-widened",
        around(answering(_200={"headers": {"X-Trace-Id": {"schema": STRING}}})),
        around(answering(_200={"headers": {"X-Trace-Id": {"schema": {"type": "integer"}}}})),
        around(answering(_200={"headers": {"X-Trace-Id": {"schema": {**STRING, "maxLength": 9}}}})),
    ),
    (
        "response-type-widened",
        around(answering(_200={}, _404=body(obj(error=STRING)))),
        around(answering(_200={}, _4XX=body(obj(error={"type": "object"})))),
        around(answering(_200={}, default=body(obj(error=STRING)))),
    ),
    (
        "response-type-widened",
        around(answering(default=body(STRING))),
        around(answering(default=body(NUMBER))),
        around(answering(_200=body(NUMBER))),
    ),
    (
        "operation-removed",
        around(operation()),
        around(operation(), path="/v1/others"),
        around(operation(), path="/things", servers=[{"url": "/v1"}]),
    ),
    (
        "operation-removed",
        around(operation(), path="/v1/things/{id}"),
        around(operation(), path="/v2/things/{id}"),
        around(operation(), path="/v1/things/{thing_id}"),
    ),
    (
        "operation-removed",
        around(
            operation(),
            servers=[
                {
                    "url": "https://{region}.example.org/{base}",
                    "variables": {"region": {"default": "eu"}, "base": {"default": "a", "enum": ["a", "b"]}},
                }
            ],
        ),
        around(operation(), servers=[{"url": "https://eu.example.org/a"}]),
        around(operation(), servers=[{"url": "https://us.example.org/b/"}, {"url": "/a"}]),
    ),
    (
        "operation-removed",
        around(operation(deprecated=True, **{"x-sunset": "2026-06-02"})),
        around(operation(), path="/v1/others"),
        around(operation(deprecated=True)),
    ),
]


@pytest.mark.parametrize(("rule", "released", "breaking", "compatible"), ONE_WAY)
def test_a_break_is_found_and_its_neighbour_is_not(rule: str, released: Any, breaking: Any, compatible: Any) -> None:
    assert rules_broken(released, breaking) == {rule}
    assert rules_broken(released, compatible) == set()
    assert rules_broken(released, released) == set()


def test_every_rule_has_a_break_and_a_neighbour() -> None:
    tried = {rule for row in NARROW_AND_WIDE for rule in row[:2]} | {row[0] for row in ONE_WAY}
    assert tried == RULES


@pytest.mark.parametrize(("sunset", "broken"), [("2026-05-31", False), ("2026-06-02", True), ("soon", True), (None, True)])
def test_a_deprecated_operation_may_go_after_its_sunset(sunset: str | None, broken: bool) -> None:
    released = around(operation(deprecated=True, **{"x-sunset": sunset}))
    found = compare(released, around(operation(), path="/v1/others"), TODAY).lines
    assert bool(found) is broken
    assert not broken or f"x-sunset {sunset}" in found[0]


def test_an_undeprecated_operation_may_not_go_after_a_sunset() -> None:
    assert rules_broken(around(operation(**{"x-sunset": "2020-01-01"})), around(operation(), path="/v1/others")) == {"operation-removed"}


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


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.4.0", 1), ("v2.0", 2), ("10.0.0-rc.1", 10), ("2026-01-01", None), ("first", None), (None, None)],
)
def test_major_version(version: Any, expected: int | None) -> None:
    assert major({"info": {"version": version}}) == expected
    assert major({}) is None
