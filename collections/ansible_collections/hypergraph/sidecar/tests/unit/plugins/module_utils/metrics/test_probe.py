# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""observability over HTTP, against real registries that are sound or wrong in one way."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.connection import Connection, Token
from ansible_collections.hypergraph.sidecar.plugins.module_utils.examination import Examination
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckFault
from ansible_collections.hypergraph.sidecar.plugins.module_utils.metrics import probe
from ansible_collections.hypergraph.sidecar.plugins.module_utils.verdict import Verdict
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.metrics.metrics_service import (
    CHATS,
    EXPLAINER,
    GATEWAY,
    OPENMETRICS,
    SUBJECT,
    TEXT,
    TOKEN,
    MetricsService,
    Reply,
    serving,
)

ALPHA = Token("alpha-writer", TOKEN, "alpha", frozenset(["traces:read", "traces:write"]), SUBJECT)
NOWHERE = "http://127.0.0.1:9"


def endpoint(name: str, url: str, families: Any = None) -> dict[str, Any]:
    return {"name": name, "url": url, "families": families}


def family(name: str, type_: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, "labels": None, "slo_seconds": None, "values": None, "driven": None, **options}


def verdict_on(
    service: MetricsService,
    *,
    tokens: tuple[Token, ...] = (ALPHA,),
    auth_mode: str = "static",
    check_mode: bool = False,
    endpoints: list[dict[str, Any]] | None = None,
    **params: Any,
) -> dict[str, Any]:
    """The verdict of one run against the service. Paths as urls are the service's own."""
    with serving(service):
        given = endpoints if endpoints is not None else [endpoint("gateway", GATEWAY), endpoint("explainer", EXPLAINER)]
        placed = [{**item, "url": service.url + item["url"] if item["url"].startswith("/") else item["url"]} for item in given]
        arguments = {
            "chats": CHATS,
            "settle": 0.05,
            "max_bytes": 1 << 20,
            "model": "m",
            "trace_deadline": 2.0,
            "endpoints": placed,
            **params,
        }
        connection = Connection(service.url, tokens, ("beta-writer",), auth_mode, timeout=5.0)
        run = Examination(Verdict("observability"), connection, arguments, check_mode)
        try:
            probe.examine(run)
        except CheckFault as fault:
            run.verdict.error(fault.reason_code, fault.reason, fault.action)
    return run.verdict.to_dict()


def failing(document: dict[str, Any]) -> list[str]:
    return [item["reason_code"] for item in document["assertions"] if not item["ok"]]


def held(document: dict[str, Any]) -> list[str]:
    return [item["name"] for item in document["assertions"] if item["ok"]]


@pytest.mark.parametrize("form", [TEXT, OPENMETRICS])
def test_a_sound_service_passes_and_says_what_was_examined(form: str) -> None:
    document = verdict_on(MetricsService(form=form))
    assert (document["status"], failing(document)) == ("pass", [])
    assert document["examined"]["chats"] == 15
    assert document["examined"]["expected families"] == 7
    assert document["examined"]["endpoints"] == 2
    assert document["examined"]["series"] == 0 + sum(seen["series"] for seen in document["evidence"]["endpoints"].values())
    assert document["evidence"]["rounds"] == [{"chats": 5, "ends": {"complete": 5}}, {"chats": 10, "ends": {"complete": 10}}]
    assert document["metrics"]["metrics_gateway_series_per_chat"] == 0
    assert {"metrics_gateway_series", "metrics_explainer_scrape_seconds"} <= set(document["metrics"])
    names = [item["name"] for item in document["assertions"]]
    assert len(set(names)) == len(names) == 41


@pytest.mark.parametrize(
    ("wrong", "codes"),
    [
        ("renamed", ["family-missing"]),
        ("frozen", ["counter-frozen"]),
        ("stage-missing", ["counter-frozen"]),
        ("other-state", ["counter-frozen"]),
        ("milliseconds", ["bucket-misses-slo"]),
        ("too-long", ["duration-exceeds-wall-time"]),
        ("backwards", ["counter-decreased"]),
        ("request-label", ["cardinality-grows"]),
        ("random-label", ["cardinality-grows"]),
        ("new-family", ["cardinality-grows"]),
        ("subject-label", ["identifier-label"]),
        ("email-label", ["identifier-label"]),
        ("uuid-label", ["identifier-label"]),
    ],
)
@pytest.mark.parametrize("form", [TEXT, OPENMETRICS])
def test_each_wrong_is_found_and_nothing_else(wrong: str, codes: list[str], form: str) -> None:
    document = verdict_on(MetricsService(wrong, form=form))
    assert (document["status"], failing(document)) == ("fail", codes)


def test_a_bounded_label_may_show_its_values_for_the_first_time() -> None:
    document = verdict_on(MetricsService("rotating-label"))
    assert document["status"] == "pass"
    assert document["examined"]["chats"] == 15


@pytest.mark.parametrize(("wrong", "status"), [("wide-label", "pass"), ("serial-label", "fail")])
def test_a_doubt_is_settled_by_a_third_round(wrong: str, status: str) -> None:
    document = verdict_on(MetricsService(wrong))
    assert (document["status"], document["examined"]["chats"]) == (status, 35)
    assert failing(document) == (["cardinality-grows"] if status == "fail" else [])


def test_the_offending_label_is_named_and_its_values_are_not() -> None:
    grown = verdict_on(MetricsService("request-label"))
    assert "label extra of http_requests_total" in grown["reason"]
    assert "ids of the probe among them" in grown["reason"]
    assert "canaryrequest" not in json.dumps(grown)
    personal = verdict_on(MetricsService("email-label"))
    assert "label extra of http_requests_total" in personal["reason"]
    assert "ada@example.org" not in json.dumps(personal)


def test_the_absent_value_and_those_that_are_there_are_told() -> None:
    reason = verdict_on(MetricsService("stage-missing"))["reason"]
    assert "{stage=persist} by 0 (absent; stage is attribution, decode, extract)" in reason
    assert "extract} by" not in reason


def test_durations_of_the_jobs_of_others_accuse_nobody() -> None:
    assert verdict_on(MetricsService("foreign-jobs"))["status"] == "pass"


def test_a_renamed_family_is_told_with_the_nearest_name() -> None:
    assert "explainer_lag_seconds" in verdict_on(MetricsService("renamed"))["reason"]


HTML = b"<html><body>Sign in</body></html>"


@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (Reply(404, b"{}"), "fail", "metrics-absent"),
        (Reply(501, b""), "fail", "metrics-absent"),
        (Reply(500, b""), "fail", "metrics-unavailable"),
        (Reply(302, b"", {"location": "https://login.example.org/"}), "fail", "metrics-unavailable"),
        (Reply(401, b""), "error", "metrics-refused"),
        (Reply(403, b""), "error", "metrics-refused"),
        (Reply(200, HTML, {"content-type": "text/html"}), "fail", "metrics-wrong-content-type"),
        (Reply(200, b'{"up": 1}', {"content-type": "application/json"}), "fail", "metrics-wrong-content-type"),
        (Reply(200, b"up 1\n"), "fail", "metrics-wrong-content-type"),
        (Reply(200, HTML, {"content-type": TEXT}), "fail", "exposition-invalid"),
        (Reply(200, b"up 1\n", {"content-type": OPENMETRICS}), "fail", "exposition-invalid"),
        (Reply(200, b"", {"content-type": TEXT}), "fail", "family-missing"),
        (Reply(200, b"# EOF\n", {"content-type": "application/openmetrics-text; version=2.0.0"}), "inconclusive", "exposition-unsupported"),
        (Reply(200, b"up 1\n" * 300_000, {"content-type": TEXT}), "error", "answer-too-large"),
    ],
)
def test_a_broken_endpoint_is_named_and_the_other_still_examined(reply: Reply, status: str, code: str) -> None:
    service = MetricsService()
    service.instead[EXPLAINER] = reply
    document = verdict_on(service)
    assert (document["status"], document["reason_code"]) == (status, code)
    assert document["reason"].startswith("explainer")
    assert "chat_requests_total of gateway counts the chats of the probe" in held(document)
    assert document["examined"]["endpoints"] == (2 if code == "family-missing" else 1)


def test_an_unreachable_endpoint_is_an_error_and_the_other_still_examined() -> None:
    document = verdict_on(MetricsService(), endpoints=[endpoint("explainer", f"{NOWHERE}/metrics"), endpoint("gateway", GATEWAY)])
    assert (document["status"], document["reason_code"]) == ("error", "service-unreachable")
    assert failing(document) == []
    assert "chat_requests_total of gateway counts the chats of the probe" in held(document)


def test_where_no_endpoint_is_readable_nothing_is_driven() -> None:
    service = MetricsService()
    service.instead[GATEWAY] = service.instead[EXPLAINER] = Reply(404, b"")
    document = verdict_on(service)
    assert failing(document) == ["metrics-absent", "metrics-absent"]
    assert service.chats_sent == 0


class BreaksUnderLoad(MetricsService):
    """Exposes a line that is none as soon as there is something to expose."""

    def metrics(self, path: str) -> Reply:
        reply = super().metrics(path)
        if self.chats_sent and path == GATEWAY:
            reply.body += b'chats{route="/v1/mod 1\n'
        return reply


def test_an_exposition_that_breaks_later_says_when() -> None:
    document = verdict_on(BreaksUnderLoad())
    assert failing(document) == ["exposition-invalid"]
    assert document["reason"].startswith("gateway after chats of the probe: ")
    assert 'chats{route="/v1/mod 1' in document["reason"]


@pytest.mark.parametrize("endpoints", [[], [endpoint("gateway", ""), endpoint("explainer", "")]])
def test_without_an_endpoint_it_is_skipped(endpoints: list[dict[str, Any]]) -> None:
    document = verdict_on(MetricsService(), endpoints=endpoints)
    assert (document["status"], document["reason_code"]) == ("skip", "disabled_by_config")
    assert "ENABLE_OTEL" in document["action"]


def test_an_empty_url_is_a_part_that_is_not_examined() -> None:
    document = verdict_on(MetricsService(), endpoints=[endpoint("gateway", GATEWAY), endpoint("explainer", "")])
    assert document["status"] == "pass"
    assert "not examined: the metrics of explainer" in document["reason"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"tokens": ()}, "no token carries traces:write and traces:read; empty: beta-writer"),
        ({"check_mode": True}, "check mode"),
        ({"chats": 0}, "chats is 0"),
    ],
)
def test_what_cannot_be_driven_is_examined_at_rest(options: dict[str, Any], told: str) -> None:
    service = MetricsService()
    for state in ("complete", "failed"):
        service.jobs.labels(state)
    service.count_end("complete")
    document = verdict_on(service, **options)
    assert (document["status"], failing(document)) == ("pass", [])
    assert "not examined: whether counters move" in document["reason"]
    assert told in document["reason"]
    assert service.chats_sent == 0
    assert service.scrapes == 2
    assert "chats" not in document["examined"]


def test_at_rest_a_listed_value_that_was_never_counted_fails() -> None:
    service = MetricsService("stage-missing")
    service.count_end("complete")
    document = verdict_on(service, chats=0)
    assert failing(document) == ["label-value-missing"]


def test_at_rest_buckets_without_observations_are_named_as_not_examined() -> None:
    document = verdict_on(MetricsService(), chats=0)
    assert document["status"] == "pass"
    assert "the buckets of explainer_stage_duration_seconds" in document["reason"]


def test_without_authentication_chats_need_no_token() -> None:
    service = MetricsService("open")
    document = verdict_on(service, tokens=(), auth_mode="none")
    assert document["status"] == "pass"
    assert service.chats_sent == 15


def test_refused_chats_are_an_error_beside_what_was_seen_at_rest() -> None:
    document = verdict_on(MetricsService("refuses", "renamed"))
    assert failing(document) == ["family-missing"]
    assert [error["reason_code"] for error in document["errors"]] == ["chat-refused"]


def test_where_no_explanation_completes_the_explainer_was_not_driven() -> None:
    document = verdict_on(MetricsService("fails"))
    assert (document["status"], document["reason_code"]) == ("inconclusive", "explanations-not-complete")
    assert failing(document) == []


def test_explanations_that_do_not_end_are_not_counted() -> None:
    document = verdict_on(MetricsService(reads=10_000), trace_deadline=0.05)
    assert document["evidence"]["rounds"][0]["ends"] == {"unended": 5}
    assert document["reason_code"] == "explanations-not-complete"


def test_a_restart_in_between_makes_movement_inconclusive() -> None:
    document = verdict_on(MetricsService("restarts", "frozen"))
    assert (document["status"], document["reason_code"]) == ("inconclusive", "process-restarted")
    assert failing(document) == []
    assert not [name for name in held(document) if "chat_requests_total" in name and "counts" in name]


class LagsBehind(MetricsService):
    """Shows each state of its metrics only two scrapes later, as metrics behind a collector do."""

    def __init__(self) -> None:
        super().__init__()
        self._earlier: dict[str, list[Reply]] = {GATEWAY: [], EXPLAINER: []}

    def metrics(self, path: str) -> Reply:
        self._earlier[path].append(super().metrics(path))
        return self._earlier[path][max(0, len(self._earlier[path]) - 3)]


def test_metrics_that_lag_behind_are_waited_for() -> None:
    document = verdict_on(LagsBehind(), settle=5.0)
    assert (document["status"], failing(document)) == ("pass", [])


class Cached(MetricsService):
    """A cache in front of the metrics that never lets go of its first answer."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, Reply] = {}

    def metrics(self, path: str) -> Reply:
        return self._kept.setdefault(path, super().metrics(path))


def test_an_exposition_that_does_not_change_while_the_service_works_is_stale() -> None:
    document = verdict_on(Cached())
    assert document["reason_code"] == "scrape-stale"
    assert "byte for byte" in document["reason"]


@pytest.mark.parametrize(("age", "stale"), [(3600, True), (60, False)])
def test_explicit_timestamps_of_the_past_are_stale(age: int, stale: bool) -> None:
    service = MetricsService()
    moment = int((time.time() - age) * 1000)
    service.instead["/other"] = Reply(200, f"# TYPE up gauge\nup 1 {moment}\n".encode(), {"content-type": TEXT})
    document = verdict_on(service, endpoints=[endpoint("other", "/other")], chats=0)
    assert failing(document) == (["scrape-stale"] if stale else [])


@pytest.mark.parametrize(("age", "stale"), [("3600", True), ("60", False), ("soon", False)])
def test_an_answer_that_a_cache_held_too_long_is_stale(age: str, stale: bool) -> None:
    service = MetricsService()
    service.instead["/other"] = Reply(200, b"# TYPE up gauge\nup 1\n", {"content-type": TEXT, "age": age})
    document = verdict_on(service, endpoints=[endpoint("other", "/other")], chats=0)
    assert failing(document) == (["scrape-stale"] if stale else [])


def own(service: MetricsService, text: str, *families: dict[str, Any], **params: Any) -> dict[str, Any]:
    """The verdict at rest on an endpoint with this exposition and these expectations."""
    service.instead["/own"] = Reply(200, text.encode(), {"content-type": TEXT})
    return verdict_on(service, endpoints=[endpoint("own", "/own", list(families))], chats=0, **params)


LEVEL = family("level", "gauge", values=[0.0, 1.0, 2.0])
TOOK = family("took_seconds", "histogram", slo_seconds=[2.0])


def histogram(**buckets: str) -> str:
    lines = [f'took_seconds_bucket{{le="{le.strip("b").replace("_", ".")}"}} {count}' for le, count in buckets.items()]
    return "\n".join(["# TYPE took_seconds histogram", *lines, "took_seconds_sum 1", "took_seconds_count 2", ""])


@pytest.mark.parametrize(
    ("text", "expected", "codes"),
    [
        ("# TYPE level gauge\nlevel 2\n", LEVEL, []),
        ("# TYPE level gauge\nlevel 7\n", LEVEL, ["value-out-of-range"]),
        ("# TYPE level gauge\n", LEVEL, ["value-missing"]),
        ("# TYPE level counter\nlevel 1\n", LEVEL, ["family-wrong-type"]),
        ("level 1\n", LEVEL, ["family-wrong-type"]),
        ("level 1\n", family("level", "untyped"), []),
        ("# TYPE level gauge\nlevel 1\n", family("level", "gauge", labels={"zone": []}), ["label-missing"]),
        ('# TYPE level gauge\nlevel{zone="a"} 1\n', family("level", "gauge", labels={"zone": []}), []),
        ('# TYPE level gauge\nlevel{zone="a"} 1\n', family("level", "gauge", labels={"zone": ["b"]}), ["label-value-missing"]),
        ('# TYPE level gauge\nlevel{zone="a"} 1\n', family("level", "gauge", labels={"zone": "a"}), []),
        ("# TYPE level gauge\n", family("level", "gauge", labels={"zone": ["b"]}), ["value-missing"]),
        ("# TYPE level gauge\n", family("level", "gauge"), ["value-missing"]),
        ("# TYPE level gauge\nlevel 0\n", family("level", "gauge"), []),
        ("# TYPE level gauge\nlevel NaN\n", family("level", "gauge"), ["value-missing"]),
        ('# TYPE level gauge\nlevel{zone="a"} NaN\nlevel{zone="b"} 1\n', family("level", "gauge"), []),
        ('# TYPE level gauge\nlevel{zone="a"} NaN\nlevel{zone="b"} 1\n', LEVEL, ["value-out-of-range"]),
        ("# TYPE level_total counter\n", family("level_total", "counter"), []),
        (histogram(b1="1", b2_5="2", bInf="2").replace("Inf", "+Inf"), TOOK, []),
        (histogram(b2="1", bInf="2").replace("Inf", "+Inf"), TOOK, []),
        (histogram(b1="1", b1_9="1", bInf="2").replace("Inf", "+Inf"), TOOK, ["bucket-misses-slo"]),
        (histogram(b2_1="1", bInf="2").replace("Inf", "+Inf"), TOOK, ["bucket-misses-slo"]),
        (histogram(b0_5="1", b2_5="2", bInf="2").replace("Inf", "+Inf"), TOOK, ["bucket-misses-slo"]),
        (histogram(b1="2", b2="1", bInf="2").replace("Inf", "+Inf"), TOOK, ["histogram-inconsistent"]),
        (histogram(b2="1", bInf="3").replace("Inf", "+Inf"), TOOK, ["histogram-inconsistent"]),
        (histogram(b2="2"), TOOK, ["histogram-inconsistent"]),
    ],
)
def test_what_is_seen_at_rest(text: str, expected: dict[str, Any], codes: list[str]) -> None:
    assert failing(own(MetricsService(), text, expected)) == codes


def test_labels_of_a_family_without_series_are_named_as_not_examined() -> None:
    counted = family("jobs_total", "counter", labels={"state": ["complete"]})
    document = own(MetricsService(), "# TYPE jobs_total counter\n# TYPE up gauge\nup 1\n", counted)
    assert (document["status"], failing(document)) == ("pass", [])
    assert "the labels of jobs_total, since own has no series of it yet" in document["reason"]
    told = own(MetricsService(), "# TYPE level gauge\n", family("level", "gauge", labels={"zone": []}))
    assert "labels of level" not in json.dumps(told["skips"])


@pytest.mark.parametrize(("wrongs", "codes"), [((), []), (("frozen",), ["counter-frozen"])])
def test_a_summary_counts_too(wrongs: tuple[str, ...], codes: list[str]) -> None:
    sizes = family("chat_size_bytes", "summary", driven="chats")
    document = verdict_on(MetricsService(*wrongs), endpoints=[endpoint("own", GATEWAY, [sizes])])
    assert failing(document) == codes
    assert "no counter of own goes back" in held(document)


def test_replicas_are_added_up() -> None:
    service = MetricsService()
    idle = MetricsService()
    idle.requests.labels("200").inc()
    with serving(idle):
        endpoints = [endpoint("gateway", GATEWAY), endpoint("gateway", idle.url + GATEWAY)]
        document = verdict_on(service, endpoints=endpoints)
    assert (document["status"], failing(document)) == ("pass", [])
    assert document["metrics"]["metrics_gateway_series"] == document["examined"]["series"]


def test_where_a_replica_is_not_read_what_the_others_counted_is_not_judged() -> None:
    endpoints = [endpoint("gateway", GATEWAY), endpoint("gateway", f"{NOWHERE}/metrics")]
    document = verdict_on(MetricsService("frozen"), endpoints=endpoints)
    assert (document["status"], failing(document)) == ("error", [])


@pytest.mark.parametrize(
    ("endpoints", "params", "code"),
    [
        ([endpoint("gate way", GATEWAY)], {}, "bad-endpoint"),
        ([endpoint("gateway", "gateway:8080/metrics")], {}, "bad-url"),
        ([endpoint("gateway", GATEWAY), endpoint("other", GATEWAY)], {}, "bad-endpoint"),
        ([endpoint("gateway", GATEWAY), endpoint("gateway", EXPLAINER, [])], {}, "bad-endpoint"),
        ([endpoint("own", GATEWAY, [family("a", "gauge", slo_seconds=[1.0])])], {}, "bad-expectation"),
        ([endpoint("own", GATEWAY, [family("a", "gauge", driven="chats")])], {}, "bad-expectation"),
        ([endpoint("own", GATEWAY, [family("a", "counter", values=[1.0])])], {}, "bad-expectation"),
        ([endpoint("gateway", GATEWAY)], {"chats": 2}, "bad-argument"),
        ([endpoint("gateway", GATEWAY)], {"settle": 0.0}, "bad-argument"),
        ([endpoint("gateway", GATEWAY)], {"max_bytes": 0}, "bad-argument"),
        ([endpoint("gateway", GATEWAY)], {"trace_deadline": -1.0}, "bad-argument"),
    ],
)
def test_an_argument_that_makes_no_sense_is_an_error(endpoints: list[dict[str, Any]], params: dict[str, Any], code: str) -> None:
    service = MetricsService()
    document = verdict_on(service, endpoints=endpoints, **params)
    assert (document["status"], document["reason_code"]) == ("error", code)
    assert service.scrapes == 0
