# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schemas of HIF and of the ``hif-1`` profile, and validation that stays quick on a hundred thousand incidences.

``HIF_SCHEMA`` says what the public schema 0.1.0 says: fields, types and what is required; it knows nothing of references, duplicates or
finite numbers, which are the matter of ``rules``. ``PROFILE_SCHEMA`` says what ``hif-1`` adds: all three lists, the network type, ``meta``.

A document is condensed before it is validated: its scalars and free-form objects are replaced by a sample of their kind, and of items that
then look alike one is kept. The schemas cannot tell the condensed document from the whole one, the validator sees a few dozen items instead
of all, and neither a deep nor a huge value ever reaches it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from ..rfc3339 import parse_utc

if TYPE_CHECKING:
    from jsonschema import Draft7Validator
    from jsonschema.exceptions import ValidationError

LISTS = ("nodes", "edges", "incidences")
MAX_VIOLATIONS = 10

_IDENTIFIER = {"type": ["string", "integer"]}


def _closed(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


_WEIGHTED = {"weight": {"type": "number"}, "attrs": {"type": "object"}}
HIF_SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    **_closed(
        ["incidences"],
        {
            "network-type": {"enum": ["undirected", "directed", "asc"]},
            "metadata": {"type": "object"},
            "nodes": {"type": "array", "items": _closed(["node"], {"node": _IDENTIFIER, **_WEIGHTED})},
            "edges": {"type": "array", "items": _closed(["edge"], {"edge": _IDENTIFIER, **_WEIGHTED})},
            "incidences": {
                "type": "array",
                "items": _closed(
                    ["edge", "node"],
                    {"edge": _IDENTIFIER, "node": _IDENTIFIER, "direction": {"enum": ["head", "tail"]}, **_WEIGHTED},
                ),
            },
        },
    ),
}

_NAME = {"type": "string", "minLength": 1}
# The value of version is judged by a rule of its own, so that a newer profile is told apart from a broken one.
META_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["version", "trace_id", "tenant_id", "model", "granularity", "featureset", "created_at"],
    "properties": {
        "version": _NAME,
        "trace_id": _NAME,
        "tenant_id": _NAME,
        "model": {"type": ["string", "null"]},
        "granularity": {"enum": ["sentence", "token"]},
        "featureset": {"type": ["string", "null"]},
        "created_at": _NAME,
    },
}
PROFILE_SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["network-type", "meta", *LISTS],
    "properties": {"meta": META_SCHEMA, **{name: {"type": "array"} for name in LISTS}},
}

# A sample of each kind of value the schemas tell apart. No two are equal in Python, where True == 1 == 1.0.
_SAMPLES: dict[str, Any] = {
    "object": {},
    "array": [],
    "string": "text",
    "integer": 0,
    "number": 0.5,
    "boolean": True,
    "null": None,
}
# Texts the schemas look into stand for themselves.
_WORDS = frozenset(("", "undirected", "directed", "asc", "head", "tail", "sentence", "token"))


def hif_violations(document: Any) -> list[str]:
    """What the public schema finds wrong, one line each, at most MAX_VIOLATIONS; empty where the document is valid.

    A ``hif-1`` document is first made public by ``adapter.to_public``.
    """
    condensed, origin = _condensed(document)
    return list(islice(_violations(_validator("hif"), condensed, origin), MAX_VIOLATIONS))


def profile_violations(document: Any) -> list[str]:
    """What the ``hif-1`` profile asks for beyond the public schema and does not find, one line each; empty where it is met."""
    found = list(islice(_violations(_validator("profile"), _frame(document), {}), MAX_VIOLATIONS))
    meta = document.get("meta") if isinstance(document, dict) else None
    created = meta.get("created_at") if isinstance(meta, dict) else None
    if isinstance(created, str) and created:
        try:
            parse_utc(created)
        except ValueError as problem:
            found.append(f"meta.created_at: {problem}")
    return found


@cache
def _validator(name: str) -> Draft7Validator:
    from jsonschema import Draft7Validator

    return Draft7Validator({"hif": HIF_SCHEMA, "profile": PROFILE_SCHEMA}[name])


def require() -> None:
    """Load the validator now. Raises ModuleNotFoundError where jsonschema is not installed."""
    _validator("hif")


def _kind(value: Any) -> str:
    """The JSON Schema type of a value, where a float without fraction is an integer; the value itself for a word of the schemas."""
    if isinstance(value, str):
        return value if value in _WORDS else "string"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    return "array" if isinstance(value, list) else "object"


def _sample(kind: str) -> Any:
    return kind if kind in _WORDS else _SAMPLES[kind]


def _frame(document: Any) -> Any:
    """The document condensed down to its members, with the lists empty, and those of ``meta``."""
    if not isinstance(document, dict):
        return _sample(_kind(document))
    frame = {name: _sample(_kind(value)) for name, value in document.items()}
    meta = document.get("meta")
    if isinstance(meta, dict):
        frame["meta"] = {name: _sample(_kind(value)) for name, value in meta.items()}
    return frame


def _condensed(document: Any) -> tuple[Any, dict[str, list[int]]]:
    """The frame with condensed lists in it, and for each list the positions that its remaining items have in the whole one."""
    frame = _frame(document)
    origin: dict[str, list[int]] = {}
    for name in LISTS:
        items = document.get(name) if isinstance(document, dict) else None
        if isinstance(items, list):
            frame[name], origin[name] = _distinct(items)
    return frame, origin


def _distinct(items: list[Any]) -> tuple[list[Any], list[int]]:
    """One condensed item of each look, with the position of the first that looks so."""
    first: dict[Any, int] = {}
    for position, item in enumerate(items):
        look = tuple([(key, _kind(value)) for key, value in item.items()]) if isinstance(item, dict) else _kind(item)
        if look not in first:
            first[look] = position
    samples = [_sample(look) if isinstance(look, str) else {key: _sample(kind) for key, kind in look} for look in first]
    return samples, list(first.values())


def _violations(validator: Draft7Validator, condensed: Any, origin: Mapping[str, list[int]]) -> Iterator[str]:
    last = ""
    for error in validator.iter_errors(condensed):
        said = f"{_place(list(error.absolute_path), origin)}: {_problem(error)}"
        if said != last:  # each missing member is an error of its own, and the line names them all
            yield said
        last = said


def _problem(error: ValidationError) -> str:
    # error.message quotes the instance, of which a condensed document has only samples.
    keyword, wanted, instance = error.validator, cast(Any, error.validator_value), cast(Any, error.instance)
    if keyword == "required":
        return "missing " + ", ".join(name for name in wanted if name not in instance)
    if keyword == "additionalProperties":
        known = cast("dict[str, Any]", error.schema)["properties"]
        unknown = [name for name in instance if name not in known]
        return "unknown " + ", ".join(_clipped(name) for name in unknown[:3]) + (" ..." if len(unknown) > 3 else "")
    if keyword == "enum":
        return "expected " + " or ".join(wanted)
    if keyword == "minLength":
        return "empty"
    return f"expected {wanted if isinstance(wanted, str) else ' or '.join(wanted)}, found {_found(instance)}"


def _place(path: list[Any], origin: Mapping[str, list[int]]) -> str:
    if not path:
        return "the document"
    if len(path) > 1 and path[0] in origin:
        path[0:2] = [f"{path[0]}[{origin[path[0]][path[1]]}]"]
    return ".".join(map(str, path))


def _found(sample: Any) -> str:
    kind = _kind(sample)
    return "string" if kind in _WORDS else kind


def _clipped(name: str) -> str:
    return repr(name if len(name) <= 40 else name[:40] + "...")
