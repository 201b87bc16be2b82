"""Labs for tests: each has its state directory, its ports, and is gone when its scope ends."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.defects import Defects
from lab.process.publication import artifacts
from lab.process.state_directory import StateDirectory
from tests.running import CHECKOUT, Run, environment, playbook

_TRIES = 5


@dataclass(frozen=True)
class Lab:
    """A running lab."""

    state: Path

    @property
    def facts(self) -> dict[str, Any]:
        """What it published: urls, paths, tokens."""
        published: dict[str, Any] = json.loads((self.state / "lab.json").read_text())
        return published

    def verify(self, results: Path, *arguments: str, name: str = "verify", **env: str) -> Run:
        """Run the main playbook on it."""
        return playbook(name, *arguments, results=results, SIDECAR_LAB_STATE=str(self.state), **env)

    def measure(self, results: Path, *arguments: str, name: str) -> Run:
        """Run a playbook that drives load, in time."""
        return in_time(lambda: self.verify(results, *arguments, name=name))

    def stop(self) -> None:
        """Take it down before its scope ends."""
        command("down", "--state", str(self.state))

    def applied_defects(self) -> set[str]:
        """The seeded defects that have really taken effect."""
        journal = self.state / "defects_applied.jsonl"
        return {json.loads(line)["defect"] for line in journal.read_text().splitlines()} if journal.exists() else set()


def in_time(drive: Callable[[], Run]) -> Run:
    """A run that drives load; where it says that this machine was too busy to send it, what it says is done: it is run again.

    Each further try is warned of, so that nobody takes a machine that can hardly keep the pace for one that can.
    """
    for attempt in range(1, _TRIES):
        run = drive()
        if not run.was_late:
            return run
        warnings.warn(f"this machine was too busy to send load in time, try {attempt} of {_TRIES}", stacklevel=2)
    return drive()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m lab …`, which must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "lab", *arguments], cwd=CHECKOUT, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"python -m lab {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done


def publish(directory: Path, defect: str) -> Lab:
    """The documents of a lab with a defect in them, published as a running lab does; nothing runs."""
    directory.mkdir()
    state = StateDirectory(directory)
    paths = artifacts(state, Defects(frozenset({defect}), "up", state.defects_journal))
    state.publish({"schema": "lab-1", "paths": paths})
    return Lab(directory)


@contextmanager
def _labs(new_state: Callable[[], Path]) -> Iterator[Callable[..., Lab]]:
    states: list[Path] = []

    def start(*options: str) -> Lab:
        states.append(new_state())
        command("up", "--state", str(states[-1]), *options)
        return Lab(states[-1])

    try:
        yield start
    finally:
        for state in states:
            command("down", "--state", str(state))


@pytest.fixture
def start_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Lab]]:
    """A function that starts a lab with the options given, such as `--defect`, `ID`; all are taken down when the test ends."""
    with _labs(lambda: tmp_path_factory.mktemp("lab")) as start:
        yield start


@pytest.fixture(scope="session")
def healthy_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab without defects, shared by the tests of a worker; none of them may change it."""
    with _labs(lambda: tmp_path_factory.mktemp("lab")) as start:
        yield start()
