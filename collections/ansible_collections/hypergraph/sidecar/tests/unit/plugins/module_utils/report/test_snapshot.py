# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The snapshot: versions and revision, with and without git, and never a failure."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.snapshot import collection_version, revision, snapshot
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.report.documents import COLLECTION

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(where: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", "-C", str(where), *identity, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    (tmp_path / "verify.yml").write_text("[]\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


@needs_git
def test_the_revision_of_a_checkout_and_whether_it_was_changed(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    assert revision(checkout) == {"commit": commit, "branch": "main", "dirty": False}
    (checkout / "verify.yml").write_text("[1]\n")
    assert revision(checkout)["dirty"] is True


@needs_git
def test_a_directory_outside_any_checkout_has_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert revision(tmp_path) == {}


def test_without_git_there_is_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision(tmp_path) == {}


def test_a_git_that_does_not_work_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "git"
    broken.write_text("not a program")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision(tmp_path) == {}


def test_the_collections_version_as_installed_as_checked_out_and_unknown(tmp_path: Path) -> None:
    assert collection_version(tmp_path) == ""
    (tmp_path / "galaxy.yml").write_text("version: 1.2.3\n")
    assert collection_version(tmp_path) == "1.2.3"
    (tmp_path / "MANIFEST.json").write_text(json.dumps({"collection_info": {"version": "1.2.4"}}))
    assert collection_version(tmp_path) == "1.2.4"
    (tmp_path / "MANIFEST.json").write_text("[]")
    (tmp_path / "galaxy.yml").write_text("version: [\n")
    assert collection_version(tmp_path) == ""


def test_a_snapshot_names_versions_and_hosts_and_shortens_long_groups(tmp_path: Path) -> None:
    groups = {"few": ["a", "b"], "many": [f"h{number}" for number in range(30)]}
    taken = snapshot(ansible_core="2.19.0", collection=COLLECTION, checkout=tmp_path, inventory=["lab"], groups=groups)
    assert taken["groups"]["few"] == ["a", "b"]
    assert (len(taken["groups"]["many"]), taken["groups"]["many"][-1]) == (21, "… 10 more")
    assert taken["libraries"]["PyYAML"] not in ("", "absent")
    assert taken["python"].startswith("3.")
