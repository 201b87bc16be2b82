# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes objects as they were written down, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Union

# A place inside an object: mapping keys and list positions, from the outside in.
Path = tuple[Union[str, int], ...]


@dataclass(frozen=True)
class Place:
    """Where something is written: a file, and the line (from 1) where it is known."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Object:
    """One object. ``lines`` tells where its parts are, as far as that is known; a part that is not there stands at its nearest parent.

    ``repeated`` are the places of keys that its document has twice: ``body`` has the last of them.
    """

    body: Mapping[str, Any]
    place: Place
    lines: Mapping[Path, int] = field(default_factory=dict, repr=False)
    repeated: tuple[Path, ...] = ()

    @property
    def api_version(self) -> str:
        """Such as ``apps/v1``; empty where there is none."""
        return text(self.body.get("apiVersion"))

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def kind(self) -> str:
        """Such as ``Deployment``."""
        return text(self.body.get("kind"))

    @property
    def name(self) -> str:
        """The name in its metadata."""
        return text(self.metadata.get("name"))

    @property
    def namespace(self) -> str:
        """The namespace in its metadata; empty where it is left to the release."""
        return text(self.metadata.get("namespace"))

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata, empty where there is none or it is not a mapping."""
        return mapping(self.body.get("metadata"))

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """Its spec, empty where there is none or it is not a mapping."""
        return mapping(self.body.get("spec"))

    @cached_property
    def labels(self) -> Mapping[str, Any]:
        """Its own labels."""
        return mapping(self.metadata.get("labels"))

    @cached_property
    def annotations(self) -> Mapping[str, Any]:
        """Its annotations."""
        return mapping(self.metadata.get("annotations"))

    def at(self, *path: str | int, default: Any = None) -> Any:
        """What is at the path; the default where any part of the path is absent or of another type."""
        value: Any = self.body
        try:
            for key in path:
                value = value[key]
        except (LookupError, TypeError):
            return default
        return value

    def place_of(self, path: Path) -> Place:
        """Where the part at the path is written, or the nearest of its parents whose line is known."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return Place(self.place.file, self.lines[path[:length]])
        return self.place

    def __str__(self) -> str:
        return f"{self.kind or 'object'}/{self.name or '(unnamed)'}"


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one: artifacts hold anything at any place."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The mappings of a list with their positions."""
    return ((position, item) for position, item in enumerate(sequence(value)) if isinstance(item, Mapping))


def text(value: Any) -> str:
    """The value if it is text, else an empty one."""
    return value if isinstance(value, str) else ""
