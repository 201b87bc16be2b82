"""The audit log: one JSON line for each API action, also for those that were refused."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab import timestamps
from lab.scrub import scrub

SNIPPET_LENGTH = 200


@dataclass(kw_only=True)
class AuditEntry:
    """What somebody did, or was kept from doing. ``tenant_id`` and ``subject`` are None while nobody knows whose request it is.

    ``prompt`` is what the snippet is made of; it is not written itself.
    """

    request_id: str
    action: str
    tenant_id: str | None = None
    subject: str | None = None
    trace_id: str | None = None
    outcome: str = ""
    prompt: str = ""


class AuditLog:
    """Writes entries to a file of mode 0600; one line is one write, so that lines of several writers do not mix."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path

    def write(self, entry: AuditEntry) -> None:
        """Append an entry. The file is opened anew each time: it may have been rotated away."""
        line = (json.dumps(self.document(entry), ensure_ascii=False) + "\n").encode("utf-8", "replace")
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def document(self, entry: AuditEntry) -> Mapping[str, Any]:
        """The entry as it is written."""
        fields = asdict(entry)
        del fields["prompt"]
        return {"ts": timestamps.now(), **fields, "snippet": self.snippet(entry)}

    def snippet(self, entry: AuditEntry) -> str:
        """The beginning of the prompt. Scrubbed before it is cut, lest the cut leaves half a card number."""
        return scrub(entry.prompt)[:SNIPPET_LENGTH]


class NoAuditLog(AuditLog):
    """What AUDIT_ENABLED=0 writes."""

    def __init__(self) -> None:
        super().__init__(Path(os.devnull))

    def write(self, entry: AuditEntry) -> None:
        """Write nothing."""
