# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line of JSON for each request and each explanation, written as they end.

Lines reach the file whole and in batches; after the death of the process the file is valid except, at most, for one cut last line.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..faults import CheckError
from .codec import line_writer

CHAT_FILE, EXPLANATION_FILE = "chat_results.jsonl", "explanation_results.jsonl"
CHAT_FIELDS = ("t", "l", "s", "e", "p", "a", "b", "d", "r")
EXPLANATION_FIELDS = ("t", "l", "g", "st", "e", "p", "a", "n")
# With lines of some 150 bytes about 64 KiB; a power of two.
BATCH = 512


class Records:
    """Appends lines with the given fields to a new file."""

    def __init__(self, path: Path, fields: tuple[str, ...], on_fault: Callable[[CheckError], None]) -> None:
        self._path = path
        self._on_fault = on_fault
        self._lines: list[Any] = []
        # Adds what ``line(*values)`` made; whoever adds calls ``flush`` now and then.
        self.add = self._lines.append
        self.line, self._encode = line_writer(fields)
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o640)
        except FileExistsError:
            reason = f"directory {path.parent}: it has {path.name} of another run, expected a directory without results"
            raise CheckError("results-exist", reason, "Give each run a directory of its own.") from None
        except OSError as problem:
            raise _unwritable(path, problem) from None

    def flush(self) -> None:
        """Write what was added. A disk that is full is told to ``on_fault``, and what cannot be written is given up."""
        if not self._lines:
            return
        left = memoryview(self._encode(self._lines))
        self._lines.clear()
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError as problem:
            self._on_fault(_unwritable(self._path, problem))

    def close(self) -> None:
        """Write what is left and close."""
        self.flush()
        os.close(self._fd)


def _unwritable(path: Path, problem: OSError) -> CheckError:
    reason = f"{path} cannot be written on the load generator: {os.strerror(problem.errno or 0).lower()}"
    return CheckError("results-unwritable", reason, "Give directory a place with room that the user of the run may write to.")
