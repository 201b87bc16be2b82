"""What a request costs its sender: ``python -m benchmarks.load`` writes the section *load* of benchmarks/RESULTS.md.

Requests per second of the client's processor time, system time included, in a window after the start: the server counts the requests, the
kernel the time of the client and its children. Server and client have a core each where there are two. Contenders take turns, round by
round; ratios are of the same round.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.answering import CHAT
from benchmarks.load_peers import Peer, engine, found
from benchmarks.results import RESULTS, machine, spread, table, write_section

CHECKOUT = Path(__file__).parent.parent
LEAD_S = 1.5
_TICKS = os.sysconf("SC_CLK_TCK")
OURS = Peer("load engine", "a line each, histograms", sys.executable, engine)
_NGINX = """
worker_processes 1; daemon off; pid {scratch}/pid; error_log {scratch}/error.log crit; events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; default_type application/json; client_body_temp_path {scratch}/body;
proxy_temp_path {scratch}/proxy; fastcgi_temp_path {scratch}/fastcgi; uwsgi_temp_path {scratch}/uwsgi; scgi_temp_path {scratch}/scgi;
server {{ listen 127.0.0.1:{port} backlog=2048; location / {{ return 200 '{chat}'; }} location = /count {{ stub_status; }} }} }}
"""


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
    body = [f"On {told}. Windows of {given.window:g} s, {given.rounds} rounds. Not on PATH: {', '.join(absent) or 'none'}."]
    with tempfile.TemporaryDirectory() as scratch, _on_core(0), _server(Path(scratch)) as (url, server):
        body.append(f"Against {server}, {len(CHAT)} bytes an answer. The engine runs {_engine_parts()}.")
        body += [_compared(url, [OURS, *peers], connections, given.rounds, given.window) for connections in given.connections]
    with tempfile.TemporaryDirectory() as scratch, _on_core(0):
        body.append(_framings(Path(scratch), given.rounds, given.window))
    write_section("load", "\n\n".join(body), given.results)
    print("\n\n".join(body))
    return 0


def _compared(url: str, contenders: Sequence[Peer], connections: int, rounds: int, window: float) -> str:
    rates: dict[str, list[float]] = {peer.name: [] for peer in contenders}
    for _round in range(rounds):
        for peer in contenders:
            with tempfile.TemporaryDirectory() as scratch:
                command = peer.command(url, connections, int(LEAD_S + window + 2), Path(scratch))
                rates[peer.name].append(_measured(command, partial(_count, url), window))
    ours = rates[OURS.name]
    rows = [
        [
            f"{peer.name} ({peer.records})",
            f"{statistics.median(rates[peer.name]):,.0f}",
            spread([mine / theirs for mine, theirs in zip(ours, rates[peer.name], strict=True)], 2) if peer is not OURS else "1",
        ]
        for peer in contenders
    ]
    return table([f"{connections} connections", "requests per processor second", "engine / it"], rows)


def _framings(scratch: Path, rounds: int, window: float) -> str:
    """What answers of other framings cost the engine, against a server that can give them."""
    certificate = _certificate(scratch)
    rates: dict[str, list[float]] = {}
    with _answering(None) as plain, _answering(certificate) if certificate else contextlib.nullcontext("") as secure:
        variants: dict[str, tuple[str, Callable[..., list[str]]]] = {
            "of known length": (f"{plain}/plain", engine),
            "with a header that differs each time": (f"{plain}/fresh", engine),
            "in chunks": (f"{plain}/chunked", engine),
            "as a stream of events": (f"{plain}/events", partial(engine, stream=True)),
        }
        if secure:
            variants["of known length, over TLS"] = (f"{secure}/plain", engine)
        for _round in range(rounds):
            for name, (url, command) in variants.items():
                own = Path(tempfile.mkdtemp(dir=scratch))
                count = partial(_count, secure if url.startswith("https") else plain)
                rates.setdefault(name, []).append(_measured(command(url, 64, int(LEAD_S + window + 2), own), count, window))
                shutil.rmtree(own)
    base = rates["of known length"]
    rows = [
        [name, f"{statistics.median(found):,.0f}", spread([one / all_ for one, all_ in zip(found, base, strict=True)], 2)]
        for name, found in rates.items()
    ]
    return "The engine with 64 connections against benchmarks.answering:\n\n" + table(
        ["answers", "requests per processor second", "to those of known length"], rows
    )


def _measured(command: Sequence[str], count: Callable[[], int], window: float) -> float:
    """Requests per second of processor time in the window. Raises RuntimeError where the contender dies or sends nothing."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "collections"), os.environ.get("PYTHONPATH", "")]),
    }
    with _on_core(1), tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=said, stderr=said, start_new_session=True)  # noqa: S603
        try:
            time.sleep(LEAD_S)
            requests, used = count(), _processor_s(process.pid)
            time.sleep(window)
            requests, used = count() - requests, _processor_s(process.pid) - used
            if process.poll() is not None or requests < 10 or used <= 0:
                said.seek(0)
                raise RuntimeError(f"{command[0]} sent {requests} requests: {said.read().decode(errors='replace')[-500:]}")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return requests / used


def _processor_s(root: int) -> float:
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


@contextlib.contextmanager
def _on_core(number: int) -> Iterator[None]:
    """Let what is started in the body run on one core, where there are several."""
    before = os.sched_getaffinity(0)
    cores = sorted(before)
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[number]})
    elif (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def _server(scratch: Path) -> Iterator[tuple[str, str]]:
    """The fastest server there is: its address and what it is."""
    if not shutil.which("nginx"):
        with _answering(None) as url:
            yield url, "benchmarks.answering (nginx was not found)"
        return
    port = _free_port()
    config = scratch / "nginx.conf"
    config.write_text(_NGINX.format(scratch=scratch, port=port, chat=CHAT.decode()))
    with _started(["nginx", "-c", str(config), "-e", str(scratch / "error.log")], port):
        yield f"http://127.0.0.1:{port}", "nginx"


@contextlib.contextmanager
def _answering(certificate: Path | None) -> Iterator[str]:
    port = _free_port()
    with _started([sys.executable, "-m", "benchmarks.answering", str(port), *([str(certificate)] if certificate else [])], port):
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"


@contextlib.contextmanager
def _started(command: Sequence[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        give_up = time.monotonic() + 10
        with socket.socket() as knocking:
            while knocking.connect_ex(("127.0.0.1", port)):
                if process.poll() is not None or time.monotonic() > give_up:
                    raise RuntimeError(f"{command[0]} did not start")
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def _count(url: str) -> int:
    """Requests answered so far, as the server tells."""
    context = ssl._create_unverified_context()  # noqa: S323  # of the benchmark itself
    with urllib.request.urlopen(f"{url}/count", timeout=5, context=context) as answer:  # noqa: S310
        words = answer.read().decode().split()
    # nginx: "Active connections: 1 server accepts handled requests 1 1 1 Reading: ..."
    return int(words[0]) if words[0].isdigit() else int(words[words.index("requests") + 3])


def _certificate(scratch: Path) -> Path | None:
    """A certificate with its key in one file, where openssl is found."""
    if not shutil.which("openssl"):
        return None
    file = scratch / "certificate.pem"
    told = ["-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "1", "-keyout", str(file), "-out", str(file)]
    made = scratch / "key.pem", scratch / "cert.pem"
    told[-3], told[-1] = str(made[0]), str(made[1])
    subprocess.run(["openssl", "req", *told], check=True, capture_output=True)  # noqa: S603, S607
    file.write_text(made[0].read_text() + made[1].read_text())
    return file


def _engine_parts() -> str:
    parts = []
    for name in ("uvloop", "msgspec"):
        try:
            parts.append(f"with {name} {__import__(name).__version__}")
        except ImportError:
            parts.append(f"without {name}")
    return " and ".join(parts)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
