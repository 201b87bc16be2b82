# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether limits bear full scale, reckoned by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.autoscaling.karpenter_feasibility import Balance, Demand, Supply, balances


def demand(workload: str, replicas: int, pools: str, alone: bool = False, **requests: Any) -> Demand:
    return Demand(workload, replicas, amounts(requests), frozenset(pools.split()), alone)


def supply(pool: str, limits: dict[str, Any], per_node: dict[str, Any] | None = None, largest: dict[str, Any] | None = None) -> Supply:
    return Supply(pool, amounts(limits), amounts(per_node or {}), amounts(largest or {}))


def amounts(written: dict[str, Any]) -> dict[str, Decimal]:
    return {name.replace("gpu", "nvidia.com/gpu"): Decimal(str(amount)) for name, amount in written.items()}


def short(found: tuple[Balance, ...]) -> list[tuple[str, tuple[str, ...], Decimal, Decimal]]:
    return [(one.resource, one.pools, one.needed, one.limit) for one in found if one.short]


@pytest.mark.parametrize(
    ("replicas", "limit", "fits"),
    [(10, 20, True), (10, "20.0", True), (11, 20, False), (10, "19.999", False), (0, 0, True)],
)
def test_replicas_times_requests_are_held_against_the_limit(replicas: int, limit: Any, fits: bool) -> None:
    found = balances([demand("w", replicas, "p", cpu=2)], [supply("p", {"cpu": limit})])
    assert any(one.short for one in found) is not fits


def test_every_resource_is_balanced_by_itself() -> None:
    found = balances([demand("w", 4, "p", cpu=1, memory=8, gpu=1)], [supply("p", {"cpu": 100, "memory": 31, "gpu": 3})])
    assert short(found) == [("memory", ("p",), Decimal(32), Decimal(31)), ("nvidia.com/gpu", ("p",), Decimal(4), Decimal(3))]
    assert len(found) == 3


def test_a_resource_without_limit_or_request_is_not_balanced() -> None:
    found = balances([demand("w", 4, "p", cpu=1)], [supply("p", {"memory": 1})])
    assert found == ()


def test_workloads_share_the_limit_of_their_pool() -> None:
    some = [demand("a", 6, "p", cpu=1), demand("b", 5, "p", cpu=1)]
    assert short(balances(some, [supply("p", {"cpu": 10})])) == [("cpu", ("p",), Decimal(11), Decimal(10))]
    assert not short(balances(some, [supply("p", {"cpu": 11})]))


def test_a_shortage_of_one_resource_hides_none_of_another() -> None:
    two = [supply("p", {"cpu": 1, "memory": 4}), supply("q", {"cpu": 100, "memory": 4})]
    found = short(balances([demand("a", 2, "p", cpu=1, memory=1), demand("b", 7, "p q", cpu=1, memory=1)], two))
    assert found == [("cpu", ("p",), Decimal(2), Decimal(1)), ("memory", ("p", "q"), Decimal(9), Decimal(8))]


def test_a_node_that_daemonsets_fill_tells_nothing_of_how_many_are_needed() -> None:
    found = balances([demand("a", 3, "p", cpu=1)], [supply("p", {"cpu": 9}, {"cpu": 4}, {"cpu": 4})])
    assert [(one.nodes, one.needed) for one in found] == [(1, Decimal(7))]


def test_a_workload_may_spill_over_to_another_pool() -> None:
    two = [supply("p", {"cpu": 10}), supply("q", {"cpu": 5})]
    assert not short(balances([demand("a", 15, "p q", cpu=1)], two))
    assert short(balances([demand("a", 16, "p q", cpu=1)], two)) == [("cpu", ("p", "q"), Decimal(16), Decimal(15))]


def test_what_is_caught_in_one_pool_counts_there_though_there_is_room_elsewhere() -> None:
    two = [supply("p", {"cpu": 10}), supply("q", {"cpu": 500})]
    found = balances([demand("a", 11, "p", cpu=1), demand("b", 5, "p q", cpu=1)], two)
    assert short(found) == [("cpu", ("p",), Decimal(11), Decimal(10))]


def test_sets_of_pools_that_only_together_are_short_are_found() -> None:
    three = [supply(name, {"cpu": 10}) for name in "pqr"]
    some = [demand("a", 14, "p q", cpu=1), demand("b", 17, "q r", cpu=1)]
    assert short(balances(some, three)) == [("cpu", ("p", "q", "r"), Decimal(31), Decimal(30))]


def test_pools_that_share_no_workload_are_not_added_up() -> None:
    found = balances([demand("a", 1, "p", cpu=1), demand("b", 1, "q", cpu=1)], [supply("p", {"cpu": 9}), supply("q", {"cpu": 9})])
    assert [one.pools for one in found] == [("p",), ("q",)]


def test_sets_that_a_third_one_joins_are_added_up() -> None:
    some = [demand("a", 19, "p q", cpu=1), demand("b", 19, "r s", cpu=1), demand("c", 3, "q r", cpu=1)]
    found = short(balances(some, [supply(name, {"cpu": 10}) for name in "pqrs"]))
    assert found == [("cpu", ("p", "q", "r", "s"), Decimal(41), Decimal(40))]


def test_an_unlimited_pool_bears_everything() -> None:
    assert not short(balances([demand("a", 10**6, "p q", cpu=1)], [supply("p", {"cpu": 1}), supply("q", {})]))


def test_pods_that_refuse_to_share_a_node_need_one_each() -> None:
    found = balances([demand("a", 8, "p", alone=True, cpu="0.1")], [supply("p", {"nodes": 7, "cpu": 10})])
    assert short(found) == [("nodes", ("p",), Decimal(8), Decimal(7))]


def test_the_largest_node_tells_how_many_are_needed_and_daemonsets_take_of_each() -> None:
    some = [demand("a", 10, "p", gpu=1, cpu=2)]
    fits = supply("p", {"nodes": 10, "cpu": 25}, {"cpu": "0.5"}, {"gpu": 1})
    assert {one.resource: (one.needed, one.overhead) for one in balances(some, [fits])} == {
        "nodes": (Decimal(10), Decimal(0)),
        "cpu": (Decimal(25), Decimal(5)),
    }
    assert short(balances(some, [supply("p", {"cpu": "24.9"}, {"cpu": "0.5"}, {"gpu": 1})]))


def test_a_node_is_smaller_by_what_its_daemonsets_take() -> None:
    found = balances([demand("a", 6, "p", cpu=1)], [supply("p", {"nodes": 2}, {"cpu": 1}, {"cpu": 4})])
    assert not short(found)
    found = balances([demand("a", 7, "p", cpu=1)], [supply("p", {"nodes": 2}, {"cpu": 1}, {"cpu": 4})])
    assert short(found) == [("nodes", ("p",), Decimal(3), Decimal(2))]


def test_many_pools_are_reckoned_in_bounded_time() -> None:
    some = [demand(f"w{i}", 1, f"p{i} p{i + 1}", cpu=1) for i in range(30)]
    found = balances(some, [supply(f"p{i}", {"cpu": "0.9"}) for i in range(31)])
    assert short(found) == [("cpu", tuple(sorted(f"p{i}" for i in range(31))), Decimal(30), Decimal("27.9"))]
