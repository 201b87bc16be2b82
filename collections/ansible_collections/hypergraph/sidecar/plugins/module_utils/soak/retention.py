# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes old soaks, and nothing else.

Only a soak that is named by its time goes; one that was given a name is kept for it. A directory with anything else in it than what soaks
leave is somebody's, and stays. No symbolic link is followed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..faults import CheckError
from . import naming, record

_FILES = frozenset({record.PLAN_FILE, record.SUMMARY_FILE})
_WRITTEN = _FILES | {f".{name}.new" for name in _FILES}


def prune(home: Path, name: str, environment: str, *, keep: int, max_age: float | None, now: float, remove: bool = True) -> list[str]:
    """Remove all soaks of an environment in a directory but the newest ``keep``, and return the names of those removed.

    Soak ``name`` is one of those kept, with or without a directory yet. Those that may still be driven are kept beyond that number: not
    all of them was driven and judged, and something changed within ``max_age`` seconds and the time of a segment. Without ``remove``
    nothing is done but told. Raises CheckError where a soak cannot be removed.
    """
    try:
        old = sorted((path for path in home.iterdir() if naming.is_by_time(path.name) and path.name != name), reverse=True)
        ours = [path for path in old if _is_soak(path, environment)]
        found = [path for path in ours[keep - 1 :] if not _goes_on(path, max_age, now)]
        if remove:
            for path in found:
                shutil.rmtree(path)
    except FileNotFoundError:
        # There is none yet; or another play that soaks the same environment removes the same.
        return []
    except OSError as problem:
        why = f"{problem.filename or home}: {os.strerror(problem.errno or 0).lower()}"
        raise CheckError("runs-not-removed", f"old soaks in {home} cannot be removed: {why}", "Correct its permissions.") from None
    return [path.name for path in found]


def _is_soak(directory: Path, environment: str) -> bool:
    if directory.is_symlink() or not directory.is_dir():
        return False
    try:
        plan = record.plan_in(directory)
    except CheckError:
        return False
    segments = {segment["name"] for segment in plan["segments"]}
    return plan["environment"] == environment and all(
        (entry.is_dir(follow_symlinks=False) and entry.name in segments and _is_segment(Path(entry.path)))
        or (entry.is_file(follow_symlinks=False) and entry.name in _WRITTEN)
        for entry in os.scandir(directory)
    )


def _is_segment(folder: Path) -> bool:
    return all(entry.is_file(follow_symlinks=False) and entry.name.endswith(".json") for entry in os.scandir(folder))


def _goes_on(directory: Path, max_age: float | None, now: float) -> bool:
    """Whether segments of a soak are or may be driven."""
    try:
        if naming.over(directory, None, now):
            return False
    except CheckError:
        return True
    quiet = now - max(path.stat().st_mtime for path in _all_in(directory))
    return max_age is None or quiet <= max_age + record.plan_in(directory)["segment_seconds"]


def _all_in(directory: Path) -> Iterator[Path]:
    yield directory
    yield from directory.rglob("*")
