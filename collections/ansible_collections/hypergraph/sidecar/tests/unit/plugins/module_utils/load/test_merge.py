# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.merge import MAX_POINTS, merged
from ansible_collections.hypergraph.sidecar.plugins.module_utils.load.reading import validated
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.summaries import phase, steady, summary


def part(seed, **changes):
    chats = steady(seed, 30, failed=0.01)
    return summary({"chat": {"steady": chats}, "sentence": {"steady": steady(seed + 50, 30, rate=3, slo_ms=2000)}}, **changes)


PARTS = [part(1), part(2, host="generator-2", started_at="2026-11-21T10:00:01Z"), part(3, host="generator-3")]


def test_three_generators_are_one_that_sent_everything():
    chats = [steady(seed, 30, failed=0.01) for seed in (1, 2, 3)]
    explained = [steady(seed + 50, 30, rate=3, slo_ms=2000) for seed in (1, 2, 3)]
    together = [[[one for second in seconds for one in second] for seconds in zip(*parts)] for parts in (chats, explained)]
    expected = summary({"chat": {"steady": together[0]}, "sentence": {"steady": together[1]}})
    found = merged(PARTS)
    assert found["classes"] == expected["classes"]
    for member in ("traces", "bytes", "status_codes"):
        assert found[member] == expected[member]
    assert found["offered"]["sent"] == expected["offered"]["sent"]
    assert found["series"]["chat"]["count"] == expected["series"]["chat"]["count"]


def test_the_merged_summary_is_a_summary():
    assert validated(json.loads(json.dumps(merged(PARTS))), "merged")["plan"]["rate_per_s"] == 60.0


def test_one_alone_stays_as_it_is():
    assert merged(PARTS[:1]) == PARTS[0]


def test_the_order_does_not_matter_but_for_the_order_of_generators():
    one, other = merged(PARTS), merged(PARTS[::-1])
    one["generators"], other["generators"] = (sorted(each["generators"], key=lambda it: it["host"]) for each in (one, other))
    assert one == other


def test_a_part_of_a_part_merges_alike():
    assert merged([merged(PARTS[:2]), PARTS[2]])["classes"] == merged(PARTS)["classes"]


def test_wider_slots_take_up_narrower_ones():
    wide = copy.deepcopy(PARTS[1])
    batches = wide["classes"]["chat"]["steady"]["batches"]
    wide["classes"]["chat"]["steady"]["batches"] = {
        "width_s": 2.0,
        **{name: [sum(pair) for pair in zip(batches[name][::2], batches[name][1::2])] for name in ("count", "exceeding")},
    }
    found = merged([PARTS[0], wide])["classes"]["chat"]["steady"]["batches"]
    assert found["width_s"] == 2.0
    assert found["count"] == [80] * 15
    narrow = merged(PARTS[:2])["classes"]["chat"]["steady"]["batches"]["exceeding"]
    assert found["exceeding"] == [one + other for one, other in zip(narrow[::2], narrow[1::2])]


def test_a_long_run_keeps_a_bounded_number_of_slots():
    long = summary({"chat": {"steady": [[100.0]] * (MAX_POINTS + 5)}})
    late = copy.deepcopy(long)
    late["series"]["chat"]["starts_s"] = 20.0
    series = merged([long, late])["series"]["chat"]
    assert series["width_s"] == 2.0
    assert sum(series["count"]) == 2 * (MAX_POINTS + 5)
    assert len(series["count"]) == len(series["p95_ms"]) <= MAX_POINTS


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"interrupted": "SIGTERM"}, "it did not run to its end: SIGTERM"),
        ({"interrupted": "not ended yet"}, "it did not run to its end: not ended yet"),
        ({"started_at": "2026-11-21T10:00:09Z"}, "it began 9 s after the first, expected at most 5 s"),
        ({"healthy": False, "problems": ["its process used 97% of a processor"]}, "its process used 97% of a processor"),
    ],
)
def test_a_generator_that_died_or_could_not_keep_up_is_told(changes, problem):
    found = merged([PARTS[0], part(2, host="generator-2", **changes)])
    assert [one["healthy"] for one in found["generators"]] == [True, False]
    assert found["generators"][1]["problems"] == [problem]
    assert found["run"]["interrupted"] == changes.get("interrupted")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"id": "run-2"}, "run.id is run-1 in one summary and run-2 in another"),
        ({"environment": "production"}, "run.environment is staging"),
        ({"attach_rate": 0.9}, "plan.attach_rate is 0.3"),
        ({"chat_model": "gpt-4o"}, "plan.chat_model is gpt-4o-mini"),
        ({"prompts": "sha256:0000000000000000"}, "plan.prompts"),
        ({"stream": True}, "plan.stream is False"),
        ({"slo_ms": {"chat": 400.0, "sentence": 2000.0, "token": 8000.0}}, "plan.slo_ms"),
        ({"phases": [phase("warmup", "warmup", 0.0, 10.0), phase(duration_s=60.0)]}, "plan.phases"),
        ({"phases": [phase("warmup", "warmup", 0.0, 10.0), {**phase(), "attach_rate": 0.9}]}, "plan.phases"),
        ({"phases": [phase("warmup", "warmup", 0.0, 10.0), {**phase(), "granularity": "token"}]}, "plan.phases"),
    ],
)
def test_summaries_of_different_runs_are_not_merged(changes, told):
    with pytest.raises(CheckError, match=told) as fault:
        merged([PARTS[0], part(2, **changes)])
    assert fault.value.reason_code == "summaries-differ"


def test_refusals_and_waits_are_of_all_generators():
    one, other, none = (copy.deepcopy(PARTS[0]) for _part in range(3))
    one["ladder"] = {"429": 3, "retry_after_s": {"min": 1.0, "max": 4.0, "missing": 1}}
    other["ladder"] = {"429": 2, "retry_after_s": {"min": 0.5, "max": 2.0, "missing": 0}}
    assert merged([one, other, none])["ladder"] == {"429": 5, "retry_after_s": {"min": 0.5, "max": 4.0, "missing": 1}}
