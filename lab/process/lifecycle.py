"""Bringing a lab up, down, and telling how it is."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import secrets
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from lab.defects import Defects, load_catalog
from lab.process import ports, publication, supervision
from lab.process.state_directory import CHECKOUT, LabError, StateDirectory
from lab.settings import Settings, checked

SERVICES = ("gateway", "interceptor", "llm", "explainer")
READY_SECONDS = 20.0
_PORT_TRIES = 3


@dataclass(frozen=True)
class Request:
    """What ``up`` was asked for."""

    given: Mapping[str, str] = field(default_factory=dict)
    defects: tuple[str, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    foreground: bool = False

    def fingerprint(self) -> str:
        """What makes two requests, and the code that answers them, the same."""
        code = sorted((str(path), path.stat().st_mtime_ns) for path in (CHECKOUT / "lab").rglob("*") if path.suffix in (".py", ".yaml"))
        wanted = [sorted(self.given.items()), sorted(self.defects), sorted(self.ports.items()), self.foreground, code]
        return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()


class _PortLost(Exception):
    """Somebody took a port between its choice and its use."""


def up(state: StateDirectory, request: Request) -> str:
    """Bring the lab up as requested; returns one line that says what was done.

    A lab that is up in the same way is left alone, another one is replaced. Raises LabError and BadSetting.
    """
    checked(request.given)
    load_catalog().require(request.defects)
    settings = Settings.read(request.given, state.path)
    state.prepare()
    with state.lock("control"):
        facts = state.published()
        running = state.supervisor_pid() is not None
        if running and facts.get("foreground"):
            raise LabError(f"a lab runs in the foreground of another terminal with --state {state.path}; end it there, or with `down`")
        if running and facts.get("fingerprint") == request.fingerprint():
            return f"already up: {facts['urls']['gateway']}"
        with state.lock("starter"):
            _end(state)
            url = _start(state, request, settings)["urls"]["gateway"]
        return f"{'restarted with what is asked for now' if running else 'up'}: {url}"


def up_in_foreground(state: StateDirectory, request: Request) -> None:
    """Bring the lab up and keep it until a signal ends this process. Whatever else ends it ends the lab too."""
    checked(request.given)
    load_catalog().require(request.defects)
    settings = Settings.read(request.given, state.path)
    state.prepare()
    with ExitStack() as stack, _signals_as_interrupts():
        try:
            # In this order, as everywhere: whoever holds the control lock may wait for the starter's.
            with state.lock("control"):
                stack.enter_context(state.lock("starter"))
                _end(state)
                facts = _start(state, request, settings)
            print(f"up: {facts['urls']['gateway']}; Ctrl-C ends it", flush=True)
            while state.supervisor_pid() == facts["supervisor_pid"]:
                time.sleep(0.5)
            raise LabError(f"the lab was ended from elsewhere; see {state.logs / 'supervisord.log'}")
        except KeyboardInterrupt:
            print("ending", flush=True)
        finally:
            # `down` from elsewhere may be at it already.
            with state.lock("control"):
                _end(state)


def down(state: StateDirectory, *, purge: bool = False) -> str:
    """End the lab; returns one line that says what was done. The state directory stays unless it is to be purged."""
    if not state.run.is_dir():
        return "already down: there is no lab here"
    with state.lock("control"):
        was_up = _end(state)
    if purge:
        state.purge()
    return ("down" if was_up else "already down") + (", state deleted" if purge else "")


def status(state: StateDirectory) -> dict[str, Any]:
    """How the lab is: ``state`` (up, starting, broken, down) and a row for each service. It is up when every service answers."""
    facts = state.published()
    if state.supervisor_pid() is None:
        return {"state": "broken" if facts else "down", "services": [], "state_dir": str(state.path)}
    if not facts:
        return {"state": "starting", "services": [], "state_dir": str(state.path)}
    rows = [
        {
            "service": p.name,
            "state": p.state,
            "pid": p.pid,
            "url": facts["urls"][p.name],
            "since": p.since,
            "answers": _answers(urlsplit(facts["urls"][p.name]).port),
        }
        for p in supervision.programs(facts["supervisor_socket"])
    ]
    return {
        "state": "up" if all(row["answers"] for row in rows) else "broken",
        "services": rows,
        "defects": facts["defects"],
        "settings": facts["settings"],
        "state_dir": str(state.path),
    }


def _end(state: StateDirectory) -> bool:
    socket = str(state.published().get("supervisor_socket", ""))
    was_up = supervision.stop(state)
    state.discard_run(socket)
    return was_up


def _start(state: StateDirectory, request: Request, settings: Settings) -> dict[str, Any]:
    """Start everything and publish it when it is ready. Leaves nothing behind where it cannot."""
    services = [service for service in SERVICES if service != "llm" or not settings.LLM_PROXY_URL]
    for attempt in range(1, _PORT_TRIES + 1):
        socket = state.socket()
        try:
            return _start_on(state, request, socket, ports.assign(services, request.ports))
        except BaseException as problem:
            supervision.stop(state)
            state.discard_run(str(socket))
            if not isinstance(problem, _PortLost):
                raise
            if attempt == _PORT_TRIES or request.ports:
                raise LabError(f"{problem}; try again, or name ports with --gateway-port and the like") from None
    raise AssertionError("unreachable")


def _start_on(state: StateDirectory, request: Request, socket: Path, assigned: Mapping[str, int]) -> dict[str, Any]:
    state.seed(request.defects)
    documents = publication.artifacts(state, Defects(frozenset(request.defects), "up", state.defects_journal))
    tokens = publication.tokens_of(state, Settings.read(request.given, state.path))
    carried = {
        **publication.aws_environment(),
        **request.given,
        "AUTH_TOKENS_JSON": publication.tokens_json(tokens),
        "SIDECAR_STATE": str(state.path),
        "SIDECAR_DEFECTS": ",".join(sorted(request.defects)),
        "SIDECAR_HOP_SECRET": secrets.token_urlsafe(32),
        "SIDECAR_PORTS": json.dumps(assigned),
    }
    settings = Settings.read(carried, state.path)
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(Path.home()),
        "PYTHONUNBUFFERED": "1",
        "LANG": "C.UTF-8",
        **carried,
    }
    config = supervision.write_config(state, assigned, socket)
    for log in state.logs.glob("*.log"):
        os.truncate(log, 0)
    supervisor = supervision.start(state, config, environment, foreground=request.foreground)
    _wait_until_ready(state, supervisor, str(socket), assigned)
    facts = {
        **publication.lab_facts(state, settings, request.given, tokens, documents),
        "supervisor_pid": supervisor.pid,
        "supervisor_socket": str(socket),
        "foreground": request.foreground,
        "fingerprint": request.fingerprint(),
    }
    state.publish(facts)
    return facts


def _wait_until_ready(state: StateDirectory, supervisor: Popen[bytes], socket: str, assigned: Mapping[str, int]) -> None:
    give_up = time.monotonic() + READY_SECONDS
    waiting = dict(assigned)
    while waiting:
        try:
            supervisor.wait(timeout=0.03)
        except TimeoutExpired:
            pass
        else:
            raise LabError(f"supervisord ended at once; it says\n{supervision.log_tail(state, 'supervisord.out')}")
        waiting = {service: port for service, port in waiting.items() if not _answers(port)}
        if waiting:
            _raise_for_ended(state, socket, assigned)
        if waiting and time.monotonic() > give_up:
            name = next(iter(waiting))
            raise LabError(
                f"{name} is not ready after {READY_SECONDS:g} s; its log ends with\n{supervision.log_tail(state, f'{name}.log')}"
            )


def _raise_for_ended(state: StateDirectory, socket: str, assigned: Mapping[str, int]) -> None:
    """Raise where a service left instead of getting ready."""
    try:
        ended = [program.name for program in supervision.programs(socket) if program.ended]
    except OSError:
        return  # supervisord is not that far
    for name in ended:
        tail = supervision.log_tail(state, f"{name}.log")
        if ports.PORT_TAKEN in tail:
            raise _PortLost(f"{name} could not have port {assigned[name]}: it was taken in the meantime")
        raise LabError(f"{name} does not start; its log ends with\n{tail}")


def _answers(port: int | None) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """End the block with KeyboardInterrupt on SIGTERM and SIGHUP as on SIGINT."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
