# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether NodePools can grow to what the workloads may scale to: arithmetic, and nothing else.

Limits of a NodePool count what its nodes have, not what pods request, and nodes are never filled to the last byte. What is computed here is
therefore the least that is needed: where even that exceeds the limits, pods stay pending at full scale, whatever the scheduler does.

Where a workload may go to several pools, what counts is every set of pools in which some workloads are caught: their requests together
must fit the limits of the set together (Hall's condition for a flow of one divisible resource).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

NODES = "nodes"
# Beyond so many different sets of admitting pools only these sets themselves and all pools together are looked at, not their 2^n unions.
_UNIONS = 10


@dataclass(frozen=True)
class Demand:
    """What one workload needs at full scale: so many replicas of so much each (cores, bytes, devices), on the pools that admit it.

    ``alone`` says that no two of its pods share a node.
    """

    workload: str
    replicas: int
    requests: Mapping[str, Decimal]
    pools: frozenset[str]
    alone: bool = False


@dataclass(frozen=True)
class Supply:
    """What one pool may grow to.

    ``per_node`` is what DaemonSets take of each node, ``largest_node`` the most that one node can have, where that is known.
    """

    pool: str
    limits: Mapping[str, Decimal]
    per_node: Mapping[str, Decimal] = field(default_factory=dict)
    largest_node: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Balance:
    """Of one resource in one set of pools: what the limits allow against the least that is needed, and what that is made of."""

    resource: str
    pools: tuple[str, ...]
    limit: Decimal
    needed: Decimal
    demands: tuple[Demand, ...]
    nodes: int
    overhead: Decimal

    @property
    def short(self) -> bool:
        """Whether full scale does not fit."""
        return self.needed > self.limit


def balances(demands: Sequence[Demand], supplies: Sequence[Supply]) -> tuple[Balance, ...]:
    """A balance for every set of pools and resource where each pool of the set has a limit and something is needed.

    A set in which a smaller set is short already is left out for that resource: it would tell the same once more.
    """
    by_name = {supply.pool: supply for supply in supplies}
    found: list[Balance] = []
    for chosen in _sets(demand.pools for demand in demands):
        caught = tuple(demand for demand in demands if demand.pools <= chosen and demand.replicas > 0)
        if caught:
            found += _of_set(caught, [by_name[name] for name in sorted(chosen)])
    short = [(balance.resource, frozenset(balance.pools)) for balance in found if balance.short]
    return tuple(b for b in found if not any(b.resource == resource and smaller < frozenset(b.pools) for resource, smaller in short))


def _sets(admitting: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """The sets of pools to balance: those that admit a workload, and unions of such that overlap.

    Unions of others tell nothing that their parts do not.
    """
    distinct = {one for one in admitting if one}
    if len(distinct) > _UNIONS:
        return _sorted({*distinct, frozenset().union(*distinct)})
    unions = set(distinct)
    fresh = unions
    while fresh:
        fresh = {one | other for one in fresh for other in distinct if one & other} - unions
        unions |= fresh
    return _sorted(unions)


def _sorted(sets: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    return sorted(sets, key=lambda one: (len(one), sorted(one)))


def _of_set(caught: tuple[Demand, ...], supplies: list[Supply]) -> list[Balance]:
    nodes = _nodes(caught, supplies)
    limited = [name for name in supplies[0].limits if all(name in supply.limits for supply in supplies)]
    made = []
    for resource in limited:
        overhead = nodes * min(supply.per_node.get(resource, Decimal(0)) for supply in supplies)
        requested = Decimal(nodes) if resource == NODES else _requested(caught, resource)
        if requested:
            limit = sum((supply.limits[resource] for supply in supplies), Decimal(0))
            pools = tuple(supply.pool for supply in supplies)
            made.append(Balance(resource, pools, limit, requested + overhead, caught, nodes, overhead))
    return made


def _nodes(caught: tuple[Demand, ...], supplies: list[Supply]) -> int:
    """The least number of nodes: one, one for each pod that is alone, and as many as hold what is requested where their size is bounded."""
    least = max([1, *(demand.replicas for demand in caught if demand.alone)])
    for resource in {name for demand in caught for name in demand.requests}:
        rooms = [_room(supply, resource) for supply in supplies]
        known = [room for room in rooms if room is not None]
        if len(known) == len(rooms) and max(known) > 0:
            least = max(least, int((_requested(caught, resource) / max(known)).to_integral_value(ROUND_CEILING)))
    return least


def _room(supply: Supply, resource: str) -> Decimal | None:
    """What the largest node has for pods once its DaemonSets run."""
    size = supply.largest_node.get(resource)
    return None if size is None else size - supply.per_node.get(resource, Decimal(0))


def _requested(caught: Iterable[Demand], resource: str) -> Decimal:
    return sum((demand.replicas * demand.requests.get(resource, Decimal(0)) for demand in caught), Decimal(0))
