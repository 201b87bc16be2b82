# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which soak is meant, and whether it is over: what was measured before a deploy says nothing of the service after it.

A soak goes on until all its segments are driven and judged, as long as it does not stand still for too long. One that was given a name
is that one for good; one without is named by when it began, and followed by the next when it is over.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

from ..faults import CheckError
from ..rfc3339 import parse_utc
from . import record

LATEST = "latest"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BY_TIME = re.compile(r"\d{8}T\d{6}Z")


def soak_id(home: Path, told: str, max_age: float | None, now: float) -> str:
    """The name told; without one that of the newest soak named by its time, or where there is none that goes on, of a new one.

    Raises CheckError for a name that can be none, and where the newest cannot be read.
    """
    if told:
        if told == LATEST or not _ID.fullmatch(told):
            expected = f"letters, digits, '.', '_' and '-', beginning with a letter or digit, and not {LATEST!r}"
            raise CheckError(
                "bad-argument", f"id is {told!r}, expected {expected}", "Name the soak otherwise (sidecar_soak_id), or not at all."
            )
        return told
    named = [path.name for path in home.iterdir() if is_by_time(path.name)] if home.is_dir() else []
    newest = max(named, default="")
    return newest if newest and not over(home / newest, max_age, now) else time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def is_by_time(name: str) -> bool:
    """Whether a soak of this name was begun without one."""
    return bool(_BY_TIME.fullmatch(name))


def over(directory: Path, max_age: float | None, now: float) -> str:
    """Why the soak in a directory does not go on; empty where it does, or none was begun. Raises CheckError where it cannot be read."""
    if not (directory / record.PLAN_FILE).exists():
        return ""
    segments = record.segments_in(directory, record.plan_in(directory))
    if (directory / record.SUMMARY_FILE).exists() and all(segment.whole and not segment.late for segment in segments):
        return "all its segments were driven, and judged"
    return stale(segments, max_age, now)


def stale(segments: Sequence[record.Segment], max_age: float | None, now: float) -> str:
    """Why segments are too old to be judged; empty where they are not.

    Their age is the time since the first of them began, less that under load: for so long the service may have become another.
    """
    runs = [[summary["run"] for summary in segment.summaries.values()] for segment in segments if segment.whole]
    if max_age is None or not runs:
        return ""
    began = min(parse_utc(run["started_at"]).timestamp() for parts in runs for run in parts)
    still = now - began - sum(max(run["duration_s"] for run in parts) for parts in runs)
    return f"it stood still for {still / 3600:.1f} hours, more than the {max_age / 3600:.1f} it is good for" if still > max_age else ""


def point_latest(home: Path, name: str) -> None:
    """Let the link ``latest`` lead to a soak. Raises CheckError."""
    link = home / f".{name}.{LATEST}"
    try:
        link.unlink(missing_ok=True)
        link.symlink_to(name, target_is_directory=True)
        link.replace(home / LATEST)
    except OSError as problem:
        reason = f"{home / LATEST} cannot be made a link to {name}: {problem.strerror}"
        raise CheckError("results-unwritable", reason, "Remove it, and let the user of the run write there.") from None
