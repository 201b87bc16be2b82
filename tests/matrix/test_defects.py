"""The defect matrix: each seeded defect turns its own check red for the stated reason and leaves the others green.

A defect that was not applied proves nothing, and neither does a red for another reason; both fail here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.defects import CATALOG, Defect
from tests.conftest import Lab, in_time, publish
from tests.running import CHAOS_CHECKS, LOAD_CHECKS, PRESSURE_CHECKS, RUNTIME_CHECKS, STATIC_CHECKS, Run

SEEDED = [defect for defect in CATALOG.values() if not defect.benign]
# One fault shows what a defect of chaos does to any.
ONE_FAULT = (
    "-e",
    json.dumps(
        {
            "sidecar_chaos_experiments": [
                {
                    "fault": "slow-sae",
                    "parameters": {"percent": 100, "jitter_ms": 2000},
                    "seen": {"symptom": "slower", "by_seconds": 0.6},
                }
            ]
        }
    ),
)
# Wide, as a generator must keep its own lateness far below the smallest; the delays that are seeded are beyond them.
OBJECTIVES = {"chat": 4000, "sentence": 4000}
# What only many callers meet, and only after a while.
CHAOS_BESIDE_LOAD = {
    "chaos-drains-pool": {
        "sidecar_chaos_load": True,
        "sidecar_chaos_load_rate": 10,
        "sidecar_chaos_hold": 20,
        "sidecar_chaos_chat_seconds": OBJECTIVES["chat"] / 1000,
        "sidecar_chaos_renew_within": 240,
        "sidecar_chaos_ttl": 480,
        "sidecar_slo_correlation_seconds": 0.1,
    }
}
# Long enough for what is far off its objective; a pass would take a minute.
BRIEF_LOAD = {
    "sidecar_load_warmup": 1,
    "sidecar_load_duration": 20,
    "sidecar_load_rate": 15,
    "sidecar_load_concurrency": 32,
    "sidecar_attach_rate": 0.15,
    "sidecar_load_granularity": "sentence",
    "sidecar_slo_correlation_seconds": 0.1,
    "sidecar_slo_ms": OBJECTIVES,
}
# What takes longer to tell from an objective that is kept, or comes late.
LONG_LOAD = {"chat-tail-8-percent": {"sidecar_load_duration": 100}, "chat-slow-late": {"sidecar_load_duration": 100}}
# A lab whose ladder acts at rates that one machine can offer, and a climb that shows it.
SLOW_LAB = [
    f"--set={setting}"
    for setting in (
        "EXPLAINER_WORKERS=2",
        "EXPLAIN_SENTENCE_MS=lognormal:200,300",
        "EXPLAIN_TOKEN_MS=lognormal:400,530",
        "QUEUE_SOFT_DEPTH=8",
        "QUEUE_HARD_DEPTH=24",
        "QUEUE_SOFT_LAG_SECONDS=0.5",
        "QUEUE_HARD_LAG_SECONDS=2",
    )
]
BRIEF_PRESSURE = {
    "sidecar_pressure_start_rate": 4,
    "sidecar_pressure_step_seconds": 8,
    "sidecar_pressure_hold": 16,
    "sidecar_pressure_trace_budget": 30,
    "sidecar_pressure_recovery_within": 30,
    "sidecar_slo_correlation_seconds": 0.25,
    "sidecar_slo_ms": OBJECTIVES,
}
# What shows only with time, in as little of it as trends allow. Objectives are wide, so that what creeps fails by its trend alone.
GROWING = ("soak-memory-leaks", "soak-p95-creeps", "soak-errors-creep", "benign-memory-plateau")
BRIEF_SOAK = {
    "sidecar_soak_segments": 8,
    "sidecar_soak_segment_seconds": 6,
    "sidecar_soak_rate": 20,
    "sidecar_soak_sample_interval": 0.25,
    "sidecar_load_model": "closed",
    "sidecar_load_concurrency": 64,
    "sidecar_soak_max_p95_rise": 0.5,
    "sidecar_soak_max_error_rise": 0.05,
    "sidecar_soak_max_memory_rise": 0.2,
    "sidecar_slo_quantile": 0.5,
    "sidecar_slo_correlation_seconds": 0.1,
    "sidecar_slo_ms": {"chat": 5000, "sentence": 20000, "token": 20000},
}
# On a machine that others use as well percentiles move; what is benign here is so by its memory.
BENIGN_SOAK = {"sidecar_soak_max_p95_rise": 50}
BENIGN = [defect for defect in CATALOG.values() if defect.benign]


def seeded(defect: Defect, name: str) -> Any:
    """The case of a defect; one that is told from what a load measured takes a machine that has time for it."""
    paced = defect.check in (*LOAD_CHECKS, *PRESSURE_CHECKS) or defect.id in CHAOS_BESIDE_LOAD
    return pytest.param(defect, id=name, marks=[pytest.mark.paced] if paced else [])


def judged(defect: Defect, start_lab: Callable[..., Lab], tmp_path: Path) -> tuple[Lab, Run, tuple[str, ...]]:
    """Seed a defect and look for it: the lab, the run and the checks that the run is to have judged.

    What is not deployed yet no running service can show, so that for a defect of it the documents alone are published; and what is broken
    in a service changes nothing of what is to be deployed.
    """
    if defect.check in STATIC_CHECKS:
        lab = publish(tmp_path / "lab", defect.id)
        return lab, lab.verify(tmp_path, name="pre_deploy"), STATIC_CHECKS
    labs: list[Lab] = []

    def started() -> Lab:
        # What a defect does may depend on what its lab has been through.
        for lab in labs:
            lab.stop()
        labs.append(start_lab("--defect", defect.id, *(SLOW_LAB if defect.check in PRESSURE_CHECKS else [])))
        return labs[-1]

    def measured(name: str, *arguments: str, **variables: object) -> Run:
        told = json.dumps({**variables, "sidecar_load_directory": str(tmp_path / "load")})
        return in_time(lambda: started().verify(tmp_path, *arguments, "-e", told, name=name))

    if defect.check in PRESSURE_CHECKS:
        run, checks = measured("backpressure", **BRIEF_PRESSURE), PRESSURE_CHECKS
    elif defect.id in GROWING:
        # Goes on where it was, with the segments that are not whole.
        told = {**BRIEF_SOAK, "sidecar_load_directory": str(tmp_path / "load"), **(BENIGN_SOAK if defect.benign else {})}
        run, checks = started().measure(tmp_path, "-e", json.dumps(told), name="soak"), LOAD_CHECKS
    elif defect.check in LOAD_CHECKS:
        run, checks = measured("load", **{**BRIEF_LOAD, **LONG_LOAD.get(defect.id, {})}), LOAD_CHECKS
    elif defect.check in CHAOS_CHECKS:
        run, checks = measured("chaos", *ONE_FAULT, **CHAOS_BESIDE_LOAD.get(defect.id, {})), CHAOS_CHECKS
    else:
        options = ("--skip-tags", ",".join(STATIC_CHECKS), "-e", "sidecar_gate_selected_only=true")
        run, checks = started().verify(tmp_path, *options), RUNTIME_CHECKS
    return labs[-1], run, checks


@pytest.mark.parametrize("defect", [seeded(defect, f"{defect.check}-{defect.id}") for defect in SEEDED])
def test_defect_is_caught_by_its_own_check_alone(defect: Defect, start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab, run, checks = judged(defect, start_lab, tmp_path)
    owner = run.checks[defect.check]
    assert run.returncode != 0, run.output
    assert defect.id in lab.applied_defects(), "the defect was not applied, so the verdict proves nothing"
    assert (owner["status"], owner["reason_code"]) == (defect.status, defect.reason_code), owner["reason"]
    others = {check: f"{run.statuses[check]}: {run.checks[check]['reason']}" for check in checks if check != defect.check}
    assert {check: said for check, said in others.items() if not said.startswith("pass:")} == {}


@pytest.mark.parametrize("change", [seeded(change, change.id) for change in BENIGN])
def test_benign_change_stays_green(change: Defect, start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab, run, checks = judged(change, start_lab, tmp_path)
    assert change.id in lab.applied_defects(), "the change was not applied, so its green proves nothing"
    assert run.returncode == 0, run.output
    assert {check: run.statuses[check] for check in checks} == dict.fromkeys(checks, "pass")


@pytest.mark.parametrize("check", [*RUNTIME_CHECKS, *STATIC_CHECKS, *CHAOS_CHECKS, *LOAD_CHECKS, *PRESSURE_CHECKS])
def test_every_check_has_defects_of_its_own(check: str) -> None:
    assert len([defect for defect in SEEDED if defect.check == check]) >= 4
