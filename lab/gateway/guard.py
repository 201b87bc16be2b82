"""Who asks, and what they may: bearer tokens, tenants and scopes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from lab.openai_errors import ApiError
from lab.settings import SCOPES, Identity, Settings

# With AUTH_MODE=none everybody is this one.
EVERYBODY = Identity(tenant_id="default", subject="anonymous", scopes=SCOPES)


class Guard:
    """Authenticates a request, then authorises it. ``action`` names the route in both, as in the audit log."""

    def __init__(self, settings: Settings) -> None:
        self._open = settings.AUTH_MODE == "none"
        # By digest, so that looking a token up takes the same time however much of it is right.
        self._identities: Mapping[bytes, Identity] = {_digest(token): who for token, who in settings.AUTH_TOKENS_JSON.items()}

    def authenticate(self, authorization: str | None, action: str) -> Identity:  # noqa: ARG002  # see defects.faulty_guard
        """Who sent the Authorization header. Raises ApiError: 401 without a bearer token, 403 with one that nobody has."""
        if self._open:
            return EVERYBODY
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise ApiError(
                401,
                "No bearer token was sent; send one as Authorization: Bearer TOKEN",
                "authentication_error",
                code="missing_token",
                headers={"www-authenticate": 'Bearer realm="hypergraph"'},
            )
        identity = self._identities.get(_digest(token.strip()))
        if identity is None:
            raise ApiError(403, "The bearer token is not known", "permission_error", code="unknown_token")
        return identity

    def authorise(self, identity: Identity, scope: str, action: str) -> None:  # noqa: ARG002  # see defects.faulty_guard
        """Raise ApiError 403 where the identity lacks the scope; an empty scope asks for none."""
        if scope and scope not in identity.scopes:
            raise ApiError(403, f"The token lacks the scope {scope}", "permission_error", code="missing_scope")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
