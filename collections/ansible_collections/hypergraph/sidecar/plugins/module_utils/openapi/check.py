# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check as a whole: artifacts first, since they need no service, then the service itself."""

from __future__ import annotations

from ..examination import Examination
from .artifacts import judge_change_document, judge_specification, load_specification
from .runtime import Caller, fetch_served, judge_live, judge_served


def examine(run: Examination) -> None:
    """Judge the specification, the change-management document, what is served, and how the service answers.

    Where no file is given, the served document is judged as the specification.
    """
    specification = load_specification(run)
    valid = specification is not None and judge_specification(run, specification)
    judge_change_document(run)
    caller = Caller(run)
    if not caller.can_call:
        empty = f" (empty: {', '.join(run.connection.absent_tokens)})" if run.connection.absent_tokens else ""
        run.verdict.skip(
            "dependency_missing",
            f"the served document and answers to callers with a token, since there is no token{empty}",
            "Give sidecar_tokens their values, from vault or from the environment variables the inventory names.",
        )
    served = fetch_served(run, caller)
    if specification is not None and served is not None:
        judge_served(run, specification, served.document)
    elif served is not None and not run.params["spec_path"]:
        specification = served.document
        valid = judge_specification(run, specification)
    judge_live(run, caller, specification if valid else None, served)
