"""What the gateway tells about itself: models, and the document of its API."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import yaml
from starlette.responses import Response

from lab.gateway.call import Call
from lab.interceptor_protocol import HOP_HEADER
from lab.openai_errors import ApiError
from lab.settings import Settings


class Documents:
    """The routes for models and the API document, which is read once."""

    def __init__(self, settings: Settings, interceptor: httpx.AsyncClient, openapi: Path) -> None:
        self._hop = {HOP_HEADER: settings.SIDECAR_HOP_SECRET}
        self._interceptor = interceptor
        self._openapi = json.dumps(yaml.load(openapi.read_text(encoding="utf-8"), yaml.CSafeLoader)).encode()

    async def models(self, _call: Call) -> Response:
        """GET /v1/models."""
        try:
            answer = await self._interceptor.get("/v1/models", headers=self._hop)
        except httpx.HTTPError:
            raise ApiError(502, "The interceptor cannot be reached", "upstream_error", code="interceptor_unreachable") from None
        return Response(answer.content, answer.status_code, media_type="application/json")

    async def openapi(self, _call: Call) -> Response:
        """GET /v1/openapi.json."""
        return Response(self.served_openapi(), media_type="application/json")

    def served_openapi(self) -> bytes:
        """The API document as JSON."""
        return self._openapi
