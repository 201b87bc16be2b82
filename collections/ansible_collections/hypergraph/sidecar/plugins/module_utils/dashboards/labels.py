# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which labels the elements of an expression have, and which of those it names do not exist there.

What is not known is None and taken for granted from there on: series of others, names that are patterns, families without series yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Optional

from ..promql import (
    METRIC_NAME,
    SELECTING,
    SET_OPERATORS,
    Aggregation,
    Binary,
    Call,
    Expression,
    Selector,
    Subquery,
    Text,
    is_scalar,
    selectors,
)

Labels = Optional[frozenset[str]]
NONE: frozenset[str] = frozenset()
QUANTILE = "histogram_quantile"
# Functions of which every element is made anew, with the labels of equality matchers if any.
_ABSENT = ("absent", "absent_over_time")


@dataclass(frozen=True)
class Use:
    """A label that an expression names: where (``matcher``, ``by``, ``on``, ``quantile`` …), of which metrics, and whether they have it.

    ``known`` are the labels there are; None where that is not known, and then ``ok`` says nothing.
    """

    label: str
    role: str
    metrics: tuple[str, ...]
    known: Labels

    @property
    def ok(self) -> bool:
        """Whether the label exists, as far as is known."""
        return self.known is None or self.label in self.known


class LabelUses:
    """Walks an expression. ``uses`` fills with every label that is named on the way."""

    def __init__(self, series_labels: Callable[[str], Labels]) -> None:
        self._series_labels = series_labels
        self.uses: list[Use] = []

    def labels(self, node: Expression) -> Labels:
        """The labels its elements have; empty for scalars."""
        if isinstance(node, Selector):
            return self._selector(node)
        if isinstance(node, Aggregation):
            return self._aggregation(node)
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, Binary):
            return self._binary(node)
        return self.labels(node.operand) if isinstance(node, Subquery) else NONE

    def _selector(self, node: Selector) -> Labels:
        known = self._series_labels(node.metric) if node.metric is not None else None
        # label="" asks for series without the label on purpose.
        named = [m.label for m in node.matchers if m.label != METRIC_NAME and (m.operator, m.value) != ("=", "")]
        self._note("matcher", named, node, known)
        return known

    def _aggregation(self, node: Aggregation) -> Labels:
        if node.parameter is not None:
            self.labels(node.parameter)
        inner = self.labels(node.operand)
        if node.grouping == "by":
            self._note("by", node.labels, node.operand, inner)
        if node.operator in SELECTING or (inner is None and node.grouping == "without"):
            return inner
        outer = frozenset(node.labels) if node.grouping == "by" else (inner or NONE) - set(node.labels) if node.grouping else NONE
        if node.operator == "count_values" and isinstance(node.parameter, Text):
            return outer | {node.parameter.value}
        return outer

    def _call(self, node: Call) -> Labels:
        inner = [self.labels(argument) for argument in node.arguments]
        texts = [argument.value for argument in node.arguments if isinstance(argument, Text)]
        vectors = [labels for argument, labels in zip(node.arguments, inner) if not isinstance(argument, Text) and not is_scalar(argument)]
        if is_scalar(node) or not vectors:
            return NONE
        operand = vectors[0]
        if node.function == QUANTILE:
            self._note("quantile", ["le"], node.arguments[1], operand)
            return None if operand is None else operand - {"le"}
        if node.function in _ABSENT:
            return frozenset(m.label for one in selectors(node) for m in one.matchers if m.operator == "=")
        if node.function == "info" or operand is None:
            return None
        if node.function == "label_replace" and len(texts) == 4:
            self._note("label_replace", [texts[2]] if texts[2] else [], node.arguments[0], operand)
            return operand | {texts[0]}
        if node.function == "label_join" and texts:
            self._note("label_join", texts[2:], node.arguments[0], operand)
            return operand | {texts[0]}
        return operand

    def _binary(self, node: Binary) -> Labels:
        left, right = self.labels(node.left), self.labels(node.right)
        if is_scalar(node.left) or is_scalar(node.right):
            return right if is_scalar(node.left) else left
        if node.matching == "on":
            self._note("on", node.labels, node.left, left)
            self._note("on", node.labels, node.right, right)
        if node.operator == "or":
            return None if left is None or right is None else left | right
        if node.operator in SET_OPERATORS:
            return left
        if node.many:
            many, one, side = (left, right, node.right) if node.many == "left" else (right, left, node.left)
            self._note(f"group_{node.many}", node.included, side, one)
            return None if many is None else many | set(node.included)
        if node.matching == "on":
            return frozenset(node.labels)
        return left if left is None or node.matching == "" else left - set(node.labels)

    def _note(self, role: str, labels: Iterable[str], operand: Expression, known: Labels) -> None:
        metrics = tuple(dict.fromkeys(one.metric for one in selectors(operand) if one.metric))
        self.uses += [Use(label, role, metrics, known) for label in labels]
