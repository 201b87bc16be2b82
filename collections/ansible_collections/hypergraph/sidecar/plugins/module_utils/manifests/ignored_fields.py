# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fields Argo CD leaves as they are in the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .objects import Object, mapping, mappings, sequence, text


def leaves_replicas(spec: Mapping[str, Any], workload: Object) -> tuple[bool, bool]:
    """Whether an Application's spec ignores that the workload's replicas differ, and whether it keeps to that when it synchronises.

    Source: Argo CD diffing.md and sync-options.md, Respect ignore differences.
    """
    ignored = any(_ignores_replicas(entry, workload) for _position, entry in mappings(spec.get("ignoreDifferences")))
    respected = "RespectIgnoreDifferences=true" in sequence(mapping(spec.get("syncPolicy")).get("syncOptions"))
    return ignored, respected


def _ignores_replicas(entry: Mapping[str, Any], workload: Object) -> bool:
    about = {"group": workload.group, "kind": workload.kind, "name": workload.name, "namespace": workload.namespace}
    same = all(text(entry.get(key)) in ("", "*", value) for key, value in about.items() if key != "namespace" or value)
    pointers = {text(pointer).rstrip("/") for pointer in sequence(entry.get("jsonPointers"))}
    by_query = any(".spec.replicas" in text(query) for query in sequence(entry.get("jqPathExpressions")))
    return same and (bool(pointers & {"/spec/replicas", "/spec"}) or by_query or bool(sequence(entry.get("managedFieldsManagers"))))
