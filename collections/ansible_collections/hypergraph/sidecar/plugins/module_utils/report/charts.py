# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small charts as inline SVG. Colours come from the page's style by class, and every mark also has a shape or a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

# One character a status, also used beside its name in text.
GLYPHS: Mapping[str, str] = {
    "pass": "✓",
    "waived": "≈",
    "skip": "»",
    "inconclusive": "?",
    "error": "!",
    "fail": "✕",
    "not_run": "○",
}
_CELL = 18
_SPARK_WIDTH, _SPARK_HEIGHT, _MARGIN = 140, 28, 4


class Svg(str):
    """A drawing, whose texts are escaped already. ``__html__`` is how template engines recognise that."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Mark:
    """One cell of a strip: a status, what it says when pointed at, and whether the run looked at a part only."""

    status: str
    says: str
    partial: bool = False


def duration_bar(fraction: float, status: str) -> Svg:
    """A horizontal bar filled to ``fraction`` (0 to 1) of its width, in the colour of the status. It stretches with the page."""
    svg = drawing("bar", 100, 6, {"preserveAspectRatio": "none", "aria-hidden": "true"})
    SubElement(svg, "rect", {"class": "track", "width": "100", "height": "6"})
    SubElement(svg, "rect", {"class": f"fill {status}", "width": f"{min(max(fraction, 0.0), 1.0) * 100:.1f}", "height": "6"})
    return finished(svg)


def strip(marks: Sequence[Mark], says: str) -> Svg:
    """Cells from left to right, each with its status as a glyph; cells of partial runs have a broken outline. ``says`` is read aloud."""
    svg = drawing("strip", max(len(marks), 1) * _CELL, _CELL, {"role": "img", "aria-label": says})
    for position, mark in enumerate(marks):
        cell = SubElement(svg, "g", {"class": f"{mark.status}{' partial' if mark.partial else ''}"})
        SubElement(cell, "title").text = mark.says
        left = position * _CELL
        SubElement(cell, "rect", {"x": f"{left + 1}", "y": "1", "width": f"{_CELL - 2}", "height": f"{_CELL - 2}", "rx": "3"})
        glyph = SubElement(cell, "text", {"x": f"{left + _CELL / 2}", "y": f"{_CELL / 2 + 4}", "text-anchor": "middle"})
        glyph.text = GLYPHS[mark.status]
    return finished(svg)


def sparkline(values: Sequence[float | None], says: str) -> Svg:
    """A line through the values from left to right, with a dot on the last; it passes over runs without one. ``says`` is read aloud."""
    svg = drawing("spark", _SPARK_WIDTH, _SPARK_HEIGHT, {"role": "img", "aria-label": says})
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    step = (_SPARK_WIDTH - 2 * _MARGIN) / max(len(values) - 1, 1)
    points: list[tuple[float, float]] = []
    for position, value in enumerate(values):
        if value is not None:
            share = (value - low) / (high - low) if high > low else 0.5
            points.append((_MARGIN + position * step, _SPARK_HEIGHT - _MARGIN - share * (_SPARK_HEIGHT - 2 * _MARGIN)))
    if points:
        SubElement(svg, "polyline", {"points": " ".join(f"{across:.1f},{down:.1f}" for across, down in points)})
        SubElement(svg, "circle", {"cx": f"{points[-1][0]:.1f}", "cy": f"{points[-1][1]:.1f}", "r": "2.5"})
    return finished(svg)


def drawing(kind: str, width: int, height: int, attributes: Mapping[str, str]) -> Element:
    """An empty drawing of a class that the page's style knows, in units of its own."""
    return Element("svg", {"class": kind, "viewBox": f"0 0 {width} {height}", "width": f"{width}", "height": f"{height}", **attributes})


def finished(svg: Element) -> Svg:
    """The drawing as a page includes it."""
    return Svg(ElementTree.tostring(svg, encoding="unicode"))
