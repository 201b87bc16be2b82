"""The processes of a lab: whatever is killed, and whenever, nothing is left half alive."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.process import lifecycle
from lab.process.state_directory import StateDirectory
from tests.lab.client import Api, eventually
from tests.running import CHECKOUT, environment


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Started in the background of a shell, a process ignores SIGINT, and hands that down to what it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def processes_of(state: Path) -> set[int]:
    """Every living process that belongs to the lab of a state directory, by its environment or command line."""
    marks = (f"SIDECAR_STATE={state}\0".encode(), f"\0{state}\0".encode())
    found = set()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                told = (process / "environ").read_bytes() + b"\0" + (process / "cmdline").read_bytes()
                alive = (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
            except OSError:
                continue
            if alive and any(mark in told for mark in marks):
                found.add(int(process.name))
    return found


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab", *arguments], cwd=CHECKOUT, env=environment(), capture_output=True, text=True, check=False
    )


def begin(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lab", *arguments],
        cwd=CHECKOUT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state directory; its lab is ended when the test is."""
    place = tmp_path / "lab state"
    yield place
    run("down", "--state", str(place))


def test_up_is_idempotent_and_down_leaves_nothing(state: Path) -> None:
    first = run("up", "--state", str(state))
    assert (first.returncode, first.stdout.startswith("up: ")) == (0, True), first.stderr
    before = StateDirectory(state).published()
    again = run("up", "--state", str(state))
    assert again.stdout == f"already up: {before['urls']['gateway']}\n"
    assert StateDirectory(state).published() == before
    told = run("status", "--state", str(state))
    assert told.returncode == 0
    assert all(service in told.stdout for service in lifecycle.SERVICES)
    # The guardian ends when it sees that all is well.
    eventually(lambda: len(processes_of(state)) == len(lifecycle.SERVICES) + 1)
    assert run("down", "--state", str(state)).stdout == "down\n"
    assert processes_of(state) == set()
    assert run("status", "--state", str(state)).returncode == 3
    assert run("down", "--state", str(state)).stdout == "already down\n"
    assert state.is_dir()
    assert run("down", "--purge", "--state", str(state)).returncode == 0
    assert not state.exists()


def test_up_with_something_else_restarts_and_keeps_tokens(state: Path) -> None:
    assert run("up", "--state", str(state)).returncode == 0
    before = StateDirectory(state).published()
    changed = run("up", "--state", str(state), "--set", "ENABLE_OTEL=0", "--defect", "counter-frozen")
    assert changed.stdout.startswith("restarted"), changed.stderr
    after = StateDirectory(state).published()
    assert (after["settings"], after["defects"]) == ({"ENABLE_OTEL": "0"}, ["counter-frozen"])
    assert after["tokens"] == before["tokens"]
    assert after["supervisor_pid"] != before["supervisor_pid"]
    # The guardian ends when it sees that all is well.
    eventually(lambda: len(processes_of(state)) == len(lifecycle.SERVICES) + 1)


def test_data_of_a_defect_does_not_outlive_it(state: Path) -> None:
    assert run("up", "--state", str(state)).returncode == 0
    Api(StateDirectory(state).published()).submit()
    assert run("up", "--state", str(state), "--defect", "authorization-logged").returncode == 0
    api = Api(StateDirectory(state).published())
    assert len(api.ask("GET", "/v1/traces").json()["data"]) == 1, "healthy data stays"
    log = Path(api.facts["paths"]["audit_log"])
    assert api.tokens["alpha-writer"] in log.read_text()
    assert run("up", "--state", str(state)).returncode == 0
    api = Api(StateDirectory(state).published())
    assert api.ask("GET", "/v1/traces").json()["data"] == []
    assert api.tokens["alpha-writer"] not in log.read_text()


def test_what_is_published_is_private(state: Path) -> None:
    assert run("up", "--state", str(state)).returncode == 0
    facts = StateDirectory(state).published()
    assert state.stat().st_mode & 0o777 == 0o700
    for private in ("lab.json", "tokens.json", "run/supervisord.conf", "audit/audit.log"):
        Api(facts).ask("GET", "/v1/models")
        assert (state / private).stat().st_mode & 0o077 == 0, private
    secrets = [token["token"] for token in facts["tokens"]]
    assert all(len(secret) >= 32 for secret in secrets)
    assert len(set(secrets)) == 4
    for log in (state / "logs").iterdir():
        assert not any(secret in log.read_text() for secret in secrets), log.name
    for process in processes_of(state):
        assert not any(secret in Path(f"/proc/{process}/cmdline").read_text() for secret in secrets)


# What can be seen from outside while a lab starts, in the order in which it happens.
MOMENTS: dict[str, Callable[[Path], bool]] = {
    "directory made": lambda state: (state / "run").is_dir(),
    "configuration written": lambda state: (state / "run/supervisord.conf").exists(),
    "supervisord forked": lambda state: len(processes_of(state)) > 1,
    "supervisord alive": lambda state: (state / "run").is_dir() and StateDirectory(state).supervisor_pid() is not None,
    "services spawned": lambda state: (state / "logs/gateway.log").exists(),
    "a service ready": lambda state: "Started" in (state / "logs/llm.log").read_text() if (state / "logs/llm.log").exists() else False,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_starter_killed_while_starting_leaves_nothing(moment: str, state: Path) -> None:
    starter = begin("up", "--state", str(state))
    eventually(lambda: MOMENTS[moment](state) or starter.poll() is not None)
    starter.kill()
    assert starter.wait() == -signal.SIGKILL, "it was done before it could be killed"
    eventually(lambda: not processes_of(state))
    assert run("status", "--state", str(state)).returncode == 3
    assert run("up", "--state", str(state)).returncode == 0


def test_starter_interrupted_while_starting_leaves_nothing(state: Path) -> None:
    starter = begin("up", "--state", str(state))
    eventually(lambda: MOMENTS["supervisord alive"](state))
    starter.send_signal(signal.SIGINT)
    told, _ = starter.communicate(timeout=30)
    assert starter.returncode == 130, told
    assert "Traceback" not in told
    assert processes_of(state) == set()


def test_supervisord_killed_takes_everything_with_it(state: Path) -> None:
    assert run("up", "--state", str(state)).returncode == 0
    os.kill(StateDirectory(state).published()["supervisor_pid"], signal.SIGKILL)
    eventually(lambda: not processes_of(state))
    told = run("status", "--state", str(state))
    assert (told.returncode, told.stdout.split()[0]) == (3, "broken")
    assert run("up", "--state", str(state)).stdout.startswith("up: ")


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGKILL, -9)])
def test_foreground_ends_with_its_terminal(number: signal.Signals, expected: int, state: Path) -> None:
    foreground = begin("up", "--foreground", "--state", str(state))
    assert foreground.stdout
    line = foreground.stdout.readline()
    assert line.startswith("up: "), line
    assert len(processes_of(state)) == len(lifecycle.SERVICES) + 3  # the starter, supervisord and the waiting guardian
    refused = run("up", "--state", str(state))
    assert (refused.returncode, "foreground" in refused.stderr) == (1, True)
    foreground.send_signal(number)
    assert foreground.wait(timeout=30) == expected
    foreground.stdout.close()
    eventually(lambda: not processes_of(state))


def test_foreground_notices_a_down_from_elsewhere(state: Path) -> None:
    foreground = begin("up", "--foreground", "--state", str(state))
    assert foreground.stdout
    assert foreground.stdout.readline().startswith("up: ")
    assert run("down", "--state", str(state)).stdout == "down\n"
    told, _ = foreground.communicate(timeout=30)
    assert (foreground.returncode, "ended from elsewhere" in told) == (1, True)
    assert processes_of(state) == set()


def test_taken_port_is_named_with_its_remedy(state: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = run("up", "--state", str(state), "--gateway-port", str(port))
    assert refused.returncode == 1
    assert refused.stderr == f"error: port {port} for gateway is taken; give --gateway-port another, or leave it out for a free one\n"
    assert processes_of(state) == set()


def test_wanted_port_is_used(state: Path) -> None:
    with socket.socket() as candidate:
        candidate.bind(("127.0.0.1", 0))
        port = candidate.getsockname()[1]
    assert run("up", "--state", str(state), "--gateway-port", str(port)).stdout == f"up: http://127.0.0.1:{port}\n"


def test_service_that_cannot_start_is_shown_with_its_log(state: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = run("up", "--state", str(state), "--set", f"GRAPH_STORE_URI=file://{tmp_path}/file/graphs")
    assert refused.returncode == 1
    assert "does not start; its log ends with" in refused.stderr
    assert "NotADirectoryError" in refused.stderr
    assert processes_of(state) == set()
    assert not (state / "lab.json").exists()


def test_crashed_service_comes_back(state: Path) -> None:
    assert run("up", "--state", str(state)).returncode == 0
    api = Api(StateDirectory(state).published())
    gateway = next(row["pid"] for row in lifecycle.status(StateDirectory(state))["services"] if row["service"] == "gateway")
    os.kill(gateway, signal.SIGKILL)

    def back() -> bool:
        try:
            return api.ask("GET", "/v1/models").status_code == 200
        except OSError:
            return False
        except Exception as problem:
            assert "Error" in type(problem).__name__
            return False

    eventually(back)
    eventually(lambda: lifecycle.status(StateDirectory(state))["state"] == "up")


def test_state_directory_with_a_long_path_works(tmp_path: Path) -> None:
    place = tmp_path / ("deep/" * 30)
    assert len(str(place)) > 108
    try:
        assert run("up", "--state", str(place)).returncode == 0
        socket_directory = Path(StateDirectory(place).published()["supervisor_socket"]).parent
        assert lifecycle.status(StateDirectory(place))["state"] == "up"
    finally:
        run("down", "--state", str(place))
    assert not socket_directory.exists()


def test_state_directory_that_supervisord_cannot_take_is_refused(tmp_path: Path) -> None:
    refused = run("up", "--state", str(tmp_path / "100%"))
    assert (refused.returncode, "without" in refused.stderr, "Traceback" in refused.stderr) == (1, True, False)
    assert processes_of(tmp_path / "100%") == set()


def test_state_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    refused = run("up", "--state", str(tmp_path))
    assert (refused.returncode, "is no state directory of a lab" in refused.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--set", "ENABLE_OTLE=0"], "did you mean ENABLE_OTEL?"),
        (["--set", "ENABLE_OTEL=no"], "ENABLE_OTEL=no: expected 0 or 1"),
        (["--set", "SIDECAR_PORTS={}"], "unknown setting"),
        (["--set", "LLM_LATENCY_MS=fast"], "'fast' is no distribution"),
        (["--set", "QUEUE_SOFT_DEPTH=500"], "QUEUE_SOFT_DEPTH is not below QUEUE_HARD_DEPTH"),
        (["--set", "AUTH_TOKENS_JSON={"], "AUTH_TOKENS_JSON: expected a JSON object"),
        (["--defect", "no-such"], "--defect no-such: no such defect. Known: "),
    ],
)
def test_bad_request_is_explained_and_starts_nothing(arguments: list[str], told: str, state: Path) -> None:
    refused = run("up", "--state", str(state), *arguments)
    assert refused.returncode == 1
    assert told in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not state.exists()
