# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that repeats a run: exact, and silent about values."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.command import command, extra_variable

BASE = Path("/srv/checkout")
DEFAULTS: dict[str, Any] = {"forks": 5, "remote_user": None, "connection": "ssh", "become": False, "tags": [], "private_key_file": None}


def test_a_plain_run() -> None:
    options = {**DEFAULTS, "args": ("playbooks/verify.yml",), "inventory": ("/srv/checkout/inventories/lab",), "tags": ("all",)}
    assert command(options, DEFAULTS, BASE) == "ansible-playbook playbooks/verify.yml -i inventories/lab"


def test_everything_that_was_given() -> None:
    options = {
        "args": ("hypergraph.sidecar.verify",),
        "inventory": ("/etc/hosts.yml", "a,b,"),
        "subset": "eu:!de",
        "tags": ("security", "runtime"),
        "skip_tags": ("load",),
        "extra_vars": ("@/srv/checkout/vars/a b.yml", "token=abc"),
        "vault_ids": ("prod@prompt",),
        "vault_password_files": ("/srv/checkout/.vault",),
        "forks": 20,
        "remote_user": "ops",
        "connection": "ssh",
        "private_key_file": "/home/ops/key",
        "become": True,
        "check": True,
        "start_at_task": "Third task",
    }
    assert shlex.split(command(options, DEFAULTS, BASE)) == [
        "ansible-playbook",
        "hypergraph.sidecar.verify",
        *("-i", "/etc/hosts.yml", "-i", "a,b,"),
        *("--limit", "eu:!de"),
        *("--tags", "security,runtime"),
        *("--skip-tags", "load"),
        *("-e", "@vars/a b.yml", "-e", "token=…"),
        *("--vault-id=prod@prompt", "--vault-password-file=.vault"),
        *("--user=ops", "--forks=20", "--start-at-task=Third task", "--private-key=/home/ops/key"),
        *("--check", "--become"),
    ]


def test_tags_of_the_not_green_take_the_place_of_the_runs_own() -> None:
    options = {"args": ("verify.yml",), "tags": ("all",)}
    assert command(options, {}, BASE, tags=["a", "b"], extra=["-e", "c=true"]) == "ansible-playbook verify.yml --tags a,b -e c=true"


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        ("token=abc", "token=…"),
        ("a=1 b='two words secret=3'", "a=… b=…"),
        ('{"token": "abc", "other": {"nested": 1}}', "token=… other=…"),
        ("[1, 2]", "…"),
        ('{"token": ', "…"),
        ("token='unclosed secret", "…"),
        ("secret words alone", "…"),
        ("se cret=1 a.b=2", "cret=…"),
        ("@/srv/checkout/vars.yml", "@vars.yml"),
        ("@/etc/vars.yml", "@/etc/vars.yml"),
    ],
)
def test_inline_variables_are_named_and_their_values_are_not_shown(item: str, shown: str) -> None:
    assert extra_variable(item, BASE) == shown
