# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replicas against attach rate as inline SVG, wide enough to be read on a telephone. No two lines differ by colour alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from .canvas import Canvas
from .capacity import Sizing, percent
from .charts import Svg
from .scales import nice

_WIDTH, _HEIGHT = 360, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 348, 42, 204
_TICKS = 5


def plot(sizing: Sizing) -> Svg:
    """The curves by mean and by p95 with the band between them, the bounds deployed, the declared peak, and where the bound is reached."""
    return _Plot(sizing).drawn()


class _Plot:
    def __init__(self, sizing: Sizing) -> None:
        self._sizing = sizing
        self._canvas = Canvas("capacity", _WIDTH, _HEIGHT, _says(sizing))
        self._reach = max(sizing.attach_rates[-1], 1e-9)
        highest = max(*sizing.conservative, *sizing.optimistic, *sizing.deployed, 1)
        self._step = nice(max(highest / _TICKS, 1))
        self._top = self._step * math.ceil(highest / self._step)

    def drawn(self) -> Svg:
        self._axes()
        rates, lean, safe = self._sizing.attach_rates, self._sizing.optimistic, self._sizing.conservative
        band = [*self._points(rates, safe), *reversed(list(self._points(rates, lean)))]
        self._canvas.polygon("band", band)
        self._canvas.polyline("lean", self._points(rates, lean))
        self._canvas.polyline("safe", self._points(rates, safe))
        self._bounds()
        self._peak()
        self._saturation()
        self._legend()
        return self._canvas.drawn()

    def _axes(self) -> None:
        for tick in range(round(self._top / self._step) + 1):
            replicas = tick * self._step
            down = self._down(replicas)
            self._canvas.line("rule", _LEFT, down, _RIGHT, down)
            self._canvas.text(f"{replicas:g}", _LEFT - 6, down + 4, "end")
        step = nice(max(self._reach * 100 / _TICKS, 1)) / 100
        for tick in range(math.floor(self._reach / step + 1e-9) + 1):
            across = self._across(tick * step)
            self._canvas.text(percent(tick * step), across, _BOTTOM + 16, "end" if across > _RIGHT - 12 else "middle")
        self._canvas.text("attach rate", (_LEFT + _RIGHT) / 2, _HEIGHT - 4, "middle")

    def _bounds(self) -> None:
        least, most = self._sizing.deployed
        # At opposite ends, since the lines may lie close to each other; the curves leave both places free.
        bounds = [(most, f"max {most:g}" if most > least else f"always {most:g}", _LEFT + 4, "start")]
        if most > least:
            bounds.append((least, f"min {least:g}", _RIGHT - 4, "end"))
        for replicas, says, across, anchor in bounds:
            down = self._down(replicas)
            self._canvas.line("bound", _LEFT, down, _RIGHT, down)
            self._canvas.text(says, across, down - 4, anchor, "told")

    def _peak(self) -> None:
        peak = self._sizing.peak
        if peak <= self._reach:
            across = self._across(peak)
            self._canvas.line("peak", across, _TOP - 10, across, _BOTTOM)
            right = across > (_LEFT + _RIGHT) / 2
            self._canvas.text(f"peak {percent(peak)}", across + (-4 if right else 4), _TOP - 4, "end" if right else "start", "told")

    def _saturation(self) -> None:
        rate = self._sizing.saturation
        if rate is not None and rate <= self._reach:
            self._canvas.dot(
                "full", self._across(rate), self._down(self._sizing.deployed[1]), 4, f"saturated at {percent(rate)} by the p95"
            )

    def _legend(self) -> None:
        for kind, says, across in (("lean", "by the mean", _LEFT), ("safe", "by the p95", _LEFT + 112)):
            self._canvas.line(kind, across, 10, across + 24, 10)
            self._canvas.text(says, across + 30, 14, "start", "told")

    def _points(self, rates: Sequence[float], replicas: Sequence[float]) -> Iterator[tuple[float, float]]:
        return ((self._across(rate), self._down(count)) for rate, count in zip(rates, replicas))

    def _across(self, rate: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * rate / self._reach

    def _down(self, replicas: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * replicas / self._top


def _says(sizing: Sizing) -> str:
    """The plot in a sentence, for who hears the page."""
    (least, most), (low, high) = sizing.deployed, sizing.recommended
    said = f"{sizing.name}: replicas needed by attach rate. Deployed {least:g} to {most:g}, recommended {low:g} to {high:g}"
    return f"{said}; {sizing.limit}"
