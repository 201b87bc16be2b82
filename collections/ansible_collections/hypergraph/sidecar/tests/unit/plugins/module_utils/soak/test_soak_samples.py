# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sampling what services need, from real expositions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.hypergraph.sidecar.plugins.module_utils.soak.samples import watched_of
from ansible_collections.hypergraph.sidecar.plugins.modules.soak_watch import main
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.module_utils.load.service import answer, saying, serving
from ansible_collections.hypergraph.sidecar.tests.unit.plugins.modules.module_run import run_main

EXPOSED = answer(
    b"# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes 5.5e+07\n"
    b"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1.795e+09\n"
    b"# TYPE explainer_queue_lag_seconds gauge\nexplainer_queue_lag_seconds 1.5\n",
    "Content-Type: text/plain; version=0.0.4",
)


def watched(url: str, monkeypatch: pytest.MonkeyPatch, capsys: Any, **told: Any) -> dict[str, Any]:
    endpoints = [{"name": "explainer", "url": f"{url}/metrics"}, {"name": "gateway", "url": ""}]
    return run_main(main, {"base_url": url, "endpoints": endpoints, "seconds": 0.3, "interval": 0.1, **told}, monkeypatch, capsys)


def test_samples_are_taken_until_the_end(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(saying(EXPOSED)) as service:
        found = watched(service.url, monkeypatch, capsys)
    assert len(found["samples"]) >= 3
    assert found["missed"] == 0
    kept = watched_of(json.loads(json.dumps({name: found[name] for name in ("endpoints", "samples", "missed")})))
    sample = kept.samples[0]
    assert kept.endpoints == ("explainer",)
    assert (sample.endpoint, sample.memory_bytes, sample.queue_lag_s, sample.queue_depth) == ("explainer", 55e6, 1.5, None)
    assert sample.process_start == 1.795e9


def test_of_a_labelled_gauge_the_worst_series_counts(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    labelled = answer(
        b"# TYPE explainer_queue_lag_seconds gauge\n"
        b'explainer_queue_lag_seconds{queue="idle"} 0\nexplainer_queue_lag_seconds{queue="busy"} 7.5\n'
        b"# TYPE explainer_queue_depth gauge\n"
        b'explainer_queue_depth{queue="idle"} 0\nexplainer_queue_depth{queue="busy"} 42\nexplainer_queue_depth{queue="third"} 3\n',
        "Content-Type: text/plain; version=0.0.4",
    )
    with serving(saying(labelled)) as service:
        sample = watched(service.url, monkeypatch, capsys)["samples"][0]
    assert (sample["queue_lag_s"], sample["queue_depth"]) == (7.5, 42.0)


@pytest.mark.parametrize(
    ("told", "code"),
    [({}, "metrics-unavailable"), ({"seconds": 0}, "bad-argument"), ({"seconds": 500_000, "interval": 1}, "bad-argument")],
)
def test_what_cannot_be_sampled_is_said(told: dict[str, Any], code: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with serving(saying(answer(b"busy", status="503 Busy"))) as service:
        found = watched(service.url, monkeypatch, capsys, **told)
    assert (found["failed"], found["reason_code"]) == (True, code)


SAMPLE = {"at": 1.0, "endpoint": "e", "memory_bytes": 5e7, "queue_lag_s": None, "queue_depth": None, "process_start": None}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "expected an object"),
        ({"samples": 1, "endpoints": []}, "expected an object"),
        ({"samples": []}, "expected an object"),
        ({"samples": [], "endpoints": [7]}, "an endpoint is not a name"),
        ({"problem": "none of 9 readings succeeded"}, "could not be sampled: none of 9"),
        *(
            ({"endpoints": ["e"], "samples": [sample]}, "a sample is not one")
            for sample in (
                1,
                {"at": "x"},
                {**SAMPLE, "z": 1},
                {**SAMPLE, "endpoint": 3},
                {**SAMPLE, "at": None},
                {**SAMPLE, "at": float("inf")},
                {**SAMPLE, "memory_bytes": "much"},
                {**SAMPLE, "queue_lag_s": True},
            )
        ),
    ],
)
def test_what_is_no_sample_is_refused(document: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        watched_of(document)
