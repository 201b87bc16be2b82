# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scope of a run, and the reasons why something was not looked at. Its rule of tags is held to Ansible's own in action/test_tags.py."""

from __future__ import annotations

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.catalog import CATALOG
from ansible_collections.hypergraph.sidecar.plugins.module_utils.report.scope import Scope


def test_a_check_on_hosts_has_groups_and_one_on_the_controller_has_none() -> None:
    on_the_controller = {check.id for check in CATALOG if not {"runtime", "chaos"} & set(check.tags)} - {"backpressure"}
    assert {check.id for check in CATALOG if not check.groups} == on_the_controller


def test_the_controllers_checks_are_left_out_by_a_limit() -> None:
    assert Scope(limit="eu-*").absence("deploy_artifacts").reason_code == "not-selected"
    assert "--limit eu-*" in Scope(limit="eu-*").absence("deploy_artifacts").reason
    assert Scope().absence("deploy_artifacts").reason_code == "no-result"
    assert Scope(limit="eu-*").absence("our_queue").reason_code == "no-result"


@pytest.mark.parametrize(
    ("scope", "code", "says"),
    [
        (Scope(tags=("security",)), "not-selected", "not selected by --tags security"),
        (Scope(skip_tags=("runtime",)), "not-selected", "not selected by --skip-tags runtime"),
        (Scope(tags=("runtime",), skip_tags=("observability",)), "not-selected", "--tags runtime --skip-tags observability"),
        (Scope(groups={"sidecar_probes": ()}), "group-empty", "no host in sidecar_probes"),
        (Scope(), "group-empty", "no host in sidecar_probes"),
        (Scope(limit="eu-*", groups={"sidecar_probes": ()}), "group-empty", "within --limit eu-*"),
        (Scope(groups={"sidecar_probes": ("probe",)}), "no-result", "no task returned a result"),
    ],
)
def test_why_a_check_has_no_result(scope: Scope, code: str, says: str) -> None:
    absence = scope.absence("observability")
    assert (absence.status, absence.reason_code) == ("not_run", code)
    assert says in absence.reason
    assert absence.action


def test_a_check_with_one_of_two_groups_was_not_kept_from_running_by_the_other() -> None:
    scope = Scope(groups={"sidecar_probes": ("probe",), "sidecar_explainers": ()})
    assert scope.absence("tenant_isolation").reason_code == "no-result"
    assert "sidecar_probes and sidecar_explainers" in Scope().absence("tenant_isolation").reason
    assert Scope().absence("our_queue").reason_code == "no-result"


def test_hosts_that_kept_silent_are_named_where_their_group_answered() -> None:
    scope = Scope(groups={"sidecar_probes": ("p1", "p2"), "sidecar_explainers": ("e1", "e2")})
    assert scope.silent_hosts("gateway_rbac", ["p1"]) == {"p2": "sidecar_probes"}
    assert scope.silent_hosts("tenant_isolation", ["p1", "p2"]) == {}
    assert scope.silent_hosts("tenant_isolation", ["p1", "p2", "e2"]) == {"e1": "sidecar_explainers"}
    assert scope.silent_hosts("our_queue", ["p1"]) == {}
    assert scope.silent_hosts("backpressure", ["p1"]) == {}, "one host speaks for all"


def test_whatever_keeps_a_run_from_looking_at_everything_is_told() -> None:
    scope = Scope(("a", "b"), ("c",), "eu:!de", "Third task", True)
    assert scope.restrictions == ("--tags a,b", "--skip-tags c", "--limit 'eu:!de'", "--start-at-task 'Third task'", "--check")
    assert Scope(tags=("all",)).restrictions == ()
