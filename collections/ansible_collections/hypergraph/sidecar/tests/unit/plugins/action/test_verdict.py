# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict action in real plays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.release import __version__ as ansible_core

from ansible_collections.hypergraph.sidecar.tests.unit.plugins.action.playbooks import Play, play, tasks

SECRET = "s3cret-value-1234567890"
VARIABLES = {"queue": {"depth": 17, "limit": 10}, "answer": f"Bearer {SECRET}", "groups_wanted": ["sidecar_probes", "sidecar_gateways"]}
FINISHES_ARGUMENTS = tuple(map(int, ansible_core.split(".")[:2])) >= (2, 19)

QUEUE = {
    "check": "queue_depth",
    "title": "The queue is short",
    "secrets": [SECRET],
    "examined": {"queues": "{{ [queue] | length }}"},
    "metrics": {"depth_jobs": "{{ queue.depth }}"},
    "evidence": {"answer": "{{ answer }}"},
    "assertions": [
        {
            "name": "short",
            "that": "queue.depth <= queue.limit",
            "observed": "{{ queue.depth }}",
            "reason_code": "too-long",
            "action": "Add.",
        },
        {"name": "bounded", "that": ["queue.limit is defined", "queue.limit == 10"]},
    ],
    "controls": [{"name": "readable", "that": "{{ queue is mapping }}"}],
}
UNDEFINED = {"check": "queue_depth", "assertions": [{"name": "short", "that": "nonesuch.depth < 1"}, {"name": "read", "that": True}]}
GROUPS = {
    "check": "preflight",
    "assertions": [
        {
            "name": "group {{ item }} has a host",
            "that": "groups[item] | default([]) | length > 0",
            "observed": "{{ groups[item] | default([]) | length }} hosts",
            "reason_code": "group-empty",
        }
    ],
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """One play with every kind of verdict, all written to a file."""
    directory = tmp_path_factory.mktemp("verdict")
    action = "hypergraph.sidecar.verdict"
    found = {name: f"{{{{ {name} }}}}" for name in ("queue_verdict", "undefined", "groups_found", "bad", "short")}
    return play(
        directory,
        [
            tasks(
                "localhost",
                {action: QUEUE, "register": "queue_verdict"},
                {action: UNDEFINED, "register": "undefined"},
                {action: GROUPS, "loop": "{{ groups_wanted }}", "register": "groups_found"},
                {action: {"check": "queue_depth", "assertions": [{"name": "short"}]}, "register": "bad"},
                {action: {"check": "queue_depth", "assertions": "{{ queue.none | default([]) }}"}, "register": "short"},
                {"ansible.builtin.copy": {"content": "{{ found | to_json }}", "dest": f"{directory}/found.json", "mode": "0600"}},
                vars={**VARIABLES, "found": found},
            )
        ],
        "-vvv",
        inventory={"sidecar_probes": {"hosts": {"probe": {}}}},
    )


@pytest.fixture(scope="module")
def found(ran: Play) -> dict[str, Any]:
    assert ran.status == 0, ran.output
    results: dict[str, Any] = json.loads((ran.directory / "found.json").read_text())
    return results


def test_a_failing_condition_fails_the_verdict_and_not_the_play(found: dict[str, Any]) -> None:
    result = found["queue_verdict"]
    verdict = result["verdict"]
    assert (result["changed"], verdict["status"], verdict["reason_code"]) == (False, "fail", "too-long")
    assert (verdict["check"], verdict["title"], verdict["host"]) == ("queue_depth", "The queue is short", "localhost")
    assert [assertion["ok"] for assertion in verdict["assertions"]] == [False, True]
    assert str(verdict["assertions"][0]["observed"]) == "17"
    assert (verdict["examined"], verdict["metrics"]) == ({"queues": 1}, {"depth_jobs": 17.0})
    assert verdict["controls"][0]["ok"] is True
    assert result["msg"].startswith("fail: short: expected queue.depth <= queue.limit, observed 17")


def test_secrets_are_neither_in_the_verdict_nor_on_the_terminal(ran: Play, found: dict[str, Any]) -> None:
    assert "[redacted" in found["queue_verdict"]["verdict"]["evidence"]["answer"]
    assert SECRET not in json.dumps(found)
    assert SECRET not in ran.output


def test_a_condition_on_something_undefined_is_an_error_of_the_verdict(found: dict[str, Any]) -> None:
    verdict = found["undefined"]["verdict"]
    assert (verdict["status"], verdict["reason_code"]) == ("error", "condition-not-evaluable")
    assert "nonesuch" in verdict["reason"]
    assert [assertion["name"] for assertion in verdict["assertions"]] == ["read"]


def test_a_loop_brings_a_verdict_an_item(found: dict[str, Any]) -> None:
    verdicts = [result["verdict"] for result in found["groups_found"]["results"]]
    assert [(verdict["assertions"][0]["name"], verdict["status"]) for verdict in verdicts] == [
        ("group sidecar_probes has a host", "pass"),
        ("group sidecar_gateways has a host", "fail"),
    ]
    assert verdicts[1]["assertions"][0]["observed"] == "0 hosts"


def test_a_bad_argument_is_an_error_of_the_verdict(found: dict[str, Any]) -> None:
    assert (found["bad"]["verdict"]["status"], found["bad"]["verdict"]["reason_code"]) == ("error", "bad-argument")
    assert "'short' has no that" in found["bad"]["verdict"]["reason"]


def test_no_assertions_are_not_a_pass(found: dict[str, Any]) -> None:
    assert found["short"]["verdict"]["reason_code"] == "nothing-examined"


@pytest.mark.parametrize("check", [None, "", "Queue depth", "../etc"])
def test_a_check_without_a_usable_id_cannot_have_a_verdict(check: Any, tmp_path: Path) -> None:
    ran = play(tmp_path, [tasks("localhost", {"hypergraph.sidecar.verdict": {"check": check, "assertions": []}})])
    assert ran.status == 2
    assert "expected the id of a check" in ran.output


@pytest.mark.skipif(not FINISHES_ARGUMENTS, reason="before ansible-core 2.19 such a task fails before its action runs")
def test_a_template_that_cannot_be_filled_in_costs_its_own_entry_only(tmp_path: Path) -> None:
    entries = [{"name": "{{ queue.limit }} at most", "that": True, "observed": "{{ nonesuch.depth }}"}, {"name": "read", "that": True}]
    verdict = {"hypergraph.sidecar.verdict": {"check": "queue_depth", "assertions": entries}, "register": "result"}
    shown = {"ansible.builtin.debug": {"msg": "{{ result.verdict.status }}: {{ result.verdict.reason }}"}}
    ran = play(tmp_path, [tasks("localhost", verdict, shown, vars=VARIABLES)])
    assert ran.status == 0, ran.output
    assert "error: 10 at most: 'nonesuch' is undefined" in ran.output
