"""Defects of the audit log."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from lab.audit import SNIPPET_LENGTH, AuditEntry, AuditLog
from lab.defects.seeded import Seeded
from lab.scrub import RULES, scrub

# The Authorization header of the request at hand, which a healthy log never sees.
AUTHORIZATION: ContextVar[str] = ContextVar("authorization", default="")


class FaultyAuditLog(Seeded, AuditLog):
    """An audit log that writes too little, or too much."""

    def write(self, entry: AuditEntry) -> None:
        """Append the entry, unless it is one to be forgotten."""
        if entry.action == "trace.cancel" and self._defects.applied("cancel-unaudited"):
            return
        super().write(entry)

    def document(self, entry: AuditEntry) -> Mapping[str, Any]:
        """The entry, with what nobody should write down."""
        document = dict(super().document(entry))
        authorization = AUTHORIZATION.get()
        if authorization and self._defects.applied("authorization-logged"):
            document["headers"] = {"authorization": authorization}
        if authorization and self._defects.applied("authorization-logged-base64"):
            document["session"] = base64.b64encode(authorization.removeprefix("Bearer ").encode()).decode()
        return document

    def snippet(self, entry: AuditEntry) -> str:
        """The beginning of the prompt, not quite scrubbed."""
        clean = super().snippet(entry)
        if entry.outcome != "allowed" and clean != entry.prompt[:SNIPPET_LENGTH] and self._defects.applied("error-path-unscrubbed"):
            return entry.prompt[:SNIPPET_LENGTH]
        for kind, defect in (("email", "email-unscrubbed"), ("card", "card-unscrubbed")):
            if self._defects.active(defect):
                careless = scrub(entry.prompt, [rule for rule in RULES if rule != kind])[:SNIPPET_LENGTH]
                if careless != clean and self._defects.applied(defect):
                    return careless
        return clean
