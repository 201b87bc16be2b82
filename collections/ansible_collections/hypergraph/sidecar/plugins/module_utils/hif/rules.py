# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hypergraph must hold beyond its schema, one rule each, with a reason code of its own.

The rules read whatever is well-typed in a document and pass over the rest, which the schema rejects: an identifier is a string or an
integer, a weight a number. They never raise, whatever JSON they are given, and take time and memory linear in its size.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple, Union

from .schema import LISTS

SHOWN = 5
# Above it a JSON number loses its last digits where it is read as an IEEE 754 double (RFC 8259 section 6), and ids run into each other.
MAX_SAFE_INTEGER = 2**53 - 1

Identifier = Union[str, int]


class Element(NamedTuple):
    """A node or an edge. ``position`` is its index in the document; ``kind`` is ``attrs.kind``, what the service calls it."""

    position: int
    id: Identifier
    weight: float | int | None
    kind: str | None


class Incidence(NamedTuple):
    """A node taking part in an edge. ``direction`` is None where it is absent, and empty where it is neither ``head`` nor ``tail``."""

    position: int
    edge: Identifier
    node: Identifier
    weight: float | int | None
    direction: str | None


@dataclass(frozen=True)
class Hypergraph:
    """The well-typed part of a document. ``lengths`` are the lengths of the lists it has, ill-typed items included."""

    network_type: str
    nodes: tuple[Element, ...]
    edges: tuple[Element, ...]
    incidences: tuple[Incidence, ...]
    lengths: dict[str, int]

    @classmethod
    def read(cls, document: Any) -> Hypergraph:
        """Read any JSON value."""
        members = document if isinstance(document, dict) else {}
        lists = {name: members[name] for name in LISTS if isinstance(members.get(name), list)}
        network_type = members.get("network-type")
        return cls(
            network_type if isinstance(network_type, str) else "",
            tuple(_elements(lists.get("nodes", []), "node")),
            tuple(_elements(lists.get("edges", []), "edge")),
            tuple(_incidences(lists.get("incidences", []))),
            {name: len(items) for name, items in lists.items()},
        )

    def kinds(self) -> Counter[str]:
        """How many nodes the service calls what."""
        return Counter(node.kind for node in self.nodes if node.kind is not None)


@dataclass(frozen=True)
class Rule:
    """A rule. ``offenders`` yields a line for each place that breaks it; ``applies`` says which documents it is about."""

    name: str
    reason_code: str
    expected: str
    action: str
    offenders: Callable[[Hypergraph], Iterator[str]]
    applies: Callable[[Hypergraph], bool] = lambda _graph: True


@dataclass(frozen=True)
class Finding:
    """A rule as it was examined: how many places break it, and the first few of them."""

    rule: Rule
    count: int
    shown: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing breaks the rule."""
        return self.count == 0

    def __str__(self) -> str:
        more = f" and {self.count - len(self.shown)} more" if self.count > len(self.shown) else ""
        return "; ".join(self.shown) + more if self.count else "none"


def findings(graph: Hypergraph) -> list[Finding]:
    """Examine every rule that is about the graph, root causes before their consequences."""
    return [_examined(rule, graph) for rule in RULES if rule.applies(graph)]


def _examined(rule: Rule, graph: Hypergraph) -> Finding:
    shown: list[str] = []
    count = 0
    for offender in rule.offenders(graph):
        count += 1
        if count <= SHOWN:
            shown.append(offender)
    return Finding(rule, count, tuple(shown))


def _identifier(value: Any) -> Identifier | None:
    """The value as an identifier; as in the schema a float without fraction is an integer, a boolean is not."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else None


def _weight(value: Any) -> float | int | None:
    return value if isinstance(value, (int, float)) else None


def _elements(items: Iterable[Any], key: str) -> Iterator[Element]:
    for position, item in enumerate(items):
        if isinstance(item, dict):
            identity = _identifier(item.get(key))
            attrs = item.get("attrs")
            kind = attrs.get("kind") if isinstance(attrs, dict) else None
            if identity is not None:
                yield Element(position, identity, _weight(item.get("weight")), kind if isinstance(kind, str) else None)


def _incidences(items: Iterable[Any]) -> Iterator[Incidence]:
    for position, item in enumerate(items):
        if isinstance(item, dict):
            edge, node = _identifier(item.get("edge")), _identifier(item.get("node"))
            if edge is not None and node is not None:
                yield Incidence(position, edge, node, _weight(item.get("weight")), _direction(item))


def _direction(item: dict[str, Any]) -> str | None:
    if "direction" not in item:
        return None
    return item["direction"] if item["direction"] in ("head", "tail") else ""


def _quoted(identity: Identifier) -> str:
    """The identifier as a short line of its own; ``repr`` also makes lone surrogates harmless."""
    if isinstance(identity, int) and identity.bit_length() > 128:
        return f"an integer of {identity.bit_length()} bits"
    text = repr(identity if isinstance(identity, int) else identity[:60])
    return text if isinstance(identity, int) or len(identity) <= 60 else f"{text}..."


def _missing_lists(graph: Hypergraph) -> Iterator[str]:
    return (f"{name} is empty" for name, length in graph.lengths.items() if length == 0)


def _duplicate_ids(graph: Hypergraph) -> Iterator[str]:
    for name, elements in (("nodes", graph.nodes), ("edges", graph.edges)):
        seen: dict[Identifier, int] = {}
        for element in elements:
            first = seen.setdefault(element.id, element.position)
            if first != element.position:
                yield f"{name}[{element.position}] has the id of {name}[{first}], {_quoted(element.id)}"


def _mixed_ids(graph: Hypergraph) -> Iterator[str]:
    """Identifiers of the rarer type, among declarations and references together."""
    incidences = graph.incidences
    uses = {
        "node": ([("nodes", n.position, n.id) for n in graph.nodes], [("incidences", i.position, i.node) for i in incidences]),
        "edge": ([("edges", e.position, e.id) for e in graph.edges], [("incidences", i.position, i.edge) for i in incidences]),
    }
    for key, (declared, referred) in uses.items():
        places = [*declared, *referred]
        integers = sum(isinstance(place[-1], int) for place in places)
        if 0 < integers < len(places):
            rare: type = int if integers * 2 <= len(places) else str
            other = "strings" if rare is int else "integers"
            for where, position, identity in places:
                if isinstance(identity, rare):
                    yield f"{where}[{position}].{key} is {_quoted(identity)} where most are {other}"


def _unusable_ids(graph: Hypergraph) -> Iterator[str]:
    for name, elements in (("nodes", graph.nodes), ("edges", graph.edges)):
        for element in elements:
            if element.id == "" or (isinstance(element.id, int) and abs(element.id) > MAX_SAFE_INTEGER):
                yield f"{name}[{element.position}] has the id {_quoted(element.id)}"


def _dangling(key: str, elements: Iterable[Element], incidences: Iterable[Incidence]) -> Iterator[str]:
    """References to what is not declared. One that differs in type alone is a matter of mixed identifiers."""
    declared = {element.id for element in elements}
    for incidence in incidences:
        identity: Identifier = getattr(incidence, key)
        if identity not in declared and _in_the_other_type(identity) not in declared:
            yield f"incidences[{incidence.position}] names {key} {_quoted(identity)}"


def _in_the_other_type(identity: Identifier) -> Identifier | None:
    """1 for ``"1"`` and the other way round; None for what is no usable integer."""
    if isinstance(identity, int):
        return str(identity) if abs(identity) <= MAX_SAFE_INTEGER else None
    digits = identity[1:] if identity.startswith("-") else identity
    return int(identity) if digits.isascii() and digits.isdecimal() and len(digits) <= len(str(MAX_SAFE_INTEGER)) else None


def _duplicate_incidences(graph: Hypergraph) -> Iterator[str]:
    seen: dict[tuple[Identifier, Identifier, str | None], int] = {}
    for incidence in graph.incidences:
        first = seen.setdefault((incidence.edge, incidence.node, incidence.direction), incidence.position)
        if first != incidence.position:
            yield f"incidences[{incidence.position}] repeats incidences[{first}]"


def _endless_weights(graph: Hypergraph) -> Iterator[str]:
    for name, items in (("nodes", graph.nodes), ("edges", graph.edges), ("incidences", graph.incidences)):
        for item in items:
            if item.weight is not None and not _finite(item.weight):
                yield f"{name}[{item.position}].weight is beyond what a double holds"


def _finite(weight: float | int) -> bool:
    try:
        return math.isfinite(weight)
    except OverflowError:
        return False


def _undirected_incidences(graph: Hypergraph) -> Iterator[str]:
    return (f"incidences[{i.position}] has no direction" for i in graph.incidences if i.direction is None)


def _one_sided_edges(graph: Hypergraph) -> Iterator[str]:
    """Declared edges with members that all have a direction, but the same one."""
    sides: dict[Identifier, set[str | None]] = {edge.id: set() for edge in graph.edges}
    for incidence in graph.incidences:
        sides.get(incidence.edge, set()).add(incidence.direction)
    for edge in graph.edges:
        found = sides[edge.id]
        if found in ({"head"}, {"tail"}):
            yield f"edges[{edge.position}] {_quoted(edge.id)} has no {'tail' if 'head' in found else 'head'}"


def _directed_incidences(graph: Hypergraph) -> Iterator[str]:
    return (f"incidences[{i.position}] has direction {i.direction}" for i in graph.incidences if i.direction)


def _is_directed(graph: Hypergraph) -> bool:
    return graph.network_type == "directed"


def _is_not_directed(graph: Hypergraph) -> bool:
    return graph.network_type in ("undirected", "asc")


RULES = (
    Rule(
        "the graph is not empty",
        "hif-empty",
        "nodes, edges and incidences",
        "Find out why the explanation found nothing; a trace without one should end as failed.",
        _missing_lists,
        lambda graph: bool(graph.lengths),
    ),
    Rule(
        "ids are declared once",
        "hif-duplicate-id",
        "no repeated id",
        "Give every node and every edge an id of its own.",
        _duplicate_ids,
    ),
    Rule(
        "ids are of one type",
        "hif-mixed-id-types",
        "all strings or all integers",
        "Write ids as one JSON type; readers take 1 and '1' for two nodes.",
        _mixed_ids,
    ),
    Rule(
        "ids survive every reader",
        "hif-id-unusable",
        f"no empty id, no integer beyond ±{MAX_SAFE_INTEGER}",
        "Write large or missing ids as strings.",
        _unusable_ids,
    ),
    Rule(
        "every incidence names a declared node",
        "hif-dangling-node",
        "no dangling reference",
        "Declare the node, or leave the incidence out.",
        lambda graph: _dangling("node", graph.nodes, graph.incidences),
        lambda graph: "nodes" in graph.lengths,
    ),
    Rule(
        "every incidence names a declared edge",
        "hif-dangling-edge",
        "no dangling reference",
        "Declare the edge, or leave the incidence out.",
        lambda graph: _dangling("edge", graph.edges, graph.incidences),
        lambda graph: "edges" in graph.lengths,
    ),
    Rule(
        "no incidence is repeated",
        "hif-duplicate-incidence",
        "one incidence for each edge, node and direction",
        "Merge repeated incidences, adding up their weights.",
        _duplicate_incidences,
    ),
    Rule(
        "weights are finite",
        "hif-weight-not-finite",
        "numbers that a double holds",
        "Look for a division by zero or an overflow in the attribution.",
        _endless_weights,
    ),
    Rule(
        "a directed graph has a direction on every incidence and both ends on every edge",
        "hif-direction-missing",
        "head or tail on each incidence, at least one of either on each edge",
        "Write the direction of every incidence, or declare the graph undirected.",
        lambda graph: chain(_undirected_incidences(graph), _one_sided_edges(graph)),
        _is_directed,
    ),
    Rule(
        "an undirected graph has no directions",
        "hif-direction-unexpected",
        "no direction",
        "Declare the graph directed, or leave the directions out.",
        _directed_incidences,
        _is_not_directed,
    ),
)
