# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the whole check finds in the files: the specification, the released one, and the change-management document."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import Examination
from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi.artifacts import judge_specification
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import sidecar
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.examined_site import (
    UNKNOWN_VERSION,
    Site,
    failing,
    skipped,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.stand_in import TOKEN, Gateway, Reply


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


def test_a_release_compared_with_itself_is_named_as_not_examined(site: Site) -> None:
    path = site.params["spec_path"]
    link = site.folder / "released-link.yaml"
    link.symlink_to(path)
    for released in (path, str(link)):
        verdict = site.verdict(released_spec_path=released)
        assert verdict["status"] == "pass"
        assert "breaking changes, since released_spec_path is the specification itself" in skipped(verdict)
        assert "released operations compared" not in verdict["examined"]


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
