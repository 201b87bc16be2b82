# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The specification the tests start from, and small ones around one schema or operation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi import document

SIDECAR = Path(__file__).with_name("sidecar.yaml")


def sidecar() -> dict[str, Any]:
    """A fresh copy of the specification in sidecar.yaml."""
    return document.parse(SIDECAR.read_bytes())


def around(operation: dict[str, Any], *, path: str = "/v1/things", version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    """A document whose one operation, ``POST``, is the given one."""
    return {"openapi": "3.1.0", "info": {"title": "t", "version": version}, "paths": {path: {"post": operation}}, **more}


def of_request(schema: Any, **more: Any) -> dict[str, Any]:
    """A document that takes the schema as its request body."""
    body = {"content": {"application/json": {"schema": schema}}}
    return around({"requestBody": body, "responses": {"204": {"description": "done"}}}, **more)


def of_response(schema: Any, **more: Any) -> dict[str, Any]:
    """A document that answers with the schema."""
    return around({"responses": {"200": {"description": "done", "content": {"application/json": {"schema": schema}}}}}, **more)
