# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole check against a small service with a ladder of its own, which a test spoils in one place."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.modules.backpressure_probe import main
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.backpressure.test_aftermath import GRAPH, META
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.service import CHAT, Request, answer, serving
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

TOKEN = {"name": "alpha-writer", "token": "Zq8vX3c9K1m2n3p4", "tenant_id": "alpha", "scopes": ["traces:write", "traces:read"]}
_TRIES = 4
METRICS = """# TYPE backpressure_level gauge
backpressure_level {level}
# TYPE backpressure_actions_total counter
backpressure_actions_total{{action="refuse-attach"}} {refused}
backpressure_actions_total{{action="reduce-topk"}} {cheaper}
# TYPE http_requests_total counter
http_requests_total{{status="429"}} {refused}
"""


class Ladder:
    """A service that completes so many explanations per second, one after another, and refuses when some wait."""

    retry_after: str | None = "1"
    makes_per_s = 25.0
    hard = 6

    def __init__(self) -> None:
        self.ready_at: dict[str, float] = {}
        self.free_at = 0.0
        self.refused = self.cheaper = 0

    def waiting(self) -> int:
        return sum(moment > time.monotonic() for moment in self.ready_at.values())

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        path = request.head.split(b" ", 2)[1].decode()
        if request.is_chat:
            writer.write(self.chat(request))
        elif path.endswith("/metrics"):
            level = 2 if self.waiting() >= self.hard else 0
            text = METRICS.format(level=level, refused=self.refused, cheaper=self.cheaper)
            writer.write(answer(text.encode(), "Content-Type: text/plain; version=0.0.4"))
        elif path.endswith("/status"):
            writer.write(self.status(path.split("/")[3]))
        else:
            trace_id = path.split("/")[3]
            writer.write(answer(json.dumps({**GRAPH, "meta": {**META, "trace_id": trace_id}}).encode()))

    def chat(self, request: Request) -> bytes:
        if not request.header("x-explain-mode"):
            return answer(CHAT)
        if self.waiting() >= self.hard:
            self.refused += 1
            return answer(b"{}", *([f"Retry-After: {self.retry_after}"] if self.retry_after else []), status="429 Too Many Requests")
        self.cheaper += 1
        self.free_at = max(self.free_at, time.monotonic()) + 1 / self.makes_per_s
        trace_id = f"tr-{request.number}"
        self.ready_at[trace_id] = self.free_at
        return answer(CHAT, f"x-trace-id: {trace_id}")

    def status(self, trace_id: str) -> bytes:
        state = "complete" if self.ready_at[trace_id] <= time.monotonic() else "queued"
        return answer(json.dumps({"trace_id": trace_id, "state": state}).encode())


class Rude(Ladder):
    retry_after = None


class Forgetful(Ladder):
    """One in four of its traces is never known again."""

    def status(self, trace_id: str) -> bytes:
        if int(trace_id[3:]) % 4 == 0:
            return answer(b"{}", status="404 Not Found")
        return super().status(trace_id)


class Roomy(Ladder):
    hard = 10_000
    makes_per_s = 10_000.0


def probed(service: Ladder, monkeypatch: pytest.MonkeyPatch, capsys: Any, directory: Path, **told: Any) -> dict[str, Any]:
    with serving(service) as reached:
        arguments = {
            "base_url": reached.url,
            "tokens": [TOKEN],
            "endpoints": [{"name": "gateway", "url": f"{reached.url}/metrics"}],
            "start_rate": 15,
            "max_rate": 60,
            "growth": 2,
            "step_seconds": 2,
            "hold": 3,
            "chat_rate": 20,
            "correlation_seconds": 0.05,
            "connections": 8,
            "trace_budget": 6,
            "recovery_within": 5,
            "sample_interval": 0.1,
            "graphs": 3,
            "directory": str(directory),
            **told,
        }
        return run_main(main, arguments, monkeypatch, capsys)["verdict"]


@pytest.mark.parametrize(
    ("service", "status", "code"),
    [
        (Ladder, "pass", ""),
        (Rude, "fail", "retry-after-missing"),
        (Forgetful, "fail", "trace-lost"),
        (Roomy, "inconclusive", "saturation-not-reached"),
    ],
)
def test_a_service_is_driven_into_refusing_and_judged_by_how_it_does(
    service: type[Ladder], status: str, code: str, monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    # Where this machine is too busy to drive a load, the verdict says so, and it is driven again.
    for attempt in range(_TRIES):
        directory = tmp_path / str(attempt)
        directory.mkdir()
        verdict = probed(service(), monkeypatch, capsys, directory)
        if verdict["reason_code"] != "generator-unhealthy":
            break
    assert (verdict["status"], verdict["reason_code"]) == (status, code), verdict["reason"]
    steps = {row["step"]: row for row in verdict["evidence"]["steps"]}
    if service is Roomy:
        assert list(steps) == ["15/s", "30/s", "60/s"]
        assert verdict["assertions"] == []
    else:
        assert verdict["examined"]["refusals"] > 20
        assert steps["overload"]["offered_per_s"] == 2 * steps["saturation"]["offered_per_s"] == 60
        assert {path.name for path in directory.iterdir()} == {"search", "attached", "plain"}


@pytest.mark.parametrize(
    ("told", "code", "said"),
    [
        ({"deadline": 10}, "bad-argument", "deadline is 10 s, but the load, its explanations and the recovery may take"),
        ({"start_rate": 90}, "bad-argument", "start_rate is 90, expected at most max_rate"),
        ({"growth": 1}, "bad-argument", "growth is 1.0, expected 1.05 to 10"),
        ({"tokens": []}, "token-missing", "no token carries both"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_driven(
    told: dict[str, Any], code: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    verdict = probed(Ladder(), monkeypatch, capsys, tmp_path, **told)
    assert (verdict["status"], verdict["reason_code"]) == ("error", code)
    assert said in verdict["reason"]
    assert list(tmp_path.iterdir()) == []


def test_in_check_mode_nothing_is_driven(monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> None:
    verdict = probed(Ladder(), monkeypatch, capsys, tmp_path, _ansible_check_mode=True)
    assert verdict["status"] == "skip"
    assert list(tmp_path.iterdir()) == []
