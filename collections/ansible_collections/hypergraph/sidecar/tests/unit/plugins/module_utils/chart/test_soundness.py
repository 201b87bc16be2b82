# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference keeps every rule, every rule looks at it, and whatever stands anywhere in it breaks none of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart import containers, disruption, lifecycle, network, pod_security
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Path
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.rules import Rule
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.chart.served import BODIES, release

RULES = [rule for room in (network.RULES, lifecycle.RULES, containers.RULES, disruption.RULES, pod_security.RULES) for rule in room]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_reference_keeps_every_rule_and_every_rule_looks_at_it(rule: Rule) -> None:
    looked_at = list(rule.judge(release()))
    assert looked_at
    assert [str(outcome) for outcome in looked_at if not outcome.ok] == []


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every part of an object, from the outside in."""
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(part, (*path, key))


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("rubbish", [None, 7, "text", True, [7, None, [], {}], {"a": 7, "name": [], "metadata": 7}], ids=repr)
def test_rubbish_anywhere_crashes_no_rule(name: str, rubbish: Any) -> None:
    for path in places(BODIES[name]):
        # What has no kind or name is no object that a test could find, and a rule would not look for.
        if path not in (("kind",), ("metadata",), ("metadata", "name")):
            judged = release((name, path, rubbish))
            for rule in RULES:
                assert all(str(outcome) for outcome in rule.judge(judged)), (rule.id, path)
