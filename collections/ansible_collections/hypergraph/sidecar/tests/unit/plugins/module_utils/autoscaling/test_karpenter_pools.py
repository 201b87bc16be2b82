# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pods a NodePool takes, what it may grow to, and the algebra of labels beneath."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.karpenter_labels import (
    Constraint,
    combined,
    constraint,
    derived,
    exactly,
    said,
)
from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.karpenter_pools import Pod, Pool
from ansible_collections.hypergraph.sidecar.plugins.module_utils.manifests.objects import Object, Place

CPU = "karpenter.k8s.aws/instance-cpu"
FAMILY = "karpenter.k8s.aws/instance-family"
CATEGORY = "karpenter.k8s.aws/instance-category"
TYPE = "node.kubernetes.io/instance-type"
COUNT = "karpenter.k8s.aws/instance-gpu-count"
NAME = "karpenter.k8s.aws/instance-gpu-name"


def one(operator: str, *values: str) -> Constraint:
    return constraint({"key": "k", "operator": operator, "values": list(values)})


def requirement(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


def pool(*requirements: dict[str, Any], limits: dict[str, Any] | None = None, **spec: Any) -> Pool:
    body = {"metadata": {"name": "p"}, "spec": {"limits": limits or {}, "template": {"spec": {"requirements": list(requirements)}}, **spec}}
    return Pool(Object(body, Place("pool.yaml")))


@pytest.mark.parametrize(
    ("left", "right", "possible"),
    [
        (one("In", "a", "b"), one("In", "b", "c"), True),
        (one("In", "a"), one("In", "b"), False),
        (one("In", "a"), one("NotIn", "a"), False),
        (one("In", "a", "b"), one("NotIn", "a"), True),
        (one("NotIn", "a"), one("NotIn", "b"), True),
        (one("In", "a"), one("Exists"), True),
        (one("In", "a"), one("DoesNotExist"), False),
        (one("Exists"), one("DoesNotExist"), False),
        (one("NotIn", "a"), one("DoesNotExist"), True),
        (one("DoesNotExist"), one("DoesNotExist"), True),
        (one("Gt", "4"), one("In", "4"), False),
        (one("Gte", "4"), one("In", "4"), True),
        (one("Lt", "4"), one("In", "4"), False),
        (one("Lte", "4"), one("In", "4"), True),
        (one("Gt", "4"), one("Lt", "5"), False),
        (one("Gt", "4"), one("Lt", "6"), True),
        (one("Gte", "4"), one("Lte", "4"), True),
        (one("Gt", "4"), one("In", "many"), False),
        (one("Near", "4"), one("In", "a"), True),
        (one("Gt", "many"), one("In", "a"), True),
    ],
)
def test_two_constraints_can_hold_at_once_or_not(left: Constraint, right: Constraint, possible: bool) -> None:
    assert (left & right).satisfiable is possible
    assert (right & left).satisfiable is possible


@pytest.mark.parametrize(
    ("constrained", "greatest"),
    [
        (one("In", "4", "16"), 16),
        (one("In", "4", "16") & one("Lt", "16"), 4),
        (one("Lt", "17"), 16),
        (one("Lte", "17"), 17),
        (one("Gt", "4"), None),
        (one("In", "4", "many"), None),
        (one("Exists"), None),
        (one("DoesNotExist"), None),
    ],
)
def test_the_greatest_number_is_known_where_it_is_bounded(constrained: Constraint, greatest: int | None) -> None:
    assert constrained.greatest() == greatest


def test_labels_are_compared_under_their_stable_names() -> None:
    merged = combined([("beta.kubernetes.io/arch", exactly("arm64")), ("kubernetes.io/arch", one("NotIn", "arm64"))])
    assert list(merged) == ["kubernetes.io/arch"]
    assert not merged["kubernetes.io/arch"].satisfiable


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("topology.kubernetes.io/zone", True),
        ("karpenter.sh/capacity-type", True),
        ("karpenter.k8s.aws/instance-size", True),
        ("karpenter.k8s.aws/instance-familly", False),
        ("topology.k8s.aws/zone-id", True),
        ("node.kubernetes.io/instance-family", False),
        ("example.org/pool", False),
        ("karpenter.sh/nodepool", False),
        ("notk8s.aws/x", False),
    ],
)
def test_what_a_node_has_from_its_instance_is_known(key: str, known: bool) -> None:
    assert derived(key) is known


@pytest.mark.parametrize(
    ("constrained", "words"),
    [
        (one("In", "b", "a"), "k in [a, b]"),
        (one("DoesNotExist"), "no label k"),
        (one("Exists"), "k present"),
        (one("Gt", "4") & one("Lt", "9"), "k >= 5 and <= 8"),
        (one("NotIn", "a"), "k not in [a]"),
    ],
)
def test_a_constraint_is_told_in_words(constrained: Constraint, words: str) -> None:
    assert said("k", constrained) == words


@pytest.mark.parametrize(
    ("judged", "offers"),
    [
        (pool(), None),
        (pool(requirement(COUNT, "Exists")), True),
        (pool(requirement(COUNT, "Gt", "0")), True),
        (pool(requirement(COUNT, "In", "1", "4")), True),
        (pool(requirement(COUNT, "Lt", "1")), False),
        (pool(requirement(COUNT, "DoesNotExist")), False),
        (pool(requirement(NAME, "In", "l4")), True),
        (pool(requirement(NAME, "NotIn", "t4")), None),
        (pool(requirement(CATEGORY, "In", "g", "p")), True),
        (pool(requirement(CATEGORY, "In", "c", "m", "r")), False),
        (pool(requirement(CATEGORY, "In", "c", "g")), None),
        (pool(requirement(CATEGORY, "NotIn", "g")), None),
        (pool(requirement(FAMILY, "In", "g6", "gr6", "p5")), True),
        (pool(requirement(FAMILY, "In", "c7i", "trn1", "inf2")), False),
        (pool(requirement(TYPE, "In", "g5.xlarge")), True),
        (pool(requirement(TYPE, "In", "m7i.large")), False),
        (pool(requirement(CATEGORY, "In", "g", "c"), requirement(FAMILY, "In", "c7i")), False),
        (pool(requirement(FAMILY, "In", "g6"), limits={"nvidia.com/gpu": 0}), False),
        (pool(limits={"nvidia.com/gpu": 8}), None),
    ],
)
def test_whether_a_pool_has_gpus_is_known_as_far_as_it_says(judged: Pool, offers: bool | None) -> None:
    assert judged.offers_gpus is offers


def test_a_static_pool_is_as_large_as_its_replicas() -> None:
    static = pool(requirement(CPU, "In", "8"), limits={"nodes": 9}, replicas=3)
    assert static.limits == {"nodes": Decimal(3), "cpu": Decimal(24)}


def test_sizes_of_nodes_are_read_from_requirements() -> None:
    sized = pool(
        requirement(CPU, "Lt", "17"), requirement("karpenter.k8s.aws/instance-memory", "In", "32768"), requirement(COUNT, "Gt", "0")
    )
    assert sized.largest_node == {"cpu": Decimal(16), "memory": Decimal(32 * 2**30)}


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"key": "t", "value": "v", "effect": "NoSchedule"}, True),
        ({"key": "t", "value": "v"}, True),
        ({"key": "t", "operator": "Equal", "value": "v"}, True),
        ({"key": "t", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "t"}, False),
        ({"key": "t", "value": "w"}, False),
        ({"key": "u", "operator": "Exists"}, False),
        ({}, False),
        ({"key": "t", "operator": "Gt", "value": "4"}, True),
    ],
)
def test_a_toleration_matches_as_the_scheduler_defines_it(toleration: dict[str, Any], tolerated: bool) -> None:
    assert Pod({"tolerations": [toleration]}).tolerates({"key": "t", "value": "v", "effect": "NoSchedule"}) is tolerated


def test_one_term_of_an_affinity_is_enough_and_the_selector_counts_in_each() -> None:
    terms = [
        {"matchExpressions": [{"key": "example.org/pool", "operator": "In", "values": ["x"]}]},
        {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]},
    ]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
    arm = pool(requirement("kubernetes.io/arch", "In", "arm64"), requirement(CPU, "Lt", "9"))
    assert arm.admits(Pod({"affinity": affinity}))
    assert not arm.admits(Pod({"affinity": affinity, "nodeSelector": {CPU: "16"}}))
    assert not arm.admits(
        Pod({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms[:1]}}}})
    )


@pytest.mark.parametrize(
    ("topology", "selected", "alone"),
    [
        ("kubernetes.io/hostname", {"app": "w"}, True),
        ("kubernetes.io/hostname", {"app": "another"}, False),
        ("topology.kubernetes.io/zone", {"app": "w"}, False),
    ],
)
def test_pods_are_alone_that_keep_their_own_kind_off_their_node(topology: str, selected: dict[str, str], alone: bool) -> None:
    term = {"topologyKey": topology, "labelSelector": {"matchLabels": selected}}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    assert Pod({"affinity": affinity}, labels={"app": "w"}).alone is alone


def test_a_request_of_no_gpus_asks_for_none() -> None:
    assert Pod({}, {"nvidia.com/gpu": Decimal(0), "cpu": Decimal(1)}).gpus == {}
    assert Pod({}, {"nvidia.com/mig-1g.5gb": Decimal(1)}).gpus == {"nvidia.com/mig-1g.5gb": Decimal(1)}


def test_preferences_keep_no_pod_off() -> None:
    preferred = [{"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}}]
    assert pool().admits(Pod({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}}))
