# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each way to give way badly is told from all others, and what was not provoked is not judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.backpressure.observation import Counted, Graphs, Lane, Recovery, Refusals
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.dependence import Batches
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.backpressure.seen import (
    ACTIONS,
    COUNTED,
    HEALTHY,
    TRACES,
    judged,
    offer,
)

SLOW = Lane(Batches(1.0, (10,) * 80, (0, 2) * 40), {"timeout": 3}, 500.0, 800.0)
SHORT = Lane(Batches(1.0, (10,) * 20, (0,) * 20), {}, 500.0, 60.0)


def codes(verdict: dict[str, Any]) -> list[str]:
    return [assertion["reason_code"] for assertion in verdict["assertions"] if not assertion["ok"]]


def test_a_service_that_gives_way_well_passes_on_every_count() -> None:
    verdict = judged()
    assert verdict["status"] == "pass"
    assert len(verdict["assertions"]) == 13
    assert verdict["examined"] == {
        "steps of load": 5,
        "refusals": 400,
        "chats under pressure": 800,
        "attached chats under pressure": 2700,
        "accepted explanations": 900,
        "graphs": 20,
    }
    assert verdict["metrics"] == {
        "pressure_chat_p95_ms": 60.0,
        "pressure_goodput_peak_per_second": 18.0,
        "pressure_goodput_overload_per_second": 17.5,
        "pressure_recovery_seconds": 4.0,
    }


@pytest.mark.parametrize(
    ("spoiled", "code", "said"),
    [
        ({"refusals": Refusals(0, 0, None, None)}, "ladder-inactive", "none; 5 attached chats were refused"),
        ({"refusals": Refusals(400, 1, 1.0, 3.0)}, "retry-after-missing", "1 of 400 answers without one"),
        ({"refusals": Refusals(400, 0, 0.0, 3.0)}, "retry-after-out-of-range", "0 to 3 s"),
        ({"refusals": Refusals(400, 0, 1.0, 301.0)}, "retry-after-out-of-range", "1 to 301 s"),
        ({"lane": SLOW}, "chat-starved", "10.00% of 800 slower or failed (timeout 3)"),
        ({"failed": {"timeout": 100, "status_5xx": 36}}, "refusal-unclean", "136 failed (timeout 100, status_5xx 36)"),
        ({"overload": offer("overload", 45, 10)}, "goodput-collapsed", "10.0 per second"),
        ({"traces": replace(TRACES, open={"tr_1": "queued"})}, "trace-lost", "1 did not: tr_1 (queued)"),
        ({"traces": replace(TRACES, unnamed=2)}, "attachment-dropped", "2 answers of 200 without"),
        ({"counted": replace(COUNTED, level=0.0)}, "level-not-raised", "at most 0 in 80 readings"),
        ({"counted": replace(COUNTED, actions={**ACTIONS, "refuse-attach": 0.0})}, "ladder-miscounted", "0 counted, beside 400"),
        ({"counted": replace(COUNTED, actions={**ACTIONS, "refuse-attach": 379.0})}, "ladder-miscounted", "379 counted"),
        ({"counted": replace(COUNTED, actions={**ACTIONS, "refuse-attach": 800.0})}, "ladder-miscounted", "800 counted"),
        ({"counted": replace(COUNTED, actions={"refuse-attach": 400.0, "reduce-topk": 0.0})}, "soft-rungs-unused", "reduce-topk 0"),
        ({"counted": replace(COUNTED, actions={"refuse-attach": 400.0})}, "soft-rungs-unused", "no such action is exposed"),
        ({"graphs": Graphs(20, {"tr_9": "no JSON"})}, "graph-invalid-under-pressure", "1 are not: tr_9: no JSON"),
        ({"recovery": Recovery(None, 60.0, 1.0, "was accepted")}, "pressure-not-released", "not in 60 s"),
        ({"recovery": Recovery(61.0, 61.0, 0.0, "was accepted")}, "pressure-not-released", "61.0 s"),
    ],
)
def test_each_flaw_has_its_own_code(spoiled: dict[str, Any], code: str, said: str) -> None:
    verdict = judged(**spoiled)
    assert (verdict["status"], verdict["reason_code"], codes(verdict)) == ("fail", code, [code])
    assert said in verdict["reason"]
    assert verdict["action"]


@pytest.mark.parametrize(
    ("spoiled", "code", "said"),
    [
        ({"saturated": ""}, "saturation-not-reached", "10/s, 15/s, 22.5/s of attached chats, at most 45/s, queue lag up to 3.5 s"),
        ({"saturated": "", "problems": ("it was late",)}, "generator-unhealthy", "it was late"),
        ({"lane": SLOW, "problems": ("it was late",)}, "generator-unhealthy", "it was late"),
        ({"overload": offer("overload", 45, 5), "problems": ("it was late",)}, "generator-unhealthy", "whether goodput collapsed"),
        ({"lane": SHORT}, "too-few-samples", "0.00% of 200"),
        ({"counted": replace(COUNTED, refused=-3.0)}, "counters-reset", "lower than before"),
        ({"graphs": Graphs(0, {})}, "no-explanations", "no graph"),
    ],
)
def test_what_cannot_be_told_is_not_judged(spoiled: dict[str, Any], code: str, said: str) -> None:
    verdict = judged(**spoiled)
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", code)
    assert said in verdict["reason"]
    assert codes(verdict) == []


def test_without_saturation_nothing_else_is_asserted() -> None:
    assert judged(saturated="", traces=replace(TRACES, open={"tr_1": "queued"}))["assertions"] == []


def test_a_late_generator_does_not_hide_what_it_cannot_spoil() -> None:
    verdict = judged(problems=("it was late",), lane=SLOW, refusals=Refusals(400, 400, None, None))
    assert (verdict["status"], codes(verdict)) == ("fail", ["retry-after-missing"])


def test_a_peak_of_few_explanations_shows_no_collapse() -> None:
    small = tuple(offer(f"{rate}/s", rate, 1.0, 10) for rate in (1, 2))
    verdict = judged(offers=small, saturation=offer("saturation", 2, 0.2), overload=offer("overload", 4, 0.0))
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "too-few-samples")


def test_chance_is_not_taken_for_a_collapse() -> None:
    assert judged(overload=offer("overload", 45, 0.69 * 18))["status"] == "pass"


def test_refusals_of_others_do_not_count_as_miscounted() -> None:
    busy = Counted({**ACTIONS, "refuse-attach": 900.0}, 900.0, 2.0, 3.5, 80)
    assert judged(counted=busy)["status"] == "pass"


@pytest.mark.parametrize(
    ("missing", "family"), [({"actions": None}, "backpressure_actions_total"), ({"level": None}, "backpressure_level")]
)
def test_without_a_family_the_rest_passes_and_the_verdict_names_what_was_left_out(missing: dict[str, None], family: str) -> None:
    verdict = judged(counted=replace(COUNTED, **missing))
    assert verdict["status"] == "pass"
    assert family in verdict["reason"]


def test_a_level_that_nobody_exposes_is_not_said_to_be_0() -> None:
    def recovery(**seen: Any) -> str:
        return judged(**seen)["assertions"][-1]["name"]

    assert recovery().endswith("and the level is 0")
    unknown = {"counted": replace(COUNTED, level=None), "recovery": replace(HEALTHY.recovery, level=None)}
    assert recovery(**unknown).endswith("attached chats are accepted again")


def test_the_peak_is_the_best_step_that_lasted_long_enough_to_tell() -> None:
    cut_short = offer("33.75/s", 33.75, 40.0, 0.4)
    verdict = judged(offers=(*HEALTHY.offers, cut_short))
    assert cut_short.goodput > 18.0
    assert verdict["metrics"]["pressure_goodput_peak_per_second"] == 18.0
