# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of compatible change for schemas. Each has an id in requests, in responses, or in both.

They follow from one principle, that of safe substitution: every value that may occur must be one the other side is prepared for. In a
request what the released contract let clients send must still be allowed; in a response what the new contract lets the service send must
have been allowed before. So most rules are one comparison read in two directions. Two departures, for people rather than sets: a property
taken away is a break even where it was optional, since its absence is what a consumer notices; a property added to a response never is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from .shapes import Shape, types_of

# What each group of bounds measures: the end of its keywords' names, the Python types of the values, and the measure.
_MEASURES: tuple[tuple[str, tuple[type, ...], Callable[[Any], float]], ...] = (
    ("", (int, float), lambda number: number),
    ("Length", (str,), len),
    ("Items", (list,), len),
    ("Properties", (dict,), len),
)
_JSON_TYPES: dict[tuple[type, ...], tuple[str, ...]] = {
    (int, float): ("number", "integer"),
    (str,): ("string",),
    (list,): ("array",),
    (dict,): ("object",),
}

REQUEST = "request"
RESPONSE = "response"

# Formats whose values are all of another, wider format too (OpenAPI format registry).
_WITHIN = {("int32", "int64"), ("float", "double")}


class Pair(NamedTuple):
    """A schema before and after, in one direction."""

    old: Shape
    new: Shape
    direction: str

    @property
    def occurring(self) -> Shape:
        """What may be sent: by a client that knows the release, or by the new service."""
        return self.old if self.direction == REQUEST else self.new

    @property
    def allowed(self) -> Shape:
        """What the receiver is prepared for: the new service, or a client that knows the release."""
        return self.new if self.direction == REQUEST else self.old

    def shares(self, *types: str) -> bool:
        """Whether both may be of one of the types, so that keywords of these types matter."""
        return not (self.old.types & self.new.types).isdisjoint(types)

    def visible(self, shape: Shape) -> frozenset[str]:
        """The properties that travel in this direction."""
        return frozenset(shape.properties) - (shape.read_only if self.direction == REQUEST else shape.write_only)

    def required(self, shape: Shape) -> frozenset[str]:
        """The required properties among those that travel in this direction."""
        return shape.required - (shape.read_only if self.direction == REQUEST else shape.write_only)


class Finding(NamedTuple):
    """What a rule found: about the schema itself, or about the named property of it."""

    detail: str
    of_property: str = ""


class SchemaRule(NamedTuple):
    """A rule with its id in each direction, empty where it does not apply."""

    request: str
    response: str
    find: Callable[[Pair], Iterator[Finding]]

    def id_in(self, direction: str) -> str:
        """The rule's id in the direction."""
        return self.request if direction == REQUEST else self.response


SCHEMA_RULES: list[SchemaRule] = []


def _rule(*, request: str = "", response: str = "") -> Callable[[Callable[[Pair], Iterator[Finding]]], Callable[[Pair], Iterator[Finding]]]:
    def register(find: Callable[[Pair], Iterator[Finding]]) -> Callable[[Pair], Iterator[Finding]]:
        SCHEMA_RULES.append(SchemaRule(request, response, find))
        return find

    return register


@_rule(request="request-type-narrowed", response="response-type-widened")
def _types(pair: Pair) -> Iterator[Finding]:
    if not pair.occurring.types <= pair.allowed.types:
        yield Finding(f"type was {_named(pair.old)}, is {_named(pair.new)}")


@_rule(request="request-enum-narrowed", response="response-enum-widened")
def _enum(pair: Pair) -> Iterator[Finding]:
    allowed, occurring = pair.allowed.values, pair.occurring.values
    if allowed is None or not pair.shares(*pair.allowed.types):
        return
    if occurring is None:
        yield Finding(f"any value may occur where only {_listed(allowed)} may")
        return
    extra = frozenset(value for value in occurring - allowed if pair.allowed.has(*types_of(json.loads(value))))
    if extra:
        yield Finding(f"{_listed(extra)} {'no longer allowed' if pair.direction == REQUEST else 'added to the values that may occur'}")


@_rule(request="request-format-narrowed", response="response-format-widened")
def _format(pair: Pair) -> Iterator[Finding]:
    if pair.occurring.values is not None or not pair.shares("string", "number", "integer"):
        return
    for wide in sorted(pair.allowed.formats - pair.occurring.formats):
        if not any((narrow, wide) in _WITHIN for narrow in pair.occurring.formats):
            yield Finding(f"format was {_any_of(pair.old.formats)}, is {_any_of(pair.new.formats)}")
            return


@_rule(request="request-pattern-narrowed", response="response-pattern-widened")
def _pattern(pair: Pair) -> Iterator[Finding]:
    if not pair.shares("string"):
        return
    for pattern in sorted(pair.allowed.patterns - pair.occurring.patterns):
        words = _occurring(pair, str)
        if words is None or not all(_matches(pattern, word) for word in words):
            yield Finding(f"pattern was {_any_of(pair.old.patterns)}, is {_any_of(pair.new.patterns)}")
            return


@_rule(request="request-bounds-narrowed", response="response-bounds-widened")
def _bounds(pair: Pair) -> Iterator[Finding]:
    for name, measured, measure in _MEASURES:
        for side in ("min", "max"):
            values = _occurring(pair, *measured)
            limit = _limit(pair.occurring, side, name)
            if values is not None:
                limit = max(limit, _limit_of(map(measure, values), side))
            if pair.shares(*_JSON_TYPES[measured]) and _limit(pair.allowed, side, name) > limit:
                yield Finding(f"{side}{name or 'imum'} was {_stated(pair.old, side, name)}, is {_stated(pair.new, side, name)}")


@_rule(request="request-multiple-narrowed", response="response-multiple-widened")
def _multiple(pair: Pair) -> Iterator[Finding]:
    if not pair.shares("number", "integer"):
        return
    numbers = _occurring(pair, int, float)
    whole = set() if pair.occurring.has("number") else {1}
    for multiple in sorted(pair.allowed.multiples):
        divides = any(_is_multiple(one, multiple) for one in {*pair.occurring.multiples, *whole})
        if not divides and (numbers is None or not all(_is_multiple(one, multiple) for one in numbers)):
            was, now = (sorted(shape.multiples) or "any" for shape in (pair.old, pair.new))
            yield Finding(f"multipleOf was {was}, is {now}")
            return


@_rule(request="request-items-made-unique", response="response-items-not-unique")
def _unique(pair: Pair) -> Iterator[Finding]:
    if pair.shares("array") and pair.allowed.unique and not pair.occurring.unique:
        yield Finding("uniqueItems was added" if pair.direction == REQUEST else "uniqueItems was dropped")


@_rule(request="request-constraint-added", response="response-constraint-dropped")
def _constraint(pair: Pair) -> Iterator[Finding]:
    """Keywords whose meaning is not modelled: a constraint that is new or different may exclude what occurs."""
    for keyword in sorted(pair.allowed.opaque):
        if not pair.allowed.opaque[keyword] <= pair.occurring.opaque.get(keyword, frozenset()):
            yield Finding(f"{keyword} is not what it was")


@_rule(request="request-property-removed", response="response-property-removed")
def _property_removed(pair: Pair) -> Iterator[Finding]:
    if pair.shares("object"):
        for name in sorted(pair.visible(pair.old) - pair.visible(pair.new)):
            yield Finding(f"property {name!r} was taken away", name)


@_rule(request="request-property-required")
def _property_required(pair: Pair) -> Iterator[Finding]:
    if pair.shares("object"):
        for name in sorted(pair.required(pair.new) - pair.required(pair.old)):
            yield Finding(f"property {name!r} became required", name)


@_rule(response="response-property-optional")
def _property_optional(pair: Pair) -> Iterator[Finding]:
    if pair.shares("object"):
        removed = pair.visible(pair.old) - pair.visible(pair.new)
        for name in sorted(pair.required(pair.old) - pair.required(pair.new) - removed):
            yield Finding(f"property {name!r} was always present, now it may be absent", name)


@_rule(request="request-properties-closed")
def _closed(pair: Pair) -> Iterator[Finding]:
    if pair.shares("object") and pair.new.closed and not pair.old.closed:
        yield Finding("properties that are not documented are refused now (additionalProperties: false)")


@_rule(request="request-default-changed")
def _default(pair: Pair) -> Iterator[Finding]:
    if pair.old.defaults and pair.new.defaults and pair.old.defaults != pair.new.defaults:
        yield Finding(
            f"default was {_listed(pair.old.defaults)}, is {_listed(pair.new.defaults)}: a request that leaves it out means another thing"
        )


def _occurring(pair: Pair, *kinds: type) -> list[Any] | None:
    """The values of the Python types that may occur, where they are listed; None where they are not."""
    if pair.occurring.values is None:
        return None
    return [value for value in map(json.loads, sorted(pair.occurring.values)) if type(value) in kinds]


def _matches(pattern: str, word: str) -> bool:
    try:
        return re.search(pattern, word) is not None
    except re.error:
        return False


def _is_multiple(number: float, of: float) -> bool:
    return Decimal(str(number)) % Decimal(str(of)) == 0


def _limit_of(measures: Iterable[float], side: str) -> tuple[float, bool]:
    """The tightest limit that all the measures keep, as _limit tells it; no limit is too tight for none."""
    sign = 1 if side == "min" else -1
    return min(((sign * measure, False) for measure in measures), default=(float("inf"), False))


def _limit(shape: Shape, side: str, name: str) -> tuple[float, bool]:
    """How tight a shape is on one side: the bound, mirrored for maxima so that a larger one is tighter, and whether it excludes itself."""
    sign = 1 if side == "min" else -1
    if name:
        nothing = 0.0 if side == "min" else float("-inf")
        return sign * shape.bounds.get(side + name, sign * nothing), False
    stated = [(float("-inf"), False)]
    if side + "imum" in shape.bounds:
        stated.append((sign * shape.bounds[side + "imum"], False))
    exclusive = "exclusive" + side.capitalize() + "imum"
    if exclusive in shape.bounds:
        value = sign * shape.bounds[exclusive]
        # Of whole numbers, more than 0 is the same as 1 and more.
        whole = not shape.has("number") and float(value).is_integer()
        stated.append((value + 1, False) if whole else (value, True))
    return max(stated)


def _stated(shape: Shape, side: str, name: str) -> str:
    keywords = [side + name] if name else [side + "imum", "exclusive" + side.capitalize() + "imum"]
    found = [
        f"{shape.bounds[keyword]:g}{' (exclusive)' if keyword.startswith('ex') else ''}" for keyword in keywords if keyword in shape.bounds
    ]
    return " and ".join(found) or "open"


def _named(shape: Shape) -> str:
    kinds = sorted(kind for kind in shape.types if kind != "integer" or "number" not in shape.types)
    return (" or ".join(kinds) or "nothing") if len(kinds) < 6 else "any"


def _any_of(texts: frozenset[str]) -> str:
    return " and ".join(sorted(texts)) or "any"


def _listed(values: frozenset[str]) -> str:
    shown = sorted(values)[:8]
    return ", ".join(shown) + (f" and {len(values) - 8} more" if len(values) > 8 else "")
