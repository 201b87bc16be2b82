# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canceling, against a stand-in for the gateway: in time, too late, not at all, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.http_client import Answer
from ansible_collections.hypergraph.sidecar.plugins.module_utils.rfc3339 import parse_utc
from ansible_collections.hypergraph.sidecar.plugins.module_utils.trace_workflow.cancellation import work_seconds
from ansible_collections.hypergraph.sidecar.plugins.module_utils.trace_workflow.lifecycle import Reading, Trace
from ansible_collections.hypergraph.sidecar.plugins.module_utils.traces import POLL_INTERVAL, Submission
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.trace_workflow.stand_in import StandIn, failing


def seconds_since(moment):
    return (datetime.now(timezone.utc) - parse_utc(moment)).total_seconds()


def lifetime(trace):
    return (parse_utc(trace.finished_at) - parse_utc(trace.created_at)).total_seconds()


def test_a_cancel_that_is_never_carried_out_is_inconclusive(serve, verdict_on):
    def advance(self, trace):
        if trace is next(iter(self.traces.values())):
            StandIn.advance(self, trace)

    gateway = serve(advance=advance, cancel=lambda self, trace: 202)
    verdict = verdict_on(gateway, granularities=["sentence"], trace_deadline=0.4)
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "deadline-exceeded")
    assert "cancel" in verdict["reason"]


def test_a_service_that_always_finishes_first_leaves_cancel_untested(serve, verdict_on):
    gateway = serve(takes={"sentence": 0, "token": 0})
    verdict = verdict_on(gateway, webhook=False)
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "cancel-not-tested")
    assert any("the graph of an unfinished trace" in skip["reason"] for skip in verdict["skips"])
    assert sum(path.endswith("completions") for _method, path, _headers in gateway.seen) == 2 + 3


def test_a_cancel_that_came_too_late_is_tried_again(serve, verdict_on):
    def submitted(self, granularity, model):
        self.takes = {"sentence": 1, "token": 0 if len(self.traces) < 3 else 5}
        return StandIn.submitted(self, granularity, model)

    verdict = verdict_on(serve(submitted=submitted), webhook=False)
    assert failing(verdict) == []
    assert verdict["examined"]["traces"] == 2 + 2
    assert verdict["examined"]["cancels"] == 1


def test_a_canceled_trace_that_comes_back_to_life_is_found(serve, verdict_on):
    def advance(self, trace):
        if trace.state == "canceled" and trace.reads > 1:
            trace.state = "complete"
        StandIn.advance(self, trace)

    verdict = verdict_on(serve(advance=advance), webhook=False)
    assert failing(verdict) == [("cancel: a canceled trace stays as it is", "cancel-not-final")]


@pytest.mark.parametrize("webhook", [True, False])
def test_a_canceled_trace_that_completes_when_its_work_is_done_is_found(serve, verdict_on, webhook):
    def advance(self, trace):
        StandIn.advance(self, trace)
        alike = next((other for other in self.traces.values() if other.granularity == "token" and other.state == "complete"), None)
        if trace.state == "canceled" and alike and seconds_since(trace.created_at) > 2 * lifetime(alike):
            trace.state = "complete"

    verdict = verdict_on(serve(advance=advance, takes={"sentence": 2, "token": 8}), webhook=webhook)
    assert failing(verdict) == [("cancel: a canceled trace stays as it is", "cancel-not-final")]


def test_whether_a_cancel_lasts_is_inconclusive_where_no_trace_like_it_completed(serve, verdict_on):
    def advance(self, trace):
        StandIn.advance(self, trace)
        if trace.granularity == "token" and trace.state == "complete":
            trace.state = "failed"

    verdict = verdict_on(serve(advance=advance), webhook=False)
    assert failing(verdict) == [("token: the trace completes", "trace-not-complete")]
    assert [(item["reason_code"], "no token trace completed" in item["reason"]) for item in verdict["shortfalls"]] == [
        ("cancel-finality-not-tested", True)
    ]


def test_what_is_canceled_is_as_fine_as_what_is_asked_for(serve, verdict_on):
    gateway = serve()
    assert verdict_on(gateway, webhook=False, granularities=["sentence"])["examined"]["cancels"] == 1
    assert {trace.granularity for trace in gateway.traces.values()} == {"sentence"}


@pytest.mark.parametrize("answered", [409, 500])
def test_a_late_cancel_that_changes_the_trace_or_breaks_is_found(serve, verdict_on, answered):
    def cancel(self, trace):
        if trace.state != "complete":
            return StandIn.cancel(self, trace)
        if answered != 500:
            trace.state = "canceled"
        return answered

    verdict = verdict_on(serve(cancel=cancel), webhook=False)
    assert failing(verdict) == [("cancel: canceling a complete trace changes nothing", "cancel-changed-finished")]


def watched(granularity, seconds):
    """A trace that was seen to end after so many seconds."""
    start = datetime(2026, 1, 31, tzinfo=timezone.utc)
    readings = [Reading({"state": "complete"}, b"", None, start + timedelta(seconds=at)) for at in (0, seconds - POLL_INTERVAL)]
    return Trace(granularity, granularity, Submission("t-1", Answer("POST", "/", 200, {}, b"", 0.0)), 0.0, 15.0, readings)


@pytest.mark.parametrize(
    ("completed", "expected"),
    [
        ([], None),
        ([("sentence", 1)], None),
        ([("sentence", 3), ("token", 2)], 8),
        ([("token", 1), ("token", 2)], 8),
        ([("token", 5)], 15),
    ],
)
def test_work_is_estimated_by_what_took_longest_and_never_above_what_a_trace_may_take(completed, expected):
    assert work_seconds(watched("token", 0.1), [watched(*trace) for trace in completed], 15) == (expected and pytest.approx(expected))
