"""Timing a command, with the processor time and the memory that it took itself.

The command is started by a small process of its own, which is this file run as a script: what Linux tells as the peak memory of a process
is at least that of the one it was started from.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds from start to end, seconds of processor time, and the memory of its largest process in MiB."""

    wall: float
    processor: float
    memory: float


def timed(command: Sequence[str], output: Path, errors: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command, whose first word is a path, with what it says in two files. Raises CalledProcessError where it cannot be started."""
    launcher = [sys.executable, "-S", "-E", __file__, str(output), str(errors), *command]
    told = subprocess.run(launcher, env=environment, stdout=subprocess.PIPE, check=True).stdout  # noqa: S603
    return Cost(**json.loads(told))


def _launch(output: str, errors: str, command: list[str]) -> dict[str, float]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [(os.POSIX_SPAWN_OPEN, number, path, flags, 0o600) for number, path in ((1, output), (2, errors))]
    began = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=files)
    _pid, _status, used = os.wait4(process, 0)
    wall = time.perf_counter() - began
    # Linux counts memory in KiB, macOS in bytes.
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return {"wall": wall, "processor": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss / unit}


if __name__ == "__main__":
    print(json.dumps(_launch(sys.argv[1], sys.argv[2], sys.argv[3:])))
