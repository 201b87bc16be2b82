# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A curve of a soak as inline SVG: its points, the line fitted to them, the fan of slopes it may have, and the slope not to be passed."""

from __future__ import annotations

from .canvas import Canvas, Point
from .charts import Svg
from .load_words import seconds
from .scales import around, times
from .soak_run import Curve
from .soak_words import allowed, quantity, rise

_WIDTH, _HEIGHT = 360, 206
_LEFT, _RIGHT = 64, 350
_TOP, _BOTTOM = 32, 164
_TICKS = 4
# A fan as wide as that of too few points would flatten all else.
_FAN = 1.5


def soak_plot(curve: Curve) -> Svg:
    """The curve over the time under load."""
    return _Plot(curve).drawn()


class _Plot:
    def __init__(self, curve: Curve) -> None:
        self._curve = curve
        self._canvas = Canvas("soak", _WIDTH, _HEIGHT, _says(curve))
        self._time, self._unit = times(curve.span_s, _LEFT, _RIGHT)
        low, high = min(curve.values), max(curve.values)
        reach = (high - low) * _FAN or (abs(high) * 0.1 if curve.relative else curve.most)
        ends = [value for slope in self._slopes() for _at, value in self._line(slope)]
        self._scale = around([*curve.values, *(min(max(end, low - reach, 0.0), high + reach) for end in ends)], _BOTTOM, _TOP, _TICKS)

    def drawn(self) -> Svg:
        self._axes()
        self._fitted()
        self._points()
        self._legend()
        return self._canvas.drawn()

    def _slopes(self) -> list[float]:
        fitted, most = self._curve.fitted, self._curve.allowed
        return [fitted.low, fitted.high, fitted.slope, most] if fitted is not None and most is not None else []

    def _line(self, slope: float) -> list[Point]:
        """The ends of the line of a slope through the middle of what is judged: seconds and values."""
        fitted = self._curve.fitted
        if fitted is None:
            return []
        return [(at, fitted.mean + slope * (at - fitted.middle_s)) for at in (self._curve.settles_s, self._curve.span_s)]

    def _drawn(self, line: list[Point]) -> list[Point]:
        """The part of a line that is on the scale, in the drawing."""
        (first, begins), (last, ends) = line
        inside = []
        for at, value in line:
            kept = min(max(value, self._scale.low), self._scale.high)
            moved = first + (last - first) * (kept - begins) / (ends - begins) if kept != value else at
            inside.append((self._time.at(moved), self._scale.at(kept)))
        return inside

    def _axes(self) -> None:
        curve = self._curve
        if curve.settles_s:
            self._canvas.box("settling", _LEFT, _TOP, self._time.at(curve.settles_s), _BOTTOM)
            self._canvas.text("settles", _LEFT + 3, _TOP + 12)
        for tick in self._scale.ticks:
            down = self._scale.at(tick)
            self._canvas.line("rule", _LEFT, down, _RIGHT, down)
            self._canvas.text(quantity(tick, curve.kind), _LEFT - 5, down + 4, "end")
        for tick in self._time.ticks:
            across = self._time.at(tick)
            self._canvas.line("rule", across, _BOTTOM, across, _BOTTOM + 4)
            self._canvas.text(f"{tick / self._unit[0]:g}", across, _BOTTOM + 17, "end" if across > _RIGHT - 8 else "middle")
        self._canvas.text(f"under load, {self._unit[1]}", (_LEFT + _RIGHT) / 2, _HEIGHT - 5, "middle")

    def _fitted(self) -> None:
        fitted, most = self._curve.fitted, self._curve.allowed
        if fitted is None or most is None:
            return
        middle = (self._time.at(fitted.middle_s), self._scale.at(fitted.mean))
        low, high = self._drawn(self._line(fitted.low)), self._drawn(self._line(fitted.high))
        for end in (0, 1):
            self._canvas.polygon("fan", [middle, low[end], *self._corners(low[end], high[end], end), high[end]])
        self._canvas.polyline("most", self._drawn(self._line(most)))
        self._canvas.polyline("fitted", self._drawn(self._line(fitted.slope)))

    def _corners(self, one: Point, other: Point, end: int) -> list[Point]:
        """What belongs to a fan whose edges leave at the top and bottom rather than at its end."""
        edge = self._time.at((self._curve.settles_s, self._curve.span_s)[end])
        return [(edge, point[1]) for point in (one, other) if abs(point[0] - edge) > 0.05]

    def _points(self) -> None:
        curve = self._curve
        for at, value in zip(curve.seconds, curve.values):
            style = "point" if at >= curve.settles_s else "point early"
            self._canvas.dot(style, self._time.at(at), self._scale.at(value), 2.2, f"{seconds(at)}: {quantity(value, curve.kind)}")

    def _legend(self) -> None:
        if self._curve.fitted is None:
            return
        for style, says, across in (("fitted", "trend", _LEFT), ("fan", "95 %", _LEFT + 82), ("most", "most it may rise", _LEFT + 154)):
            if style == "fan":
                self._canvas.box(style, across, 5, across + 24, 15)
            else:
                self._canvas.line(style, across, 10, across + 24, 10)
            self._canvas.text(says, across + 30, 14, "start", "told")


def _says(curve: Curve) -> str:
    """The plot in a sentence, for who hears the page."""
    low, high = (quantity(value, curve.kind) for value in (min(curve.values), max(curve.values)))
    told = f"{curve.name} over {seconds(curve.span_s)} under load, between {low} and {high}"
    return f"{told}: rise {rise(curve)}, at most {allowed(curve)} allowed"
