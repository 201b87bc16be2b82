# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Following a log while it is written: from a position on, over renames, over truncation, line by whole line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..faults import CheckError
from .log_files import NOTHING_FRESH, LogFile, line_start, rotated_siblings

# Enough of what precedes a position to tell a log from another one that has grown as far.
_MARK = 256


@dataclass(frozen=True)
class FreshLine:
    """A line written since the follower began, without its newline."""

    path: str
    offset: int
    data: bytes = field(repr=False)


@dataclass
class Segment:
    """A file that fresh lines were or are written to: from ``start`` on, read up to ``position``. Offsets are those of its text."""

    log: LogFile
    start: int
    position: int = 0
    mark: bytes = field(default=b"", repr=False)

    def advance(self, position: int) -> None:
        """Have read up to there."""
        self.position = position
        self.mark = self.log.text(max(0, position - _MARK), min(position, _MARK))

    def continues_in(self, log: LogFile) -> bool:
        """Whether that file has the text just before the position in the same place; this one has not once it is truncated."""
        return log.text(self.position - len(self.mark), len(self.mark)) == self.mark


class Follower:
    """Reads what is written to the log at ``path`` from now on. The log may not be there yet, and may be rotated at any time.

    A renamed file is followed to its end beside the new one, since its writer may not have noticed. Where the log was copied and truncated,
    the copy is looked for; ``lost`` says that there was none, so that lines may be missing. Raises CheckError where the log cannot be read.
    """

    def __init__(self, path: str, remedy: str) -> None:
        self.path = path
        self.segments: list[Segment] = []
        self.copies: list[Segment] = []
        self.lost = False
        self._remedy = remedy
        self._open(fresh=False)

    @property
    def found(self) -> bool:
        """Whether there has been a log at all."""
        return bool(self.segments)

    def poll(self) -> Iterator[FreshLine]:
        """The lines written since the last poll. A last one without newline is left for the next."""
        self._open(fresh=True)
        for segment in self.segments:
            if segment.log.compressed:
                continue
            if not segment.continues_in(segment.log):
                yield from self._rest_of(segment)
                segment.start = 0
                segment.advance(0)
            yield from _read(segment)

    def close(self) -> None:
        """Close every file."""
        for segment in (*self.segments, *self.copies):
            segment.log.close()

    def _open(self, *, fresh: bool) -> None:
        """Begin with the file at the path, if it is another one than before."""
        try:
            status = os.stat(self.path)  # noqa: PTH116  # a Path made of an empty path is the working directory
        except OSError:
            status = None
        if status and self.segments and (status.st_dev, status.st_ino) == self.segments[-1].log.identity:
            return
        try:
            log = LogFile(self.path, "audit", self._remedy)
        except CheckError as fault:
            if fault.reason_code != "audit-log-missing":
                raise
            return
        # Compressed data is not written line by line: nothing of it will be fresh.
        segment = Segment(log, 0 if fresh else NOTHING_FRESH if log.compressed else line_start(log, log.size))
        if not log.compressed:
            segment.advance(segment.start)
        self.segments.append(segment)

    def _rest_of(self, segment: Segment) -> Iterator[FreshLine]:
        """What was written between the last poll and the truncation, from the copy made before it."""
        for path in rotated_siblings(self.path):
            try:
                copy = Segment(LogFile(path, "audit", self._remedy), segment.start, segment.position)
            except CheckError:
                continue
            if segment.continues_in(copy.log):
                self.copies.append(copy)
                yield from _read(copy)
                return
            copy.log.close()
        self.lost = True


def _read(segment: Segment) -> Iterator[FreshLine]:
    position = segment.position
    for chunk in segment.log.chunks(position):
        position = chunk.end
        if not chunk.overlong:
            yield from (FreshLine(segment.log.path, offset, line) for offset, line in chunk.lines())
    if position > segment.position:
        segment.advance(position)
