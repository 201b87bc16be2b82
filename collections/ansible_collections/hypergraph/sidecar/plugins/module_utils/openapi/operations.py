# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of an OpenAPI document, with what they inherit from their path and the document laid in."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .places import Located, Unresolvable, follow

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# A server URL with many variables stands for their product; more base paths than this are not told apart.
_MAX_BASE_PATHS = 64
_TEMPLATE = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, eq=False)
class Operation:
    """One method of one path. ``base_paths`` are the paths of its servers, without trailing slash, usually one empty text."""

    document: Mapping[str, Any]
    method: str
    path: str
    place: Located
    path_item: Located
    base_paths: tuple[str, ...]

    @property
    def name(self) -> str:
        """How a reader knows the operation."""
        return f"{self.method} {self.path}"

    @property
    def keys(self) -> frozenset[str]:
        """What identifies it to a client: method and whole path on each server, whatever the path's parameters are called."""
        return frozenset(f"{self.method} {anonymous(base + self.path)}" for base in self.base_paths)

    @property
    def path_parameters(self) -> list[str]:
        """The names in braces, in their order."""
        return [name[1:-1] for name in _TEMPLATE.findall(self.path)]

    @property
    def parameters(self) -> dict[tuple[str, str], Located]:
        """Its parameters and its path's, by location and name; header names in lower case. References are followed."""
        found: dict[tuple[str, str], Located] = {}
        for listed in (*self.path_item.child("parameters").items(), *self.place.child("parameters").items()):
            parameter = self.followed(listed)
            if isinstance(parameter.value, Mapping):
                location, name = str(parameter.value.get("in")), str(parameter.value.get("name"))
                found[location, name.lower() if location == "header" else name] = parameter
        return found

    @property
    def request_body(self) -> Located | None:
        """The request body it documents."""
        body = self.followed(self.place.child("requestBody"))
        return body if isinstance(body.value, Mapping) else None

    @property
    def responses(self) -> dict[str, Located]:
        """Its answers by status: a code, a range such as ``4XX``, or ``default``. References are followed."""
        listed = self.place.child("responses").members()
        return {status.upper() if status != "default" else status: self.followed(answer) for status, answer in listed if status[:2] != "x-"}

    @property
    def security(self) -> tuple[Mapping[str, Any], ...]:
        """The alternatives of which a request must satisfy one; none at all, or an empty one, lets anybody in."""
        own = self.place.value.get("security") if isinstance(self.place.value, Mapping) else None
        alternatives = own if own is not None else self.document.get("security")
        return tuple(item for item in alternatives if isinstance(item, Mapping)) if isinstance(alternatives, list) else ()

    def response_to(self, status: int) -> Located | None:
        """The documented answer for a status code: the code itself, its range, or the default."""
        documented = self.responses
        for name in (str(status), f"{status // 100}XX", "default"):
            if name in documented:
                return documented[name]
        return None

    def followed(self, place: Located) -> Located:
        """Where the place's references lead; one that leads nowhere counts as absent, which validation reports."""
        try:
            return follow(self.document, place)
        except Unresolvable:
            return Located(None, place.pointer)


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation under ``paths``, in the order of the document."""
    root = Located(document, "#")
    for path, listed in root.child("paths").members():
        if not path.startswith("/"):
            continue
        try:
            item = follow(document, listed)
        except Unresolvable:
            continue
        for method, place in item.members():
            if method in METHODS:
                servers = _first_stated(place.child("servers"), item.child("servers"), root.child("servers"))
                yield Operation(document, method.upper(), path, place, item, base_paths(servers))


def anonymous(path: str) -> str:
    """The path with every parameter named alike."""
    return _TEMPLATE.sub("{}", path)


def base_paths(servers: Any) -> tuple[str, ...]:
    """The paths that a ``servers`` list puts in front, variables filled with each value they may have."""
    urls = [url for server in servers if isinstance(server, Mapping) for url in _urls(server)] if isinstance(servers, list) else []
    return tuple(dict.fromkeys(_path_of(url) for url in urls)) or ("",)


def _first_stated(*lists: Located) -> Any:
    return next((place.value for place in lists if place.value), None)


def _urls(server: Mapping[str, Any]) -> Iterator[str]:
    url = str(server.get("url") or "/")
    variables = server.get("variables")
    names = [
        name for name in re.findall(r"\{([^{}]*)\}", url) if isinstance(variables, Mapping) and isinstance(variables.get(name), Mapping)
    ]
    choices = [_choices(variables[name]) for name in names] if isinstance(variables, Mapping) else []
    for values in itertools.islice(itertools.product(*choices), _MAX_BASE_PATHS):
        filled = url
        for name, value in zip(names, values):
            filled = filled.replace("{" + name + "}", value)
        yield filled


def _choices(variable: Mapping[str, Any]) -> list[str]:
    stated = variable.get("enum")
    values = stated if isinstance(stated, list) and stated else [variable.get("default")]
    return [str(value) for value in values]


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return ""
