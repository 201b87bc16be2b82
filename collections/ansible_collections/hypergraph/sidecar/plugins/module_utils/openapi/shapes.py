# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A schema with its references followed and its ``allOf`` merged: what it lets a value be, keyword by keyword.

A schema stands for a set of values. ``allOf`` and, from OpenAPI 3.1 on, the siblings of ``$ref`` intersect sets, so their keywords are
gathered into one Shape; ``oneOf`` and ``anyOf`` unite sets, so a schema with them becomes several Shapes, its alternatives. That exactly
one of ``oneOf`` must match is not modelled: a schema whose alternatives overlap is a defect of its own.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .places import Located, Unresolvable, follow

# "integer" is listed beside "number", of which it is a part.
ALL_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
# Keywords that bound a value, by the side they bound it on.
LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
# Keywords whose meaning is not modelled: any two of them are the same or different.
OPAQUE = (
    "contains",
    "contentEncoding",
    "contentMediaType",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "not",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
)
# A product of unions larger than this is cut; a document that reaches it is not written by hand.
_MAX_ALTERNATIVES = 64


class TooLarge(Exception):
    """The comparison of two documents grew beyond what can be examined in time."""


@dataclass
class Shape:
    """One alternative of a schema. ``properties``, ``items`` and ``additional`` hold the schemas that apply together, in order."""

    types: frozenset[str] = ALL_TYPES
    values: frozenset[str] | None = None
    bounds: dict[str, float] = field(default_factory=dict)
    multiples: frozenset[float] = frozenset()
    unique: bool = False
    formats: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    properties: dict[str, list[Located]] = field(default_factory=dict)
    read_only: frozenset[str] = frozenset()
    write_only: frozenset[str] = frozenset()
    items: list[Located] = field(default_factory=list)
    additional: list[Located] = field(default_factory=list)
    closed: bool = False
    opaque: dict[str, frozenset[str]] = field(default_factory=dict)
    defaults: frozenset[str] = frozenset()
    label: str = ""

    def has(self, *types: str) -> bool:
        """Whether the value may be of one of the types."""
        return not self.types.isdisjoint(types)

    def by_type(self) -> list[Shape]:
        """The shape as one alternative a type."""
        kinds = [kind for kind in sorted(self.types) if kind != "integer" or "number" not in self.types]
        return [self._only(frozenset({"integer", kind} if kind == "number" else {kind})) for kind in kinds]

    def _only(self, types: frozenset[str]) -> Shape:
        values = self.values
        if values is not None:
            values = frozenset(value for value in values if not types.isdisjoint(types_of(json.loads(value))))
        return replace(self, types=types, values=values)


def canonical(value: Any) -> str:
    """The value as text that is equal for equal JSON values: 1 and 1.0 are, 1 and true are not."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def shapes(document: Mapping[str, Any], schemas: Iterable[Located], trail: frozenset[str] = frozenset()) -> list[Shape]:
    """The alternatives of the schemas taken together. ``trail`` are the references already opened. Raises TooLarge for more than 64."""
    parts, unions, opened = _gather(document, schemas, trail)
    # A schema that is its own alternative adds nothing to itself.
    unions = [[one for one in union if _target(document, one).pointer not in opened] for union in unions]
    if not unions:
        return [_shape(document, parts)]
    count = math.prod(map(len, unions))
    if count > _MAX_ALTERNATIVES:
        raise TooLarge(f"{parts[0].pointer} has {count} alternatives, more than {_MAX_ALTERNATIVES}")
    bare = [_without_unions(part) for part in parts]
    return [
        replace(shape, label=shape.label or " and ".join(filter(None, map(_name, chosen))))
        for chosen in itertools.product(*unions)
        for shape in shapes(document, [*bare, *chosen], opened)
    ]


def _gather(
    document: Mapping[str, Any], schemas: Iterable[Located], trail: frozenset[str]
) -> tuple[list[Located], list[list[Located]], frozenset[str]]:
    """The schemas with references followed and ``allOf`` opened, the unions among them, and the references opened so far."""
    parts: list[Located] = []
    unions: list[list[Located]] = []
    opened = set(trail)
    pending = list(schemas)
    while pending:
        schema = pending.pop(0)
        if isinstance(schema.value, Mapping) and isinstance(schema.value.get("$ref"), str):
            target = _target(document, schema)
            within = [] if target.pointer in opened else [target]
            opened.add(target.pointer)
            if not _is_30(document):
                within.append(Located({name: value for name, value in schema.value.items() if name != "$ref"}, schema.pointer))
            pending[:0] = within
            continue
        parts.append(schema)
        unions.extend(found for found in (list(schema.child(name).items()) for name in ("oneOf", "anyOf")) if found)
        pending[:0] = schema.child("allOf").items()
    return parts, unions, frozenset(opened)


def _target(document: Mapping[str, Any], schema: Located) -> Located:
    try:
        return follow(document, schema)
    except Unresolvable:
        return Located(True, schema.pointer)


def _is_30(document: Mapping[str, Any]) -> bool:
    """Whether it is OpenAPI 3.0, where keywords beside ``$ref`` mean nothing, and null has a keyword of its own."""
    return str(document.get("openapi")).startswith("3.0")


def _name(schema: Located) -> str:
    reference = schema.value.get("$ref") if isinstance(schema.value, Mapping) else None
    return reference.rpartition("/")[2] if isinstance(reference, str) else ""


def _without_unions(part: Located) -> Located:
    if not isinstance(part.value, Mapping):
        return part
    return Located({name: value for name, value in part.value.items() if name not in ("oneOf", "anyOf", "allOf")}, part.pointer)


def _shape(document: Mapping[str, Any], parts: list[Located]) -> Shape:
    shape = Shape()
    for part in parts:
        if part.value is False:
            shape.types = frozenset()
        elif isinstance(part.value, Mapping):
            _lay_in(shape, part, _is_30(document))
    if shape.values is not None:
        shape.types &= {kind for value in shape.values for kind in types_of(json.loads(value))}
    elif shape.types <= {"boolean", "null"}:
        shape.values = frozenset({*(("true", "false") if shape.has("boolean") else ()), *(("null",) if shape.has("null") else ())})
    return shape


def _lay_in(shape: Shape, part: Located, nullable: bool) -> None:
    """Intersect the shape with the keywords of one schema object."""
    schema = part.value
    shape.label = shape.label or str(schema.get("title") or "")
    shape.types &= _stated_types(schema, nullable)
    for keyword in ("enum", "const"):
        if keyword in schema:
            stated = schema[keyword] if keyword == "enum" and isinstance(schema[keyword], list) else [schema[keyword]]
            values = frozenset(map(canonical, stated))
            shape.values = values if shape.values is None else shape.values & values
    _lay_in_bounds(shape, schema)
    shape.formats |= _texts(schema.get("format"))
    shape.patterns |= _texts(schema.get("pattern"))
    shape.defaults |= {canonical(schema["default"])} if "default" in schema else frozenset()
    if "items" in schema:
        _add(shape.items, part.child("items"))
    _lay_in_members(shape, part)
    for keyword in OPAQUE:
        if keyword in schema:
            shape.opaque[keyword] = shape.opaque.get(keyword, frozenset()) | {canonical(schema[keyword])}


def _lay_in_members(shape: Shape, part: Located) -> None:
    schema = part.value
    shape.required |= frozenset(name for name in schema.get("required") or () if isinstance(name, str))
    for name, member in part.child("properties").members():
        _add(shape.properties.setdefault(name, []), member)
        if isinstance(member.value, Mapping):
            shape.read_only |= {name} if member.value.get("readOnly") is True else frozenset()
            shape.write_only |= {name} if member.value.get("writeOnly") is True else frozenset()
    for keyword in ("additionalProperties", "unevaluatedProperties"):
        if schema.get(keyword) is False:
            shape.closed = True
        elif isinstance(schema.get(keyword), Mapping):
            _add(shape.additional, part.child(keyword))


def _lay_in_bounds(shape: Shape, schema: Mapping[str, Any]) -> None:
    stated = {keyword: schema[keyword] for keyword in (*LOWER_BOUNDS, *UPPER_BOUNDS) if keyword in schema}
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        # In OpenAPI 3.0 the exclusive keyword is a flag on the other one.
        if isinstance(stated.get(exclusive), bool) and stated.pop(exclusive) and bound in stated:
            stated[exclusive] = stated.pop(bound)
    for keyword, value in stated.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            tighter = max if keyword in LOWER_BOUNDS else min
            shape.bounds[keyword] = tighter(value, shape.bounds.get(keyword, value))
    multiple = schema.get("multipleOf")
    if isinstance(multiple, (int, float)) and multiple > 0:
        shape.multiples |= {multiple}
    shape.unique = shape.unique or schema.get("uniqueItems") is True


def _stated_types(schema: Mapping[str, Any], nullable: bool) -> frozenset[str]:
    stated = schema.get("type")
    if stated is None:
        return ALL_TYPES
    types = set(stated if isinstance(stated, list) else [stated])
    if "number" in types:
        types.add("integer")
    if nullable and schema.get("nullable") is True:
        types.add("null")
    return frozenset(types)


def types_of(value: Any) -> tuple[str, ...]:
    """The JSON Schema types a value is of."""
    kinds: dict[type, tuple[str, ...]] = {
        type(None): ("null",),
        bool: ("boolean",),
        int: ("integer", "number"),
        float: ("number",),
        str: ("string",),
        list: ("array",),
        dict: ("object",),
    }
    return kinds[type(value)]


def _texts(value: Any) -> frozenset[str]:
    return frozenset({value}) if isinstance(value, str) else frozenset()


def _add(schemas: list[Located], schema: Located) -> None:
    """Add a schema unless an equal one is there: what is intersected with itself stays the same, and recursion ends."""
    if all(known.value != schema.value for known in schemas):
        schemas.append(schema)
