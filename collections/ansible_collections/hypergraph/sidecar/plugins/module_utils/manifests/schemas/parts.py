# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts that the schemas of custom resources are built of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..quantity import PATTERN

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "integer"}
NAME: Schema = {"type": "string", "minLength": 1}
# What a definition leaves open, or what we leave open; a comment beside each use says which.
ANY: Schema = {}
OPEN: Schema = {"type": "object"}
INT_OR_TEXT: Schema = {"type": ["integer", "string"]}
# As custom resources have it; Kubernetes' own kinds take fractions without quotes too.
QUANTITY: Schema = {**INT_OR_TEXT, "pattern": PATTERN}


def record(required: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    """An object of exactly these fields. The API server drops nulls, so a field that is not required may be null."""
    fields = {name: schema if name in required else _nullable(schema) for name, schema in properties.items()}
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}


def list_of(items: Schema, **bounds: int) -> Schema:
    """A list; bounds are ``minItems`` and ``maxItems``."""
    return {"type": "array", "items": items, **bounds}


def map_of(values: Schema, **bounds: int) -> Schema:
    """An object of any keys with values of one schema, such as labels; the bound is ``maxProperties``."""
    return {"type": "object", "additionalProperties": values, **bounds}


def one_of(*values: str) -> Schema:
    """A text out of a few."""
    return {"type": "string", "enum": list(values)}


def text(pattern: str, **bounds: int) -> Schema:
    """A text of a form; bounds are ``minLength`` and ``maxLength``."""
    return {"type": "string", "pattern": pattern, **bounds}


def _nullable(schema: Mapping[str, Any]) -> Schema:
    if "type" not in schema:
        return dict(schema)
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    nullable = {**schema, "type": [*types, "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


METADATA = record(
    name=text(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", maxLength=253),
    generateName=TEXT,
    namespace=text(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", maxLength=63),
    labels=map_of(TEXT),
    annotations=map_of(TEXT),
    finalizers=list_of(TEXT),
    ownerReferences=list_of(OPEN),
    # What the API server writes, and an export of a live object therefore holds.
    uid=TEXT,
    resourceVersion=TEXT,
    generation=NUMBER,
    creationTimestamp=TEXT,
    deletionTimestamp=TEXT,
    deletionGracePeriodSeconds=NUMBER,
    selfLink=TEXT,
    managedFields=list_of(OPEN),
)


def resource(spec: Schema, **more: Schema) -> Schema:
    """A whole object. Its ``status`` is the controller's, not ours to judge, and left open."""
    return record(("apiVersion", "kind", "metadata", "spec"), apiVersion=TEXT, kind=TEXT, metadata=METADATA, spec=spec, status=OPEN, **more)
