# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Triggers of ScaledObjects and ScaledJobs, as the rules read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..manifests.bundle import Bundle
from ..manifests.objects import Object, Path, mapping, mappings
from .targets import KEDA, SCALED_OBJECT

# Their metrics come from the kubelet, so that the HorizontalPodAutoscaler asks for them itself, and they never wake a workload from zero.
RESOURCE_TYPES = ("cpu", "memory")
_KINDS = (SCALED_OBJECT, "ScaledJob")


@dataclass(frozen=True)
class Trigger:
    """One trigger of ``owner``."""

    owner: Object
    position: int
    body: Mapping[str, Any]

    def __str__(self) -> str:
        return f"trigger {self.name or self.position} ({self.type or 'no type'})"

    @property
    def type(self) -> str:
        """Which scaler it is for, such as ``prometheus``."""
        return _text(self.body.get("type"))

    @property
    def name(self) -> str:
        """Its own name, empty where it has none."""
        return _text(self.body.get("name"))

    @property
    def metric_type(self) -> str:
        """``Value``, ``AverageValue``, ``Utilization``, or empty."""
        return _text(self.body.get("metricType"))

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """What it tells its scaler."""
        return mapping(self.body.get("metadata"))

    @property
    def path(self) -> Path:
        """Where it is in its owner."""
        return ("spec", "triggers", self.position)

    @property
    def is_resource(self) -> bool:
        """Whether it is one on CPU or memory of the pods themselves."""
        return self.type in RESOURCE_TYPES

    @property
    def authentication(self) -> Mapping[str, Any]:
        """The reference to its TriggerAuthentication, empty where it has none."""
        return mapping(self.body.get("authenticationRef"))

    def value(self, key: str) -> str:
        """What it says under a key, without white space around it; empty where that is nothing, or no text."""
        return _text(self.metadata.get(key)).strip()


def triggers_of(owner: Object) -> tuple[Trigger, ...]:
    """All of one ScaledObject or ScaledJob."""
    return tuple(Trigger(owner, position, body) for position, body in mappings(owner.spec.get("triggers")))


def owners(objects: Iterable[Object]) -> Iterator[Object]:
    """All that has triggers."""
    return (one for one in objects if one.group == KEDA and one.kind in _KINDS)


def triggers(bundle: Bundle) -> Iterator[Trigger]:
    """All of the bundle."""
    return (trigger for owner in owners(bundle.objects) for trigger in triggers_of(owner))


def formula_of(owner: Object) -> str:
    """The formula by which scalingModifiers make one metric of all triggers; empty where there is none."""
    return _text(owner.at("spec", "advanced", "scalingModifiers", "formula"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
