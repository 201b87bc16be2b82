# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report action and its role in real plays: several hosts, hosts that fail, tags, limits, check mode, bad arguments."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.action.playbooks import Play, gate, play, tasks
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.report.documents import COLLECTION

SECRET = "s3cret-value-1234567890"
GATEWAYS = {"sidecar_gateways": {"hosts": {"g1": {}, "g2": {}}}}


def verdict(check: str, *, that: Any = True, register: str = "", **task: Any) -> dict[str, Any]:
    assertion = {"name": "it holds", "that": that, "reason_code": "broken", "action": f"Mend {check}."}
    arguments = {"check": check, "examined": {"objects": 1}, "assertions": [assertion]}
    return {"hypergraph.sidecar.verdict": arguments, "register": f"sidecar_verdict_{register or check}", "tags": [check], **task}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """A pass, a failure on one of two hosts, a task that fails with a secret, a skipped one, and a host that leaves its play early."""
    leave = {"ansible.builtin.fail": {"msg": "gone"}, "when": "inventory_hostname == 'g2'"}
    broken = {"ansible.builtin.fail": {"msg": f"refused {SECRET}"}, "register": "sidecar_verdict_metrics", "ignore_errors": True}
    return play(
        tmp_path_factory.mktemp("report"),
        [
            tasks(
                "sidecar_gateways",
                verdict("gateway_rbac", that="inventory_hostname != 'g1'"),
                verdict("api_versioning", when="false"),
                verdict("our_queue", run_once=True),
                broken,
                leave,
                verdict("audit_pii"),
            ),
            gate(sidecar_required_checks=["gateway_rbac", "our_queue", "trace_workflow"], sidecar_tokens=[{"name": "a", "token": SECRET}]),
        ],
        "-e",
        f"ignored={SECRET}",
        inventory=GATEWAYS,
    )


def test_a_closed_gate_fails_the_play_after_the_report_is_written(mixed: Play) -> None:
    assert mixed.status == 2
    assert mixed.headline[0] == "GATE CLOSED: staging is not fit to serve"
    assert "GATE CLOSED" in mixed.output.partition("The gate is open")[2]
    directory = mixed.directory / "results/staging"
    latest = directory / (directory / "latest").readlink()
    assert {path.name for path in latest.iterdir()} == {"report.json", "report.md", "report.html", "junit.xml", "report.prom"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in latest.iterdir()} == {0o640}
    assert mixed.headline[-1] == f"report: results/staging/{latest.name}/report.html"


def test_every_result_of_every_host_is_in_the_report(mixed: Play) -> None:
    document = mixed.report
    checks = {check["check"]: check for check in document["checks"]}
    said = {check: (result["status"], result["reason_code"], result["hosts"]) for check, result in checks.items()}
    assert said == {
        "gateway_rbac": ("fail", "broken", ["g1", "g2"]),
        "api_versioning": ("skip", "disabled_by_config", ["g1", "g2"]),
        "our_queue": ("pass", "", ["g1"]),
        "observability": ("error", "task-failed", ["g1", "g2"]),
        "audit_pii": ("inconclusive", "host-without-result", ["g1", "g2"]),
    }
    assert checks["our_queue"]["examined"] == {"objects": 1}
    assert document["not_run"]["trace_workflow"]["reason"] == "no host in sidecar_probes"
    schema = json.loads((COLLECTION / "docs/schemas/report-1.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)


def test_the_secret_of_a_failing_task_is_in_no_file(mixed: Play) -> None:
    assert "refused [redacted" in json.dumps(mixed.report)
    files = [path for path in (mixed.directory / "results").rglob("*") if path.is_file()]
    assert len(files) == 5
    assert [path for path in files if SECRET in path.read_text("utf-8")] == []


def test_the_command_is_told_without_the_values_given_on_it(mixed: Play) -> None:
    assert mixed.report["rerun"] == {
        "all": "ansible-playbook play.json -i hosts.json -e 'ignored=…'",
        "not_green": "ansible-playbook play.json -i hosts.json"
        " --tags gateway_rbac,trace_workflow,observability,audit_pii,api_versioning -e 'ignored=…' -e report_selected_only=true",
    }


GREEN = [
    tasks("sidecar_gateways", verdict("gateway_rbac"), verdict("audit_pii")),
    gate(sidecar_required_checks=["gateway_rbac", "audit_pii"]),
]


def test_an_open_gate_ends_well_and_the_next_run_knows_of_it(tmp_path: Path) -> None:
    first = play(tmp_path, GREEN, inventory=GATEWAYS)
    assert first.status == 0, first.output
    assert first.headline[:2] == ["GATE OPEN: staging is fit to serve", "2 of 2 required checks hold"]
    assert "changed=0" in first.output
    before = first.report
    assert before["history"] == []
    second = play(tmp_path, GREEN, inventory=GATEWAYS)
    assert [(run["run_id"], run["open"]) for run in second.report["history"]] == [(before["run_id"], True)]


def test_a_run_limited_to_some_hosts_still_ends_with_its_gate(tmp_path: Path) -> None:
    ran = play(tmp_path, GREEN, "--limit", "g1", inventory=GATEWAYS)
    assert ran.status == 0, ran.output
    assert ran.headline[0] == "GATE OPEN (partial: --limit g1): staging holds in what was examined of it"
    assert ran.report["snapshot"]["groups"]["sidecar_gateways"] == ["g1"]


@pytest.mark.parametrize(("extra", "status"), [((), 2), (("-e", "report_selected_only=true"), 0)])
def test_a_run_of_some_tags_still_ends_with_its_gate(extra: tuple[str, ...], status: int, tmp_path: Path) -> None:
    ran = play(tmp_path, GREEN, "--tags", "audit_pii", *extra, inventory=GATEWAYS)
    assert ran.status == status, ran.output
    assert "(partial: --tags audit_pii)" in ran.headline[0]
    assert ran.report["not_run"]["gateway_rbac"]["reason"] == "not selected by --tags audit_pii"


def test_check_mode_decides_and_writes_nothing(tmp_path: Path) -> None:
    ran = play(tmp_path, GREEN, "--check", inventory=GATEWAYS)
    assert ran.status == 0, ran.output
    assert ran.headline[-1] == "check mode: no report was written"
    assert not (tmp_path / "results").exists()


def test_waivers_are_read_and_an_unreadable_file_is_told(tmp_path: Path) -> None:
    failing = [tasks("localhost", verdict("gateway_rbac", that=False)), gate(sidecar_required_checks=["gateway_rbac"])]
    (tmp_path / "waivers.yml").write_text("oops: [\n")
    ran = play(tmp_path, failing, "-e", "sidecar_waivers_file=waivers.yml")
    assert ran.status == 2
    assert any(line.startswith("waivers not read: waivers.yml: line 2 is not YAML") for line in ran.headline), ran.headline


def test_a_waivers_file_that_cannot_be_resolved_is_not_taken_for_none(tmp_path: Path) -> None:
    broken = gate(sidecar_waivers_file="{{ nonesuch }}/waivers.yml")
    ran = play(tmp_path, [tasks("localhost", verdict("gateway_rbac")), broken])
    assert ran.status == 2
    assert "nonesuch" in ran.output


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"sidecar_environment": "../up"}, "environment '../up': expected letters"),
        ({"sidecar_on_inconclusive": "perhaps"}, "perhaps"),
    ],
)
def test_a_bad_argument_is_named(variables: dict[str, Any], says: str, tmp_path: Path) -> None:
    ran = play(tmp_path, [tasks("localhost", verdict("gateway_rbac")), gate(**variables)])
    assert ran.status == 2
    assert says in ran.output


def test_a_report_that_cannot_be_written_fails_and_still_says_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file where a directory should be")
    ran = play(tmp_path, GREEN, inventory=GATEWAYS)
    assert ran.status == 2
    assert "the report could not be written" in ran.output
    assert "pass          gateway_rbac" in ran.output


def test_old_runs_make_room(tmp_path: Path) -> None:
    for _run in range(3):
        ran = play(tmp_path, [tasks("localhost", verdict("gateway_rbac")), gate(sidecar_keep_runs=2)])
        assert ran.status == 0, ran.output
    kept = sorted(path.name for path in (tmp_path / "results/staging").iterdir() if not path.is_symlink())
    assert len(kept) == 2
    assert ran.report["run_id"] in kept


def capacity(most: int, check: str = "capacity_attach_rate", **task: Any) -> dict[str, Any]:
    """A check of artifacts, for an explainer that may have so many replicas."""
    rates = {"base_chat_rate": 1, "peak_chat_rate": 10, "base_attach_rate": 0.1, "peak_attach_rate": 0.5, "token_fraction": 0.5}
    explainer = {"name": "explainer", "granularities": ["sentence", "token"], "concurrency": 2, "min_replicas": 1, "max_replicas": most}
    time = {"mean_seconds": 0.5, "p95_seconds": 0.8}
    arguments = {"workload": rates, "service_times": {"sentence": time, "token": time}, "explainers": [explainer]}
    return {"hypergraph.sidecar.capacity_check": arguments, "register": "sidecar_verdict_capacity", "tags": [check], **task}


def test_what_checks_of_artifacts_found_is_written_for_code_hosts(tmp_path: Path) -> None:
    required = gate(sidecar_required_checks=["capacity_attach_rate"])
    ran = play(tmp_path, [tasks("localhost:all", capacity(3), run_once=True), required], inventory=GATEWAYS)
    assert ran.status == 2
    log = json.loads((tmp_path / "results/staging/latest/findings.sarif").read_text("utf-8"))
    (run,) = log["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["capacity-max-too-small"]
    (location,) = run["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "hosts.json"
    page = (tmp_path / "results/staging/latest/report.html").read_text("utf-8")
    assert "replicas, recommended are" in page


def test_a_check_of_artifacts_that_was_skipped_leaves_no_empty_log(tmp_path: Path) -> None:
    ran = play(tmp_path, [tasks("localhost", capacity(4, when="false"), verdict("gateway_rbac")), gate()])
    assert ran.status == 0, ran.output
    assert not (tmp_path / "results/staging/latest/findings.sarif").exists()
