# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the StatusStore check, with or without a service that stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection, Token
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import Examination
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store import check
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.status_store.storing_explainer import Explaining
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.tenant_service import serving

ALPHA = Token("alpha-writer", "alpha-token-0123456789", "alpha", frozenset(["traces:write"]))
MIB = 1024 * 1024


def examination(url: str, path: Path | str, *, who: tuple[Token, ...] = (ALPHA,), **options: Any) -> Examination:
    params = {
        "model": "m",
        "trace_deadline": options.pop("within", 3.0),
        "backend": "json",
        "path": str(path),
        "max_bytes": options.pop("max_bytes", 256 * MIB),
        "table": None,
        "endpoint_url": None,
        "region": None,
        **options.pop("params", {}),
    }
    connection = Connection(url, who, timeout=2.0, auth_mode=options.pop("auth_mode", "static"))
    return Examination(Verdict("tenant_isolation"), connection, params, **options)


def verdict_of(run: Examination) -> dict[str, Any]:
    try:
        check.examine(run)
    except CheckError as fault:
        run.verdict.error(fault.reason_code, fault.reason, fault.action)
    return run.verdict.to_dict()


def verdict_on(service: Explaining, **options: Any) -> dict[str, Any]:
    with serving(service):
        return verdict_of(examination(service.url, service.path, **options))


def read_only(path: Path | str, **options: Any) -> dict[str, Any]:
    """The verdict of the reading part alone."""
    return verdict_of(examination("http://127.0.0.1:9", path, check_mode=True, **options))
