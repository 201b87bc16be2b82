# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The specification the tests start from, and small ones around one schema or operation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi import document

SIDECAR = Path(__file__).with_name("sidecar.yaml")
STRING = {"type": "string"}
NUMBER = {"type": "number"}


def sidecar() -> dict[str, Any]:
    """A fresh copy of the specification in sidecar.yaml."""
    return document.parse(SIDECAR.read_bytes())


def around(operation: dict[str, Any], *, path: str = "/v1/things", version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    """A document whose one operation, ``POST``, is the given one."""
    return {"openapi": "3.1.0", "info": {"title": "t", "version": version}, "paths": {path: {"post": operation}}, **more}


def of_request(schema: Any, **more: Any) -> dict[str, Any]:
    """A document that takes the schema as its request body."""
    return around({"requestBody": body(schema), "responses": {"204": {"description": "done"}}}, **more)


def of_response(schema: Any, **more: Any) -> dict[str, Any]:
    """A document that answers with the schema."""
    return around(answering(_200=body(schema)), **more)


def obj(*required: str, **properties: Any) -> dict[str, Any]:
    """The schema of an object with these properties."""
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def body(schema: Any = None, media: str = "application/json", **more: Any) -> dict[str, Any]:
    return {"content": {media: {"schema": STRING if schema is None else schema}}, **more}


def operation(**more: Any) -> dict[str, Any]:
    return {"responses": {"200": {"description": "done"}}, **more}


def parameter(name: str = "limit", place: str = "query", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": STRING, **more}


def answering(**answers: Any) -> dict[str, Any]:
    """An operation by its answers, each named by its status; one that begins with a digit after an underscore."""
    return {"responses": {status.lstrip("_"): {"description": "done", **answer} for status, answer in answers.items()}}


def secured(*alternatives: Any, **schemes: Any) -> dict[str, Any]:
    """A document whose operation asks for one of these alternatives."""
    known = {"bearer": {"type": "http", "scheme": "bearer"}, "key": {"type": "apiKey", "in": "header", "name": "x-key"}, **schemes}
    return around(operation(security=list(alternatives)), components={"securitySchemes": known})
