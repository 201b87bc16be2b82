# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries of Grafana dashboards: panels of any layout and schema version, rows, library panels, variables, annotations.

Formats: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/ (schema v1, also as the HTTP API
wraps it) and the resource ``dashboard.grafana.app`` (schema v2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from ..faults import CheckError
from ..manifests.objects import Object, Path, Place, mapping, mappings
from ..strict_json import loads
from .json_lines import lines_of
from .queries import ANNOTATION, PANEL, VARIABLE, Query
from .variables import Values, datasource_of, declared, filled, values

MAX_BYTES = 16 * 1024 * 1024
PROMETHEUS = "prometheus"

_LABEL_VALUES = re.compile(r"\s*label_values\(\s*(?:(?P<selector>.+),\s*)?(?P<label>[A-Za-z_$][\w${}]*)\s*\)\s*", re.DOTALL)
_METRICS = re.compile(r"\s*metrics\(\s*(?P<pattern>.+?)\s*\)\s*", re.DOTALL)
_QUERY_RESULT = re.compile(r"\s*query_result\((?P<query>.+)\)\s*", re.DOTALL)
_LEGEND_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass
class Reading:
    """What was read: the queries, how many dashboards, and the queries of other datasources, which are not PromQL."""

    queries: list[Query] = field(default_factory=list)
    dashboards: int = 0
    other_datasources: list[str] = field(default_factory=list)


def read_dashboards(paths: Iterable[str], scrape_interval: float) -> Reading:
    """Read files, and all ``*.json`` below directories. Raises CheckError for what is missing, unreadable or no dashboard."""
    reading = Reading()
    for file in _files(paths):
        one = _read(file)
        reading.dashboards += 1
        _Dashboard(one, reading, values(one.body, scrape_interval)).read()
    return reading


def _files(paths: Iterable[str]) -> Iterator[FilePath]:
    for path in map(FilePath, paths):
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.rglob("*.json"))
        if not found:
            reason = f"dashboard directory {path} holds no *.json file"
            raise CheckError("dashboard-unreadable", reason, "Name the directory that holds the dashboards in sidecar_dashboard_paths.")
        yield from found


def _read(file: FilePath) -> Object:
    try:
        with file.open("rb") as stream:
            document = stream.read(MAX_BYTES + 1)
    except OSError as problem:
        reason = f"dashboard {file} cannot be read: {problem.strerror or problem}"
        raise CheckError("dashboard-unreadable", reason, "Correct sidecar_dashboard_paths.") from None
    try:
        if len(document) > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES} bytes")
        body = loads(document)
        if not isinstance(body, dict):
            raise ValueError(f"it is a {type(body).__name__}, expected an object")
    except ValueError as problem:
        raise CheckError(
            "dashboard-invalid", f"dashboard {file} is no dashboard: {problem}", "Export the dashboard as JSON again."
        ) from None
    one = _unwrapped(Object(body, Place(str(file)), lines_of(document.decode("utf-8"))))
    if not {"panels", "rows", "elements"} & one.body.keys():
        reason = f"dashboard {file} is no dashboard: it has none of the members panels, rows, elements"
        raise CheckError("dashboard-invalid", reason, "Name dashboard files only, or correct the export.")
    return one


def _unwrapped(one: Object) -> Object:
    """The dashboard inside the answer of Grafana's HTTP API (``dashboard``) or inside a resource (``spec``)."""
    for wrapping in ("dashboard", "spec"):
        if isinstance(one.body.get(wrapping), dict):
            return Object(one.body[wrapping], one.place, {path[1:]: line for path, line in one.lines.items() if path[:1] == (wrapping,)})
    return one


class _Dashboard:
    """One dashboard while it is read."""

    def __init__(self, one: Object, reading: Reading, known: Values) -> None:
        self._one = one
        self._reading = reading
        self._known = known
        self._datasources = {
            str(variable.get("name")): str(variable.get("query"))
            for _path, variable in declared(one.body)
            if variable.get("type") == "datasource"
        }

    def read(self) -> None:
        """Read its variables, annotations and panels."""
        for path, variable in declared(self._one.body):
            if variable.get("type") == "query":
                self._variable(variable, path)
        for position, annotation in mappings(self._one.at("annotations", "list")):
            name = str(annotation.get("name") or position)
            self._query(ANNOTATION, name, annotation, ("annotations", "list", position), annotation)
        # Schema v2: annotations[].spec.query.spec.expr, or under legacyOptions where it was converted from v1.
        for position, item in mappings(self._one.body.get("annotations")):
            annotation = mapping(item.get("spec"))
            query = mapping(annotation.get("query"))
            held: Path = ("query", "spec") if "expr" in mapping(query.get("spec")) else ("legacyOptions",)
            path = ("annotations", position, "spec", *held)
            target = {**mapping(self._one.at(*path)), "datasource": datasource_of(query)}
            self._query(ANNOTATION, str(annotation.get("name") or position), target, path, annotation)
        for member in ("panels", "rows", "elements"):
            self._panels(self._one.body.get(member), (member,))

    def _panels(self, part: Any, path: Path) -> None:
        """Panels anywhere in a part: in rows, collapsed or not, in library panels, and in the elements of schema v2."""
        waiting = [(part, path)]
        while waiting:
            value, place = waiting.pop()
            if isinstance(value, list):
                waiting += [(item, (*place, index)) for index, item in reversed(list(enumerate(value)))]
            elif isinstance(value, Mapping):
                self._panel(value, place)
                waiting += [(item, (*place, key)) for key, item in reversed(list(value.items())) if key not in ("targets", "queries")]

    def _panel(self, panel: Mapping[str, Any], path: Path) -> None:
        for position, target in mappings(panel.get("targets")):
            self._query(PANEL, _named(panel, target), target, (*path, "targets", position), panel)
        # Schema v2: panel.spec.data.spec.queries[].spec.query.spec.expr
        for position, item in mappings(mapping(mapping(panel.get("data")).get("spec")).get("queries")):
            query = mapping(mapping(item.get("spec")).get("query"))
            target = {**mapping(query.get("spec")), "refId": mapping(item.get("spec")).get("refId"), "datasource": datasource_of(query)}
            place = (*path, "data", "spec", "queries", position, "spec", "query", "spec")
            self._query(PANEL, _named(panel, target), target, place, {**panel, **_options(panel)})

    def _query(self, kind: str, name: str, target: Mapping[str, Any], path: Path, panel: Mapping[str, Any]) -> None:
        text = target.get("expr")
        if not isinstance(text, str) or not text.strip():
            return
        if not self._asks_prometheus(target.get("datasource"), panel.get("datasource")):
            self._reading.other_datasources.append(f"{kind} {name}")
            return
        templates = {"legend": target["legendFormat"]} if isinstance(target.get("legendFormat"), str) else {}
        shown = mapping(mapping(panel.get("fieldConfig")).get("defaults")) if kind == PANEL else {}
        overrides = mapping(panel.get("fieldConfig")).get("overrides")
        self._add(
            kind,
            name,
            text,
            (*path, "expr"),
            templates=templates,
            # What an override changes is not known to concern this query.
            unit="" if "unit" in str(overrides) else str(shown.get("unit") or ""),
            thresholds=_thresholds(mapping(shown.get("thresholds"))),
        )

    def _variable(self, variable: Mapping[str, Any], path: Path) -> None:
        if not self._asks_prometheus(variable.get("datasource"), None):
            self._reading.other_datasources.append(f"{VARIABLE} {variable.get('name')}")
            return
        written = variable.get("query")
        text = mapping(written).get("query") if isinstance(written, Mapping) else written
        if not isinstance(text, str):
            text = variable.get("definition")
        if not isinstance(text, str):
            return
        query = _selector_of(text)
        if query:
            self._add(VARIABLE, str(variable.get("name")), query, (*path, "query"))

    def _add(self, kind: str, name: str, text: str, path: Path, **more: Any) -> None:
        done = filled(text, self._known)
        place = self._one.place_of(path)
        self._reading.queries.append(
            Query(kind, name, text, place, path, done.texts, done.trees, done.problem, done.open_variables, **more)
        )

    def _asks_prometheus(self, *datasources: Any) -> bool:
        """Whether the first of the datasources that is named is a Prometheus; one whose type nobody says counts as such."""
        for datasource in datasources:
            told = mapping(datasource)
            uid = str(told.get("uid") or (datasource if isinstance(datasource, str) else ""))
            if uid in ("-- Mixed --", "-- Dashboard --"):
                continue
            kind = told.get("type") or self._datasources.get(uid.strip("${}[]"))
            if kind:
                return PROMETHEUS in str(kind)
        return True


def _named(panel: Mapping[str, Any], target: Mapping[str, Any]) -> str:
    title = panel.get("title") or f"{panel.get('type') or 'without title'} {panel.get('id') or ''}".strip()
    return f"{title!r}, query {target.get('refId')}" if target.get("refId") else repr(title)


def _options(panel: Mapping[str, Any]) -> dict[str, Any]:
    """Schema v2 keeps what v1 has at the panel in vizConfig.spec."""
    config = mapping(mapping(panel.get("vizConfig")).get("spec"))
    return {"fieldConfig": config["fieldConfig"]} if "fieldConfig" in config else {}


def _thresholds(thresholds: Mapping[str, Any]) -> tuple[float, ...]:
    steps = (step.get("value") for _position, step in mappings(thresholds.get("steps"))) if thresholds.get("mode") != "percentage" else ()
    return tuple(float(value) for value in steps if isinstance(value, (int, float)) and not isinstance(value, bool))


def _selector_of(text: str) -> str:
    """The PromQL in the query of a variable; empty where it asks for names only."""
    found = _LABEL_VALUES.fullmatch(text)
    if found:
        selector, label = found["selector"], found["label"]
        return f"count by ({label}) ({selector})" if selector else ""
    found = _QUERY_RESULT.fullmatch(text)
    if found:
        return found["query"]
    found = _METRICS.fullmatch(text)
    return '{__name__=~".*(?:' + found["pattern"].replace("\\", "\\\\").replace('"', '\\"') + ').*"}' if found else ""


def legend_labels(template: str) -> list[str]:
    """The labels that a legend such as ``{{stage}}`` shows."""
    return _LEGEND_LABEL.findall(template)
