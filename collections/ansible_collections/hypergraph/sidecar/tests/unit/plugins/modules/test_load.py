# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load module: what it returns, and what it refuses before it sends anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.report import progress_line
from ansible_collections.hypergraph.sidecar.plugins.modules.load import main
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.service import explaining, serving
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

TOKEN = {"name": "alpha-writer", "token": "Zq8vX3c9K1m2n3p4", "tenant_id": "alpha", "scopes": ["traces:write", "traces:read"]}


def arguments(url: str, directory: Path, **told: Any) -> dict[str, Any]:
    brief = {"warmup": 0, "duration": 0.5, "concurrency": 2, "rate": 40, "poll_interval": 0.02}
    return {"base_url": url, "tokens": [TOKEN], "directory": str(directory), **brief, **told}


def test_it_returns_where_the_summary_is_and_what_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(explaining()) as service:
        result = run_main(main, arguments(service.url, tmp_path, environment="lab", attach_rate=1.0), monkeypatch, capsys)
    assert result["changed"] is True
    summary = json.loads(Path(result["summary_path"]).read_bytes())
    assert summary["run"]["environment"] == "lab"
    short = result["load"]
    assert short["requests"] == summary["classes"]["chat"]["steady"]["count"] > 5
    assert short["traces"] == summary["traces"]
    assert short["interrupted"] is None
    assert f"{short['requests']} requests in 0 s" in result["msg"] or f"{short['requests']} requests in 1 s" in result["msg"]
    assert f"{short['traces']['complete']} of {short['traces']['accepted']} explanations complete" in result["msg"]
    assert TOKEN["token"] not in json.dumps(result)


def test_in_check_mode_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(explaining()) as service:
        told = arguments(service.url, tmp_path / "results", _ansible_check_mode=True)
        result = run_main(main, told, monkeypatch, capsys)
        assert service.connections == 0
    assert result["skipped"] is True
    assert result["changed"] is False
    assert result["msg"].startswith("check mode: 0.5 s of load")
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("told", "code", "said"),
    [
        ({"attach_rate": 7}, "bad-load-plan", "attach_rate: it is 7.0, expected 0 to 1. Correct the argument."),
        ({"load_model": "open", "rate": None}, "bad-load-plan", "rate: the open model needs a rate"),
        ({"tokens": [{**TOKEN, "token": "short"}]}, "bad-token", "expected at least 8"),
        ({"tokens": []}, "token-missing", "there is no token with traces:write"),
        ({"base_url": "ftp://gateway"}, "bad-url", "it does not begin with http"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(
    told: dict[str, Any], code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    result = run_main(main, arguments("http://127.0.0.1:9", tmp_path / "results", **told), monkeypatch, capsys)
    assert result["failed"] is True
    assert result["reason_code"] == code
    assert said in result["msg"]
    assert not (tmp_path / "results").exists()


def test_a_line_of_progress_says_how_far_it_is() -> None:
    progress = {
        "elapsed_s": 65.2,
        "planned_s": 3720.0,
        "phase": "steady",
        "requests": 12000,
        "rate_per_s": 200.0,
        "p95_ms": 81.44,
        "errors": 3,
        "attached": 40,
        "complete": 38,
    }
    line = " ".join(progress_line(progress).split())
    assert line == "1:05/1:02:00 steady 12000 requests 200/s p95 81.4 ms 3 errors explanations 38/40"
    assert "p95 -" in " ".join(progress_line({**progress, "p95_ms": None}).split())
