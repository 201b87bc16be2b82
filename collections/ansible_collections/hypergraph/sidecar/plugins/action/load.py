# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the load module, shows how far it is, and sees to it that no load goes on after the play that started it.

The module runs as a job of its own on the load generator, so that a connection that breaks does not end it; here its progress is read
once a second. A job that is no longer asked how far it is ends by itself.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import json
import os
import shlex
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.files import PROGRESS_FILE, WATCH_FILE
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.report import progress_line

_ASK_EVERY_S = 1.0
_SHOW_EVERY_S = 5.0
# After so long without news it is asked whether the job is still there.
_SILENCE_S = 5.0
_WATCHED_WITHIN_S = 30.0
# The module knows how long its plan takes; this only has to be longer than any.
_JOB_LIMIT_S = 9 * 24 * 3600
_CLOCK_READINGS = 5


class _Stopped(BaseException):
    """The play is being ended by a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class ActionModule(ActionBase):
    """The action of the load module."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The module's result."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = dict(self._task.args)
        if self._task.check_mode or not arguments.get("directory"):
            result: dict[str, Any] = self._execute_module(task_vars=variables)
            return result
        if arguments.get("clock_offset_ms") is None:
            arguments["clock_offset_ms"] = self._clock_offset_ms()
        arguments.setdefault("watched_within", _WATCHED_WITHIN_S)
        directory = str(self._remote_expand_user(str(arguments["directory"])))
        started = self._start(arguments, variables)
        job = started.get("ansible_job_id")
        if not job or started.get("failed"):
            return started
        with _stoppable():
            try:
                result = self._watched(str(job), directory, str(variables.get("inventory_hostname", "")), variables)
            except BaseException:
                with suppress(Exception):
                    self._stop(directory)
                raise
        return result

    def _start(self, arguments: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        # _execute_module takes the job's limit from the task; the executor must not find it there, or it would wait for the job itself.
        self._task.async_val = _JOB_LIMIT_S
        try:
            started: dict[str, Any] = self._execute_module(module_args=dict(arguments), task_vars=variables, wrap_async=True)
        finally:
            self._task.async_val = 0
        return started

    def _watched(self, job: str, directory: str, host: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Wait for the job's end and return its result."""
        parent = os.getppid()
        news, heard, shown = "", time.monotonic(), time.monotonic()
        while True:
            time.sleep(_ASK_EVERY_S)
            if os.getppid() != parent:
                # Nobody is left to report to.
                raise _Stopped(signal.SIGTERM)
            said, progress = self._ask(directory)
            now = time.monotonic()
            if said != news:
                news, heard = said, now
            ended = progress is not None and progress["state"] == "ended"
            if progress and progress["state"] in ("running", "draining") and now - shown >= _SHOW_EVERY_S:
                shown = now
                Display().display(f"load [{host}] {progress_line(progress)}")
            if ended or progress is None or now - heard > _SILENCE_S:
                result = self._status(job, "status", variables)
                if result.get("finished") or result.get("failed"):
                    self._status(job, "cleanup", variables)
                    if "reason_code" not in result:
                        # Asked anew: it may have begun and died since.
                        _said, last = self._ask(directory)
                        if last and last["state"] != "ended":
                            return _died(directory)
                    return {
                        key: value for key, value in result.items() if key not in ("ansible_job_id", "started", "finished", "results_file")
                    }
                if progress and now - heard > _SILENCE_S and not self._alive(progress):
                    return _died(directory)

    def _ask(self, directory: str) -> tuple[str, dict[str, Any] | None]:
        """What the progress file says; asking is what keeps the run going."""
        watch, progress = (shlex.quote(f"{directory}/{name}") for name in (WATCH_FILE, PROGRESS_FILE))
        said = str(self._low_level_execute_command(f"touch {watch} && cat {progress}", sudoable=True).get("stdout") or "")
        try:
            document = json.loads(said)
            return said, document if isinstance(document, dict) and "state" in document else None
        except ValueError:
            return said, None

    def _status(self, job: str, mode: str, variables: dict[str, Any]) -> dict[str, Any]:
        asked = {
            "jid": job,
            "mode": mode,
            "_async_dir": self._remote_expand_user(self.get_shell_option("async_dir", default="~/.ansible_async")),
        }
        result: dict[str, Any] = self._execute_module(module_name="ansible.legacy.async_status", module_args=asked, task_vars=variables)
        return result

    def _alive(self, progress: Mapping[str, Any]) -> bool:
        return bool(self._low_level_execute_command(f"kill -0 {int(progress['pid'])}", sudoable=True).get("rc") == 0)

    def _stop(self, directory: str) -> None:
        """Ask the run to end; it keeps what it measured."""
        _said, progress = self._ask(directory)
        if progress:
            self._low_level_execute_command(f"kill -TERM {int(progress['pid'])}", sudoable=True)

    def _clock_offset_ms(self) -> float | None:
        """By how much the generator's clock is ahead of this one: of several readings the one that took the shortest counts.

        None where it cannot be read. The error is at most half of what the reading took (Cristian, 1989).
        """
        if self._connection.transport == "local":
            return 0.0
        best: tuple[float, float] | None = None
        for _reading in range(_CLOCK_READINGS):
            asked = time.time()
            said = str(self._low_level_execute_command("date +%s.%N", sudoable=False).get("stdout") or "").strip()
            took = time.time() - asked
            with suppress(ValueError):
                offset = float(said) - asked - took / 2
                best = min(best or (took, offset), (took, offset))
        return round(best[1] * 1000, 3) if best else None


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let signals that end the play raise in the body, and do what they would have done when it is over."""

    def stop(number: int, _frame: Any) -> NoReturn:
        # ansible-core sends another while this one is dealt with.
        for caught in before:
            signal.signal(caught, signal.SIG_IGN)
        raise _Stopped(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, stop)
    stopped: _Stopped | None = None
    try:
        yield
    except _Stopped as signalled:
        stopped = signalled
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if stopped:
            os.kill(os.getpid(), stopped.number)
    if stopped:
        raise KeyboardInterrupt


def _died(directory: str) -> dict[str, Any]:
    reason = f"the load run in {directory} died before its end; what it measured until then is in its records"
    remedy = "Find out what killed it; module_utils/load/rebuild.py of the collection makes a summary of the records."
    return {"failed": True, "changed": True, "msg": f"{reason}. {remedy}", "reason_code": "load-died"}
