# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run that died leaves: records that are whole, and a summary that can be made of them.

SIDECAR_CHAOS_KILLS says how many runs are killed, each at a random moment.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.histogram import index
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.rebuild import died, rebuild
from ansible_collections.hypergraph.sidecar.plugins.module_utils.rfc3339 import parse_utc
from ansible_collections.hypergraph.sidecar.plugins.modules import load_rebuild, slo_check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.runs import drive, driving
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.service import (
    CHAT,
    Request,
    answer,
    explaining,
    saying,
    serving,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

KILLS = int(os.environ.get("SIDECAR_CHAOS_KILLS", "5"))
PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def whole_lines(path: Path) -> list[dict[str, Any]]:
    """What a file has up to its last end of a line, all of which must be readable."""
    written = path.read_bytes()
    return [json.loads(line) for line in written[: written.rfind(b"\n") + 1].splitlines()]


@pytest.mark.parametrize("attempt", range(KILLS))
def test_killed_at_any_moment_it_leaves_what_it_measured(
    attempt: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(explaining()) as service:
        process = driving(service.url, tmp_path, begun=False, attach_rate=0.3, concurrency=8, poll_interval=0.02)
        time.sleep(random.Random(attempt).uniform(0, 2.5))
        process.kill()
        process.wait()
    lines = [line for name in ("chat", "explanation") for line in whole_lines(tmp_path / f"{name}_results.jsonl")]
    if not (tmp_path / "summary.json").exists():
        assert lines == []
        with pytest.raises(CheckError, match="no summary of a load run"):
            rebuild(tmp_path)
        return
    assert json.loads((tmp_path / "summary.json").read_bytes())["run"]["interrupted"] == "not ended yet"
    told = run_main(load_rebuild.main, {"directory": str(tmp_path)}, monkeypatch, capsys)
    assert (told["changed"], told["summary_path"]) == (True, str(tmp_path / "summary.json"))
    summary = json.loads((tmp_path / "summary.json").read_bytes())
    assert summary["run"]["interrupted"] == "rebuilt from records"
    assert summary["offered"]["sent"] == sum("g" not in line for line in lines)
    assert summary["traces"]["accepted"] == sum("g" not in line and line["a"] is not None for line in lines)
    kinds = {line.get("g", "chat") for line in lines}
    assert summary["classes"].keys() == kinds
    for kind in kinds:
        good = sorted(line["l"] for line in lines if line.get("g", "chat") == kind and line["e"] is None)
        measured = summary["classes"][kind]["steady"]
        assert measured["count"] == sum(line.get("g", "chat") == kind for line in lines)
        assert measured["ok"] == len(good)
        places = [index(us) for us in good]
        assert measured["histogram"]["buckets"] == [[place, places.count(place)] for place in sorted(set(places))]
        for name, fraction in PERCENTILES.items():
            exact = good[math.ceil(fraction * len(good)) - 1] / 1000
            assert exact <= measured["latency_ms"][name] <= exact * 1.001
    verdict = run_main(slo_check.main, {"summaries": [told["summary_path"]]}, monkeypatch, capsys)["verdict"]
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "run-interrupted")


def test_a_rebuilt_summary_counts_what_the_run_counted(tmp_path: Path) -> None:
    async def script(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.is_chat and request.number % 5 == 0:
            writer.write(answer(b"{}", status="503 x"))
        else:
            await explained(request, writer)

    explained = explaining()
    with serving(script) as service:
        told = {"attach_rate": 0.5, "rate": 50.0, "warmup": 0.5, "duration": 2.0, "poll_interval": 0.02, "slo_ms": {"chat": 0.5}}
        original = drive(service.url, tmp_path, load_model="open", **told)
    with (tmp_path / "chat_results.jsonl").open("ab") as file:
        file.write(b'{"t":1.5,"l":3')
    rebuilt = rebuild(tmp_path)
    for name, phases in original["classes"].items():
        for phase, measured in phases.items():
            again = rebuilt["classes"][name][phase]
            for member in ("count", "ok", "errors", "exceeding", "histogram", "latency_ms", "intervals_ms", "censored"):
                assert again[member] == measured[member], (name, phase, member)
            assert sum(again["batches"]["count"]) == measured["count"]
    assert rebuilt["plan"] == original["plan"]
    assert rebuilt["traces"] == original["traces"]
    assert rebuilt["status_codes"] == original["status_codes"]
    assert rebuilt["offered"]["sent"] == original["offered"]["sent"]


def test_one_that_died_soon_began_when_it_was_told_to(tmp_path: Path) -> None:
    """Not when it wrote its first summary, long before; the others that were told the same would be taken for late."""
    start_at = round(time.time() + 3, 6)
    with serving(explaining()) as service:
        process = driving(service.url, tmp_path, start_at=start_at)
        process.kill()
        process.wait()
    assert parse_utc(rebuild(tmp_path)["run"]["started_at"]).timestamp() == pytest.approx(start_at, abs=1e-5)


def test_what_is_no_run_cannot_be_rebuilt(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match=r"summary\.json is no summary of a load run"):
        rebuild(tmp_path)
    with pytest.raises(CheckError, match=r"summary\.json is no summary of a load run"):
        died(tmp_path)
    with serving(saying(answer(CHAT))) as service:
        drive(service.url, tmp_path, duration=0.1)
    lines = (tmp_path / "chat_results.jsonl").read_bytes()
    (tmp_path / "chat_results.jsonl").write_bytes(b"{}\n" + lines)
    with pytest.raises(CheckError, match=r"chat_results\.jsonl line 1 is no record"):
        rebuild(tmp_path)


def test_a_summary_is_rebuilt_once_and_never_that_of_a_run_that_wrote_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def asked(directory: Path, **arguments: Any) -> dict[str, Any]:
        return run_main(load_rebuild.main, {"directory": str(directory), **arguments}, monkeypatch, capsys)

    with serving(saying(answer(CHAT))) as service:
        whole = drive(service.url, tmp_path / "whole", duration=0.2)
        process = driving(service.url, tmp_path / "killed")
        give_up = time.monotonic() + 60
        while not (tmp_path / "killed/progress.json").exists():
            assert time.monotonic() < give_up
            time.sleep(0.02)
        refused = asked(tmp_path / "killed")
        assert (refused["failed"], refused["reason_code"]) == (True, "load-under-way")
        process.kill()
        process.wait()
    assert asked(tmp_path / "whole")["changed"] is False
    assert json.loads((tmp_path / "whole/summary.json").read_bytes()) == whole
    before = (tmp_path / "killed/summary.json").read_bytes()
    assert asked(tmp_path / "killed", _ansible_check_mode=True)["changed"] is True
    assert (tmp_path / "killed/summary.json").read_bytes() == before
    rebuilt = asked(tmp_path / "killed")
    assert rebuilt["load"]["requests"] == len(whole_lines(tmp_path / "killed/chat_results.jsonl")) > 0
    assert asked(tmp_path / "killed")["changed"] is False
    assert asked(tmp_path / "nothing")["reason_code"] == "no-load-run"
