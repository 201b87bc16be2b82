# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that repeats a run, from the parsed command line of ansible-playbook. Values of inline extra variables are never shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# How ansible-playbook spells its options, by the name under which its parser keeps them. Secrets are only ever asked for or in files.
_SWITCHES = {
    "check": "--check",
    "diff": "--diff",
    "become": "--become",
    "become_ask_pass": "--ask-become-pass",
    "ask_pass": "--ask-pass",
    "ask_vault_pass": "--ask-vault-pass",
    "flush_cache": "--flush-cache",
    "force_handlers": "--force-handlers",
    "step": "--step",
}
_TEXTS = {
    "remote_user": "--user",
    "connection": "--connection",
    "timeout": "--timeout",
    "become_method": "--become-method",
    "become_user": "--become-user",
    "forks": "--forks",
    "start_at_task": "--start-at-task",
}
_PATHS = {
    "private_key_file": "--private-key",
    "connection_password_file": "--connection-password-file",
    "become_password_file": "--become-password-file",
}
_NAME = re.compile(r"[A-Za-z_]\w*")


def command(
    options: Mapping[str, Any], defaults: Mapping[str, Any], base: Path, *, tags: Sequence[str] = (), extra: Sequence[str] = ()
) -> str:
    """The ansible-playbook command of these options, with paths relative to ``base`` where they lie below it.

    An option that has its value of ``defaults`` is left out. ``tags`` replace the run's own, and ``extra`` are appended as they are.
    """
    words = ["ansible-playbook", *(relative(playbook, base) for playbook in options.get("args") or ())]
    for source in options.get("inventory") or ():
        words += ["-i", str(source) if "," in str(source) else relative(source, base)]
    if options.get("subset"):
        words += ["--limit", str(options["subset"])]
    chosen = list(tags) or [tag for tag in options.get("tags") or () if tag != "all"]
    if chosen:
        words += ["--tags", ",".join(map(str, chosen))]
    if options.get("skip_tags"):
        words += ["--skip-tags", ",".join(map(str, options["skip_tags"]))]
    for item in options.get("extra_vars") or ():
        words += ["-e", extra_variable(str(item), base)]
    words += _given(options, defaults, base)
    return " ".join(shlex.quote(word) for word in (*words, *extra))


def extra_variable(item: str, base: Path) -> str:
    """One ``-e`` argument: a file by its name, inline variables by their names alone."""
    if item.startswith("@"):
        return "@" + relative(item[1:], base)
    names = [name for name in _names(item) if _NAME.fullmatch(name)]
    return " ".join(f"{name}=…" for name in dict.fromkeys(names)) or "…"


def _names(item: str) -> list[str]:
    """Names of inline variables, which Ansible reads as YAML after a brace and as shell words else."""
    import yaml

    try:
        if item[:1] in ("{", "["):
            variables = yaml.safe_load(item)
            return list(map(str, variables)) if isinstance(variables, dict) else []
        return [word.split("=", 1)[0] for word in shlex.split(item) if "=" in word]
    except (yaml.YAMLError, ValueError):
        return []


def _given(options: Mapping[str, Any], defaults: Mapping[str, Any], base: Path) -> list[str]:
    def differs(name: str) -> bool:
        return bool(options.get(name)) and options[name] != defaults.get(name)

    words = [f"--vault-id={identity}" for identity in options.get("vault_ids") or ()]
    words += [f"--vault-password-file={relative(path, base)}" for path in options.get("vault_password_files") or ()]
    words += [f"{flag}={options[name]}" for name, flag in _TEXTS.items() if differs(name)]
    words += [f"{flag}={relative(options[name], base)}" for name, flag in _PATHS.items() if differs(name)]
    words += [flag for name, flag in _SWITCHES.items() if differs(name)]
    return words


def relative(path: Any, base: Path) -> str:
    """A path as seen from ``base`` where it lies below it, else as it was given."""
    given = Path(str(path))
    return str(given.relative_to(base)) if given.is_relative_to(base) and given != base else str(path)
