"""What a request costs its sender: ``python -m benchmarks.load`` writes the section *load* of benchmarks/RESULTS.md.

Requests per second of the client's processor time, system time included, in a window after the start: the server counts the requests, the
kernel the time of the client and its children. Server and client have a core each where there are two. Contenders take turns, round by
round; ratios are of the same round.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.answering import CHAT, EVENTS
from benchmarks.load_peers import ENGINE, PLAIN, Peer, engine_parts, found
from benchmarks.load_servers import answering, certificate, count, fastest, on_core
from benchmarks.load_timed import rate_of
from benchmarks.results import RESULTS, machine, spread, table, write_section

_FRAMED_CONNECTIONS = 64
# Contenders are ended when they have been measured.
_ENOUGH_S = 60
_FRAMINGS = {
    "plain": "of known length",
    "fresh": "with a header that differs each time",
    "chunked": "in chunks",
    "events": f"as a stream of {len(EVENTS)} events, each sent for itself",
    "tls": "of known length, over TLS",
}


@dataclass(frozen=True)
class Scenario:
    """Answers of one kind for so many connections, and who can take them. They are given at ``url`` and counted at ``origin``."""

    name: str
    url: str
    origin: str
    connections: int
    contenders: tuple[Peer, ...]
    framing: str = PLAIN


# Requests per processor second, a round each, by scenario and contender.
Rates = Mapping[tuple[str, str], Sequence[float]]


def main(argv: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--connections", type=int, nargs="+", default=[64, 300])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--window", type=float, default=3.5, help="seconds measured of each run")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file whose section is written")
    given = parser.parse_args(argv)
    if min(given.connections) < 1 or given.rounds < 1 or given.window < 1:
        parser.error("--connections, --rounds, --window: at least 1 each")
    told = machine()
    peers, absent = found()
    contenders = (ENGINE, *peers)
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(on_core(0))
        url, server = stack.enter_context(fastest(scratch))
        scenarios = [Scenario(f"{wanted} connections", url, url, wanted, contenders) for wanted in given.connections]
        framed = _framed(stack, scratch, contenders)
        rates = _measured([*scenarios, *framed], given.rounds, given.window)
    lacking = "; ".join(f"{peer.name} ({peer.remedy})" for peer in absent)
    body = [
        f"`python -m benchmarks.load --rounds {given.rounds} --window {given.window:g}`: {told}.",
        f"The engine {engine_parts()}; {', '.join(f'{peer.name} {peer.version()}' for peer in peers) or 'no peer'}. "
        f"Not on PATH, so not compared: {lacking or 'none'}.",
        "Requests per second of the client's processor time, system time included; median [least-greatest] of the rounds, in which all "
        f"take turns; a ratio is of two runs of the same round. Against {server}, {len(CHAT)} bytes an answer:",
        *(_beside_peers(scenario, rates) for scenario in scenarios),
        "Answers of other kinds, by benchmarks.answering; who cannot take them is left out:",
        *(_beside_peers(scenario, rates) for scenario in framed if len(scenario.contenders) > 1),
        "What the kinds cost the engine:",
        _beside_plain(framed, rates),
    ]
    write_section("load", "\n\n".join(body), given.results)
    print("\n\n".join(body))
    return 0


def _framed(stack: contextlib.ExitStack, scratch: Path, contenders: Sequence[Peer]) -> list[Scenario]:
    """The scenarios of all kinds of answers; those of known length are the engine's alone, for the others to be held to."""
    certified = certificate(scratch)
    plain = stack.enter_context(answering(None))
    secure = stack.enter_context(answering(certified)) if certified else ""
    made = []
    for framing, name in _FRAMINGS.items():
        origin, segment = (secure, "plain") if framing == "tls" else (plain, framing)
        if origin:
            able = (ENGINE,) if framing == PLAIN else tuple(peer for peer in contenders if framing in peer.framings)
            made.append(Scenario(name, f"{origin}/{segment}", origin, _FRAMED_CONNECTIONS, able, framing))
    return made


def _measured(scenarios: Sequence[Scenario], rounds: int, window: float) -> Rates:
    rates: dict[tuple[str, str], list[float]] = {}
    for number in range(rounds):
        for scenario in scenarios:
            for peer in scenario.contenders:
                with tempfile.TemporaryDirectory() as scratch:
                    command = peer.command(
                        scenario.url, scenario.connections, int(window) + _ENOUGH_S, Path(scratch), scenario.framing == "events"
                    )
                    rate = rate_of(command, partial(count, scenario.origin), window)
                rates.setdefault((scenario.name, peer.name), []).append(rate)
                print(f"round {number + 1}, {scenario.name}, {peer.name}: {rate:,.0f}", file=sys.stderr, flush=True)
    return rates


def _beside_peers(scenario: Scenario, rates: Rates) -> str:
    ours = rates[scenario.name, ENGINE.name]
    rows = []
    for peer in scenario.contenders:
        theirs = rates[scenario.name, peer.name]
        ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
        rows.append(
            [f"{peer.name} ({peer.records})", f"{statistics.median(theirs):,.0f}", "1" if peer is ENGINE else spread(ratios, 2)],
        )
    return table([scenario.name, "requests per processor second", "engine / it"], rows)


def _beside_plain(scenarios: Sequence[Scenario], rates: Rates) -> str:
    base = rates[_FRAMINGS[PLAIN], ENGINE.name]
    rows = []
    for scenario in scenarios:
        ours = rates[scenario.name, ENGINE.name]
        ratios = [one / other for one, other in zip(ours, base, strict=True)]
        rows.append([scenario.name, f"{statistics.median(ours):,.0f}", spread(ratios, 2)])
    return table([f"{_FRAMED_CONNECTIONS} connections", "requests per processor second", "to those of known length"], rows)


if __name__ == "__main__":
    sys.exit(main())
