# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as OpenAPI allows it: JSON values, text keys, no key twice, and a bound on what aliases may unfold to.

OpenAPI 3.1, section 4.2, limits YAML to what JSON can say: the tags of YAML 1.2's JSON schema, and text keys. PyYAML reads YAML 1.1 into
Python values (``on`` becomes true, ``2026-01-01`` a date) and lets aliases unfold without end; here only its parser is used, and values are
built from its events without recursion.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAX_DEPTH = 100
# Objects, lists and scalars with aliases unfolded. 2 MiB of ordinary OpenAPI holds some 100,000.
MAX_VALUES = 200_000

_TAG = "tag:yaml.org,2002:"
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,400}|0o[0-7]{1,400}|0x[0-9a-fA-F]{1,400}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_JSON = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def loads(text: str) -> Any:
    """The one document in the text as JSON values. Raises ValueError with a one-line reason that names the line, where there is one."""
    import yaml

    builder = _Builder()
    parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(text, Loader=parser):
            builder.take(type(event).__name__, event)
    except yaml.MarkedYAMLError as problem:
        raise ValueError(_located(problem, text)) from None
    except yaml.YAMLError as problem:
        raise ValueError(" ".join(str(problem).split())) from None
    return builder.value


def _located(problem: Any, text: str) -> str:
    mark = problem.problem_mark or problem.context_mark
    said = problem.problem or problem.context or "it is not YAML"
    if mark is None:
        return str(said)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    indentation = line[: len(line) - len(line.lstrip())]
    hint = " (the line is indented with a tab, YAML wants spaces)" if "\t" in indentation else ""
    begun = f" ({problem.context} that begins in line {problem.context_mark.line + 1})" if problem.context and problem.context_mark else ""
    return f"line {mark.line + 1}, column {mark.column + 1}: {said}{hint or begun}"


@dataclass(frozen=True)
class _Finished:
    """A value with the number of values in it and the levels it is deep, both with aliases unfolded."""

    value: Any
    size: int = 1
    depth: int = 0


@dataclass
class _Frame:
    """A list or object under construction."""

    value: Any
    anchor: str | None
    size: int = 1
    depth: int = 1
    key: str | None = None
    merge_next: bool = False
    merged: list[Any] = field(default_factory=list)

    @property
    def awaits_key(self) -> bool:
        """Whether the next value is the key of an object's member."""
        return isinstance(self.value, dict) and self.key is None and not self.merge_next


class _Builder:
    """Takes parser events one by one and holds the finished value."""

    def __init__(self) -> None:
        self.value: Any = None
        self._documents = 0
        self._open: list[_Frame] = []
        self._anchors: dict[str, _Finished] = {}
        self._takers: dict[str, Callable[[Any], None]] = {
            "DocumentStartEvent": self._document,
            "ScalarEvent": self._scalar,
            "AliasEvent": self._alias,
            "SequenceStartEvent": self._start_list,
            "MappingStartEvent": self._start_object,
            "SequenceEndEvent": self._end,
            "MappingEndEvent": self._end,
        }

    def take(self, kind: str, event: Any) -> None:
        """Take one event; kinds that carry no value are passed over."""
        taker = self._takers.get(kind)
        if taker is not None:
            taker(event)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise ValueError(f"{_line(event)}: a second document begins, expected one")

    def _scalar(self, event: Any) -> None:
        frame = self._open[-1] if self._open else None
        is_key = frame is not None and frame.awaits_key
        finished = _Finished(event.value if is_key else _scalar_value(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = finished
        if frame is not None and is_key:
            _take_key(frame, event)
        else:
            self._place(finished, event)

    def _alias(self, event: Any) -> None:
        if event.anchor in self._anchors:
            self._place(self._anchors[event.anchor], event)
        elif any(frame.anchor == event.anchor for frame in self._open):
            raise ValueError(f"{_line(event)}: alias *{event.anchor} refers to the value it is part of")
        else:
            raise ValueError(f"{_line(event)}: alias *{event.anchor} has no anchor before it")

    def _start_list(self, event: Any) -> None:
        self._start([], event)

    def _start_object(self, event: Any) -> None:
        self._start({}, event)

    def _start(self, value: Any, event: Any) -> None:
        if event.tag not in (None, "!", _TAG + "seq", _TAG + "map"):
            raise ValueError(f"{_line(event)}: tag {event.tag} has no meaning in JSON")
        if self._open and self._open[-1].awaits_key:
            raise ValueError(f"{_line(event)}: a key must be text, found an object or list")
        if len(self._open) >= MAX_DEPTH:
            raise ValueError(f"{_line(event)}: nested deeper than {MAX_DEPTH} levels")
        self._open.append(_Frame(value, event.anchor))

    def _end(self, event: Any) -> None:
        frame = self._open.pop()
        for merged in frame.merged:
            frame.value = {**merged, **frame.value}
        finished = _Finished(frame.value, frame.size, frame.depth)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = finished
        self._place(finished, event)

    def _place(self, finished: _Finished, event: Any) -> None:
        """Put a finished value where it belongs: into the innermost open list or object, or as the document."""
        if not self._open:
            self.value = finished.value
            return
        frame = self._open[-1]
        if frame.awaits_key:
            raise ValueError(f"{_line(event)}: a key must be text, found an alias")
        frame.size += finished.size
        frame.depth = max(frame.depth, finished.depth + 1)
        if frame.size > MAX_VALUES:
            raise ValueError(f"{_line(event)}: more than {MAX_VALUES} values, counting each alias in full")
        if frame.depth + len(self._open) > MAX_DEPTH + 1:
            raise ValueError(f"{_line(event)}: nested deeper than {MAX_DEPTH} levels, counting each alias in full")
        if isinstance(frame.value, list):
            frame.value.append(finished.value)
        elif frame.merge_next:
            _merge(frame, finished.value, event)
        else:
            frame.value[frame.key] = finished.value
            frame.key = None


def _take_key(frame: _Frame, event: Any) -> None:
    if event.value == "<<" and event.implicit[0]:
        frame.merge_next = True
    elif event.value in frame.value:
        raise ValueError(f"{_line(event)}: key {event.value!r} occurs twice in one object")
    else:
        frame.key = event.value
        # Keeps the order of the text, and lets a second key of the name be seen.
        frame.value[event.value] = None


def _merge(frame: _Frame, value: Any, event: Any) -> None:
    """``<<`` of YAML 1.1: what the object says itself stands, and of several merged objects the first."""
    sources = value if isinstance(value, list) else [value]
    if frame.merged or not all(isinstance(source, dict) for source in sources):
        raise ValueError(f"{_line(event)}: << takes one object or one list of objects, once")
    frame.merged = sources
    frame.merge_next = False


def _scalar_value(event: Any) -> Any:
    """The JSON value of a scalar: by its tag, or by the core schema of YAML 1.2 (section 10.3.2) where it is plain."""
    text = event.value
    tag = event.tag
    if tag in ("!", _TAG + "str") or (tag is None and not event.implicit[0]):
        return text
    if tag not in (None, _TAG + "null", _TAG + "bool", _TAG + "int", _TAG + "float"):
        raise ValueError(f"{_line(event)}: tag {tag} has no meaning in JSON")
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        number = float(text)
        if number - number == 0:
            return number
    elif not _NOT_JSON.fullmatch(text):
        if tag is None:
            return text
        raise ValueError(f"{_line(event)}: {text[:40]!r} does not fit its tag {tag}")
    raise ValueError(f"{_line(event)}: JSON has no number like {text[:40]}")


def _line(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"
