"""The processor time that a load generator takes, children included, while it runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.load_servers import CHECKOUT, on_core

# From the first requests on: what is compiled or cached by then is not measured.
LEAD_S = 1.0
_STARTS_WITHIN_S = 30.0
# nginx counts the looking, too.
_BEGUN = 50
_TICKS = os.sysconf("SC_CLK_TCK")


def environment() -> dict[str, str]:
    """That of a process which imports from this checkout."""
    paths = [str(CHECKOUT), str(CHECKOUT / "collections"), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def rate_of(command: Sequence[str], count: Callable[[], int], window: float) -> float:
    """Requests per second of processor time in the window. Raises RuntimeError where the contender dies or sends nothing."""
    with on_core(1), tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment(), stdout=said, stderr=said, start_new_session=True)  # noqa: S603
        try:
            _await_requests(process, count)
            time.sleep(LEAD_S)
            requests, used = count(), processor_s(process.pid)
            time.sleep(window)
            requests, used = count() - requests, processor_s(process.pid) - used
            if process.poll() is not None or requests < 10 or used <= 0:
                said.seek(0)
                raise RuntimeError(f"{command[0]} sent {requests} requests: {said.read().decode(errors='replace')[-500:]}")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return requests / used


def _await_requests(process: subprocess.Popen[bytes], count: Callable[[], int]) -> None:
    """Wait until it has begun, or has died."""
    before, give_up = count(), time.monotonic() + _STARTS_WITHIN_S
    while count() < before + _BEGUN and process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.1)


def processor_s(root: int) -> float:
    """Seconds of processor time, user and system, of a process and its descendants."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)], ticks[int(entry.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    total, pending = 0, [root]
    while pending:
        process = pending.pop()
        total += ticks.get(process, 0)
        pending += [child for child, parent in parents.items() if parent == process]
    return total / _TICKS
