# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the whole check finds in the gateway's answers, held against what is documented."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import sidecar
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.examined_site import (
    Site,
    asked_for_unknown_traces,
    failing,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.stand_in import GRAPH, STATUS, Gateway, Reply, graph

LIVE: list[tuple[str, Reply, str, str]] = [
    (GRAPH, Reply(200, graph(version="hif-2")), "runtime-hif-version", "declares meta.version 'hif-2'"),
    (GRAPH, Reply(200, {"incidences": []}), "runtime-hif-version", "declares meta.version None"),
    (GRAPH, Reply(200, [1]), "runtime-hif-version", "declares meta.version None"),
    (GRAPH, Reply(200, b"{"), "runtime-hif-version", "declares meta.version None"),
    (GRAPH, Reply(200, {"meta": {"version": "hif-1"}}), "answer-not-documented", 'the body breaks required ["meta", "incidences"]'),
    (
        "GET /v1/models",
        Reply(200, {"object": "list", "data": [{"id": 7}]}),
        "answer-not-documented",
        'GET /v1/models: /data/0/id breaks type "string"',
    ),
    ("GET /v1/models", Reply(200, b"[", {}), "answer-not-documented", "declared as application/json but is not JSON"),
    ("GET /v1/models", Reply(200, b"", {}, "text/html"), "answer-not-documented", "media type text/html is not documented for status 200"),
    (
        "POST /v1/chat/completions",
        Reply(201, {}),
        "answer-not-documented",
        "POST /v1/chat/completions: status 201 is not documented, only 200, 4XX",
    ),
    (
        STATUS,
        Reply(200, {"trace_id": "t", "state": "complete", "error": 5}),
        "answer-not-documented",
        '/error breaks type ["string", "null"]',
    ),
]


@pytest.mark.parametrize(("line", "reply", "code", "reason"), LIVE)
def test_an_answer_that_is_not_as_documented(site: Site, line: str, reply: Reply, code: str, reason: str) -> None:
    verdict = site.verdict(Gateway(**{line: reply}))
    assert (verdict["status"], failing(verdict)) == ("fail", [code])
    assert reason in verdict["reason"]


def test_a_refusal_of_an_unknown_trace_that_is_not_as_documented(site: Site) -> None:
    verdict = site.verdict(asked_for_unknown_traces(Reply(404, {"detail": "no"})))
    assert (verdict["status"], failing(verdict)) == ("fail", ["answer-not-documented"])
    assert "of an unknown trace: the body breaks required" in verdict["reason"]


def test_an_operation_that_is_served_and_not_documented_is_told(site: Site) -> None:
    specification = sidecar()
    del specification["paths"]["/v1/models"]
    gateway = Gateway(**{"GET /v1/openapi.json": Reply(200, specification)})
    verdict = site.verdict(gateway, spec_path=site.write("changed.json", specification), released_spec_path="")
    assert failing(verdict) == ["answer-not-documented"]
    assert "GET /v1/models: the operation is not documented" in verdict["reason"]


def test_answers_without_a_schema_are_documented_by_status_and_media_type(site: Site) -> None:
    specification = sidecar()
    models = specification["paths"]["/v1/models"]["get"]["responses"]
    gateway = Gateway(**{"GET /v1/models": Reply(200, b"m", content_type="text/plain")})
    for documented, codes in (
        ({"description": "a list"}, []),
        ({"description": "a list", "content": {"text/plain": {"schema": {"type": "integer"}}}}, []),
        ({"description": "a list", "content": {"Text/*; q=1": {}}}, []),
        ({"description": "a list", "content": {"application/json": {}}}, ["answer-not-documented"]),
    ):
        models["200"] = documented
        verdict = site.verdict(gateway, spec_path=site.write("c.json", specification), released_spec_path="", served_path="")
        assert failing(verdict) == codes
    gateway.answers["GET /v1/models"] = Reply(200, b"{")
    models["200"] = {"description": "a list", "content": {"application/json": {}}}
    assert failing(site.verdict(gateway, spec_path=site.write("c.json", specification), released_spec_path="", served_path="")) == []


def test_the_document_itself_is_an_answer_where_it_is_documented(site: Site) -> None:
    specification = sidecar()
    answer = {"description": "this", "content": {"application/json": {"schema": {"type": "object", "required": ["openapi"]}}}}
    document_of = {"operationId": "getDocument", "responses": {"200": answer, "default": {"description": "an error"}}}
    specification["paths"]["/v1/openapi.json"] = {"get": document_of}
    path = site.write("c.json", specification)
    gateway = Gateway(**{"GET /v1/openapi.json": Reply(200, specification)})
    verdict = site.verdict(gateway, spec_path=path)
    assert (verdict["status"], verdict["examined"]["live answers"]) == ("pass", 7)
    gateway.answers["GET /v1/openapi.json"].content_type = "application/vnd.oai.openapi"
    assert failing(site.verdict(gateway, spec_path=path)) == ["answer-not-documented"]


def test_the_list_of_traces_is_called_when_there_is_one_to_list(site: Site) -> None:
    specification = sidecar()
    specification["paths"]["/v1/traces"] = {"get": {**specification["paths"]["/v1/models"]["get"], "operationId": "listTraces"}}
    gateway = Gateway(**{"GET /v1/openapi.json": Reply(200, specification)})
    sound = gateway.reply

    def reply(asked: str, token: str | None) -> Reply:
        sent = "POST /v1/chat/completions" in gateway.asked
        usual = sound(asked, token)
        return Reply(200, {"object": "list", "data": [{}] if sent else []}) if asked == "GET /v1/traces" else usual

    gateway.reply = reply  # type: ignore[method-assign]
    verdict = site.verdict(gateway, spec_path=site.write("changed.json", specification))
    assert failing(verdict) == ["answer-not-documented"]
    assert "GET /v1/traces: /data/0 breaks required" in verdict["reason"]


@pytest.mark.parametrize("base", ["", "/api", "/api/v1"])
def test_a_base_path_before_the_version_belongs_to_the_deployment(site: Site, base: str) -> None:
    specification = sidecar()
    specification["servers"] = [{"url": f"https://gw.example.org{base}"}]
    paths = specification["paths"]
    for number, path in enumerate(("/v1/traces", "/v1/webhooks")):
        paths[path] = {"get": {**paths["/v1/models"]["get"], "operationId": f"list{number}"}}
    if base.endswith("/v1"):
        specification["paths"] = {path[len("/v1") :]: item for path, item in paths.items()}
    listed = Reply(200, {"object": "list", "data": [{"id": "a"}]})
    gateway = Gateway(**{"GET /v1/openapi.json": Reply(200, specification), "GET /v1/traces": listed, "GET /v1/webhooks": listed})
    path = site.write("changed.json", specification)
    verdict = site.verdict(gateway, spec_path=path, released_spec_path="")
    assert (verdict["status"], failing(verdict), verdict["examined"]["live answers"]) == ("pass", [], 8)
    assert verdict["evidence"]["operations_not_called"] == []

    gateway.answers["GET /v1/webhooks"] = Reply(200, {"object": "list"})
    verdict = site.verdict(gateway, spec_path=path, released_spec_path="")
    assert failing(verdict) == ["answer-not-documented"]
    assert "GET /v1/webhooks: the body breaks required" in verdict["reason"]


def test_another_version_in_the_base_path_documents_other_operations(site: Site) -> None:
    specification = sidecar()
    specification["servers"] = [{"url": "https://gw.example.org/api/v2"}]
    specification["paths"] = {path[len("/v1") :]: item for path, item in specification["paths"].items()}
    gateway = Gateway(**{"GET /v1/openapi.json": Reply(200, specification)})
    verdict = site.verdict(gateway, spec_path=site.write("changed.json", specification), released_spec_path="")
    assert failing(verdict) == ["answer-not-documented"]
    assert "GET /v1/models: the operation is not documented" in verdict["reason"]


def test_the_unknown_trace_has_an_id_of_the_same_form(site: Site) -> None:
    gateway = Gateway()
    site.verdict(gateway)
    (asked,) = (line for line in gateway.asked if line.endswith("/status") and line != STATUS)
    assert re.fullmatch(r"GET /v1/traces/[0-9][a-f][0-9][a-f][0-9][a-f]/status", asked)


def test_openapi_30_answers_are_read_with_its_null(site: Site) -> None:
    specification = json.loads(json.dumps(sidecar()).replace('["string", "null"]', '"string"'))
    specification["openapi"] = "3.0.3"
    for schema in (
        specification["components"]["schemas"]["TraceStatus"]["properties"]["error"],
        specification["components"]["responses"]["Error"]["content"]["application/json"]["schema"]["properties"]["error"]["properties"][
            "code"
        ],
    ):
        schema["nullable"] = True
    path = site.write(
        "old.json",
        json.loads(
            json.dumps(specification)
            .replace('{"const": "list"}', '{"enum": ["list"]}')
            .replace('{"const": "hif-1"}', '{"enum": ["hif-1"]}')
        ),
    )
    gateway = Gateway(**{"GET /v1/openapi.json": Reply(200, Path(path).read_bytes())})
    verdict = site.verdict(gateway, spec_path=path)
    assert (verdict["status"], verdict["examined"]["live answers"]) == ("pass", 6)
    gateway.answers["GET /v1/models"] = Reply(200, {"object": "list", "data": [{"id": None}]})
    assert failing(site.verdict(gateway, spec_path=path)) == ["answer-not-documented"]
