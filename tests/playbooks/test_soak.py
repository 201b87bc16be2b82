"""A soak on the lab: one that is killed and interrupted goes on, ends green, and is not continued with other arguments."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Lab
from tests.lab.client import eventually
from tests.running import Run, started

pytestmark = pytest.mark.paced
SEGMENTS = 8
# As short as trends allow, and generous: what is tried here is the playbook, not the lab's speed.
BRIEF: dict[str, Any] = {
    "sidecar_soak_segments": SEGMENTS,
    "sidecar_soak_segment_seconds": 5,
    "sidecar_soak_rate": 20,
    "sidecar_soak_sample_interval": 0.25,
    "sidecar_load_model": "closed",  # where neighbours take the processor, open loops are late
    "sidecar_load_concurrency": 8,
    "sidecar_soak_max_p95_rise": 50,
    "sidecar_soak_max_memory_rise": 10,
    "sidecar_slo_quantile": 0.5,
    "sidecar_slo_correlation_seconds": 0.1,
    "sidecar_slo_ms": {"chat": 5000, "sentence": 20000, "token": 20000},
}


class Soak:
    """A soak that may be run again and again."""

    def __init__(self, lab: Lab, home: Path) -> None:
        self._lab = lab
        self._home = home
        self.folder = home / "lab/soak/latest"

    def arguments(self, **changes: object) -> tuple[str, ...]:
        return ("-e", json.dumps({**BRIEF, "sidecar_load_directory": str(self._home / "load"), **changes}))

    def run(self, **changes: object) -> Run:
        """Run it, and again where neighbours on this machine made the generator late, which drives those segments again."""
        return self._lab.measure(self._home, *self.arguments(**changes), name="soak")

    def ended_by(self, number: int, *, in_segment: int) -> None:
        """Run it until it drives a segment, and end it there: by SIGINT as a terminal does, or by killing the controller alone."""
        earlier = set(self._home.glob("load/*/lab/progress.json"))
        play = started("soak", *self.arguments(), results=self._home, SIDECAR_LAB_STATE=str(self._lab.state))
        try:
            eventually(lambda: (self.folder / f"{in_segment - 1:04}/samples.json").exists(), within=240)
            eventually(lambda: self._driving(earlier), within=60)
        finally:
            (os.killpg if number == signal.SIGINT else os.kill)(play.pid, number)
            play.communicate()
        eventually(lambda: not self._driving(set()), within=60)

    def _driving(self, earlier: set[Path]) -> bool:
        """Whether a load other than those is under way."""
        found = [json.loads(path.read_text()) for path in set(self._home.glob("load/*/lab/progress.json")) - earlier]
        return any(progress["state"] == "running" and _alive(progress["pid"]) for progress in found)

    def kept(self) -> dict[str, int]:
        """When each segment that is whole was brought home."""
        return {path.parent.name: path.stat().st_mtime_ns for path in self.folder.glob("*/samples.json")}


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_soak_that_was_killed_and_interrupted_goes_on_and_is_green(healthy_lab: Lab, tmp_path: Path) -> None:
    soak = Soak(healthy_lab, tmp_path)
    soak.ended_by(signal.SIGKILL, in_segment=2)
    first = soak.kept()
    assert first.keys() == {"0001"}
    late = bool(json.loads((soak.folder / "0001/lab.json").read_text())["generators"][0]["problems"])
    soak.ended_by(signal.SIGINT, in_segment=3)
    second = soak.kept()
    assert second.keys() == {"0001", "0002"}
    assert (second["0001"] == first["0001"]) is not late, "what is whole is kept, and what says nothing is driven again"
    spoiled = soak.folder / "0002/samples.json"
    spoiled.write_text("[" * 100_000)
    run = soak.run()
    assert run.returncode == 0, run.output
    assert run.statuses == {"preflight": "pass", "slo_adherence": "pass"}
    assert len(soak.kept()) == SEGMENTS
    examined = run.checks["slo_adherence"]["examined"]
    assert examined["segments"] == SEGMENTS
    document = json.loads((soak.folder / "soak_summary.json").read_text())
    assert [segment["problem"] for segment in document["segments"]] == [None] * SEGMENTS
    assert {trend["kind"] for trend in document["trends"]} == {"p95_ms", "errors", "memory_bytes", "queue_lag_s"}
    page = (run.directory / "report.html").read_text()
    assert page.count('class="soak"') == len(document["trends"])
    assert "resident memory of explainer" in (run.directory / "report.md").read_text()


def test_what_is_over_or_was_begun_with_other_arguments_is_refused_with_the_remedy(healthy_lab: Lab, tmp_path: Path) -> None:
    soak = Soak(healthy_lab, tmp_path)
    told = {"sidecar_soak_segments": 1, "sidecar_soak_id": "night"}
    assert soak.run(**told).checks["slo_adherence"]["examined"]["segments"] == 1
    for changes, said in (({"sidecar_soak_rate": 21}, "rate_per_s was 20.0, is 21.0"), ({}, "soak night is over")):
        run = soak.run(**told, **changes)
        assert run.returncode != 0
        assert run.statuses["slo_adherence"] == "inconclusive"
        (control,) = [one for one in run.checks["slo_adherence"]["controls"] if not one["ok"]]
        assert control["reason_code"] == "load-not-driven"
        assert said in control["observed"]
        assert "sidecar_soak_id" in control["observed"]


def test_a_soak_that_is_over_is_followed_by_another(healthy_lab: Lab, tmp_path: Path) -> None:
    soak = Soak(healthy_lab, tmp_path)
    soak.run(sidecar_soak_segments=1, sidecar_load_stop_early=True)
    first = soak.folder.resolve()
    assert "stop_early" not in json.loads((first / "0001/lab.json").read_text())["plan"], "a segment is driven to its end"
    run = soak.run(sidecar_soak_segments=1, sidecar_slo_ms={"chat": 0.001, "sentence": 20000, "token": 20000})
    assert soak.folder.resolve() != first
    assert "slo-broken" in {one["reason_code"] for one in run.checks["slo_adherence"]["assertions"] if not one["ok"]}, run.output


def test_a_generator_that_cannot_drive_ends_the_soak_at_once(healthy_lab: Lab, tmp_path: Path) -> None:
    soak = Soak(healthy_lab, tmp_path)
    run = soak.run(sidecar_featureset="no such set", sidecar_attach_rate=7)
    assert run.returncode != 0
    assert run.checks["slo_adherence"]["status"] in ("inconclusive", "error")
    told = [one["observed"] for one in run.checks["slo_adherence"]["controls"] if not one["ok"]]
    assert "segment 0001 was not driven by lab" in told
    assert any("attach_rate" in one for one in told)
    assert run.output.count("TASK [Drive the service]") == 1


def test_without_metrics_endpoints_the_rest_is_judged_and_said(healthy_lab: Lab, tmp_path: Path) -> None:
    run = Soak(healthy_lab, tmp_path).run(sidecar_metrics_endpoints=[], sidecar_soak_segments=1)
    (skip,) = run.checks["slo_adherence"]["skips"]
    assert skip["skip_class"] == "disabled_by_config"
    assert "no metrics endpoint" in skip["reason"]
