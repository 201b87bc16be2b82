# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check gateway_rbac: the matrix walked and judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from ..examination import Examination
from . import coverage
from .contract import Route, callers, contract_routes, owners
from .judgement import judge_cells, judge_effects, judge_gaps, judge_tokens, refusals_in
from .matrix import Matrix
from .resources import Resources


def examine(run: Examination) -> None:
    """Walk the matrix and judge it, also as far as it went where a fault ends it early. Raises CheckError for an argument."""
    refusals = refusals_in(run.params)
    model = str(run.params["model"])
    routes = (*contract_routes(model), *map(Route.from_params, run.params["routes"]))
    if not run.has_tokens("traces:write", "traces:read"):
        return
    tokens = run.connection.tokens
    owned = owners(tokens)
    columns = callers(tokens, owned)
    run.verdict.redactor.learn(caller.token for caller in columns if isinstance(caller.token, str))
    rows = tuple(route for route in routes if route.only_reads) if run.check_mode else routes
    deadline = float(run.params["trace_deadline"])
    resources = {tenant: Resources(run.client, owner, model, deadline) for tenant, owner in owned.items()}
    matrix = Matrix(run.client, resources)
    try:
        matrix.walk(rows, columns)
        if not run.check_mode:
            matrix.settle()
    finally:
        _judge(run, matrix, rows, refusals)
        with ExitStack() as tidying:
            for things in resources.values():
                tidying.callback(things.tidy, run.verdict)
    judge_tokens(run.verdict, tokens, run.connection.absent_tokens, owned)
    judge_gaps(run.verdict, columns, rows)
    coverage.judge(run, routes)
    if run.check_mode:
        _skip_writes(run, [route for route in routes if not route.only_reads])


def _judge(run: Examination, matrix: Matrix, rows: Iterable[Route], refusals: Mapping[str, list[int]]) -> None:
    if not matrix.cells:
        return
    judge_cells(run.verdict, matrix, refusals)
    if not run.check_mode:
        judge_effects(run.verdict, matrix)
    shown = {route.name: {cell.caller.name: cell.status for cell in matrix.cells if cell.route is route} for route in rows}
    run.verdict.record(matrix=shown)


def _skip_writes(run: Examination, writing: list[Route]) -> None:
    run.verdict.skip(
        "disabled_by_config",
        f"check mode: {len(writing)} routes that change something or need a trace of the probe's own, such as {writing[0].name}",
        "Run without --check.",
    )
