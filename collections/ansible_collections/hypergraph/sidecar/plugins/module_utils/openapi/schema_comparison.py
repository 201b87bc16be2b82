# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks two schemas side by side and applies the rules of compatible change at every place they share."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .places import Located, Unresolvable, follow, join
from .schema_rules import REQUEST, SCHEMA_RULES, Finding, Pair
from .shapes import Shape, TooLarge, shapes

ALTERNATIVE_REMOVED = "request-alternative-removed"
ALTERNATIVE_ADDED = "response-alternative-added"

# Pairs of schemas that may be compared. The largest specification of this API has some hundreds.
_MAX_PAIRS = 50_000
_ANYTHING = Located(True, "")


class Change(NamedTuple):
    """A break: the rule it breaks, the JSON pointer to the place (in the released document, where it is there), and what happened."""

    rule: str
    pointer: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule} at {self.pointer}: {self.detail}"


class _Question(NamedTuple):
    """Two groups of schemas, each of which applies together, to be compared in one direction."""

    old: Sequence[Located]
    new: Sequence[Located]
    direction: str


# A step of the walk: it asks for the breaks of schemas further down, is sent them, and returns its own.
_Step = Generator[_Question, "list[Change]", "list[Change]"]


class SchemaComparison:
    """Compares schemas of a released document with those of a new one. Remembers pairs it has seen, so recursion ends."""

    def __init__(self, released: Mapping[str, Any], candidate: Mapping[str, Any]) -> None:
        self._released = released
        self._candidate = candidate
        self._known: dict[tuple[str, ...], list[Change]] = {}
        self.pairs = 0

    def changes(self, old: Located, new: Located, direction: str) -> list[Change]:
        """The breaks between two schemas; an absent one allows anything. Raises TooLarge.

        Steps are kept on a stack of their own: schemas that refer to one another make longer chains than Python's holds.
        """
        steps = [self._compared(_Question([old], [new], direction))]
        answer: list[Change] | None = None
        while steps:
            said = _advanced(steps[-1], answer)
            if isinstance(said, _Question):
                steps.append(self._compared(said))
                answer = None
            else:
                steps.pop()
                answer = said
        return answer or []

    def _compared(self, question: _Question) -> _Step:
        old, new = [_stated(schema) for schema in question.old], [_stated(schema) for schema in question.new]
        key = (question.direction, *(schema.pointer for schema in old), "and", *(schema.pointer for schema in new))
        if key not in self._known:
            # While it is being examined a pair counts as compatible: a break in it is found where it is examined.
            self._known[key] = []
            self.pairs += 1
            if self.pairs > _MAX_PAIRS:
                raise TooLarge(f"more than {_MAX_PAIRS} pairs of schemas to compare")
            where = _place(old, self._released) or _place(new, self._candidate)
            found = yield from _alternatives(shapes(self._released, old), shapes(self._candidate, new), question.direction, where)
            self._known[key] = found
        return self._known[key]


def _advanced(step: _Step, answer: list[Change] | None) -> _Question | list[Change]:
    """What the step says next: a question, or in the end the breaks it found. One that has not begun takes no answer."""
    try:
        return next(step) if answer is None else step.send(answer)
    except StopIteration as end:
        found: list[Change] = end.value
        return found


def _alternatives(old: list[Shape], new: list[Shape], direction: str, where: str) -> _Step:
    if len(old) == len(new) == 1:
        return (yield from _compared_shapes(Pair(old[0], new[0], direction), where))
    olds = [shape for one in old for shape in one.by_type()]
    news = [shape for one in new for shape in one.by_type()]
    occurring, allowed = (olds, news) if direction == REQUEST else (news, olds)
    found: list[Change] = []
    for shape in occurring:
        breaks: list[list[Change]] = []
        for other in allowed:
            changes = yield from _compared_shapes(_pair(shape, other, direction), where)
            breaks.append(changes)
        if all(breaks):
            partner = _partner(shape, allowed)
            found.extend(breaks[partner] if partner is not None else [_lost(shape, direction, where)])
    return found


def _compared_shapes(pair: Pair, where: str) -> _Step:
    found = [
        Change(rule.id_in(pair.direction), _place_of(finding, pair, where), finding.detail)
        for rule in SCHEMA_RULES
        if rule.id_in(pair.direction)
        for finding in rule.find(pair)
    ]
    for old, new in _children(pair):
        found.extend((yield _Question(old, new, pair.direction)))
    return list(dict.fromkeys(found))


def _place(schemas: Sequence[Located], document: Mapping[str, Any]) -> str:
    try:
        return follow(document, schemas[0]).pointer
    except Unresolvable:
        return schemas[0].pointer


def _stated(schema: Located) -> Located:
    return _ANYTHING if schema.value is None else schema


def _children(pair: Pair) -> Iterator[tuple[Sequence[Located], Sequence[Located]]]:
    """The schemas below that both have, and those that one has where the other allows anything."""
    if pair.shares("object"):
        for name in sorted(pair.visible(pair.old) & pair.visible(pair.new)):
            yield pair.old.properties[name], pair.new.properties[name]
        if (pair.old.additional or pair.new.additional) and not (pair.old.closed or pair.new.closed):
            yield pair.old.additional or [_ANYTHING], pair.new.additional or [_ANYTHING]
    if pair.shares("array") and (pair.old.items or pair.new.items):
        yield pair.old.items or [_ANYTHING], pair.new.items or [_ANYTHING]


def _place_of(finding: Finding, pair: Pair, where: str) -> str:
    if not finding.of_property:
        return where
    holders = (shape.properties.get(finding.of_property) for shape in (pair.old, pair.new))
    return next((schemas[0].pointer for schemas in holders if schemas), join(where, "properties", finding.of_property))


def _pair(occurring: Shape, allowed: Shape, direction: str) -> Pair:
    return Pair(occurring, allowed, direction) if direction == REQUEST else Pair(allowed, occurring, direction)


def _partner(shape: Shape, others: list[Shape]) -> int | None:
    """The one alternative that the shape was or became: of its type and name, or where a name is missing, the only one of its type."""
    same_type = [index for index, other in enumerate(others) if other.has(*shape.types)]
    same_name = [index for index in same_type if shape.label and others[index].label == shape.label]
    unnamed = [index for index in same_type if not (shape.label and others[index].label)]
    candidates = same_name or unnamed
    return candidates[0] if len(candidates) == 1 else None


def _lost(shape: Shape, direction: str, where: str) -> Change:
    what = shape.label or " or ".join(sorted(shape.types)) or "nothing"
    if direction == REQUEST:
        return Change(ALTERNATIVE_REMOVED, where, f"no alternative takes {what} any more")
    return Change(ALTERNATIVE_ADDED, where, f"{what} may occur, which no alternative allowed before")
