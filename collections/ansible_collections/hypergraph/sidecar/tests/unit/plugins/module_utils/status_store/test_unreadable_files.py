# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are missing, forbidden, too large, no files or torn: each is an error that names the cause."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store import check, json_file
from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store.json_file import JsonFile
from ansible_collections.hypergraph.sidecar.plugins.module_utils.status_store.records import TornRead
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.status_store.judged_store import MIB, read_only, verdict_on
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.status_store.storing_explainer import OLD, Explaining, replace


@pytest.mark.parametrize("missing", ["nowhere.json", "no/such/dir/status.json"])
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_missing_store_is_an_error_that_names_it(tmp_path: Path, missing: str, check_mode: bool) -> None:
    service = Explaining(tmp_path / missing, stores=False)
    document = verdict_on(service, within=0.1, check_mode=check_mode)
    assert (document["status"], document["reason_code"]) == ("error", "status-store-missing")
    assert len(document["errors"]) == 1
    assert str(tmp_path / missing) in document["reason"]


@contextmanager
def as_nobody(path: Path) -> Iterator[str]:
    """Act as a user who may not read the file; yields the user's name."""
    import pwd

    if os.geteuid():
        path.chmod(0)
        yield pwd.getpwuid(os.geteuid()).pw_name
        path.chmod(0o600)
        return
    nobody = pwd.getpwnam("nobody")
    path.chmod(0o600)
    os.seteuid(nobody.pw_uid)
    try:
        yield "nobody"
    finally:
        os.seteuid(0)


def test_wrong_permissions_name_path_user_and_remedy(path: Path) -> None:
    with as_nobody(path) as user:
        document = read_only(path)
    assert (document["status"], document["reason_code"]) == ("error", "status-store-forbidden")
    assert str(path) in document["reason"]
    assert f"user {user}" in document["reason"]
    assert "become" in document["action"]


def test_a_user_without_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 2**31 - 7)
    assert json_file._user() == str(2**31 - 7)


def test_a_file_above_the_limit_is_not_read(path: Path) -> None:
    document = read_only(path, max_bytes=100)
    assert (document["status"], document["reason_code"]) == ("error", "status-store-too-large")
    assert str(path.stat().st_size) in document["reason"]


def test_a_file_that_grows_while_it_is_read_is_left(path: Path) -> None:
    with path.open(encoding="utf-8") as file:
        window = json_file._Window(file, path.stat().st_size - 1)
        with pytest.raises(ValueError, match="grows"):
            window.peek()


def test_what_is_no_file_is_an_error_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for odd in (tmp_path, tmp_path / "pipe", tmp_path / ("x" * 300), "nul\0byte"):
        with pytest.raises(CheckError) as fault:
            list(JsonFile(str(odd), MIB).records())
        assert fault.value.reason_code == "status-store-unreadable"
        assert not isinstance(fault.value, TornRead)


def test_a_torn_file_that_is_repaired_is_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(json.dumps(OLD)[:-20])
    monkeypatch.setattr(check.time, "sleep", lambda _seconds: replace(path, OLD))
    assert read_only(path)["status"] == "pass"


def test_a_torn_file_that_stays_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(check.time, "sleep", pauses.append)
    path.write_text(json.dumps(OLD)[:-20])
    document = read_only(path)
    assert (document["status"], document["reason_code"]) == ("error", "status-store-unreadable")
    assert len(pauses) == 4
    assert document["assertions"] == []


def test_a_file_that_is_torn_each_time_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def tear_again(_seconds: float) -> None:
        written.append("{" * (len(written) + 1))
        path.write_text(written[-1])

    path.write_text("")
    monkeypatch.setattr(check.time, "sleep", tear_again)
    assert read_only(path)["reason_code"] == "status-store-unreadable"
    assert len(written) == 3
