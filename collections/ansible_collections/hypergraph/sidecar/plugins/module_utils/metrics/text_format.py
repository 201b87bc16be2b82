# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Prometheus text format 0.0.4, line by line: the rules that prometheus_client's parser of it does not hold.

That parser is laxer than Prometheus itself by its own account. Rules: https://prometheus.io/docs/instrumenting/exposition_formats/ (text
format details), and for numbers, escapes and repeated comments what Prometheus' own parser (prometheus/common, expfmt) refuses.
"""

from __future__ import annotations

import re

TYPES = {
    "counter": ("",),
    "gauge": ("",),
    "untyped": ("",),
    "summary": ("", "_sum", "_count"),
    "histogram": ("_bucket", "_sum", "_count"),
}

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_QUOTED = r'"[^"\\\n]*(?:\\[\\n"][^"\\\n]*)*"'
_LABELS = (
    rf"\{{[ \t]*(?:(?:[a-zA-Z_][a-zA-Z0-9_]*[ \t]*=[ \t]*{_QUOTED}|{_QUOTED}(?:[ \t]*=[ \t]*{_QUOTED})?)[ \t]*(?:,[ \t]*|(?=\}})))*\}}"
)
_NUMBER = r"(?i:[+-]?(?:[0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan))"
_SAMPLE = re.compile(
    rf"(?P<series>(?P<name>{_NAME})?[ \t]*(?P<labels>{_LABELS})?)[ \t]*(?P<value>{_NUMBER})(?P<timestamp>[ \t]+[+-]?[0-9]+)?"
)
_COMMENT = re.compile(r"#[ \t]*(?P<keyword>HELP|TYPE)(?=[ \t]|$)")
_METADATA = re.compile(rf"#[ \t]*(?:HELP|TYPE)[ \t]+(?P<name>{_NAME}|{_QUOTED})(?:[ \t]+(?P<rest>.*))?")
_TERM = re.compile(rf"(?P<name>[a-zA-Z_][a-zA-Z0-9_]*|{_QUOTED})[ \t]*(?P<value>=[ \t]*{_QUOTED})?")
_BOUND = {
    "histogram": re.compile(rf'[{{, \t]le[ \t]*=[ \t]*"{_NUMBER}"'),
    "summary": re.compile(rf'[{{, \t]quantile[ \t]*=[ \t]*"{_NUMBER}"'),
}


class TextRules:
    """Holds the lines of one exposition, given in order, to the format. Remembers which families were declared by TYPE."""

    def __init__(self) -> None:
        self.declared: set[str] = set()
        self._helped: set[str] = set()
        self._left: set[str] = set()
        self._family = ""
        self._type = "untyped"
        self._names: tuple[str, ...] = ()
        self._series: set[str] = set()

    def check(self, line: str) -> None:
        """Take the next line. Raises ValueError with what is wrong with it."""
        line = line.strip(" \t\n")
        if not line:
            return
        if line.startswith("#"):
            keyword = _COMMENT.match(line)
            if keyword:
                self._metadata(keyword["keyword"], line)
            return
        self._sample(line)

    def _metadata(self, keyword: str, line: str) -> None:
        said = _METADATA.fullmatch(line)
        if not said:
            raise ValueError(f"a {keyword} comment without a valid metric name")
        name, rest = said["name"].strip('"'), said["rest"] or ""
        known = self.declared if keyword == "TYPE" else self._helped
        if name in known:
            raise ValueError(f"a second {keyword} of {name}")
        if keyword == "TYPE":
            if name == self._family and self._series:
                raise ValueError(f"the TYPE of {name} comes after its samples")
            if rest not in TYPES:
                raise ValueError(f"{rest or 'nothing'!r} as the type of {name}, expected one of {', '.join(TYPES)}")
        self._enter(name)
        known.add(name)
        if keyword == "TYPE":
            self._type = rest
            self._names = tuple(name + suffix for suffix in TYPES[rest])

    def _sample(self, line: str) -> None:
        said = _SAMPLE.fullmatch(line)
        name = (said["name"] or _name_among(said["labels"] or "")) if said else ""
        if not said or not name or not (said["labels"] or line[said.end("series") - 1] in " \t"):
            raise ValueError("this is no sample: expected name{labels} value [timestamp in whole milliseconds]")
        if name not in self._names:
            self._enter(name)
        series = said["series"].rstrip(" \t")
        if series in self._series:
            raise ValueError(f"series {series} occurs twice")
        self._series.add(series)
        bound = _BOUND.get(self._type) if name.endswith("_bucket") or name == self._family else None
        if bound and not bound.search(series):
            raise ValueError(f"{name} of a {self._type} without a number as its le or quantile")
        counts = self._type == "counter" or (self._type in _BOUND and name.endswith(("_bucket", "_count")))
        if counts and said["value"].startswith("-"):
            raise ValueError(f"{name} counts, and is negative")

    def _enter(self, name: str) -> None:
        """All lines of a family come as one group."""
        if name == self._family:
            return
        if name in self._left:
            raise ValueError(f"the lines of {name} are not one group: others came in between")
        self._left.add(name)
        self._family = name
        self._type = "untyped"
        self._names = (name,)
        self._series = set()


def _name_among(labels: str) -> str:
    """The quoted metric name among the labels, where a name that is not made of the usual letters stands; empty where there is none."""
    names = [term["name"] for term in _TERM.finditer(labels) if not term["value"]]
    return names[0].strip('"') if len(names) == 1 else ""
