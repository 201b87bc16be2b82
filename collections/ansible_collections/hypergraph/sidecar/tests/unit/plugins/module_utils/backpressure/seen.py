# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A healthy observation, to be spoiled in one place by each test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.hypergraph.sidecar.plugins.module_utils.backpressure.judging import Limits, judge_pressure, judge_saturation
from ansible_collections.hypergraph.sidecar.plugins.module_utils.backpressure.observation import (
    Counted,
    Graphs,
    Lane,
    Observation,
    Offer,
    Recovery,
    Refusals,
    Traces,
)
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.dependence import Batches
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.exceedance import Rule
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict

LIMITS = Limits(
    retry_after_s=300.0,
    counter_tolerance=0.05,
    goodput_share=0.7,
    recovery_s=60.0,
    rule=Rule(0.05, 0.05, 0.05, 1.0),
    refusal_actions=frozenset({"refuse-attach"}),
)
ACTIONS = {"refuse-attach": 400.0, "reduce-topk": 500.0, "downgrade-granularity": 60.0}
COUNTED = Counted(ACTIONS, 400.0, 2.0, 3.5, 80)
LANE = Lane(Batches(1.0, (10,) * 80, (0,) * 80), {}, 500.0, 60.0)
TRACES = Traces(900, {"complete": 890, "failed": 10}, {}, 0)
GRAPHS = Graphs(20, {})
RECOVERY = Recovery(4.0, 4.0, 0.0, "was accepted")


def offer(name: str, rate: float, goodput: float, seconds: float = 40.0, refused: int = 0) -> Offer:
    sent = int(rate * seconds)
    return Offer(name, rate, seconds, sent, sent - refused, refused, int(goodput * seconds), seconds)


HEALTHY = Observation(
    offers=(offer("10/s", 10, 10, 10), offer("15/s", 15, 15, 10), offer("22.5/s", 22.5, 18, 10, 5)),
    most_offered=45.0,
    saturated="5 attached chats were refused",
    refusals=Refusals(400, 0, 1.0, 3.0),
    counted=COUNTED,
    saturation=offer("saturation", 22.5, 18, refused=100),
    overload=offer("overload", 45, 17.5, refused=295),
    lane=LANE,
    traces=TRACES,
    graphs=GRAPHS,
    recovery=RECOVERY,
    connections=64,
)


def judged(**spoiled: Any) -> dict[str, Any]:
    """The verdict on a healthy observation that is otherwise in the members given."""
    verdict = Verdict("backpressure")
    verdict.examine("steps of load", 5)
    observation = replace(HEALTHY, **spoiled)
    if judge_saturation(verdict, observation):
        judge_pressure(verdict, observation, LIMITS)
    return verdict.to_dict()
