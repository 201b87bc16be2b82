# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A summary made again from the records of a run that died.

The summary that a run writes when it begins tells its plan; what was counted since comes from the records.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .. import strict_json
from ..faults import CheckError
from .backpressure import Ladder
from .files import NOT_ENDED, PROGRESS_FILE, SUMMARY_FILE, replace, under_way
from .health import send_error
from .histogram import Histogram
from .plan import CHAT, CLASSES
from .records import CHAT_FILE, EXPLANATION_FILE
from .tally import Tally

REBUILT = "rebuilt from records"
_ENDS = {"trace_failed": "failed", "trace_expired": "expired", "trace_lost": "lost", "unfinished": "unfinished"}


def died(directory: Path) -> bool:
    """Whether the run of a directory ended without its summary. Raises CheckError where there is none, or it goes on."""
    if begun(directory / SUMMARY_FILE)["run"]["interrupted"] != NOT_ENDED:
        return False
    try:
        progress = (directory / PROGRESS_FILE).read_bytes()
    except OSError:
        progress = b""
    if under_way(progress):
        raise CheckError("load-under-way", f"the load run in {directory} is still under way", "Wait for its end, or end it with SIGTERM.")
    return True


def rebuild(directory: Path) -> dict[str, Any]:
    """The summary of a run from its records; it is written to the directory too. Raises CheckError where they are none.

    A last line that was cut by the end of the process is left out. Nothing is known of how the generator did.
    """
    summary = begun(directory / SUMMARY_FILE)
    plan = summary["plan"]
    tally = Tally([phase["name"] for phase in plan["phases"]], plan["slo_ms"])
    counts = _Counts(tally, plan)
    # Both files are in the order in which requests ended.
    for ended_s, record in heapq.merge(lines(directory / CHAT_FILE), lines(directory / EXPLANATION_FILE), key=lambda line: line[0]):
        counts.add(ended_s, record)
    counts.finish()
    unknown = "it died before it could say how it did"
    generators = [
        {**generator, "healthy": False, "problems": [*(text for text in generator["problems"] if text != unknown), unknown]}
        for generator in summary["generators"]
    ]
    seconds = max(counts.last_s, 0.0)
    sent = counts.chats
    rebuilt = {
        **summary,
        "run": {
            **summary["run"],
            "duration_s": min(seconds, plan["phases"][-1]["starts_s"] + plan["phases"][-1]["duration_s"]),
            "interrupted": REBUILT,
        },
        "classes": tally.classes(),
        "traces": counts.traces(),
        "offered": {
            "planned": sent,
            "sent": sent,
            "dropped": 0,
            "rate_per_s": round(sent / seconds, 3) if seconds else 0.0,
            "achieved_per_s": round(sent / seconds, 3) if seconds else 0.0,
            "send_error_us": send_error(counts.delays),
        },
        "bytes": {"sent": 0, "received": counts.received},
        "status_codes": {str(code): count for code, count in sorted(counts.codes.items())},
        "ladder": counts.ladder.document(),
        "generators": generators,
        "series": tally.series(),
    }
    replace(directory / SUMMARY_FILE, rebuilt)
    return rebuilt


class _Counts:
    """What the records add up to, taken in the order in which requests ended."""

    def __init__(self, tally: Tally, plan: Mapping[str, Any]) -> None:
        self._tally = tally
        self._ends_s = [phase["starts_s"] + phase["duration_s"] for phase in plan["phases"]]
        self._phases = {phase["name"]: place for place, phase in enumerate(plan["phases"])}
        self._second = 0
        self._accepted = 0
        self._ends: Counter[str] = Counter()
        self.chats = 0
        self.received = 0
        self.last_s = 0.0
        self.codes: Counter[int] = Counter()
        self.ladder = Ladder()
        self.delays = Histogram()

    def add(self, ended_s: float, record: Mapping[str, Any]) -> None:
        """Take one record."""
        while self._second + 1 <= ended_s:
            self._close_second()
        self.last_s = max(self.last_s, ended_s)
        explains = record.get("g")
        name = explains if explains in CLASSES else CHAT
        measured = self._tally.measured(name, self._phases[record["p"]])
        if record["e"] is None:
            measured.good(record["l"])
        else:
            measured.bad(record["e"])
        if explains:
            if record["a"] is not None:
                self._ends[record["st"] or _ENDS.get(record["e"], "unfinished")] += 1
            return
        self.chats += 1
        self.received += record["b"]
        self._accepted += record["a"] is not None
        self.delays.record(record["d"])
        if record["s"]:
            self.codes[record["s"]] += 1
        if record["s"] == 429:
            # What the answer said of it is in no record.
            self.ladder.refused(None)

    def finish(self) -> None:
        """Close the last second."""
        self._close_second()

    def traces(self) -> dict[str, int]:
        """The summary's ``traces``; those that were under way when the run died are unfinished."""
        ends = {name: self._ends[name] for name in ("complete", "failed", "expired", "canceled", "lost", "unfinished")}
        ends["unfinished"] += max(self._accepted - sum(ends.values()), 0)
        return {"accepted": max(self._accepted, sum(ends.values())), **ends}

    def _close_second(self) -> None:
        phase = next((place for place, end in enumerate(self._ends_s) if self._second < end), len(self._ends_s))
        self._second += 1
        self._tally.second_over(phase)


def begun(path: Path) -> dict[str, Any]:
    """The summary that a run wrote, be it only when it began. Raises CheckError."""
    try:
        summary = strict_json.loads(path.read_bytes())
        told = summary["plan"]["phases"] and summary["plan"]["slo_ms"] and "interrupted" in summary["run"]
        if told and isinstance(summary["generators"], list):
            return dict(summary)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        pass
    raise CheckError("no-load-run", f"{path} is no summary of a load run", "Name the directory that was given to the load module.")


def lines(path: Path) -> Iterator[tuple[float, dict[str, Any]]]:
    """The records of a file, each with when it ended in seconds since the run's start. Raises CheckError."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    record = json.loads(line)
                    yield record["t"] + record["l"] / 1_000_000, record
                except (ValueError, KeyError, TypeError):
                    reason = f"{path} line {number} is no record of a request"
                    raise CheckError("records-damaged", reason, "Restore the file from the load generator.") from None
    except OSError:
        raise CheckError("no-load-run", f"{path} cannot be read", "Name the directory that was given to the load module.") from None
