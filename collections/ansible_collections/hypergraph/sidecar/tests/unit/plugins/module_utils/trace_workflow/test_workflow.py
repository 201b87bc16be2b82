# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole check against a stand-in for the gateway: green where it is right, and red for the stated reason where it is not."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.rfc3339 import parse_utc
from ansible_collections.hypergraph.sidecar.plugins.module_utils.trace_workflow import webhooks
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.trace_workflow.stand_in import TOKEN, StandIn, failing


def test_a_right_service_passes_and_everything_was_examined(serve, verdict_on):
    gateway = serve()
    verdict = verdict_on(gateway)
    assert (verdict["status"], failing(verdict)) == ("pass", [])
    assert {k: v for k, v in verdict["examined"].items() if k != "status readings"} == {
        "traces": 3,
        "graphs": 2,
        "cancels": 1,
        "unknown ids": 1,
        "webhook deliveries": 2,
    }
    assert verdict["examined"]["status readings"] >= 6
    assert not verdict["skips"]
    assert set(verdict["metrics"]) == {
        "chat_seconds",
        "trace_complete_sentence_seconds",
        "trace_complete_token_seconds",
        "webhook_retry_seconds",
        *(f"graph_{unit}_{name}" for unit in ("sentence", "token") for name in ("nodes", "edges", "incidences")),
    }
    assert verdict["metrics"]["graph_token_nodes"] == 9
    evidence = verdict["evidence"]["graph_token"]
    assert (evidence["hif_valid"], evidence["hif1_profile_valid"], evidence["kinds"]) == (True, True, {"token": 9})
    assert gateway.webhooks == {}


def test_nothing_secret_is_in_the_verdict(serve, verdict_on):
    gateway = serve(registered=lambda self, identity, body: {"id": identity, **body})
    secrets = []
    kept = gateway.registered
    gateway.registered = lambda identity, body: (secrets.append(body["secret"]), kept(identity, body))[1]
    verdict = verdict_on(gateway)
    assert failing(verdict) == [("webhook: the answer does not show the secret", "webhook-secret-shown")]
    assert len(secrets) == 1
    assert secrets[0] not in json.dumps(verdict)
    assert TOKEN not in json.dumps(verdict)


def test_the_webhooks_secret_is_redacted_wherever_a_service_echoes_it(serve, verdict_on):
    def record(self, trace):
        (hook,) = self.webhooks.values()
        right = StandIn.record(self, trace)
        return (
            {**right, "state": "failed", "error": f"no answer from {hook['url']} with {hook['secret']}"}
            if trace.state == "complete"
            else right
        )

    verdict = verdict_on(serve(record=record))
    assert verdict["reason_code"] == "trace-not-complete"
    assert "no answer from http" in verdict["reason"]
    assert "canarysecret" not in json.dumps(verdict)


def test_nothing_listens_any_more_when_the_check_is_over(serve, verdict_on):
    urls = []

    def registered(self, identity, body):
        urls.append(body["url"])
        return StandIn.registered(self, identity, body)

    verdict_on(serve(registered=registered))
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(urllib.request.Request(urls[0], b"", method="POST"), timeout=5)


def test_public_validity_and_the_profile_are_told_apart(serve, verdict_on):
    dangling = changed_graph(lambda d: d["incidences"][0].update(node="ghost"))
    verdict = verdict_on(serve(document=dangling), webhook=False)
    assert [verdict["evidence"]["graph_token"][name] for name in ("hif_valid", "hif1_profile_valid")] == [True, False]
    unknown = changed_graph(lambda d: d.update(extra=1))
    verdict = verdict_on(serve(document=unknown), webhook=False)
    assert [verdict["evidence"]["graph_token"][name] for name in ("hif_valid", "hif1_profile_valid")] == [False, False]


def test_what_is_sent(serve, verdict_on):
    gateway = serve()
    verdict_on(gateway, features="sae-gpt4-2m", granularities=["token", "token"])
    chats = [headers for method, path, headers in gateway.seen if path.endswith("completions")]
    assert [headers["x-explain-granularity"] for headers in chats] == ["token", "token"]
    assert all(headers["x-explain-features"] == "sae-gpt4-2m" and headers["Authorization"] == f"Bearer {TOKEN}" for headers in chats)


def changed_record(**changes):
    """A record with members replaced, each by a value or by what a function makes of the record."""

    def record(self, trace):
        right = StandIn.record(self, trace)
        return {**right, **{name: value(right) if callable(value) else value for name, value in changes.items()}}

    return record


def changed_graph(change):
    def document(self, trace):
        right = StandIn.document(self, trace)
        change(right)
        return right

    return document


def flickering(self, trace):
    """A record that falls back to queued once it has run."""
    right = StandIn.record(self, trace)
    return {**right, "state": "queued", "started_at": None} if right["state"] == "running" and trace.reads == 4 else right


def later(moment):
    return (parse_utc(moment) + timedelta(seconds=30)).isoformat()


DEFECTS = [
    # life
    (
        {"takes": {"sentence": 5, "token": 5}, "record": flickering},
        "fail",
        "illegal-transition",
        "sentence: states are known and only move forward",
    ),
    ({"record": changed_record(state=lambda r: "paused" if r["state"] == "running" else r["state"])}, "fail", "illegal-transition", None),
    ({"record": changed_record(queued_at=None)}, "fail", "status-field-missing", "sentence: the status has its required fields"),
    ({"record": changed_record(trace_id="other")}, "fail", "status-mismatch", None),
    ({"record": changed_record(tenant_id="beta")}, "fail", "status-mismatch", None),
    ({"record": changed_record(created_at="today")}, "fail", "timestamp-unreadable", None),
    (
        {"record": changed_record(finished_at=lambda r: r["finished_at"] and "2026-01-01T00:00:00Z")},
        "fail",
        "timestamps-not-monotone",
        "sentence: timestamps are monotone",
    ),
    ({"record": changed_record(created_at="2026-01-01T00:00:00Z")}, "fail", "timestamp-implausible", None),
    ({"record": changed_record(finished_at=lambda r: r["finished_at"] and later(r["created_at"]))}, "fail", "timestamp-implausible", None),
    (
        {"record": changed_record(state=lambda r: "failed" if r["state"] == "complete" else r["state"], error="out of memory")},
        "fail",
        "trace-not-complete",
        "sentence: the trace completes",
    ),
    ({"record": changed_record(state=lambda r: [r["state"]])}, "error", "status-unreadable", None),
    ({"trace_id": lambda self, trace: ""}, "fail", "trace-id-missing", "every attached chat gets a trace of its own"),
    ({"trace_id": lambda self, trace: "../admin"}, "fail", "trace-id-unusable", "every attached chat gets a trace of its own"),
    ({"chat_status": 503}, "error", "chat-refused", None),
    ({"chat": lambda self, trace: {"choices": []}}, "fail", "chat-answer-invalid", "an attached chat is still answered as a chat"),
    ({"chat": lambda self, trace: ["hello"]}, "fail", "chat-answer-invalid", None),
    # graph
    ({"graph": lambda self, trace: b'{"incidences": [NaN]}'}, "fail", "hif-not-strict-json", "sentence: the graph is strict JSON"),
    ({"document": changed_graph(lambda d: d.update(extra=1))}, "fail", "hif-schema-invalid", "sentence: the graph is valid HIF"),
    ({"document": changed_graph(lambda d: d["meta"].pop("featureset"))}, "fail", "hif-profile-invalid", None),
    ({"document": changed_graph(lambda d: d.pop("meta"))}, "fail", "hif-profile-invalid", None),
    ({"document": changed_graph(lambda d: d.update(metadata={"version": "2"}))}, "fail", "hif-profile-invalid", None),
    ({"document": changed_graph(lambda d: d["meta"].update(version="2"))}, "fail", "hif-meta-version", None),
    ({"document": changed_graph(lambda d: d["meta"].update(tenant_id="beta"))}, "fail", "hif-meta-mismatch", None),
    ({"document": changed_graph(lambda d: d["meta"].update(trace_id="other"))}, "fail", "hif-meta-mismatch", None),
    ({"document": changed_graph(lambda d: d["meta"].update(model="other"))}, "fail", "hif-meta-mismatch", None),
    (
        {"document": changed_graph(lambda d: d["meta"].update(granularity="sentence"))},
        "fail",
        "hif-meta-mismatch",
        "token: meta is about this trace",
    ),
    ({"document": changed_graph(lambda d: d["incidences"][0].update(node="ghost"))}, "fail", "hif-dangling-node", None),
    ({"kind": lambda self, trace: "sentence"}, "fail", "hif-granularity-mismatch", "token: the granularity asked for is honoured"),
    (
        {
            "kind": lambda self, trace: "sentence",
            "document": changed_graph(lambda d: d["meta"].update(granularity="sentence")),
        },
        "fail",
        "hif-granularity-mismatch",
        None,
    ),
    ({"record": changed_record(granularity="sentence")}, "fail", "hif-granularity-mismatch", None),
    (
        {"kind": lambda self, trace: "sentence", "record": changed_record(degraded=["granularity"])},
        "inconclusive",
        "granularity-degraded",
        None,
    ),
    ({"graph_status": 404}, "fail", "graph-not-served", "sentence: the graph of a complete trace is served"),
    ({"early_graph_status": 200}, "fail", "graph-before-complete", "the graph of an unfinished trace is not served yet"),
    ({"unknown_status": 200}, "fail", "unknown-trace-status", "an unknown trace is not found"),
    ({"unknown_status": 500}, "fail", "unknown-trace-status", None),
    # cancel
    ({"cancel": lambda self, trace: 202}, "fail", "cancel-ignored", "cancel: the trace ends canceled"),
    ({"cancel": lambda self, trace: 405}, "fail", "cancel-refused", "cancel: canceling an unfinished trace is accepted"),
    # webhook
    ({"register_status": 404}, "fail", "webhook-refused", "webhook: a callback can be registered"),
    ({"delete_status": 500}, "fail", "webhook-not-deleted", "webhook: the callback can be deleted"),
    ({"deliver": lambda self, trace: None}, "fail", "webhook-not-delivered", "webhook: the end of the trace is delivered"),
    ({"delivery_attempts": 1}, "fail", "webhook-not-retried", "webhook: a delivery answered with 500 is tried again"),
    ({"signed": lambda self, secret, stamp, body: {"x-hypergraph-timestamp": stamp}}, "fail", "webhook-signature-invalid", None),
    ({"signed": lambda self, secret, stamp, body: {}}, "fail", "webhook-signature-invalid", None),
    (
        {"signed": lambda self, secret, stamp, body: StandIn.signed(self, "other", stamp, body)},
        "fail",
        "webhook-signature-invalid",
        "webhook: every delivery is signed",
    ),
    ({"signed": lambda self, secret, stamp, body: StandIn.signed(self, secret, stamp, b"")}, "fail", "webhook-signature-invalid", None),
    ({"stamp": lambda self: str(int(time.time() * 1000))}, "fail", "webhook-timestamp-stale", "webhook: the signed timestamp is fresh"),
    ({"stamp": lambda self: "now"}, "fail", "webhook-timestamp-stale", None),
    ({"stamp": lambda self: "nan"}, "fail", "webhook-timestamp-stale", None),
    ({"delivery": lambda self, trace: trace.id.encode()}, "fail", "webhook-body-mismatch", "webhook: the body agrees with the trace"),
    ({"delivery": lambda self, trace: json.dumps([trace.id]).encode()}, "fail", "webhook-body-mismatch", None),
    ({"delivery": lambda self, trace: json.dumps({"id": trace.id}).encode()}, "fail", "webhook-body-mismatch", None),
    (
        {"delivery": lambda self, trace: json.dumps({"trace_id": trace.id, "state": "failed"}).encode()},
        "fail",
        "webhook-body-mismatch",
        None,
    ),
    (
        {"delivery": lambda self, trace: json.dumps({"trace_id": trace.id, "tenant_id": "beta"}).encode()},
        "fail",
        "webhook-body-mismatch",
        None,
    ),
]


@pytest.mark.parametrize(("overrides", "status", "reason_code", "assertion"), DEFECTS)
def test_a_defect_is_found_for_its_own_reason_alone(serve, verdict_on, overrides, status, reason_code, assertion):
    gateway = serve(**overrides)
    verdict = verdict_on(gateway, webhook_deadline=0.4)
    assert (verdict["status"], verdict["reason_code"]) == (status, reason_code), verdict["reason"]
    assert {code for _name, code in failing(verdict)} <= {reason_code}
    assert assertion is None or (assertion, reason_code) in failing(verdict)
    assert gateway.webhooks == {}


@pytest.mark.parametrize(
    "overrides",
    [
        {"takes": {"sentence": 5, "token": 9}},
        {"kind": lambda self, trace: None},
        {"document": changed_graph(lambda d: [n["attrs"].update(more={"x": 1}) for n in d["nodes"]])},
        {"document": changed_graph(lambda d: d["meta"].update(version="hif-2", model=None, more=1))},
        {"chat": lambda self, trace: {**StandIn.chat(self, trace), "model": "gpt-4o-mini-2026"}, "record": changed_record(more=1)},
        {"delivery": lambda self, trace: json.dumps({"trace_id": trace.id, "event": "trace.complete"}).encode()},
        {"record": changed_record(error="none")},
    ],
)
def test_a_benign_difference_stays_green(serve, verdict_on, overrides):
    verdict = verdict_on(serve(**overrides))
    assert (verdict["status"], failing(verdict)) == ("pass", [])


def test_the_controllers_clock_does_not_matter_but_the_services_does(serve, verdict_on):
    ahead = timedelta(hours=1)

    def record(self, trace):
        right = StandIn.record(self, trace)
        return {name: (parse_utc(value) + ahead).isoformat() if name.endswith("_at") and value else value for name, value in right.items()}

    def stamp(self):
        return str(int(time.time() + ahead.total_seconds()))

    def date(self, right):
        return format_datetime(datetime.now(timezone.utc) + ahead, usegmt=True)

    assert verdict_on(serve(record=record, stamp=stamp, date=date))["status"] == "pass"
    verdict = verdict_on(serve(record=record))
    assert verdict["reason_code"] == "timestamp-implausible"


@pytest.mark.parametrize("overrides", [{"answers_date": False}, {"date": lambda self, right: "yesterday"}])
def test_without_a_gateway_clock_timestamps_are_not_held_against_it(serve, verdict_on, overrides):
    verdict = verdict_on(serve(**overrides))
    assert verdict["status"] == "pass"
    assert any("no Date header" in skip["reason"] for skip in verdict["skips"])


def test_a_trace_that_never_ends_is_inconclusive_and_the_rest_is_examined(serve, verdict_on):
    verdict = verdict_on(serve(takes={"sentence": 10**6, "token": 10**6}), trace_deadline=0.3)
    assert (verdict["status"], verdict["reason_code"], failing(verdict)) == ("inconclusive", "deadline-exceeded", [])
    assert verdict["reason"].startswith("sentence: the trace was still 'running' after 0.3 s")
    assert verdict["examined"]["cancels"] == 1


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        ({"record": lambda self, trace: {**StandIn.record(self, trace), "served": trace.reads}}, "status"),
        ({"document": changed_graph(lambda d: d["nodes"][0]["attrs"].update(at=time.time()))}, "graph"),
    ],
)
def test_a_read_that_is_not_idempotent_is_found(serve, verdict_on, overrides, what):
    verdict = verdict_on(serve(**overrides), webhook=False)
    found = [a for a in verdict["assertions"] if not a["ok"] and a["reason_code"] == "read-not-idempotent"]
    assert found
    assert all(len(a["observed"]) == 1 and a["observed"][0].endswith(what) for a in found)


def test_a_graph_larger_than_allowed_ends_the_check(serve, verdict_on):
    verdict = verdict_on(serve(graph=lambda self, trace: b" " * 200_000), webhook=False)
    assert (verdict["status"], verdict["reason_code"]) == ("error", "answer-too-large")


def test_a_trace_id_used_twice_is_found(serve, verdict_on):
    def trace_id(self, trace):
        return next(iter(self.traces))

    verdict = verdict_on(serve(trace_id=trace_id), webhook=False)
    assert verdict["reason_code"] == "trace-id-reused"


def test_graphs_without_kinds_are_told_apart_by_their_size(serve, verdict_on):
    def document(self, trace):
        right = StandIn.document(self, trace)
        return {**right, "nodes": [{"node": f"n{i}"} for i in range(9)]}

    verdict = verdict_on(serve(document=document), webhook=False)
    assert failing(verdict) == [("a graph of tokens has more nodes than one of sentences of the same text", "hif-granularity-mismatch")]
    verdict = verdict_on(serve(document=document), webhook=False, granularities=["token"])
    assert verdict["status"] == "pass"
    assert any("how finely the graph of token is cut" in skip["reason"] for skip in verdict["skips"])


def test_a_delivery_that_could_not_be_refused_leaves_the_retry_untested(serve, verdict_on):
    def chat(self, trace):
        if len(self.traces) == 1:
            StandIn.deliver(self, trace)
        return StandIn.chat(self, trace)

    verdict = verdict_on(serve(chat=chat, deliver=lambda self, trace: None))
    assert (verdict["status"], verdict["reason_code"]) == ("inconclusive", "webhook-retry-not-tested")


def delivering(write):
    """A service that writes the bodies of its deliveries to the wire as told, in a request that announces chunks."""

    def deliver(self, trace):
        (hook,) = self.webhooks.values()
        for _attempt in range(2):
            body = self.delivery(trace)
            place = urlsplit(hook["url"])
            connection = http.client.HTTPConnection(place.netloc, timeout=5)
            connection.putrequest("POST", place.path)
            for name, value in {**self.signed(hook["secret"], self.stamp(), body), "Transfer-Encoding": "chunked"}.items():
                connection.putheader(name, value)
            connection.endheaders(write(body))
            connection.getresponse().read()
            connection.close()

    return deliver


def test_a_delivery_in_chunks_is_a_delivery(serve, verdict_on):
    verdict = verdict_on(serve(deliver=delivering(lambda body: b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (body[:5], len(body) - 5, body[5:]))))
    assert (verdict["status"], failing(verdict)) == ("pass", [])
    assert verdict["examined"]["webhook deliveries"] == 2


def test_a_delivery_that_cannot_be_read_is_told(serve, verdict_on):
    verdict = verdict_on(serve(deliver=delivering(lambda body: b"five\r\n" + body)), webhook_deadline=0.4)
    assert failing(verdict) == [("webhook: the end of the trace is delivered", "webhook-not-delivered")]
    assert "answered 400: the chunk size 'five' is no hexadecimal number" in verdict["reason"]


def test_webhooks_are_skipped_where_they_are_switched_off(serve, verdict_on):
    gateway = serve()
    verdict = verdict_on(gateway, webhook=False)
    assert verdict["status"] == "pass"
    assert [skip["skip_class"] for skip in verdict["skips"]] == ["disabled_by_config"]
    assert "webhook deliveries" in verdict["reason"]
    assert not any("webhooks" in path for _method, path, _headers in gateway.seen)


def test_webhooks_are_skipped_where_the_gateway_is_elsewhere_and_the_listener_is_not(serve, verdict_on, monkeypatch):
    gateway = serve()
    hosts = {gateway.url: "192.0.2.1"}
    monkeypatch.setattr(webhooks, "urlsplit", lambda url: SimpleNamespace(hostname=hosts.get(url, "127.0.0.1")))
    verdict = verdict_on(gateway)
    assert verdict["status"] == "pass"
    assert verdict["skips"][0]["skip_class"] == "dependency_missing"
    assert "192.0.2.1" in verdict["skips"][0]["reason"]


def test_without_authority_the_workflow_is_examined_without_tenant(serve, verdict_on):
    gateway = serve(record=changed_record(tenant_id="anyone"), delivery=lambda self, trace: json.dumps({"trace_id": trace.id}).encode())
    verdict = verdict_on(gateway, auth_mode="none", tokens=[])
    assert (verdict["status"], failing(verdict)) == ("pass", [])
    assert not any("Authorization" in headers for _method, _path, headers in gateway.seen)


@pytest.mark.parametrize(
    ("check_mode", "arguments", "status", "reason_code"),
    [
        (True, {}, "skip", "disabled_by_config"),
        (False, {"tokens": []}, "skip", "dependency_missing"),
        (False, {"granularities": []}, "error", "bad-granularities"),
        (False, {"trace_deadline": 0.0}, "error", "bad-argument"),
        (False, {"webhook_deadline": float("nan")}, "error", "bad-argument"),
        (False, {"cancel_attempts": 0}, "error", "bad-argument"),
        (False, {"clock_skew": -1.0}, "error", "bad-argument"),
        (False, {"webhook_listen": "no such:address"}, "error", "bad-webhook-listen"),
    ],
)
def test_nothing_is_sent_where_nothing_can_be_examined(serve, verdict_on, check_mode, arguments, status, reason_code):
    gateway = serve()
    verdict = verdict_on(gateway, _ansible_check_mode=check_mode, **arguments)
    assert (verdict["status"], verdict["reason_code"]) == (status, reason_code)
    assert gateway.seen == []


def test_a_webhook_that_is_deleted_only_when_asked_again_is_not_left_behind(serve, verdict_on):
    gateway = serve(stuck=2)
    verdict = verdict_on(gateway)
    assert failing(verdict) == [("webhook: the callback can be deleted", "webhook-not-deleted")]
    assert (gateway.webhooks, verdict["errors"]) == ({}, [])


def test_a_webhook_that_cannot_be_deleted_is_told(serve, verdict_on):
    gateway = serve(stuck=9)
    verdict = verdict_on(gateway)
    (identity,) = gateway.webhooks
    (left,) = verdict["errors"]
    assert (verdict["reason_code"], left["reason_code"]) == ("webhook-not-deleted", "webhook-left-behind")
    assert identity in left["reason"]


@pytest.mark.parametrize(("answered", "status"), [(b"{", "error"), ({}, "fail")])
def test_a_webhook_whose_id_never_came_back_is_deleted(serve, verdict_on, answered, status):
    gateway = serve(registered=lambda self, identity, body: answered)
    assert verdict_on(gateway)["status"] == status
    assert gateway.webhooks == {}


def test_a_crash_in_the_middle_still_deletes_the_webhook(serve, verdict_on):
    gateway = serve(chat=lambda self, trace: {"choices": [], "model": 1}, chat_status=500)
    assert verdict_on(gateway)["status"] == "error"
    assert [method for method, path, _headers in gateway.seen if "webhooks" in path] == ["POST", "DELETE"]
