# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module api_check as Ansible runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.modules import api_check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import SIDECAR
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.stand_in import TOKEN, Gateway, Reply, refusal, serving
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

TOKENS = [{"name": "writer", "token": TOKEN, "tenant_id": "alpha", "scopes": ["traces:read", "traces:write"]}]


def test_it_returns_a_verdict_with_its_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    changes = tmp_path / "change.md"
    changes.write_text("## ADR\n\nOne each.\n\n## Freeze\n\nOn Fridays.\n", encoding="utf-8")
    released = tmp_path / "released.yaml"
    released.write_bytes(SIDECAR.read_bytes())
    arguments = {"tokens": TOKENS, "spec_path": str(SIDECAR), "released_spec_path": str(released), "change_document_path": str(changes)}
    with serving(Gateway()) as gateway:
        result = run_main(api_check.main, {"base_url": gateway.url, **arguments}, monkeypatch, capsys)
    assert result["changed"] is False
    assert (result["verdict"]["check"], result["verdict"]["status"], result["verdict"]["skips"]) == ("api_versioning", "pass", [])
    assert result["msg"].startswith("pass: 13 assertions hold; examined 4 paths, 4 operations")


def test_a_defect_is_a_verdict_and_no_failure_of_the_task(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(Gateway(**{"GET /v2/models": Reply(200, {"token": TOKEN})})) as gateway:
        result = run_main(api_check.main, {"base_url": gateway.url, "tokens": TOKENS, "spec_path": str(SIDECAR)}, monkeypatch, capsys)
    assert "failed" not in result
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("fail", "unversioned-alias")
    result.pop("invocation")
    assert TOKEN not in json.dumps(result)


def test_empty_paths_count_as_not_given(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    nothing = {"spec_path": "", "released_spec_path": "", "change_document_path": "", "served_path": ""}
    with serving(Gateway(**{"GET /v1/models": refusal(500)})) as gateway:
        result = run_main(api_check.main, {"base_url": gateway.url, "tokens": [], **nothing}, monkeypatch, capsys)
    assert (result["verdict"]["status"], len(result["verdict"]["skips"])) == ("skip", 4)


def test_its_deadline_ends_it(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    gateway = Gateway()
    running = Reply(200, {"trace_id": "0f3a9c", "state": "running"})
    gateway.answers = {line: running if line.endswith("/status") else reply for line, reply in gateway.answers.items()}
    with serving(gateway):
        arguments = {"base_url": gateway.url, "tokens": TOKENS, "deadline": 1.0}
        result = run_main(api_check.main, arguments, monkeypatch, capsys)
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("error", "deadline-exceeded")
