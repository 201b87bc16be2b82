# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fields Argo CD leaves as they are in the cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from .objects import Object, mapping, mappings, sequence, text

_ALTERNATIVES = re.compile(r"\{([^{}]*)\}")


def leaves_replicas(spec: Mapping[str, Any], workload: Object) -> tuple[bool, bool]:
    """Whether an Application's spec ignores that the workload's replicas differ, and whether it keeps to that when it synchronises.

    Source: Argo CD diffing.md and sync-options.md, Respect ignore differences.
    """
    ignored = any(_ignores_replicas(entry, workload) for _position, entry in mappings(spec.get("ignoreDifferences")))
    respected = "RespectIgnoreDifferences=true" in sequence(mapping(spec.get("syncPolicy")).get("syncOptions"))
    return ignored, respected


def _ignores_replicas(entry: Mapping[str, Any], workload: Object) -> bool:
    patterns = {"group": workload.group, "kind": workload.kind}
    same = all(_matches(text(entry.get(key)), value) for key, value in patterns.items())
    same = same and text(entry.get("name")) in ("", workload.name)
    # An object that is written without a namespace goes to its application's, whichever that is.
    same = same and (not workload.namespace or text(entry.get("namespace")) in ("", workload.namespace))
    pointers = {text(pointer).rstrip("/") for pointer in sequence(entry.get("jsonPointers"))}
    by_query = any(".spec.replicas" in text(query) for query in sequence(entry.get("jqPathExpressions")))
    return same and (bool(pointers & {"/spec/replicas", "/spec"}) or by_query or bool(sequence(entry.get("managedFieldsManagers"))))


def _matches(pattern: str, value: str) -> bool:
    """Whether a glob matches as Argo CD has it (util/argo/diff/ignore.go): an empty one matches nothing but the core group."""
    found = _ALTERNATIVES.search(pattern)
    if found is None:
        return fnmatchcase(value, pattern)
    return any(_matches(f"{pattern[: found.start()]}{one}{pattern[found.end() :]}", value) for one in found[1].split(","))
