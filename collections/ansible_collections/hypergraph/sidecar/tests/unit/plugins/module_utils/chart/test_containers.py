# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resources and images: what is not said is missed, unless something else says it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.chart.containers import RULES
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.chart.served import CONTAINERS, POD, STORE, WEB, release, told
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.edited import GONE, Edit

FIRST = (*CONTAINERS, 0)
RESOURCES = (*FIRST, "resources")
IMAGE = (*FIRST, "image")
DIGEST = "sha256:" + 64 * "a"
NO_REQUESTS: list[Edit] = [(WEB, (*RESOURCES, "requests"), GONE), (WEB, (*RESOURCES, "limits"), {"cpu": 1})]
UNLIMITED: list[Edit] = [(WEB, (*RESOURCES, "limits"), GONE)]
LIMITS = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "limits"}}


def given(**item: Any) -> Edit:
    return ("LimitRange/limits", (), {**LIMITS, "spec": {"limits": [{"type": "Container", **item}]}})


VIOLATIONS: list[tuple[str, list[Edit], dict[str, Any], str]] = [
    ("requests-missing", [(WEB, RESOURCES, GONE)], {}, "container web requests no cpu and no memory"),
    ("requests-missing", [(WEB, (*RESOURCES, "requests", "cpu"), GONE)], {}, "requests no cpu ("),
    ("requests-missing", [(WEB, (*POD, "initContainers", 1), {"name": "sidecar", "restartPolicy": "Always"})], {}, "container sidecar"),
    ("requests-missing", [*NO_REQUESTS, given(default={"cpu": 1})], {}, "requests no memory"),
    ("requests-missing", [(WEB, RESOURCES, GONE), (WEB, (*POD, "resources"), {"requests": {"cpu": 1, "memory": "1Gi"}})], {}, "web"),
    ("memory-limit-missing", UNLIMITED, {}, "container web has no limit of memory"),
    ("memory-limit-missing", [(WEB, (*POD, "initContainers", 0, "resources", "limits", "memory"), GONE)], {}, "container migrate"),
    ("memory-limit-missing", [*UNLIMITED, given(defaultRequest={"memory": "1Gi"})], {}, "container web"),
    ("memory-limit-missing", [*UNLIMITED, given(type="Pod", default={"memory": "1Gi"})], {}, "container web"),
    ("memory-limit-missing", [*UNLIMITED, given(default={"memory": 1}), ("LimitRange/limits", ("metadata", "namespace"), "b")], {}, "web"),
    ("request-exceeds-limit", [(WEB, (*RESOURCES, "requests", "memory"), "1.5Gi")], {}, "memory: request 1.5Gi, limit 1Gi"),
    ("request-exceeds-limit", [(WEB, (*RESOURCES, "limits", "cpu"), "0.25")], {}, "cpu: request 500m, limit 0.25"),
    (
        "request-exceeds-limit",
        [(STORE, (*RESOURCES, "limits", "nvidia.com/gpu"), 2)],
        {},
        "a limit of the request, observed nvidia.com/gpu",
    ),
    ("request-exceeds-limit", [(STORE, (*RESOURCES, "limits", "nvidia.com/gpu"), GONE)], {}, "request 1, limit none"),
    ("request-exceeds-limit", [(WEB, (*RESOURCES, "requests", "hugepages-2Mi"), "4Mi")], {}, "hugepages-2Mi"),
    ("image-not-pinned", [(WEB, IMAGE, "registry.example.org:5000/shop/web")], {}, "image registry.example.org:5000/shop/web"),
    ("image-not-pinned", [(WEB, IMAGE, "web:latest")], {}, "web:latest"),
    ("image-not-pinned", [(WEB, IMAGE, "web:")], {}, "web:"),
    ("image-not-pinned", [(WEB, IMAGE, "Web:1.0.0")], {}, "Web:1.0.0"),
    ("image-not-pinned", [(WEB, IMAGE, "web@sha256:123")], {}, "web@sha256:123"),
    ("image-not-pinned", [(WEB, IMAGE, GONE)], {}, "no image"),
    ("image-without-digest", [(WEB, IMAGE, "web:1.0.0")], {}, "image web:1.0.0"),
]

NEAR_MISSES: list[tuple[str, list[Edit], dict[str, Any]]] = [
    ("requests-missing", [(WEB, (*RESOURCES, "requests"), GONE), (WEB, (*RESOURCES, "limits", "cpu"), 1)], {}),
    ("requests-missing", [(WEB, (*POD, "initContainers", 0, "resources"), GONE)], {}),
    ("requests-missing", [*NO_REQUESTS, given(defaultRequest={"memory": "1Gi"})], {}),
    (
        "requests-missing",
        [(WEB, RESOURCES, GONE), (WEB, (*POD, "resources"), {"requests": {"cpu": 1, "memory": "1Gi"}})],
        {"kubernetes": (1, 34)},
    ),
    ("memory-limit-missing", [*UNLIMITED, given(default={"memory": "1Gi"})], {}),
    (
        "memory-limit-missing",
        [*UNLIMITED, (WEB, (*POD, "initContainers"), []), (WEB, (*POD, "resources"), {"limits": {"memory": "1Gi"}})],
        {"kubernetes": (1, 34)},
    ),
    ("request-exceeds-limit", [(WEB, (*RESOURCES, "requests", "memory"), "1024Mi")], {}),
    ("request-exceeds-limit", [(WEB, (*RESOURCES, "limits", "cpu"), "500m"), (WEB, (*RESOURCES, "requests", "cpu"), 0.5)], {}),
    ("request-exceeds-limit", [(WEB, (*RESOURCES, "limits", "nvidia.com/gpu"), 1)], {}),
    ("request-exceeds-limit", [(WEB, (*RESOURCES, "requests", "example.kubernetes.io/slots"), 1)], {}),
    ("request-exceeds-limit", [(WEB, (*RESOURCES, "requests", "memory"), "much")], {}),
    ("image-not-pinned", [(WEB, IMAGE, "localhost:5000/web:2024.1_b-3")], {}),
    ("image-not-pinned", [(WEB, IMAGE, f"web:latest@{DIGEST}")], {}),
    ("image-not-pinned", [(WEB, IMAGE, "Registry.example.org/a__b/web:latest-2")], {}),
    ("image-without-digest", [(WEB, IMAGE, f"web@{DIGEST}")], {}),
    ("image-without-digest", [(WEB, IMAGE, "web:1.0.0")], {"production": False}),
]


@pytest.mark.parametrize(("rule", "edits", "demands", "said"), VIOLATIONS)
def test_a_violation_is_found_and_told(rule: str, edits: list[Edit], demands: dict[str, Any], said: str) -> None:
    found = told(RULES, rule, release(*edits, **demands))
    assert any(said in line for line in found), found


@pytest.mark.parametrize(("rule", "edits", "demands"), NEAR_MISSES)
def test_what_only_looks_like_a_violation_is_none(rule: str, edits: list[Edit], demands: dict[str, Any]) -> None:
    assert told(RULES, rule, release(*edits, **demands)) == []


def test_every_rule_has_a_violation_and_a_near_miss() -> None:
    assert {rule.id for rule in RULES} == {case[0] for case in VIOLATIONS} == {case[0] for case in NEAR_MISSES}
