# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding by label what a selector selects, without looking at everything for each selector."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from typing import Any, Generic, TypeVar

from .objects import mapping
from .workloads import matches

_Item = TypeVar("_Item")


class Labelled(Generic[_Item]):
    """Things with labels in namespaces, given as namespace, labels and thing; found in the order in which they were given."""

    def __init__(self, things: Iterable[tuple[str, Mapping[str, Any], _Item]]) -> None:
        self._there: dict[str, list[tuple[Mapping[str, Any], _Item]]] = defaultdict(list)
        self._with: dict[tuple[str, str, str], list[tuple[Mapping[str, Any], _Item]]] = defaultdict(list)
        for namespace, labels, thing in things:
            self._there[namespace].append((labels, thing))
            for key, value in labels.items():
                if isinstance(value, str):
                    self._with[namespace, key, value].append((labels, thing))

    @property
    def namespaces(self) -> Set[str]:
        """Where there are any."""
        return self._there.keys()

    def selected(self, selector: Any, namespace: str) -> list[_Item]:
        """What a label selector (matchLabels and matchExpressions) selects in a namespace."""
        wanted = [(key, value) for key, value in mapping(mapping(selector).get("matchLabels")).items() if isinstance(value, str)]
        # The rarest of the labels leaves the fewest to look at: a label that all of a release have would leave all.
        with_label = (self._with.get((namespace, key, value), []) for key, value in wanted)
        candidates = min(with_label, key=len, default=self._there.get(namespace, []))
        return [thing for labels, thing in candidates if matches(selector, labels)]
