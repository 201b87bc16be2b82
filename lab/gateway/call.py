"""One call of the API as its handler sees it, and reading what it brings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from starlette.requests import Request

from lab.audit import AuditEntry
from lab.openai_errors import ApiError
from lab.settings import Identity

MAX_BODY = 1024 * 1024


@dataclass(frozen=True)
class Call:
    """An authorised call. ``entry`` is its audit entry, to which the handler may add; ``body`` is what was read before."""

    request: Request
    identity: Identity
    entry: AuditEntry
    body: bytes = b""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers, whatever their case."""
        return self.request.headers

    @property
    def trace_id(self) -> str:
        """The trace id in the path."""
        return str(self.request.path_params["trace_id"])


async def read_body(request: Request) -> bytes:
    """The body. Raises ApiError 413 where it is longer than MAX_BODY, without reading on."""
    parts: list[bytes] = []
    length = 0
    async for part in request.stream():
        parts.append(part)
        length += len(part)
        if length > MAX_BODY:
            raise ApiError(413, f"The body is longer than {MAX_BODY} bytes", code="body_too_large", headers={"connection": "close"})
    return b"".join(parts)


def parsed(body: bytes) -> dict[str, Any]:
    """A body that is a JSON object. Raises ApiError 400."""
    try:
        document = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ApiError(400, "The body is not valid JSON", code="invalid_json") from None
    if not isinstance(document, dict):
        raise ApiError(400, "The body is not a JSON object", code="invalid_json")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
