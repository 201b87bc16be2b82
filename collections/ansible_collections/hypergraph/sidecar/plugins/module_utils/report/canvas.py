# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drawing to be filled with lines, shapes and texts, in units of its own. What it looks like is for the page's style, by class."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement

from .charts import Svg, drawing, finished

Point = tuple[float, float]


class Canvas:
    """An inline SVG; ``says`` is read aloud in its place. Positions are from the left and from the top."""

    def __init__(self, kind: str, width: int, height: int, says: str) -> None:
        self._svg = drawing(kind, width, height, {"role": "img", "aria-label": says})

    def line(self, kind: str, left: float, top: float, right: float, bottom: float) -> None:
        """A straight line."""
        SubElement(self._svg, "line", {"class": kind, "x1": _at(left), "y1": _at(top), "x2": _at(right), "y2": _at(bottom)})

    def polyline(self, kind: str, points: Iterable[Point]) -> None:
        """A line through the points."""
        SubElement(self._svg, "polyline", {"class": kind, "points": _joined(points)})

    def polygon(self, kind: str, points: Iterable[Point], says: str = "") -> None:
        """An area; ``says`` appears when it is pointed at, as with the others below."""
        _titled(SubElement(self._svg, "polygon", {"class": kind, "points": _joined(points)}), says)

    def box(self, kind: str, left: float, top: float, right: float, bottom: float, says: str = "") -> None:
        """A rectangle."""
        sides = {"x": _at(left), "y": _at(top), "width": _at(right - left), "height": _at(bottom - top)}
        _titled(SubElement(self._svg, "rect", {"class": kind, **sides}), says)

    def dot(self, kind: str, across: float, down: float, radius: float, says: str = "") -> None:
        """A circle."""
        _titled(SubElement(self._svg, "circle", {"class": kind, "cx": _at(across), "cy": _at(down), "r": f"{radius:g}"}), says)

    def text(self, says: str, across: float, down: float, anchor: str = "start", kind: str = "tick") -> None:
        """A line of text on its base line; ``anchor`` is ``start``, ``middle`` or ``end``."""
        element = SubElement(self._svg, "text", {"class": kind, "x": _at(across), "y": _at(down), "text-anchor": anchor})
        element.text = says

    def drawn(self) -> Svg:
        """The drawing as a page includes it."""
        return finished(self._svg)


def _titled(element: Element, says: str) -> None:
    if says:
        SubElement(element, "title").text = says


def _joined(points: Iterable[Point]) -> str:
    return " ".join(f"{across:.1f},{down:.1f}" for across, down in points)


def _at(place: float) -> str:
    return f"{place:.1f}"
