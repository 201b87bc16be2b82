# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's own logs beside the audit log: which files they are, and what of them was written during the check."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from ..faults import CheckError
from ..verdict import Verdict
from .log_files import NOTHING_FRESH, LogFile, line_start

_REMEDY = "Correct log_paths, or start the service."


@dataclass
class _Known:
    log: LogFile
    fresh: int


class ServiceLogs:
    """The files that ``patterns`` match, opened at once: one renamed later is still read to its end."""

    def __init__(self, patterns: Iterable[str], verdict: Verdict) -> None:
        self._patterns = tuple(patterns)
        self._verdict = verdict
        self._known: dict[tuple[int, int], _Known] = {}
        self._faults: dict[str, CheckError] = {}
        self._discover(at_end=True)

    def logs(self, besides: Collection[tuple[int, int]]) -> Iterator[tuple[LogFile, int]]:
        """The files, each with where it is fresh. Those of the identities ``besides`` are left out.

        A pattern that matches nothing and a file that cannot be read make the verdict an error.
        """
        self._discover(at_end=False)
        for pattern in self._patterns:
            if not _files(pattern):
                self._verdict.error("service-log-missing", f"log_paths: {pattern or '(empty)'} matches no file", _REMEDY)
        for fault in self._faults.values():
            self._verdict.error(fault.reason_code, fault.reason, fault.action)
        for identity, known in self._known.items():
            if identity not in besides:
                yield known.log, known.fresh

    def close(self) -> None:
        """Close every file."""
        for known in self._known.values():
            known.log.close()

    def _discover(self, *, at_end: bool) -> None:
        """Open the files that are not open yet. What is fresh of them begins at their end, or is all; of compressed ones it is nothing."""
        self._faults.clear()
        for path in sorted({path for pattern in self._patterns for path in _files(pattern)}):
            try:
                log = LogFile(path, "service", _REMEDY)
            except CheckError as fault:
                self._faults[path] = fault
                continue
            if log.identity in self._known:
                log.close()
                continue
            fresh = NOTHING_FRESH if log.compressed else line_start(log, log.size) if at_end else 0
            self._known[log.identity] = _Known(log, fresh)


def _files(pattern: str) -> list[str]:
    # A Path globs no absolute pattern.
    return [path for path in glob(pattern, recursive=True) if Path(path).is_file()]  # noqa: PTH207
