# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects written as YAML, with a few places of them edited: what tests of rules mutate."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import yaml

from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Object, Path, Place

# Instead of a value: takes the part away.
GONE = object()
# Which object ("Kind/name"), where in it, and what to put there.
Edit = tuple[str, Path, Any]


def objects(text: str, *edits: Edit) -> tuple[Object, ...]:
    """The objects of the text with the edits applied. Raises AssertionError for an edit whose object is not there."""
    bodies = {f"{body['kind']}/{body['metadata']['name']}": body for body in yaml.safe_load_all(text)}
    apply(bodies, edits)
    return tuple(Object(body, Place("reference.yaml")) for body in bodies.values())


def apply(bodies: dict[str, Any], edits: Iterable[Edit]) -> None:
    """Apply edits to bodies in place. An edit with an empty path takes an object away, or puts a whole one in."""
    for name, path, value in edits:
        if not path:
            assert (name in bodies) is (value is GONE), name
            if value is GONE:
                del bodies[name]
            else:
                bodies[name] = copy.deepcopy(value)
            continue
        assert name in bodies, f"there is no {name}"
        *way, last = path
        part = bodies[name]
        for key in way:
            part = part.setdefault(key, {}) if isinstance(part, dict) else part[key]
        if value is GONE:
            del part[last]
        elif isinstance(part, list) and last == len(part):
            part.append(copy.deepcopy(value))
        else:
            part[last] = copy.deepcopy(value)
