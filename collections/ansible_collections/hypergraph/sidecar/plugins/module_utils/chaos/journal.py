# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: every step of a fault's life, written and synchronised before the next is taken."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .control_file import storage_fault
from .run_directory import RunDirectory

INTENT, ARMED, INJECTED, OBSERVED, REVERTED, VERIFIED = STEPS = ("intent", "armed", "injected", "observed", "reverted", "verified")
# A revert that was tried and did not succeed.
FAILED = "failed"
_MAX_BYTES = 1024 * 1024


def note(directory: RunDirectory, step: str, lease_id: str, **facts: Any) -> None:
    """Append one line. Raises CheckError where it cannot be kept, and then leaves the journal without it."""
    line = {"at": datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z"), "step": step, "lease": lease_id}
    raw = (json.dumps({**line, **facts}) + "\n").encode("utf-8")
    path = directory.journal
    try:
        if step == INTENT:
            _make_room(path)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                raw = b"\n" + raw
            try:
                written = os.write(descriptor, raw)
                if written < len(raw):
                    os.write(descriptor, raw[written:])
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
    except OSError as problem:
        raise storage_fault("journal", path, problem) from None


def entries(directory: RunDirectory, lease_id: str | None = None) -> Iterator[dict[str, Any]]:
    """The lines, of one lease if it is named; a line that a crash cut short is passed over."""
    try:
        lines = directory.journal.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    except OSError as problem:
        raise storage_fault("journal", directory.journal, problem) from None
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and lease_id in (None, entry.get("lease")):
            yield entry


def _make_room(path: Path) -> None:
    """Put a long journal aside. A fault's lines stay together, since who took it back is looked up when it is gone."""
    with contextlib.suppress(FileNotFoundError):
        if path.lstat().st_size > _MAX_BYTES:
            path.replace(path.with_suffix(".1.jsonl"))
