# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule on what the definitions of Argo CD's resources refuse."""

from __future__ import annotations

from collections.abc import Iterator

from ..manifests.objects import Object
from ..manifests.rules import Outcome, Registry
from ..manifests.schema import problems
from .applications import GROUP
from .delivery import Delivery

RULES = Registry()
_KINDS = ("Application", "ApplicationSet", "AppProject")


@RULES.rule(
    "argocd-schema-broken",
    "The objects of the Argo CD files are such as their definitions take",
    examines="objects of the Argo CD files",
    source="Argo CD 3.5, manifests/crds; Kubernetes OpenAPI",
    fix="Correct the field: the API server refuses it, or drops it without a word.",
)
def _schema_broken(delivery: Delivery) -> Iterator[Outcome]:
    for one in delivery.bundle.argocd:
        try:
            found = list(problems(one, delivery.bundle.versions.kubernetes))
        except KeyError:
            # What is of Argo CD's own kinds is of a version that there is not; others are named as not examined.
            if one.group == GROUP and one.kind in _KINDS:
                yield Outcome(one, False, "argoproj.io/v1alpha1", one.api_version, ("apiVersion",))
            continue
        for path, said in found:
            yield Outcome(one, False, "what the definition takes", said, path)
        if not found:
            yield Outcome(one, True)


def kinds_without_schema(delivery: Delivery) -> list[str]:
    """Kinds in the Argo CD files that are held to no schema."""
    return sorted({f"{one.api_version} {one.kind}" for one in delivery.bundle.argocd if not _known(one, delivery)})


def _known(one: Object, delivery: Delivery) -> bool:
    try:
        next(problems(one, delivery.bundle.versions.kubernetes), None)
    except KeyError:
        return False
    return True
