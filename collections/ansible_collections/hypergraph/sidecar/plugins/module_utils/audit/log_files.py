# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log files: opened with a clear error where they cannot be, read as whole lines in bounded memory, plain or gzip; rotated siblings."""

from __future__ import annotations

import gzip
import os
import re
import stat
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..faults import CheckError

MAX_LINE = 1024 * 1024
# The offset from which on a log is fresh, where none of it is.
NOTHING_FRESH = sys.maxsize
_CHUNK = MAX_LINE
# Pieces of an overlong line overlap by this much, so that nothing is missed for lying on a seam.
_OVERLAP = 4096
_GZIP = b"\x1f\x8b"
_ROTATED = re.compile(r"[.-](?:\d[\dT_.:-]*|old)(?:\.gz)?")


@dataclass(frozen=True)
class Chunk:
    """Whole lines, each with its newline, and the offset in bytes of the first. Or a piece of one line longer than MAX_LINE."""

    offset: int
    data: bytes = field(repr=False)
    overlong: bool = False

    @property
    def end(self) -> int:
        """The offset of what follows."""
        return self.offset + len(self.data)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Each line without its newline, and its offset."""
        offset = self.offset
        for line in self.data.removesuffix(b"\n").split(b"\n"):
            yield offset, line
            offset += len(line) + 1


class LogFile:
    """An open log file. It stays readable when it is renamed, compressed or removed meanwhile.

    Raises CheckError ``<kind>-log-missing``, ``-forbidden`` or ``-unreadable`` where it cannot be opened.
    """

    def __init__(self, path: str, kind: str, remedy: str) -> None:
        self.path = path
        self._kind = kind
        try:
            # Non-blocking, so that a pipe in its place answers at once.
            self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise CheckError(f"{kind}-log-missing", f"{self} does not exist", remedy) from None
        except PermissionError:
            reason = f"{self} cannot be read by the user that runs the task"
            raise CheckError(f"{kind}-log-forbidden", reason, "Let that user read it, for example by become, or by its group.") from None
        except OSError as problem:
            raise CheckError(f"{kind}-log-unreadable", f"{self} cannot be opened: {problem.strerror}", remedy) from None
        if not stat.S_ISREG(self.status().st_mode):
            self.close()
            raise CheckError(f"{kind}-log-unreadable", f"{self} is not a regular file", remedy)
        self.compressed = path.endswith(".gz") and self.at(0, 2) == _GZIP

    def __str__(self) -> str:
        return f"{self._kind} log {self.path}"

    def status(self) -> os.stat_result:
        """What the file system says of it now."""
        return os.fstat(self._descriptor)

    @property
    def identity(self) -> tuple[int, int]:
        """What a rename does not change."""
        status = self.status()
        return status.st_dev, status.st_ino

    @property
    def size(self) -> int:
        """Its size in bytes now, as stored."""
        return self.status().st_size

    def text_size(self, give_up: float) -> int | None:
        """How many bytes its text has; None where it cannot be told by ``give_up`` on the monotonic clock, since it must be unfolded.

        Of compressed data that is broken it is what can be read before.
        """
        if not self.compressed:
            return self.size
        size = 0
        try:
            for block in self._compressed_blocks(0):
                if time.monotonic() > give_up:
                    return None
                size += len(block)
        except CheckError:
            # Whoever reads up to there meets the same and says so.
            pass
        return size

    def at(self, offset: int, length: int) -> bytes:
        """Bytes as stored, fewer at the end."""
        return os.pread(self._descriptor, length, offset)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)

    def text(self, offset: int, length: int) -> bytes:
        """Bytes of its text, fewer at the end."""
        if not self.compressed:
            return self.at(offset, length)
        return next(self._compressed_blocks(offset), b"")[:length]

    def chunks(self, start: int = 0, end: int | None = None) -> Iterator[Chunk]:
        """Its lines from ``start`` on, which begins a line, and up to ``end``; offsets are those of the decompressed text.

        A last line without newline is still being written and left out. Raises CheckError where compressed data is broken.
        """
        pending = b""
        offset = start
        overlong = False
        for block in self._compressed_blocks(start) if self.compressed else self._blocks(start):
            if end is not None:
                block = block[: end - offset - len(pending)]
            pending += block
            if overlong:
                cut = pending.find(b"\n") + 1
                if cut:
                    overlong = False
                    yield Chunk(offset, pending[:cut], overlong=True)
                    pending, offset = pending[cut:], offset + cut
            if not overlong:
                cut = pending.rfind(b"\n") + 1
                if cut:
                    yield Chunk(offset, pending[:cut])
                    pending, offset = pending[cut:], offset + cut
            if len(pending) > MAX_LINE:
                overlong = True
                yield Chunk(offset, pending, overlong=True)
                cut = len(pending) - _OVERLAP
                pending, offset = pending[cut:], offset + cut
            if not block:
                break

    def _blocks(self, offset: int) -> Iterator[bytes]:
        while True:
            block = self.at(offset, _CHUNK)
            if not block:
                return
            yield block
            offset += len(block)

    def _compressed_blocks(self, offset: int) -> Iterator[bytes]:
        """Its text from an offset on, which costs decompressing what is before."""
        try:
            with open(self._descriptor, "rb", closefd=False) as stored:
                stored.seek(0)
                with gzip.GzipFile(fileobj=stored) as text:
                    text.seek(offset)
                    while block := text.read(_CHUNK):
                        yield block
        except (EOFError, OSError, zlib.error):
            raise CheckError(
                f"{self._kind}-log-unreadable", f"{self} is not whole gzip data", "Compress it again, or remove what is left of it."
            ) from None


def line_start(log: LogFile, offset: int) -> int:
    """Where the line that ``offset`` lies in begins, looked for at most MAX_LINE bytes before it."""
    reach = min(offset, MAX_LINE)
    return offset - reach + log.text(offset - reach, reach).rfind(b"\n") + 1


def rotated_siblings(path: str) -> list[str]:
    """The files that rotation left beside a log, newest first: ``log.1``, ``log.2.gz``, ``log-20260131`` and alike."""
    log = Path(path)
    try:
        found = [(entry.stat().st_mtime, entry.path) for entry in os.scandir(log.parent) if _is_rotated(entry, log.name)]
    except OSError:
        return []
    return [sibling for _modified, sibling in sorted(found, reverse=True)]


def _is_rotated(entry: os.DirEntry[str], name: str) -> bool:
    return entry.name.startswith(name) and _ROTATED.fullmatch(entry.name[len(name) :]) is not None and entry.is_file()
