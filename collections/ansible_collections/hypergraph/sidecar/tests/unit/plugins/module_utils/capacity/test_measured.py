# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service times as running explainers count them: real histograms over real HTTP, held against the numbers that went in."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.capacity.measured import FAMILY, scraped_service_times, service_time
from ansible_collections.hypergraph.sidecar.plugins.module_utils.faults import CheckError, CheckInconclusive

STAGES = {"extract": 0.2, "decode": 0.3, "attribution": 0.4, "persist": 0.1}
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.5, 5.0, 8.0, 15.0)
PARAMS = {"ca_path": None, "validate_certs": True, "timeout": 5.0}


def counted(seconds: dict[str, list[float]], *, by_granularity: bool = False, buckets: tuple[float, ...] = BUCKETS) -> CollectorRegistry:
    """An explainer's registry after explanations that took so long, by granularity, each stage its share."""
    registry = CollectorRegistry()
    labels = ("stage", "granularity") if by_granularity else ("stage",)
    histogram = Histogram(FAMILY, "Stages.", labels, buckets=buckets, registry=registry)
    for granularity, durations in seconds.items():
        for duration in durations:
            for stage, share in STAGES.items():
                histogram.labels(*((stage, granularity) if by_granularity else (stage,))).observe(share * duration)
    return registry


def samples_of(registry: CollectorRegistry) -> list[Any]:
    return [sample for family in registry.collect() for sample in family.samples if sample.labels]


@contextmanager
def serving(*answers: CollectorRegistry | tuple[int, bytes]) -> Iterator[list[str]]:
    """URLs of so many explainers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers[int(self.path.strip("/"))]
            status, body = answer if isinstance(answer, tuple) else (200, generate_latest(answer))
            self.send_response(status)
            self.send_header("content-type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield [f"http://127.0.0.1:{server.server_address[1]}/{number}" for number in range(len(answers))]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_replicas_are_added_up_and_their_mean_is_exact() -> None:
    first, second = [1.0] * 60, [2.0] * 30
    with serving(counted({"sentence": first}), counted({"sentence": second})) as urls:
        times = scraped_service_times(PARAMS, urls, ["sentence"])
    time = times["sentence"]
    assert (time.basis, time.samples, time.origin) == ("measured", 90, f"{FAMILY} of 2 endpoint(s)")
    assert time.mean == pytest.approx(120 / 90)


@pytest.mark.parametrize("seed", range(5))
def test_the_p95_is_a_bound_and_no_wild_one(seed: int) -> None:
    source = random.Random(seed)
    durations = [source.lognormvariate(0.0, 0.4) for _repetition in range(400)]
    with serving(counted({"token": durations})) as urls:
        time = scraped_service_times(PARAMS, urls, ["token"])["token"]
    # Its true p95 is exp(1.645 x 0.4) = 1.93; each stage is known to its bucket only.
    assert 1.93 <= time.p95 < 2 * 1.93


def test_few_samples_bound_the_p95_by_the_slowest() -> None:
    many, few = ([1.0] * 5_000 + [4.0] * 200), ([1.0] * 58 + [4.0])
    with serving(counted({"token": many}), counted({"token": few})) as (all_of_them, some):
        sure = scraped_service_times(PARAMS, [all_of_them], ["token"])["token"]
        unsure = scraped_service_times(PARAMS, [some], ["token"])["token"]
    assert sure.p95 < 1.5
    assert unsure.p95 > 3.9


def test_the_bound_is_interpolated_within_its_bucket() -> None:
    registry = CollectorRegistry()
    histogram = Histogram(FAMILY, "Stages.", ("stage",), buckets=(1.0, 2.0), registry=registry)
    for _repetition in range(100):
        histogram.labels("extract").observe(1.5)
    # Rank 95 + 1.645 x sqrt(100 x 0.95 x 0.05) = 98.585 of 100, all of them between 1 and 2 s.
    assert service_time(samples_of(registry), "here").p95 == pytest.approx(1.98585, abs=1e-4)


def test_the_samples_are_those_of_the_stage_that_saw_fewest() -> None:
    samples = samples_of(counted({"token": [1.0] * 70}))
    more = [one._replace(value=one.value + 5) if one.labels["stage"] == "extract" else one for one in samples]
    assert service_time(more, "here").samples == 70


def test_granularities_are_told_apart_where_the_label_is_there() -> None:
    durations = {"sentence": [0.5] * 100, "token": [3.0] * 50}
    with serving(counted(durations, by_granularity=True), counted(durations)) as (apart, together):
        times = scraped_service_times(PARAMS, [apart], ["sentence", "token"])
        blended = scraped_service_times(PARAMS, [together], ["sentence", "token"])
    assert (times["sentence"].mean, times["sentence"].samples) == (pytest.approx(0.5), 100)
    assert (times["token"].mean, times["token"].samples) == (pytest.approx(3.0), 50)
    assert blended["sentence"] == blended["token"]
    assert blended["token"].origin == f"{FAMILY} of 1 endpoint(s), granularities not told apart"
    assert blended["token"].mean == pytest.approx(200 / 150)


def test_nothing_explained_is_no_sample() -> None:
    with serving(counted({})) as urls:
        assert scraped_service_times(PARAMS, urls, ["token"])["token"].samples == 0
    assert service_time([], "nowhere").samples == 0


def test_a_p95_above_the_buckets_cannot_be_told() -> None:
    with serving(counted({"token": [9.0] * 100}, buckets=(0.5, 1.0))) as urls, pytest.raises(CheckInconclusive) as fault:
        scraped_service_times(PARAMS, urls, ["token"])
    assert fault.value.reason_code == "p95-beyond-buckets"
    assert "largest bucket" in fault.value.reason


def gauge() -> CollectorRegistry:
    registry = CollectorRegistry()
    Gauge(FAMILY, "Not a histogram.", registry=registry)
    return registry


@pytest.mark.parametrize(
    ("answer", "reason_code", "says"),
    [
        (CollectorRegistry(), "service-time-unreadable", "is not there, expected a histogram"),
        (gauge(), "service-time-unreadable", "is a gauge, expected a histogram"),
        ((404, b"gone"), "metrics-absent", "answered 404"),
        ((200, b"{broken\n"), "exposition-invalid", "not valid"),
    ],
    ids=["family missing", "wrong type", "no metrics", "broken"],
)
def test_an_endpoint_that_cannot_be_read_is_named(answer: Any, reason_code: str, says: str) -> None:
    with serving(answer) as urls, pytest.raises(CheckError) as fault:
        scraped_service_times(PARAMS, urls, ["token"])
    assert fault.value.reason_code == reason_code
    assert urls[0] in fault.value.reason
    assert says in fault.value.reason


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(CheckError) as fault:
        scraped_service_times(PARAMS, ["10.0.0.7:9090"], ["token"])
    assert fault.value.reason.startswith("metrics_urls '10.0.0.7:9090'")
