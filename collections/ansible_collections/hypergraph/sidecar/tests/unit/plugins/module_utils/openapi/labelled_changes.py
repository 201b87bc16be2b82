# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of a document, written by hand: what breaks a rule of compatible change, and the nearest change that does not."""

from __future__ import annotations

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import (
    NUMBER,
    STRING,
    answering,
    around,
    body,
    obj,
    of_request,
    of_response,
    operation,
    parameter,
    secured,
)

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
