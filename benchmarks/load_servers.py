"""Servers that load generators are measured against: nginx where it is found, and benchmarks.answering for what nginx does not do."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.answering import CHAT

CHECKOUT = Path(__file__).parent.parent
_NGINX = """
worker_processes 1; daemon off; pid {scratch}/pid; error_log {scratch}/error.log crit; events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; default_type application/json; client_body_temp_path {scratch}/body;
proxy_temp_path {scratch}/proxy; fastcgi_temp_path {scratch}/fastcgi; uwsgi_temp_path {scratch}/uwsgi; scgi_temp_path {scratch}/scgi;
server {{ listen 127.0.0.1:{port} backlog=2048; location / {{ return 200 '{chat}'; }} location = /count {{ stub_status; }} }} }}
"""


@contextlib.contextmanager
def on_core(number: int) -> Iterator[None]:
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
def fastest(scratch: Path) -> Iterator[tuple[str, str]]:
    """The fastest server there is: its address and what it is."""
    if not shutil.which("nginx"):
        with answering(None) as url:
            yield url, "benchmarks.answering (nginx was not found)"
        return
    port = _free_port()
    config = scratch / "nginx.conf"
    config.write_text(_NGINX.format(scratch=scratch, port=port, chat=CHAT.decode()))
    said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr  # noqa: S607
    with _started(["nginx", "-c", str(config), "-e", str(scratch / "error.log")], port):
        yield f"http://127.0.0.1:{port}", said.strip().rpartition(" ")[2]


@contextlib.contextmanager
def answering(certificate: Path | None) -> Iterator[str]:
    """benchmarks.answering, over TLS where there is a certificate: its address."""
    port = _free_port()
    with _started([sys.executable, "-m", "benchmarks.answering", str(port), *([str(certificate)] if certificate else [])], port):
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"


def count(url: str) -> int:
    """Requests answered so far, as the server tells."""
    context = ssl._create_unverified_context()  # noqa: S323  # of the benchmark itself
    with urllib.request.urlopen(f"{url}/count", timeout=30, context=context) as answer:  # noqa: S310
        words = answer.read().decode().split()
    # nginx: "Active connections: 1 server accepts handled requests 1 1 1 Reading: ..."
    return int(words[0]) if words[0].isdigit() else int(words[words.index("requests") + 3])


def certificate(scratch: Path) -> Path | None:
    """A certificate with its key in one file, where openssl is found."""
    if not shutil.which("openssl"):
        return None
    key, certified, both = scratch / "key.pem", scratch / "certified.pem", scratch / "certificate.pem"
    told = ["-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "1", "-keyout", str(key), "-out", str(certified)]
    subprocess.run(["openssl", "req", *told], check=True, capture_output=True)  # noqa: S603, S607
    both.write_text(key.read_text() + certified.read_text())
    return both


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


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
