# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an expression uses its series: under which functions, over which windows, against which thresholds, in which unit.

Functions: https://prometheus.io/docs/prometheus/latest/querying/functions/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..promql import Aggregation, Binary, Call, Expression, Number, Selector, Subquery, children, is_scalar

# They know that a counter starts again at zero.
COUNTER_FUNCTIONS = ("rate", "irate", "increase", "resets")
# They mean increments only of a counter; of a gauge they take every fall for a restart.
RATES = ("rate", "irate", "increase")
# They need two samples in their window to answer at all.
_TWO_SAMPLES = frozenset({"rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear", "double_exponential_smoothing"})
# They ask whether series are there, not what they say.
_PRESENCE = frozenset({"absent", "absent_over_time", "present_over_time", "count_over_time", "timestamp"})
_COUNTING = frozenset({"count", "group"})
_KEEP_UNIT = frozenset(
    (
        "abs",
        "avg_over_time",
        "ceil",
        "clamp",
        "clamp_max",
        "clamp_min",
        "delta",
        "floor",
        "idelta",
        "label_join",
        "label_replace",
        "last_over_time",
        "max_over_time",
        "min_over_time",
        "quantile_over_time",
        "round",
        "sort",
        "sort_by_label",
        "sort_by_label_desc",
        "sort_desc",
        "stddev_over_time",
    )
)
_AGGREGATIONS_KEEP_UNIT = frozenset({"sum", "avg", "min", "max", "quantile", "topk", "bottomk", "stddev", "limitk"})
_COMPARISONS = frozenset({">", ">=", "<", "<=", "==", "!="})
_UNIT_SUFFIXES = ("seconds", "bytes", "ratio")


@dataclass(frozen=True)
class SeriesUse:
    """One selector with what encloses it, from the inside out, and whether its existence is all that is asked of it."""

    selector: Selector
    around: tuple[Expression, ...]
    presence: bool

    @property
    def function(self) -> str:
        """The function that its range, or a subquery of it alone, is handed to; empty where there is none."""
        outer = [node for node in self.around if not isinstance(node, Subquery)]
        return outer[0].function if outer and isinstance(outer[0], Call) else ""

    @property
    def rate_of_aggregate(self) -> str:
        """The function that takes rates of an aggregate, in which restarts of single counters cannot be seen; empty where none does."""
        aggregated = False
        for node in self.around:
            if isinstance(node, Call) and node.function in RATES and aggregated:
                return node.function
            aggregated = aggregated or (isinstance(node, Aggregation) and node.operator in ("sum", "avg"))
        return ""

    def needed_window(self, scrape_interval: float, scrapes: int) -> float:
        """The shortest window, in seconds, in which its function can be sure to see what it needs."""
        return scrape_interval * (scrapes if self.function in _TWO_SAMPLES else 1)


def series_uses(expression: Expression) -> Iterator[SeriesUse]:
    """All selectors of an expression, from left to right."""
    waiting: list[tuple[Expression, tuple[Expression, ...], bool]] = [(expression, (), False)]
    while waiting:
        node, around, presence = waiting.pop()
        if isinstance(node, Selector):
            yield SeriesUse(node, around, presence)
        asks = presence or (isinstance(node, Call) and node.function in _PRESENCE)
        asks = asks or (isinstance(node, Aggregation) and node.operator in _COUNTING)
        asks = asks and not (isinstance(node, Binary) and node.operator in _COMPARISONS)
        for part in reversed(children(node)):
            filters = isinstance(node, Binary) and node.operator in ("and", "unless") and part is node.right
            waiting.append((part, (node, *around), asks or filters))


@dataclass(frozen=True)
class Comparison:
    """``expression operator threshold``, in this direction."""

    expression: Expression
    operator: str
    threshold: float


def comparisons(expression: Expression) -> Iterator[Comparison]:
    """The comparisons with numbers that decide what an expression answers, at its top or joined there by and, or, unless."""
    if not isinstance(expression, Binary):
        return
    if expression.operator in ("and", "or", "unless"):
        yield from comparisons(expression.left)
        yield from comparisons(expression.right) if expression.operator != "unless" else ()
    elif expression.operator in _COMPARISONS:
        turned = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
        if isinstance(expression.right, Number):
            yield Comparison(expression.left, expression.operator, expression.right.value)
        elif isinstance(expression.left, Number):
            yield Comparison(expression.right, turned.get(expression.operator, expression.operator), expression.left.value)


def quantile_of(expression: Expression) -> str | None:
    """The histogram whose buckets an expression takes a quantile of and does nothing else with; None where it is no such one."""
    node = expression
    while isinstance(node, Aggregation) and node.operator in ("max", "min", "avg", "topk", "bottomk"):
        node = node.operand
    if not isinstance(node, Call) or node.function != "histogram_quantile":
        return None
    found = {use.selector.metric for use in series_uses(node.arguments[1])}
    return found.pop() if len(found) == 1 else None


def unit_of(node: Expression) -> str:
    """``seconds``, ``bytes`` or ``ratio`` where the names of the series tell it and nothing on the way changes it; else empty."""
    if isinstance(node, Selector):
        name = (node.metric or "").rpartition(":")[2]
        return next((unit for unit in _UNIT_SUFFIXES if name == unit or name.endswith(f"_{unit}")), "")
    if isinstance(node, Aggregation) and node.operator in _AGGREGATIONS_KEEP_UNIT:
        return unit_of(node.operand)
    if isinstance(node, Call) and node.function == "histogram_quantile":
        name = quantile_of(node) or ""
        return unit_of(Selector(name[: -len("_bucket")])) if name.endswith("_bucket") else ""
    if isinstance(node, Call) and node.function in _KEEP_UNIT:
        return unit_of(next(argument for argument in node.arguments if not is_scalar(argument)))
    if isinstance(node, Binary) and node.operator in (*_COMPARISONS, "and", "or", "unless"):
        return unit_of(node.left)
    if isinstance(node, Subquery):
        return unit_of(node.operand)
    return ""
