# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs: pacing, latency from the intended start, explanations, and ends that were not planned."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load import polling
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.runs import (
    READER,
    SUBMITTER,
    drive,
    driving,
    records,
    total,
)
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.service import (
    CHAT,
    Request,
    answer,
    explaining,
    saying,
    serving,
)


def test_an_open_loop_sends_what_is_planned_and_counts_by_phase(tmp_path: Path) -> None:
    with serving(saying(answer(CHAT))) as service:
        summary = drive(service.url, tmp_path, load_model="open", rate=100.0, warmup=0.5, duration=1.0)
        assert len(service.chats()) == 150
    offered = summary["offered"]
    assert (offered["planned"], offered["sent"], offered["dropped"]) == (150, 150, 0)
    assert {name: measured["count"] for name, measured in summary["classes"]["chat"].items()} == {"warmup": 50, "steady": 100}
    due = sorted(line["t"] for line in records(tmp_path))
    assert due == pytest.approx([n / 100 for n in range(150)], abs=2e-6)
    assert sum(summary["classes"]["chat"]["steady"]["batches"]["count"]) == 100
    assert sum(summary["series"]["chat"]["count"]) <= 150


def test_a_stall_is_charged_to_all_that_would_have_been_asked_meanwhile(tmp_path: Path) -> None:
    """At 100/s a second of silence makes 100 of 300 wait, half of them longer than half a second; a closed loop would see two."""
    began: list[float] = []

    async def script(_request: Request, writer: asyncio.StreamWriter) -> None:
        began.append(time.monotonic())
        stalled_until = began[0] + 2.0
        if began[0] + 1.0 < time.monotonic() < stalled_until:
            await asyncio.sleep(stalled_until - time.monotonic())
        writer.write(answer(CHAT))

    with serving(script) as service:
        summary = drive(service.url, tmp_path, load_model="open", rate=100.0, duration=3.0, concurrency=4)
    measured = summary["classes"]["chat"]["steady"]
    assert measured["count"] == measured["ok"] == 300
    latencies = sorted(line["l"] / 1000 for line in records(tmp_path))
    # What was asked just after the silence began waited for all of it. The machine may add to that, never take away.
    assert sum(latency > 500 for latency in latencies) >= 45
    assert measured["exceeding"] == sum(latency > 500 for latency in latencies)
    assert measured["latency_ms"]["max"] > 900
    assert measured["latency_ms"]["p99"] == pytest.approx(latencies[296], rel=0.001)
    assert 0 < measured["latency_ms"]["p50"] < measured["latency_ms"]["p99"]


def test_what_waits_for_a_connection_longer_than_its_time_ends_in_a_timeout(tmp_path: Path) -> None:
    async def never(_request: Request, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    with serving(never) as service:
        summary = drive(service.url, tmp_path, timeout=0.3, load_model="open", rate=50.0, duration=1.0, concurrency=2)
        sent = len(service.chats())
    counted = total(summary)
    assert sent < 50
    assert counted["errors"] == {"timeout": counted["count"]}
    # What a busy machine did not get round to is dropped, and told.
    assert counted["count"] + summary["offered"]["dropped"] == summary["offered"]["planned"] == 50


def test_no_request_is_sent_on_a_connection_that_the_service_is_about_to_close(tmp_path: Path) -> None:
    """It closes what was idle for 1.3 s: of one half at once, of the other as late as it can, when the next request is there."""
    last: dict[asyncio.StreamWriter, float] = {}

    async def script(request: Request, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() - last.get(writer, loop.time()) > 1.3:
            writer.close()
            return
        writer.write(answer(CHAT))
        at = last[writer] = loop.time()
        if len(last) % 2:
            loop.call_later(1.3, lambda: last[writer] == at and writer.close())

    with serving(script) as service:
        # Each connection's turn comes every 1.6 s.
        summary = drive(service.url, tmp_path, load_model="open", rate=5, concurrency=8, duration=4.0)
    assert (total(summary)["ok"], total(summary)["errors"]) == (20, {})


def test_a_closed_loop_keeps_to_its_limit_and_its_callers(tmp_path: Path) -> None:
    under_way, most = [0], [0]

    async def script(_request: Request, writer: asyncio.StreamWriter) -> None:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        await asyncio.sleep(0.02)
        under_way[0] -= 1
        writer.write(answer(CHAT))

    with serving(script) as service:
        limited = drive(service.url, tmp_path / "limited", rate=20.0, duration=1.0, concurrency=8)
        assert 15 <= limited["offered"]["sent"] <= 22
        most[0] = 0
        free = drive(service.url, tmp_path / "free", concurrency=5)
    assert most[0] == 5
    assert free["offered"]["sent"] > 25


@pytest.mark.parametrize(
    ("end", "error", "counted_as"),
    [
        ("complete", None, "complete"),
        ("failed", "trace_failed", "failed"),
        ("expired", "trace_expired", "expired"),
        ("canceled", "trace_failed", "canceled"),
    ],
)
def test_explanations_are_followed_to_their_end(end: str, error: str | None, counted_as: str, tmp_path: Path) -> None:
    script = explaining(lambda polls: ("queued", "running", "500", end)[min(polls, 3)])
    with serving(script) as service:
        summary = drive(service.url, tmp_path, attach_rate=1.0, rate=20.0, poll_interval=0.02, granularity="mix")
    traces = summary["traces"]
    assert traces["accepted"] == traces[counted_as] == summary["offered"]["sent"] >= 5
    assert sum(traces.values()) == 2 * traces["accepted"]
    lines = records(tmp_path, "explanation")
    assert {(line["st"], line["e"]) for line in lines} == {(end, error)}
    assert {line["n"] for line in lines} == {4}
    assert {line["a"] for line in lines} == {line["a"] for line in records(tmp_path)}
    assert sum(total(summary, name)["count"] for name in ("sentence", "token")) == len(lines)


def test_an_explanation_that_does_not_end_is_unfinished_and_one_unknown_is_lost(tmp_path: Path) -> None:
    told = {"attach_rate": 1.0, "granularity": "sentence", "rate": 20.0, "poll_interval": 0.05}
    with serving(explaining(lambda _polls: "running")) as service:
        summary = drive(service.url, tmp_path / "slow", explanation_timeout=0.5, **told)
    assert summary["traces"]["unfinished"] == summary["traces"]["accepted"] > 0
    assert total(summary, "sentence")["errors"] == {"unfinished": summary["traces"]["accepted"]}
    assert total(summary, "sentence")["censored"] == summary["traces"]["accepted"]
    with serving(explaining(lambda _polls: "404")) as service:
        summary = drive(service.url, tmp_path / "unknown", explanation_timeout=30.0, **told)
    assert total(summary, "sentence")["errors"] == {"trace_lost": summary["traces"]["lost"]}


def test_a_trace_is_lost_by_the_time_since_its_chat_was_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "_LOST_AFTER_NS", 1_000_000_000)
    followed = explaining(lambda polls: "404" if polls < 3 else "complete")

    async def slow_to_chat(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.is_chat:
            await asyncio.sleep(1.5)
        await followed(request, writer)

    told = {"attach_rate": 1.0, "granularity": "sentence", "concurrency": 4, "duration": 0.3, "poll_interval": 0.02}
    with serving(slow_to_chat) as service:
        summary = drive(service.url, tmp_path / "slow", **told)
    assert summary["traces"]["complete"] == summary["traces"]["accepted"] == 4
    with serving(explaining(lambda _polls: "404")) as service:
        summary = drive(service.url, tmp_path / "unknown", rate=10.0, **told)
    assert summary["traces"]["lost"] == summary["traces"]["accepted"] > 0
    assert min(line["l"] for line in records(tmp_path / "unknown", "explanation")) >= 1_000_000


@pytest.mark.parametrize("attach", [(), ("x-trace-id: ../../admin",)])
def test_a_chat_whose_trace_is_not_named_is_an_error_of_its_explanation(attach: tuple[str, ...], tmp_path: Path) -> None:
    with serving(explaining(attach=attach)) as service:
        summary = drive(service.url, tmp_path, attach_rate=1.0, granularity="token", duration=0.2)
        assert all(request.is_chat for request in service.requests)
    assert total(summary)["errors"] == {}
    assert total(summary, "token")["errors"] == {"malformed": summary["offered"]["sent"]}
    assert summary["traces"]["accepted"] == 0


def test_polls_are_sent_as_whoever_may_read_and_within_their_budget(tmp_path: Path) -> None:
    with serving(explaining(lambda _polls: "running")) as service:
        summary = drive(
            service.url,
            tmp_path,
            attach_rate=1.0,
            rate=50.0,
            duration=1.0,
            poll_interval=0.01,
            poll_rate=30.0,
            explanation_timeout=1.0,
            connection={"tokens": (SUBMITTER, READER)},
        )
        polls = [request for request in service.requests if not request.is_chat]
        assert {request.header("authorization") for request in polls} == {f"Bearer {READER.value}"}
        assert {request.header("authorization") for request in service.chats()} == {f"Bearer {SUBMITTER.value}"}
    assert 30 <= len(polls) <= 75
    (generator,) = summary["generators"]
    assert not generator["healthy"]
    assert any("their budget is used up" in problem for problem in generator["problems"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_with_a_summary_that_says_so(number: signal.Signals, tmp_path: Path) -> None:
    with serving(explaining(lambda _polls: "running")) as service:
        process = driving(service.url, tmp_path, attach_rate=0.5, rate=50.0)
        time.sleep(0.3)
        process.send_signal(number)
        assert process.wait(30) == 0
    summary = json.loads((tmp_path / "summary.json").read_bytes())
    assert summary["run"]["interrupted"] == number.name
    lines = records(tmp_path)
    assert total(summary)["count"] == len(lines) > 0
    assert summary["offered"]["sent"] >= len(lines)
    traces = summary["traces"]
    assert traces["unfinished"] == traces["accepted"] == sum(line["a"] is not None for line in lines) > 0
    assert len(records(tmp_path, "explanation")) == traces["unfinished"]
    assert json.loads((tmp_path / "progress.json").read_bytes())["state"] == "ended"
