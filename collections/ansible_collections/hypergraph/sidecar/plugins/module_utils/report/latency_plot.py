# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Latency by percentile as inline SVG: a line a class, over an axis on which each further nine has the same room.

The axis is -log10(1 - quantile), as in plots of HdrHistogram; a line ends with the slowest answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .canvas import Canvas, Point
from .charts import Svg
from .load_run import Measured
from .load_words import QUANTILES, interval, latency, quantile_name
from .scales import Scale, latencies

# Classes of the page's style, in the order of the classes of requests.
KINDS = ("first", "second", "third")
_WIDTH, _HEIGHT = 360, 262
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 350, 46, 226
_TICKS = (0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)


def latency_plot(group: Sequence[Measured], quantile: float, alike: Sequence[Measured]) -> Svg:
    """The classes of one phase. ``quantile`` is the one that objectives limit; charts of all those ``alike`` have the same axes."""
    return _Plot(group, quantile, alike).drawn()


def kind(place: int) -> str:
    """The class of the page's style for the n-th class of requests."""
    return KINDS[min(place, len(KINDS) - 1)]


class _Plot:
    def __init__(self, group: Sequence[Measured], quantile: float, alike: Sequence[Measured]) -> None:
        self._group, self._quantile = group, quantile
        self._canvas = Canvas("latency", _WIDTH, _HEIGHT, _says(group, quantile))
        points = [point for measured in alike for point in measured.curve]
        reach = max((_nines(at) for at, _latency_ms in points), default=0.0)
        self._across = Scale(_nines(0.5), min(max(reach, 2.0), 5.0), _LEFT, _RIGHT, ())
        limits = [measured.slo_ms for measured in alike if measured.slo_ms]
        self._down = latencies([*(latency_ms for _at, latency_ms in points), *limits], _BOTTOM, _TOP)

    def drawn(self) -> Svg:
        self._axes()
        for place, measured in enumerate(self._group):
            self._canvas.polyline(f"course {kind(place)}", [self._place(*point) for point in measured.curve])
        for place, measured in enumerate(self._group):
            self._marks(kind(place), measured)
        for place, measured in enumerate(self._group):
            self._objective(kind(place), measured)
        return self._canvas.drawn()

    def _axes(self) -> None:
        for tick in self._down.ticks:
            down = self._down.at(tick)
            self._canvas.line("rule", _LEFT, down, _RIGHT, down)
            self._canvas.text(latency(tick), _LEFT - 5, down + 4, "end")
        for quantile in _TICKS:
            if _nines(quantile) <= self._across.high + 1e-9:
                across = self._across.at(_nines(quantile))
                self._canvas.line("rule", across, _BOTTOM, across, _BOTTOM + 4)
                self._canvas.text(f"{quantile * 100:.6g} %", across, _BOTTOM + 17, "end" if across > _RIGHT - 16 else "middle")
        self._canvas.text("of answers are as fast or faster", (_LEFT + _RIGHT) / 2, _HEIGHT - 3, "middle")
        for place, measured in enumerate(self._group):
            across = _LEFT + place * 102
            self._canvas.line(f"course {kind(place)}", across, 10, across + 24, 10)
            self._canvas.text(measured.name[:10], across + 30, 14, "start", "told")
            if measured.slo_ms:
                self._canvas.text(f"{quantile_name(self._quantile)} ≤ {latency(measured.slo_ms)}", across, 30, "start", "told")

    def _marks(self, style: str, measured: Measured) -> None:
        for name, quantile in QUANTILES:
            value = measured.latency_ms.get(name)
            if value is None or not measured.ok or _nines(quantile) > min(_nines(1 - 1 / (2 * measured.ok)), self._across.high):
                continue
            across, down = self._place(quantile, value)
            says = f"{measured.name} {quantile_name(quantile)}: {latency(value)}"
            ends = measured.intervals_ms.get(name)
            if ends:
                self._canvas.line(f"interval {style}", across, self._down.at(ends[0]), across, self._down.at(ends[1]))
                says += f" (95 % interval {interval(ends)})"
            self._canvas.dot(f"mark {style}", across, down, 3.5, says)

    def _objective(self, style: str, measured: Measured) -> None:
        if not measured.slo_ms:
            return
        across, down = self._place(self._quantile, measured.slo_ms)
        says = f"{measured.name}: {quantile_name(self._quantile)} at most {latency(measured.slo_ms)}"
        # A gate the line has to pass under.
        self._canvas.line(f"gate {style}", across - 11, down, across + 11, down)
        self._canvas.polygon(f"gate {style}", [(across - 4, down - 8), (across + 4, down - 8), (across, down - 1)], says)

    def _place(self, quantile: float, latency_ms: float) -> Point:
        return self._across.at(_nines(quantile)), self._down.at(latency_ms)


def _nines(quantile: float) -> float:
    """Where a quantile lies: at 1 for 90 %, at 2 for 99 %, ..."""
    return -math.log10(max(1 - quantile, 1e-12))


def _says(group: Sequence[Measured], quantile: float) -> str:
    """The plot in a sentence, for who hears the page."""
    told = []
    for measured in group:
        values = ", ".join(f"{quantile_name(at)} {latency(measured.latency_ms.get(name))}" for name, at in QUANTILES)
        limit = f", objective {quantile_name(quantile)} at most {latency(measured.slo_ms)}" if measured.slo_ms else ""
        told.append(f"{measured.name} {values}{limit}")
    return f"Latency by percentile in phase {group[0].phase}: {'; '.join(told)}" if group else "No latency was measured"
