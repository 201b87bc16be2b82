"""What a target can be like when a fault is to be let in: its disk full, its file another's, read-only or garbage; all of it for real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.experimenting import fill, full_disk
from tests.running import CHECKOUT, environment

KEPT = '{"of-another-team": {"x": 1}}'
root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting, and giving files away, takes root")


def chaos(control: Path, arguments: str, variables: str = "") -> dict[str, Any]:
    """The module's result as `ansible` prints it, on this machine."""
    done = subprocess.run(
        ["ansible", "localhost", "-c", "local", "-i", "localhost,", "-m", "hypergraph.sidecar.chaos"]
        + ["-e", f"sidecar_chaos_allowed=true sidecar_chaos_control_path={control} ansible_python_interpreter={shutil.which('python')}"]
        + (["-e", variables] if variables else [])
        + ["-a", arguments],
        cwd=CHECKOUT,
        env=environment(ANSIBLE_CALLBACK_RESULT_FORMAT="json"),
        capture_output=True,
        text=True,
        check=False,
    )
    result: dict[str, Any] = json.loads(done.stdout.partition("=>")[2])
    return {**result, "failed": done.returncode != 0}


def refused(control: Path, code: str, arguments: str = "fault=drop-s3 percent=5 ttl=60") -> dict[str, Any]:
    """The failure, for this reason, that names the file and says what to do."""
    result = chaos(control, arguments)
    assert (result["failed"], result.get("reason_code")) == (True, code), result
    assert str(control) in result["msg"] and result["action"]
    return result


@root
def test_on_a_full_disk_no_fault_comes_in_and_nothing_is_damaged(tmp_path: Path) -> None:
    with full_disk(tmp_path) as disk:
        control = disk / "chaos.json"
        control.write_text(KEPT)
        fill(disk)
        result = chaos(control, "fault=drop-s3 percent=5 ttl=60")
        assert (result["failed"], result["reason_code"]) == (True, "disk-full")
        assert str(disk) in result["msg"] and "Free space" in result["action"]
        assert control.read_text() == KEPT
        assert not (disk / "chaos.json.run" / "lease.json").exists()


@root
def test_a_disk_that_fills_up_under_a_fault_does_not_keep_it(tmp_path: Path) -> None:
    with full_disk(tmp_path) as disk:
        control = disk / "chaos.json"
        control.write_text(KEPT)
        assert chaos(control, "fault=drop-s3 percent=5 ttl=60")["changed"]
        fill(disk)
        off = chaos(control, "state=absent")
        assert (off["changed"], off["reverted"]) == (True, ["drop-s3"]), off
        assert json.loads(control.read_text()) == json.loads(KEPT)


def test_a_read_only_file_stays_as_it_is(tmp_path: Path) -> None:
    control = tmp_path / "chaos.json"
    control.write_text(KEPT)
    control.chmod(0o444)
    refused(control, "control-file-read-only")
    assert control.read_text() == KEPT


def test_garbage_stays_as_it_is(tmp_path: Path) -> None:
    control = tmp_path / "chaos.json"
    control.write_bytes(b"\x00\xff{not json")
    refused(control, "control-file-unreadable")
    assert control.read_bytes() == b"\x00\xff{not json"
    assert list(tmp_path.iterdir()) == [control]


@root
def test_a_file_of_another_user_keeps_its_owner_when_root_writes_it(tmp_path: Path) -> None:
    control = tmp_path / "chaos.json"
    control.write_text(KEPT)
    os.chown(control, 12345, 12345)
    control.chmod(0o640)
    assert chaos(control, "fault=drop-s3 percent=5 ttl=60")["changed"]
    facts = control.stat()
    assert (facts.st_uid, facts.st_gid, facts.st_mode & 0o777) == (12345, 12345, 0o640)
    chaos(control, "state=absent")
    facts = control.stat()
    assert (facts.st_uid, facts.st_mode & 0o777, control.read_text()) == (12345, 0o640, KEPT)


def test_chaos_needs_the_inventorys_word(tmp_path: Path) -> None:
    control = tmp_path / "chaos.json"
    for word, production in (("false", "false"), ("true", "true"), ("yes", "true")):
        result = chaos(control, "fault=drop-s3 percent=5", variables=f"sidecar_chaos_allowed={word} sidecar_production={production}")
        assert result["reason_code"] == "chaos-not-allowed", result
    assert list(tmp_path.iterdir()) == []
    assert not chaos(control, "state=absent", variables="sidecar_chaos_allowed=false")["changed"]
