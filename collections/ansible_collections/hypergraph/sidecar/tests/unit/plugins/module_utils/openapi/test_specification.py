# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one document says by itself: its places, operations, validity and rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi import places, rules, validity
from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi.operations import base_paths, operations
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import around, of_request, sidecar

Change = Callable[[dict[str, Any]], Any]


def changed(change: Change) -> dict[str, Any]:
    document = sidecar()
    change(document)
    return document


def schemas(document: dict[str, Any]) -> dict[str, Any]:
    return document["components"]["schemas"]


def test_pointers_are_followed_as_rfc_6901_and_uri_fragments_say() -> None:
    document = {"a/b": {"m~n": [10, {"ü": 20}]}, "n": None}
    assert places.find(document, "#/a~1b/m~0n/0") == places.Located(10, "#/a~1b/m~0n/0")
    assert places.find(document, "#/a~1b/m~0n/1/%C3%BC").value == 20
    assert places.find(document, "#/n").value is None
    assert places.find(document, "#").value is document
    for lost in ("#/nope", "#/a~1b/m~0n/2", "#/a~1b/m~0n/x", "#/n/x"):
        with pytest.raises(places.Unresolvable, match="leads nowhere"):
            places.find(document, lost)


def test_references_are_told_from_data_of_the_same_name() -> None:
    document = {
        "paths": {"/example": {"$ref": "#/1"}},
        "components": {
            "schemas": {
                "default": {"$ref": "#/2"},
                "T": {
                    "properties": {"$ref": {"$ref": "#/3"}, "enum": {"$ref": "#/4"}},
                    "default": {"$ref": "data"},
                    "enum": [{"$ref": "data"}],
                    "x-note": {"$ref": "data"},
                    "examples": [{"$ref": "data"}],
                    "allOf": [{"$ref": "#/5"}],
                },
            },
            "headers": {"x-trace-id": {"$ref": "#/6"}, "default": {"schema": {"$ref": "#/7"}}},
        },
    }
    assert [place.value["$ref"] for place in places.references(document)] == ["#/1", "#/2", "#/3", "#/4", "#/5", "#/6", "#/7"]


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        (None, ("",)),
        ([], ("",)),
        ([{"url": "/"}], ("",)),
        ([{"url": "https://example.org"}, {"url": "https://example.org/v1/"}, {"url": "http://other/v1"}], ("", "/v1")),
        (
            [{"url": "https://{host}/{base}", "variables": {"host": {"default": "h"}, "base": {"enum": ["v1", "v2"], "default": "v1"}}}],
            ("/v1", "/v2"),
        ),
        ([{"url": "https://example.org/{undeclared}"}], ("/{undeclared}",)),
        ([{"url": "https://[broken"}], ("",)),
        ([1, {"url": None}], ("",)),
    ],
)
def test_base_paths_of_servers(servers: Any, expected: tuple[str, ...]) -> None:
    assert base_paths(servers) == expected


def test_an_operation_inherits_what_it_does_not_state() -> None:
    document = sidecar()
    document["servers"] = [{"url": "https://a.example.org/base"}]
    document["paths"]["/v1/models"]["servers"] = [{"url": "/other"}]
    document["paths"]["/v1/models"]["get"]["servers"] = [{"url": "/own"}]
    by_name = {operation.name: operation for operation in operations(document)}
    assert list(by_name) == [
        "GET /v1/models",
        "POST /v1/chat/completions",
        "GET /v1/traces/{trace_id}/status",
        "GET /v1/traces/{trace_id}/graph",
    ]
    status = by_name["GET /v1/traces/{trace_id}/status"]
    assert status.keys == {"GET /base/v1/traces/{}/status"}
    assert by_name["GET /v1/models"].keys == {"GET /own/v1/models"}
    assert list(status.parameters) == [("path", "trace_id")]
    assert status.security == ({"bearer": ["traces:read"]},)
    assert by_name["GET /v1/models"].security == ({"bearer": []},)
    assert status.response_to(404) is not None
    assert status.response_to(500) is None
    error = by_name["GET /v1/models"].response_to(418)
    assert error is not None
    assert error.pointer == "#/components/responses/Error"


def test_a_path_item_may_be_a_reference_and_extensions_are_no_paths() -> None:
    document = around({"responses": {}}, components={"pathItems": {"P": {"get": {}, "x-get": {}, "summary": "it"}}})
    document["paths"].update({"/v1/p": {"$ref": "#/components/pathItems/P"}, "/v1/q": {"$ref": "#/lost"}, "x-more": {"get": {}}})
    assert [operation.name for operation in operations(document)] == ["POST /v1/things", "GET /v1/p"]


def test_the_sound_specification_has_no_finding() -> None:
    assert validity.invalidities(sidecar()) == []
    assert rules.unversioned(sidecar()) == []
    assert rules.incomplete(sidecar()) == []
    assert rules.versions(sidecar()) == {1}


INVALID: list[tuple[Change, str, str]] = [
    (lambda d: d["info"].pop("version"), "#/info", "'version' is a required property"),
    (lambda d: d.update(openapi="2.0"), "#/openapi", "expected a version 3.0 or 3.1"),
    (lambda d: d.pop("openapi"), "#/openapi", "expected a version 3.0 or 3.1"),
    (lambda d: d.update(paths=[]), "#/paths", "is not of type 'object'"),
    (
        lambda d: schemas(d)["TraceStatus"]["properties"]["state"].update(type="strng"),
        "#/components/schemas/TraceStatus/properties/state/type",
        "'strng'",
    ),
    (
        lambda d: d["paths"]["/v1/models"]["get"]["responses"]["200"]["content"]["application/json"]["schema"].update(minProperties=-1),
        "#/paths/~1v1~1models/get/responses/200/content/application~1json/schema/minProperties",
        "-1 is less than the minimum",
    ),
    (
        lambda d: schemas(d)["Graph"]["properties"].update(lost={"$ref": "#/components/schemas/Nope"}),
        "#/components/schemas/Graph/properties/lost",
        "#/components/schemas/Nope leads nowhere: #/components/schemas has no 'Nope'",
    ),
    (
        lambda d: schemas(d).update(A={"$ref": "#/components/schemas/B"}, B={"$ref": "#/components/schemas/A"}),
        "#/components/schemas/A",
        "leads back to itself",
    ),
    (lambda d: d["paths"]["/v1/models"]["get"].update(operationId="createChat"), "#/paths/~1v1~1chat~1completions/post", "is not unique"),
    (
        lambda d: d["paths"]["/v1/traces/{trace_id}/graph"].pop("parameters"),
        "#/paths/~1v1~1traces~1{trace_id}~1graph/get",
        "was not resolved",
    ),
    (
        lambda d: schemas(d)["Graph"]["properties"].update(n={"type": "integer", "default": "x"}),
        "#/components/schemas/Graph/properties/n",
        "'x' is not of type",
    ),
]


@pytest.mark.parametrize(("change", "pointer", "what"), INVALID)
def test_an_invalid_document_is_told_with_the_place(change: Change, pointer: str, what: str) -> None:
    problem = validity.invalidities(changed(change))[0]
    assert problem.pointer == pointer
    assert what in problem.what
    assert str(problem) == f"{pointer}: {problem.what}"


@pytest.mark.parametrize("broken", [{"components": 5}, {"paths": {"/v1/x": 3}}, {"servers": {}}])
def test_a_broken_structure_is_told_though_the_validator_may_stumble_over_it(broken: dict[str, Any]) -> None:
    found = validity.invalidities({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}, **broken})
    assert found[0].pointer == "#/" + "/".join([*broken, *(["~1v1~1x"] if "paths" in broken else [])])


def test_findings_are_bounded() -> None:
    document = changed(lambda d: schemas(d).update({f"S{number}": {"$ref": f"#/lost/{number}"} for number in range(50)}))
    assert len(validity.invalidities(document)) == validity.MAX_PROBLEMS


@pytest.mark.parametrize("reference", ["https://example.org/schemas.json#/T", "./schemas.yaml", "#anchor", "file:///etc/passwd"])
def test_references_to_other_documents_are_refused_and_not_opened(reference: str) -> None:
    with pytest.raises(CheckError, match=r"#/components/schemas/Far refers to") as fault:
        validity.invalidities(changed(lambda d: schemas(d).update(Far={"$ref": reference})))
    assert fault.value.reason_code == "spec-not-bundled"


def test_a_schema_that_the_validator_cannot_end_on_is_an_error_and_no_crash() -> None:
    loop = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/Loop"}}]}
    with pytest.raises(CheckError, match="recursed without end"):
        validity.invalidities(changed(lambda d: schemas(d).update(Loop=loop, User={"allOf": [{"$ref": "#/components/schemas/Loop"}]})))


def test_openapi_30_is_held_against_its_own_rules() -> None:
    nullable = {**of_request({"type": "string", "nullable": True, "minimum": 0, "exclusiveMinimum": True}), "openapi": "3.0.3"}
    assert validity.invalidities(nullable) == []
    assert validity.invalidities({**nullable, "openapi": "3.1.0"})[0].pointer.endswith("/schema/exclusiveMinimum")
    no_answers = around({"operationId": "x"})
    assert validity.invalidities({**no_answers, "openapi": "3.0.3"})[0].pointer == "#/paths/~1v1~1things/post"


@pytest.mark.parametrize(
    ("path", "servers", "stray"),
    [
        ("/v1/models", [], []),
        ("/v2/models", [], []),
        ("/models", [{"url": "https://example.org/v1"}], []),
        ("/v1/models", [{"url": "https://example.org/api"}], []),
        ("/models", [{"url": "https://example.org/api/v1/"}], []),
        ("/models", [], ["/models"]),
        ("/models/v1", [], ["/models/v1"]),
        ("/v1beta/models", [], ["/v1beta/models"]),
        ("/v0/models", [], ["/v0/models"]),
        ("/v1/models", [{"url": "https://example.org/v1"}], ["/v1/v1/models"]),
        ("/models", [{"url": "https://example.org/v1/api"}], ["/v1/api/models"]),
        ("/models", [{"url": "https://example.org/v1"}, {"url": "https://old.example.org"}], ["/models"]),
        ("/healthz", [], []),
    ],
)
def test_every_path_carries_one_version_with_its_base_path(path: str, servers: list[Any], stray: list[str]) -> None:
    assert rules.unversioned(around({}, path=path, servers=servers), exempt=("/healthz",)) == stray


def test_versions_are_found_in_path_and_base_path() -> None:
    document = around({}, path="/v2/things", servers=[{"url": "/"}])
    document["paths"]["/things"] = {"servers": [{"url": "/v3"}], "get": {}}
    assert rules.versions(document) == {2, 3}


INCOMPLETE: list[tuple[Change, list[str]]] = [
    (lambda d: d["paths"]["/v1/models"]["get"].pop("operationId"), ["GET /v1/models: no operationId"]),
    (lambda d: d["paths"]["/v1/models"]["get"].update(operationId=""), ["GET /v1/models: no operationId"]),
    (lambda d: d["paths"]["/v1/models"]["get"]["responses"].pop("4XX"), ["GET /v1/models: no error answer (4xx, 5xx or default)"]),
    (lambda d: d["paths"]["/v1/models"]["get"].update(security=[]), ["GET /v1/models: no security requirement"]),
    (
        lambda d: d.pop("security"),
        ["GET /v1/models: no security requirement", "POST /v1/chat/completions: no security requirement"],
    ),
    (
        lambda d: d["paths"]["/v1/models"]["get"].update(security=[{"bearer": []}, {}]),
        ["GET /v1/models: security that lets anybody in ({})"],
    ),
    (
        lambda d: d["paths"]["/v1/models"]["get"].update(security=[{"oauth": []}]),
        ["GET /v1/models: security scheme 'oauth' is not declared"],
    ),
]


@pytest.mark.parametrize(("change", "lacks"), INCOMPLETE)
def test_what_an_operation_leaves_undocumented_is_named(change: Change, lacks: list[str]) -> None:
    assert rules.incomplete(changed(change)) == lacks


@pytest.mark.parametrize("status", ["default", "5XX", "401", "503"])
def test_any_documented_error_will_do(status: str) -> None:
    document = sidecar()
    answers = document["paths"]["/v1/models"]["get"]["responses"]
    answers[status] = answers.pop("4XX")
    assert rules.incomplete(document) == []
