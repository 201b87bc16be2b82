# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the check against a gateway over HTTP, and the verdict that comes of it."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.audit.check import examine
from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import Examination
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.audit.audited_gateway import TOKENS, AuditedGateway

PARAMS = {
    "log_paths": [],
    "action_names": {},
    "allowed_outcomes": ["allowed"],
    "denied_outcomes": ["denied*"],
    "allow": [],
    "max_bytes": 1 << 28,
    "rotated_files": 1,
    "settle": 0.1,
    "clock_skew": 5.0,
    "trace_deadline": 10.0,
    "model": "gpt-4o-mini",
}


def verdict_of(gateway: AuditedGateway, *, tokens: Any = TOKENS, check_mode: bool = False, auth_mode: str = "static", **params: Any) -> Any:
    """The verdict on a gateway as a document, which must not hold what was searched for."""
    verdict = Verdict("audit_pii")
    verdict.redactor.learn(token.value for token in tokens)
    connection = Connection(gateway.url, tuple(tokens), auth_mode=auth_mode)
    try:
        examine(Examination(verdict, connection, {"path": str(gateway.log), **PARAMS, **params}, check_mode))
    except CheckError as fault:
        verdict.error(fault.reason_code, fault.reason, fault.action)
    document = verdict.to_dict()
    told = json.dumps(document)
    for call in gateway.calls:
        sent = (call.headers.get("Authorization") or "").partition(" ")[2]
        assert not sent or sent not in told
        assert not any(word in told for word in call.prompt.replace(",", " ").split() if "@" in word or word.startswith("sk-"))
    return document


def reason_codes(document: Any) -> set[str]:
    return {assertion["reason_code"] for assertion in document["assertions"] if not assertion["ok"]}
