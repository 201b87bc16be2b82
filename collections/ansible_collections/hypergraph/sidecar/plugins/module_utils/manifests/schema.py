# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects held to the schema of their kind: custom resources to our own, Kubernetes' kinds to those that kubernetes-validate ships.

Both are strict: a field that the schema does not know is an error, since the API server drops it without a word or refuses it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path as FilePath
from typing import Any

from ..faults import CheckError
from .bundle import Version
from .objects import Object, Path
from .quantity import PATTERN
from .schemas import argocd, karpenter, keda, prometheus_operator
from .schemas.parts import QUANTITY, Schema

# By API version and kind.
CUSTOM: Mapping[tuple[str, str], Schema] = {**argocd.SCHEMAS, **karpenter.SCHEMAS, **keda.SCHEMAS, **prometheus_operator.SCHEMAS}
# Groups with a dot that the API server itself serves (https://kubernetes.io/docs/reference/kubernetes-api/); those without one are its own.
_BUILT_IN_GROUPS = frozenset(
    f"{name}.k8s.io"
    for name in (
        "admissionregistration",
        "apiextensions",
        "apiregistration",
        "authentication",
        "authorization",
        "certificates",
        "coordination",
        "discovery",
        "events",
        "flowcontrol.apiserver",
        "internal.apiserver",
        "networking",
        "node",
        "rbac.authorization",
        "resource",
        "scheduling",
        "storage",
        "storagemigration",
    )
)
# A definition that says no more than number or text, though the API server refuses what is no quantity.
_SAID_BETTER: Mapping[str, Schema] = {"io.k8s.apimachinery.pkg.api.resource.Quantity": {**QUANTITY, "type": ["number", "string"]}}
_STRICT = re.compile(r"v(\d+)\.(\d+)\.\d+-local-strict")
# Parts of an object whose values may be secret, and are not quoted.
_SECRET_PARTS = frozenset(
    {
        *("annotations", "data", "stringData", "binaryData", "env", "args", "command", "httpHeaders"),
        *("parameters", "values", "valuesObject", "params", "proxyConnectHeader", "proxyUrl", "credential", "userData"),
    }
)
# Keywords whose messages name fields and quote no values.
_OF_NAMES = ("additionalProperties", "required", "dependentRequired")
_QUOTED = 100
# Keywords that say nothing about what is valid.
_UNUSED = ("$id", "$schema", "description")
_KINDS_OF_VALUES = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}


def built_in(group: str) -> bool:
    """Whether the API server itself serves the group; the others are of custom resources."""
    return "." not in group or group in _BUILT_IN_GROUPS


def problems(one: Object, kubernetes: Version | None = None) -> Iterator[tuple[Path, str]]:
    """What the schema of its kind has against the object: where, and what.

    Kubernetes' own kinds are known where its version is given. What it says quotes no value that may be secret. Raises KeyError for a kind
    without a schema, and CheckError for a version without schemas.
    """
    if (one.api_version, one.kind) in CUSTOM:
        validator = _custom(one.api_version, one.kind)
    elif kubernetes is not None and one.api_version in served(one.kind, kubernetes):
        validator = _native(one.api_version, one.kind, kubernetes)
    else:
        raise KeyError((one.api_version, one.kind))
    for error in validator.iter_errors(_without_nulls(one.body)):
        yield _told(one, error)


def served(kind: str, kubernetes: Version) -> tuple[str, ...]:
    """The API versions in which a version of Kubernetes serves one of its own kinds, such as ``apps/v1``; none for what it has no such."""
    return tuple(sorted(_files(kind, packaged(kubernetes))))


def gone_in(one: Object, kubernetes: Version) -> Version | None:
    """The first later version of Kubernetes, of those there are schemas for, that no longer serves the object; None where all do."""
    later = (version for version in sorted(_versions()) if version > packaged(kubernetes))
    return next((version for version in later if one.api_version not in _files(one.kind, version)), None)


@cache
def _custom(api_version: str, kind: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(CUSTOM[api_version, kind])


@cache
def _native(api_version: str, kind: str, kubernetes: Version) -> Any:
    from jsonschema import Draft202012Validator

    version = packaged(kubernetes)
    return Draft202012Validator(_definitions(version).joined(_files(kind, version)[api_version]))


class _Definitions:
    """The definitions that the schemas of one version share.

    References are followed once, when a schema is first asked for: to follow them anew at each value takes ten times as long.
    """

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._written = definitions
        self._joined: dict[str, Schema] = {}

    def joined(self, schema: Any) -> Any:
        """The schema with what it refers to in place of the references. A definition that refers to itself becomes a schema that does."""
        if isinstance(schema, list):
            return [self.joined(part) for part in schema]
        if not isinstance(schema, Mapping):
            return schema
        if isinstance(schema.get("$ref"), str):
            return self._definition(schema["$ref"].rpartition("/")[2])
        # A property may have the name of a keyword; then it is a mapping.
        kept = ((key, part) for key, part in schema.items() if not (key in _UNUSED and isinstance(part, str)))
        return {key: self.joined(part) for key, part in kept}

    def _definition(self, name: str) -> Schema:
        if name not in self._joined:
            known: Schema = {}
            self._joined[name] = known
            known.update(self.joined(self._written[name]))
        return self._joined[name]


@cache
def _definitions(version: Version) -> _Definitions:
    return _Definitions({**_loaded(_versions()[version] / "_definitions.json")["$defs"], **_SAID_BETTER})


@cache
def _files(kind: str, version: Version) -> dict[str, Schema]:
    """Schemas of a kind by API version. A file also is named by parts of kinds (DeploymentSpec); what it holds says what it is."""
    if not re.fullmatch(r"[A-Za-z0-9]+", kind):
        return {}
    found = (_loaded(file) for file in sorted(_versions()[version].glob(f"{kind.lower()}-*.json")))
    return {
        "/".join(filter(None, (known["group"], known["version"]))): schema
        for schema in found
        for known in schema.get("x-kubernetes-group-version-kind", ())
        if known["kind"] == kind
    }


@cache
def packaged(kubernetes: Version) -> Version:
    """The version whose schemas are used: the newest that is not newer. Raises CheckError where all are."""
    older = [version for version in _versions() if version <= kubernetes[:2]]
    if older:
        return max(older)
    first = ".".join(map(str, min(_versions())))
    reason = f"kube_version {'.'.join(map(str, kubernetes))}: there are schemas from {first} on"
    raise CheckError("kube-version-without-schemas", reason, "Set kube_version (sidecar_kube_version) to the version deployed to.")


@cache
def _versions() -> dict[Version, FilePath]:
    package = import_module("kubernetes_validate")
    place = FilePath(str(package.__file__)).parent / "kubernetes-json-schema"
    matches = ((folder, _STRICT.fullmatch(folder.name)) for folder in place.iterdir())
    return {(int(found[1]), int(found[2])): folder for folder, found in matches if found}


def _loaded(file: FilePath) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _without_nulls(value: Any) -> Any:
    """The value as the API server reads it: a field that is null is one that is not there. Items of lists stay where they are."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


def _told(one: Object, error: Any) -> tuple[Path, str]:
    """Where an error is and what it says; of a choice of schemas, the error of the choice that fits best."""
    from jsonschema.exceptions import best_match

    best = best_match([error]) or error
    path: Path = tuple(best.absolute_path)
    long = isinstance(best.instance, (Mapping, list)) or len(str(best.instance)) > _QUOTED
    if best.validator in _OF_NAMES or not (long or _may_be_secret(one, path)):
        # The form itself tells nobody what was meant.
        return path, f"{best.instance!r} is no quantity, such as 500m or 512Mi" if best.validator_value == PATTERN else str(best.message)
    what = _KINDS_OF_VALUES.get(type(best.instance), "null")
    if best.validator == "type":
        names = best.validator_value if isinstance(best.validator_value, list) else [best.validator_value]
        return path, f"{what} is not of type {' or '.join(name for name in names if name != 'null')}"
    # What a choice consists of would fill pages.
    bound = best.validator_value if isinstance(best.validator_value, (int, float, str)) or best.validator == "enum" else ""
    return path, f"{what} that does not keep {best.validator} {bound}".rstrip()


def _may_be_secret(one: Object, path: Path) -> bool:
    """Whether a value at the path may be one that nobody should read. KEDA's triggers hold theirs in ``metadata``."""
    in_trigger = "triggers" in path and "metadata" in path
    return one.kind == "Secret" or in_trigger or not _SECRET_PARTS.isdisjoint(path)
