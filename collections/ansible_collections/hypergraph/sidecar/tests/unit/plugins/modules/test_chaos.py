# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules chaos, chaos_reaper, chaos_watch and recovery_check as Ansible runs them."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos import journal
from ansible_collections.hypergraph.sidecar.plugins.module_utils.chaos.faults import FAULTS
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.modules import chaos, chaos_reaper, chaos_watch, recovery_check
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.chaos.trials import experiment, trial
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chaos.json"


@pytest.fixture
def run(path, monkeypatch, capsys):
    def main(module, **arguments):
        places = {"control_path": str(path)} if module in (chaos, chaos_reaper) else {}
        return run_main(module.main, {**places, **arguments}, monkeypatch, capsys)

    yield main
    if path.exists():
        path.write_text("{}")
    main(chaos, state="absent")


def test_on_again_and_off(run, path):
    on = run(chaos, fault="slow-sae", percent=50, ttl=60, holder="me")
    assert (on["changed"], on["diff"]["before"]) == (True, "")
    assert json.loads(path.read_text())["slow-sae"]["expires_at"] == on["expires_at"]
    assert json.loads(on["diff"]["after"]) == json.loads(path.read_text())
    assert not run(chaos, fault="slow-sae", percent=50, ttl=60, holder="me", observed=True)["changed"]
    assert '"observed"' in (path.parent / "chaos.json.run" / "journal.jsonl").read_text()
    off = run(chaos, state="absent", holder="me")
    assert (off["changed"], off["reverted"], path.exists()) == (True, ["slow-sae"], False)
    assert not run(chaos, state="absent")["changed"]


def test_check_mode_tells_and_does_nothing(run, path):
    on = run(chaos, fault="drop-s3", percent=5, _ansible_check_mode=True)
    assert on["changed"] and "drop-s3" in on["diff"]["after"] and "would be" in on["msg"]
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"fault": "drop-s3"}, "bad-fault"),
        ({"fault": "drop-s3", "percent": 101}, "bad-fault"),
        ({"fault": "drop-s3", "percent": 1, "ttl": 4000}, "bad-fault"),
        ({"fault": "drop-s3", "percent": 1, "ttl": 60, "renew_within": 20, "silent_for": 20}, "lease-too-short"),
        ({"fault": "drop-s3", "percent": 1, "ttl": 60, "silent_for": 61}, "lease-too-short"),
        ({"fault": "drop-s3", "percent": 1, "control_path": "/nowhere/chaos.json"}, "control-file-misplaced"),
    ],
)
def test_what_cannot_be_done_fails_with_its_reason(run, path, arguments, code):
    failed = run(chaos, **arguments)
    assert (failed["failed"], failed["reason_code"]) == (True, code)
    assert failed["action"] in failed["msg"]
    assert not path.exists()


def test_what_could_not_be_noted_is_a_warning(run, path, monkeypatch):
    real = journal.note
    # ansible-core returns no warning that the process gave before.
    warnings: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, warning: warnings.append(warning))

    def full(directory, step, *what, **facts):
        if step in (journal.INJECTED, journal.OBSERVED):
            raise CheckError("disk-full", "journal: no space", "Free some.")
        real(directory, step, *what, **facts)

    monkeypatch.setattr(journal, "note", full)
    on = run(chaos, fault="drop-s3", percent=5, ttl=60, observed=True)
    assert on["changed"] and "drop-s3" in path.read_text()
    assert set(warnings) == {"journal: no space"}


def test_present_needs_a_fault(run):
    assert "fault" in run(chaos)["msg"]


def test_choices_are_the_faults_there_are():
    options = yaml.safe_load(chaos.DOCUMENTATION)["options"]
    assert options["fault"]["choices"] == list(FAULTS)
    parameters = {parameter.name: parameter for fault in FAULTS.values() for parameter in fault.parameters}
    for name, parameter in parameters.items():
        assert tuple(options[name].get("choices", ())) == parameter.choices


def test_the_reaper_tells_what_it_found(run, path):
    clean = run(chaos_reaper)["verdict"]
    assert (clean["check"], clean["status"], clean["examined"]) == ("preflight", "pass", {"chaos control files": 1})
    run(chaos, fault="drop-s3", percent=5, ttl=60, holder="me")
    assert run(chaos_reaper)["verdict"]["reason_code"] == "chaos-under-way"
    run(chaos, state="absent")
    path.write_text('{"drop-s3": {"percent": 5}}')
    assert run(chaos_reaper)["verdict"]["reason_code"] == "fault-in-force"
    path.write_text('{"drop-s3": {"percent": 5, "expires_at": "2020-01-01T00:00:00Z"}}')
    assert run(chaos_reaper)["verdict"]["status"] == "pass"
    assert run(chaos_reaper, _ansible_check_mode=True)["verdict"]["status"] == "skip"
    assert run(chaos_reaper, control_path="/nowhere/chaos.json")["verdict"]["status"] == "skip"


def left_behind(path):
    """What a run left whose dead-man died with it."""
    held = {"percent": 5, "expires_at": "2099-01-01T00:00:00Z"}
    path.write_text(json.dumps({"drop-s3": held}))
    lease = {"schema": "chaos-lease-1", "id": "x", "holder": "them", "environment": "", "boot": "", "before": None, "dead_man_pid": 0}
    folder = path.with_name("chaos.json.run")
    folder.mkdir()
    (folder / "lease.json").write_text(json.dumps({**lease, "renew_by": None, "grants": {"drop-s3": {"flag": held, "until_boot": 1e12}}}))


def test_the_reaper_takes_back_what_was_left(run, path):
    left_behind(path)
    reaped = run(chaos_reaper)
    assert (reaped["changed"], reaped["verdict"]["status"], path.exists()) == (True, "pass", False)
    assert "drop-s3" in json.dumps(reaped["verdict"]["assertions"])


def test_the_reaper_fails_where_it_cannot(run, path):
    left_behind(path)
    path.write_text("{")
    reaped = run(chaos_reaper)
    assert (reaped["verdict"]["status"], reaped["verdict"]["reason_code"]) == ("fail", "revert-failed")
    assert path.read_text() == "{"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(
    ("expires_at", "status", "code"),
    [(None, "pass", None), ("2020-01-01T00:00:00Z", "pass", None), ("2099-01-01T00:00:00Z", "inconclusive", "fault-in-force")],
)
def test_a_user_who_may_not_look_into_the_run_directory_goes_by_the_control_file(expires_at, status, code, monkeypatch, capsys):
    # What pytest gives is closed to other users from its root on.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chaos.json"
        path.with_name("chaos.json.run").mkdir(mode=0o700)
        path.write_text(json.dumps({"drop-s3": {"percent": 5, "expires_at": expires_at}} if expires_at else {}))
        path.parent.chmod(0o755)
        # Also brings in what the other user may not be able to import.
        ours = run_main(chaos_reaper.main, {"control_path": str(path)}, monkeypatch, capsys)["verdict"]
        os.seteuid(12345)
        try:
            theirs = run_main(chaos_reaper.main, {"control_path": str(path)}, monkeypatch, capsys)["verdict"]
        finally:
            os.seteuid(0)
    for verdict in (ours, theirs):
        assert (verdict["status"], verdict["reason_code"] if code else None) == (status, code), verdict["reason"]
    assert [f"{path}.run" in verdict["reason"] for verdict in (ours, theirs)] == [False, code is not None]


DRILL = [{"reverted_by": "dead-man", "host": "one"}]


def test_recovery_is_judged(run):
    verdict = run(recovery_check, experiments=[experiment()], drill=DRILL, trials=[trial()] * 3)["verdict"]
    assert (verdict["check"], verdict["status"]) == ("chaos_recovery", "pass"), verdict["reason"]
    assert verdict["examined"]["experiments"] == 1
    missing = run(recovery_check, experiments=[experiment(), experiment(name="other")], drill=DRILL, trials=[trial()] * 3)["verdict"]
    assert missing["reason_code"] == "experiment-not-run"
    assert run(recovery_check, experiments=[experiment()], trials=[trial()] * 3)["verdict"]["status"] == "inconclusive"
    assert run(recovery_check, experiments=[], drill=DRILL)["verdict"]["reason_code"] == "nothing-examined"


def test_recovery_is_skipped_where_chaos_is_not_allowed_and_refuses_what_it_cannot_read(run):
    assert run(recovery_check, experiments=[experiment()], allowed=False)["verdict"]["reason_code"] == "disabled_by_config"
    for bad in ([experiment(fault="x")], [experiment(), experiment()]):
        assert run(recovery_check, experiments=bad)["verdict"]["status"] == "error"


@pytest.mark.parametrize(
    ("reverted", "status", "code"),
    [
        ({"skipped": True}, "error", "experiments-ended-early"),
        ({"changed": False, "reverted": []}, "error", "experiments-ended-early"),
        ({"failed": True, "msg": "the disk is gone", "reason_code": "revert-failed"}, "fail", "revert-failed"),
        ({"failed": True, "msg": "'tmp' is undefined"}, "fail", "revert-failed"),
        (None, "fail", "revert-failed"),
    ],
)
def test_experiments_that_something_ended_are_no_pass_nor_worse_than_what_stays(run, reverted, status, code):
    ended = {"host": "one", "task": "Put it in", "msg": "'x' is undefined", "reverted": reverted}
    verdict = run(recovery_check, experiments=[], ended_early=ended)["verdict"]
    assert (verdict["status"], verdict["reason_code"]) == (status, code), verdict["reason"]
    assert "the experiments ended early on one, in task 'Put it in': 'x' is undefined" in json.dumps(verdict)


SEEN = {"symptom": "failed"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"base_url": "gateway"}, "bad-url"),
        ({}, "bad-token"),
        ({"traces": 0}, "bad-argument"),
        ({"chats": 1001}, "bad-argument"),
        ({"within": -1}, "bad-argument"),
        ({"seen": {"symptom": "tired"}}, "bad-experiment"),
    ],
)
def test_the_watch_refuses_what_it_cannot_use(run, arguments, code):
    failed = run(chaos_watch, **{"base_url": "http://127.0.0.1:1", "phase": "before", "seen": SEEN, **arguments})
    assert (failed["failed"], failed["reason_code"]) == (True, code)


def test_the_watch_tells_what_it_saw_and_no_token(run):
    token = "a-token-that-nobody-may-see"
    tokens = [{"name": "w", "token": token, "tenant_id": "t", "scopes": ["traces:write", "traces:read"]}]
    seen = run(chaos_watch, base_url="http://127.0.0.1:1", tokens=tokens, phase="before", seen=SEEN, traces=1, chats=1)
    assert (seen["steady"], seen["traces"][0]["outcome"], seen["changed"]) == (False, "lost", False)
    assert token not in json.dumps({**seen, "invocation": None})
    assert run(chaos_watch, base_url="http://127.0.0.1:1", phase="before", seen=SEEN, _ansible_check_mode=True)["skipped"]


@pytest.mark.parametrize("module", [chaos, chaos_reaper, chaos_watch, recovery_check])
def test_what_is_documented_is_what_is_returned(module):
    assert yaml.safe_load(module.DOCUMENTATION)["module"] == module.__name__.rpartition(".")[2]
    assert yaml.safe_load(module.RETURN)
    assert yaml.safe_load(module.EXAMPLES)
