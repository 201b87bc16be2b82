# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML documents as objects: typed as Kubernetes types them, each part with its line, and within bounds.

Kubernetes turns YAML 1.1 into JSON (sigs.k8s.io/yaml): ``on`` is true, keys are text, and dates stay text. A key that is there twice is
refused in files, since readers differ in which of the two they take. Of what Helm rendered the last counts, and the object tells of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from ..faults import CheckError
from .objects import Object, Path, Place
from .scalars import MERGE, loader, typed

_MAX_BYTES = 64 * 1024 * 1024
# Values that aliases may add to those written. A release with anchors has some hundred; a bomb has billions.
_MAX_UNFOLDED = 1_000_000
_SUFFIXES = (".yaml", ".yml")
_REMEDY = "Correct the file, or the path that names it."


def read_documents(paths: Iterable[str | FilePath]) -> tuple[Object, ...]:
    """The objects of files, and of all *.yaml and *.yml files below directories, in the order of their names.

    Raises CheckError where a path is not there, cannot be read, is no YAML, or is a directory without any such file.
    """
    return tuple(one for path in paths for file in _files(FilePath(path)) for one in parse_documents(_text(file), str(file)))


def parse_documents(text: str, file: str, *, rendered: bool = False) -> tuple[Object, ...]:
    """The objects of a text. Documents without content are dropped, and a List is its items.

    Of what Helm ``rendered`` only the file is known, and a key that is there twice is no fault of the reading.

    Raises CheckError naming file and line where it is no YAML, or a document is no mapping.
    """
    import yaml

    found: list[Object] = []
    aliased = "*" in text
    try:
        for node in yaml.compose_all(text, loader()):
            reader = _Reader(file, rendered, aliased)
            value = reader.document(node)
            if value is None:
                continue
            if not isinstance(value, Mapping):
                raise _invalid(file, node, f"a document is a {_kind(value)}, expected an object")
            place = Place(file, None if rendered else node.start_mark.line + 1)
            found += _flattened(Object(value, place, reader.lines, tuple(reader.repeated)))
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f"{file}:{mark.line + 1}" if mark and not rendered else file
        raise CheckError("manifest-invalid", f"{where}: no YAML: {problem.problem or problem.context}", _REMEDY) from None
    except yaml.YAMLError as problem:
        raise CheckError("manifest-invalid", f"{file}: no YAML: {str(problem).splitlines()[0]}", _REMEDY) from None
    except RecursionError:
        raise CheckError("manifest-invalid", f"{file}: it is nested too deep to be read", _REMEDY) from None
    return tuple(found)


class _Reader:
    """Turns the nodes of one document into values, and keeps the lines of its parts, or which keys there are twice in what is rendered."""

    def __init__(self, file: str, rendered: bool, aliased: bool) -> None:
        self._file = file
        self._rendered = rendered
        self._aliased = aliased
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()
        self.lines: dict[Path, int] = {}
        self.repeated: dict[Path, None] = {}

    def document(self, node: Any) -> Any:
        # What has no aliases is as large as it is written, and need not be walked through twice.
        if self._aliased and self._size(node) - len(self._sizes) > _MAX_UNFOLDED:
            raise _invalid(self._file, node, "its aliases unfold to more values than any release has")
        return self._value(node, ())

    def _size(self, node: Any) -> int:
        """How many values a node is with its aliases unfolded."""
        known = self._sizes.get(id(node))
        if known is not None:
            return known
        if id(node) in self._open:
            raise _invalid(self._file, node, "an alias refers to the value it is part of")
        self._open.add(id(node))
        children = () if isinstance(node.value, str) else node.value
        size = 1 + sum(sum(map(self._size, child)) if isinstance(child, tuple) else self._size(child) for child in children)
        self._open.discard(id(node))
        self._sizes[id(node)] = size
        return size

    def _value(self, node: Any, path: Path) -> Any:
        if path and not self._rendered:
            self.lines[path] = node.start_mark.line + 1
        if node.id == "scalar":
            return self._scalar(node)
        if node.id == "sequence":
            return [self._value(item, (*path, position)) for position, item in enumerate(node.value)]
        return self._mapping(node, path)

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                for source in reversed(value_node.value) if value_node.id == "sequence" else (value_node,):
                    if source.id != "mapping":
                        raise _invalid(self._file, key_node, "<< merges something that is no mapping")
                    merged.update(self._mapping(source, path))
                continue
            key = self._key(key_node)
            if key in own:
                if not self._rendered:
                    raise _invalid(self._file, key_node, f"the key {key!r} is there twice")
                self.repeated[(*path, key)] = None
            own[key] = self._value(value_node, (*path, key))
            if not self._rendered:
                self.lines[(*path, key)] = key_node.start_mark.line + 1
        return {**merged, **own}

    def _key(self, node: Any) -> str:
        key = self._scalar(node) if node.id == "scalar" else None
        if key is None:
            raise _invalid(self._file, node, "a key is no text")
        return key if isinstance(key, str) else json.dumps(key)

    def _scalar(self, node: Any) -> Any:
        try:
            return typed(node.tag, node.value)
        except ValueError as problem:
            raise _invalid(self._file, node, str(problem)) from None


def _flattened(one: Object) -> Iterator[Object]:
    items = one.body.get("items")
    if one.api_version != "v1" or one.kind != "List" or not isinstance(items, list):
        yield one
        return
    for position, item in enumerate(items):
        if isinstance(item, Mapping):
            prefix: Path = ("items", position)
            lines = {path[2:]: line for path, line in one.lines.items() if path[:2] == prefix}
            repeated = tuple(path[2:] for path in one.repeated if path[:2] == prefix)
            yield from _flattened(Object(item, one.place_of(prefix), lines, repeated))


def _files(path: FilePath) -> list[FilePath]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    if not files:
        raise CheckError("manifest-unreadable", f"{path} holds no {' or '.join('*' + suffix for suffix in _SUFFIXES)} file", _REMEDY)
    return files


def _text(file: FilePath) -> str:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise CheckError("manifest-unreadable", f"{file} is larger than {_MAX_BYTES >> 20} MiB", _REMEDY)
        return file.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise CheckError("manifest-unreadable", f"{file}: {problem.strerror}", _REMEDY) from None
    except UnicodeDecodeError as problem:
        raise CheckError("manifest-unreadable", f"{file} is no UTF-8 at byte {problem.start}", _REMEDY) from None


def _invalid(file: str, node: Any, problem: str) -> CheckError:
    return CheckError("manifest-invalid", f"{file}:{node.start_mark.line + 1}: {problem}", _REMEDY)


def _kind(value: Any) -> str:
    return "list" if isinstance(value, list) else "scalar"
