# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grafana's variables: what values they have, and a query with values in their places.

Syntax and built-in variables: https://grafana.com/docs/grafana/latest/dashboards/variables/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..manifests.objects import Path, mapping, mappings, text
from ..promql import Expression
from .queries import parsed

# What stands for a variable without a value; no metric or label is called so.
UNKNOWN = "grafana_variable_"
# Grafana promises that a window of $__rate_interval spans four scrapes, and that $__interval is at least one.
_RATE_SCRAPES = 4
_HOUR = 3600
# Values of one variable that a query is examined with.
_VALUES = 20

_VARIABLE = re.compile(r"\[\[([A-Za-z_]\w*)(?::\w+)?\]\]|\$\{([A-Za-z_]\w*)(?:[.:][^}]*)?\}|\$([A-Za-z_]\w*)")
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_PLAIN = re.compile(r"[^\"'\\`]*")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}

# What schema v2 calls the types of v1.
_TYPES = {
    "QueryVariable": "query",
    "CustomVariable": "custom",
    "IntervalVariable": "interval",
    "ConstantVariable": "constant",
    "TextVariable": "textbox",
    "DatasourceVariable": "datasource",
}

Values = Mapping[str, tuple[str, ...]]


def values(dashboard: Mapping[str, Any], scrape_interval: float) -> Values:
    """The values each variable can have, as far as the dashboard tells: the built-in ones, and its own with the present value first."""
    interval, rate_interval = _milliseconds(scrape_interval), _milliseconds(_RATE_SCRAPES * scrape_interval)
    known: dict[str, tuple[str, ...]] = {
        "__interval": (interval,),
        "__interval_ms": (interval[:-2],),
        "__rate_interval": (rate_interval,),
        "__rate_interval_ms": (rate_interval[:-2],),
        "__range": (f"{_HOUR}s",),
        "__range_s": (f"{_HOUR}",),
        "__range_ms": (f"{_HOUR}000",),
        "__from": ("1700000000000",),
        "__to": (f"170000{_HOUR}000",),
    }
    for _path, variable in declared(dashboard):
        name = variable.get("name")
        if isinstance(name, str):
            # Sections may declare one name each, with values of their own.
            known[name] = tuple(dict.fromkeys((*known.get(name, ()), *_own_values(variable, interval))))
    return known


def declared(dashboard: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The dashboard's own variables with their places: those of schema v1, and those of v2 (its sections' too) as v1 would have them."""
    for position, variable in mappings(mapping(dashboard.get("templating")).get("list")):
        yield ("templating", "list", position), variable
    for path, item in _of_v2(dashboard):
        spec, kind = mapping(item.get("spec")), _TYPES.get(text(item.get("kind")), "")
        asked = mapping(spec.get("query"))
        written = mapping(asked.get("spec"))
        in_v1 = {
            "query": {"query": written.get("query") or written.get("__legacyStringValue"), "datasource": datasource_of(asked)},
            "datasource": {"query": spec.get("pluginId")},
        }
        yield (*path, "spec"), {**spec, "type": kind, **in_v1.get(kind, {})}


def _of_v2(dashboard: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Variables of schema v2 with their places: the dashboard's first, then those of rows and tabs, from the outside in."""
    waiting: list[tuple[Path, Mapping[str, Any]]] = [((), dashboard)]
    while waiting:
        path, part = waiting.pop(0)
        for position, item in mappings(part.get("variables")):
            yield (*path, "variables", position), item
        layout = mapping(mapping(part.get("layout")).get("spec"))
        for name in ("rows", "tabs"):
            for position, section in mappings(layout.get(name)):
                waiting.append(((*path, "layout", "spec", name, position, "spec"), mapping(section.get("spec"))))


def datasource_of(query: Mapping[str, Any]) -> Mapping[str, Any]:
    """The datasource that a query of schema v2 names, as v1 would. Before v2beta1 the kind of the query was its datasource's type."""
    kind = query.get("kind")
    return {"type": query.get("group") or (kind if kind != "DataQuery" else None), "uid": mapping(query.get("datasource")).get("name")}


def _own_values(variable: Mapping[str, Any], interval: str) -> tuple[str, ...]:
    found: list[Any] = []
    for choice in (variable.get("current"), *(option for _position, option in mappings(variable.get("options")))):
        value = mapping(choice).get("value")
        found += value if isinstance(value, list) else [value]
    kind, written = variable.get("type"), variable.get("query")
    if isinstance(written, str) and kind in ("custom", "interval", "constant", "textbox"):
        # An option may be written as "text : value".
        found += [option.rpartition(" : ")[2].strip() for option in written.split(",")] if kind in ("custom", "interval") else [written]
    texts = [value for value in found if isinstance(value, str) and value]
    # How long "auto" is follows from what is shown, down to this bound.
    shortest = str(variable.get("auto_min") or "")
    interval = shortest if seconds(shortest) else interval
    texts = [interval if text == "auto" or text.startswith("$__auto") else text for text in texts]
    return tuple(dict.fromkeys(text for text in texts if not text.startswith("$")))[:_VALUES]


def _milliseconds(duration: float) -> str:
    return f"{max(1, round(duration * 1000))}ms"


def seconds(duration: str) -> float | None:
    """A duration of PromQL in seconds; None for what is none."""
    if not _DURATION.fullmatch(duration):
        return None
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdwy])", duration))


@dataclass(frozen=True)
class Filled:
    """A query with values for its variables: one text for each value that one of them can have, and the variables that have none."""

    texts: tuple[str, ...]
    trees: tuple[Expression, ...]
    problem: str
    open_variables: tuple[str, ...]


def filled(query: str, known: Values) -> Filled:
    """Put values into a query: any value inside a string, the shortest duration inside brackets, each value in turn elsewhere.

    A variable without a value is open, except inside a string: which values a label has is not examined.
    """
    texts: list[str] = []
    unknown: set[str] = set()
    turns = 1
    while len(texts) < turns:
        filling = _Filling(known, len(texts))
        texts.append(filling.fill(query))
        turns = filling.turns
        unknown |= filling.missing
    texts = list(dict.fromkeys(texts))
    trees, problem = parsed(texts)
    if problem and unknown:
        # What has no value may stand for a number as well as for a name; where neither fits, nothing can be said about the syntax.
        trees, other = parsed(re.sub(rf"\b{UNKNOWN}\w*", "1", text) for text in texts)
        trees, problem = () if other else trees, ""
        unknown = unknown if other else set()
    return Filled(tuple(texts), trees, problem, tuple(sorted(unknown)))


class _Filling:
    """Puts the values of one turn into a query. ``turns`` is how many it takes, ``missing`` are the variables without a value."""

    def __init__(self, known: Values, turn: int) -> None:
        self._known = known
        self._turn = turn
        self.turns = 1
        self.missing: set[str] = set()

    def fill(self, query: str) -> str:
        """The query with values. Quotes and brackets are followed to know which kind of value fits."""
        written: list[str] = []
        quote, brackets, at = "", 0, 0
        while at < len(query):
            character, found = query[at], _VARIABLE.match(query, at)
            if found:
                written.append(self._value(found[1] or found[2] or found[3], quote, brackets))
                at = found.end()
                continue
            if quote:
                if character == "\\" and quote in "\"'":
                    character = query[at : at + 2]
                elif character == quote:
                    quote = ""
            elif character in "\"'`#":
                quote = "\n" if character == "#" else character
            else:
                brackets += (character == "[") - (character == "]")
            written.append(character)
            at += len(character)
        return "".join(written)

    def _value(self, name: str, quote: str, brackets: int) -> str:
        choices = self._known.get(name, ())
        if quote:
            return next((choice for choice in choices if _PLAIN.fullmatch(choice)), UNKNOWN + name)
        if brackets:
            choices = tuple(choice for choice in choices if seconds(choice) or choice.isdigit())
            if choices:
                return min(choices, key=lambda choice: seconds(choice) or 0.0)
        elif choices:
            self.turns = max(self.turns, len(choices))
            return choices[self._turn % len(choices)]
        self.missing.add(name)
        return self._known["__rate_interval"][0] if brackets else UNKNOWN + name
