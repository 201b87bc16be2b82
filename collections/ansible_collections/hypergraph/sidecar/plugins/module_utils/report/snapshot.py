# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the run was made with: versions, inventory, revision of the checkout. User variables are not in it."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

LIBRARIES = (
    "requests",
    "PyYAML",
    "jsonschema",
    "kubernetes-validate",
    "openapi-spec-validator",
    "prometheus-client",
    "promql-parser",
    "Jinja2",
)
MAX_HOSTS_SHOWN = 20


def snapshot(
    *, ansible_core: str, collection: Path, checkout: Path, inventory: Iterable[str], groups: Mapping[str, Iterable[str]]
) -> dict[str, Any]:
    """The snapshot of a run. ``collection`` is the collection's directory, ``checkout`` where ansible-playbook was started."""
    return {
        "ansible_core": ansible_core,
        "python": platform.python_version(),
        "collection": collection_version(collection),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "inventory": list(inventory),
        "groups": {name: _shortened(list(hosts)) for name, hosts in groups.items()},
        "revision": revision(checkout),
    }


def collection_version(collection: Path) -> str:
    """The collection's version as installed (MANIFEST.json) or checked out (galaxy.yml); empty where neither says."""
    import yaml

    try:
        return str(json.loads((collection / "MANIFEST.json").read_text("utf-8"))["collection_info"]["version"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        return str(yaml.safe_load((collection / "galaxy.yml").read_text("utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return ""


def revision(checkout: Path) -> dict[str, Any]:
    """Commit, branch and whether tracked files were changed, as git tells them; empty without git or outside a repository."""
    git = shutil.which("git")
    if git is None:
        return {}
    commit = _git(git, checkout, "rev-parse", "HEAD")
    if commit is None:
        return {}
    changes = _git(git, checkout, "status", "--porcelain", "--untracked-files=no")
    return {
        "commit": commit,
        "branch": _git(git, checkout, "rev-parse", "--abbrev-ref", "HEAD") or "",
        "dirty": bool(changes) if changes is not None else None,
    }


def _git(git: str, checkout: Path, *arguments: str) -> str | None:
    """Git's answer in one text, or None where it has none within five seconds. It takes no locks and asks nobody for anything."""
    try:
        done = subprocess.run(  # noqa: S603
            [git, "--no-optional-locks", "-C", str(checkout), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "absent"


def _shortened(hosts: list[str]) -> list[str]:
    return hosts if len(hosts) <= MAX_HOSTS_SHOWN else [*hosts[:MAX_HOSTS_SHOWN], f"… {len(hosts) - MAX_HOSTS_SHOWN} more"]
