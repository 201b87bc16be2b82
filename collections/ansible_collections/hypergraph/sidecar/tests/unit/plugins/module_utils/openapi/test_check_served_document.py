# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the whole check finds in the document that the gateway serves, beside the file or instead of it."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi import document
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import SIDECAR, sidecar
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.examined_site import Site, failing, skipped
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.stand_in import Gateway, Reply, refusal


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


@pytest.mark.parametrize("pointer", ["", "servers", "#/servers"])
def test_what_may_differ_is_named_by_pointers_below_the_document(site: Site, pointer: str) -> None:
    gateway = Gateway(**{"GET /v1/openapi.json": Reply(200, {"openapi": "3.1.0"})})
    verdict = site.verdict(gateway, served_may_differ=[pointer])
    assert (verdict["status"], verdict["reason_code"]) == ("error", "bad-argument")
    assert repr(pointer) in verdict["reason"]
    assert gateway.asked == []
    assert failing(site.verdict(gateway, served_may_differ=[])) == ["served-differs"]
