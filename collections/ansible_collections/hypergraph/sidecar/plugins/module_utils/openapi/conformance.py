# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a live answer is one the document describes: a documented status, with a body of a documented media type and schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..http_client import Answer
from .operations import Operation, anonymous, operations
from .places import Located
from .rules import from_version
from .validity import schema_validator

_DOCUMENT = "urn:hypergraph:openapi"
_MAX_PROBLEMS = 5


def documented(document: Mapping[str, Any], method: str, path: str) -> Operation | None:
    """The operation reached by method and path template at the service's own address, whatever its path parameters are named.

    A base path before the version (``/api``) is taken off by what stands in front of the service, and is no part of its paths.
    """
    wanted = f"{method} {anonymous(path)}"
    for operation in operations(document):
        own = {f"{operation.method} {anonymous(from_version(base) + operation.path)}" for base in operation.base_paths}
        if wanted in own:
            return operation
    return None


def disagreements(operation: Operation, answer: Answer) -> list[str]:
    """What of the answer the document does not describe; a few lines that name places and rules, never the values themselves."""
    response = operation.response_to(answer.status)
    if response is None:
        return [f"status {answer.status} is not documented, only {', '.join(operation.responses) or 'none'}"]
    contents = {name.partition(";")[0].strip().lower(): media for name, media in response.child("content").members()}
    if not contents:
        return []
    media = next((contents[name] for name in _matching(answer.content_type) if name in contents), None)
    if media is None:
        return [f"media type {answer.content_type or 'missing'} is not documented for status {answer.status}, only {', '.join(contents)}"]
    if media.child("schema").value is None or not is_json(answer.content_type):
        return []
    try:
        # Not strict_json: whether NaN is served is for trace_workflow to say.
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return [f"the body is declared as {answer.content_type} but is not JSON"]
    return _violations(operation.document, media.child("schema"), body)


def _violations(document: Mapping[str, Any], schema: Located, body: Any) -> list[str]:
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    registry = Registry().with_resource(_DOCUMENT, DRAFT202012.create_resource(document))
    validator = schema_validator(document)({"$ref": _DOCUMENT + quote(schema.pointer, safe="#/~")}, registry=registry)
    found = [
        f"{'/'.join(('', *map(str, error.absolute_path))) or 'the body'} breaks {error.validator}{_shown(error)}"
        for error in sorted(validator.iter_errors(body), key=lambda error: list(map(str, error.absolute_path)))
    ]
    return found[:_MAX_PROBLEMS]


def _shown(error: Any) -> str:
    """The rule's own value, where it is short; the value that breaks it may be a secret and is not shown."""
    text = json.dumps(error.validator_value, default=str)
    return f" {text}" if len(text) <= 80 else ""


def _matching(content_type: str) -> tuple[str, ...]:
    return (content_type, f"{content_type.partition('/')[0]}/*", "*/*")


def is_json(content_type: str) -> bool:
    """Whether a media type is JSON."""
    return content_type == "application/json" or content_type.endswith("+json")
