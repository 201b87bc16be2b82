"""Load on the lab: green where it should be, from one generator and from several, and inconclusive where one of them could not drive."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Lab
from tests.running import CHECKOUT, Run, environment

# Short, and with requests that need not be independent for long: what is tried here is the playbook, not the lab's speed.
pytestmark = pytest.mark.paced
BRIEF = {
    "sidecar_load_warmup": 1,
    "sidecar_load_duration": 15,
    "sidecar_load_rate": 20,
    "sidecar_load_concurrency": 8,
    "sidecar_load_granularity": "sentence",
    "sidecar_attach_rate": 0.5,
    "sidecar_slo_correlation_seconds": 0.1,
    "sidecar_slo_ms": {"chat": 5000, "sentence": 20000},
}
SECOND = """
all:
  children:
    sidecar_load_generators:
      hosts:
        second:
          ansible_connection: local
          ansible_python_interpreter: "{{ ansible_playbook_python }}"
"""


def loaded(lab: Lab, directory: Path, *arguments: str, **changes: object) -> Run:
    """The playbook's run with a brief load."""
    told = {**BRIEF, "sidecar_load_directory": str(directory / "load"), **changes}
    return lab.measure(directory, "-e", json.dumps(told), *arguments, name="load")


def summaries(run: Run) -> dict[str, dict[str, Any]]:
    """What each generator brought home of the newest run, by host."""
    newest = max(path.name for path in (run.results / "lab/load").iterdir())
    return {path.stem: json.loads(path.read_text()) for path in (run.results / "lab/load" / newest).glob("*.json")}


def old_run(directory: Path, name: str) -> tuple[Path, Path]:
    """What a run of long ago left on its generator and at home."""
    place, home = directory / "load" / name / "lab", directory / "lab/load" / name
    for folder, file in ((place, "summary.json"), (home, "lab.json")):
        folder.mkdir(parents=True)
        (folder / file).write_text('{"schema":"load-summary-1"}\n')
    return place.parent, home


def test_a_healthy_lab_keeps_generous_objectives(healthy_lab: Lab, tmp_path: Path) -> None:
    old = [path for name in ("20200101T000000Z", "20200102T000000Z") for path in old_run(tmp_path, name)]
    # Somebody's.
    (old[0] / "lab/notes.txt").write_text("mine")
    run = loaded(healthy_lab, tmp_path, sidecar_load_keep=1)
    assert run.returncode == 0, run.output
    assert [path.exists() for path in old] == [True, False, False, False]
    assert run.statuses == {"preflight": "pass", "slo_adherence": "pass"}
    assert summaries(run).keys() == {"lab"}
    (part,) = run.checks["slo_adherence"]["parts"]
    assert part["evidence"]["load"]["plan"]["attach_rate"] == 0.5
    assert 'class="latency"' in (run.directory / "report.html").read_text()


def test_verify_judges_the_last_load_while_it_is_fresh(healthy_lab: Lab, tmp_path: Path) -> None:
    assert loaded(healthy_lab, tmp_path).returncode == 0

    def judged(max_age: float) -> dict[str, Any]:
        told = {"sidecar_slo_ms": BRIEF["sidecar_slo_ms"], "sidecar_slo_correlation_seconds": 0.1, "sidecar_load_max_age": max_age}
        return healthy_lab.verify(tmp_path, "-e", json.dumps(told), "--tags", "slo_adherence").checks["slo_adherence"]

    fresh, stale = judged(3600), judged(0)
    assert fresh["status"] == "pass"
    assert fresh["examined"]["requests"] > 0
    assert stale["status"] == "skip"
    assert "playbooks/load.yml" in stale["action"]


def test_generators_begin_together_and_are_judged_as_one(healthy_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "second.yml").write_text(SECOND)
    run = loaded(healthy_lab, tmp_path, "-i", str(tmp_path / "second.yml"), sidecar_load_rate=10)
    assert run.returncode == 0, run.output
    found = summaries(run)
    assert found.keys() == {"lab", "second"}
    assert sorted((one["plan"]["seed"], one["plan"]["stagger"]) for one in found.values()) == [(1, 0.0), (2, 0.5)], "they take turns"
    examined = run.checks["slo_adherence"]["examined"]
    assert examined["generators"] == 2
    (part,) = run.checks["slo_adherence"]["parts"]
    assert part["evidence"]["load"]["offered"]["sent"] == sum(one["offered"]["sent"] for one in found.values())


def test_a_relative_baseline_is_taken_from_where_the_play_was_started_and_kept(healthy_lab: Lab, tmp_path: Path) -> None:
    assert loaded(healthy_lab, tmp_path).returncode == 0
    before = max(tmp_path.glob("lab/load/*/lab.json"))
    first = before.read_bytes()
    told = {"sidecar_load_baseline": [os.path.relpath(before, CHECKOUT)], "sidecar_load_keep": 1, "sidecar_max_regression": 100}
    run = loaded(healthy_lab, tmp_path, **told)
    assert run.checks["slo_adherence"]["examined"].get("comparisons") == 2, run.output
    assert run.statuses["slo_adherence"] == "pass"
    assert before.read_bytes() == first


def test_summaries_come_home_where_the_report_goes(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    variables = CHECKOUT / "collections/ansible_collections/hypergraph/sidecar/playbooks/vars/results.yml"
    own = tmp_path / "results"
    places = {"results": CHECKOUT / "results", "~/results": own, "$HOME/results": own, str(tmp_path / "link"): tmp_path / "elsewhere"}
    for told, place in places.items():
        given = json.dumps({"sidecar_results_dir": told, "sidecar_environment": "lab"})
        done = subprocess.run(
            ["ansible", "localhost", "-i", "localhost,", "-m", "debug", "-a", "var=results_home", "-e", f"@{variables}", "-e", given],
            cwd=CHECKOUT,
            env=environment(PWD="/nonexistent", HOME=str(tmp_path), ANSIBLE_CALLBACK_RESULT_FORMAT="json"),
            capture_output=True,
            text=True,
            check=True,
        )
        home = json.loads(done.stdout.partition("=>")[2])["results_home"]
        assert home == f"{place}/lab", told


@pytest.mark.parametrize("name", ["load", "soak"])
def test_more_generators_than_begin_together_drive_nothing(name: str, healthy_lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "second.yml").write_text(SECOND)
    told = {**BRIEF, "sidecar_load_directory": str(tmp_path / "load"), "sidecar_soak_segments": 1, "sidecar_soak_segment_seconds": 5}
    several = ("-i", str(tmp_path / "second.yml"), "--forks", "1")
    run = healthy_lab.verify(tmp_path, "-e", json.dumps(told), *several, name=name)
    assert run.returncode != 0
    assert [one["reason_code"] for one in run.checks["preflight"]["assertions"] if not one["ok"]] == ["forks-too-few"]
    assert "--forks 2" in run.checks["preflight"]["action"]
    owner = run.checks["slo_adherence"]
    assert owner["status"] == "inconclusive"
    told_by = [one["observed"] for one in owner["controls"] if one["reason_code"] == "load-not-driven"]
    assert told_by and all("--forks 2" in one for one in told_by)
    assert not list(tmp_path.rglob("*_results.jsonl")) and not list(tmp_path.glob("lab/soak/*"))


@pytest.mark.parametrize(
    ("changes", "reason_code", "said"),
    [
        ({"sidecar_attach_rate": 7}, "load-not-driven", "attach_rate"),
        ({"sidecar_load_duration": 2}, "too-few-samples", "samples needed"),
    ],
)
def test_a_load_that_shows_nothing_closes_the_gate(
    changes: dict[str, object], reason_code: str, said: str, healthy_lab: Lab, tmp_path: Path
) -> None:
    run = loaded(healthy_lab, tmp_path, **changes)
    assert run.returncode != 0
    owner = run.checks["slo_adherence"]
    assert owner["status"] == "inconclusive"
    codes = {one["reason_code"] for kind in ("controls", "shortfalls") for one in owner[kind]}
    assert reason_code in codes
    assert said in json.dumps(owner)


def test_more_than_a_generator_can_send_says_nothing_of_the_service(healthy_lab: Lab, tmp_path: Path) -> None:
    told = {**BRIEF, "sidecar_load_directory": str(tmp_path / "load"), "sidecar_slo_ms": {"chat": 5000}}
    told |= {"sidecar_load_model": "open", "sidecar_load_rate": 150_000, "sidecar_attach_rate": 0}
    run = healthy_lab.verify(tmp_path, "-e", json.dumps(told), name="load")
    owner = run.checks["slo_adherence"]
    assert run.returncode != 0
    assert (owner["status"], owner["reason_code"]) == ("inconclusive", "generator-unhealthy")
    assert "did not keep up" in owner["reason"]
