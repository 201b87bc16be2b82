# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a live object is not as it was rendered.

What the render sets must be so in the cluster. What it does not set may be anything there: defaults, status, and what controllers add are
no drift. Items added to a list whose items have names (containers, variables, ports, volumes) are told apart from fields that differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..manifests.objects import Object, Path, mapping
from ..manifests.quantity import quantity
from ..manifests.schema import built_in
from .digests import ROUNDS, rendered_values, same

# What is compared of the metadata; the rest is the identity, or the API server's.
_METADATA = ("labels", "annotations", "finalizers")
# By these the API server tells the items of a list apart (k8s.io/api, listMapKey and patchMergeKey). Other lists are compared in order.
_ITEM_KEYS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
_PORT_KEYS = (("containerPort", "protocol"), ("port", "protocol"))
# Mappings that say more with fewer entries: one more entry selects something else.
_SELECTORS = frozenset({"selector", "podSelector", "namespaceSelector", "labelSelector", "matchLabels", "nodeSelector"})
# Where quantities are; elsewhere "1" and "1000m" are two texts.
_QUANTITIES_BELOW = frozenset(
    {"requests", "limits", "hard", "default", "defaultRequest", "max", "min", "maxLimitRequestRatio", "capacity", "overhead"}
)
_QUANTITIES = frozenset({"sizeLimit", "divisor", "averageValue"})
# Fields whose zero the API server does not tell (k8s.io/api: omitempty, no pointer). The zero of any other field that is gone is drift.
_ZERO_UNTOLD = frozenset(
    {
        *(
            "hostNetwork",
            "hostPID",
            "hostIPC",
            "hostPort",
            "readOnly",
            "stdin",
            "stdinOnce",
            "tty",
            "initialDelaySeconds",
            "minReadySeconds",
        ),
        *("paused", "publishNotReadyAddresses", "nodePort", "preserveUnknownFields", "namespaced"),
    }
)
# Fields that are filled in where they are left empty.
_FILLED_IN = frozenset({"clusterIP", "caBundle", "loadBalancerIP", "nodePort"})
# Parts of an object whose values may be secret, and are not quoted.
_UNQUOTED = frozenset({"data", "stringData", "binaryData", "env", "args", "command"})
_LONGEST = 120
_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """One place where the live object is otherwise: what is rendered there, and what is live. An added item is not rendered at all."""

    path: Path
    expected: str
    observed: str
    added: bool = False


def differences(rendered: Object, live: Mapping[str, Any], left_alone: frozenset[Path] = frozenset()) -> Iterator[Difference]:
    """Where the live object, digested, is not as rendered. Paths in ``left_alone`` belong to someone else, such as an autoscaler."""
    comparison = _Comparison(rendered, left_alone)
    live_metadata = mapping(live.get("metadata"))
    for member in _METADATA:
        yield from comparison.value(("metadata", member), rendered.metadata.get(member), live_metadata.get(member, _ABSENT))
    by_digest = ("data", "binaryData", "stringData") if rendered.kind in ROUNDS and not rendered.group else ()
    for key, wanted in rendered.body.items():
        if key not in ("apiVersion", "kind", "metadata", "status", *by_digest):
            yield from comparison.value((key,), wanted, live.get(key, _ABSENT))
    if by_digest:
        yield from _values(rendered, live)


def _values(rendered: Object, live: Mapping[str, Any]) -> Iterator[Difference]:
    """Entries of a Secret or ConfigMap. No finding quotes a value, nor tells its digest."""
    found = {**mapping(live.get("data")), **mapping(live.get("binaryData"))}
    wanted = rendered_values(rendered.body)
    for key, raw in wanted.items():
        if key not in found:
            yield Difference(("data", key), "the value rendered", "no such entry")
        elif not same(raw, found[key]):
            yield Difference(("data", key), "the value rendered", "another value")
    for key in found.keys() - wanted.keys():
        yield Difference(("data", key), "no such entry", "an entry that is not rendered", added=True)


class _Comparison:
    """Compares the parts of one object."""

    def __init__(self, rendered: Object, left_alone: frozenset[Path]) -> None:
        self._left_alone = left_alone
        # Custom resources are kept as they are written.
        self._built_in = built_in(rendered.group)

    def value(self, path: Path, wanted: Any, found: Any) -> Iterator[Difference]:
        """What differs at a path. Null asks for nothing: it leaves a field to its default."""
        if wanted is None or path in self._left_alone or (found is _ABSENT and self._untold(path, wanted)):
            return
        if isinstance(wanted, Mapping) and isinstance(found, Mapping):
            yield from self._mapping(path, wanted, found)
        elif isinstance(wanted, list) and isinstance(found, list):
            yield from self._list(path, wanted, found)
        elif not _equal(path, wanted, found):
            yield _differing(path, wanted, found)

    def _mapping(self, path: Path, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Difference]:
        for key, part in wanted.items():
            yield from self.value((*path, key), part, found.get(key, _ABSENT))
        if path[-1] in _SELECTORS:
            for key in sorted(found.keys() - wanted.keys(), key=str):
                yield Difference((*path, key), "nothing", _shown(found[key]))

    def _list(self, path: Path, wanted: list[Any], found: list[Any]) -> Iterator[Difference]:
        keys = _keys_of(path, [*wanted, *found])
        if not keys:
            if len(wanted) != len(found):
                yield Difference(path, _items(len(wanted)), _items(len(found)))
                return
            for position, (part, live) in enumerate(zip(wanted, found)):
                yield from self.value((*path, position), part, live)
            return
        live_items = {_identity(item, keys): item for item in found}
        for position, item in enumerate(wanted):
            yield from self.value((*path, position), item, live_items.pop(_identity(item, keys), _ABSENT))
        for identity in live_items:
            yield Difference(path, "no such item", f"also {' '.join(map(str, identity))}", added=True)

    def _untold(self, path: Path, wanted: Any) -> bool:
        """Whether what is not there is the same as what is rendered: the API server leaves out what is empty."""
        if wanted in ({}, []):
            return True
        if wanted == "":
            return path[-1] != "storageClassName"
        return self._built_in and path[-1] in _ZERO_UNTOLD and wanted in (False, 0)


def _keys_of(path: Path, items: list[Any]) -> tuple[str, ...]:
    """What tells the items of a list apart; nothing where they are compared in their order."""
    choices = _PORT_KEYS if path[-1] == "ports" else (_ITEM_KEYS.get(str(path[-1]), ()),)
    for keys in choices:
        if keys and items and all(isinstance(item, Mapping) and isinstance(item.get(keys[0]), (str, int)) for item in items):
            return keys
    return ()


def _identity(item: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[str, ...]:
    """The item's own key; the protocol of a port that names none is TCP."""
    return tuple(str(item.get(key) or ("TCP" if key == "protocol" else "")) for key in keys)


def _equal(path: Path, wanted: Any, found: Any) -> bool:
    if found is _ABSENT:
        return False
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    if wanted in ("", 0) and path[-1] in _FILLED_IN:
        return True
    if path[-1] in _QUANTITIES or (len(path) > 1 and path[-2] in _QUANTITIES_BELOW):
        numbers = (quantity(wanted), quantity(found))
        if None not in numbers:
            return numbers[0] == numbers[1]
    return bool(wanted == found)


def _differing(path: Path, wanted: Any, found: Any) -> Difference:
    """What differs, as a finding may quote it."""
    if _UNQUOTED.intersection(path):
        return Difference(path, "the value rendered", "nothing" if found in (None, _ABSENT) else "another value")
    return Difference(path, _shown(wanted), _shown(found))


def _shown(value: Any) -> str:
    if value is _ABSENT or value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(sorted(map(str, value))[:8]) or 'nothing in it'}"
    if isinstance(value, list):
        return _items(len(value))
    # Text in quotes, so that it is not taken for the number.
    written = str(value).lower() if isinstance(value, bool) else repr(value)
    return written if len(written) <= _LONGEST else f"{written[:_LONGEST]}…"


def _items(count: int) -> str:
    return f"{count} item{'' if count == 1 else 's'}"
