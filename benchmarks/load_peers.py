"""Load generators that may be on PATH, each told to do the same: chats with a token, in a closed loop, over kept-alive connections."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

TOKEN = "bench-0123456789abcdef"  # noqa: S105  # of no service
CHAT = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Why is the sky blue? " * 4}]})
_HEADERS = (f"Authorization: Bearer {TOKEN}", "Content-Type: application/json")


# Kinds of answers: of known length, with a header that differs each time, in chunks, as a stream of events, over TLS.
PLAIN = "plain"
_ALL = frozenset({PLAIN, "fresh", "chunked", "events", "tls"})
# Every stream of events is one of chunks for who does not ask for it as such.
_WHOLE = _ALL - {"chunked", "events"}


@dataclass(frozen=True)
class Peer:
    """A contender: what it records of each request, how it is had where it lacks, and which kinds of answers it can take.

    ``command`` is for (url, connections, seconds, a directory of its own, whether a stream is asked for).
    """

    name: str
    records: str
    program: str
    command: Callable[[str, int, int, Path, bool], list[str]]
    remedy: str = ""
    told: tuple[str, ...] = ("--version",)
    framings: frozenset[str] = _ALL

    def version(self) -> str:
        """As it tells itself."""
        said = subprocess.run([self.program, *self.told], capture_output=True, text=True, check=False)  # noqa: S603
        found = re.search(r"\d+\.\d+[.\d]*", said.stdout + said.stderr)
        return found[0] if found else "of unknown version"


def engine(url: str, connections: int, seconds: int, scratch: Path, **told: object) -> list[str]:
    """The load engine of this collection, with what is told beside its defaults."""
    told = {
        "base_url": url,
        "directory": str(scratch / "run"),
        "concurrency": connections,
        "duration": seconds,
        "attach_rate": 0.0,
        **told,
    }
    return [sys.executable, "-m", "benchmarks.load_engine", json.dumps(told)]


def _engine(url: str, connections: int, seconds: int, scratch: Path, stream: bool) -> list[str]:
    return engine(url, connections, seconds, scratch, stream=stream)


def engine_parts() -> str:
    """Which of the libraries that make the engine fast are there, of those that it runs with."""
    return " and ".join(f"with {name} {version(name)}" if find_spec(name) else f"without {name}" for name in ("uvloop", "msgspec"))


def _wrk(url: str, connections: int, seconds: int, scratch: Path, _stream: bool) -> list[str]:
    script = scratch / "chat.lua"
    headers = "".join(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value.strip())}\n" for name, value in map(_split, _HEADERS))
    script.write_text(f'wrk.method = "POST"\nwrk.body = {json.dumps(CHAT)}\n{headers}')
    return ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), f"{url}/v1/chat/completions"]


def _h2load(url: str, connections: int, seconds: int, scratch: Path, _stream: bool) -> list[str]:
    body = scratch / "chat.json"
    body.write_text(CHAT)
    headers = [word for header in _HEADERS for word in ("-H", header)]
    log = ["--log-file", str(scratch / "h2load.log")]
    return ["h2load", "--h1", f"-c{connections}", f"-D{seconds}", "-t1", *headers, "-d", str(body), *log, f"{url}/v1/chat/completions"]


def _ab(url: str, connections: int, seconds: int, scratch: Path, _stream: bool) -> list[str]:
    body = scratch / "chat.json"
    body.write_text(CHAT)
    told = ["-k", "-q", "-c", str(connections), "-t", str(seconds), "-n", "100000000", "-p", str(body), "-T", "application/json"]
    return ["ab", *told, "-H", _HEADERS[0], f"{url}/v1/chat/completions"]


def _k6(url: str, connections: int, seconds: int, scratch: Path, _stream: bool) -> list[str]:
    return _k6_run(url, {"vus": connections, "duration": f"{seconds}s"}, scratch)


def k6_at(rate: float, url: str, connections: int, seconds: int, scratch: Path) -> list[str]:
    """k6 in an open loop: so many requests a second, whatever the answers take."""
    paced = {"executor": "constant-arrival-rate", "rate": round(rate), "duration": f"{seconds}s", "preAllocatedVUs": connections}
    return _k6_run(url, {"scenarios": {"paced": paced}}, scratch)


def _k6_run(url: str, options: dict[str, object], scratch: Path) -> list[str]:
    script = scratch / "chat.js"
    script.write_text(
        'import http from "k6/http";\n'
        f"export const options = {json.dumps({'insecureSkipTLSVerify': True, **options})};\n"
        f"export default function () {{ http.post({json.dumps(f'{url}/v1/chat/completions')}, {json.dumps(CHAT)}, "
        f"{{ headers: {json.dumps(dict(map(_split, _HEADERS)))} }}); }}\n"
    )
    return ["k6", "run", "-q", "--out", f"csv={scratch / 'k6.csv'}", str(script)]


def _vegeta(url: str, connections: int, seconds: int, scratch: Path, _stream: bool) -> list[str]:
    targets = scratch / "targets.json"
    headers = {name: [value] for name, value in map(_split, _HEADERS)}
    body = base64.b64encode(CHAT.encode()).decode()
    targets.write_text(json.dumps({"method": "POST", "url": f"{url}/v1/chat/completions", "body": body, "header": headers}))
    told = ["-insecure", "-format=json", f"-targets={targets}", "-rate=0", f"-max-workers={connections}", f"-duration={seconds}s"]
    return ["vegeta", "attack", *told, f"-output={scratch / 'vegeta.bin'}"]


def _locust(url: str, connections: int, seconds: int, scratch: Path, _stream: bool) -> list[str]:
    script = scratch / "chat.py"
    script.write_text(
        "from locust import FastHttpUser, task\n\n\nclass Caller(FastHttpUser):\n    @task\n    def chat(self):\n"
        f"        self.client.post('/v1/chat/completions', data={CHAT!r}, headers={dict(map(_split, _HEADERS))!r})\n"
    )
    told = ["--headless", "--only-summary", "-u", str(connections), "-r", str(connections), "-t", f"{seconds}s", "-L", "CRITICAL"]
    return ["locust", "-f", str(script), "-H", url, *told, "--csv", str(scratch / "locust")]


def _autocannon(url: str, connections: int, seconds: int, _scratch: Path, _stream: bool) -> list[str]:
    headers = [word for header in _HEADERS for word in ("-H", header.replace(": ", "=", 1))]
    return [
        "autocannon",
        "-n",
        "-c",
        str(connections),
        "-d",
        str(seconds),
        "-m",
        "POST",
        *headers,
        "-b",
        CHAT,
        f"{url}/v1/chat/completions",
    ]


ENGINE = Peer("load engine", "a line each, histograms", sys.executable, _engine)
PEERS = (
    Peer("wrk", "nothing", "wrk", _wrk, "apt install wrk", ("-v",)),
    Peer("ab -k", "nothing", "ab", _ab, "apt install apache2-utils", ("-V",), _WHOLE),
    Peer("h2load --h1 --log-file", "a line each", "h2load", _h2load, "apt install nghttp2-client"),
    Peer("vegeta", "a record each", "vegeta", _vegeta, "go install github.com/tsenart/vegeta/v12@latest", ("-version",)),
    Peer("autocannon", "nothing", "autocannon", _autocannon, "npm install -g autocannon"),
    Peer("k6 --out csv", "some ten lines each", "k6", _k6, "go install go.k6.io/k6@latest", ("version",)),
    Peer("Locust FastHttpUser", "statistics only", "locust", _locust, "pipx install locust"),
)


def found() -> tuple[list[Peer], list[Peer]]:
    """Peers on PATH, and the others."""
    there = [peer for peer in PEERS if shutil.which(peer.program)]
    return there, [peer for peer in PEERS if peer not in there]


def _split(header: str) -> tuple[str, str]:
    name, _colon, value = header.partition(": ")
    return name, value
