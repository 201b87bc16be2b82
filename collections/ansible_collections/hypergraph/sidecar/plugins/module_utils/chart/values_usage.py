# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on values: what templates ask for is there, and what is there is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..manifests.objects import Place, mapping
from ..manifests.rules import WARNING, Outcome, Registry
from .release import Release
from .template_values import ANY

RULES = Registry()


@RULES.rule(
    "values-key-undefined",
    "Every value that a template prints is defined",
    examines="uses of values",
    source="https://helm.sh/docs/chart_best_practices/values/: a missing key renders as nothing, and the field takes its default",
    fix="Correct the key, define it in values.yaml, or say what to do without it: default, required, with.",
)
def _undefined(release: Release) -> Iterator[Outcome]:
    """Judged where the environment's values lead to the use. A mapping that is empty by default is there to be filled."""
    source = release.source
    if source.flow is None:
        return
    seen = set()
    for use in sorted(source.flow.uses, key=lambda use: (use.file, use.line, use.path)):
        if not (use.whole and use.reached and not use.guarded) or (use.path, use.file, use.line) in seen or not use.path:
            continue
        seen.add((use.path, use.file, use.line))
        exempt = use.path[0] in source.subcharts or source.flow.may_be_assigned(use.path)
        # Helm drops keys that are null from the values; their files still define them.
        told = exempt or any(not _missing(file.body, use.path) for file in source.files)
        missing = not told and _missing(release.bundle.values, use.path) and not _declared(source.schema, source.schema, use.path)
        yield Outcome(
            f".Values.{'.'.join(use.path)}",
            not missing,
            "a key of the values",
            "nothing defines it, so it renders as nothing",
            place=Place(use.file, use.line),
        )


@RULES.rule(
    "values-key-unused",
    "Every value that is set is used by a template",
    examines="values",
    source="https://helm.sh/docs/chart_best_practices/values/: what is set and never read does nothing",
    fix="Correct the key, use it in a template, or take it out.",
    severity=WARNING,
)
def _unused(release: Release) -> Iterator[Outcome]:
    source = release.source
    if source.flow is None or source.flow.everything:
        return
    whole = {use.path for use in source.flow.uses if use.whole}
    asked = {use.path for use in source.flow.uses}
    for file in source.files:
        for path in _leaves(file.body):
            if path[0] in source.subcharts or path[0].startswith(("_", "x-")):
                continue
            used = any(_covers(use, path) for use in whole) or any(len(use) == len(path) and _covers(use, path) for use in asked)
            observed = "no template uses it"
            yield Outcome(".".join(path), used, "a template that uses it", observed, place=file.place_of(path))


def _missing(value: Any, path: Sequence[str]) -> bool:
    """Whether nothing is at the path, of several places that it may mean at none."""
    if not path or not value:
        return False
    key, rest = path[0], path[1:]
    if key == ANY:
        parts = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else []
        return bool(parts) and all(_missing(part, rest) for part in parts)
    if not isinstance(value, Mapping):
        return False
    return key not in value or _missing(value[key], rest)


def _declared(root: Mapping[str, Any], schema: Any, path: Sequence[str], followed: tuple[str, ...] = ()) -> bool:
    """Whether a JSON schema tells of the path. What chooses between schemas may, and counts as telling.

    ``followed`` are the references that led here without a step of the path.
    """
    here = mapping(schema)
    if not path:
        return True
    reference = here.get("$ref")
    if isinstance(reference, str):
        # A schema in another file is not read here, and may tell of anything.
        if reference in followed or not reference.startswith("#/"):
            return True
        target: Any = root
        for part in reference[2:].split("/"):
            target = mapping(target).get(part)
        return _declared(root, target, path, (*followed, reference))
    if any(word in here for word in ("allOf", "anyOf", "oneOf", "if", "patternProperties")):
        return True
    below = mapping(here.get("properties"))
    if path[0] == ANY:
        return any(_declared(root, part, path[1:]) for part in (*below.values(), here.get("additionalProperties"), here.get("items")))
    if path[0] in below:
        return _declared(root, below[path[0]], path[1:])
    return isinstance(here.get("additionalProperties"), Mapping) and _declared(root, here["additionalProperties"], path[1:])


def _leaves(value: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, part in value.items():
        if isinstance(part, Mapping) and part:
            yield from _leaves(part, (*path, key))
        else:
            yield (*path, key)


def _covers(use: Sequence[str], path: Sequence[str]) -> bool:
    """Whether the use of a place takes the value at a path with it: the place is above it, is it, or is inside it."""
    return all(key in (ANY, step) for key, step in zip(use, path))
