# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes old load runs, from generators and from where their summaries were brought home, and nothing else.

A run is a directory that is named by a time as the playbooks name it, and that holds either directories of generators with the files the
load module writes, or summaries named ``<generator>.json``. A directory with anything else in it is somebody's, and stays. No symbolic link
is followed, not even one that is put in place meanwhile: all is done relative to directories that are open.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..faults import CheckError
from .files import PROGRESS_FILE, SUMMARY_FILE, WATCH_FILE, under_way
from .reading import SCHEMA
from .records import CHAT_FILE, EXPLANATION_FILE

_RUN = re.compile(r"\d{8}T\d{6}Z")
_RECORDS = frozenset({CHAT_FILE, EXPLANATION_FILE})
_WRITTEN = frozenset({SUMMARY_FILE, PROGRESS_FILE})
_FILES = _RECORDS | _WRITTEN | {WATCH_FILE} | {f".{name}.new" for name in _WRITTEN}
# Where the schema of a summary stands.
_HEAD = 64


def prune(root: Path, run_id: str, keep: int, spare: Collection[str] = (), *, remove: bool = True) -> list[str]:
    """Remove all runs in a directory but the newest ``keep``, and return the names of those removed.

    The run ``run_id`` is one of those kept, also where it has no directory yet. Runs that are under way, and those that a path of
    ``spare`` lies in, are kept beyond that number. Without ``remove`` nothing is done but told. Raises CheckError where ``keep`` is not
    at least 1, or where a run cannot be removed.
    """
    if keep < 1:
        raise CheckError("bad-argument", f"keep is {keep}, expected at least 1", "Say how many load runs are to be kept.")
    spared = {os.path.relpath(os.path.realpath(path), os.path.realpath(root)).split(os.sep, 1)[0] for path in spare}
    try:
        with _directory(str(root)) as top:
            old = [name for name in sorted(_kinds(top), reverse=True) if name != run_id and _RUN.fullmatch(name)]
            ours = [name for name in old if _is_run(name, top)]
            found = [name for name in ours[keep - 1 :] if name not in spared and not _busy(name, top)]
            if remove:
                for name in found:
                    _remove(name, top)
    except FileNotFoundError:
        # There is none yet; or another generator that keeps its runs in the same place removes the same.
        return []
    except OSError as problem:
        why = f"{problem.filename or root}: {os.strerror(problem.errno or 0).lower()}"
        raise CheckError(
            "runs-not-removed", f"old load runs in {root} cannot be removed: {why}", "Correct its path or permissions."
        ) from None
    return found


@contextmanager
def _directory(name: str, parent: int | None = None) -> Iterator[int]:
    """A directory, open; only the one that everything else is relative to may be a symbolic link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    descriptor = os.open(name, flags if parent is None else flags | os.O_NOFOLLOW, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _kinds(directory: int) -> dict[str, int]:
    """What is in a directory, each with its type as ``stat.S_IFMT`` tells it."""
    with os.scandir(directory) as found:
        return {entry.name: stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode) for entry in found}


def _is_run(name: str, top: int) -> bool:
    if not stat.S_ISDIR(os.stat(name, dir_fd=top, follow_symlinks=False).st_mode):
        return False
    try:
        with _directory(name, top) as run:
            kinds = _kinds(run)
            return bool(kinds) and all(
                (kind == stat.S_IFDIR and _is_of_generator(entry, run))
                or (kind == stat.S_IFREG and entry.endswith(".json") and _is_summary(entry, run))
                for entry, kind in kinds.items()
            )
    except PermissionError:
        # Another user's.
        return False


def _is_of_generator(name: str, run: int) -> bool:
    with _directory(name, run) as generator:
        kinds = _kinds(generator)
        if not set(kinds) <= _FILES or set(kinds.values()) - {stat.S_IFREG}:
            return False
        return _is_summary(SUMMARY_FILE, generator) if SUMMARY_FILE in kinds else set(kinds) >= _RECORDS


def _is_summary(name: str, directory: int) -> bool:
    return f'"{SCHEMA}"'.encode() in _read(name, directory, _HEAD)


def _busy(name: str, top: int) -> bool:
    """Whether a generator still drives the run."""
    with _directory(name, top) as run:
        for generator in (entry for entry, kind in _kinds(run).items() if kind == stat.S_IFDIR):
            with _directory(generator, run) as files:
                if PROGRESS_FILE in _kinds(files) and under_way(_read(PROGRESS_FILE, files, 65536)):
                    return True
    return False


def _read(name: str, directory: int, most: int) -> bytes:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        return os.read(descriptor, most)
    finally:
        os.close(descriptor)


def _remove(name: str, top: int) -> None:
    """Remove what ``_is_run`` found to be one; whatever came into it since makes it fail."""
    with _directory(name, top) as run:
        for entry, kind in _kinds(run).items():
            if kind == stat.S_IFDIR:
                with _directory(entry, run) as generator:
                    for file in _FILES & set(_kinds(generator)):
                        os.unlink(file, dir_fd=generator)
                os.rmdir(entry, dir_fd=run)
            else:
                os.unlink(entry, dir_fd=run)
    os.rmdir(name, dir_fd=top)
