# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where reports live: ``<results>/<environment>/<run id>/``. A run appears there whole or not at all, and old ones make room."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

DIRECTORY_MODE = 0o750
FILE_MODE = 0o640
LATEST = "latest"

_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
_UNFINISHED = re.compile(rf"\.{_RUN_ID.pattern}\..+")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# A writer that is still at work after this long is dead.
_ABANDONED = timedelta(hours=1)


def new_run_id(now: datetime) -> str:
    """An id that sorts by time: the second it began, in UTC, and six random digits."""
    return f"{now.astimezone(timezone.utc):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def check_environment(name: str) -> str:
    """The environment's name, which becomes a directory's. Raises ValueError where it cannot be one."""
    if not _ENVIRONMENT.fullmatch(name) or name == LATEST:
        raise ValueError(f"environment {name!r}: expected letters, digits, '.', '_' and '-', beginning with a letter or digit")
    return name


def runs(environment: Path) -> list[Path]:
    """The run directories of an environment, oldest first; none where it cannot be listed, of which writing there will say why."""
    try:
        return sorted(path for path in environment.iterdir() if _RUN_ID.fullmatch(path.name) and path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def write(environment: Path, run_id: str, files: Mapping[str, str]) -> Path:
    """Write a run's files into a directory that is renamed into place when complete, and point ``latest`` at it. Raises OSError."""
    environment.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{run_id}.", dir=environment))
    try:
        for name, content in files.items():
            path = unfinished / name
            path.write_bytes(content.encode())
            path.chmod(FILE_MODE)
        unfinished.chmod(DIRECTORY_MODE)
        finished = environment / run_id
        unfinished.rename(finished)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    _point_latest(environment, run_id)
    return finished


def prune(environment: Path, written: Path, keep: int) -> None:
    """Remove the oldest runs, so that ``keep`` stay with the one just written, and what writers that died left. Nothing else is touched."""
    others = [run for run in runs(environment) if run != written]
    for run in others[: max(len(others) - max(keep - 1, 0), 0)]:
        shutil.rmtree(run, ignore_errors=True)
    deadline = (datetime.now(timezone.utc) - _ABANDONED).timestamp()
    for path in environment.iterdir():
        if _UNFINISHED.fullmatch(path.name) and path.lstat().st_mtime < deadline:
            shutil.rmtree(path, ignore_errors=True)


def _point_latest(environment: Path, run_id: str) -> None:
    """Replace the link ``latest`` in one step; where links are not to be had, the file ``latest.txt``."""
    link = environment / f".{run_id}.{LATEST}"
    try:
        link.symlink_to(run_id, target_is_directory=True)
        link.replace(environment / LATEST)
    except (OSError, NotImplementedError):
        link.unlink(missing_ok=True)
        link.write_bytes(f"{run_id}\n".encode())
        link.chmod(FILE_MODE)
        link.replace(environment / f"{LATEST}.txt")
