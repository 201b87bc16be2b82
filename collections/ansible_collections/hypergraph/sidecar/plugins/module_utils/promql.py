# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PromQL as a tree that rules can walk. Parsed by the library promql-parser; signs and parentheses are left out of the tree.

Language: https://prometheus.io/docs/prometheus/latest/querying/basics/ and the pages on operators and functions beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    import promql_parser

METRIC_NAME = "__name__"
SET_OPERATORS = ("and", "or", "unless")
# These keep elements of their operand as they are; all others make one element of each group.
SELECTING = ("topk", "bottomk", "limitk", "limit_ratio")

# Functions whose answer is one element by themselves, with those labels only that equality matchers of their argument bring.
_SINGLE = frozenset({"vector", "absent", "absent_over_time"})
_LABELLING = frozenset({"label_replace", "label_join", "info"})
_NO_LABELS: frozenset[str] = frozenset()

# The parser recurses without a bound of its own and takes the process with it; no query written by a person comes near these.
MAX_LENGTH = 20_000
MAX_OPERATORS = 250
_LOCATED_LENGTH = 2_000


class InvalidQuery(ValueError):
    """The text is no PromQL. ``position`` counts characters from 1, up to the one at which no continuation could mend it any more."""

    def __init__(self, query: str, problem: str, position: int | None = None) -> None:
        self.query = query
        self.problem = problem
        self.position = position
        at = f" at character {position}" if position else ""
        super().__init__(f"{problem}{at} of {query if len(query) <= 200 else query[:200] + '…'!r}")


@dataclass(frozen=True)
class Matcher:
    """``label operator value``; the operator is ``=``, ``!=``, ``=~`` or ``!~``."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True)
class Selector:
    """Series of a metric. ``window`` is the range in seconds of a range selector, None for an instant one.

    ``metric`` is None where the name is not one fixed name. ``matchers`` do not repeat it, and hold those of every alternative.
    """

    metric: str | None
    matchers: tuple[Matcher, ...] = ()
    window: float | None = None


@dataclass(frozen=True)
class Aggregation:
    """``operator by (labels) (parameter, operand)``; ``grouping`` is ``by``, ``without`` or empty."""

    operator: str
    operand: Expression
    parameter: Expression | None = None
    grouping: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Call:
    """A function with its arguments; ``returns`` is ``vector``, ``scalar``, ``matrix`` or ``string``."""

    function: str
    arguments: tuple[Expression, ...]
    returns: str


@dataclass(frozen=True)
class Binary:
    """``left operator right``. ``matching`` is ``on``, ``ignoring`` or empty, with its ``labels``.

    ``many`` is the side with many elements to one of the other, ``left`` or ``right``, which ``group_left`` and ``group_right`` declare;
    ``included`` are the labels that it takes over. Empty where elements match one to one.
    """

    operator: str
    left: Expression
    right: Expression
    matching: str = ""
    labels: tuple[str, ...] = ()
    many: str = ""
    included: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subquery:
    """``operand[window:step]`` in seconds; a step of None is the default evaluation interval."""

    operand: Expression
    window: float
    step: float | None = None


@dataclass(frozen=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True)
class Text:
    """A string."""

    value: str


Expression = Union[Selector, Aggregation, Call, Binary, Subquery, Number, Text]


def parse(query: str) -> Expression:
    """The tree of a query. Raises InvalidQuery, and ModuleNotFoundError where the library is missing."""
    import promql_parser

    if len(query) > MAX_LENGTH:
        raise InvalidQuery(query, f"a query of {len(query)} characters, the check reads at most {MAX_LENGTH}")
    if _operators(query) > MAX_OPERATORS:
        raise InvalidQuery(query, f"a query of more than {MAX_OPERATORS} operators and parentheses, which the check does not read")
    try:
        return _tree(promql_parser.parse(query))
    except ValueError as problem:
        said = " ".join(str(problem).split())
        raise InvalidQuery(query, said, _position(query, str(problem))) from None


def _operators(query: str) -> int:
    """How deep the tree of a query may at most be: its operators and opening parentheses outside strings, matchers and comments."""
    count, quote, braces, skip, word = 0, "", 0, False, ""
    for character in query + " ":
        if quote:
            ended = character == quote and not skip
            skip = character == "\\" and not skip and quote in "\"'"
            quote = "" if ended else quote
            continue
        if character.isalnum() or character == "_":
            word += character
            continue
        count += word.lower() in SET_OPERATORS
        word = ""
        if character in "\"'`#":
            quote = "\n" if character == "#" else character
        elif character in "{}":
            braces = max(0, braces + (1 if character == "{" else -1))
        elif character in "(+-*/%^<>=!" and not braces:
            count += 1
    return count


def _position(query: str, problem: str) -> int | None:
    """The shortest beginning of the query from which on the parser says nothing else about it; None where looking takes too long."""
    import promql_parser

    if len(query) > _LOCATED_LENGTH:
        return None
    for end in range(len(query) - 1, 0, -1):
        try:
            promql_parser.parse(query[:end])
        except ValueError as other:
            if str(other) == problem:
                continue
        return end + 1
    return 1


def _tree(node: promql_parser.Expr) -> Expression:
    import promql_parser as ast

    if isinstance(node, (ast.ParenExpr, ast.UnaryExpr)):
        return _tree(node.expr)
    if isinstance(node, ast.VectorSelector):
        return _selector(node, None)
    if isinstance(node, ast.MatrixSelector):
        return _selector(node.vector_selector, node.range.total_seconds())
    if isinstance(node, ast.AggregateExpr):
        modifier = node.modifier
        grouping = "" if modifier is None else "by" if modifier.type == ast.AggModifierType.By else "without"
        labels = tuple(modifier.labels) if modifier else ()
        return Aggregation(str(node.op), _tree(node.expr), None if node.param is None else _tree(node.param), grouping, labels)
    if isinstance(node, ast.Call):
        returns = _name(node.func.return_type).lower()
        return Call(node.func.name, tuple(map(_tree, node.args)), returns)
    if isinstance(node, ast.BinaryExpr):
        return _binary(node)
    if isinstance(node, ast.SubqueryExpr):
        step = node.step.total_seconds() if node.step else None
        return Subquery(_tree(node.expr), node.range.total_seconds() if node.range else 0.0, step)
    if isinstance(node, ast.NumberLiteral):
        return Number(node.val)
    if isinstance(node, ast.StringLiteral):
        return Text(node.val)
    raise ValueError(f"{type(node).__name__} is a part of the language that the check does not know")


def _selector(node: promql_parser.VectorSelector, window: float | None) -> Selector:
    found = [*node.matchers.matchers, *(matcher for either in node.matchers.or_matchers for matcher in either)]
    signs = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
    matchers = [Matcher(m.name, signs[_name(m.op)], m.value) for m in found]
    # Alternatives ({a="1" or b="2"}) may name different metrics, so a name among them is none that holds for all.
    fixed = [] if node.matchers.or_matchers else [m.value for m in matchers if (m.label, m.operator) == (METRIC_NAME, "=")]
    name = node.name or (fixed[0] if len(fixed) == 1 else None)
    return Selector(name, tuple(m for m in matchers if (m.label, m.operator, m.value) != (METRIC_NAME, "=", name)), window)


def _name(member: object) -> str:
    """The name of an enumeration's member, which the library makes neither hashable nor a Python Enum."""
    return str(member).rpartition(".")[2]


def _binary(node: promql_parser.BinaryExpr) -> Binary:
    import promql_parser as ast

    matching, many = "", ""
    labels: tuple[str, ...] = ()
    included: tuple[str, ...] = ()
    modifier = node.modifier
    if modifier is not None:
        many = {"ManyToOne": "left", "OneToMany": "right"}.get(_name(modifier.card), "")
        included = tuple(modifier.group_labels or ())
        if modifier.matching is not None:
            matching = "on" if modifier.matching.type == ast.LabelModifierType.Include else "ignoring"
            labels = tuple(modifier.matching.labels)
    return Binary(str(node.op), _tree(node.lhs), _tree(node.rhs), matching, labels, many, included)


def children(node: Expression) -> tuple[Expression, ...]:
    """The parts of an expression."""
    if isinstance(node, Aggregation):
        return (node.operand,) if node.parameter is None else (node.parameter, node.operand)
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Binary):
        return node.left, node.right
    return (node.operand,) if isinstance(node, Subquery) else ()


def nodes(expression: Expression) -> Iterator[Expression]:
    """The expression and all parts of it, from the outside in and from left to right."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def selectors(expression: Expression) -> Iterator[Selector]:
    """All its selectors, from left to right."""
    return (node for node in nodes(expression) if isinstance(node, Selector))


def is_scalar(node: Expression) -> bool:
    """Whether it is a number without labels; Prometheus answers it with another type of result than a vector of one element."""
    if isinstance(node, Binary):
        return is_scalar(node.left) and is_scalar(node.right)
    return isinstance(node, Number) or (isinstance(node, Call) and node.returns == "scalar")


def returns_at_most_one_element(expression: Expression) -> bool:
    """Whether the answer has one element at most, whatever series there are. A scalar counts as one; ``is_scalar`` tells it apart.

    KEDA's prometheus scaler refuses more ("returned multiple elements"), and cannot read a scalar: kedacore/keda,
    pkg/scalers/prometheus_scaler.go, ExecutePromQuery. A query that merely happens to have one series today is none of these.
    """
    return _single(expression, _NO_LABELS)


def _single(node: Expression, dropped: frozenset[str]) -> bool:
    """Whether one element at most is left of it once these labels are dropped from all its elements."""
    if is_scalar(node):
        return True
    if isinstance(node, Aggregation):
        return _single_group(node, dropped) or _single(node.operand, dropped)
    if isinstance(node, Call):
        argument = _vector_argument(node)
        if node.function in _SINGLE or argument is None:
            return True
        return _single(argument, dropped | {"le"} if node.function == "histogram_quantile" else dropped)
    if isinstance(node, Binary):
        return _single_match(node, dropped)
    # One element at a time may be another one each time, unless it has no labels.
    return isinstance(node, Subquery) and _bare(node.operand)


def _single_group(node: Aggregation, dropped: frozenset[str]) -> bool:
    if node.grouping == "without" or node.operator == "count_values":
        return False
    if node.operator in SELECTING and not (
        isinstance(node.parameter, Number) and node.parameter.value == 1 and node.operator != "limit_ratio"
    ):
        return False
    return set(node.labels) <= dropped | _fixed(node.operand)


def _single_match(node: Binary, dropped: frozenset[str]) -> bool:
    left, right = _single(node.left, dropped), _single(node.right, dropped)
    if node.operator == "or":
        # An element of the right side is left out where its labels are on the left side already; certain only where there are none.
        same = (node.matching == "on" and not node.labels) or (_bare(node.left) and _bare(node.right))
        return left and right and same
    if node.operator in SET_OPERATORS or is_scalar(node.right):
        return left
    if is_scalar(node.left):
        return right
    return {"left": left, "right": right, "": left or right}[node.many]


def _fixed(node: Expression) -> set[str]:
    """Labels that have one value in all elements, since an equality matcher says so."""
    if isinstance(node, Selector):
        return {matcher.label for matcher in node.matchers if matcher.operator == "="}
    if isinstance(node, Aggregation) and node.operator not in SELECTING:
        inner = _fixed(node.operand)
        return inner - set(node.labels) if node.grouping == "without" else inner & set(node.labels)
    if isinstance(node, Aggregation):
        return _fixed(node.operand)
    if isinstance(node, Call) and node.function not in _LABELLING:
        argument = _vector_argument(node)
        return _fixed(argument) if argument is not None else set()
    return set()


def _bare(node: Expression) -> bool:
    """Whether its elements have no labels at all."""
    if isinstance(node, Aggregation):
        return not node.labels and node.grouping != "without" and node.operator not in (*SELECTING, "count_values")
    if isinstance(node, Call):
        if node.function == "histogram_quantile":
            operand = node.arguments[1]
            return isinstance(operand, Aggregation) and operand.grouping == "by" and set(operand.labels) <= {"le"}
        argument = _vector_argument(node)
        if node.function in _SINGLE or argument is None:
            return argument is None or not _fixed(argument)
        return node.function not in _LABELLING and _bare(argument)
    if isinstance(node, Binary):
        return all(is_scalar(side) or _bare(side) for side in (node.left, node.right))
    return isinstance(node, Subquery) and _bare(node.operand)


def _vector_argument(node: Call) -> Expression | None:
    """The argument a function works on, where it has one that is no scalar or string."""
    found = [argument for argument in node.arguments if not is_scalar(argument) and not isinstance(argument, Text)]
    return found[0] if found else None
