# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything one deployment consists of, as the rules see it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..faults import CheckError
from .objects import Object

Version = tuple[int, ...]


@dataclass(frozen=True)
class Versions:
    """Of what it is deployed to; compared as tuples, ``(2, 18)``."""

    kubernetes: Version
    keda: Version
    karpenter: Version
    argocd: Version

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Versions:
        """From a module's arguments. Raises CheckError for one that is no version."""
        names = ("kube_version", "keda_version", "karpenter_version", "argocd_version")
        return cls(*(_version(name, params[name]) for name in names))


@dataclass(frozen=True)
class Bundle:
    """Objects of the rendered chart (``rendered``), of the Argo CD files (``argocd``) and of the Karpenter files (``karpenter``).

    ``values`` are the chart's values as Helm merged them; ``namespace`` is where what names none is released to.
    """

    rendered: tuple[Object, ...] = ()
    argocd: tuple[Object, ...] = ()
    karpenter: tuple[Object, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    namespace: str = "default"
    production: bool = False
    versions: Versions = field(default_factory=lambda: Versions((1, 33), (2, 20), (1, 14), (3, 5)))

    @cached_property
    def objects(self) -> tuple[Object, ...]:
        """All of them."""
        return (*self.rendered, *self.argocd, *self.karpenter)

    def of_kind(self, *kinds: str, group: str | None = None) -> Iterator[Object]:
        """Objects of these kinds, of an API group if one is named."""
        # Rules ask for one kind for each of many objects, and take it from artifacts, where it may be anything.
        if len(kinds) == 1 and isinstance(kinds[0], str):
            return (o for o in self._by_kind.get(kinds[0], ()) if group in (None, o.group))
        return (o for o in self.objects if o.kind in kinds and group in (None, o.group))

    def namespace_of(self, one: Object) -> str:
        """Where the object will be."""
        return one.namespace or self.namespace

    @cached_property
    def _by_kind(self) -> Mapping[str, list[Object]]:
        found: dict[str, list[Object]] = {}
        for one in self.objects:
            found.setdefault(one.kind, []).append(one)
        return found


def _version(argument: str, text: str) -> Version:
    found = re.fullmatch(r"v?(\d+(?:\.\d+){1,2})", text.strip())
    if not found:
        raise CheckError("bad-version", f"{argument} {text!r}: expected a version like 1.33", f"Set {argument} to the version deployed to.")
    return tuple(int(part) for part in found[1].split("."))
