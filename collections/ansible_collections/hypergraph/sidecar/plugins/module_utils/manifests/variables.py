# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment variables of a container, as far as they are rendered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .objects import Object, Path, mapping, mappings, text


@dataclass(frozen=True)
class Variable:
    """A variable, and the object and path that state its value; ``value`` is None where the value is not rendered."""

    name: str
    subject: Object
    path: Path
    value: Any


def variables(owner: Object, path: Path, container: Mapping[str, Any], config_map: Callable[[str], Object | None]) -> Iterator[Variable]:
    """The variables of the container at the path of its owner, such that of two with a name the later one is in force.

    ``config_map`` gives a rendered ConfigMap of the owner's namespace by its name. Source: Kubernetes core/v1, EnvFromSource and EnvVar.
    """
    for _position, source in mappings(container.get("envFrom")):
        held = config_map(text(mapping(source.get("configMapRef")).get("name")))
        for key, value in mapping(held.body.get("data") if held else None).items():
            yield Variable(f"{text(source.get('prefix'))}{key}", held or owner, ("data", key), value)
    for position, entry in mappings(container.get("env")):
        reference = mapping(mapping(entry.get("valueFrom")).get("configMapKeyRef"))
        held, key = config_map(text(reference.get("name"))), text(reference.get("key"))
        if held is not None:
            yield Variable(text(entry.get("name")), held, ("data", key), held.at("data", key))
        else:
            yield Variable(text(entry.get("name")), owner, (*path, "env", position, "value"), entry.get("value"))
