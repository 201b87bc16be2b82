"""How late the open loop sends, and at what price: ``python -m benchmarks.load_pacing`` writes the section *load, pacing* of
benchmarks/RESULTS.md.

The engine's own figures, from its summary: how much later than due requests were sent while a connection was free, and the processor time
of its process, system time included, by the second of the run. Every request has its line.

Beside k6 where that is on PATH, which paces as well: the processor time of both by the kernel's account, in turns.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.load_peers import engine, engine_parts, k6_at
from benchmarks.load_servers import CHECKOUT, count, fastest, on_core
from benchmarks.load_timed import environment, rate_of
from benchmarks.results import RESULTS, machine, spread, table, write_section

_ARRIVALS = {"constant": "evenly", "poisson": "by chance (Poisson)"}
_OURS, _K6 = "load engine (a line each, histograms)", "k6 constant-arrival-rate, --out csv (some ten lines each)"
# Contenders are ended when they have been measured.
_ENOUGH_S = 60


def main(argv: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load_pacing", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--rate", type=float, default=2000.0, help="requests per second")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10, help="length of each run")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file whose section is written")
    given = parser.parse_args(argv)
    if given.rate <= 0 or min(given.connections, given.rounds, given.seconds) < 1:
        parser.error("--rate: above 0; --connections, --rounds, --seconds: at least 1 each")
    told = machine()
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in _ARRIVALS}
    prices: dict[str, list[float]] = {name: [] for name in (_OURS, _K6) if name is _OURS or shutil.which("k6")}
    with tempfile.TemporaryDirectory() as scratch, on_core(0), fastest(Path(scratch)) as (url, server):
        for _round in range(given.rounds):
            for name, summaries in found.items():
                summaries.append(_driven(url, given.connections, given.seconds, given.rate, name))
            for name, each in prices.items():
                each.append(_price_us(name, url, given.connections, given.seconds, given.rate))
    options = f"--rate {given.rate:g} --connections {given.connections} --rounds {given.rounds} --seconds {given.seconds}"
    body = f"`python -m benchmarks.load_pacing {options}`: {told}, {server}; the engine {engine_parts()}.\n\n"
    head = ["requests due", "late by, p50, us", "p99, us", "most, us", "of a core", "us a request"]
    body += table(head, [[_ARRIVALS[name], *_row(summaries)] for name, summaries in found.items()])
    body += "\n\n" + _beside(prices)
    write_section("load, pacing", body, given.results)
    print(body)
    return 0


def _row(summaries: Sequence[dict[str, Any]]) -> list[str]:
    late = [summary["offered"]["send_error_us"] for summary in summaries]
    shares = [summary["generators"][0]["cpu_share"] for summary in summaries]
    each = [share * 1_000_000 / summary["offered"]["achieved_per_s"] for share, summary in zip(shares, summaries, strict=True)]
    return [
        *(spread([one[figure] for one in late], 0) for figure in ("p50", "p99", "max")),
        spread([100 * share for share in shares], 1) + " %",
        spread(each, 1),
    ]


def _beside(prices: dict[str, list[float]]) -> str:
    """What a request costs each contender, of the processor; ratios are of the same round."""
    if _K6 not in prices:
        return "Not on PATH, so not compared: k6 (go install go.k6.io/k6@latest)."
    ratios = {name: [one / ours for one, ours in zip(each, prices[_OURS], strict=True)] for name, each in prices.items()}
    rows = [[name, f"{statistics.median(each):.1f}", "1" if name == _OURS else spread(ratios[name], 2)] for name, each in prices.items()]
    return table(["requests due evenly", "us a request", "to the engine's"], rows)


def _price_us(name: str, url: str, connections: int, seconds: int, rate: float) -> float:
    """Microseconds of processor time a request, by the kernel. Raises RuntimeError where the contender fails."""
    with tempfile.TemporaryDirectory() as scratch:
        if name == _OURS:
            command = engine(url, connections, seconds + _ENOUGH_S, Path(scratch), load_model="open", rate=rate)
        else:
            command = k6_at(rate, url, connections, seconds + _ENOUGH_S, Path(scratch))
        return 1_000_000 / rate_of(command, partial(count, url), seconds)


def _driven(url: str, connections: int, seconds: int, rate: float, arrivals: str) -> dict[str, Any]:
    """The summary of one run. Raises RuntimeError where the engine fails."""
    with tempfile.TemporaryDirectory() as scratch:
        command = engine(url, connections, seconds, Path(scratch), load_model="open", rate=rate, arrivals=arrivals)
        with on_core(1):
            ended = subprocess.run(command, cwd=CHECKOUT, env=environment(), capture_output=True, text=True, check=False)  # noqa: S603
        if ended.returncode:
            raise RuntimeError(f"the engine failed: {ended.stderr[-500:]}")
        summary: dict[str, Any] = json.loads((Path(scratch) / "run" / "summary.json").read_text())
    return summary


if __name__ == "__main__":
    sys.exit(main())
