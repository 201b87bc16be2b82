# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment to run api_versioning on as a whole: files on disk, a gateway over HTTP, and the verdict that comes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection, Token
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import Examination
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.openapi import check
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.documents import sidecar
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.openapi.stand_in import STATUS, TOKEN, Gateway, Reply, serving

WRITER = Token("writer", TOKEN, "alpha", frozenset({"traces:read", "traces:write"}))
READER = Token("reader", TOKEN, "alpha", frozenset({"traces:read"}))
CHANGES = "# Changes\n\n## ADR\n\nOne for each decision.\n\n## Freeze policy\n\nNo deploys on Fridays.\n"
UNKNOWN_VERSION = "GET /v2/models"


class Site:
    """The files of an environment, and one run of the check over them and a gateway."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.params: dict[str, Any] = {
            "spec_path": self.write("api.yaml", sidecar()),
            "released_spec_path": self.write("released.yaml", sidecar()),
            "change_document_path": self.write("change.md", CHANGES),
            "served_path": "/v1/openapi.json",
            "served_may_differ": ["/servers"],
            "unversioned_paths": [],
            "model": "m",
            "trace_deadline": 0.2,
        }

    def write(self, name: str, content: Any) -> str:
        path = self.folder / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    def verdict(
        self,
        gateway: Gateway | None = None,
        *,
        tokens: tuple[Token, ...] = (WRITER,),
        auth_mode: str = "static",
        check_mode: bool = False,
        **params: Any,
    ) -> dict[str, Any]:
        verdict = Verdict("api_versioning")
        with serving(gateway or Gateway()) as service:
            connection = Connection(service.url, tokens, auth_mode=auth_mode, timeout=5.0)
            try:
                check.examine(Examination(verdict, connection, {**self.params, **params}, check_mode))
            except CheckError as fault:
                verdict.error(fault.reason_code, fault.reason, fault.action)
        return verdict.to_dict()


def failing(verdict: dict[str, Any]) -> list[str]:
    return [assertion["reason_code"] for assertion in verdict["assertions"] if not assertion["ok"]]


def skipped(verdict: dict[str, Any]) -> str:
    return "; ".join(f"{skip['skip_class']}: {skip['reason']}" for skip in verdict["skips"])


def redirect(location: str) -> Reply:
    return Reply(308, b"", {"Location": location})


def asked_for_unknown_traces(reply: Reply) -> Gateway:
    """A gateway that answers so to whoever asks for the status of a trace that nobody made."""
    gateway = Gateway()
    sound = gateway.reply
    gateway.reply = lambda asked, token: (  # type: ignore[method-assign]
        reply if asked.endswith("/status") and asked != STATUS else sound(asked, token)
    )
    return gateway
