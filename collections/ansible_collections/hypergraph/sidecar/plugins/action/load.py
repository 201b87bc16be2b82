# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the load module, shows how far it is, and sees to it that no load goes on after the play that started it.

The module runs as a job of its own on the load generator, so that a connection that breaks does not end it; here its progress is read
once a second. A job that is no longer asked how far it is ends by itself; a host that cannot be reached for as long is given up.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import json
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load import clock
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.files import PROGRESS_FILE, WATCH_FILE
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.report import progress_line

_ASK_EVERY_S = 1.0
_SHOW_EVERY_S = 5.0
# After so long without news it is asked whether the job is still there.
_SILENCE_S = 5.0
_WATCHED_WITHIN_S = 30.0
_APPEARS_WITHIN_S = 10.0
# A connection that was cut may never say so. A module takes longer than a command.
_ANSWER_WITHIN_S = 10.0
_RESULT_WITHIN_S = 30.0
# The module knows how long its plan takes; this only has to be longer than any.
_JOB_LIMIT_S = 9 * 24 * 3600


class _Stopped(BaseException):
    """The play is being ended by a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Silent(BaseException):
    """The host did not answer in time. Connections retry on an Exception."""


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
            arguments.update(self._clock())
        arguments.setdefault("watched_within", _WATCHED_WITHIN_S)
        directory = str(self._remote_expand_user(str(arguments["directory"])))
        started = self._start(arguments, variables)
        job = started.get("ansible_job_id")
        if not job or started.get("failed"):
            return started
        return self._until_it_ends(str(job), directory, str(variables.get("inventory_hostname", "")), variables)

    def cleanup(self, force: bool = False) -> None:
        """Remove what Ansible put on the host; one that is out of reach keeps it, which must not take the place of the result."""
        with suppress(AnsibleConnectionFailure, _Silent), _within(_ANSWER_WITHIN_S):
            super().cleanup(force)

    def _start(self, arguments: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        # _execute_module takes the job's limit from the task; the executor must not find it there, or it would wait for the job itself.
        self._task.async_val = _JOB_LIMIT_S
        try:
            started: dict[str, Any] = self._execute_module(module_args=dict(arguments), task_vars=variables, wrap_async=True)
        finally:
            self._task.async_val = 0
        return started

    def _until_it_ends(self, job: str, directory: str, host: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The job's result. A job whose play is ended is stopped."""
        with _stoppable() as raise_if_stopped:
            try:
                result = self._watched(job, directory, host, variables)
                raise_if_stopped()
            except BaseException:
                with suppress(Exception, _Silent), _within(_ANSWER_WITHIN_S):
                    self._stop(directory)
                raise
        return result

    def _watched(self, job: str, directory: str, host: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Wait for the job's end and return its result."""
        parent = os.getppid()
        # What it said last, when that was new, when it was shown, and when the host was reached.
        news, heard, shown, reached = "", time.monotonic(), time.monotonic(), time.monotonic()
        while True:
            time.sleep(_ASK_EVERY_S)
            if os.getppid() != parent:
                # Nobody is left to report to.
                raise _Stopped(signal.SIGTERM)
            try:
                with _within(_ANSWER_WITHIN_S):
                    said, progress = self._ask(directory)
                now = time.monotonic()
                if said != news:
                    news, heard = said, now
                ended = progress is not None and progress["state"] == "ended"
                if ended or progress is None or now - heard > _SILENCE_S:
                    with _within(_RESULT_WITHIN_S):
                        result = self._ended(job, host, directory, progress if now - heard > _SILENCE_S else None, variables)
                    if result is not None:
                        return result
            except (AnsibleConnectionFailure, _Silent):
                # Otherwise what is asked next, by whichever task, would wait at the same connection.
                with suppress(Exception, _Silent), _within(_ANSWER_WITHIN_S):
                    self._connection.reset()
                if time.monotonic() - reached > _WATCHED_WITHIN_S:
                    return _out_of_reach(host)
                continue
            reached = now
            if progress and progress["state"] in ("running", "draining") and now - shown >= _SHOW_EVERY_S:
                shown = now
                Display().display(f"load [{host}] {progress_line(progress)}")

    def _ended(
        self, job: str, host: str, directory: str, silent: Mapping[str, Any] | None, variables: dict[str, Any]
    ) -> dict[str, Any] | None:
        """The result of a job that has one or died; ``silent`` is the progress of one that tells nothing new."""
        result = self._status(job, "status", variables)
        if not (result.get("finished") or result.get("failed")):
            return _died(host, directory) if silent and not self._alive(silent) else None
        if "reason_code" not in result:
            # Asked anew: it may have begun and died since.
            _said, last = self._ask(directory)
            if last and last["state"] != "ended":
                result = _died(host, directory)
        with suppress(AnsibleConnectionFailure):
            self._status(job, "cleanup", variables)
        return {key: value for key, value in result.items() if key not in ("ansible_job_id", "started", "finished", "results_file")}

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
        # As it is: the job took ~ for what HOME said, where Ansible's own expansion takes it for the home that the user database knows.
        asked = {"jid": job, "mode": mode, "_async_dir": self.get_shell_option("async_dir", default="~/.ansible_async")}
        give_up = time.monotonic() + _APPEARS_WITHIN_S
        while True:
            result: dict[str, Any] = self._execute_module(module_name="ansible.legacy.async_status", module_args=asked, task_vars=variables)
            # On a busy host a job that was just started has not written its file yet.
            if result.get("msg") != "could not find job" or time.monotonic() > give_up:
                return result
            time.sleep(_ASK_EVERY_S)

    def _alive(self, progress: Mapping[str, Any]) -> bool:
        return bool(self._low_level_execute_command(f"kill -0 {int(progress['pid'])}", sudoable=True).get("rc") == 0)

    def _stop(self, directory: str) -> None:
        """Ask the run to end; it keeps what it measured."""
        _said, progress = self._ask(directory)
        if progress:
            self._low_level_execute_command(f"kill -TERM {int(progress['pid'])}", sudoable=True)

    def _clock(self) -> dict[str, float]:
        """The module's arguments about the generator's clock; none where it cannot be read."""
        if self._connection.transport == "local":
            return {"clock_offset_ms": 0.0, "clock_uncertainty_ms": 0.0}
        found = clock.measured(self._read_clock, time.time)
        return {"clock_offset_ms": found.ms, "clock_uncertainty_ms": found.uncertainty_ms} if found else {}

    def _read_clock(self) -> float | None:
        try:
            return float(str(self._low_level_execute_command("date +%s.%N", sudoable=False).get("stdout") or "").strip())
        except ValueError:
            return None


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise _Silent in the body where it takes longer."""

    def stop(_number: int, _frame: Any) -> NoReturn:
        raise _Silent

    before = signal.signal(signal.SIGALRM, stop)
    began = time.monotonic()
    # Ansible limits a task that has a timeout by the same timer.
    left, _interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 0.001))


@contextmanager
def _stoppable() -> Iterator[Callable[[], None]]:
    """Let signals that end the play raise in the body, and do what they would have done when it is over.

    What is yielded raises again: code that the signal came upon may have kept the exception, such as while an object was destroyed.
    """
    received: list[int] = []

    def stop(number: int, _frame: Any) -> NoReturn:
        # ansible-core sends another while this one is dealt with.
        for caught in before:
            signal.signal(caught, signal.SIG_IGN)
        received.append(number)
        raise _Stopped(number)

    def raise_if_stopped() -> None:
        if received:
            raise _Stopped(received[0])

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, stop)
    stopped: _Stopped | None = None
    try:
        yield raise_if_stopped
    except _Stopped as signalled:
        stopped = signalled
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if stopped:
            os.kill(os.getpid(), stopped.number)
    if stopped:
        raise KeyboardInterrupt


def _died(host: str, directory: str) -> dict[str, Any]:
    reason = f"the load run of generator {host} in {directory} died before its end; what it measured until then is in its records"
    remedy = "Find out what killed it; the module load_rebuild makes a summary of the records."
    return {"failed": True, "changed": True, "msg": f"{reason}. {remedy}", "reason_code": "load-died"}


def _out_of_reach(host: str) -> dict[str, Any]:
    reason = f"generator {host} was not reached for {_WATCHED_WITHIN_S:g} s; its load ends by itself, since nobody watches it"
    remedy = "Mend the connection, and run the load again."
    return {"failed": True, "changed": True, "msg": f"{reason}. {remedy}", "reason_code": "generator-out-of-reach"}
