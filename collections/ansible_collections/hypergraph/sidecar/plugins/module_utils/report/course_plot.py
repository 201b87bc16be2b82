# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A class of requests over the run as inline SVG: latency, rate and failures above one axis of time, with the phases behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .canvas import Canvas, Point
from .charts import Svg
from .load_phase import Phase
from .load_run import RAMP, WARMUP, Course, LoadRun
from .load_words import latency, per_second
from .scales import Scale, from_zero, latencies, times

_WIDTH, _HEIGHT = 360, 318
_LEFT, _RIGHT = 54, 350
# Tops and bottoms of the three panels.
_LATENCY, _RATE, _FAILED = (38, 158), (184, 224), (250, 280)
# Of small type, so wide is a character about.
_CHARACTER = 7.0
_ROWS = 12


@dataclass(frozen=True)
class Row:
    """A stretch of a course: since when in seconds, requests that ended, failed and were slow in it, and the worst of its latencies."""

    since_s: float
    count: float
    failed: float
    slow: float
    p50_ms: float | None
    p95_ms: float | None


def course_plot(course: Course, run: LoadRun) -> Svg:
    """The course of a class of requests."""
    return _Plot(course, run).drawn()


def course_rows(course: Course) -> list[Row]:
    """The course in at most twelve stretches."""
    size = -(-len(course.count) // _ROWS) or 1
    rows = []
    for place in range(0, len(course.count), size):
        part = slice(place, place + size)
        counts = (sum(column[part]) for column in (course.count, course.errors, course.slow))
        worst = (max(filter(None, column[part]), default=None) for column in (course.p50_ms, course.p95_ms))
        rows.append(Row(course.starts_s + place * course.width_s, *counts, *worst))
    return rows


class _Plot:
    def __init__(self, course: Course, run: LoadRun) -> None:
        self._course, self._run = course, run
        self._canvas = Canvas("course", _WIDTH, _HEIGHT, _says(course))
        self._time, self._unit = times(max(course.ends_s, 1.0), _LEFT, _RIGHT)
        seen = [value for value in (*course.p50_ms, *course.p95_ms, course.slo_ms) if value is not None]
        self._latency = latencies(seen, _LATENCY[1], _LATENCY[0])
        # Answers to chats come at the rate of the plan; those of explanations when they are ready.
        planned = [(phase, phase.rate_per_s) for phase in run.phases if phase.rate_per_s is not None and phase.starts_s < course.ends_s]
        self._planned = planned if course.name == "chat" else []
        rates = [count / course.width_s for count in course.count]
        self._rate = from_zero(max([*rates, *(rate for _phase, rate in self._planned)], default=0.0), _RATE[1], _RATE[0], 2)
        worst = max((exceeding / course.width_s for exceeding in course.exceeding), default=0.0)
        self._failed = from_zero(worst or 1.0, _FAILED[1], _FAILED[0], 2)

    def drawn(self) -> Svg:
        self._bands()
        self._axes()
        self._legend()
        self._objective()
        for column, style in ((self._course.p50_ms, "median"), (self._course.p95_ms, "tail")):
            self._line(style, column, self._latency)
        self._line("rate", [count / self._course.width_s for count in self._course.count], self._rate)
        self._plan()
        self._failures()
        self._end()
        self._slots()
        return self._canvas.drawn()

    def _bands(self) -> None:
        for place, phase in enumerate(self._run.phases):
            for begin, end in phase.windows:
                if begin < self._time.high:
                    left, right = (self._time.at(min(moment, self._time.high)) for moment in (begin, end))
                    self._canvas.box(f"band {_band(phase, place)}", left, _LATENCY[0] - 14, right, _FAILED[1])
        # After all bands, since the name of a fault reaches from its first window to its last.
        for phase in self._run.phases:
            if phase.starts_s < self._time.high:
                self._name(_label(phase), self._time.at(phase.starts_s), self._time.at(min(phase.ends_s, self._time.high)))

    def _name(self, label: str, left: float, right: float) -> None:
        room = int((right - left - 4) / _CHARACTER)
        if label and room >= min(len(label), 4):
            says = label if len(label) <= room else f"{label[: room - 1]}…"
            self._canvas.text(says, left + 3, _LATENCY[0] - 3, "start", "phase")

    def _axes(self) -> None:
        panels: tuple[tuple[Scale, Callable[[float], str], str], ...] = (
            (self._latency, latency, ""),
            (self._rate, _tick, "ended per second"),
            (self._failed, _tick, "failed and slow per second"),
        )
        for scale, label, title in panels:
            for tick in scale.ticks:
                down = scale.at(tick)
                self._canvas.line("rule", _LEFT, down, _RIGHT, down)
                self._canvas.text(label(tick), _LEFT - 5, down + 4, "end")
            if title:
                self._canvas.text(title, _LEFT, scale.end - 8)
        for tick in self._time.ticks:
            across = self._time.at(tick)
            self._canvas.line("rule", across, _FAILED[1], across, _FAILED[1] + 4)
            self._canvas.text(_tick(tick / self._unit[0]), across, _FAILED[1] + 17, "end" if across > _RIGHT - 8 else "middle")
        self._canvas.text(f"since the start, {self._unit[1]}", (_LEFT + _RIGHT) / 2, _HEIGHT - 5, "middle")

    def _legend(self) -> None:
        entries = [("median", "p50"), ("tail", "p95")] + ([("slo", f"SLO {latency(self._course.slo_ms)}")] if self._course.slo_ms else [])
        for place, (style, says) in enumerate(entries):
            across = _LEFT + place * 74
            self._canvas.line(style, across, 10, across + 24, 10)
            self._canvas.text(says, across + 30, 14, "start", "told")
        if self._planned:
            self._canvas.line("plan", _RIGHT - 74, _RATE[0] - 12, _RIGHT - 54, _RATE[0] - 12)
            self._canvas.text("planned", _RIGHT, _RATE[0] - 8, "end")
        if any(self._course.exceeding):
            for style, says, across in (("failed", "failed", _RIGHT - 88), ("slow", "slow", _RIGHT - 34)):
                self._canvas.box(style, across - 12, _FAILED[0] - 16, across - 4, _FAILED[0] - 8)
                self._canvas.text(says, across, _FAILED[0] - 8)
        else:
            self._canvas.text("none", _RIGHT, _FAILED[0] - 8, "end")

    def _objective(self) -> None:
        if self._course.slo_ms:
            down = self._latency.at(self._course.slo_ms)
            self._canvas.line("slo", _LEFT, down, _RIGHT, down)

    def _line(self, style: str, column: Sequence[float | None], scale: Scale) -> None:
        """A line through the middles of slots, broken where nothing was measured; a dot where a slot stands alone."""
        for stretch in _stretches(column):
            points = [(self._middle(place), scale.at(value)) for place, value in stretch]
            if len(points) > 1:
                self._canvas.polyline(style, points)
            else:
                self._canvas.dot(f"alone {style}", *points[0], 1.8)

    def _plan(self) -> None:
        before = 0.0
        for phase, rate in self._planned:
            begins = before if phase.kind == RAMP else rate
            for begin, end in phase.windows:
                ends: list[Point] = [(self._time.at(begin), begins), (self._time.at(end), rate)]
                self._canvas.polyline("plan", [(across, self._rate.at(value)) for across, value in ends])
            before = rate

    def _failures(self) -> None:
        width_s = self._course.width_s
        for place, (failed, slow) in enumerate(zip(self._course.errors, self._course.slow)):
            left, right = self._edges(place)
            top = self._failed.at(failed / width_s)
            if failed:
                self._canvas.box("failed", left, top, right, _FAILED[1])
            if slow:
                self._canvas.box("slow", left, self._failed.at((failed + slow) / width_s), right, top)

    def _end(self) -> None:
        interrupted = self._run.run["interrupted"]
        if interrupted:
            across = self._time.at(min(self._run.run["duration_s"], self._course.ends_s))
            self._canvas.line("ended", across, _LATENCY[0] - 14, across, _FAILED[1])
            self._canvas.text(f"interrupted: {interrupted}"[:40], across - 4, _LATENCY[1] - 5, "end", "told")

    def _slots(self) -> None:
        """What each slot was, for who points at it."""
        course = self._course
        for place, count in enumerate(course.count):
            p50, p95, failed, slow = (column[place] for column in (course.p50_ms, course.p95_ms, course.errors, course.slow))
            began = course.starts_s + place * course.width_s
            phase = next((phase.name for phase in self._run.phases if phase.has(began + course.width_s / 2)), "")
            rate = per_second(count / course.width_s)
            says = f"{_clock(began)} {phase}: p50 {latency(p50)}, p95 {latency(p95)}, {rate}, {failed or 0:g} failed, {slow or 0:g} slow"
            left, right = self._edges(place)
            self._canvas.box("slot", left, _LATENCY[0], right, _FAILED[1], says)

    def _middle(self, place: int) -> float:
        return self._time.at(self._course.starts_s + (place + 0.5) * self._course.width_s)

    def _edges(self, place: int) -> tuple[float, float]:
        since = self._course.starts_s + place * self._course.width_s
        return self._time.at(since), self._time.at(since + self._course.width_s)


def _stretches(column: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """Places and values that follow each other without a gap."""
    stretch: list[tuple[int, float]] = []
    for place, value in enumerate(column):
        if value is not None:
            stretch.append((place, value))
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _band(phase: Phase, place: int) -> str:
    if phase.kind == WARMUP:
        return "warmup"
    if phase.bucket == 1:
        return "fault"
    return "even" if place % 2 else "odd"


def _label(phase: Phase) -> str:
    """What a band is called; where several faults have bands of their own, those by the fault's name alone."""
    return phase.name if not phase.fault else phase.fault if phase.bucket == 1 else ""


def _tick(value: float) -> str:
    return f"{value:g}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def _says(course: Course) -> str:
    """The plot in a sentence, for who hears the page."""
    count, failed, slow = sum(course.count), sum(course.errors), sum(course.slow)
    worst = max(filter(None, course.p95_ms), default=None)
    return (
        f"{course.name} over {_clock(course.ends_s)}: {count:g} requests ended, {failed:g} failed, {slow:g} slower than the objective; "
        f"the highest p95 of a slot of {course.width_s:g} s is {latency(worst)}"
    )
