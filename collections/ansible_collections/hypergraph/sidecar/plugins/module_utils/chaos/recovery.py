# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check chaos_recovery: all experiments of an environment together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..examination import Inspection
from ..faults import CheckError
from ..load.exceedance import STATISTICS
from ..ranges import hold_within
from ..verdict import Verdict
from .callers import Terms, judge_callers
from .judgement import Experiment, Limits, judge_drill, judge_experiment, judge_reverts


def examine(inspection: Inspection) -> None:
    """Judge the drill and every experiment that was asked for. Raises CheckError for arguments that cannot be used."""
    verdict, params = inspection.verdict, inspection.params
    experiments = [Experiment.read(document) for document in params["experiments"]]
    names = [experiment.name for experiment in experiments]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        said = f"two experiments are called {repeated!r}, expected distinct names"
        raise CheckError("bad-experiment", said, "Give one of them a name of its own.")
    if params["ended_early"] is not None:
        _judge_early_end(verdict, params["ended_early"])
        return
    if not params["allowed"]:
        verdict.skip(
            "disabled_by_config",
            "the environment does not let faults in (sidecar_chaos_allowed)",
            "Set sidecar_chaos_allowed in its inventory, to production where sidecar_production is true.",
        )
        return
    verdict.examine("experiments", len(experiments))
    if not judge_drill(verdict, params["drill"]):
        return
    limits = Limits(params["min_trials"], params["budget"], params["chat_seconds"])
    for experiment in experiments:
        judge_experiment(verdict, experiment, [trial for trial in params["trials"] if trial.get("experiment") == experiment.name], limits)
    if params["load"] is not None:
        judge_callers(verdict, experiments, params["trials"], params["load"], _terms(params))


def _judge_early_end(verdict: Verdict, ended: Mapping[str, Any]) -> None:
    """Experiments that something else than a fault ended are an error, or worse where what was in force may still be."""
    host = ended.get("host")
    said = f"the experiments ended early on {host}, in task {str(ended.get('task'))!r}: {ended.get('msg')}"
    verdict.error("experiments-ended-early", said, "Correct what it names, and run again.")
    reverted = ended.get("reverted") or {"failed": True, "msg": "nothing was taken back"}
    if not reverted.get("skipped"):
        judge_reverts(verdict, f"what was in force on {host}", [{"reverted": [reverted]}])


def _terms(params: Mapping[str, Any]) -> Terms:
    hold_within(params, {"correlation_seconds": STATISTICS["correlation_seconds"], "max_regression": (0.0, 100.0)})
    return Terms(params["correlation_seconds"], params["max_regression"])
