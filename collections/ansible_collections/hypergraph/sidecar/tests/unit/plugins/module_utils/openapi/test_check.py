# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""api_versioning as a whole: files on disk, a gateway over HTTP, and the verdict that comes of them."""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection, Token
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import Examination
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi import check, document
from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi.artifacts import judge_specification
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import SIDECAR, sidecar
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.stand_in import (
    GRAPH,
    STATUS,
    TOKEN,
    Gateway,
    Reply,
    graph,
    refusal,
    serving,
)

WRITER = Token("writer", TOKEN, "alpha", frozenset({"traces:read", "traces:write"}))
READER = Token("reader", TOKEN, "alpha", frozenset({"traces:read"}))
CHANGES = "# Changes\n\n## ADR\n\nOne for each decision.\n\n## Freeze policy\n\nNo deploys on Fridays.\n"
UNKNOWN_VERSION = "GET /v2/models"


class Site:
    """The files of an environment, and one run of the check over them and a gateway."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.params: dict[str, Any] = {
            "spec_path": self.write("api.yaml", sidecar()),
            "released_spec_path": self.write("released.yaml", sidecar()),
            "change_document_path": self.write("change.md", CHANGES),
            "served_path": "/v1/openapi.json",
            "served_may_differ": ["/servers"],
            "unversioned_paths": [],
            "model": "m",
            "trace_deadline": 0.2,
        }

    def write(self, name: str, content: Any) -> str:
        path = self.folder / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    def verdict(
        self,
        gateway: Gateway | None = None,
        *,
        tokens: tuple[Token, ...] = (WRITER,),
        auth_mode: str = "static",
        check_mode: bool = False,
        **params: Any,
    ) -> dict[str, Any]:
        verdict = Verdict("api_versioning")
        with serving(gateway or Gateway()) as service:
            connection = Connection(service.url, tokens, auth_mode=auth_mode, timeout=5.0)
            try:
                check.examine(Examination(verdict, connection, {**self.params, **params}, check_mode))
            except CheckError as fault:
                verdict.error(fault.reason_code, fault.reason, fault.action)
        return verdict.to_dict()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def failing(verdict: dict[str, Any]) -> list[str]:
    return [assertion["reason_code"] for assertion in verdict["assertions"] if not assertion["ok"]]


def skipped(verdict: dict[str, Any]) -> str:
    return "; ".join(f"{skip['skip_class']}: {skip['reason']}" for skip in verdict["skips"])


def test_a_sound_environment_passes_and_says_what_was_examined(site: Site) -> None:
    gateway = Gateway()
    verdict = site.verdict(gateway)
    assert (verdict["status"], verdict["skips"], failing(verdict)) == ("pass", [], [])
    assert verdict["examined"] == {
        "paths": 4,
        "operations": 4,
        "released operations compared": 4,
        "rules of compatible change": 36,
        "change document sections": 3,
        "live answers": 6,
    }
    assert len(verdict["assertions"]) == 13
    assert verdict["evidence"]["operations_not_called"] == []
    assert gateway.asked.count("POST /v1/chat/completions") == 1
    assert UNKNOWN_VERSION in gateway.asked
    assert TOKEN not in json.dumps(verdict)


SPECIFICATION: list[tuple[Callable[[dict[str, Any]], Any], str, str]] = [
    (lambda d: d["info"].pop("title"), "spec-invalid", "#/info: 'title' is a required property"),
    (lambda d: d["paths"].update({"/internal/reset": copy.deepcopy(d["paths"]["/v1/models"])}), "spec-invalid", "is not unique"),
    (
        lambda d: d["paths"].update({"/internal/reset": {"post": {**d["paths"]["/v1/models"]["get"], "operationId": "reset"}}}),
        "path-not-versioned",
        "1 documented path(s) outside a version: /internal/reset",
    ),
    (lambda d: d["paths"]["/v1/models"]["get"].pop("operationId"), "spec-incomplete", "GET /v1/models: no operationId"),
    (
        lambda d: d["components"]["schemas"]["TraceStatus"]["properties"].pop("error"),
        "breaking-change",
        "1 breaking change(s) from version 1.4.0 to 1.4.0: response-property-removed at #/components/schemas/TraceStatus/properties/error",
    ),
]


@pytest.mark.parametrize(("change", "code", "reason"), SPECIFICATION)
def test_a_defect_of_the_specification_fails_by_its_own_code_only(site: Site, change: Callable[[Any], Any], code: str, reason: str) -> None:
    specification = sidecar()
    change(specification)
    gateway = Gateway(**{"GET /v1/openapi.json": Reply(200, specification)})
    verdict = site.verdict(gateway, spec_path=site.write("changed.json", specification))
    assert (verdict["status"], failing(verdict)) == ("fail", [code])
    assert reason in verdict["reason"]
    assert verdict["action"]


def test_an_invalid_specification_leaves_the_rest_unexamined_and_says_so(site: Site) -> None:
    specification = sidecar()
    specification["info"] = {}
    verdict = site.verdict(spec_path=site.write("changed.json", specification))
    assert failing(verdict) == ["spec-invalid", "served-differs"]
    assert "versions, completeness, compatible change and live answers" in skipped(verdict)
    assert "live answers" not in verdict["examined"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("openapi: 3.1.0\nopenapi: 3.0.0\n", "api.yml: line 2: key 'openapi' occurs twice"),
        ("paths:\n\t/v1: {}\n", "indented with a tab"),
        (b"\xff\xfe", "not UTF-8"),
        ("[]", "it is a list"),
        (
            "a: &a [x, x, x, x, x, x, x, x]\n"
            + "\n".join(f"b{n}: &b{n} [{', '.join(['*a' if n == 0 else f'*b{n - 1}'] * 9)}]" for n in range(9)),
            "200000 values",
        ),
    ],
)
def test_an_unreadable_specification_fails_and_the_service_is_still_examined(site: Site, content: Any, reason: str) -> None:
    verdict = site.verdict(spec_path=site.write("api.yml", content))
    assert (verdict["reason_code"], failing(verdict)) == ("spec-unreadable", ["spec-unreadable"])
    assert reason in verdict["reason"]
    assert {"a graph declares hif-1", "a version that is not documented is not served"} <= {one["name"] for one in verdict["assertions"]}


def test_references_to_other_files_are_an_error_of_the_configuration(site: Site) -> None:
    specification = sidecar()
    specification["components"]["schemas"]["Graph"] = {"$ref": "hif.yaml"}
    verdict = site.verdict(spec_path=site.write("changed.json", specification), served_path="")
    assert (verdict["status"], verdict["reason_code"]) == ("error", "spec-not-bundled")


def test_a_path_may_be_exempt_from_versions(site: Site) -> None:
    specification = sidecar()
    specification["paths"]["/healthz"] = {"get": {**specification["paths"]["/v1/models"]["get"], "operationId": "health"}}
    gateway = Gateway(**{"GET /v1/openapi.json": Reply(200, specification)})
    verdict = site.verdict(gateway, spec_path=site.write("changed.json", specification), unversioned_paths=["/healthz"])
    assert verdict["status"] == "pass"
    assert verdict["evidence"]["operations_not_called"] == ["GET /healthz"]


def test_a_new_major_version_permits_a_break_and_keeps_it_as_evidence(site: Site) -> None:
    specification = sidecar()
    del specification["components"]["schemas"]["TraceStatus"]["properties"]["error"]
    specification["info"]["version"] = "2.0.0"
    verdict = site.verdict(spec_path=site.write("changed.json", specification), served_path="")
    assert verdict["status"] == "pass"
    assert "response-property-removed" in verdict["evidence"]["breaking_changes"][0]
    assert verdict["metrics"] == {"breaking_changes_count": 1}

    specification["info"]["version"] = "two"
    assert failing(site.verdict(spec_path=site.write("changed.json", specification), served_path="")) == ["breaking-change"]


def test_an_optional_addition_and_a_new_version_of_a_path_are_no_break(site: Site) -> None:
    specification = sidecar()
    specification["components"]["schemas"]["TraceStatus"]["properties"]["cost"] = {"type": "number"}
    second = copy.deepcopy(specification["paths"]["/v1/models"])
    second["get"]["operationId"] = "listModelsV2"
    second["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "array"}
    specification["paths"]["/v2/models"] = second
    gateway = Gateway(**{"GET /v1/openapi.json": Reply(200, specification), UNKNOWN_VERSION: Reply(200, [])})
    verdict = site.verdict(gateway, spec_path=site.write("changed.json", specification))
    assert verdict["status"] == "pass"
    assert "GET /v3/models" in gateway.asked


def test_files_that_are_not_there_or_not_named(site: Site) -> None:
    missing = str(site.folder / "missing")
    verdict = site.verdict(spec_path=missing)
    assert (verdict["status"], verdict["reason_code"]) == ("error", "file-unreadable")
    assert verdict["reason"] == f"spec_path {missing}: No such file or directory"
    assert site.verdict(released_spec_path=missing)["reason"] == f"released_spec_path {missing}: No such file or directory"
    verdict = site.verdict(change_document_path=missing)
    assert (verdict["status"], failing(verdict)) == ("fail", ["change-doc-missing"])

    verdict = site.verdict(released_spec_path=None, change_document_path="", served_path="")
    assert verdict["status"] == "pass"
    for part in ("breaking changes, since released_spec_path is not set", "the change-management document", "the served document"):
        assert f"disabled_by_config: {part}" in skipped(verdict)


def test_broken_companions_are_errors(site: Site) -> None:
    broken = site.write("broken", b"\xff")
    assert site.verdict(released_spec_path=broken)["reason_code"] == "released-spec-unreadable"
    assert site.verdict(change_document_path=broken)["reason_code"] == "change-doc-unreadable"
    assert site.verdict(change_document_path=str(site.folder))["reason_code"] == "change-doc-unreadable"
    beneath = f"{broken}/beneath"
    assert site.verdict(change_document_path=beneath)["reason_code"] == "file-unreadable"
    union = {"oneOf": [{"const": number} for number in range(9)]}
    large = sidecar()
    large["components"]["schemas"]["ChatRequest"] = {"allOf": [union, union]}
    assert site.verdict(released_spec_path=site.write("large.json", large))["reason_code"] == "comparison-too-large"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("# Changes\n\n## Freeze\n\nFridays.\n", ["change-doc-missing-adr"]),
        ("# Changes\n\n## ADR\n\nOne each. A freeze is on Fridays.\n", ["change-doc-missing-freeze"]),
        ("nothing", ["change-doc-missing-adr", "change-doc-missing-freeze"]),
    ],
)
def test_a_change_document_without_its_sections(site: Site, text: str, codes: list[str]) -> None:
    assert failing(site.verdict(change_document_path=site.write("c.md", text))) == codes


def test_a_served_document_that_differs_is_told_by_pointer(site: Site) -> None:
    served = sidecar()
    served["info"]["version"] = "1.3.0"
    gateway = Gateway(**{"GET /v1/openapi.json": Reply(200, served)})
    verdict = site.verdict(gateway)
    assert failing(verdict) == ["served-differs"]
    assert verdict["reason"].endswith('in 1 place(s): #/info/version is "1.4.0" in the file, "1.3.0" in the served document')
    assert site.verdict(gateway, served_may_differ=["/servers", "/info/version"])["status"] == "pass"


@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (refusal(404), "fail", "served-missing"),
        (refusal(500), "error", "served-unreadable"),
        (refusal(403), "pass", ""),
        (Reply(200, b"<html>", content_type="text/html"), "error", "served-unreadable"),
        (Reply(200, b"a" * (document.MAX_BYTES + 1)), "error", "answer-too-large"),
    ],
)
def test_a_served_document_that_is_not_there_or_not_one(site: Site, reply: Reply, status: str, code: str) -> None:
    verdict = site.verdict(Gateway(**{"GET /v1/openapi.json": reply}))
    assert (verdict["status"], verdict["reason_code"]) == (status, code)
    if status == "pass":
        assert "blocked_by:gateway_rbac: the served document, since GET /v1/openapi.json answered 403" in skipped(verdict)


def test_a_served_document_may_be_yaml_at_another_place(site: Site) -> None:
    text = SIDECAR.read_bytes()
    gateway = Gateway(**{"GET /v1/api": Reply(200, text, content_type="application/yaml")})
    assert site.verdict(gateway, served_path="/v1/api")["status"] == "pass"
    assert site.verdict(gateway, served_path="https://elsewhere.example.org/")["reason_code"] == "bad-argument"


def test_without_a_file_the_served_document_is_judged(site: Site) -> None:
    verdict = site.verdict(spec_path="")
    assert verdict["status"] == "pass"
    assert verdict["examined"]["live answers"] == 6
    broken = sidecar()
    broken["components"]["schemas"]["TraceStatus"]["required"].remove("state")
    verdict = site.verdict(Gateway(**{"GET /v1/openapi.json": Reply(200, broken)}), spec_path="")
    assert failing(verdict) == ["breaking-change"]


def redirect(location: str) -> Reply:
    return Reply(308, b"", {"Location": location})


@pytest.mark.parametrize("pointer", ["", "servers", "#/servers"])
def test_what_may_differ_is_named_by_pointers_below_the_document(site: Site, pointer: str) -> None:
    gateway = Gateway(**{"GET /v1/openapi.json": Reply(200, {"openapi": "3.1.0"})})
    verdict = site.verdict(gateway, served_may_differ=[pointer])
    assert (verdict["status"], verdict["reason_code"]) == ("error", "bad-argument")
    assert repr(pointer) in verdict["reason"]
    assert gateway.asked == []
    assert failing(site.verdict(gateway, served_may_differ=[])) == ["served-differs"]


def test_a_release_compared_with_itself_is_named_as_not_examined(site: Site) -> None:
    path = site.params["spec_path"]
    link = site.folder / "released-link.yaml"
    link.symlink_to(path)
    for released in (path, str(link)):
        verdict = site.verdict(released_spec_path=released)
        assert verdict["status"] == "pass"
        assert "breaking changes, since released_spec_path is the specification itself" in skipped(verdict)
        assert "released operations compared" not in verdict["examined"]


LIVE: list[tuple[str, Reply, str, str]] = [
    (UNKNOWN_VERSION, Reply(200, {}), "unversioned-alias", "GET /v2/models answered 200"),
    (UNKNOWN_VERSION, redirect("/v1/models"), "unversioned-alias", "GET /v2/models answered 308 redirecting to /v1/models"),
    (UNKNOWN_VERSION, redirect("https://gw.example.org/api/v1/models/?page=1"), "unversioned-alias", "redirecting to /v1/models"),
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
    (
        STATUS.replace("0f3a9c", "unknown"),
        Reply(404, {"detail": "no"}),
        "answer-not-documented",
        "of an unknown trace: the body breaks required",
    ),
]


@pytest.mark.parametrize(("line", "reply", "code", "reason"), LIVE)
def test_an_answer_that_is_not_as_documented(site: Site, line: str, reply: Reply, code: str, reason: str) -> None:
    gateway = Gateway(**{line: reply})
    if "unknown" in line:
        sound = gateway.reply
        gateway.reply = lambda asked, token: reply if asked.endswith("/status") and asked != STATUS else sound(asked, token)  # type: ignore[method-assign]
    verdict = site.verdict(gateway)
    assert (verdict["status"], failing(verdict)) == ("fail", [code])
    assert reason in verdict["reason"]


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


def test_lists_are_called_where_they_are_documented(site: Site) -> None:
    specification = sidecar()
    for number, path in enumerate(("/v1/traces", "/v1/webhooks")):
        specification["paths"][path] = {"get": {**specification["paths"]["/v1/models"]["get"], "operationId": f"list{number}"}}
    listed = Reply(200, {"object": "list", "data": [{"id": "a"}]})
    gateway = Gateway(**{"GET /v1/openapi.json": Reply(200, specification), "GET /v1/traces": listed, "GET /v1/webhooks": listed})
    verdict = site.verdict(gateway, spec_path=site.write("changed.json", specification))
    assert (verdict["status"], verdict["examined"]["live answers"]) == ("pass", 8)


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


@pytest.mark.parametrize("base", ["/api", "/api/v1"])
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


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 501])
def test_an_unknown_version_may_be_refused_or_not_found(site: Site, status: int) -> None:
    assert site.verdict(Gateway(**{UNKNOWN_VERSION: refusal(status)}))["status"] == "pass"


@pytest.mark.parametrize(
    "reply",
    [
        *(refusal(status) for status in (429, 500, 502, 503, 504)),
        redirect("https://login.example.org/v1/authorize"),
        redirect("/v2/models/"),
        redirect("//[broken"),
        Reply(304, b""),
    ],
)
def test_an_answer_that_says_nothing_about_an_unknown_version_is_no_pass(site: Site, reply: Reply) -> None:
    verdict = site.verdict(Gateway(**{UNKNOWN_VERSION: reply}))
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "unknown-version-unexplained")
    assert f"GET /v2/models answered {reply.status}" in verdict["reason"]


def test_without_a_specification_a_redirect_to_the_known_list_is_an_alias(site: Site) -> None:
    unreadable = site.write("api.yml", "[]")
    verdict = site.verdict(Gateway(**{UNKNOWN_VERSION: redirect("/v1/models")}), spec_path=unreadable)
    assert failing(verdict) == ["spec-unreadable", "unversioned-alias"]


# Findings of other checks: they leave this one green, and it says what it could not examine.
OF_OTHERS: list[tuple[str, Reply, str]] = [
    (GRAPH, Reply(200, json.dumps(graph()).replace("0.5", "NaN").encode()), ""),
    (GRAPH, Reply(200, graph(trace_id="another")), ""),
    (GRAPH, refusal(500), "blocked_by:trace_workflow: the answer to GET /v1/traces/{trace_id}/graph, which was 500 where 200 was meant"),
    (
        STATUS,
        Reply(200, {"trace_id": "0f3a9c", "state": "running"}),
        "blocked_by:trace_workflow: the graph, since its trace did not complete",
    ),
    (STATUS, Reply(200, {"trace_id": "0f3a9c", "state": "failed"}), "the graph, since its trace did not complete: failed"),
    (STATUS, refusal(403), "the answer to GET /v1/traces/{trace_id}/status, which was 403 where 200 was meant"),
    ("POST /v1/chat/completions", refusal(502), "the answer to POST /v1/chat/completions, which was 502 where 200 was meant"),
    ("POST /v1/chat/completions", Reply(200, {"id": "c", "choices": [{}]}), "trace answers, since the chat carried no x-trace-id"),
    ("GET /v1/models", refusal(403), "an unknown version, since /v1/models itself answered 403"),
]


@pytest.mark.parametrize(("line", "reply", "said"), OF_OTHERS)
def test_a_defect_of_another_check_leaves_this_one_green(site: Site, line: str, reply: Reply, said: str) -> None:
    verdict = site.verdict(Gateway(**{line: reply}))
    assert (verdict["status"], failing(verdict)) == ("pass", [])
    assert said in skipped(verdict)


@pytest.mark.parametrize("status", [200, 500])
def test_an_unknown_trace_that_is_found_is_left_to_trace_workflow(site: Site, status: int) -> None:
    gateway = Gateway()
    sound = gateway.reply
    gateway.reply = lambda asked, token: (  # type: ignore[method-assign]
        Reply(status, {}) if asked.endswith("/status") and asked != STATUS else sound(asked, token)
    )
    verdict = site.verdict(gateway)
    assert verdict["status"] == "pass"
    assert f"status of an unknown trace, which was {status} where 404 was meant" in skipped(verdict)


def test_an_open_door_is_left_to_gateway_rbac(site: Site) -> None:
    verdict = site.verdict(Gateway(open_door=True))
    assert verdict["status"] == "pass"
    assert "blocked_by:gateway_rbac: the answer to GET /v1/models without token, which was 200 where 401 was meant" in skipped(verdict)


def test_without_token_only_what_needs_none_is_examined(site: Site) -> None:
    verdict = site.verdict(tokens=())
    assert (verdict["status"], verdict["examined"]["live answers"]) == ("pass", 1)
    assert "dependency_missing: the served document and answers to callers with a token, since there is no token" in skipped(verdict)


def test_without_a_token_that_may_write_no_chat_is_sent(site: Site) -> None:
    gateway = Gateway()
    verdict = site.verdict(gateway, tokens=(READER,))
    assert (verdict["status"], verdict["examined"]["live answers"]) == ("pass", 2)
    assert "the check needs tokens with traces:write and traces:read" in skipped(verdict)
    assert not any(line.startswith("POST") for line in gateway.asked)


def test_check_mode_sends_no_chat(site: Site) -> None:
    gateway = Gateway()
    verdict = site.verdict(gateway, check_mode=True)
    assert verdict["status"] == "pass"
    assert "check mode: no chat was sent" in skipped(verdict)
    assert not any(line.startswith("POST") for line in gateway.asked)


def test_without_enforced_tokens_everything_but_the_refusal_is_examined(site: Site) -> None:
    verdict = site.verdict(Gateway(open_door=True), tokens=(), auth_mode="none")
    assert (verdict["status"], verdict["skips"]) == ("pass", [])
    assert verdict["examined"]["live answers"] == 5


def test_a_service_that_is_down_is_an_error_beside_what_the_artifacts_say(site: Site) -> None:
    verdict = Verdict("api_versioning")
    connection = Connection("http://127.0.0.1:1", (WRITER,), timeout=1.0)
    with pytest.raises(CheckError) as fault:
        check.examine(Examination(verdict, connection, site.params))
    assert fault.value.reason_code == "service-unreachable"
    assert len(verdict.records.assertions) == 8


def test_no_live_answer_is_no_pass(site: Site) -> None:
    gateway = Gateway()
    gateway.reply = lambda asked, token: refusal(503)  # type: ignore[method-assign]
    verdict = site.verdict(gateway, served_path="")
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "no-live-answer")
    assert "none of 4 live calls" in verdict["reason"]


def test_an_open_door_without_tokens_leaves_the_artifacts_judged(site: Site) -> None:
    verdict = site.verdict(Gateway(open_door=True), tokens=())
    assert (verdict["status"], "live answers" in verdict["examined"]) == ("pass", False)
    assert "since there is no token" in skipped(verdict)


def test_the_unknown_trace_has_an_id_of_the_same_form(site: Site) -> None:
    gateway = Gateway()
    site.verdict(gateway)
    (asked,) = (line for line in gateway.asked if line.endswith("/status") and line != STATUS)
    assert re.fullmatch(r"GET /v1/traces/[0-9][a-f][0-9][a-f][0-9][a-f]/status", asked)


def test_a_specification_without_paths_is_no_pass() -> None:
    verdict = Verdict("api_versioning")
    run = Examination(verdict, Connection("http://127.0.0.1:1"), {"unversioned_paths": [], "released_spec_path": ""})
    assert judge_specification(run, {"openapi": "3.1.0", "info": {"title": "t", "version": "1.0.0"}, "paths": {}})
    told = verdict.to_dict()
    assert (told["status"], told["reason"]) == ("inconclusive", "0 operations, paths examined")


def test_a_missing_validator_skips_its_part_and_names_itself(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openapi_spec_validator", None)
    verdict = site.verdict()
    assert verdict["status"] == "pass"
    assert "dependency_missing: validity of the specification, since the Python library openapi_spec_validator" in skipped(verdict)


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
