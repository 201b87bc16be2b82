"""Defects of authentication and authorisation."""

from __future__ import annotations

from lab.defects.seeded import Seeded
from lab.gateway.guard import Guard
from lab.openai_errors import ApiError
from lab.settings import Identity

_STRANGER = Identity(tenant_id="default", subject="stranger", scopes=frozenset())


class FaultyGuard(Seeded, Guard):
    """A guard with holes."""

    def authenticate(self, authorization: str | None, action: str) -> Identity:
        """As a guard should, but for anonymous and unknown callers of single routes."""
        try:
            return super().authenticate(authorization, action)
        except ApiError as refusal:
            if refusal.status == 401 and action == "openapi.read" and self._defects.applied("anonymous-let-in"):
                return _STRANGER
            if refusal.status == 403 and action == "openapi.read" and self._defects.applied("unknown-token-let-in"):
                return _STRANGER
            if refusal.status == 401 and action == "webhook.list" and self._defects.applied("anonymous-forbidden"):
                raise ApiError(403, refusal.message, refusal.kind, code=refusal.code) from None
            raise

    def authorise(self, identity: Identity, scope: str, action: str) -> None:
        """As a guard should, but for single routes."""
        if action == "webhook.list" and identity.scopes == {"traces:read"} and self._defects.applied("reader-refused"):
            raise ApiError(403, "The token lacks the scope traces:read", "permission_error", code="missing_scope")
        try:
            super().authorise(identity, scope, action)
        except ApiError:
            if action == "trace.cancel" and self._defects.applied("cancel-scope-unchecked"):
                return
            if action == "trace.graph" and self._defects.applied("graph-scope-unchecked"):
                return
            raise
