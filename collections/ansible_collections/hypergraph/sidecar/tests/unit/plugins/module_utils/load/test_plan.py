# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: what is refused, and what the rest becomes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.runs import READER, SUBMITTER, WRITER, planned


def phase(**told: Any) -> dict[str, Any]:
    return {"name": "a", "kind": "steady", "duration": 1.0, **told}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"concurrency": 0}, "concurrency: it is 0, expected 1 to 1000"),
        ({"concurrency": 1001}, "concurrency"),
        ({"attach_rate": 1.5}, "attach_rate: it is 1.5, expected 0 to 1"),
        ({"attach_rate": float("nan")}, "attach_rate"),
        ({"duration": 0.0}, "duration"),
        ({"warmup": -1.0}, "warmup"),
        ({"rate": 0.0}, "rate: it is 0.0"),
        ({"load_model": "open"}, "rate: the open model needs a rate for each phase, and 'steady' has none"),
        ({"prompts": []}, "prompts"),
        ({"prompts": [" "]}, "prompts"),
        ({"featureset": "a\r\nx-evil: 1"}, "featureset: it cannot be sent in a header"),
        ({"slo_ms": {"chat": -1.0}}, "slo_ms.chat"),
        ({"explanation_timeout": 7200.0}, "explanation_timeout"),
        ({"callers": ["nobody"]}, "callers: no token with a value is called 'nobody'"),
        ({"phases": [phase(), phase()]}, "phases[1].name: 'a' is empty, unprintable or used twice"),
        ({"phases": [phase(kind="warmup")]}, "phases: all are warm-up"),
        ({"phases": [phase(duration=float("inf"))]}, "phases[0].duration"),
        ({"phases": [phase(concurrency=5000)]}, "phases[0].concurrency"),
        ({"phases": [phase(name=str(number)) for number in range(501)]}, "phases: there are 501"),
    ],
)
def test_a_bad_argument_is_named_with_what_was_expected(told: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckError) as fault:
        planned(**told)
    assert fault.value.reason.startswith(said)
    assert fault.value.reason_code == "bad-load-plan"
    assert fault.value.action


def test_phases_follow_each_other_and_take_what_they_do_not_say_from_the_plan() -> None:
    plan = planned(rate=10.0, warmup=2.0, ramp=3.0, duration=5.0)
    assert [(p.name, p.kind, p.starts_s, p.ends_s, p.rate_per_s) for p in plan.phases] == [
        ("warmup", "warmup", 0.0, 2.0, 10.0),
        ("ramp", "ramp", 2.0, 5.0, 10.0),
        ("steady", "steady", 5.0, 10.0, 10.0),
    ]
    plan = planned(rate=10.0, phases=[phase(), phase(name="b", kind="burst", rate=50.0, granularity="token", attach_rate=1.0)])
    assert [(p.rate_per_s, p.granularity, p.attach_rate, p.rate_from) for p in plan.phases] == [
        (10.0, "mix", 0.0, 0.0),
        (50.0, "token", 1.0, 10.0),
    ]
    assert plan.duration_s == 2.0
    assert plan.attaches


def test_whose_traces_cannot_be_read_by_itself_are_read_by_another_of_its_tenant() -> None:
    plan = planned(Connection("http://g", (SUBMITTER, READER)), attach_rate=1.0)
    assert (plan.callers, plan.readers) == ((SUBMITTER,), (READER,))
    with pytest.raises(CheckError, match="carries traces:read"):
        planned(Connection("http://g", (SUBMITTER,)), attach_rate=1.0)
    with pytest.raises(CheckError, match="traces:write"):
        planned(Connection("http://g", (READER,)), attach_rate=1.0)
    assert planned(Connection("http://g", (READER,)), attach_rate=0.0).callers == (READER,)
    assert planned(Connection("http://g", auth_mode="none"), attach_rate=1.0).callers == (None,)


def test_no_token_is_in_what_a_plan_shows() -> None:
    plan = planned()
    assert WRITER.value not in repr(plan)
    assert WRITER.value not in str(plan.document())


def test_what_chats_ask_for_is_told_and_their_prompts_by_a_digest_only() -> None:
    told = {"prompts": ["Who is Jane Doe?", "And why?"], "model": "gpt-4o", "stream": True}
    document = planned(**told).document()
    assert (document["chat_model"], document["stream"]) == ("gpt-4o", True)
    assert "Jane" not in str(document)
    assert document["prompts"] == planned(**told, seed=7).document()["prompts"]
    others = (["Who is Jane Doe?"], ["And why?", "Who is Jane Doe?"], ["Who is Jane Doe?And why?"])
    assert document["prompts"] not in {planned(prompts=prompts).document()["prompts"] for prompts in others}
