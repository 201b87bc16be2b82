# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one HTML page: nothing is loaded from elsewhere, nothing runs, and whatever a service answered is text and stays text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..gate import NOT_RUN, WORST_FIRST
from . import capacity, charts, load_words, soak_words, view
from .capacity_plot import plot
from .course_plot import Row, course_plot, course_rows
from .deltas import Delta, deltas
from .headline import conclusion, label
from .latency_plot import latency_plot
from .load_run import Course, LoadRun, Measured, load_run
from .soak_plot import soak_plot
from .soak_run import Curve, SoakRun, soak_run

TEMPLATE = "report.html.j2"


@dataclass(frozen=True)
class Trend:
    """A measurement over the runs: its line, where it stands now, since the run before that has it, and between what it moved."""

    name: str
    line: charts.Svg
    now: float
    delta: Delta
    between: str


@dataclass(frozen=True)
class LoadCharts:
    """A load run with its drawings: of latencies by phase, and of each class over time, the latter beside its numbers."""

    run: LoadRun
    latencies: list[tuple[list[Measured], charts.Svg]]
    courses: list[tuple[Course, charts.Svg, list[Row]]]


@dataclass(frozen=True)
class SoakCharts:
    """A soak with a drawing of each curve."""

    run: SoakRun
    curves: list[tuple[Curve, charts.Svg]]


def render(report: Mapping[str, Any], templates: Path, docs_url: str = "") -> str:
    """The page. ``docs_url`` is what runbook references are relative to; without it they are shown, not linked."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        label=label,
        duration=view.duration,
        number=view.number,
        moment=view.moment,
        pretty=view.pretty,
        percent=capacity.percent,
        **load_words.FILTERS,
        **soak_words.FILTERS,
        glyph=charts.GLYPHS.__getitem__,
    )
    environment.tests["scalar"] = _is_scalar
    environment.tests["scalars"] = _is_scalars
    environment.globals["marks"] = charts.GLYPHS
    environment.globals.update(rows=view.rows, records=view.records, grid=view.grid, other_evidence=view.other_evidence)
    return environment.get_template(TEMPLATE).render(
        report=report,
        conclusion=conclusion(report),
        checks=view.by_urgency(report["checks"]),
        statuses=WORST_FIRST,
        took=_durations(report),
        gate_strip=_gate_strip(report),
        strips=_strips(report),
        trends=_trends(report),
        plots=lambda part: [(sizing, plot(sizing)) for sizing in capacity.sizings(part)],
        load=_load_charts,
        soak=_soak_charts,
        link=lambda reference: _link(reference, docs_url),
    )


def _load_charts(part: Mapping[str, Any]) -> LoadCharts | None:
    run = load_run(part)
    if not run:
        return None
    alike = [measured for group in run.charted for measured in group]
    return LoadCharts(
        run,
        [(group, latency_plot(group, run.quantile, alike)) for group in run.charted],
        [(course, course_plot(course, run), course_rows(course)) for course in run.courses if any(course.count)],
    )


def _soak_charts(part: Mapping[str, Any]) -> SoakCharts | None:
    run = soak_run(part)
    return SoakCharts(run, [(curve, soak_plot(curve)) for curve in run.curves if curve.values]) if run else None


def _durations(report: Mapping[str, Any]) -> dict[str, charts.Svg]:
    """A bar for each check, the longest of them full."""
    longest = max((check["duration_ms"] for check in report["checks"]), default=0) or 1
    return {check["check"]: charts.duration_bar(check["duration_ms"] / longest, check["status"]) for check in report["checks"]}


def _gate_strip(report: Mapping[str, Any]) -> charts.Svg:
    """The gate in this run and in those before it."""
    runs = [(report["gate"]["open"], bool(report["scope"]["restrictions"]), report["finished"])]
    runs += [(run["open"], run["partial"], run["finished"]) for run in reversed(report["history"])]
    marks = [_gate_mark(*run) for run in runs]
    opened = sum(is_open for is_open, _partial, _finished in runs)
    return charts.strip(marks, f"Gate in {len(runs)} runs, newest first: {opened} open, {len(runs) - opened} closed")


def _gate_mark(is_open: bool, partial: bool, finished: str) -> charts.Mark:
    says = f"{view.moment(finished)}: gate {'open' if is_open else 'closed'}{', partial' if partial else ''}"
    return charts.Mark("pass" if is_open else "fail", says, partial)


def _strips(report: Mapping[str, Any]) -> dict[str, charts.Svg]:
    """The status of each check in this run and in those before it."""
    strips = {}
    for check in report["checks"]:
        name = check["check"]
        runs = [(check["status"], bool(report["scope"]["restrictions"]), report["finished"])]
        runs += [(run["statuses"].get(name, NOT_RUN), run["partial"], run["finished"]) for run in reversed(report["history"])]
        marks = [charts.Mark(status, f"{view.moment(when)}: {label(status)}", partial) for status, partial, when in runs]
        held = sum(mark.status == "pass" for mark in marks)
        strips[name] = charts.strip(marks, f"{name} in {len(marks)} runs, newest first: {held} pass")
    return strips


def _trends(report: Mapping[str, Any]) -> dict[str, list[Trend]]:
    """By check, each measurement that has a past."""
    trends: dict[str, list[Trend]] = {}
    for check in report["checks"]:
        since = deltas(check, report["history"])
        for name, now in check["metrics"].items():
            values = [*(run["metrics"].get(check["check"], {}).get(name) for run in report["history"]), now]
            known = [value for value in values if value is not None]
            if len(known) > 1:
                between = f"between {view.number(min(known))} and {view.number(max(known))} in {len(known)} runs"
                line = charts.sparkline(values, f"{name}: now {view.number(now)}, {between}")
                trends.setdefault(check["check"], []).append(Trend(name, line, now, since[name], between))
    return trends


def _link(reference: str, docs_url: str) -> str:
    """Where a reference leads: itself if it is a web address, below ``docs_url`` if that is given, else nowhere."""
    try:
        scheme = urlsplit(reference).scheme
    except ValueError:
        return ""
    if scheme in ("http", "https"):
        return reference
    return f"{docs_url.rstrip('/')}/{reference}" if docs_url and not scheme else ""


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def _is_scalars(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_scalar, value))
