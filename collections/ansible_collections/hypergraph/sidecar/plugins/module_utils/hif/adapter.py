# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``hif-1`` as public HIF: the public schema forbids a top-level ``meta`` and offers ``metadata`` for what is said about a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def to_public(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the members of ``meta`` moved into ``metadata``, where both may say the same thing but not different ones.

    Nothing is lost and the given document is left as it is. Raises ValueError where the move would lose something: ``meta`` or
    ``metadata`` is no object, or both have a member of the same name with different values.
    """
    public = {name: value for name, value in document.items() if name != "meta"}
    if "meta" not in document:
        return public
    meta, metadata = document["meta"], document.get("metadata", {})
    for name, value in (("meta", meta), ("metadata", metadata)):
        if not isinstance(value, Mapping):
            raise ValueError(f"{name} is no object")
    clash = next((name for name in meta if name in metadata and not _same(meta[name], metadata[name])), None)
    if clash is not None:
        raise ValueError(f"meta and metadata disagree about {clash[:40]!r}")
    public["metadata"] = {**metadata, **meta}
    return public


def _same(one: Any, other: Any) -> bool:
    try:
        return type(one) is type(other) and bool(one == other)
    except RecursionError:
        return False
