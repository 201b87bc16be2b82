# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the whole check makes of the answer to a version that is not documented."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.examined_site import (
    UNKNOWN_VERSION,
    Site,
    failing,
    redirect,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.stand_in import Gateway, Reply, refusal


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(200, {}), "GET /v2/models answered 200"),
        (redirect("/v1/models"), "GET /v2/models answered 308 redirecting to /v1/models"),
        (redirect("https://gw.example.org/api/v1/models/?page=1"), "redirecting to /v1/models"),
    ],
)
def test_an_unknown_version_that_is_served_is_an_alias(site: Site, reply: Reply, reason: str) -> None:
    verdict = site.verdict(Gateway(**{UNKNOWN_VERSION: reply}))
    assert (verdict["status"], failing(verdict)) == ("fail", ["unversioned-alias"])
    assert reason in verdict["reason"]


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
