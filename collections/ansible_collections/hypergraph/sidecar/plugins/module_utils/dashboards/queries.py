# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A query as the rules see it, whichever kind of artifact it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..manifests.objects import Path, Place
from ..promql import Expression, InvalidQuery, parse

PANEL = "panel"
VARIABLE = "variable"
ANNOTATION = "annotation"
ALERT = "alert"
RECORDING = "recording rule"
SCALER = "scaler"


@dataclass(frozen=True)
class Query:
    """One query. ``texts`` are what is asked, several where variables have several values; ``trees`` those of them that parse.

    ``open_variables`` have no value, so that what they stand for cannot be known; ``problem`` says why a text does not parse.
    ``records`` is the series that a recording rule makes. ``templates`` are texts shown with the answer, by what they are.
    ``unit`` and ``thresholds`` are those that a panel shows the answer with.
    """

    kind: str
    name: str
    written: str
    place: Place
    path: Path = ()
    texts: tuple[str, ...] = ()
    trees: tuple[Expression, ...] = ()
    problem: str = ""
    open_variables: tuple[str, ...] = ()
    records: str = ""
    extra_labels: Mapping[str, Any] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    thresholds: tuple[float, ...] = ()

    @property
    def subject(self) -> str:
        """How findings call it."""
        return f"{self.kind} {self.name}"


def parsed(texts: Iterable[str]) -> tuple[tuple[Expression, ...], str]:
    """The trees of the texts that parse, and why the first of the others does not."""
    found = [_parsed(text) for text in texts]
    return tuple(tree for tree, _problem in found if tree is not None), next((problem for _tree, problem in found if problem), "")


def _parsed(text: str) -> tuple[Expression | None, str]:
    try:
        return parse(text), ""
    except InvalidQuery as invalid:
        return None, str(invalid)


def query(kind: str, name: str, text: str, place: Place, path: Path, **more: Any) -> Query:
    """A query without variables."""
    trees, problem = parsed([text])
    return Query(kind, name, text, place, path, (text,), trees, problem, **more)
