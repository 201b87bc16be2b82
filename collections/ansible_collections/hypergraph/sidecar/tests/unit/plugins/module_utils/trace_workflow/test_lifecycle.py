# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging a life that was seen, without a service."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_client import Answer
from ansible_collections.hypergraph.sidecar.plugins.module_utils.trace_workflow.lifecycle import (
    Reading,
    Trace,
    illegal_steps,
    judge_completion,
    judge_life,
)
from ansible_collections.hypergraph.sidecar.plugins.module_utils.traces import Submission
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict

START = datetime(2026, 1, 31, 12, 0, 0, tzinfo=timezone.utc)
HTTP_DATE = "Sat, 31 Jan 2026 12:00:00 GMT"


def at(seconds):
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def record(state, **members):
    """A record as it should be in a state."""
    ran, ended = state != "queued", state not in ("queued", "running")
    return {
        "trace_id": "t-1",
        "tenant_id": "alpha",
        "state": state,
        "granularity": "sentence",
        "created_at": at(0.1),
        "queued_at": at(0.1),
        "started_at": at(0.2) if ran else None,
        "finished_at": at(0.3) if ended else None,
        "updated_at": at(0.3 if ended else 0.2 if ran else 0.1),
        **members,
    }


def life(*records, date=START):
    answer = Answer("POST", "/v1/chat/completions", 200, {"date": HTTP_DATE}, b"{}", 0.02)
    readings = [Reading(status, b"", date, START) for status in records]
    return Trace("sentence", "sentence", Submission("t-1", answer), 0.0, 15.0, readings)


def judged(*records, skew=1.0, tenant_id="alpha", date=START):
    verdict = Verdict("trace_workflow")
    judge_life(verdict, life(*records, date=date), tenant_id, skew)
    return [assertion.reason_code for assertion in verdict.records.assertions if not assertion.ok]


@pytest.mark.parametrize(
    "states",
    [
        ["complete"],
        ["queued", "queued", "running", "running", "complete", "complete"],
        ["queued", "failed"],
        ["queued", "canceled"],
        ["running", "expired"],
        [],
    ],
)
def test_forward_steps_are_legal(states):
    assert list(illegal_steps(states)) == []


@pytest.mark.parametrize(
    ("states", "steps"),
    [
        (["running", "queued"], ["running → queued"]),
        (["complete", "running", "complete"], ["complete → running"]),
        (["canceled", "complete"], ["canceled → complete"]),
        (["complete", "failed"], ["complete → failed"]),
        (["queued", "paused", "complete"], ["unknown state 'paused'"]),
        (["Queued"], ["unknown state 'Queued'"]),
        ([""], ["unknown state ''"]),
    ],
)
def test_other_steps_are_not(states, steps):
    assert list(illegal_steps(states)) == steps


@pytest.mark.parametrize(
    "records",
    [
        [record("queued"), record("running"), record("complete")],
        [record("canceled", started_at=None)],
        [record("complete", queued_at=at(0.1), started_at=at(0.1), finished_at=at(0.1))],
        [record("complete", created_at="2026-01-31T12:00:00.100+00:00")],
        [record("running", updated_at=at(0.2)), record("running", updated_at=at(0.25))],
        [record("complete", finished_at=at(1.9))],
        [record("complete", created_at=at(-1.01), queued_at=at(-1.01))],
    ],
)
def test_a_life_as_it_should_be(records):
    assert judged(*records) == []


@pytest.mark.parametrize(
    ("records", "reason_code"),
    [
        ([record("complete", started_at=None)], "status-field-missing"),
        ([record("complete", finished_at=None)], "status-field-missing"),
        ([record("queued", granularity=None)], "status-field-missing"),
        ([record("queued", created_at=None)], "status-field-missing"),
        ([record("queued", trace_id=7)], "status-mismatch"),
        ([record("complete", updated_at="now")], "timestamp-unreadable"),
        ([record("queued", created_at=1769860800)], "timestamp-unreadable"),
        ([record("queued", created_at="2026-01-31T13:00:00.1+01:00")], "timestamp-unreadable"),
        ([record("complete", queued_at=at(0.05))], "timestamps-not-monotone"),
        ([record("complete", started_at=at(0.4))], "timestamps-not-monotone"),
        ([record("canceled", started_at=None, finished_at=at(0.05))], "timestamps-not-monotone"),
        ([record("queued"), record("running", queued_at=at(0.15))], "timestamps-not-monotone"),
        ([record("running"), record("complete", created_at=at(0.05))], "timestamps-not-monotone"),
        ([record("running", updated_at=at(0.25)), record("running", updated_at=at(0.2))], "timestamps-not-monotone"),
        ([record("complete", finished_at=at(2.1))], "timestamp-implausible"),
        ([record("complete", created_at=at(-1.1))], "timestamp-implausible"),
    ],
)
def test_a_life_that_went_wrong_in_one_way(records, reason_code):
    assert judged(*records) == [reason_code]


def test_more_skew_is_tolerated_where_it_is_allowed():
    assert judged(record("complete", finished_at=at(60)), skew=59.0) == []


def test_the_tenant_is_not_compared_where_no_token_says_whose_the_trace_is():
    assert judged(record("queued", tenant_id="anyone"), tenant_id=None) == []
    assert judged(record("queued", tenant_id="anyone")) == ["status-mismatch"]


def test_an_end_that_is_not_complete_tells_the_error():
    verdict = Verdict("trace_workflow")
    assert not judge_completion(verdict, life(record("failed", error="out of memory")))
    assert verdict.records.assertions[0].observed == "failed: out of memory"


def test_no_end_is_no_failure():
    verdict = Verdict("trace_workflow")
    assert not judge_completion(verdict, life(record("running")))
    assert not verdict.records.assertions
    assert verdict.records.shortfalls[0].reason_code == "deadline-exceeded"
