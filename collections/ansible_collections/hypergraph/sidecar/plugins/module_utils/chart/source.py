# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source of a chart as far as it tells of values: its templates, its values files, its schema, its subcharts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path as FilePath
from typing import Any

from ..faults import CheckError
from ..manifests.documents import read_documents
from ..manifests.objects import Object, mappings
from .template_flow import Flow, follow
from .template_syntax import NotATemplate, Template, parse

_SCHEMA = "values.schema.json"


@dataclass(frozen=True)
class Source:
    """``flow`` tells which values the templates use; None where a template could not be followed, for the reason in ``not_followed``.

    ``files`` are the values files of the chart and of the environment, ``schema`` is the values' JSON schema, and ``subcharts`` are keys
    whose values are handed to a subchart.
    """

    flow: Flow | None = None
    not_followed: str = ""
    files: tuple[Object, ...] = ()
    schema: Mapping[str, Any] = field(default_factory=dict)
    subcharts: frozenset[str] = frozenset()


def read_source(chart: FilePath, values_files: Iterable[str], values: Mapping[str, Any]) -> Source:
    """Read the chart that was rendered with ``values``. Raises CheckError for a file that cannot be read."""
    files = [file for file in (chart / "values.yaml", *map(FilePath, values_files)) if file.is_file()]
    flow, not_followed = None, ""
    try:
        templates = _templates(chart / "templates", ignored(chart))
        printed = {name: template for name, template in templates.items() if not FilePath(name).name.startswith("_")}
        partials = {name: template for name, template in templates.items() if name not in printed}
        for library in sorted(chart.glob("charts/*/templates")):
            partials.update(_templates(library, ignored(library.parent)))
        flow = follow(printed, partials, values)
    except NotATemplate as problem:
        not_followed = str(problem)
    return Source(flow, not_followed, read_documents(files), _schema(chart / _SCHEMA), frozenset(_subcharts(chart)))


def ignored(chart: FilePath) -> Callable[[FilePath], bool]:
    """What tells whether helm leaves a file of the chart unread, by its ``.helmignore`` (https://helm.sh/docs/chart_template_guide/helm_ignore_file/).

    A pattern with a slash is of the whole path in the chart, any other of a name at any depth; the last that fits decides.
    """
    file = chart / ".helmignore"
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    # Helm's own.
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")] + ["templates/.?*"]

    def leaves_out(path: FilePath) -> bool:
        parts = path.relative_to(chart).parts
        places = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
        return any(_left_out(place, place != places[-1], patterns) for place in places)

    return leaves_out


def _left_out(place: str, folder: bool, patterns: Iterable[str]) -> bool:
    left_out = False
    for written in patterns:
        pattern = written.lstrip("!").rstrip("/")
        subject = place if "/" in pattern else place.rpartition("/")[2]
        # A star of the pattern does not go over a slash.
        fits = pattern.count("/") in (0, place.count("/") + pattern.startswith("/")) and fnmatchcase(subject, pattern.lstrip("/"))
        if fits and (folder or not written.endswith("/")):
            left_out = not written.startswith("!")
    return left_out


def _templates(folder: FilePath, leaves_out: Callable[[FilePath], bool]) -> dict[str, Template]:
    found = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not leaves_out(file):
            try:
                found[str(file)] = parse(file.read_text(encoding="utf-8"))
            except (NotATemplate, UnicodeDecodeError) as problem:
                raise NotATemplate(f"{file}: {problem}") from None
            except OSError as problem:
                raise CheckError("chart-unreadable", f"{file}: {problem.strerror}", "Make the whole chart readable.") from None
    return found


def _schema(file: FilePath) -> Mapping[str, Any]:
    """The schema; helm has read it before, and refused what is none."""
    if not file.is_file():
        return {}
    found = json.loads(file.read_text(encoding="utf-8"))
    return found if isinstance(found, Mapping) else {}


def _subcharts(chart: FilePath) -> Iterator[str]:
    yield from ("global", "tags")
    for folder in chart.glob("charts/*/Chart.yaml"):
        yield folder.parent.name
    for one in read_documents([chart / "Chart.yaml"]):
        for _position, dependency in mappings(one.body.get("dependencies")):
            yield str(dependency.get("alias") or dependency.get("name"))
            yield str(dependency.get("condition") or "").partition(".")[0]
