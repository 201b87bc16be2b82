# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a chaos run keeps on the target, in a directory beside the control file: who may, who watches, and what was done."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from ..faults import CheckError
from .control_file import storage_fault

_LOCK_WAIT = 10.0
_LOOK_AGAIN = 0.02


class RunDirectory:
    """``<control file>.run/``, mode 0700: lease, journal, and two locks that the kernel gives back when their holder dies."""

    def __init__(self, control_path: str | Path) -> None:
        self.path = Path(f"{control_path}.run")
        self.lease = self.path / "lease.json"
        self.journal = self.path / "journal.jsonl"
        self.dead_man = self.path / "dead_man.lock"

    def exists(self) -> bool:
        """Whether there ever was a chaos run."""
        return self.path.is_dir()

    def is_closed(self) -> bool:
        """Whether it is another user's, so that this one may not look into it."""
        try:
            self.lease.lstat()
        except PermissionError:
            return True
        except OSError:
            return False
        return False

    def prepare(self) -> None:
        """Make the directory. Raises CheckError."""
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
        except OSError as problem:
            raise storage_fault("run directory", self.path, problem) from None

    @contextlib.contextmanager
    def locked(self, wait: float = _LOCK_WAIT) -> Iterator[None]:
        """Hold the directory alone. Raises CheckError where it is not to be had within so many seconds."""
        with self._opened(self.path / "lock") as descriptor:
            give_up = time.monotonic() + wait
            while not _taken(descriptor):
                if time.monotonic() > give_up:
                    said = f"{self.path} has been locked by another process for {wait:g} s"
                    raise CheckError("chaos-contended", said, "Look which process holds its file 'lock' (lsof), and end it.")
                time.sleep(_LOOK_AGAIN)
            yield

    @contextlib.contextmanager
    def watched(self) -> Iterator[bool]:
        """Be the dead-man while the block runs; False where there is one already."""
        with self._opened(self.dead_man) as descriptor:
            yield _taken(descriptor)

    def has_dead_man(self) -> bool:
        """Whether a dead-man lives."""
        if not self.dead_man.exists():
            return False
        with self.watched() as free:
            return not free

    def write(self, path: Path, text: str) -> None:
        """Replace a file of the directory. Raises CheckError and leaves it as it was."""
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            temporary.replace(path)
        except OSError as problem:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise storage_fault("file", path, problem) from None

    @contextlib.contextmanager
    def _opened(self, path: Path) -> Iterator[int]:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as problem:
            raise storage_fault("lock", path, problem) from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
