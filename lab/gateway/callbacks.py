"""The webhook API: registering, listing and deleting callbacks of one's tenant."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from lab.gateway.call import Call, parsed, read_body
from lab.openai_errors import ApiError
from lab.settings import Settings
from lab.webhooks import EVENTS, MAX_PER_TENANT, TooManyWebhooks, Webhook, Webhooks

_MAX_URL = 2048
_SECRET_LENGTHS = (16, 256)


class Callbacks:
    """The webhook routes."""

    def __init__(self, settings: Settings, webhooks: Webhooks) -> None:
        self._settings = settings
        self._webhooks = webhooks

    async def create(self, call: Call) -> Response:
        """POST /v1/webhooks."""
        wanted = parsed(await read_body(call.request))
        url, secret, events = _url(wanted.get("url")), _secret(wanted.get("secret")), _events(wanted.get("events", list(EVENTS)))
        try:
            webhook = self._webhooks.register(call.identity.tenant_id, url, secret, events)
        except TooManyWebhooks:
            raise ApiError(409, f"A tenant has at most {MAX_PER_TENANT} webhooks; delete one first", code="too_many_webhooks") from None
        return JSONResponse(webhook.as_document(), 201)

    async def listed(self, call: Call) -> Response:
        """GET /v1/webhooks."""
        return JSONResponse({"object": "list", "data": [webhook.as_document() for webhook in self._visible(call)]})

    async def delete(self, call: Call) -> Response:
        """DELETE /v1/webhooks/{webhook_id}."""
        if not self._webhooks.delete(call.identity.tenant_id, str(call.request.path_params["webhook_id"])):
            raise ApiError(404, "No webhook has this id", code="webhook_not_found", param="webhook_id")
        return Response(status_code=204)

    def _visible(self, call: Call) -> list[Webhook]:
        return self._webhooks.of_tenant(call.identity.tenant_id)


def _url(value: Any) -> str:
    try:
        parts = urlsplit(value) if isinstance(value, str) and len(value) <= _MAX_URL else urlsplit("")
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or any(character.isspace() for character in value):
        raise ApiError(400, "url: expected an http or https address without credentials", code="invalid_value", param="url")
    return str(value)


def _secret(value: Any) -> str:
    low, high = _SECRET_LENGTHS
    if not isinstance(value, str) or not low <= len(value) <= high:
        raise ApiError(400, f"secret: expected a text of {low} to {high} characters", code="invalid_value", param="secret")
    return value


def _events(value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(event in EVENTS for event in value):
        raise ApiError(400, f"events: expected a list out of {', '.join(EVENTS)}", code="invalid_value", param="events")
    return list(dict.fromkeys(value))
