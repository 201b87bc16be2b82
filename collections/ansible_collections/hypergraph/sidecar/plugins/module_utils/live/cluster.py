# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read of a cluster: the objects, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..faults import CheckError
from ..manifests.bundle import Bundle
from ..manifests.objects import Object, Place, mapping, mappings, text

# To be read by their names: the others of a namespace are nobody's business here.
BY_NAME = ("Secret",)
_HOOK = "helm.sh/hook"
_RELEASE = "meta.helm.sh/release-name"
_INSTANCE = "app.kubernetes.io/instance"
# What the API server says in the body of an answer, which its client quotes after all headers.
_HEADERS = "HTTP response headers"
_MESSAGE = re.compile(r'"message": ?"((?:[^"\\]|\\.){1,300})"')


@dataclass(frozen=True, order=True)
class Asked:
    """One question to a cluster: all objects of a kind in a namespace, or the one of a name."""

    api_version: str
    kind: str
    namespace: str
    name: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Asked:
        """As a read tells it."""
        return cls(*(text(told.get(name)) for name in ("api_version", "kind", "namespace", "name")))

    def __str__(self) -> str:
        what = f"{self.api_version} {self.kind}" + (f"/{self.name}" if self.name else "")
        return f"{what} in {self.namespace}" if self.namespace else what


def lasting(objects: Iterable[Object]) -> Iterator[Object]:
    """The objects that stay: hooks are deleted when they have run."""
    return (one for one in objects if _HOOK not in one.annotations)


def questions(bundle: Bundle) -> list[Asked]:
    """What has to be read to find every object of a bundle."""
    return sorted({_asked(bundle, one) for one in lasting(bundle.rendered) if one.kind and one.name})


def _asked(bundle: Bundle, one: Object) -> Asked:
    return Asked(one.api_version, one.kind, bundle.namespace_of(one), one.name if one.kind in BY_NAME else "")


@dataclass(frozen=True)
class Cluster:
    """Objects that were read, by API version, kind, namespace (empty for what is in none) and name.

    ``unread`` are questions without an answer and why; ``unserved`` are API versions and kinds that the cluster does not have.
    """

    objects: Mapping[tuple[str, str, str, str], Object] = field(default_factory=dict)
    unread: Mapping[Asked, str] = field(default_factory=dict)
    unserved: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, reads: Sequence[Mapping[str, Any]]) -> Cluster:
        """From what kubernetes.core.k8s_info answered in a loop. Raises CheckError for what is no such answer."""
        objects: dict[tuple[str, str, str, str], Object] = {}
        unread: dict[Asked, str] = {}
        unserved: set[tuple[str, str]] = set()
        for position, read in enumerate(reads):
            asked = Asked.of(mapping(read.get("item")))
            if not asked.api_version or not asked.kind:
                reason = f"reads[{position}]: expected item with api_version and kind"
                raise CheckError("reads-invalid", reason, "Hand over the results of kubernetes.core.k8s_info in a loop over such items.")
            if not isinstance(read.get("resources"), list):
                unread[asked] = _reason(text(read.get("msg")))
                continue
            if read.get("api_found") is False:
                unserved.add((asked.api_version, asked.kind))
            for _position, body in mappings(read["resources"]):
                # In answers with many objects these leave out what they are.
                one = Object({"apiVersion": asked.api_version, "kind": asked.kind, **body}, Place(f"live {asked}"))
                objects[asked.api_version, asked.kind, one.namespace, one.name] = one
        return cls(objects, unread, frozenset(unserved))

    def live(self, bundle: Bundle, one: Object) -> Object | None:
        """The live twin of a rendered object."""
        for namespace in (bundle.namespace_of(one), ""):
            found = self.objects.get((one.api_version, one.kind, namespace, one.name))
            if found is not None:
                return found
        return None

    def why_unread(self, bundle: Bundle, one: Object) -> str | None:
        """Why it is not known whether the object is live; None where it is."""
        return self.unread.get(_asked(bundle, one))

    def of_release(self, release: str) -> Iterator[Object]:
        """Live objects that a release says are its own, but for what controllers make of others and for hooks."""
        for one in lasting(self.objects.values()):
            own = release in (one.annotations.get(_RELEASE), one.labels.get(_INSTANCE))
            if own and not one.metadata.get("ownerReferences"):
                yield one


def _reason(said: str) -> str:
    """Why something was not read, on one line: what the client says, and what the API server said to it."""
    told = _MESSAGE.search(said)
    brief = " ".join(said.partition(_HEADERS)[0].split())
    return f"{brief}: {told[1]}" if told else brief or "no answer"
