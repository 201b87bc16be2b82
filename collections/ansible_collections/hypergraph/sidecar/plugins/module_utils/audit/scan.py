# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading logs once, from end to end, and noting what is in them that should not be. What was found is never kept, only where."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .entries import Outcomes, problems, read_entry
from .exemptions import Exemption
from .log_files import MAX_LINE, NOTHING_FRESH, Chunk, LogFile, line_start
from .needles import Hit, Needle, search, search_closely
from .patterns import Match, find, readings
from .screening import suspects

# Of the time for older lines, so much may be spent on finding where compressed text ends: to read what is before its end, all of it is
# unfolded twice more.
_COUNTING_SHARE = 0.3
# How many places of a kind are kept; more are counted.
KEPT = 10


@dataclass(frozen=True)
class Place:
    """Where something is. The line is counted from 1, and None where the beginning of the file was not read."""

    path: str
    offset: int
    line: int | None
    note: str = ""

    def __str__(self) -> str:
        where = f"{self.path} byte {self.offset}" if self.line is None else f"{self.path} line {self.line}, byte {self.offset}"
        return f"{where} ({self.note})" if self.note else where


@dataclass
class Places:
    """The first places of a kind, and how many there are."""

    count: int = 0
    kept: list[Place] = field(default_factory=list)

    def add(self, place: Place) -> None:
        """Note one more."""
        self.count += 1
        if len(self.kept) < KEPT:
            self.kept.append(place)

    def __bool__(self) -> bool:
        return self.count > 0

    def merge(self, other: Places) -> None:
        """Note those of another kind too."""
        self.count += other.count
        self.kept = [*self.kept, *other.kept][:KEPT]

    def first(self) -> str:
        """The first in one line, and how many more; empty where there is none."""
        more = f" and {self.count - 1} more" if self.count > 1 else ""
        return f"{self.kept[0]}{more}" if self.kept else ""

    def told(self) -> list[str]:
        """For a reader."""
        more = [f"{self.count - len(self.kept)} more"] if self.count > len(self.kept) else []
        return [*map(str, self.kept), *more]


@dataclass(frozen=True)
class Region:
    """The part of a log to read: from ``start``, which begins a line, to ``end``. From ``fresh`` on it was written during this run."""

    log: LogFile
    start: int
    fresh: int
    end: int

    @classmethod
    def newest(cls, log: LogFile, size: int, fresh: int, history: int) -> Region:
        """Of a text of ``size`` bytes all that is fresh, and before it ``history`` bytes."""
        fresh = size if fresh == NOTHING_FRESH else fresh if fresh <= size else 0
        return cls(log, line_start(log, max(0, fresh - history)), fresh, size)


@dataclass
class Findings:
    """What was read, and what was found in it: seeded values by rule, unseeded ones by rule, and broken lines.

    ``left_out`` is how many bytes, by path, come before what was to be read; of compressed data that was not to be read at all, as stored.
    """

    lines: int = 0
    fresh_lines: int = 0
    bytes: int = 0
    unfinished: bool = False
    left_out: Counter[str] = field(default_factory=Counter)
    seeded: dict[str, Places] = field(default_factory=dict)
    unseeded: dict[str, Places] = field(default_factory=dict)
    exempted: Counter[str] = field(default_factory=Counter)
    not_json: Places = field(default_factory=Places)
    fields: Places = field(default_factory=Places)
    backwards: Places = field(default_factory=Places)


@dataclass(frozen=True)
class Rules:
    """What to look for. ``lasting`` needles are searched everywhere, the others where lines are fresh."""

    needles: Sequence[Needle] = ()
    outcomes: Outcomes | None = None
    exemptions: Sequence[Exemption] = ()
    tolerance: timedelta = timedelta(seconds=5)

    @property
    def lasting(self) -> list[Needle]:
        """Needles that old lines may hold."""
        return [needle for needle in self.needles if needle.lasting]


class Scan:
    """One pass over logs: of each all that is fresh, and before it the newest ``history`` bytes.

    ``give_up`` is when, by the monotonic clock, it leaves out what is left of the older lines, ``stop`` when it leaves out all else too.
    """

    def __init__(self, rules: Rules, give_up: float, stop: float) -> None:
        self.findings = Findings()
        self._rules = rules
        self._give_up = give_up
        self._stop = stop
        # A telephone number has so few possible values that its plain hash would tell it; this key is thrown away with the run.
        self._key = secrets.token_bytes(16)
        self._known = [spelling.lower() for needle in rules.needles for spelling in (*needle.written, *needle.encoded)]

    def audit(self, log: LogFile, fresh_from: int, history: int) -> None:
        """Read an audit log: values known and unknown, and the form of its lines."""
        region = self._region(log, fresh_from, history)
        before: datetime | None = None
        for chunk, line, fresh in self._chunks(region):
            self._seeded(region, chunk, line, fresh=fresh)
            self._unseeded(region, chunk, line)
            if chunk.overlong:
                self.findings.not_json.add(Place(region.log.path, chunk.offset, line, f"longer than {MAX_LINE} bytes"))
            elif fresh:
                before = self._entries(region, chunk, line, before)
            elif not _is_json(chunk.data):
                self._not_json(region, chunk, line)

    def service(self, log: LogFile, fresh_from: int, history: int) -> None:
        """Read a service's own log, for known values only."""
        region = self._region(log, fresh_from, history)
        for chunk, line, fresh in self._chunks(region):
            self._seeded(region, chunk, line, fresh=fresh)

    def _region(self, log: LogFile, fresh_from: int, history: int) -> Region:
        """What is to be read of a log; what is not is accounted for."""
        # Compressed text that ends with fresh lines is read to its end, wherever that is.
        size: int | None = sys.maxsize if log.compressed else log.size
        if log.compressed and fresh_from == NOTHING_FRESH:
            if not history:
                self.findings.left_out[log.path] += log.size
                return Region(log, 0, 0, 0)
            now = time.monotonic()
            size = log.text_size(now + (self._give_up - now) * _COUNTING_SHARE)
        if size is None:
            self.findings.unfinished = True
            return Region(log, 0, 0, 0)
        region = Region.newest(log, size, fresh_from, history)
        if region.start:
            self.findings.left_out[log.path] += region.start
        return region

    def _chunks(self, region: Region) -> Iterator[tuple[Chunk, int | None, bool]]:
        """Chunks of older and then of fresh lines, each with the number of its first line, and whether it is fresh."""
        line = 1 if region.start == 0 else None
        fresh_from = max(region.start, region.fresh)
        for chunk in region.log.chunks(region.start, min(fresh_from, region.end)):
            if time.monotonic() > self._give_up:
                self.findings.unfinished = True
                line = None
                break
            yield chunk, line, False
            line = self._count(chunk, line)
        if fresh_from < region.end:
            for chunk in region.log.chunks(fresh_from, region.end):
                if time.monotonic() > self._stop:
                    self.findings.unfinished = True
                    return
                yield chunk, line, True
                self.findings.fresh_lines += chunk.data.count(b"\n")
                line = self._count(chunk, line)

    def _count(self, chunk: Chunk, line: int | None) -> int | None:
        count = chunk.data.count(b"\n")
        self.findings.lines += count
        self.findings.bytes += len(chunk.data)
        return None if line is None else line + count

    def _seeded(self, region: Region, chunk: Chunk, line: int | None, *, fresh: bool) -> None:
        hits = search_closely(chunk.data, self._rules.needles) if fresh else search(chunk.data, self._rules.lasting)
        seen: set[tuple[int, str, str]] = set()
        for hit in sorted(hits, key=lambda hit: hit.place):
            start = chunk.data.rfind(b"\n", 0, hit.place) + 1
            told = (start, hit.needle.rule, hit.needle.origin)
            if told not in seen:
                seen.add(told)
                self._note_seeded(region, chunk, line, hit)

    def _note_seeded(self, region: Region, chunk: Chunk, line: int | None, hit: Hit) -> None:
        places = self.findings.seeded.setdefault(hit.needle.rule, Places())
        places.add(_place(region, chunk, line, hit.place, f"from {hit.needle.origin}{', encoded' if hit.encoded else ''}"))

    def _unseeded(self, region: Region, chunk: Chunk, line: int | None) -> None:
        for start, end, rules in suspects(chunk.data):
            for name, match in matches_in(chunk.data[start:end], rules):
                told = match.text.encode("utf-8", "replace")
                if any(spelling in told.lower() for spelling in self._known):
                    continue
                if any(exemption.covers(match, name) for exemption in self._rules.exemptions):
                    self.findings.exempted[match.rule] += 1
                    continue
                fingerprint = hashlib.blake2s(told, key=self._key, digest_size=4).hexdigest()
                within = max(chunk.data.find(told, start, end), start)
                places = self.findings.unseeded.setdefault(match.rule, Places())
                places.add(_place(region, chunk, line, within, f"{f'in {name}, ' if name else ''}fingerprint {fingerprint}"))

    def _entries(self, region: Region, chunk: Chunk, line: int | None, before: datetime | None) -> datetime | None:
        """Judge the form of fresh entries; the latest moment they name."""
        if self._rules.outcomes is None:
            raise ValueError("entries can be judged only where the outcomes to expect are given")
        for offset, text in chunk.lines():
            if not text.strip():
                continue
            place = offset - chunk.offset
            try:
                entry, document = read_entry(region.log.path, offset, text)
            except ValueError as problem:
                self.findings.not_json.add(_place(region, chunk, line, place, _kind(problem)))
                continue
            wrong = problems(entry, document, self._rules.outcomes)
            if wrong:
                self.findings.fields.add(_place(region, chunk, line, place, ", ".join(wrong)))
            moment = entry.moment
            if moment is not None:
                if before is not None and moment < before - self._rules.tolerance:
                    late = (before - moment).total_seconds()
                    self.findings.backwards.add(_place(region, chunk, line, place, f"{late:.1f} s before an earlier line"))
                before = max(before or moment, moment)
        return before

    def _not_json(self, region: Region, chunk: Chunk, line: int | None) -> None:
        for offset, text in chunk.lines():
            problem = _json_problem(text)
            if problem:
                self.findings.not_json.add(_place(region, chunk, line, offset - chunk.offset, problem))


def _place(region: Region, chunk: Chunk, line: int | None, within: int, note: str) -> Place:
    number = None if line is None else line + chunk.data.count(b"\n", 0, within)
    return Place(region.log.path, chunk.offset + within, number, note)


def _is_json(data: bytes) -> bool:
    """Whether every line is a JSON object: all in one go, several times as fast as line by line. False may also mean that one is blank."""
    try:
        parsed = json.loads(f"[{data.decode().rstrip().replace(chr(10), ',')}]", parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    # Two lines that are no JSON alone may be when joined, but then they are fewer.
    return len(parsed) == data.rstrip().count(b"\n") + 1 and all(isinstance(document, dict) for document in parsed)


def _json_problem(line: bytes) -> str:
    """Why a line is no JSON object, without quoting it; empty where it is one, or blank."""
    if not line.strip():
        return ""
    try:
        document = json.loads(line.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as problem:
        return _kind(problem)
    return "" if isinstance(document, dict) else f"a {type(document).__name__}, not an object"


def _kind(problem: Exception) -> str:
    """A parser's complaint without the text it complains about."""
    if isinstance(problem, UnicodeDecodeError):
        return f"not UTF-8 at its byte {problem.start}"
    if isinstance(problem, json.JSONDecodeError):
        return f"{problem.msg} at its character {problem.pos}"
    return "nested too deeply" if isinstance(problem, RecursionError) else "not strict JSON"


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def matches_in(line: bytes, rules: Collection[str]) -> Iterator[tuple[str, Match]]:
    """What the rules find in a line, each with the name of the field it is in, once however often it is there."""
    found: set[tuple[str, str, str]] = set()
    for name, text in _values(line):
        for reading in readings(text):
            for match in find(reading, rules):
                if (name, match.rule, match.text) not in found:
                    found.add((name, match.rule, match.text))
                    yield name, match


def _values(line: bytes) -> Iterator[tuple[str, str]]:
    """The texts of an entry, each led by its name as context for the patterns, with the name of the field; or the line as it is."""
    text = line.decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        yield "", text
        return
    for name, value in document.items():
        yield from ((name if name.isidentifier() else "a field", leaf) for leaf in _leaves(str(name), value))


def _leaves(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner, item in value.items():
            yield from _leaves(str(inner), item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(name, item)
    elif value is not None and not isinstance(value, bool):
        yield f"{name}: {value}"
