"""Load from hosts that are reached by SSH: they begin together and are judged as one, and when one of them dies, nothing is green.

The hosts are network namespaces of this machine; their records lie in the directory of the test.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.histogram import index
from tests.chaos.experimenting import seconds_until
from tests.conftest import Lab
from tests.playbooks.test_load import BRIEF
from tests.running import CHECKOUT, Run, environment
from tests.ssh_hosts import SshHost, needs_ssh_hosts, reached_from_hosts, ssh_hosts

pytestmark = [needs_ssh_hosts, pytest.mark.paced]

NAMES = ("alpha", "beta", "gamma")
PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
# Longer than any test takes: who runs it is to be ended.
ENDLESS = 600
ON_A_BUSY_MACHINE = {"sidecar_load_rate": 8, "sidecar_load_lead": 40}
ALONE = ("ansible", "localhost", "-i", "localhost,", "-c", "local", "-e", "ansible_python_interpreter={{ ansible_playbook_python }}")


@pytest.fixture
def generators() -> Iterator[dict[str, SshHost]]:
    with ssh_hosts(*NAMES) as hosts:
        yield hosts


def inventory(hosts: dict[str, SshHost], place: Path) -> Path:
    """The lab's inventory with these generators."""
    folder = place / "inventory"
    folder.mkdir(exist_ok=True)
    link = folder / "group_vars"
    if not link.exists():
        link.symlink_to(CHECKOUT / "inventories/lab/group_vars")
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    groups = {"sidecar_load_generators": {"hosts": {name: host.variables() for name, host in hosts.items()}}}
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"localhost": local}, "children": groups}}))
    return folder


def told(lab: Lab, address: str, place: Path, **changes: object) -> dict[str, object]:
    """The playbook's variables: a brief load on the lab, with a rate that three of them send without effort."""
    own = {"sidecar_base_url": f"http://{address}", "sidecar_load_directory": str(place / "load"), **ON_A_BUSY_MACHINE}
    return {**BRIEF, **own, "sidecar_results_dir": str(place / "results"), **changes}


def started(lab: Lab, hosts: dict[str, SshHost], place: Path, variables: dict[str, object]) -> subprocess.Popen[str]:
    """The playbook, under way."""
    return subprocess.Popen(
        ["ansible-playbook", "playbooks/load.yml", "-i", str(inventory(hosts, place)), "-e", json.dumps(variables)],
        cwd=CHECKOUT,
        env=environment(SIDECAR_LAB_STATE=str(lab.state)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Shells start what they put in the background with SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        start_new_session=True,
    )


def loaded(lab: Lab, hosts: dict[str, SshHost], place: Path, **changes: object) -> Run:
    """The playbook's run from these generators."""
    with reached_from_hosts(port_of(lab)) as address:
        playing = started(lab, hosts, place, told(lab, address, place, **changes))
        try:
            output, _none = playing.communicate(timeout=ENDLESS)
        finally:
            # Where it hung.
            if playing.poll() is None:
                os.killpg(playing.pid, signal.SIGKILL)
    return Run(playing.returncode, output, place / "results")


def port_of(lab: Lab) -> int:
    """Where the lab's gateway listens."""
    return int(lab.facts["urls"]["gateway"].rsplit(":", 1)[1])


def run_of(place: Path, host: str) -> Path:
    """The directory of the one run on a generator."""
    (directory,) = (place / "load").glob(f"*/{host}")
    return directory


def progress_of(place: Path, host: str) -> dict[str, Any]:
    """How far the run is on a generator; nothing before it sends."""
    try:
        progress: dict[str, Any] = json.loads((run_of(place, host) / "progress.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return progress


def is_under_way(place: Path, host: str) -> bool:
    """Whether a generator has sent something, and the play has seen it."""
    return bool(progress_of(place, host).get("requests")) and (run_of(place, host) / "watched").exists()


def records(place: Path, name: str) -> list[dict[str, Any]]:
    """Those of all generators."""
    return [json.loads(line) for path in (place / "load").glob(f"*/*/{name}_results.jsonl") for line in path.read_text().splitlines()]


def summaries(run: Run) -> dict[str, dict[str, Any]]:
    """What was brought home, by generator."""
    return {path.stem: json.loads(path.read_text()) for path in run.results.glob("lab/load/*/*.json")}


def measured(lines: list[dict[str, Any]], kind: str, phase: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["p"] == phase and line.get("g", "chat") == kind]


def test_what_three_generators_measured_is_the_sum_of_its_parts(healthy_lab: Lab, generators: dict[str, SshHost], tmp_path: Path) -> None:
    run = loaded(healthy_lab, generators, tmp_path)
    # A machine that has other things to do may make generators late, which takes nothing from what is tried here.
    assert run.statuses["slo_adherence"] in ("pass", "inconclusive"), run.output
    parts = summaries(run)
    assert parts.keys() == generators.keys()
    assert sorted(part["generators"][0]["host"] for part in parts.values()) == sorted(NAMES)
    for part in parts.values():
        (generator,) = part["generators"]
        # All have this machine's clock: whatever was measured, the truth is within what it may be wrong by.
        assert abs(generator["clock_offset_ms"]) <= generator["clock_uncertainty_ms"]
        assert not [problem for problem in generator["problems"] if "clock" in problem or "began" in problem]
        assert part["run"]["interrupted"] is None
    (verdict,) = run.checks["slo_adherence"]["parts"]
    whole = verdict["evidence"]["load"]
    assert [one["host"] for one in whole["generators"]] == [part["generators"][0]["host"] for part in parts.values()]
    lines = records(tmp_path, "chat") + records(tmp_path, "explanation")
    assert whole["offered"]["sent"] == len(records(tmp_path, "chat")) == sum(part["offered"]["sent"] for part in parts.values())
    assert whole["traces"]["accepted"] == len(records(tmp_path, "explanation")) > 0
    for kind, phases in whole["classes"].items():
        for phase, merged in phases.items():
            those = measured(lines, kind, phase)
            latencies = sorted(line["l"] for line in those if line["e"] is None)
            assert (merged["count"], merged["ok"]) == (len(those), len(latencies))
            assert merged["exceeding"] == sum(bool(line["e"]) or line["l"] > whole["slo_ms"][kind] * 1000 for line in those)
            buckets: dict[int, int] = {}
            for part in parts.values():
                for place, count in part["classes"].get(kind, {}).get(phase, {}).get("histogram", {}).get("buckets", []):
                    buckets[place] = buckets.get(place, 0) + count
            assert buckets == {place: sum(index(us) == place for us in latencies) for place in {index(us) for us in latencies}}
            for name, fraction in PERCENTILES.items():
                exact = latencies[math.ceil(fraction * len(latencies)) - 1] / 1000
                assert exact <= merged["latency_ms"][name] <= exact * 1.001, (kind, phase, name)
    assert {(kind, phase) for kind in whole["classes"] for phase in whole["classes"][kind]} == {
        (line.get("g", "chat"), line["p"]) for line in lines
    }


def engine_killed(host: SshHost, place: Path) -> None:
    os.kill(progress_of(place, host.name)["pid"], signal.SIGKILL)


def server_killed(host: SshHost, place: Path) -> None:
    host.close()


def link_cut(host: SshHost, place: Path) -> None:
    host.cut()


@pytest.mark.parametrize(
    ("death", "reason_code", "said"),
    [
        (engine_killed, "load-died", "the load run of generator beta in"),
        (server_killed, "generator-out-of-reach", "generator beta was not reached for 30 s"),
        (link_cut, "generator-out-of-reach", "generator beta was not reached for 30 s"),
    ],
)
def test_a_generator_that_dies_is_named_and_nothing_is_green(
    death: Callable[[SshHost, Path], None],
    reason_code: str,
    said: str,
    healthy_lab: Lab,
    generators: dict[str, SshHost],
    tmp_path: Path,
) -> None:
    died: list[str] = []

    def kill() -> None:
        if seconds_until(lambda: is_under_way(tmp_path, "beta"), 120) is not None:
            death(generators["beta"], tmp_path)
            died.append("beta")

    killer = threading.Thread(target=kill)
    killer.start()
    # Longer than a generator goes on that nobody asks how far it is.
    run = loaded(healthy_lab, generators, tmp_path, sidecar_load_duration=45)
    killer.join()
    assert died == ["beta"], run.output
    assert run.returncode != 0
    owner = run.checks["slo_adherence"]
    assert owner["status"] == "inconclusive"
    assert said in run.output
    (control,) = [one for one in owner["controls"] if one["reason_code"] == "load-not-driven"]
    assert said in control["observed"]
    (unhealthy,) = [one for one in owner["shortfalls"] if one["reason_code"] == "generator-unhealthy"]
    assert "beta: " in json.dumps(unhealthy)
    parts = summaries(run)
    assert {"alpha", "gamma"} <= parts.keys()
    assert [parts[name]["run"]["interrupted"] for name in ("alpha", "gamma")] == [None, None]
    if death is engine_killed:
        # What it had measured is brought home.
        assert parts["beta"]["run"]["interrupted"] == "rebuilt from records"
        assert parts["beta"]["offered"]["sent"] > 0
        return
    assert parts.keys() == {"alpha", "gamma"}
    assert seconds_until(lambda: progress_of(tmp_path, "beta")["state"] == "ended", 120) is not None
    summary = json.loads((run_of(tmp_path, "beta") / "summary.json").read_bytes())
    assert summary["run"]["interrupted"] == "nobody watching"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_when_the_play_ends_the_remote_run_ends_with_it(
    number: signal.Signals, healthy_lab: Lab, generators: dict[str, SshHost], tmp_path: Path
) -> None:
    hosts = {"alpha": generators["alpha"]}
    with reached_from_hosts(port_of(healthy_lab)) as address:
        playing = started(healthy_lab, hosts, tmp_path, told(healthy_lab, address, tmp_path, sidecar_load_duration=ENDLESS))
        try:
            assert seconds_until(lambda: is_under_way(tmp_path, "alpha"), 120) is not None
            engine = progress_of(tmp_path, "alpha")["pid"]
            playing.send_signal(number)
            playing.communicate(timeout=120)
        finally:
            playing.kill()
            playing.wait()
        assert playing.returncode != 0
        assert seconds_until(lambda: progress_of(tmp_path, "alpha")["state"] == "ended", 120) is not None
        assert seconds_until(lambda: not Path(f"/proc/{engine}").exists(), 30) is not None
    summary = json.loads((run_of(tmp_path, "alpha") / "summary.json").read_bytes())
    assert summary["run"]["interrupted"] == "SIGTERM"
    chats = records(tmp_path, "chat")
    assert sum(phase["count"] for phase in summary["classes"]["chat"].values()) == len(chats) > 0
    judged = judge(run_of(tmp_path, "alpha") / "summary.json")
    assert judged["status"] == "inconclusive"
    assert judged["reason_code"] == "run-interrupted"


def judge(summary: Path) -> dict[str, Any]:
    """What slo_check says of a summary."""
    done = subprocess.run(
        [*ALONE, "-m", "hypergraph.sidecar.slo_check", "-a", json.dumps({"summaries": [str(summary)]})],
        cwd=CHECKOUT,
        env=environment(ANSIBLE_CALLBACK_RESULT_FORMAT="json"),
        capture_output=True,
        text=True,
        check=False,
    )
    verdict: dict[str, Any] = json.loads(done.stdout.partition("=>")[2])["verdict"]
    return verdict
