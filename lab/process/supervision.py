"""Talking to supervisord: its configuration, starting and stopping it, and asking how its programs are."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.process.state_directory import CHECKOUT, LabError, StateDirectory, write_private

_CONFIG = """\
; Written by `python -m lab up`. Look inside with: supervisorctl -c {config}
[supervisord]
nodaemon=true
logfile={logs}/supervisord.log
logfile_maxbytes=1MB
logfile_backups=1
pidfile={run}/supervisord.pid
childlogdir={logs}
umask=077
nocleanup=true
minfds=1024

[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{socket}

[program:guardian]
command={python} -m lab.process.guardian {state}
directory={checkout}
autorestart=false
startsecs=0
stopwaitsecs=2
redirect_stderr=true
stdout_logfile={logs}/guardian.log
"""
# As one group they are stopped at once; supervisord stops one group after another.
_GROUP = """
[group:sidecar]
programs={services}
"""
_PROGRAM = """
[program:{service}]
command={python} -m lab.serve {service}
directory={checkout}
autorestart=true
startsecs=1
startretries=3
stopsignal=TERM
stopwaitsecs=5
redirect_stderr=true
stdout_logfile={logs}/{service}.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=2
"""
STOP_SECONDS = 12.0


@dataclass(frozen=True)
class Program:
    """How supervisord sees a program: its name, a state such as RUNNING, its process id (0 for none), and since when, in Unix seconds."""

    name: str
    state: str
    pid: int
    since: int

    @property
    def ended(self) -> bool:
        """Whether it left by itself; a program starting up should not."""
        return self.state in ("BACKOFF", "EXITED", "FATAL")


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        import socket

        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ARG002  # the signature is xmlrpc's
        return _Connection(self._path)


def programs(socket: str) -> list[Program]:
    """The services under supervisord. Raises OSError where it does not answer."""
    proxy = xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(socket))
    listed: Any = proxy.supervisor.getAllProcessInfo()
    return [Program(row["name"], row["statename"], row["pid"], row["start"]) for row in listed if row["name"] != "guardian"]


def write_config(state: StateDirectory, services: Collection[str], socket: Path) -> Path:
    """Write supervisord's configuration; returns its path."""
    config = state.run / "supervisord.conf"
    places = {
        "config": config,
        "logs": state.logs,
        "run": state.run,
        "state": state.path,
        "socket": socket,
        "python": sys.executable,
        "checkout": CHECKOUT,
    }
    texts = {name: str(place) for name, place in places.items()}
    for text in texts.values():
        # supervisord expands % a different number of times in different places, and cuts lines at a semicolon.
        if any(character in text for character in '%;"\\\n'):
            raise LabError(f'{text}: a path with one of % ; " \\ cannot be given to supervisord; use --state, or a checkout, without')
    for name in ("python", "state"):
        # A space ends a word of a command.
        texts[name] = f'"{texts[name]}"'
    sections = [_CONFIG.format(**texts), _GROUP.format(services=",".join(services))]
    write_private(config, "".join([*sections, *(_PROGRAM.format(service=service, **texts) for service in services)]))
    return config


def start(state: StateDirectory, config: Path, environment: Mapping[str, str], *, foreground: bool) -> subprocess.Popen[bytes]:
    """Start supervisord apart from this terminal; in the foreground it dies with this process."""
    parent = [str(os.getpid())] if foreground else []
    with (state.logs / "supervisord.out").open("wb") as output:
        return subprocess.Popen(  # noqa: S603  # this interpreter, our own module
            [sys.executable, "-m", "lab.process.supervisord", str(state.path), str(config), *parent],
            cwd=CHECKOUT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop(state: StateDirectory) -> bool:
    """End supervisord and with it every service; whether there was one. Raises LabError where it will not go."""
    pid = state.supervisor_pid()
    if pid is None:
        return False
    for number, patience in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 3.0)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        give_up = time.monotonic() + patience
        while time.monotonic() < give_up:
            if state.supervisor_pid() is None:
                return True
            time.sleep(0.02)
    raise LabError(f"supervisord (process {pid}) does not end; look at it with ps -fp {pid}")


def log_tail(state: StateDirectory, name: str, lines: int = 15) -> str:
    """The last lines of a program's log, indented."""
    try:
        written = (state.logs / name).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        written = []
    return "\n".join(f"    {line}" for line in written[-lines:]) or "    (empty log)"
