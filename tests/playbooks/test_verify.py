"""The main job on the lab: green where it should be; for each way an environment can be incomplete, its status, exit and first lines."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from pathlib import Path

import httpx
import jsonschema
import pytest

from tests.conftest import Lab, command
from tests.running import CHECKOUT, RUNTIME_CHECKS, STATIC_CHECKS, playbook

SCHEMAS = CHECKOUT / "collections/ansible_collections/hypergraph/sidecar/docs/schemas"


def test_healthy_lab_is_green_and_nothing_is_skipped(healthy_lab: Lab, tmp_path: Path) -> None:
    run = healthy_lab.verify(tmp_path)
    assert run.returncode == 0, run.output
    assert run.statuses == dict.fromkeys(("preflight", *RUNTIME_CHECKS, *STATIC_CHECKS), "pass")
    skips = [skip for check in run.report["checks"] for skip in check["skips"]]
    assert [skip for skip in skips if skip["skip_class"] != "not_applicable"] == [], "the lab can serve everything"
    assert all(sum(check["examined"].values()) > 0 for check in run.report["checks"])
    assert "changed=0" in run.output


def test_report_is_what_its_schemas_promise(healthy_lab: Lab, tmp_path: Path) -> None:
    run = healthy_lab.verify(tmp_path, "--tags", "gateway_rbac")
    report = run.report
    validator = jsonschema.Draft202012Validator
    validator(json.loads((SCHEMAS / "report-1.json").read_text())).validate(report)
    verdict = validator(json.loads((SCHEMAS / "verdict-1.json").read_text()))
    parts = [part for check in report["checks"] for part in check["parts"]]
    for part in parts:
        verdict.validate(part)
    assert parts
    assert {path.name for path in run.directory.iterdir()} >= {"report.json", "report.md", "report.html", "junit.xml", "report.prom"}


def test_a_second_run_is_a_second_report(healthy_lab: Lab, tmp_path: Path) -> None:
    first = healthy_lab.verify(tmp_path, "--tags", "api_versioning").directory
    second = healthy_lab.verify(tmp_path, "--tags", "api_versioning").directory
    assert first != second
    assert (first / "report.json").exists()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(
            ["AUTH_MODE=none"],
            {
                "gateway_rbac": {"skip"},
                "trace_workflow": {"skip"},
                "tenant_isolation": {"inconclusive"},
                "audit_pii": {"skip"},
            },
            id="no-authentication",
        ),
        pytest.param(["ENABLE_OTEL=0"], {"observability": {"skip"}}, id="metrics-off"),
        pytest.param(["AUDIT_ENABLED=0"], {"audit_pii": {"error"}}, id="no-audit-log"),
        pytest.param(
            ["LLM_PROXY_URL=http://127.0.0.1:9"],
            {check: {"error", "inconclusive"} for check in RUNTIME_CHECKS if check != "api_versioning"},
            id="upstream-down",
        ),
    ],
)
def test_incomplete_environment(settings: list[str], expected: dict[str, set[str]], start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab = start_lab(*(option for setting in settings for option in ("--set", setting)))
    run = lab.verify(tmp_path)
    assert run.returncode == 2, run.output
    for check, statuses in expected.items():
        assert run.statuses[check] in statuses, f"{check}: {run.statuses[check]}: {run.checks[check]['reason']}"
    untouched = set(RUNTIME_CHECKS) - set(expected)
    assert {check: run.checks[check]["reason"] for check in untouched if run.statuses[check] != "pass"} == {}
    assert any(check in run.first_lines() for check in expected), run.first_lines()
    assert "CLOSED" in run.first_lines().upper()


def test_absent_tokens_skip_with_the_next_action(healthy_lab: Lab, tmp_path: Path) -> None:
    run = healthy_lab.verify(tmp_path, "-e", '{"sidecar_tokens": []}')
    assert run.returncode == 2
    assert any(skip["skip_class"] == "dependency_missing" for skip in run.checks["tenant_isolation"]["skips"])
    for check in ("gateway_rbac", "trace_workflow", "audit_pii"):
        assert run.statuses[check] == "skip", run.checks[check]["reason"]
        assert run.checks[check]["reason_code"] == "dependency_missing"
        assert "sidecar_tokens" in run.checks[check]["action"]


def test_one_tenants_tokens_leave_isolation_unproven(healthy_lab: Lab, tmp_path: Path) -> None:
    """The store is examined and clean, but nobody tried to read another tenant's trace: that is no green for a required check."""
    tokens = healthy_lab.facts["tokens"]
    alone = [token for token in tokens if token["tenant_id"] == tokens[0]["tenant_id"]]
    run = healthy_lab.verify(tmp_path, "--tags", "tenant_isolation", "-e", json.dumps({"sidecar_tokens": alone}))
    assert run.returncode == 2
    assert run.statuses["tenant_isolation"] == "pass"
    closing = {reason["check"]: reason["reason_code"] for reason in run.report["gate"]["reasons"]}
    assert closing["tenant_isolation"] == "part-not-examined"


def test_the_gate_is_asked_when_the_run_is_limited(start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab = start_lab("--defect", "anonymous-let-in")
    run = lab.verify(tmp_path, "--limit", "lab", "--tags", "gateway_rbac")
    assert run.returncode == 2
    assert run.checks["gateway_rbac"]["reason_code"] == "anonymous-allowed"
    assert "--limit" in run.first_lines()


@pytest.mark.parametrize("tag", ["always", "tagged"])
@pytest.mark.parametrize("name", ["verify", "pre_deploy", "load", "soak", "chaos", "backpressure"])
def test_the_gate_cannot_be_skipped_by_its_tags(name: str, tag: str, tmp_path: Path) -> None:
    run = playbook(name, "--skip-tags", tag, results=tmp_path)
    assert run.returncode != 0
    assert "The gate cannot be skipped: leave always and tagged out of --skip-tags." in run.output
    assert "TASK" not in run.output or name == "pre_deploy"


def test_a_gate_before_a_deploy_is_asked_when_the_run_is_limited(tmp_path: Path) -> None:
    run = playbook("pre_deploy", "--limit", "lab", results=tmp_path)
    assert run.returncode == 2
    assert set(run.report["not_run"]) >= set(STATIC_CHECKS)
    assert "--limit" in run.first_lines()


def test_empty_groups_are_not_run(tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.yml"
    inventory.write_text("all:\n  children:\n    sidecar_probes: {}\n")
    run = playbook("verify", "-e", "sidecar_environment=empty", results=tmp_path / "results", inventory=inventory)
    assert run.returncode != 0
    assert "not run" in run.output
    assert "not run" in run.first_lines()
    assert set(run.report["not_run"]) == set(RUNTIME_CHECKS)


def test_check_mode_examines_nothing_it_would_have_to_submit(healthy_lab: Lab, tmp_path: Path) -> None:
    before = (Path(healthy_lab.facts["paths"]["status_store"])).read_bytes()
    run = healthy_lab.verify(tmp_path, "--check")
    assert run.returncode != 0
    assert not list(tmp_path.glob("*/latest"))
    assert "check mode" in run.output
    assert (Path(healthy_lab.facts["paths"]["status_store"])).read_bytes() == before


def test_lab_that_is_down_is_an_error_with_the_remedy(start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    lab = start_lab()
    command("down", "--state", str(lab.state))
    run = lab.verify(tmp_path)
    assert run.returncode == 2
    assert run.statuses["gateway_rbac"] == "error"
    never = playbook("verify", results=tmp_path / "never", SIDECAR_LAB_STATE=str(tmp_path / "nowhere"))
    assert never.returncode == 2
    assert "lab-up" in never.checks["gateway_rbac"]["reason"]


def test_host_that_is_down_is_an_error_of_its_checks(healthy_lab: Lab, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory"
    inventory.mkdir()
    (inventory / "group_vars").symlink_to(CHECKOUT / "inventories/lab/group_vars")
    hosts = (CHECKOUT / "inventories/lab/hosts.yml").read_text()
    hosts = hosts.replace(
        "    sidecar_explainers:\n      hosts:\n        lab:\n",
        "    sidecar_explainers:\n      hosts:\n        gone:\n          ansible_host: 127.0.0.1\n          ansible_port: 1\n",
    )
    (inventory / "hosts.yml").write_text(hosts)
    run = healthy_lab.verify(tmp_path / "results", "-i", str(inventory / "hosts.yml"), name="verify")
    assert "gone" in (inventory / "hosts.yml").read_text()
    assert run.returncode == 2
    assert run.statuses["tenant_isolation"] == "error"
    assert run.checks["tenant_isolation"]["reason_code"] == "host-unreachable"
    assert run.statuses["gateway_rbac"] == "pass"


def test_secrets_are_found_nowhere(start_lab: Callable[..., Lab], tmp_path: Path) -> None:
    """Neither a token in any spelling nor an e-mail address that a customer wrote in a chat, also when that chat failed."""
    lab = start_lab()
    mail = f"planted.{secrets.token_hex(8)}@customer.example"
    for model in ("gpt-4o-mini", "no-such-model"):
        _chat(lab, model, f"Please write to {mail} today.")
    run = lab.verify(tmp_path, "-vvv")
    assert run.returncode == 0, run.output
    tokens = [token["token"] for token in lab.facts["tokens"]]
    spelled = {
        spelling for secret in (*tokens, mail) for spelling in (secret, base64.b64encode(secret.encode()).decode(), secret.encode().hex())
    }
    logs = [path for path in lab.state.rglob("*") if path.is_file() and path.suffix in (".log", ".jsonl")]
    places = {
        "stdout at -vvv": run.output,
        **{str(path): path.read_text(errors="replace") for path in [*tmp_path.rglob("*.*"), *logs] if path.is_file()},
    }
    assert "EMAIL" in (Path(lab.facts["paths"]["audit_log"])).read_text().upper(), "the planted address was not even logged scrubbed"
    leaks = [place for place, text in places.items() for secret in spelled if secret in text]
    assert leaks == []


def _chat(lab: Lab, model: str, text: str) -> None:
    writer = next(token for token in lab.facts["tokens"] if "traces:write" in token["scopes"])
    httpx.post(
        f"{lab.facts['urls']['gateway']}/v1/chat/completions",
        headers={"Authorization": f"Bearer {writer['token']}", "x-explain-mode": "hypergraph"},
        json={"model": model, "messages": [{"role": "user", "content": text}]},
        timeout=30,
    )
