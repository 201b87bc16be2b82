"""The state directory: where everything of one lab lies, and who may hold which of its locks."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

CHECKOUT = Path(__file__).resolve().parents[2]
# sun_path of a UNIX socket address holds 108 bytes with its terminator (unix(7)); supervisord first binds a longer temporary name.
_MAX_SOCKET_PATH = 90
_MARK = "lab-state"


class LabError(Exception):
    """Something that keeps the lab from starting or ending; the text says what and what to do."""


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, as a whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@dataclass(frozen=True)
class StateDirectory:
    """The state directory of a lab, mode 0700."""

    path: Path

    @classmethod
    def chosen(cls, argument: str | None) -> Self:
        """The directory of ``--state``, else of $SIDECAR_LAB_STATE, else ``.lab`` in the checkout."""
        return cls(Path(argument or os.environ.get("SIDECAR_LAB_STATE") or CHECKOUT / ".lab").expanduser().absolute())

    def prepare(self) -> None:
        """Create what is missing. Raises LabError where the place is something else's."""
        if self.path.exists() and not (self.path / _MARK).exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise LabError(f"--state {self.path} exists and is no state directory of a lab; name another, or empty it")
        try:
            for place in (self.path, self.logs, self.run, *self._data, self.path / "api" / "released"):
                place.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
            (self.path / _MARK).touch()
        except OSError as problem:
            raise LabError(f"--state {self.path}: {problem.strerror}; name a directory that this user may write") from None

    @property
    def logs(self) -> Path:
        """Directory of the service logs."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Directory of what lasts only as long as the processes."""
        return self.path / "run"

    @property
    def lab_json(self) -> Path:
        """What the running lab publishes."""
        return self.path / "lab.json"

    @property
    def defects_journal(self) -> Path:
        """Which defects really took effect."""
        return self.path / "defects_applied.jsonl"

    @property
    def _data(self) -> tuple[Path, Path]:
        """Directories of what the services write for good, beside their database."""
        return self.path / "hif", self.path / "audit"

    def seed(self, defects: Collection[str]) -> None:
        """Make the data ready for services with these defects: what other defects have written would be held against them, so it goes."""
        mark = self.path / "seeded.json"
        before = json.loads(mark.read_text(encoding="utf-8")) if mark.exists() else []
        if before and before != sorted(defects):
            for database in self.path.glob("sidecar.db*"):
                database.unlink()
            for place in self._data:
                shutil.rmtree(place)
                place.mkdir()
        write_private(mark, json.dumps(sorted(defects)))
        self.defects_journal.unlink(missing_ok=True)

    def published(self) -> dict[str, Any]:
        """The content of lab.json; empty where there is none."""
        try:
            document = json.loads(self.lab_json.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}

    def publish(self, facts: Mapping[str, Any]) -> None:
        """Write lab.json."""
        write_private(self.lab_json, json.dumps(facts, indent=2) + "\n")

    def socket(self) -> Path:
        """A path for supervisord's socket, short enough for the kernel: in the state directory, else in a directory of its own."""
        near = self.run / "supervisor.sock"
        if len(os.fsencode(near)) <= _MAX_SOCKET_PATH:
            return near
        return Path(tempfile.mkdtemp(prefix="sidecar-lab-")) / "supervisor.sock"

    def discard_run(self, socket: str = "") -> None:
        """Forget the processes that have ended."""
        self.lab_json.unlink(missing_ok=True)
        if socket and Path(socket).parent != self.run:
            shutil.rmtree(Path(socket).parent, ignore_errors=True)
        for left in self.run.glob("*"):
            if left.suffix != ".lock":
                left.unlink(missing_ok=True)

    def purge(self) -> None:
        """Delete the directory with all it holds."""
        if (self.path / _MARK).exists():
            shutil.rmtree(self.path)

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[int]:
        """Hold a lock of the lab, waiting for it as long as it takes. The kernel releases it when the holder dies."""
        descriptor = self._open(name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def try_lock(self, name: str) -> int | None:
        """Take a lock without waiting; the descriptor that holds it, or None where somebody else does."""
        descriptor = self._open(name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def supervisor_pid(self) -> int | None:
        """Process id of the living supervisord; None where none lives."""
        if not self.run.is_dir():
            return None
        descriptor = self.try_lock("supervisor")
        if descriptor is not None:
            os.close(descriptor)
            return None
        written = self._lock_path("supervisor").read_text(encoding="ascii")
        return int(written) if written.isdigit() else None

    def _lock_path(self, name: str) -> Path:
        return self.run / f"{name}.lock"

    def _open(self, name: str) -> int:
        return os.open(self._lock_path(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
