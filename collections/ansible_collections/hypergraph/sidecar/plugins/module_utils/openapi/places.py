# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places in a document: JSON pointers (RFC 6901) and the references of OpenAPI that lead to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

# Members whose value is data of the API's own, where "$ref" is a word like any other.
_DATA = frozenset({"const", "default", "enum", "example", "examples", "mapping"})
# Members whose value maps names the API's author chose, so that one may be called "default" or "example".
_NAMED = frozenset(
    {
        "$defs",
        "callbacks",
        "content",
        "definitions",
        "dependentSchemas",
        "encoding",
        "headers",
        "links",
        "parameters",
        "pathItems",
        "paths",
        "patternProperties",
        "properties",
        "requestBodies",
        "responses",
        "schemas",
        "securitySchemes",
        "variables",
        "webhooks",
    }
)


class Located(NamedTuple):
    """A value of a document and the JSON pointer to it, as a URI fragment (``#/paths/~1v1~1models``)."""

    value: Any
    pointer: str

    def child(self, name: str | int) -> Located:
        """The member or item of the name; an absent one is None."""
        pointer = join(self.pointer, name)
        if isinstance(self.value, Mapping):
            return Located(self.value.get(name), pointer)
        if isinstance(self.value, list) and isinstance(name, int) and name < len(self.value):
            return Located(self.value[name], pointer)
        return Located(None, pointer)

    def members(self) -> Iterator[tuple[str, Located]]:
        """Name and value of each member of an object; of anything else, none."""
        if isinstance(self.value, Mapping):
            for name, value in self.value.items():
                yield name, Located(value, join(self.pointer, name))

    def items(self) -> Iterator[Located]:
        """Each item of a list; of anything else, none."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                yield Located(value, join(self.pointer, index))


class Unresolvable(Exception):
    """A reference that leads nowhere; the text says why."""


def join(pointer: str, *names: str | int) -> str:
    """The pointer to a member below."""
    return "/".join((pointer, *(str(name).replace("~", "~0").replace("/", "~1") for name in names)))


def is_local(reference: str) -> bool:
    """Whether a reference is a JSON pointer into its own document."""
    return reference == "#" or reference.startswith("#/")


def find(document: Mapping[str, Any], pointer: str) -> Located:
    """The place a local reference leads to. Raises Unresolvable."""
    place = Located(document, "#")
    for part in unquote(pointer).split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        inside = place.child(int(name) if isinstance(place.value, list) and name.isdecimal() else name)
        holds = name in place.value if isinstance(place.value, Mapping) else inside.value is not None
        if not holds:
            raise Unresolvable(f"{pointer} leads nowhere: {place.pointer} has no {name!r}")
        place = inside
    return place


def follow(document: Mapping[str, Any], place: Located) -> Located:
    """The place itself, or where its chain of ``$ref`` ends. Raises Unresolvable."""
    seen: set[str] = set()
    while isinstance(place.value, Mapping) and isinstance(place.value.get("$ref"), str):
        reference = place.value["$ref"]
        if reference in seen:
            raise Unresolvable(f"{reference} leads back to itself")
        if not is_local(reference):
            raise Unresolvable(f"{reference} leads outside the document")
        seen.add(reference)
        place = find(document, reference)
    return place


def places(document: Mapping[str, Any]) -> Iterator[tuple[Located, bool]]:
    """Every place of the document outside of data and extensions, in its order, and whether it maps names its author chose."""
    pending = [(Located(document, "#"), False)]
    while pending:
        place, names = pending.pop()
        yield place, names
        below = [(child, not names and name in _NAMED) for name, child in place.members() if names or not _is_data(name)]
        pending.extend(reversed([*below, *((item, False) for item in place.items())]))


def references(document: Mapping[str, Any]) -> Iterator[Located]:
    """Every place that holds a ``$ref``."""
    for place, names in places(document):
        if not names and isinstance(place.value, Mapping) and isinstance(place.value.get("$ref"), str):
            yield place


def _is_data(name: str) -> bool:
    return name in _DATA or name.startswith("x-")
