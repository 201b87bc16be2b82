# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the matrix has a row for every documented operation: a route nobody examined is not known to be guarded."""

from __future__ import annotations

from collections.abc import Iterable

from ..examination import Examination
from ..faults import CheckError
from ..http_client import Answer
from .contract import Route

_METHODS = ("get", "post", "put", "patch", "delete")


def judge(run: Examination, routes: Iterable[Route]) -> None:
    """Compare the routes with the OpenAPI document the gateway serves; without a readable one this part is skipped."""
    answer = run.client.get("/v1/openapi.json", run.connection.tokens[0])
    documented = _operations(answer)
    if not documented:
        run.verdict.skip(
            "not_applicable",
            f"whether every documented route was examined, since /v1/openapi.json ({answer.status}) names no operation under /v1",
            "Serve the OpenAPI document as JSON, so that a new route without a row is noticed.",
        )
        return
    rows = {_anonymous(f"{route.method} {route.path}") for route in routes}
    missing = sorted(operation for operation in documented if _anonymous(operation) not in rows)
    run.verdict.examine("documented operations", len(documented))
    run.verdict.expect(
        "every documented route has a row in the matrix",
        not missing,
        expected="a row for each",
        observed=missing,
        reason_code="route-unexamined",
        action="Add the route with its scope to the routes argument of rbac_probe.",
    )


def _operations(answer: Answer) -> frozenset[str]:
    try:
        document = answer.json() if answer.status == 200 else None
    except CheckError:
        document = None
    paths = document.get("paths") if isinstance(document, dict) else None
    return frozenset(
        f"{method.upper()} {path}"
        for path, item in (paths.items() if isinstance(paths, dict) else ())
        if path.startswith("/v1/") and isinstance(item, dict)
        for method in item
        if method in _METHODS
    )


def _anonymous(operation: str) -> str:
    """The operation with every path parameter named alike."""
    return "/".join("{}" if part.startswith("{") else part for part in operation.split("/"))
