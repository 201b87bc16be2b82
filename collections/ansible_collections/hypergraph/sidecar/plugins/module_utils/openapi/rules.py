# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that a document keeps beyond being valid: every path carries its version, and no operation is half documented."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .operations import Operation, operations
from .places import Located

_VERSION = re.compile(r"v[1-9][0-9]*")
_ERROR_ANSWER = re.compile(r"[45]([0-9]{2}|XX)|default")


def unversioned(document: Mapping[str, Any], exempt: tuple[str, ...] = ()) -> list[str]:
    """The documented paths, as clients call them, that do not begin with one version segment such as ``/v1``.

    The version may stand in the path or end the base path of its servers, but not both. A base path before it (``/api``) belongs to the
    deployment and is no concern of this rule.
    """
    found = {
        base + operation.path
        for operation in operations(document)
        for base in operation.base_paths
        if operation.path not in exempt and not _carries_one_version(base, operation.path)
    }
    return sorted(found)


def versions(document: Mapping[str, Any]) -> frozenset[int]:
    """The major versions that documented paths carry."""
    found = (_VERSION.fullmatch(segment) for operation in operations(document) for key in operation.keys for segment in key.split("/"))
    return frozenset(int(version.group()[1:]) for version in found if version)


def from_version(base_path: str) -> str:
    """What of a servers' base path the service itself sees: from the version on, and nothing where there is none."""
    segments = base_path.split("/")
    first = next((place for place, segment in enumerate(segments) if _VERSION.fullmatch(segment)), len(segments))
    return "".join(f"/{segment}" for segment in segments[first:])


def _carries_one_version(base: str, path: str) -> bool:
    in_base = [bool(_VERSION.fullmatch(segment)) for segment in base.split("/")]
    in_path = bool(_VERSION.fullmatch(path.split("/")[1]))
    return (not any(in_base) and in_path) or (in_base[-1] and not any(in_base[:-1]) and not in_path)


def incomplete(document: Mapping[str, Any]) -> list[str]:
    """What operations leave undocumented: their operationId, who may call them, and at least one answer that is an error."""
    return [f"{operation.name}: {lack}" for operation in operations(document) for lack in _lacks(operation)]


def _lacks(operation: Operation) -> Iterator[str]:
    if not operation.place.child("operationId").value:
        yield "no operationId"
    if not operation.security or not all(operation.security):
        yield "no security requirement" if not operation.security else "security that lets anybody in ({})"
    schemes = Located(operation.document, "#").child("components").child("securitySchemes").value
    declared = schemes if isinstance(schemes, Mapping) else {}
    yield from sorted({f"security scheme {name!r} is not declared" for item in operation.security for name in item if name not in declared})
    if not any(_ERROR_ANSWER.fullmatch(status) for status in operation.responses):
        yield "no error answer (4xx, 5xx or default)"
