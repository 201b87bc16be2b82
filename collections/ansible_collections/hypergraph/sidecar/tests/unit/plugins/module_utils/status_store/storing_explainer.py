# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that writes its traces into a file as an explainer does, and records as it writes them."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.tenant_service import Reply, TenantService


def record(tenant: str = "alpha", state: str = "complete", **more: Any) -> dict[str, Any]:
    return {"tenant_id": tenant, "state": state, "degraded": [], "error": None, **more}


OLD = {"old-1": record(), "old-2": record("beta", "failed")}


class Explaining(TenantService):
    """A service that stores its traces in a file by renaming, first queued and a moment later complete.

    ``starts`` and ``ending`` are the own record in each; ``others`` are records of others, written when the trace completes.
    """

    def __init__(
        self,
        path: Path,
        *,
        starts: dict[str, Any] | None = None,
        ending: dict[str, Any] | None = None,
        others: dict[str, Any] | None = None,
        stores: bool = True,
    ) -> None:
        super().__init__()
        self.path = path
        self.content: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        self.starts = starts or record(state="queued")
        self.ending = ending or record()
        self.others = others or {}
        self.stores = stores

    def chat(self, tenant: str, label: str | None, headers: Any, body: Any) -> Reply:
        reply = super().chat(tenant, label, headers, body)
        if self.stores:
            trace_id = reply.headers["x-trace-id"]
            self.write({trace_id: self.starts})
            threading.Timer(0.15, self.write, [{trace_id: self.ending, **self.others}]).start()
        return reply

    def write(self, changes: dict[str, Any]) -> None:
        self.content.update(changes)
        replace(self.path, self.content)


def replace(path: Path, content: Any) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content))
    draft.replace(path)
