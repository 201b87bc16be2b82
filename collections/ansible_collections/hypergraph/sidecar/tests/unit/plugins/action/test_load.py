# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load module under a play: it is watched, it tells how far it is, and it does not outlive who asked for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.action import load
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.action.playbooks import COLLECTIONS, play, tasks
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.service import explaining, serving

TOKEN = {"name": "alpha-writer", "token": "Zq8vX3c9K1m2n3p4", "tenant_id": "alpha", "scopes": ["traces:write", "traces:read"]}


def loading(url: str, directory: Path, **told: Any) -> dict[str, Any]:
    arguments = {"base_url": url, "tokens": [TOKEN], "directory": str(directory), "warmup": 0, "load_model": "open", "rate": 20, **told}
    load = {"name": "Load", "hypergraph.sidecar.load": arguments, "register": "load"}
    show = {"name": "Show", "ansible.builtin.debug": {"msg": "said: {{ load.msg }}; {{ load.reason_code | default('-') }}"}}
    return tasks("localhost", {**load, "ignore_errors": True}, show)


def progress_of(directory: Path) -> dict[str, Any]:
    """How far a run is, once it is under way."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        try:
            progress: dict[str, Any] = json.loads((directory / "progress.json").read_bytes())
        except OSError:
            progress = {}
        if progress.get("requests"):
            return progress
        time.sleep(0.05)
    raise AssertionError("the run did not begin")


def test_a_play_shows_how_far_the_run_is_and_gets_its_result(tmp_path: Path) -> None:
    with serving(explaining()) as service:
        done = play(tmp_path, [loading(service.url, tmp_path / "run", duration=7)], ANSIBLE_ASYNC_DIR=str(tmp_path / "jobs"))
    assert done.status == 0, done.output
    assert "load [localhost] 0:0" in done.output
    assert "said: 140 requests in 7 s (20.0/s), 0 errors" in done.output
    assert "failed=0" in done.output
    summary = json.loads((tmp_path / "run/summary.json").read_bytes())
    assert summary["generators"][0]["clock_offset_ms"] == 0.0
    assert list((tmp_path / "jobs").glob("j*")) == []
    assert TOKEN["token"] not in done.output


def test_a_plan_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    done = play(tmp_path, [loading("http://127.0.0.1:9", tmp_path / "run", attach_rate=7)], ANSIBLE_ASYNC_DIR=str(tmp_path / "jobs"))
    assert "said: attach_rate: it is 7.0, expected 0 to 1. Correct the argument.; bad-load-plan" in done.output


def test_a_run_that_dies_is_told_with_what_can_be_saved(tmp_path: Path) -> None:
    def kill() -> None:
        os.kill(progress_of(tmp_path / "run")["pid"], signal.SIGKILL)

    with serving(explaining()) as service:
        killer = threading.Thread(target=kill)
        killer.start()
        done = play(tmp_path, [loading(service.url, tmp_path / "run", duration=300)], ANSIBLE_ASYNC_DIR=str(tmp_path / "jobs"))
        killer.join()
    assert "failed=0" in done.output
    assert "ignored=1" in done.output
    assert "died before its end" in done.output
    assert "load-died" in done.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_when_the_play_ends_the_run_ends_with_it_and_keeps_what_it_measured(number: signal.Signals, tmp_path: Path) -> None:
    with serving(explaining()) as service:
        (tmp_path / "play.json").write_text(json.dumps([loading(service.url, tmp_path / "run", duration=300)]))
        interpreter = f"ansible_python_interpreter={sys.executable}"
        process = subprocess.Popen(
            [sys.executable, "-m", "ansible.cli.playbook", "-i", "localhost,", "-c", "local", "-e", interpreter, "play.json"],
            cwd=tmp_path,
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_ASYNC_DIR": str(tmp_path / "jobs")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Shells start what they put in the background with SIGINT ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            start_new_session=True,
        )
        try:
            progress_of(tmp_path / "run")
            # The action has to have seen that it runs, too.
            give_up = time.monotonic() + 30
            while not (tmp_path / "run/watched").exists():
                assert time.monotonic() < give_up
                time.sleep(0.05)
            process.send_signal(number)
            process.wait(60)
        finally:
            # Where the test failed before.
            process.kill()
        give_up = time.monotonic() + 60
        while json.loads((tmp_path / "run/progress.json").read_bytes())["state"] != "ended":
            assert time.monotonic() < give_up
            time.sleep(0.1)
        asked = len(service.requests)
        summary = json.loads((tmp_path / "run/summary.json").read_bytes())
        assert summary["run"]["interrupted"] == "SIGTERM"
        assert summary["classes"]["chat"]["steady"]["count"] > 0
        time.sleep(0.3)
        assert len(service.requests) == asked


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_whose_exception_is_lost_ends_the_run_all_the_same(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    done: list[int] = []
    before = signal.signal(number, lambda caught, _frame: done.append(caught))

    def watched(*_told: object) -> dict[str, Any]:
        with suppress(BaseException):
            os.kill(os.getpid(), number)
        return {"failed": True, "msg": "the job was not found"}

    action = load.ActionModule.__new__(load.ActionModule)
    monkeypatch.setattr(action, "_watched", watched)
    monkeypatch.setattr(action, "_stop", stopped.append)
    try:
        with pytest.raises(KeyboardInterrupt):
            action._until_it_ends("job", "/runs/1", "lab", {})
    finally:
        signal.signal(number, before)
    assert (stopped, done) == (["/runs/1"], [number])
