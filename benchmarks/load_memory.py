"""Whether a long load run stays small: ``python -m benchmarks.load_memory`` writes the section *load, memory* of benchmarks/RESULTS.md.

The engine drives the fastest server there is until so many requests have ended, by its own count, and is then told to end; its resident
memory is read at every tenth of the way, and the kernel's own peak of it after the summary was written.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.load_peers import engine, engine_parts
from benchmarks.load_servers import CHECKOUT, fastest, on_core
from benchmarks.load_timed import environment
from benchmarks.results import RESULTS, machine, table, write_section

STEPS = 10
# Longer than any number of requests takes; the run is ended when they are done.
_SECONDS = 24 * 3600
_LOOK_EVERY_S = 0.2


def main(argv: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load_memory", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--requests", type=int, default=10_000_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file whose section is written")
    given = parser.parse_args(argv)
    if given.requests < 1000 or given.connections < 1:
        parser.error("--requests: at least 1000; --connections: at least 1")
    told = machine()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, on_core(0), fastest(Path(scratch)) as (url, server):
        rows, peak, lines = _driven(url, given.connections, given.requests, Path(scratch))
    seconds = time.monotonic() - began
    options = f"--requests {given.requests} --connections {given.connections}"
    body = (
        f"`python -m benchmarks.load_memory {options}`: {told}, {server}; the engine {engine_parts()}.\n\n"
        f"The engine with a line for each request, {lines:,} of them in {seconds:.0f} s. "
        f"Its peak, the whole summary with its intervals included: {peak:.1f} MiB.\n\n"
    )
    body += table(["requests ended", "resident MiB"], [[f"{requests:,}", f"{resident:.1f}"] for requests, resident in rows])
    write_section("load, memory", body, given.results)
    print(body)
    return 0


def _driven(url: str, connections: int, wanted: int, scratch: Path) -> tuple[list[tuple[int, float]], float, int]:
    """Requests ended and resident MiB at every step; the peak in MiB; lines written. Raises RuntimeError where the engine ends early."""
    errors = scratch / "errors"
    with on_core(1), errors.open("wb") as said:
        process = subprocess.Popen(  # noqa: S603
            engine(url, connections, _SECONDS, scratch), cwd=CHECKOUT, env=environment(), stderr=said, start_new_session=True
        )
    rows: list[tuple[int, float]] = []
    try:
        while len(rows) < STEPS:
            time.sleep(_LOOK_EVERY_S)
            if process.poll() is not None:
                raise RuntimeError(f"the engine ended early: {errors.read_text(errors='replace')[-500:]}")
            ended = _ended(scratch / "run" / "progress.json")
            if ended >= wanted * (len(rows) + 1) // STEPS:
                rows.append((ended, _resident_mib(process.pid)))
                print(f"{ended:,} requests, {rows[-1][1]:.1f} MiB", file=sys.stderr, flush=True)
        process.send_signal(signal.SIGTERM)
        _pid, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"the engine failed: {errors.read_text(errors='replace')[-500:]}")
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
    with (scratch / "run" / "chat_results.jsonl").open("rb") as records:
        lines = sum(1 for _line in records)
    # The kernel keeps its peak up to date only now and then.
    return rows, max(used.ru_maxrss / 1024, *(resident for _requests, resident in rows)), lines


def _ended(progress: Path) -> int:
    try:
        return int(json.loads(progress.read_text())["requests"])
    except FileNotFoundError:
        return 0


def _resident_mib(process: int) -> float:
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    if not found:
        raise RuntimeError("this system does not tell the resident memory of a process in /proc")
    return int(found[1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
