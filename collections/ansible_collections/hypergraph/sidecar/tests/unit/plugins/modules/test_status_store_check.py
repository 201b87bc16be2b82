# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module status_store_check as Ansible runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.modules import status_store_check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

NOWHERE = "http://127.0.0.1:9"


def test_it_reads_a_file_in_check_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    (tmp_path / "status.json").write_text(json.dumps({"t1": {"tenant_id": "alpha", "state": "complete"}}))
    arguments = {"base_url": NOWHERE, "path": str(tmp_path / "status.json"), "_ansible_check_mode": True}
    result = run_main(status_store_check.main, arguments, monkeypatch, capsys)
    assert "failed" not in result
    assert result["changed"] is False
    assert (result["verdict"]["check"], result["verdict"]["status"]) == ("tenant_isolation", "pass")
    assert "check mode" in result["msg"]


def test_a_missing_file_is_a_verdict_and_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    result = run_main(status_store_check.main, {"base_url": NOWHERE, "path": str(tmp_path / "none.json")}, monkeypatch, capsys)
    assert "failed" not in result
    assert (result["verdict"]["status"], result["verdict"]["reason_code"]) == ("error", "status-store-missing")


def test_an_unknown_backend_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    result = run_main(status_store_check.main, {"base_url": NOWHERE, "backend": "redis"}, monkeypatch, capsys)
    assert result["failed"] is True
    assert "json, ddb" in result["msg"]
